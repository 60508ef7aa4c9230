#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>

#include "base/mem.h"
#include "base/must.h"
#include "reports/capacity_text.h"
#include "tests/reports/golden.h"

static void render(const void *subject, const struct report_style *style, struct buf *out)
{
	report_capacity_text(subject, style, out);
}

static void init(struct search_record *s, const char *answer)
{
	search_record_init(s);
	memcpy(s->id, "01J8ZQ3M4T5V6W7X8Y9Z0A1B2C", ID_TEXT_BYTES);
	s->name = xstrdup("capacity");
	s->target = xstrdup("http://10.0.0.1:8080");
	s->slo = xstrdup("p95(response_time) < 100ms");
	s->slo_quantile = 0.95;
	s->slo_limit = 100 * MILLISECOND;
	s->started_at = (struct wall){ INT64_C(1767225600) * SECOND };
	s->duration = 15 * MINUTE;
	s->answer = xstrdup(answer);
	s->manifest = json_pack("{s:s, s:s, s:s, s:s}", "scenario_hash", "9f2c4e1b7a3d5f60", "weir", "0.1.0", "host",
	                        "bench-1", "command", "weir load search capacity.json");
}

static void add(struct search_record *s, enum trial_phase phase, double rate, int seconds, double share, double high,
                int p95_ms, enum trial_verdict verdict, const char *why)
{
	struct trial_record *t = search_record_add_trial(s);
	t->phase = phase;
	t->rate = rate;
	t->held = seconds * SECOND;
	t->requests = (uint64_t)(rate * seconds);
	t->exceeded = (uint64_t)(share * rate * seconds);
	t->share = share;
	t->share_high = high;
	t->quantile = p95_ms * MILLISECOND;
	t->error_rate = 0.0002;
	t->verdict = verdict;
	t->why = why ? xstrdup(why) : NULL;
	if (verdict == TRIAL_PASS && rate > s->highest_pass)
		s->highest_pass = rate;
	if (verdict == TRIAL_FAIL && (s->lowest_fail == 0 || rate < s->lowest_fail))
		s->lowest_fail = rate;
}

static void verified(void **state)
{
	struct search_record s;
	init(&s, "verified");
	add(&s, TRIAL_CLIMB, 100, 20, 0.001, 1, 24, TRIAL_PASS, NULL);
	add(&s, TRIAL_CLIMB, 225, 20, 0.006, 1, 41, TRIAL_PASS, NULL);
	add(&s, TRIAL_CLIMB, 506, 20, 0.62, 1, 2400, TRIAL_FAIL, "requests piled up: unstable");
	add(&s, TRIAL_NARROW, 337, 30, 0.031, 0.052, 87, TRIAL_GREY, "the share is too near to what is allowed");
	add(&s, TRIAL_NARROW, 361, 30, 0.058, 0.09, 104, TRIAL_FAIL, "5.8 % exceed the limit, allowed are 5 %");
	add(&s, TRIAL_CONFIRM, 348, 300, 0.033, 0.046, 89, TRIAL_PASS, NULL);
	s.verified = 348;
	s.verified_for = 300 * SECOND;
	s.stopped_because = xstrdup("the confirmation passed");
	golden_check("capacity_verified", render, &s);
	search_record_finish(&s);
}

/* Three loads of ten seconds, each request 5 ms of CPU. The figures of the connections are away for a second. */
static void observed(void **state)
{
	struct search_record s;
	struct run_record run;
	init(&s, "verified");
	for (int trial = 0; trial < 3; trial++) {
		const int rate = 100 + 50 * trial;
		run_record_init(&run);
		run.second_count = 13;
		run.seconds = xcalloc(run.second_count, sizeof(*run.seconds));
		run_record_make_resources(&run, 2);
		for (int i = 0; i < 13; i++) {
			run.seconds[i].second = i - 2;
			run.seconds[i].completed = (uint32_t)rate;
			run.resources[0].values[i] = 0.1 + 0.005 * rate + 0.001 * (i % 3);
			run.resources[1].values[i] = trial == 1 && i == 5 ? (double)NAN : 20;
		}
		run.resources[0].name = xstrdup("app cpu");
		run.resources[0].unit = xstrdup("cores");
		run.resources[0].limit = 2;
		run.resources[1].name = xstrdup("db connections");
		run.resources[1].unit = xstrdup("connections");
		run.resources[1].why_missing = trial == 1 ? xstrdup("PostgreSQL: it was away") : NULL;
		search_record_add_seconds(&s, &run);
		run_record_finish(&run);
		add(&s, trial == 2 ? TRIAL_CONFIRM : TRIAL_CLIMB, rate, 10, 0.001, 0.01, 24, TRIAL_PASS, NULL);
	}
	s.verified = 200;
	s.verified_for = 10 * SECOND;
	golden_check("capacity_observed", render, &s);
	search_record_finish(&s);
}

static void not_found(void **state)
{
	struct search_record s;
	init(&s, "not found");
	add(&s, TRIAL_CLIMB, 100, 20, 0.4, 0.5, 300, TRIAL_FAIL, "40 % exceed the limit, allowed are 5 %");
	add(&s, TRIAL_CLIMB, 10, 20, 0.3, 0.41, 280, TRIAL_FAIL, "30 % exceed the limit, allowed are 5 %");
	s.stopped_because = xstrdup("even the least load failed");
	golden_check("capacity_not_found", render, &s);
	search_record_finish(&s);
}

static void lower_bound(void **state)
{
	struct search_record s;
	init(&s, "lower bound only");
	add(&s, TRIAL_CLIMB, 100, 20, 0.0, 0.01, 24, TRIAL_PASS, NULL);
	add(&s, TRIAL_CLIMB, 225, 20, 0.0, 0.012, 25, TRIAL_PASS, NULL);
	s.stopped_because = xstrdup("the highest load that was allowed (225/s) passed");
	golden_check("capacity_lower_bound", render, &s);
	search_record_finish(&s);
}

static void generator_limited(void **state)
{
	struct search_record s;
	init(&s, "generator limited");
	add(&s, TRIAL_CLIMB, 40000, 20, 0.001, 0.01, 24, TRIAL_PASS, NULL);
	add(&s, TRIAL_CLIMB, 90000, 20, 0.7, 0.9, 2400, TRIAL_INVALID, "the generator was the limit: a core at 99 %");
	s.stopped_because = xstrdup("the generator could not send more");
	golden_check("capacity_generator", render, &s);
	search_record_finish(&s);
}

static void empty(void **state)
{
	struct search_record s;
	search_record_init(&s);
	golden_check("capacity_empty", render, &s);
	search_record_finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verified),    cmocka_unit_test(observed),          cmocka_unit_test(not_found),
		cmocka_unit_test(lower_bound), cmocka_unit_test(generator_limited), cmocka_unit_test(empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
