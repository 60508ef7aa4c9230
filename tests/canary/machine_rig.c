#include "tests/canary/machine_rig.h"

#include <stdio.h>
#include <string.h>

/* 5 % -> 50 % -> 100 %, min 10 s, max 60 s, bake 20 s. */
static const char plan_text[] =
	"{\"$schema\":\"weir.rollout.v1\",\"service\":\"web\","
	"\"stable\":{\"version\":\"1\",\"servers\":[\"10.0.0.1:80\"]},"
	"\"canary\":{\"version\":\"2\",\"servers\":[\"10.0.0.2:80\"]},"
	"\"traffic\":{\"driver\":\"haproxy\",\"listen\":\":8000\"},\"on_inconclusive\":\"%s\","
	"\"stages\":[{\"weight\":\"5%%\",\"min\":\"10s\",\"max\":\"60s\"},{\"weight\":\"50%%\",\"min\":\"10s\",\"max\":\"60s\"},"
	"{\"weight\":\"%s\",\"min\":\"20s\",\"max\":\"60s\"}]}";

void rig_start(struct rig *r, const char *on_inconclusive, const char *last)
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

void rig_end(struct rig *r)
{
	plan_destroy(r->plan);
}

void step(struct rig *r, struct machine_event ev)
{
	ev.now = r->now;
	machine_step(&r->m, &ev, &r->out);
}

void pass(struct rig *r, dur_ns d)
{
	r->now = mono_after(r->now, d);
}

void tick(struct rig *r, enum verdict v)
{
	const struct assessment a = { .verdict = v,
		                      .ready = true,
		                      .reason = v == VERDICT_ABORT || v == VERDICT_HOLD ? REASON_ERRORS : REASON_NONE,
		                      .sentence = "because" };
	pass(r, SECOND);
	step(r, (struct machine_event){ .kind = MACHINE_TICK, .assessment = &a });
}

void lacking_tick(struct rig *r, enum lack lack)
{
	const struct assessment a = { .verdict = VERDICT_INCONCLUSIVE, .lack = lack, .ready = true };
	pass(r, SECOND);
	step(r, (struct machine_event){ .kind = MACHINE_TICK, .assessment = &a });
}

const struct machine_action *action(const struct rig *r, enum machine_action_kind kind)
{
	for (size_t i = 0; i < r->out.count; i++)
		if (r->out.list[i].kind == kind)
			return &r->out.list[i];
	return NULL;
}

bool told(const struct rig *r, const char *type)
{
	for (size_t i = 0; i < r->out.count; i++)
		if (r->out.list[i].kind == ACTION_EVENT && strcmp(r->out.list[i].type, type) == 0)
			return true;
	return false;
}

void answer(struct rig *r, enum machine_event_kind kind, int32_t weight)
{
	step(r, (struct machine_event){ .kind = kind, .weight_bp = weight, .text = "said so" });
}

void obey(struct rig *r)
{
	const struct machine_action *a = action(r, ACTION_SET_WEIGHT);
	assert_non_null(a);
	const int32_t weight = a->weight_bp;
	answer(r, MACHINE_ACCEPTED, weight);
	assert_non_null(action(r, ACTION_VERIFY));
	answer(r, MACHINE_VERIFIED, weight);
}

void start_and_prepare(struct rig *r)
{
	step(r, (struct machine_event){ .kind = MACHINE_STARTED, .intent_bp = -1 });
	assert_non_null(action(r, ACTION_PREPARE));
	answer(r, MACHINE_PREPARED, 0);
	assert_int_equal(r->m.state, ROLLOUT_GATING);
	assert_null(action(r, ACTION_SET_WEIGHT));
}

/* Into the first stage, watched at 5 %. */
void into_first(struct rig *r)
{
	start_and_prepare(r);
	tick(r, VERDICT_WATCHING);
	assert_int_equal(r->m.state, ROLLOUT_SHIFTING);
	assert_int_equal(action(r, ACTION_ENTER_STAGE)->stage, 0);
	assert_int_equal(action(r, ACTION_SET_WEIGHT)->weight_bp, 500);
	obey(r);
	assert_int_equal(r->m.state, ROLLOUT_WATCHING);
}

void ticks(struct rig *r, enum verdict v, int count)
{
	for (int i = 0; i < count; i++)
		tick(r, v);
}

void into_bake(struct rig *r)
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

void expect_rolling_back(struct rig *r, enum rollout_reason reason)
{
	assert_int_equal(r->m.state, ROLLOUT_ROLLING_BACK);
	assert_int_equal(r->m.reason, reason);
	/* Weight 0 is the first thing done. */
	assert_int_equal(r->out.list[0].kind, ACTION_SET_WEIGHT);
	assert_int_equal(r->out.list[0].weight_bp, 0);
	assert_true(told(r, "rollback.triggered"));
}
