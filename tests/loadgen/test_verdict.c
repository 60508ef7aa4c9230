#include "loadgen/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <math.h>

#include "base/must.h"
#include "tests/loadgen/program.h"

static struct threshold parse(const char *text)
{
	struct threshold t;
	struct err err;
	if (program_resolve_threshold(&test_program, str_from(text), &t, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return t;
}

static double figure(const struct meter *m, const char *text)
{
	const struct threshold t = parse(text);
	return verdict_figure(&t, m, 10 * SECOND);
}

static void record(struct meter *m, uint32_t step, dur_ns response, bool failed)
{
	const struct measurement r = { .step = step,
		                       .response = response,
		                       .service = response / 2,
		                       .lag = 1000000,
		                       .failed = failed,
		                       .error = RUN_ERROR_STATUS };
	meter_record(m, &r);
}

/* auth/login: 10 ms x 90, 100 ms x 10, 5 of them failed; shop/login: 1 s x 50; auth/me: nothing. */
static struct meter *measured(void)
{
	struct meter *m = meter_create(&test_program);
	for (int i = 0; i < 100; i++)
		record(m, STEP_AUTH_LOGIN, i < 90 ? 10 * MILLISECOND : 100 * MILLISECOND, i < 5);
	for (int i = 0; i < 50; i++)
		record(m, STEP_SHOP_LOGIN, SECOND, false);
	return m;
}

static void near(double value, double expected)
{
	if (!(fabs(value - expected) <= expected * 0.001)) /* three digits */
		fail_msg("%g is not %g", value, expected);
}

static void figures_are_of_what_the_threshold_names(void **state)
{
	struct meter *m = measured();
	near(figure(m, "p90(response_time, flow=auth) < 1s"), 10e6);
	near(figure(m, "p95(response_time, flow=auth) < 1s"), 100e6);
	near(figure(m, "p95(service_time, flow=auth) < 1s"), 50e6);
	near(figure(m, "p50(response_time, flow=shop) < 1s"), 1e9);
	near(figure(m, "p50(response_time) < 1s"), 10e6);
	near(figure(m, "p99(response_time) < 1s"), 1e9);
	near(figure(m, "p50(response_time, flow=shop, step=login) < 1s"), 1e9);
	near(figure(m, "p50(response_time, flow=auth, step=login) < 1s"), 10e6);
	near(figure(m, "mean(response_time, flow=auth) < 1s"), 19e6);
	near(figure(m, "max(response_time) < 1s"), 1e9);
	near(figure(m, "min(response_time) < 1s"), 10e6);
	near(figure(m, "max(send_lag) < 1s"), 1e6);
	near(figure(m, "count(response_time) > 1"), 150);
	near(figure(m, "count(response_time, flow=shop) > 1"), 50);
	near(figure(m, "error_rate < 1%"), 5.0 / 150);
	near(figure(m, "error_rate(flow=auth) < 1%"), 0.05);
	assert_true(figure(m, "error_rate(flow=shop) < 1%") == 0);
	near(figure(m, "rate > 1/s"), 15);
	near(figure(m, "rate(flow=auth, step=login) > 1/s"), 10);
	meter_destroy(m);
}

/* The language asks for the flow when there are several such steps; a threshold that was not resolved means all. */
static void a_step_without_a_flow_is_that_step_of_every_flow(void **state)
{
	struct meter *m = measured();
	struct threshold_mistake mistake;
	struct threshold t;
	record(m, STEP_AUTH_ME, SECOND, false);
	assert_true(threshold_parse(STR("count(response_time, step=login) > 1"), &t, &mistake));
	assert_int_equal(t.step_index, THRESHOLD_ANY);
	near(verdict_figure(&t, m, 10 * SECOND), 150);
	meter_destroy(m);
}

static void no_data_is_no_figure_and_never_met(void **state)
{
	static const char *const texts[] = {
		"p95(response_time) < 1h",    "p95(response_time) > 0s", "mean(response_time) < 1h",
		"max(service_time) < 1h",     "min(send_lag) >= 0s",     "max(send_lag) < 1h",
		"error_rate < 100%",          "error_rate >= 0%",        "p50(response_time, flow=shop) < 1h",
		"error_rate(step=me) < 100%",
	};
	struct meter *m = meter_create(&test_program);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const struct threshold t = parse(texts[i]);
		struct threshold_record r = { 0 };
		assert_true(isnan(verdict_figure(&t, m, 10 * SECOND)));
		verdict_threshold(&t, m, 10 * SECOND, &r);
		assert_false(r.has_value);
		assert_false(r.met);
		assert_true(r.value == 0);
		assert_string_equal(r.that, texts[i]);
		free(r.that);
	}
	meter_destroy(m);
}

static void a_step_that_never_ran_is_not_met_while_others_are(void **state)
{
	struct meter *m = measured();
	assert_true(isnan(figure(m, "p95(response_time, flow=auth, step=me) < 1s")));
	assert_true(isnan(figure(m, "error_rate(flow=auth, step=me) < 1%")));
	meter_destroy(m);
}

/* Nothing came is a number of requests: 0. A rate is no figure then, or "rate < 5/s" would be met by an empty run. */
static void a_count_of_nothing_is_zero(void **state)
{
	struct meter *m = meter_create(&test_program);
	const struct threshold rate = parse("rate >= 0/s");
	assert_true(figure(m, "count(response_time) > 0") == 0);
	assert_true(isnan(figure(m, "rate > 0/s")));
	assert_true(isnan(verdict_figure(&rate, m, 0)));
	meter_destroy(m);
}

static void a_threshold_is_met_or_not(void **state)
{
	struct meter *m = measured();
	static const struct {
		const char *text;
		bool met;
	} cases[] = {
		{ "p90(response_time, flow=auth) < 20ms", true },
		{ "p95(response_time, flow=auth) < 20ms", false },
		{ "error_rate(flow=auth) <= 5%", true },
		{ "error_rate(flow=auth) < 5%", false },
		{ "rate > 14/s", true },
		{ "rate > 15/s", false },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct threshold t = parse(cases[i].text);
		struct threshold_record r = { 0 };
		verdict_threshold(&t, m, 10 * SECOND, &r);
		assert_true(r.has_value);
		assert_true(r.met == cases[i].met);
		free(r.that);
	}
	meter_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_are_of_what_the_threshold_names),
		cmocka_unit_test(a_step_without_a_flow_is_that_step_of_every_flow),
		cmocka_unit_test(no_data_is_no_figure_and_never_met),
		cmocka_unit_test(a_step_that_never_ran_is_not_met_while_others_are),
		cmocka_unit_test(a_count_of_nothing_is_zero),
		cmocka_unit_test(a_threshold_is_met_or_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
