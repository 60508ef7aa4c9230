#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>

#include "base/mem.h"
#include "base/must.h"
#include "reports/rollout_text.h"
#include "tests/reports/golden.h"

#define BEGIN (INT64_C(1767225600) * SECOND)

static void render(const void *subject, const struct report_style *style, struct buf *out)
{
	report_rollout_text(subject, style, out);
}

static void render_summary(const void *subject, const struct report_style *style, struct buf *out)
{
	report_rollout_summary(subject, style, out);
}

static struct wall at(double seconds)
{
	return (struct wall){ BEGIN + (int64_t)(seconds * 1e9) };
}

static void add_event(struct rollout_record *r, double seconds, const char *type, const char *severity,
                      const char *actor, json_t *data)
{
	const struct event_record e = { .seq = 1200 + (int64_t)r->event_count,
		                        .at = at(seconds),
		                        .type = xstrdup(type),
		                        .severity = xstrdup(severity),
		                        .actor = xstrdup(actor),
		                        .data = data };
	rollout_record_add_event(r, &e);
}

/* Two arms with 200 requests/s; the canary has <errors> of 1,000 wrong and <factor> times the latency. */
static void add_ticks(struct rollout_record *r, int count, int32_t weight_bp, int errors, double factor, double harm)
{
	for (int i = 0; i < count; i++) {
		struct tick_record t = { .tick = (int64_t)r->tick_count,
			                 .at = at((double)r->tick_count),
			                 .weight_bp = weight_bp };
		t.arms[ARM_CANARY] = (struct arm_tick){ .requests = (uint64_t)weight_bp / 50,
			                                .p50 = (dur_ns)(9e6 * factor),
			                                .p95 = (dur_ns)(20e6 * factor),
			                                .p99 = (dur_ns)(40e6 * factor) };
		t.arms[ARM_CANARY].errors = t.arms[ARM_CANARY].requests * (uint64_t)errors / 1000;
		t.arms[ARM_STABLE] = (struct arm_tick){ .requests = 200 - (uint64_t)weight_bp / 50,
			                                .errors = i % 10 == 0,
			                                .p50 = (dur_ns)9e6,
			                                .p95 = (dur_ns)20e6,
			                                .p99 = (dur_ns)40e6 };
		t.harm_errors = harm * (i + 1);
		t.harm_latency = -0.01 * i;
		t.promote_errors = 0.08 * (i + 1);
		t.promote_latency = 0.06 * (i + 1);
		rollout_record_add_tick(r, &t);
	}
}

static void init(struct rollout_record *r, enum rollout_state state)
{
	rollout_record_init(r);
	memcpy(r->id, "01J8ZQ3M4T5V6W7X8Y9Z0A1B2C", ID_TEXT_BYTES);
	r->service = xstrdup("web");
	r->environment = xstrdup("production");
	r->actor = xstrdup("maria");
	r->state = state;
	r->started_at = at(0);
	r->arms[ARM_STABLE] = (struct version_record){ xstrdup("1.4.1"), xstrdup("9f2c41d") };
	r->arms[ARM_CANARY] = (struct version_record){ xstrdup("1.4.2"), xstrdup("77ab0e2") };
}

/* Stages 5, 25 and 100 %; the first <done> were passed, the next is being run. */
static void make_stages(struct rollout_record *r, size_t done, double factor, uint64_t canary_errors)
{
	static const int32_t weights[] = { 500, 2500, 10000 };
	r->stage_count = 3;
	r->stages = xcalloc(3, sizeof(r->stages[0]));
	for (size_t i = 0; i < 3; i++) {
		struct stage_record *x = &r->stages[i];
		x->weight_bp = weights[i];
		if (i > done) {
			x->verdict = xstrdup("not reached");
			continue;
		}
		x->entered = at(120.0 * (double)i);
		if (i < done) {
			x->left = at(120.0 * (double)(i + 1));
			x->verdict = xstrdup("passed");
		}
		x->requests[ARM_CANARY] = (uint64_t)(weights[i] * 24000 / 10000);
		x->requests[ARM_STABLE] = 24000 - x->requests[ARM_CANARY];
		x->errors[ARM_CANARY] = i == done ? canary_errors : x->requests[ARM_CANARY] / 1000;
		x->errors[ARM_STABLE] = x->requests[ARM_STABLE] / 1000;
		for (int arm = 0; arm < ARMS; arm++) {
			x->p50[arm] = (dur_ns)(9e6 * (arm == ARM_CANARY ? factor : 1));
			x->p95[arm] = (dur_ns)(20e6 * (arm == ARM_CANARY ? factor : 1));
			x->p99[arm] = (dur_ns)(40e6 * (arm == ARM_CANARY ? factor : 1));
		}
	}
}

static void promoted(void **state)
{
	struct rollout_record r;
	init(&r, ROLLOUT_PROMOTED);
	r.finished_at = at(362);
	r.why = xstrdup("every stage proved that 1.4.2 is not worse than 1.4.1 by more than allowed");
	make_stages(&r, 3, 1.02, 0);
	add_ticks(&r, 120, 500, 0, 1.02, 0);
	add_ticks(&r, 120, 2500, 0, 1.02, 0);
	add_ticks(&r, 120, 10000, 0, 1.02, 0);
	add_event(&r, 0, "rollout.started", "info", "maria", NULL);
	add_event(&r, 0.1, "weight.asked", "info", "weir",
	          json_pack("{s:s, s:i}", "text", "asked for 5 % of the traffic", "stage", 0));
	add_event(&r, 0.4, "weight.verified", "info", "weir",
	          json_pack("{s:i, s:f}", "weight_bp", 500, "realised", 0.0502));
	add_event(&r, 5, "evidence", "info", "weir", json_pack("{s:f}", "harm", 0.1));
	add_event(&r, 120, "stage.passed", "info", "weir", json_pack("{s:i}", "stage", 0));
	add_event(&r, 240, "stage.passed", "info", "weir", json_pack("{s:i}", "weight_bp", 2500));
	add_event(&r, 362, "rollout.promoted", "info", "weir", NULL);
	golden_check("rollout_promoted", render, &r);
	golden_check("rollout_promoted_summary", render_summary, &r);
	rollout_record_finish(&r);
}

static void rolled_back(void **state)
{
	struct rollout_record r;
	init(&r, ROLLOUT_ROLLED_BACK);
	r.finished_at = at(139.5);
	r.reason = REASON_ERRORS;
	r.why = xstrdup("error rate of 1.4.2 was 5.1 % against 0.11 % of 1.4.1, 46 times as high");
	make_stages(&r, 1, 1.1, 45);
	r.stages[1].left = at(138.2);
	r.stages[1].verdict = xstrdup("rolled back");
	r.stages[1].requests[ARM_CANARY] = 882;
	r.stages[1].requests[ARM_STABLE] = 2646;
	r.stages[1].errors[ARM_STABLE] = 3;
	r.to_decision = 17600 * MILLISECOND;
	r.to_zero = 43 * MILLISECOND;
	r.to_proof = 1240 * MILLISECOND;
	r.exposed_requests = 44;
	r.decision = (struct decision_record){ .metric = xstrdup("error rate"),
		                               .values = { 0.0011, 0.051 },
		                               .ratio = 46,
		                               .ratio_low = 11.2,
		                               .ratio_high = 190,
		                               .evidence = 6.2,
		                               .needed = 4.605,
		                               .requests = { 2646, 882 } };
	add_ticks(&r, 120, 500, 0, 1, 0);
	add_ticks(&r, 18, 2500, 51, 1.1, 0.35);
	add_event(&r, 0, "rollout.started", "info", "maria", NULL);
	add_event(&r, 120, "stage.passed", "info", "weir", json_pack("{s:i}", "stage", 0));
	add_event(&r, 120.1, "weight.asked", "info", "weir", json_pack("{s:i}", "weight_bp", 2500));
	add_event(&r, 138.2, "rollback.triggered", "critical", "weir",
	          json_pack("{s:s, s:s, s:{s:f}}", "text", "error rate: 5.1 % against 0.11 %", "reason", "error-rate",
	                    "measured", "ratio", 46.0));
	add_event(&r, 139.5, "rollback.completed", "warning", "weir", json_pack("{s:i}", "weight_bp", 0));
	golden_check("rollout_rolled_back", render, &r);
	golden_check("rollout_rolled_back_summary", render_summary, &r);
	rollout_record_finish(&r);
}

static void held(void **state)
{
	struct rollout_record r;
	init(&r, ROLLOUT_HOLDING);
	r.why = xstrdup("latency p95 of 1.4.2 is proven worse than that of 1.4.1, but by less than the limit of 1.5x");
	make_stages(&r, 1, 1.2, 6);
	r.stages[1].verdict = xstrdup("held");
	r.decision = (struct decision_record){ .metric = xstrdup("latency p95"),
		                               .values = { 0.0201, 0.0243 },
		                               .ratio = 1.21,
		                               .ratio_low = 1.05,
		                               .ratio_high = NAN,
		                               .evidence = 4.9,
		                               .needed = 4.605,
		                               .requests = { 18000, 6000 },
		                               .phi = 3.1 };
	add_ticks(&r, 120, 500, 0, 1, 0);
	add_ticks(&r, 120, 2500, 1, 1.2, 0);
	add_event(&r, 0, "rollout.started", "info", "maria", NULL);
	add_event(&r, 239, "rollout.held", "warning", "weir",
	          json_pack("{s:s}", "why", "a person has to decide: weir canary promote or abort"));
	golden_check("rollout_held", render, &r);
	rollout_record_finish(&r);
}

static void running(void **state)
{
	struct rollout_record r;
	init(&r, ROLLOUT_WATCHING);
	make_stages(&r, 0, 1, 1);
	r.decision.ratio = r.decision.ratio_low = r.decision.ratio_high = NAN;
	add_ticks(&r, 47, 500, 0, 1, 0);
	add_event(&r, 0, "rollout.started", "info", "maria", NULL);
	golden_check("rollout_running", render, &r);
	golden_check("rollout_running_summary", render_summary, &r);
	rollout_record_finish(&r);
}

/* A head without stages, ticks and events, and every figure unknown. */
static void bare(void **state)
{
	struct rollout_record r;
	rollout_record_init(&r);
	r.state = ROLLOUT_FAILED;
	r.exposed_requests = NAN;
	r.decision = (struct decision_record){ .metric = xstrdup("error rate"),
		                               .values = { NAN, NAN },
		                               .ratio = NAN,
		                               .ratio_low = NAN,
		                               .ratio_high = NAN,
		                               .evidence = NAN,
		                               .needed = NAN };
	golden_check("rollout_bare", render, &r);
	rollout_record_finish(&r);
}

/* Whatever the log holds, the report stays readable: the first and the last events, and how many are between. */
static void many_events(void **state)
{
	struct rollout_record r;
	struct buf out;
	init(&r, ROLLOUT_WATCHING);
	for (int i = 0; i < 500; i++)
		add_event(&r, i, i % 2 ? "weight.asked" : "weight.verified", "info", "weir", NULL);
	buf_init(&out, REPORT_BYTES_MAX);
	report_rollout_text(&r, &REPORT_STYLE_PLAIN, &out);
	assert_non_null(strstr(buf_cstr(&out), "... 440 events left out ..."));
	assert_non_null(strstr(buf_cstr(&out), "+0:19 "));
	assert_null(strstr(buf_cstr(&out), "+0:20 "));
	assert_null(strstr(buf_cstr(&out), "+7:39 "));
	assert_non_null(strstr(buf_cstr(&out), "+7:40 "));
	buf_finish(&out);
	rollout_record_finish(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(promoted), cmocka_unit_test(rolled_back), cmocka_unit_test(held),
		cmocka_unit_test(running),  cmocka_unit_test(bare),        cmocka_unit_test(many_events),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
