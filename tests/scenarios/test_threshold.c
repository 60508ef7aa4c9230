#include "scenarios/threshold.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/must.h"

static void good_ones_are_read(void **state)
{
	static const struct {
		const char *text;
		enum threshold_figure figure;
		double quantile;
		enum threshold_metric metric;
		const char *flow, *step;
		enum comparison comparison;
		double value;
	} cases[] = {
		{ "p95(response_time) < 500ms", FIGURE_QUANTILE, 0.95, METRIC_RESPONSE_TIME, "", "", COMPARISON_LESS,
		  5e8 },
		{ "p99.9(service_time)<=1.5s", FIGURE_QUANTILE, 0.999, METRIC_SERVICE_TIME, "", "",
		  COMPARISON_LESS_EQUAL, 1.5e9 },
		{ "p100( send_lag ,flow = auth ) > 1ms", FIGURE_QUANTILE, 1, METRIC_SEND_LAG, "auth", "",
		  COMPARISON_GREATER, 1e6 },
		{ " mean(response_time, flow=a, step=GET /x) >= 0 ", FIGURE_MEAN, 0, METRIC_RESPONSE_TIME, "a",
		  "GET /x", COMPARISON_GREATER_EQUAL, 0 },
		{ "max(response_time, step='a, (b)') < 1s", FIGURE_MAX, 0, METRIC_RESPONSE_TIME, "", "a, (b)",
		  COMPARISON_LESS, 1e9 },
		{ "min(response_time) > 10us", FIGURE_MIN, 0, METRIC_RESPONSE_TIME, "", "", COMPARISON_GREATER, 1e4 },
		{ "count(response_time) > 100", FIGURE_COUNT, 0, METRIC_RESPONSE_TIME, "", "", COMPARISON_GREATER,
		  100 },
		{ "error_rate < 1%", FIGURE_ERROR_RATE, 0, METRIC_NONE, "", "", COMPARISON_LESS, 0.01 },
		{ "error_rate(flow=a) < 0.02", FIGURE_ERROR_RATE, 0, METRIC_NONE, "a", "", COMPARISON_LESS, 0.02 },
		{ "error_rate(step=s, flow=a) < 0.02", FIGURE_ERROR_RATE, 0, METRIC_NONE, "a", "s", COMPARISON_LESS,
		  0.02 },
		{ "rate > 100/s", FIGURE_RATE, 0, METRIC_NONE, "", "", COMPARISON_GREATER, 100 },
		{ "rate > 90 / m", FIGURE_RATE, 0, METRIC_NONE, "", "", COMPARISON_GREATER, 1.5 },
		{ "rate > 7200/h", FIGURE_RATE, 0, METRIC_NONE, "", "", COMPARISON_GREATER, 2 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct threshold t;
		struct threshold_mistake m;
		if (!threshold_parse(str_from(cases[i].text), &t, &m))
			fail_msg("%s: at %zu: %s", cases[i].text, m.at, m.text);
		assert_int_equal(t.figure, cases[i].figure);
		assert_true(fabs(t.quantile - cases[i].quantile) < 1e-12);
		assert_int_equal(t.metric, cases[i].metric);
		assert_true(str_is(t.flow, cases[i].flow));
		assert_true(str_is(t.step, cases[i].step));
		assert_int_equal(t.comparison, cases[i].comparison);
		assert_true(fabs(t.value - cases[i].value) < 1e-9 * (1 + cases[i].value));
		assert_int_equal(t.flow_index, THRESHOLD_ANY);
		assert_int_equal(t.step_index, THRESHOLD_ANY);
	}
}

static void bad_ones_say_where(void **state)
{
	static const struct {
		const char *text;
		size_t at, len;
	} cases[] = {
		{ "", 0, 0 },
		{ "   ", 3, 0 },
		{ "p95", 3, 0 },
		{ "  q95(response_time) < 1s", 2, 3 },
		{ "p(response_time) < 1s", 0, 1 },
		{ "p101(response_time) < 1s", 0, 4 },
		{ "p0(response_time) < 1s", 0, 2 },
		{ "p95(latency) < 1s", 4, 7 },
		{ "p95(response_time < 1s", 18, 0 },
		{ "p95(response_time, page=x) < 1s", 19, 4 },
		{ "p95(response_time, flow) < 1s", 23, 0 },
		{ "p95(response_time, flow=) < 1s", 24, 0 },
		{ "p95(response_time, flow=a, flow=b) < 1s", 27, 4 },
		{ "p95(response_time, step='a) < 1s", 24, 8 },
		{ "p95(response_time) = 1s", 19, 1 },
		{ "p95(response_time) <", 20, 0 },
		{ "p95(response_time) < 1", 21, 1 },
		{ "p95(response_time) < 1s x", 21, 4 },
		{ "error_rate < 101%", 13, 4 },
		{ "rate > 5", 7, 1 },
		{ "rate > 5/d", 7, 3 },
		{ "rate > -5/s", 7, 4 },
		{ "count(response_time) > many", 23, 4 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct threshold t;
		struct threshold_mistake m = { 0 };
		if (threshold_parse(str_from(cases[i].text), &t, &m))
			fail_msg("taken: %s", cases[i].text);
		if (m.at != cases[i].at || m.len != cases[i].len)
			fail_msg("%s: at %zu+%zu, not %zu+%zu", cases[i].text, m.at, m.len, cases[i].at, cases[i].len);
		assert_non_null(m.text);
	}
}

static void nothing_is_never_met(void **state)
{
	struct threshold t;
	struct threshold_mistake m;
	assert_true(threshold_parse(STR("error_rate <= 1%"), &t, &m));
	assert_true(threshold_holds(&t, 0.01));
	assert_false(threshold_holds(&t, 0.011));
	assert_false(threshold_holds(&t, NAN));
	assert_true(threshold_parse(STR("rate >= 1/s"), &t, &m));
	assert_true(threshold_holds(&t, 1));
	assert_false(threshold_holds(&t, 0.5));
	assert_false(threshold_holds(&t, NAN));
	assert_true(comparison_holds(COMPARISON_LESS, 1, 2) && !comparison_holds(COMPARISON_LESS, 2, 2));
	assert_true(comparison_holds(COMPARISON_GREATER, 2, 1) && !comparison_holds(COMPARISON_GREATER, 2, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones_are_read),
		cmocka_unit_test(bad_ones_say_where),
		cmocka_unit_test(nothing_is_never_met),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
