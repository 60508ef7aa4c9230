#include "tests/canary/machine_rig.h"

static void data_plane_that_does_not_take_the_weight(void **state)
{
	struct rig r;
	rig_start(&r, "extend", "100%");
	start_and_prepare(&r);
	tick(&r, VERDICT_WATCHING);
	for (int i = 0; i < 29; i++) {
		answer(&r, MACHINE_REFUSED, 500);
		pass(&r, SECOND);
		step(&r, (struct machine_event){ .kind = MACHINE_TIME });
		assert_int_equal(action(&r, ACTION_SET_WEIGHT)->weight_bp, 500);
	}
	pass(&r, SECOND);
	step(&r, (struct machine_event){ .kind = MACHINE_TIME });
	expect_rolling_back(&r, REASON_DATAPLANE);
	rig_end(&r);
}

static void restarted_data_plane_is_asked_again(void **state)
{
	struct rig r;
	rig_start(&r, "extend", "100%");
	into_first(&r);
	answer(&r, MACHINE_DATA_PLANE_RESTARTED, 0);
	assert_int_equal(action(&r, ACTION_SET_WEIGHT)->weight_bp, 500);
	assert_true(told(&r, "config.drift"));
	ticks(&r, VERDICT_PROMOTE, 12);
	assert_int_equal(r.m.state, ROLLOUT_WATCHING); /* nothing moves on an unknown weight */
	answer(&r, MACHINE_ACCEPTED, 500);
	answer(&r, MACHINE_VERIFIED, 500);
	tick(&r, VERDICT_PROMOTE);
	assert_int_equal(r.m.state, ROLLOUT_SHIFTING);
	obey(&r);
	answer(&r, MACHINE_DATA_PLANE_RESTARTED, 0);
	pass(&r, 30 * SECOND);
	step(&r, (struct machine_event){ .kind = MACHINE_TIME });
	expect_rolling_back(&r, REASON_DATAPLANE);
	rig_end(&r);
}

static void nothing_starts_without_knowledge(void **state)
{
	struct rig r;
	rig_start(&r, "extend", "100%");
	start_and_prepare(&r);
	step(&r, (struct machine_event){ .kind = MACHINE_GUARD_FIRED, .text = "sick" });
	assert_int_equal(r.m.state, ROLLOUT_GATING);
	ticks(&r, VERDICT_WATCHING, 5);
	assert_int_equal(r.m.state, ROLLOUT_GATING);
	step(&r, (struct machine_event){ .kind = MACHINE_GUARD_CLEARED });
	tick(&r, VERDICT_WATCHING);
	assert_int_equal(r.m.state, ROLLOUT_SHIFTING);
	rig_end(&r);

	rig_start(&r, "extend", "100%");
	start_and_prepare(&r);
	const struct assessment unknown = { .verdict = VERDICT_INCONCLUSIVE, .lack = LACK_FREEZING };
	for (int i = 0; i < 300; i++) {
		assert_int_equal(r.m.state, ROLLOUT_GATING);
		pass(&r, SECOND);
		step(&r, (struct machine_event){ .kind = MACHINE_TICK, .assessment = &unknown });
	}
	assert_int_equal(r.m.state, ROLLOUT_FAILED);
	assert_int_equal(r.m.reason, REASON_DEADLINE);
	rig_end(&r);

	rig_start(&r, "extend", "100%");
	step(&r, (struct machine_event){ .kind = MACHINE_STARTED, .intent_bp = -1 });
	step(&r, (struct machine_event){ .kind = MACHINE_PREPARE_FAILED, .text = "no such program" });
	assert_int_equal(r.m.state, ROLLOUT_FAILED);
	assert_string_equal(r.m.why, "no such program");
	rig_end(&r);
}

static void adopted_data_plane_goes_to_zero_first(void **state)
{
	struct rig r;
	rig_start(&r, "extend", "100%");
	step(&r, (struct machine_event){ .kind = MACHINE_STARTED, .intent_bp = -1 });
	answer(&r, MACHINE_PREPARED, 2500);
	assert_int_equal(action(&r, ACTION_SET_WEIGHT)->weight_bp, 0);
	tick(&r, VERDICT_WATCHING);
	assert_int_equal(r.m.state, ROLLOUT_GATING);
	answer(&r, MACHINE_ACCEPTED, 0);
	tick(&r, VERDICT_WATCHING);
	assert_int_equal(r.m.state, ROLLOUT_SHIFTING);
	rig_end(&r);
}

static void interruption_leaves_the_weight(void **state)
{
	struct rig r;
	rig_start(&r, "extend", "100%");
	into_first(&r);
	step(&r, (struct machine_event){ .kind = MACHINE_INTERRUPTED });
	assert_non_null(action(&r, ACTION_LEAVE));
	assert_null(action(&r, ACTION_SET_WEIGHT));
	assert_false(machine_running(&r.m));
	rig_end(&r);

	rig_start(&r, "extend", "100%");
	into_first(&r);
	tick(&r, VERDICT_ABORT);
	step(&r, (struct machine_event){ .kind = MACHINE_INTERRUPTED });
	assert_null(action(&r, ACTION_LEAVE));
	assert_true(machine_running(&r.m));
	step(&r, (struct machine_event){ .kind = MACHINE_INTERRUPTED });
	assert_non_null(action(&r, ACTION_LEAVE));
	rig_end(&r);
}

static void taken_lease_ends_all_acting(void **state)
{
	struct rig r;
	rig_start(&r, "extend", "100%");
	into_first(&r);
	step(&r, (struct machine_event){ .kind = MACHINE_LEASE_TAKEN });
	assert_non_null(action(&r, ACTION_LEAVE));
	tick(&r, VERDICT_ABORT);
	assert_int_equal(r.out.count, 0);
	rig_end(&r);
}

static void power_tick(struct rig *r, const struct power *power, bool ready)
{
	const struct assessment a = { .verdict = VERDICT_WATCHING, .ready = ready };
	pass(r, SECOND);
	step(r, (struct machine_event){ .kind = MACHINE_TICK, .assessment = &a, .power = power });
}

/* As another process finds it, hours later. */
static void revert(struct rig *r, const char *why)
{
	struct err err;
	json_t *kept = machine_export(&r->m);
	pass(r, 3 * HOUR);
	assert_int_equal(machine_import(&r->m, r->plan, kept, r->now, &err), 0);
	json_decref(kept);
	step(r, (struct machine_event){ .kind = MACHINE_REVERT, .actor = "kim", .text = why });
}

static void a_promoted_rollout_goes_back_when_asked(void **state)
{
	struct rig r;
	rig_start(&r, "extend", "100%");
	into_bake(&r);
	ticks(&r, VERDICT_WATCHING, 20);
	assert_int_equal(r.m.state, ROLLOUT_PROMOTED);
	answer(&r, MACHINE_ABORT, 0); /* is for one that runs */
	assert_int_equal(r.m.state, ROLLOUT_PROMOTED);
	revert(&r, "tickets");
	assert_int_equal(r.m.state, ROLLOUT_ROLLING_BACK);
	assert_int_equal(r.m.reason, REASON_OPERATOR);
	assert_string_equal(r.m.why, "tickets");
	assert_non_null(action(&r, ACTION_PREPARE));
	assert_null(action(&r, ACTION_SET_WEIGHT)); /* the data plane is looked at first */
	assert_true(told(&r, "rollback.triggered"));
	answer(&r, MACHINE_PREPARED, WEIGHT_FULL_BP);
	assert_int_equal(action(&r, ACTION_SET_WEIGHT)->weight_bp, 0);
	answer(&r, MACHINE_REFUSED, 0); /* asked until it is taken, as any rollback */
	pass(&r, SECOND);
	step(&r, (struct machine_event){ .kind = MACHINE_TIME });
	obey(&r);
	assert_int_equal(r.m.state, ROLLOUT_ROLLED_BACK);
	assert_non_null(action(&r, ACTION_FINISH));
	/* Only a promoted one. */
	revert(&r, "again");
	assert_int_equal(r.m.state, ROLLOUT_ROLLED_BACK);
	assert_int_equal(r.out.count, 0);
	rig_end(&r);

	rig_start(&r, "extend", "100%");
	into_first(&r);
	step(&r, (struct machine_event){ .kind = MACHINE_REVERT });
	assert_int_equal(r.m.state, ROLLOUT_WATCHING);
	rig_end(&r);
}

static void low_power_stops_before_anything_moves(void **state)
{
	const struct power low = { .text = "too little" }, known = { .text = "too little", .settled = true };
	const struct power enough = { .text = "fine", .enough = true };
	struct rig r;
	rig_start(&r, "extend", "100%");
	start_and_prepare(&r);
	/* Not known for long enough, or nothing known of stable. */
	power_tick(&r, &low, true);
	power_tick(&r, &known, false);
	assert_int_equal(r.m.state, ROLLOUT_GATING);
	assert_int_equal(r.out.count, 0);
	power_tick(&r, &known, true);
	assert_int_equal(r.m.state, ROLLOUT_FAILED);
	assert_int_equal(r.m.reason, REASON_POWER);
	assert_string_equal(r.m.why, "too little");
	assert_true(told(&r, "gate.failed") && told(&r, "rollout.failed"));
	assert_null(action(&r, ACTION_SET_WEIGHT));
	rig_end(&r);

	rig_start(&r, "extend", "100%");
	start_and_prepare(&r);
	power_tick(&r, &enough, true);
	assert_int_equal(r.m.state, ROLLOUT_SHIFTING);
	assert_true(told(&r, "gate.passed"));
	rig_end(&r);
}

static void a_gate_stops_before_anything_moves(void **state)
{
	const struct machine_event passed = { .kind = MACHINE_GATE, .text = "kept" };
	const struct machine_event failed = { .kind = MACHINE_GATE, .reason = REASON_BASELINE, .text = "worse" };
	struct rig r;
	rig_start(&r, "extend", "100%");
	step(&r, (struct machine_event){ .kind = MACHINE_STARTED, .intent_bp = -1 });
	step(&r, passed);
	assert_true(told(&r, "gate.passed"));
	assert_int_equal(r.m.state, ROLLOUT_PLANNED);
	step(&r, failed);
	assert_true(told(&r, "gate.failed"));
	assert_int_equal(r.m.state, ROLLOUT_FAILED);
	assert_int_equal(r.m.reason, REASON_BASELINE);
	assert_non_null(action(&r, ACTION_FINISH));
	rig_end(&r);

	/* Too late to matter. */
	rig_start(&r, "extend", "100%");
	into_first(&r);
	step(&r, failed);
	assert_int_equal(r.m.state, ROLLOUT_WATCHING);
	assert_int_equal(r.out.count, 0);
	rig_end(&r);
}

static void low_power_can_be_accepted_and_is_told(void **state)
{
	const struct power low = { .text = "too little" }, known = { .text = "too little", .settled = true };
	struct rig r;
	rig_start(&r, "extend", "100%");
	r.plan->accept_low_power = true;
	start_and_prepare(&r);
	power_tick(&r, &low, true);
	assert_int_equal(r.m.state, ROLLOUT_GATING);
	power_tick(&r, &known, true);
	assert_int_equal(r.m.state, ROLLOUT_SHIFTING);
	assert_true(told(&r, "gate.overridden"));
	assert_false(told(&r, "gate.failed") || told(&r, "gate.passed"));
	rig_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(data_plane_that_does_not_take_the_weight),
		cmocka_unit_test(restarted_data_plane_is_asked_again),
		cmocka_unit_test(nothing_starts_without_knowledge),
		cmocka_unit_test(adopted_data_plane_goes_to_zero_first),
		cmocka_unit_test(interruption_leaves_the_weight),
		cmocka_unit_test(taken_lease_ends_all_acting),
		cmocka_unit_test(a_promoted_rollout_goes_back_when_asked),
		cmocka_unit_test(low_power_stops_before_anything_moves),
		cmocka_unit_test(a_gate_stops_before_anything_moves),
		cmocka_unit_test(low_power_can_be_accepted_and_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
