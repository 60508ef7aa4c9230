/* Between the records and the rows: what every back-end would have to do alike is done here once. The lists and their
 * ends are in lists.c. */
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/must.h"
#include "store/ops.h"

char *store_default_path(struct err *err)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	if (state && state[0] == '/') /* a relative one is to be ignored, says the XDG specification */
		return xasprintf("%s/weir/weir.db", state);
	if (home && home[0])
		return xasprintf("%s/.local/state/weir/weir.db", home);
	err_set(err, ERR_STORE,
	        "no place for the store: neither XDG_STATE_HOME nor HOME is set; name a file with --store");
	return NULL;
}

struct store *store_open(const char *path, struct err *err)
{
	char *own = path ? xstrdup(path) : store_default_path(err);
	struct store *s = NULL;
	char *slash = own ? strrchr(own, '/') : NULL;
	if (own && slash && slash != own) {
		*slash = '\0';
		if (file_make_folder(own, err) < 0) {
			if (err)
				err->kind = ERR_STORE;
			err_wrap(err, "store '%s/%s'", own, slash + 1);
			free(own);
			return NULL;
		}
		*slash = '/';
	}
	if (own)
		s = sqlite_store_open(own, err);
	free(own);
	return s;
}

void store_close(struct store *s)
{
	if (s)
		s->ops->close(s);
}

/* --- texts ------------------------------------------------------------------------------------------------------ */

/* 17 digits bring every double back as it was. <json> is taken. */
static char *text_of(json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
	must(text);
	json_decref(json);
	return text;
}

/* What the store holds was written by weir: anything else is a damaged store. <text> is taken. */
static json_t *json_of(char *text, struct err *err)
{
	json_error_t where;
	json_t *json = json_loads(text, JSON_DECODE_ANY, &where);
	if (!json)
		err_set(err, ERR_STORE, "a stored record is not JSON: %s", where.text);
	free(text);
	return json;
}

static int damaged(struct err *err)
{
	if (err)
		err->kind = ERR_STORE;
	return err_wrap(err, "read what the store holds");
}

/* --- runs, searches, baselines ---------------------------------------------------------------------------------- */

int store_run_put(struct store *s, const struct run_record *run, struct err *err)
{
	char *text = text_of(run_record_encode(run, RUN_JSON_HISTOGRAMS));
	const int r = s->ops->run_put(s, run, text, err);
	free(text);
	return r;
}

static int decode_run(char *text, struct run_record *ret, struct err *err)
{
	json_t *json = json_of(text, err);
	if (!json)
		return -1;
	const int r = run_record_decode(json, ret, err);
	json_decref(json);
	return r < 0 ? damaged(err) : 0;
}

int store_run_get(struct store *s, const char *key, struct run_record *ret, struct err *err)
{
	char *text;
	return s->ops->run_get(s, key, &text, err) < 0 ? -1 : decode_run(text, ret, err);
}

int store_run_list(struct store *s, size_t limit, struct run_list *ret, struct err *err)
{
	*ret = (struct run_list){ 0 };
	const int r = s->ops->run_list(s, limit, ret, err);
	if (r < 0)
		run_list_finish(ret);
	return r;
}

int store_search_put(struct store *s, const struct search_record *search, struct err *err)
{
	char *text = text_of(search_record_encode(search));
	const int r = s->ops->search_put(s, search, text, err);
	free(text);
	return r;
}

int store_search_get(struct store *s, const char *key, struct search_record *ret, struct err *err)
{
	char *text;
	if (s->ops->search_get(s, key, &text, err) < 0)
		return -1;
	json_t *json = json_of(text, err);
	if (!json)
		return -1;
	const int r = search_record_decode(json, ret, err);
	json_decref(json);
	return r < 0 ? damaged(err) : 0;
}

int store_search_list(struct store *s, size_t limit, struct search_list *ret, struct err *err)
{
	*ret = (struct search_list){ 0 };
	const int r = s->ops->search_list(s, limit, ret, err);
	if (r < 0)
		search_list_finish(ret);
	return r;
}

int store_baseline_set(struct store *s, const char *name, const char *run_key, const char *actor, struct err *err)
{
	if (!name[0] || strlen(name) > BASELINE_NAME_BYTES_MAX)
		return err_set(err, ERR_USAGE, "the name of a baseline has 1 to %d bytes", BASELINE_NAME_BYTES_MAX);
	return s->ops->baseline_set(s, name, run_key, actor ? actor : "weir", err);
}

int store_baseline_get(struct store *s, const char *name, struct run_record *ret, struct err *err)
{
	char *text;
	return s->ops->baseline_get(s, name, &text, err) < 0 ? -1 : decode_run(text, ret, err);
}

int store_baseline_list(struct store *s, const char *name, struct baseline_list *ret, struct err *err)
{
	*ret = (struct baseline_list){ 0 };
	const int r = s->ops->baseline_list(s, name, ret, err);
	if (r < 0)
		baseline_list_finish(ret);
	return r;
}

/* --- the lease -------------------------------------------------------------------------------------------------- */

int store_lease_take(struct store *s, const struct lease_ask *ask, int64_t *ret_token, char **ret_overridden,
                     struct err *err)
{
	char *overridden = NULL;
	must(ask->holder[0] && ask->ttl >= MILLISECOND);
	const int r = s->ops->lease_take(s, ask, ret_token, &overridden, err);
	if (ret_overridden && r >= 0)
		*ret_overridden = overridden;
	else
		free(overridden);
	return r;
}

int store_lease_renew(struct store *s, const char *service, const char *environment, int64_t token, dur_ns ttl,
                      struct err *err)
{
	return s->ops->lease_renew(s, service, environment, token, ttl, err);
}

int store_lease_release(struct store *s, const char *service, const char *environment, int64_t token, struct err *err)
{
	return s->ops->lease_release(s, service, environment, token, err);
}

int store_lease_list(struct store *s, struct lease_list *ret, struct err *err)
{
	*ret = (struct lease_list){ 0 };
	const int r = s->ops->lease_list(s, ret, err);
	if (r < 0)
		lease_list_finish(ret);
	return r;
}

/* --- rollouts --------------------------------------------------------------------------------------------------- */

bool store_rollout_unfinished(enum rollout_state state)
{
	return state != ROLLOUT_PROMOTED && state != ROLLOUT_ROLLED_BACK && state != ROLLOUT_FAILED;
}

int store_rollout_begin(struct store *s, const struct rollout_record *r, const char *plan, int64_t token,
                        struct err *err)
{
	char *head = text_of(rollout_record_encode_head(r));
	const int done = s->ops->rollout_begin(s, r, head, plan, token, err);
	free(head);
	return done;
}

int store_rollout_update(struct store *s, const struct rollout_record *r, int64_t token, struct err *err)
{
	char *head = text_of(rollout_record_encode_head(r));
	const int done = s->ops->rollout_update(s, r, head, token, err);
	free(head);
	return done;
}

int store_rollout_find(struct store *s, const char *key, char ret_id[ID_TEXT_BYTES], struct err *err)
{
	return s->ops->rollout_find(s, key, ret_id, err);
}

int store_rollout_active(struct store *s, const char *service, const char *environment, char ret_id[ID_TEXT_BYTES],
                         struct err *err)
{
	return s->ops->rollout_active(s, service, environment, ret_id, err);
}

int store_rollout_get_head(struct store *s, const char *id, struct rollout_record *ret, struct err *err)
{
	char *text;
	if (s->ops->rollout_get(s, id, &text, NULL, err) < 0)
		return -1;
	json_t *json = json_of(text, err);
	if (!json)
		return -1;
	const int r = rollout_record_decode_head(json, ret, err);
	json_decref(json);
	return r < 0 ? damaged(err) : 0;
}

int store_rollout_get(struct store *s, const char *id, struct rollout_record *ret, struct err *err)
{
	struct event_list events;
	if (store_rollout_get_head(s, id, ret, err) < 0)
		return -1;
	if (store_tick_list(s, id, -1, SIZE_MAX, &ret->ticks, &ret->tick_count, err) < 0 ||
	    store_event_list(s, id, 0, SIZE_MAX, &events, err) < 0) {
		rollout_record_finish(ret);
		return -1;
	}
	for (size_t i = 0; i < events.count; i++)
		rollout_record_add_event(ret, &events.rows[i]);
	free(events.rows); /* what the rows own went to the record */
	return 0;
}

int store_rollout_get_plan(struct store *s, const char *id, char **ret_plan, struct err *err)
{
	return s->ops->rollout_get(s, id, NULL, ret_plan, err);
}

int store_rollout_list(struct store *s, size_t limit, struct rollout_list *ret, struct err *err)
{
	*ret = (struct rollout_list){ 0 };
	const int r = s->ops->rollout_list(s, limit, ret, err);
	if (r < 0)
		rollout_list_finish(ret);
	return r;
}

/* --- journal ---------------------------------------------------------------------------------------------------- */

static char *text_or_null(const json_t *json)
{
	return json ? text_of(json_deep_copy(json)) : NULL;
}

int store_journal_intend(struct store *s, const char *rollout, int64_t token, const char *kind, const json_t *payload,
                         int64_t *ret_intent, struct err *err)
{
	char *text = text_or_null(payload);
	const int r = s->ops->journal_intend(s, rollout, token, kind, text, ret_intent, err);
	free(text);
	return r;
}

int store_journal_outcome(struct store *s, const char *rollout, int64_t token, int64_t intent, bool ok,
                          const json_t *payload, struct err *err)
{
	char *text = text_or_null(payload);
	const int r = s->ops->journal_outcome(s, rollout, token, intent, ok, text, err);
	free(text);
	return r;
}

int store_journal_open(struct store *s, const char *rollout, struct journal_intent *ret, struct err *err)
{
	struct intent_row row = { 0 };
	const int r = s->ops->journal_open(s, rollout, &row, err);
	if (r <= 0)
		return r;
	*ret = (struct journal_intent){ .intent = row.intent, .kind = row.kind, .at = wall_from_ms(row.at_ms) };
	ret->payload = row.payload ? json_of(row.payload, err) : NULL;
	if (row.payload && !ret->payload) {
		journal_intent_finish(ret);
		return -1;
	}
	return 1;
}

/* --- evidence --------------------------------------------------------------------------------------------------- */

int store_evidence_save(struct store *s, const char *rollout, int64_t token, const struct tick_record *ticks,
                        size_t tick_count, const json_t *snapshot, int64_t snapshot_tick, struct err *err)
{
	struct text_rows rows = { 0 };
	char *text = text_or_null(snapshot);
	for (size_t i = 0; i < tick_count; i++) {
		char *tick = text_of(tick_record_encode(&ticks[i]));
		text_rows_add(&rows, ticks[i].tick, tick);
		free(tick);
	}
	const int r = s->ops->evidence_save(s, rollout, token, &rows, text, snapshot_tick, err);
	text_rows_finish(&rows);
	free(text);
	return r;
}

int store_evidence_load(struct store *s, const char *rollout, json_t **ret_snapshot, int64_t *ret_tick, struct err *err)
{
	char *text = NULL;
	const int r = s->ops->evidence_load(s, rollout, &text, ret_tick, err);
	if (r <= 0)
		return r;
	*ret_snapshot = json_of(text, err);
	return *ret_snapshot ? 1 : -1;
}

int store_tick_list(struct store *s, const char *rollout, int64_t after, size_t limit, struct tick_record **ret_ticks,
                    size_t *ret_count, struct err *err)
{
	struct text_rows rows = { 0 };
	int r = s->ops->tick_list(s, rollout, after, limit, &rows, err);
	struct tick_record *ticks = xcalloc(rows.count, sizeof(*ticks));
	for (size_t i = 0; i < rows.count && r == 0; i++) {
		json_t *json = json_of(rows.texts[i], err);
		rows.texts[i] = NULL;
		r = json ? tick_record_decode(json, &ticks[i], err) : -1;
		if (json && r < 0)
			damaged(err);
		json_decref(json);
	}
	if (r == 0) {
		*ret_ticks = ticks;
		*ret_count = rows.count;
	} else {
		free(ticks);
	}
	text_rows_finish(&rows);
	return r;
}

/* --- requests --------------------------------------------------------------------------------------------------- */

int store_request_put(struct store *s, const char *rollout, enum operator_verb verb, const char *actor,
                      const char *reason, int64_t *ret_number, struct err *err)
{
	int64_t number;
	return s->ops->request_put(s, rollout, operator_verb_text(verb), actor, reason,
	                           ret_number ? ret_number : &number, err);
}

int store_request_withdraw(struct store *s, int64_t number, struct err *err)
{
	return s->ops->request_withdraw(s, number, err);
}

int store_request_take(struct store *s, const char *rollout, int64_t token, struct operator_request *ret,
                       struct err *err)
{
	return s->ops->request_take(s, rollout, token, ret, err);
}
