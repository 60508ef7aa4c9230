#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>

#include "base/must.h"
#include "base/rng.h"
#include "stats/planner.h"

/* "N total for alpha = 1 %" of statistics.md section 8; its figures are rounded to whole requests. */
static void least_requests_of_the_design(void **state)
{
	static const struct {
		double rho, p_c, p_s, m, want;
	} cases[] = {
		{ .01, .02, .01, 1, 119204 },  { .05, .02, .01, 1, 25129 },    { .1, .02, .01, 1, 13448 },
		{ .25, .02, .01, 1, 6714 },    { .5, .02, .01, 1, 5341 },      { .05, .05, .01, 1, 2457 },
		{ .5, .05, .01, 1, 615 },      { .05, .01, .001, 1, 7495 },    { .05, .5, .01, 1, 74 },
		{ .05, .02, .01, 1.1, 32931 }, { .05, .02, .01, 1.5, 130708 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct null null = { cases[i].m, 0 };
		const double got = planner_least_requests(
			.01, planner_klinf(cases[i].rho, cases[i].p_c, cases[i].p_s, null));
		if (!(fabs(got - cases[i].want) <= 0.5))
			fail_msg("case %zu: %.2f requests, not %.0f", i, got, cases[i].want);
	}
}

/* The planner's table: least total rate for a median detection within 120 s, 1.35 x bound. */
static void least_rates_of_the_design(void **state)
{
	static const struct {
		double p_s, ratio, rho, want;
	} cases[] = { { .01, 1.5, .01, 4788 }, { .01, 2, .05, 283 }, { .01, 5, .5, 7 },
		      { .001, 10, .1, 48 },    { .01, 2, .95, 346 }, { .001, 2, .25, 765 } };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const double bits = planner_klinf(cases[i].rho, cases[i].ratio * cases[i].p_s, cases[i].p_s,
		                                  (struct null){ 1, 0 });
		const double rate = PLANNER_SLACK_ERRORS * planner_least_requests(.01, bits) / 120;
		if (!(fabs(rate - cases[i].want) <= 1.0))
			fail_msg("case %zu: %.2f/s, not %.0f", i, rate, cases[i].want);
	}
}

/* "Least detectable error ratio" of section 8, as printed there: two significant digits or more. */
static void least_ratios_of_the_design(void **state)
{
	static const struct {
		double rho, seconds, rate, p_s, want;
	} cases[] = {
		{ .1, 900, 2, .01, 5.0 },     { .1, 900, 20, .01, 2.0 },   { .1, 900, 200, .01, 1.29 },
		{ .1, 900, 2000, .01, 1.09 }, { .1, 900, 2, .001, 23 },    { .1, 900, 2, .0001, 164 },
		{ .1, 120, 2, .01, 17.7 },    { .1, 120, 2, .0001, 1122 }, { .5, 300, 20, .001, 6.2 },
		{ .05, 300, 200, .01, 1.73 }, { .05, 300, 2, .0001, 713 }, { .25, 300, 2000, .001, 1.36 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const double got = planner_least_error_ratio(cases[i].rate * cases[i].seconds, cases[i].rho,
		                                             cases[i].p_s, .01, PLANNER_SLACK_ERRORS);
		if (!(fabs(got / cases[i].want - 1) <= .025))
			fail_msg("case %zu: ratio %.3f, not %.3f", i, got, cases[i].want);
	}
	assert_true(isinf(planner_least_error_ratio(1, .05, .01, .01, PLANNER_SLACK_ERRORS)));
}

static void shares_of_two_bins_are_the_rates(void **state)
{
	const double canary[] = { .02, .98, 0 }, stable[] = { .01, .99, 0 };
	const double rates = planner_klinf(.05, .02, .01, (struct null){ 1, 0 });
	assert_true(fabs(planner_klinf_shares(.05, canary, stable, 3) - rates) < 1e-15);
	assert_true(planner_klinf_shares(.05, stable, stable, 3) == 0);
}

static void nothing_is_known_inside_the_null(void **state)
{
	assert_true(planner_klinf(.05, .01, .01, (struct null){ 1, 0 }) == 0);
	assert_true(planner_klinf(.05, .014, .01, (struct null){ 1.5, 0 }) == 0);
	assert_true(planner_klinf_promote(.05, .016, .01, (struct null){ 1.5, 0 }) == 0);
	assert_true(isinf(planner_least_requests(.01, 0)));
}

/* Section 6: at a base of 0.01 % and a share of 5 %, 1.5x needs 9.15 million requests, with 0.1 pp of slack 101
 * thousand. */
static void slack_makes_low_rates_decidable(void **state)
{
	const double without = planner_klinf_promote(.05, 1e-4, 1e-4, (struct null){ 1.5, 0 });
	const double with = planner_klinf_promote(.05, 1e-4, 1e-4, (struct null){ 1.5, .001 });
	assert_true(fabs(PLANNER_SLACK_ERRORS * planner_least_requests(.05, without) - 9.15e6) < 5e3);
	assert_true(fabs(PLANNER_SLACK_ERRORS * planner_least_requests(.05, with) - 101e3) < 5e2);
}

static void latency_factors_shrink_with_traffic(void **state)
{
	static struct logbins stable;
	struct rng rng;
	double last = 16;
	rng_init(&rng, 9, 0);
	assert_true(isinf(planner_least_latency_factor(&stable, 1e6, .1, .01, PLANNER_SLACK_LATENCY)));
	for (int i = 0; i < 50000; i++)
		logbins_record(&stable, (int64_t)(52e6 * exp(.5 * rng_normal(&rng))));
	assert_true(isinf(planner_least_latency_factor(&stable, 5, .1, .01, PLANNER_SLACK_LATENCY)));
	for (double requests = 1800; requests < 2e6; requests *= 10) {
		const double factor = planner_least_latency_factor(&stable, requests, .1, .01, PLANNER_SLACK_LATENCY);
		assert_true(factor > 1 && factor < last);
		last = factor;
	}
	/* The design measured 1.23 for 10 % x 15 min at 2/s with its own latencies and the whole histogram. */
	const double factor = planner_least_latency_factor(&stable, 1800, .1, .01, PLANNER_SLACK_LATENCY);
	assert_true(factor > 1.1 && factor < 1.5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(least_requests_of_the_design),
		cmocka_unit_test(least_rates_of_the_design),
		cmocka_unit_test(least_ratios_of_the_design),
		cmocka_unit_test(shares_of_two_bins_are_the_rates),
		cmocka_unit_test(nothing_is_known_inside_the_null),
		cmocka_unit_test(slack_makes_low_rates_decidable),
		cmocka_unit_test(latency_factors_shrink_with_traffic),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
