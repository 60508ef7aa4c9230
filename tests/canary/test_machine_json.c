#include "tests/canary/machine_rig.h"

#include <stdlib.h>

#include "base/must.h"

/* What a restarted controller has: the text of the export. */
static void reborn(struct rig *r, dur_ns dead)
{
	struct err err;
	json_t *j = machine_export(&r->m);
	char *text = json_dumps(j, 0);
	json_t *again = json_loads(text, 0, NULL);
	pass(r, dead);
	r->now = (struct mono){ r->now.ns - 900 * SECOND }; /* another boot: the steady clock begins anew */
	assert_int_equal(machine_import(&r->m, r->plan, again, r->now, &err), 0);
	json_decref(again);
	json_decref(j);
	free(text);
}

static void recovery_goes_on_where_it_was(void **state)
{
	struct rig r;
	rig_start(&r, "extend", "100%");
	into_first(&r);
	ticks(&r, VERDICT_PROMOTE, 5);
	reborn(&r, HOUR);
	assert_int_equal(r.m.state, ROLLOUT_WATCHING);
	assert_int_equal(machine_stage_min_left(&r.m), 5 * SECOND); /* the dead hour does not count */
	step(&r, (struct machine_event){ .kind = MACHINE_STARTED, .intent_bp = 500 });
	assert_non_null(action(&r, ACTION_PREPARE));
	assert_true(told(&r, "rollout.resumed"));
	answer(&r, MACHINE_PREPARED, 0); /* the lease in the data plane had run out */
	assert_int_equal(action(&r, ACTION_SET_WEIGHT)->weight_bp, 500);
	obey(&r);
	ticks(&r, VERDICT_PROMOTE, 5);
	assert_int_equal(r.m.state, ROLLOUT_SHIFTING);
	rig_end(&r);
}

static void recovery_finishes_a_rollback(void **state)
{
	struct rig r;
	rig_start(&r, "extend", "100%");
	into_first(&r);
	tick(&r, VERDICT_ABORT);
	reborn(&r, SECOND);
	step(&r, (struct machine_event){ .kind = MACHINE_STARTED, .intent_bp = 0 });
	step(&r, (struct machine_event){ .kind = MACHINE_PREPARE_FAILED, .text = "not yet" });
	assert_int_equal(r.m.state, ROLLOUT_ROLLING_BACK); /* it once had traffic: never given up */
	pass(&r, SECOND);
	step(&r, (struct machine_event){ .kind = MACHINE_TIME });
	assert_non_null(action(&r, ACTION_PREPARE));
	answer(&r, MACHINE_PREPARED, 500);
	assert_int_equal(action(&r, ACTION_SET_WEIGHT)->weight_bp, 0);
	obey(&r);
	assert_int_equal(r.m.state, ROLLOUT_ROLLED_BACK);
	assert_int_equal(r.m.reason, REASON_ERRORS);
	rig_end(&r);

	/* The intent of weight 0 reached the journal, the state did not. */
	rig_start(&r, "extend", "100%");
	into_first(&r);
	reborn(&r, SECOND);
	step(&r, (struct machine_event){ .kind = MACHINE_STARTED, .intent_bp = 0 });
	assert_int_equal(r.m.state, ROLLOUT_ROLLING_BACK);
	answer(&r, MACHINE_PREPARED, 0);
	obey(&r);
	assert_int_equal(r.m.state, ROLLOUT_ROLLED_BACK);
	rig_end(&r);
}

static void damaged_states_are_refused(void **state)
{
	struct rig r, other;
	struct err err;
	struct machine m;
	rig_start(&r, "extend", "100%");
	rig_start(&other, "abort", "100%");
	into_first(&r);
	json_t *good = machine_export(&r.m);
	assert_int_equal(machine_import(&m, r.plan, good, r.now, &err), 0);
	assert_int_equal(machine_import(&m, other.plan, good, r.now, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	static const struct {
		const char *key, *value;
	} damages[] = {
		{ "$schema", "\"x\"" },     { "state", "\"dancing\"" }, { "state", "\"gating\"" },
		{ "asked_bp", "5000" },     { "asked_bp", "-1" },       { "stage", "3" },
		{ "stage", "-1" },          { "shifted", "false" },     { "state", "\"baking\"" },
		{ "entered", "\"now\"" },   { "why", "null" },          { "reason", "99" },
		{ "back", "\"promoted\"" }, { "paused", "1" },
	};
	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		json_t *bad = json_deep_copy(good);
		json_object_set_new(bad, damages[i].key, json_loads(damages[i].value, JSON_DECODE_ANY, NULL));
		assert_int_equal(machine_import(&m, r.plan, bad, r.now, &err), -1);
		json_decref(bad);
	}
	json_decref(good);
	rig_end(&r);
	rig_end(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recovery_goes_on_where_it_was),
		cmocka_unit_test(recovery_finishes_a_rollback),
		cmocka_unit_test(damaged_states_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
