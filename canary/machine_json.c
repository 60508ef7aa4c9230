#include "canary/machine.h"

#include <string.h>

#include "base/must.h"

#define MACHINE_SCHEMA "weir.machine.v1"
#define NEVER_NS INT64_MAX

/* Whole numbers and truths of the machine, one row each, so that writing and reading cannot differ. */
#define WHOLE(X) \
	X(stage) \
	X(asked_bp)
#define TRUTHS(X)   \
	X(shifted)  \
	X(paused)   \
	X(held)     \
	X(extended) \
	X(guard)    \
	X(ready)
/* Instants, as ages before <now> (negative: still to come); null: never. */
#define INSTANTS(X)       \
	X(entered)        \
	X(watching_since) \
	X(state_deadline) \
	X(stage_deadline)

static json_t *encode_instant(const struct machine *m, struct mono at)
{
	return at.ns == NEVER_NS ? json_null() : json_integer(mono_since(m->now, at));
}

json_t *machine_export(const struct machine *m)
{
	char hash[PLAN_HASH_BYTES];
	plan_text_hash(m->plan, hash);
	json_t *j = json_object();
	json_object_set_new(j, "$schema", json_string(MACHINE_SCHEMA));
	json_object_set_new(j, "plan", json_string(hash));
	json_object_set_new(j, "state", json_string(rollout_state_text(m->state)));
	json_object_set_new(j, "back", json_string(rollout_state_text(m->back)));
	json_object_set_new(j, "reason", json_integer(m->reason));
	json_t *why = json_string(m->why);
	json_object_set_new(j, "why", why ? why : json_string("(text that is not UTF-8)"));
#define X(member) json_object_set_new(j, #member, json_integer(m->member));
	WHOLE(X)
#undef X
#define X(member) json_object_set_new(j, #member, json_boolean(m->member));
	TRUTHS(X)
#undef X
#define X(member) json_object_set_new(j, #member, encode_instant(m, m->member));
	INSTANTS(X)
#undef X
	return j;
}

/* The readers clear <*ok> at the first member that is not what it should be. */
static int64_t read_whole(const json_t *j, const char *key, int64_t least, int64_t most, bool *ok)
{
	const json_t *v = json_object_get(j, key);
	if (!json_is_integer(v) || json_integer_value(v) < least || json_integer_value(v) > most) {
		*ok = false;
		return least;
	}
	return json_integer_value(v);
}

static bool read_truth(const json_t *j, const char *key, bool *ok)
{
	const json_t *v = json_object_get(j, key);
	*ok = *ok && json_is_boolean(v);
	return json_is_true(v);
}

static struct mono read_instant(const json_t *j, const char *key, struct mono now, bool *ok)
{
	if (json_is_null(json_object_get(j, key)))
		return (struct mono){ NEVER_NS };
	const dur_ns year = 365 * 24 * HOUR;
	return (struct mono){ now.ns - read_whole(j, key, -year, year, ok) };
}

static enum rollout_state read_state(const json_t *j, const char *key, bool *ok)
{
	enum rollout_state s = ROLLOUT_PLANNED;
	const char *text = json_string_value(json_object_get(j, key));
	*ok = *ok && text && rollout_state_parse(text, &s);
	return s;
}

/* What every export promises; a text that was changed by hand must not become a machine that breaks its own rules. */
static bool plausible(const struct machine *m)
{
	const int32_t weight = m->stage >= 0 ? m->plan->stages[m->stage].weight_bp : 0;
	if (m->back != ROLLOUT_WATCHING && m->back != ROLLOUT_BAKING)
		return false;
	if (m->asked_bp > 0 && !m->shifted)
		return false;
	switch (m->state) {
	case ROLLOUT_PLANNED:
	case ROLLOUT_GATING:
	case ROLLOUT_ROLLING_BACK:
	case ROLLOUT_ROLLED_BACK:
	case ROLLOUT_FAILED:
		return m->asked_bp == 0;
	case ROLLOUT_PROMOTED:
	case ROLLOUT_BAKING:
	case ROLLOUT_PROMOTING:
		return m->asked_bp == weight && (size_t)m->stage + 1 == m->plan->stage_count;
	case ROLLOUT_HOLDING:
		if (m->back == ROLLOUT_BAKING && (size_t)m->stage + 1 != m->plan->stage_count)
			return false;
		return m->stage >= 0 && m->asked_bp == weight;
	case ROLLOUT_SHIFTING:
	case ROLLOUT_WATCHING:
		return m->stage >= 0 && m->asked_bp == weight;
	case ROLLOUT_STATE_COUNT:
		break;
	}
	return false;
}

static bool read_members(struct machine *m, const json_t *j, struct mono now)
{
	bool ok = true;
	m->state = read_state(j, "state", &ok);
	m->back = read_state(j, "back", &ok);
	m->reason = (enum rollout_reason)read_whole(j, "reason", 0, REASON_COUNT - 1, &ok);
	m->stage = (int32_t)read_whole(j, "stage", -1, (int64_t)m->plan->stage_count - 1, &ok);
	m->asked_bp = (int32_t)read_whole(j, "asked_bp", 0, WEIGHT_FULL_BP, &ok);
#define X(member) m->member = read_truth(j, #member, &ok);
	TRUTHS(X)
#undef X
#define X(member) m->member = read_instant(j, #member, now, &ok);
	INSTANTS(X)
#undef X
	const char *why = json_string_value(json_object_get(j, "why"));
	if (!ok || !why)
		return false;
	strncpy(m->why, why, sizeof(m->why) - 1);
	return plausible(m);
}

int machine_import(struct machine *m, const struct plan *plan, const json_t *json, struct mono now, struct err *err)
{
	char hash[PLAN_HASH_BYTES];
	const char *schema = json_string_value(json_object_get(json, "$schema"));
	const char *theirs = json_string_value(json_object_get(json, "plan"));
	struct machine read;
	plan_text_hash(plan, hash);
	if (!schema || strcmp(schema, MACHINE_SCHEMA) != 0 || !theirs)
		return err_set(err, ERR_SYNTAX, "the rollout's state is not a %s", MACHINE_SCHEMA);
	if (strcmp(theirs, hash) != 0)
		return err_set(err, ERR_USAGE, "the rollout was begun with another plan");
	machine_init(&read, plan, now);
	if (!read_members(&read, json, now))
		return err_set(err, ERR_SYNTAX, "the rollout's state is damaged");
	read.guard = false; /* guards begin anew in this process and fire again when they have to */
	/* Nothing is known of the data plane until it is prepared again; then the weight is compared. */
	if (rollout_state_final(read.state)) {
		read.leaving = true;
		read.accepted = read.verified = read.state != ROLLOUT_FAILED;
	} else {
		read.unsteady_since = now;
	}
	*m = read;
	return 0;
}
