#include "canary/machine.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/must.h"

/* 5 % -> 50 % -> 100 %, min 10 s, max 60 s, bake 20 s. */
static const char plan_text[] =
	"{\"$schema\":\"weir.rollout.v1\",\"service\":\"web\","
	"\"stable\":{\"version\":\"1\",\"servers\":[\"10.0.0.1:80\"]},"
	"\"canary\":{\"version\":\"2\",\"servers\":[\"10.0.0.2:80\"]},"
	"\"traffic\":{\"driver\":\"haproxy\",\"listen\":\":8000\"},\"on_inconclusive\":\"%s\","
	"\"stages\":[{\"weight\":\"5%%\",\"min\":\"10s\",\"max\":\"60s\"},{\"weight\":\"50%%\",\"min\":\"10s\",\"max\":\"60s\"},"
	"{\"weight\":\"%s\",\"min\":\"20s\",\"max\":\"60s\"}]}";

struct rig {
	struct plan *plan;
	struct machine m;
	struct machine_actions out;
	struct mono now;
};

static void rig_start(struct rig *r, const char *on_inconclusive, const char *last)
{
	struct doc doc;
	char text[2048];
	snprintf(text, sizeof(text), plan_text, on_inconclusive, last);
	doc_init(&doc, "plan.json", str_from(text));
	r->plan = plan_read(&doc);
	assert_non_null(r->plan);
	doc_finish(&doc);
	r->now = (struct mono){ 1000 * SECOND };
	machine_init(&r->m, r->plan, r->now);
}

static void rig_end(struct rig *r)
{
	plan_destroy(r->plan);
}

static void step(struct rig *r, struct machine_event ev)
{
	ev.now = r->now;
	machine_step(&r->m, &ev, &r->out);
}

static void pass(struct rig *r, dur_ns d)
{
	r->now = mono_after(r->now, d);
}

static void tick(struct rig *r, enum verdict v)
{
	const struct assessment a = { .verdict = v,
		                      .ready = true,
		                      .reason = v == VERDICT_ABORT || v == VERDICT_HOLD ? REASON_ERRORS : REASON_NONE,
		                      .sentence = "because" };
	pass(r, SECOND);
	step(r, (struct machine_event){ .kind = MACHINE_TICK, .assessment = &a });
}

static void lacking_tick(struct rig *r, enum lack lack)
{
	const struct assessment a = { .verdict = VERDICT_INCONCLUSIVE, .lack = lack, .ready = true };
	pass(r, SECOND);
	step(r, (struct machine_event){ .kind = MACHINE_TICK, .assessment = &a });
}

static const struct machine_action *action(const struct rig *r, enum machine_action_kind kind)
{
	for (size_t i = 0; i < r->out.count; i++)
		if (r->out.list[i].kind == kind)
			return &r->out.list[i];
	return NULL;
}

static bool told(const struct rig *r, const char *type)
{
	for (size_t i = 0; i < r->out.count; i++)
		if (r->out.list[i].kind == ACTION_EVENT && strcmp(r->out.list[i].type, type) == 0)
			return true;
	return false;
}

static void answer(struct rig *r, enum machine_event_kind kind, int32_t weight)
{
	step(r, (struct machine_event){ .kind = kind, .weight_bp = weight, .text = "said so" });
}

static void obey(struct rig *r)
{
	const struct machine_action *a = action(r, ACTION_SET_WEIGHT);
	assert_non_null(a);
	const int32_t weight = a->weight_bp;
	answer(r, MACHINE_ACCEPTED, weight);
	assert_non_null(action(r, ACTION_VERIFY));
	answer(r, MACHINE_VERIFIED, weight);
}

static void start_and_prepare(struct rig *r)
{
	step(r, (struct machine_event){ .kind = MACHINE_STARTED, .intent_bp = -1 });
	assert_non_null(action(r, ACTION_PREPARE));
	answer(r, MACHINE_PREPARED, 0);
	assert_int_equal(r->m.state, ROLLOUT_GATING);
	assert_null(action(r, ACTION_SET_WEIGHT));
}

/* Into the first stage, watched at 5 %. */
static void into_first(struct rig *r)
{
	start_and_prepare(r);
	tick(r, VERDICT_WATCHING);
	assert_int_equal(r->m.state, ROLLOUT_SHIFTING);
	assert_int_equal(action(r, ACTION_ENTER_STAGE)->stage, 0);
	assert_int_equal(action(r, ACTION_SET_WEIGHT)->weight_bp, 500);
	obey(r);
	assert_int_equal(r->m.state, ROLLOUT_WATCHING);
}

static void ticks(struct rig *r, enum verdict v, int count)
{
	for (int i = 0; i < count; i++)
		tick(r, v);
}

static void into_bake(struct rig *r)
{
	into_first(r);
	ticks(r, VERDICT_PROMOTE, 10);
	assert_int_equal(r->m.state, ROLLOUT_SHIFTING);
	obey(r);
	assert_false(r->m.stage != 1);
	ticks(r, VERDICT_PROMOTE, 10);
	assert_int_equal(r->m.state, ROLLOUT_PROMOTING);
	assert_true(told(r, "stage.passed"));
	obey(r);
	assert_int_equal(r->m.state, ROLLOUT_BAKING);
}

static void expect_rolling_back(struct rig *r, enum rollout_reason reason)
{
	assert_int_equal(r->m.state, ROLLOUT_ROLLING_BACK);
	assert_int_equal(r->m.reason, reason);
	/* Weight 0 is the first thing done. */
	assert_int_equal(r->out.list[0].kind, ACTION_SET_WEIGHT);
	assert_int_equal(r->out.list[0].weight_bp, 0);
	assert_true(told(r, "rollback.triggered"));
}

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
		cmocka_unit_test(data_plane_that_does_not_take_the_weight),
		cmocka_unit_test(restarted_data_plane_is_asked_again),
		cmocka_unit_test(nothing_starts_without_knowledge),
		cmocka_unit_test(a_promoted_rollout_goes_back_when_asked),
		cmocka_unit_test(low_power_stops_before_anything_moves),
		cmocka_unit_test(a_gate_stops_before_anything_moves),
		cmocka_unit_test(low_power_can_be_accepted_and_is_told),
		cmocka_unit_test(adopted_data_plane_goes_to_zero_first),
		cmocka_unit_test(interruption_leaves_the_weight),
		cmocka_unit_test(taken_lease_ends_all_acting),
		cmocka_unit_test(recovery_goes_on_where_it_was),
		cmocka_unit_test(recovery_finishes_a_rollback),
		cmocka_unit_test(damaged_states_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
