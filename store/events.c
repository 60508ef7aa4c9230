/* Events: their canonical text, which is what is chained and kept, and the walk along the chain. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "store/ops.h"

/* The event as it is chained: as people read it, but with its time in milliseconds, without its seq (the chain has
 * it) and without what is empty. Service and environment are in the event itself: the rollout's row can change, this cannot.
 * Given: json_decref(). */
static json_t *body_of(const struct event_record *e, const struct rollout_record *head)
{
	json_t *o = event_record_encode(e, head), *value;
	const char *key;
	void *next;
	must(json_object_del(o, "seq") == 0 && json_object_set_new(o, "at", json_integer(wall_ms(e->at))) == 0);
	json_object_foreach_safe(o, next, key, value) if (json_is_null(value)) json_object_del(o, key);
	return o;
}

static const char *text_in(const json_t *body, const char *key)
{
	return json_string_value(json_object_get(body, key));
}

static int append(struct store *s, const char *rollout, int64_t token, struct event_record *e,
                  const struct rollout_record *head, struct err *err)
{
	json_t *body = body_of(e, head);
	char *canonical = audit_canonical(body);
	const struct audit_row row = {
		.at_ms = wall_ms(e->at),
		.id = text_in(body, "id"),
		.rollout = rollout,
		.type = text_in(body, "type"),
		.body = canonical,
	};
	const int r = s->ops->event_append(s, token, &row, &e->seq, err);
	free(canonical);
	json_decref(body);
	return r;
}

int store_event_append(struct store *s, const char *rollout, int64_t token, struct event_record *e, struct err *err)
{
	struct rollout_record head;
	must(e->type && (rollout || token == 0));
	if (rollout && store_rollout_get_head(s, rollout, &head, err) < 0)
		return -1;
	if (!e->id[0])
		id_make(e->at, e->id);
	const int r = append(s, rollout, token, e, rollout ? &head : NULL, err);
	if (rollout)
		rollout_record_finish(&head);
	return r;
}

/* The stored text has its time in milliseconds and no seq; the record's JSON has both as people read them. */
static int decode_event(const char *body, int64_t seq, struct event_record *ret, struct err *err)
{
	json_t *o = json_loads(body, 0, NULL);
	struct event_record outside = { .at = wall_from_ms(json_integer_value(json_object_get(o, "at"))) };
	char at[WALL_TEXT_BYTES];
	wall_format(outside.at, at);
	if (o) {
		must(json_object_set_new(o, "at", json_string(at)) == 0);
		must(json_object_set_new(o, "seq", json_integer(seq)) == 0);
	}
	const int r = event_record_decode(o, ret, err);
	json_decref(o);
	if (r < 0 && err)
		err->kind = ERR_STORE;
	return r < 0 ? err_wrap(err, "read event %" PRId64 " of the store", seq) : 0;
}

int store_event_list(struct store *s, const char *rollout, int64_t after_seq, size_t limit, struct event_list *ret,
                     struct err *err)
{
	struct text_rows rows = { 0 };
	int r = s->ops->event_list(s, rollout, after_seq, limit, &rows, err);
	*ret = (struct event_list){ .rows = xcalloc(rows.count, sizeof(*ret->rows)) };
	for (; ret->count < rows.count && r == 0; ret->count += r == 0)
		r = decode_event(rows.texts[ret->count], rows.numbers[ret->count], &ret->rows[ret->count], err);
	if (r < 0)
		event_list_finish(ret);
	text_rows_finish(&rows);
	return r;
}

/* --- verify ----------------------------------------------------------------------------------------------------- */

struct walk {
	struct audit_report *report;
	int64_t anchor_seq;
	const char *anchor_hash; /* NULL once it was met */
};

static bool look(const struct audit_row *row, void *arg)
{
	struct walk *w = arg;
	if (!audit_check_row(row, w->report))
		return false;
	if (!w->anchor_hash || row->seq != w->anchor_seq)
		return true;
	if (strcasecmp(w->anchor_hash, w->report->head_hash) != 0) {
		w->report->bad_seq = row->seq;
		snprintf(w->report->why, sizeof(w->report->why),
		         "the chain was rewritten: its hash is not the anchor's");
		return false;
	}
	w->anchor_hash = NULL;
	return true;
}

int store_audit_verify(struct store *s, int64_t anchor_seq, const char *anchor_hash, struct audit_report *ret,
                       struct err *err)
{
	struct walk walk = { .report = ret, .anchor_seq = anchor_seq, .anchor_hash = anchor_hash };
	*ret = (struct audit_report){ 0 };
	if (s->ops->event_walk(s, look, &walk, err) < 0)
		return -1;
	if (walk.anchor_hash && !ret->bad_seq) {
		ret->bad_seq = ret->head_seq + 1;
		snprintf(ret->why, sizeof(ret->why), "the chain ends before the anchor: events were cut off");
	}
	return 0;
}
