#include "tests/canary/machine_rig.h"

#include "base/must.h"

static void good_canary_is_promoted(void **state)
{
	struct rig r;
	rig_start(&r, "extend", "100%");
	into_bake(&r);
	assert_int_equal(r.m.asked_bp, 10000);
	ticks(&r, VERDICT_WATCHING, 19);
	assert_int_equal(r.m.state, ROLLOUT_BAKING);
	tick(&r, VERDICT_WATCHING);
	assert_int_equal(r.m.state, ROLLOUT_PROMOTED);
	assert_non_null(action(&r, ACTION_FINISH));
	assert_true(told(&r, "rollout.promoted"));
	assert_int_equal(machine_deadline(&r.m).ns, INT64_MAX);
	tick(&r, VERDICT_ABORT);
	assert_int_equal(r.out.count, 0); /* the end is the end */
	rig_end(&r);
}

static void hold_back_is_promoted_at_its_weight(void **state)
{
	struct rig r;
	rig_start(&r, "extend", "95%");
	into_first(&r);
	ticks(&r, VERDICT_PROMOTE, 10);
	obey(&r);
	assert_false(machine_last_stage(&r.m));
	ticks(&r, VERDICT_PROMOTE, 10);
	assert_int_equal(r.m.state, ROLLOUT_SHIFTING);
	assert_true(machine_last_stage(&r.m));
	obey(&r);
	ticks(&r, VERDICT_PROMOTE, 20);
	assert_int_equal(r.m.state, ROLLOUT_PROMOTING);
	obey(&r);
	tick(&r, VERDICT_PROMOTE);
	assert_int_equal(r.m.state, ROLLOUT_PROMOTED);
	assert_int_equal(r.m.asked_bp, 9500);
	rig_end(&r);
}

static void minimum_time_is_kept_and_evidence_needed(void **state)
{
	struct rig r;
	rig_start(&r, "extend", "100%");
	into_first(&r);
	ticks(&r, VERDICT_PROMOTE, 9);
	assert_int_equal(r.m.state, ROLLOUT_WATCHING);
	assert_int_equal(machine_stage_min_left(&r.m), SECOND);
	ticks(&r, VERDICT_WATCHING, 9);
	assert_int_equal(r.m.state, ROLLOUT_WATCHING);
	lacking_tick(&r, LACK_STALE);
	assert_int_equal(r.m.state, ROLLOUT_WATCHING);
	assert_true(told(&r, "rollout.inconclusive"));
	lacking_tick(&r, LACK_STALE);
	assert_false(told(&r, "rollout.inconclusive")); /* once */
	tick(&r, VERDICT_PROMOTE);
	assert_int_equal(r.m.state, ROLLOUT_SHIFTING);
	rig_end(&r);
}

static void abort_asks_for_zero_until_it_is_proven(void **state)
{
	struct rig r;
	rig_start(&r, "extend", "100%");
	into_first(&r);
	tick(&r, VERDICT_ABORT);
	expect_rolling_back(&r, REASON_ERRORS);
	assert_string_equal(r.m.why, "because");
	for (int i = 0; i < 1000; i++) {
		answer(&r, MACHINE_REFUSED, 0);
		assert_int_equal(mono_since(machine_deadline(&r.m), r.now), 200 * MILLISECOND);
		pass(&r, 200 * MILLISECOND);
		step(&r, (struct machine_event){ .kind = MACHINE_TIME });
		assert_int_equal(action(&r, ACTION_SET_WEIGHT)->weight_bp, 0);
	}
	answer(&r, MACHINE_ACCEPTED, 500); /* of a call that was overtaken */
	assert_null(action(&r, ACTION_VERIFY));
	answer(&r, MACHINE_ACCEPTED, 0);
	assert_non_null(action(&r, ACTION_VERIFY));
	answer(&r, MACHINE_UNVERIFIED, 0);
	assert_int_equal(r.m.state, ROLLOUT_ROLLING_BACK);
	pass(&r, 500 * MILLISECOND);
	step(&r, (struct machine_event){ .kind = MACHINE_TIME });
	assert_non_null(action(&r, ACTION_VERIFY));
	answer(&r, MACHINE_VERIFIED, 0);
	assert_int_equal(r.m.state, ROLLOUT_ROLLED_BACK);
	assert_non_null(action(&r, ACTION_FINISH));
	rig_end(&r);
}

static void zero_without_proof_is_a_failure(void **state)
{
	struct rig r;
	rig_start(&r, "extend", "100%");
	into_first(&r);
	tick(&r, VERDICT_ABORT);
	answer(&r, MACHINE_ACCEPTED, 0);
	for (int i = 0; i < 119; i++) {
		answer(&r, MACHINE_UNVERIFIED, 0);
		pass(&r, 500 * MILLISECOND);
		step(&r, (struct machine_event){ .kind = MACHINE_TIME });
		assert_int_equal(r.m.state, ROLLOUT_ROLLING_BACK);
	}
	pass(&r, 500 * MILLISECOND);
	step(&r, (struct machine_event){ .kind = MACHINE_TIME });
	assert_int_equal(r.m.state, ROLLOUT_FAILED);
	assert_int_equal(r.m.reason, REASON_DATAPLANE);
	rig_end(&r);
}

static void every_live_state_can_be_rolled_back(void **state)
{
	static const struct {
		enum machine_event_kind kind;
		enum rollout_reason given, expected;
	} causes[] = {
		{ MACHINE_ABORT, REASON_NONE, REASON_OPERATOR },
		{ MACHINE_GUARD_FIRED, REASON_HEALTH, REASON_HEALTH },
		{ MACHINE_GUARD_FIRED, REASON_RESOURCE, REASON_RESOURCE },
		{ MACHINE_LEASE_LOST, REASON_NONE, REASON_LEASE },
	};
	for (size_t c = 0; c < ARRAY_LEN(causes); c++) {
		for (int depth = 0; depth < 5; depth++) {
			struct rig r;
			rig_start(&r, "extend", "100%");
			if (depth == 0) {
				start_and_prepare(&r);
				tick(&r, VERDICT_WATCHING); /* shifting */
			} else if (depth == 1) {
				into_first(&r);
			} else if (depth == 2) {
				into_first(&r);
				step(&r, (struct machine_event){ .kind = MACHINE_PAUSE, .actor = "kim" });
				assert_int_equal(r.m.state, ROLLOUT_HOLDING);
			} else if (depth == 3) {
				into_first(&r);
				step(&r, (struct machine_event){ .kind = MACHINE_PROMOTE, .actor = "kim" });
				obey(&r);
				step(&r, (struct machine_event){ .kind = MACHINE_PROMOTE, .actor = "kim" });
				assert_int_equal(r.m.state, ROLLOUT_PROMOTING);
			} else {
				into_bake(&r);
			}
			step(&r, (struct machine_event){ .kind = causes[c].kind,
			                                 .reason = causes[c].given,
			                                 .actor = "kim",
			                                 .text = "why" });
			expect_rolling_back(&r, causes[c].expected);
			rig_end(&r);
		}
	}
}

static void hold_waits_for_a_person_or_evidence(void **state)
{
	struct rig r;
	rig_start(&r, "extend", "100%");
	into_first(&r);
	tick(&r, VERDICT_HOLD);
	assert_int_equal(r.m.state, ROLLOUT_HOLDING);
	assert_true(told(&r, "rollout.held"));
	ticks(&r, VERDICT_WATCHING, 500);
	assert_int_equal(r.m.state, ROLLOUT_HOLDING);
	tick(&r, VERDICT_PROMOTE);
	assert_int_equal(r.m.state, ROLLOUT_WATCHING);
	tick(&r, VERDICT_HOLD);
	step(&r, (struct machine_event){ .kind = MACHINE_PROMOTE, .actor = "kim", .text = "known" });
	assert_int_equal(r.m.state, ROLLOUT_SHIFTING);
	assert_int_equal(r.m.asked_bp, 5000);
	assert_string_equal(r.out.list[0].actor, "kim");
	obey(&r);
	tick(&r, VERDICT_HOLD);
	tick(&r, VERDICT_ABORT);
	expect_rolling_back(&r, REASON_ERRORS);
	rig_end(&r);
}

static void expect_ignored(struct rig *r, enum machine_event_kind kind, const char *why)
{
	const enum rollout_state before = r->m.state;
	step(r, (struct machine_event){ .kind = kind, .actor = "kim", .text = "please" });
	assert_int_equal(r->m.state, before);
	assert_int_equal(r->out.count, 1);
	assert_string_equal(r->out.list[0].type, "operator.ignored");
	assert_string_equal(r->out.list[0].actor, "kim");
	assert_string_equal(r->out.list[0].text, why);
}

/* Whoever asks from another terminal waits for it. */
static void every_request_has_an_answer(void **state)
{
	struct rig r;
	rig_start(&r, "extend", "100%");
	start_and_prepare(&r);
	expect_ignored(&r, MACHINE_PROMOTE, "there is no stage to skip now");
	rig_end(&r);
	rig_start(&r, "extend", "100%");
	into_first(&r);
	expect_ignored(&r, MACHINE_RESUME, "it is neither paused nor held");
	step(&r, (struct machine_event){ .kind = MACHINE_PAUSE, .actor = "kim" });
	assert_true(told(&r, "operator.paused"));
	expect_ignored(&r, MACHINE_PAUSE, "it is paused already");
	step(&r, (struct machine_event){ .kind = MACHINE_RESUME, .actor = "kim" });
	assert_true(told(&r, "operator.resumed"));
	step(&r, (struct machine_event){ .kind = MACHINE_ABORT, .actor = "kim" });
	expect_ignored(&r, MACHINE_PAUSE, "it is rolling back");
	expect_ignored(&r, MACHINE_RESUME, "it is rolling back");
	expect_ignored(&r, MACHINE_PROMOTE, "there is no stage to skip now");
	rig_end(&r);
}

static void nobody_decides_forever(void **state)
{
	struct rig r;
	rig_start(&r, "extend", "100%");
	into_first(&r);
	step(&r, (struct machine_event){ .kind = MACHINE_PAUSE, .actor = "kim" });
	pass(&r, 24 * HOUR - SECOND);
	step(&r, (struct machine_event){ .kind = MACHINE_TIME });
	assert_int_equal(r.m.state, ROLLOUT_HOLDING);
	pass(&r, SECOND);
	step(&r, (struct machine_event){ .kind = MACHINE_TIME });
	expect_rolling_back(&r, REASON_DEADLINE);
	rig_end(&r);
}

static void pause_is_not_ended_by_evidence(void **state)
{
	struct rig r;
	rig_start(&r, "extend", "100%");
	into_first(&r);
	step(&r, (struct machine_event){ .kind = MACHINE_PAUSE, .actor = "kim" });
	ticks(&r, VERDICT_PROMOTE, 100);
	assert_int_equal(r.m.state, ROLLOUT_HOLDING);
	step(&r, (struct machine_event){ .kind = MACHINE_RESUME, .actor = "kim" });
	assert_int_equal(r.m.state, ROLLOUT_WATCHING);
	assert_int_equal(machine_stage_max_left(&r.m), 60 * SECOND);
	tick(&r, VERDICT_PROMOTE);
	assert_int_equal(r.m.state, ROLLOUT_SHIFTING);
	/* A pause while shifting takes hold when the weight is there. */
	step(&r, (struct machine_event){ .kind = MACHINE_PAUSE, .actor = "kim" });
	answer(&r, MACHINE_ACCEPTED, 5000);
	answer(&r, MACHINE_VERIFIED, 5000);
	assert_int_equal(r.m.state, ROLLOUT_HOLDING);
	rig_end(&r);
}

static void longest_time_of_a_stage(void **state)
{
	static const struct {
		const char *choice;
		enum rollout_state first, second;
	} cases[] = {
		{ "extend", ROLLOUT_WATCHING, ROLLOUT_HOLDING },
		{ "hold", ROLLOUT_HOLDING, ROLLOUT_HOLDING },
		{ "abort", ROLLOUT_ROLLING_BACK, ROLLOUT_ROLLING_BACK },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rig r;
		rig_start(&r, cases[i].choice, "100%");
		into_first(&r);
		ticks(&r, VERDICT_WATCHING, 59);
		assert_int_equal(r.m.state, ROLLOUT_WATCHING);
		tick(&r, VERDICT_WATCHING);
		assert_int_equal(r.m.state, cases[i].first);
		ticks(&r, VERDICT_WATCHING, 60);
		assert_int_equal(r.m.state, cases[i].second);
		rig_end(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_canary_is_promoted),
		cmocka_unit_test(hold_back_is_promoted_at_its_weight),
		cmocka_unit_test(minimum_time_is_kept_and_evidence_needed),
		cmocka_unit_test(abort_asks_for_zero_until_it_is_proven),
		cmocka_unit_test(zero_without_proof_is_a_failure),
		cmocka_unit_test(every_live_state_can_be_rolled_back),
		cmocka_unit_test(hold_waits_for_a_person_or_evidence),
		cmocka_unit_test(every_request_has_an_answer),
		cmocka_unit_test(nobody_decides_forever),
		cmocka_unit_test(pause_is_not_ended_by_evidence),
		cmocka_unit_test(longest_time_of_a_stage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
