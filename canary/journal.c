#include "canary/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"

struct journal {
	struct store *store;
	const struct plan *plan;
	char id[ID_TEXT_BYTES];
	int64_t token;
	dur_ns lease;
	bool leased;
};

void journal_found_finish(struct journal_found *f)
{
	rollout_record_finish(&f->record);
	json_decref(f->snapshot);
	free(f->overridden);
	*f = (struct journal_found){ 0 };
}

#define HOST_BYTES 128

static void host_name(char ret_host[HOST_BYTES])
{
	memset(ret_host, 0, HOST_BYTES);
	if (gethostname(ret_host, HOST_BYTES - 1) != 0)
		strcpy(ret_host, "localhost");
}

bool journal_holder_is_dead(struct store *store, const struct plan *plan)
{
	char host[HOST_BYTES];
	struct lease_list leases;
	struct err err;
	bool dead = false;
	host_name(host);
	char *place = xasprintf(" on %s pid ", host);
	if (store_lease_list(store, &leases, &err) != 0)
		leases = (struct lease_list){ 0 };
	for (size_t i = 0; i < leases.count; i++) {
		const struct lease_row *l = &leases.rows[i];
		const char *at = strstr(l->holder, place);
		if (!at || !l->held || strcmp(l->service, plan->service) != 0 ||
		    strcmp(l->environment, plan->environment) != 0)
			continue;
		const long pid = strtol(at + strlen(place), NULL, 10);
		dead = pid > 0 && kill((pid_t)pid, 0) != 0 && errno == ESRCH;
	}
	lease_list_finish(&leases);
	free(place);
	return dead;
}

static int take_lease(struct journal *j, const struct journal_options *o, char **ret_overridden, struct err *err)
{
	char host[HOST_BYTES], holder[256];
	host_name(host);
	snprintf(holder, sizeof(holder), "%s on %s pid %ld %08" PRIx32, o->actor, host, (long)getpid(),
	         (uint32_t)rng_fresh_seed());
	struct lease_ask ask = {
		.service = o->plan->service,
		.environment = o->plan->environment,
		.holder = holder,
		.reason = o->override ? "rollback" : "rollout",
		.ttl = o->lease,
		.override = o->override && !o->reopen,
	};
	int r = store_lease_take(o->store, &ask, &j->token, ret_overridden, err);
	if (r != 0 && err->kind == ERR_BUSY && journal_holder_is_dead(o->store, o->plan)) {
		ask.override = true;
		r = store_lease_take(o->store, &ask, &j->token, ret_overridden, err);
	}
	if (r != 0)
		return -1;
	j->leased = true;
	return 0;
}

/* The plan under which the unfinished rollout began has to be the one we were given: another salt, another alpha or
 * other servers under the same evidence would make it worthless. */
static int check_plan(const struct journal *j, struct err *err)
{
	char *text = NULL, ours[PLAN_HASH_BYTES], theirs[PLAN_HASH_BYTES] = "";
	struct doc doc;
	if (store_rollout_get_plan(j->store, j->id, &text, err) != 0)
		return -1;
	doc_init(&doc, "stored plan", str_from(text));
	struct plan *stored = doc_ok(&doc) ? plan_read(&doc) : NULL;
	if (stored)
		plan_text_hash(stored, theirs);
	plan_text_hash(j->plan, ours);
	plan_destroy(stored);
	doc_finish(&doc);
	free(text);
	if (strcmp(ours, theirs) == 0)
		return 0;
	return err_set(
		err, ERR_BUSY,
		"rollout %s of %s in %s is unfinished and has another plan: finish it with its own plan, or abort it",
		j->id, j->plan->service, j->plan->environment);
}

static int read_open_intent(struct journal *j, struct journal_found *f, struct err *err)
{
	struct journal_intent intent;
	f->intent_bp = -1;
	const int found = store_journal_open(j->store, j->id, &intent, err);
	if (found <= 0)
		return found;
	const json_t *weight = json_object_get(intent.payload, "weight_bp");
	if (strcmp(intent.kind, JOURNAL_SET_WEIGHT) == 0 && json_is_integer(weight)) {
		f->intent_bp = (int32_t)json_integer_value(weight);
		f->intent = intent.intent;
	}
	journal_intent_finish(&intent);
	return 0;
}

static int resume(struct journal *j, struct journal_found *f, struct err *err)
{
	f->resumed = true;
	if (check_plan(j, err) != 0 || store_rollout_get_head(j->store, j->id, &f->record, err) != 0)
		return -1;
	f->last_tick = -1;
	if (store_evidence_load(j->store, j->id, &f->snapshot, &f->last_tick, err) < 0)
		return -1;
	return read_open_intent(j, f, err);
}

/* The last rollout there that moved anything: only from that one there is a way back. */
static int check_last(const struct journal *j, const char *id, struct err *err)
{
	enum { LOOKED_AT = 1000 };
	struct rollout_list list;
	int answer = 0;
	if (store_rollout_list(j->store, LOOKED_AT, &list, err) != 0)
		return -1;
	for (size_t i = 0; i < list.count && strcmp(list.rows[i].id, id) != 0; i++) {
		const struct rollout_row *row = &list.rows[i];
		if (strcmp(row->service, j->plan->service) != 0 ||
		    strcmp(row->environment, j->plan->environment) != 0 || row->state == ROLLOUT_FAILED)
			continue;
		answer = err_set(err, ERR_NOT_FOUND, "rollout %s is promoted, and %s of the same service came after it",
		                 id, row->id);
		break;
	}
	rollout_list_finish(&list);
	return answer;
}

static int check_kept(const struct journal *j, const struct rollout_record *r, struct err *err)
{
	char until[WALL_TEXT_BYTES];
	if (r->state != ROLLOUT_PROMOTED)
		return err_set(err, ERR_NOT_FOUND, "rollout %s is %s", r->id, rollout_state_text(r->state));
	if (r->kept_until.ns == 0)
		return err_set(err, ERR_NOT_FOUND, "rollout %s is promoted, and its plan keeps no old version", r->id);
	wall_format(r->kept_until, until);
	if (wall_now().ns > r->kept_until.ns)
		return err_set(err, ERR_NOT_FOUND, "rollout %s is promoted, and its old version was kept until %s",
		               r->id, until);
	return check_last(j, r->id, err);
}

static int reopen(struct journal *j, const char *id, struct journal_found *f, struct err *err)
{
	snprintf(j->id, sizeof(j->id), "%s", id);
	if (resume(j, f, err) != 0)
		return -1;
	return check_kept(j, &f->record, err);
}

static void make_stages(const struct plan *plan, struct rollout_record *r)
{
	r->stages = xcalloc(plan->stage_count, sizeof(*r->stages));
	r->stage_count = plan->stage_count;
	for (size_t i = 0; i < plan->stage_count; i++) {
		r->stages[i].weight_bp = plan->stages[i].weight_bp;
		r->stages[i].verdict = xstrdup("not reached");
	}
}

static int begin(struct journal *j, const struct journal_options *o, struct journal_found *f, struct err *err)
{
	struct rollout_record *r = &f->record;
	f->last_tick = -1;
	f->intent_bp = -1;
	rollout_record_init(r);
	r->started_at = wall_now();
	id_make(r->started_at, r->id);
	memcpy(j->id, r->id, sizeof(j->id));
	r->service = xstrdup(j->plan->service);
	r->environment = xstrdup(j->plan->environment);
	r->actor = xstrdup(o->actor);
	for (int a = 0; a < ARMS; a++) {
		const struct plan_arm *arm = &j->plan->arms[a];
		r->arms[a].version = xstrdup(arm->version);
		r->arms[a].commit = arm->commit ? xstrdup(arm->commit) : NULL;
	}
	make_stages(j->plan, r);
	return store_rollout_begin(j->store, r, o->plan_text, j->token, err);
}

struct journal *journal_create(const struct journal_options *o, struct journal_found *ret, struct err *err)
{
	struct journal *j = xcalloc(1, sizeof(*j));
	*ret = (struct journal_found){ 0 };
	rollout_record_init(&ret->record);
	j->store = o->store;
	j->plan = o->plan;
	j->lease = o->lease;
	if (take_lease(j, o, &ret->overridden, err) != 0)
		goto fail;
	const int active = store_rollout_active(j->store, j->plan->service, j->plan->environment, j->id, err);
	if (active < 0)
		goto fail;
	if (active && o->reopen && strcmp(j->id, o->reopen) != 0) {
		err_set(err, ERR_BUSY, "rollout %s of %s in %s is unfinished", j->id, j->plan->service,
		        j->plan->environment);
		goto fail;
	}
	if (!active && o->reopen) {
		if (reopen(j, o->reopen, ret, err) != 0)
			goto fail;
		return j;
	}
	if (!active && o->override) {
		err_set(err, ERR_NOT_FOUND, "no rollout of %s in %s is under way", j->plan->service,
		        j->plan->environment);
		goto fail;
	}
	if ((active ? resume(j, ret, err) : begin(j, o, ret, err)) != 0)
		goto fail;
	return j;
fail:
	journal_found_finish(ret);
	journal_destroy(j);
	return NULL;
}

void journal_destroy(struct journal *j)
{
	struct err ignored;
	if (!j)
		return;
	/* Not released is no harm: it expires. */
	if (j->leased)
		store_lease_release(j->store, j->plan->service, j->plan->environment, j->token, &ignored);
	free(j);
}

int64_t journal_token(const struct journal *j)
{
	return j->token;
}

int journal_renew(struct journal *j, struct err *err)
{
	return store_lease_renew(j->store, j->plan->service, j->plan->environment, j->token, j->lease, err);
}

int journal_intend(struct journal *j, int32_t weight_bp, int64_t *ret_intent, struct err *err)
{
	json_t *payload = json_pack("{s:i}", "weight_bp", (int)weight_bp);
	const int answer = store_journal_intend(j->store, j->id, j->token, JOURNAL_SET_WEIGHT, payload, ret_intent,
	                                        err);
	json_decref(payload);
	return answer;
}

int journal_outcome(struct journal *j, int64_t intent, bool ok, const char *text, struct err *err)
{
	json_t *payload = text ? json_pack("{s:s}", "text", text) : NULL;
	const int answer = store_journal_outcome(j->store, j->id, j->token, intent, ok, payload, err);
	json_decref(payload);
	return answer;
}

int journal_save(struct journal *j, const struct tick_record *ticks, size_t count, const json_t *snapshot,
                 int64_t snapshot_tick, struct err *err)
{
	return store_evidence_save(j->store, j->id, j->token, ticks, count, snapshot, snapshot_tick, err);
}

int journal_update(struct journal *j, const struct rollout_record *record, struct err *err)
{
	return store_rollout_update(j->store, record, j->token, err);
}

int journal_event(struct journal *j, struct event_record *e, struct err *err)
{
	return store_event_append(j->store, j->id, j->token, e, err);
}

int journal_take_request(struct journal *j, struct operator_request *ret, struct err *err)
{
	return store_request_take(j->store, j->id, j->token, ret, err);
}

int journal_read(struct journal *j, struct rollout_record *ret, struct err *err)
{
	return store_rollout_get(j->store, j->id, ret, err);
}
