#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>

#include "base/must.h"
#include "base/rng.h"
#include "stats/compare.h"

static void assert_near(double got, double want, double within)
{
	if (!(fabs(got - want) <= within))
		fail_msg("%.12g is not within %g of %.12g", got, within, want);
}

/* Both arms degrade tenfold just when the canary's share grows: the pooled ratio is fooled, Mantel-Haenszel is not. */
static void the_risk_ratio_ignores_ramp_and_drift(void **state)
{
	struct risk_ratio r = { 0 };
	assert_true(isnan(risk_ratio_get(&r)));
	risk_ratio_add(&r, &(struct block){ 0, 0, 0, 0 });
	risk_ratio_add(&r, &(struct block){ 100, 2, 1900, 19 });
	risk_ratio_add(&r, &(struct block){ 1500, 300, 500, 50 });
	assert_near(risk_ratio_get(&r), 2, 1e-12);
	const double pooled = (r.total.e_c / r.total.n_c) / (r.total.e_s / r.total.n_s);
	assert_true(pooled > 6);
	struct risk_ratio only = { 0 };
	risk_ratio_add(&only, &(struct block){ 100, 2, 100, 0 });
	assert_true(isinf(risk_ratio_get(&only)));
}

static void record_around(struct logbins *b, struct rng *rng, int n, double median_ns)
{
	for (int i = 0; i < n; i++)
		logbins_record(b, (int64_t)(median_ns * exp(.3 * rng_normal(rng))));
}

/* The canary is 1.5 times slower all the time; the dependency slows both threefold when the canary's share is large. */
static void the_latency_ratio_ignores_ramp_and_drift(void **state)
{
	static struct latency_ratio r;
	static struct logbins canary, stable, pooled_canary, pooled_stable;
	struct rng rng;
	double canary_ns, stable_ns;
	rng_init(&rng, 21, 0);
	assert_true(isnan(latency_ratio_at(&r, .5, NULL, NULL)));
	for (int tick = 0; tick < 400; tick++) {
		const bool late = tick >= 200;
		logbins_reset(&canary);
		logbins_reset(&stable);
		record_around(&canary, &rng, late ? 150 : 10, late ? 4.5e8 : 1.5e8);
		record_around(&stable, &rng, late ? 50 : 190, late ? 3e8 : 1e8);
		latency_ratio_add(&r, &canary, &stable);
		logbins_add(&pooled_canary, &canary);
		logbins_add(&pooled_stable, &stable);
	}
	logbins_reset(&canary);
	latency_ratio_add(&r, &canary, &stable); /* a silent canary changes nothing */
	for (double q = .25; q < .96; q += .1)
		assert_near(latency_ratio_at(&r, q, &canary_ns, &stable_ns), 1.5, .09);
	assert_near(canary_ns / stable_ns, latency_ratio_at(&r, .95, NULL, NULL), 1e-6);
	assert_true(logbins_quantile_bin(&pooled_canary, .5) - logbins_quantile_bin(&pooled_stable, .5) >
	            logbins_shift(2));
}

static double draw_binomial(struct rng *rng, int n, double p)
{
	int events = 0;
	for (int i = 0; i < n; i++)
		events += rng_uniform(rng) < p;
	return events;
}

static void run_bounds(struct ratio_bounds *b, struct rng *rng, double ratio, int ticks)
{
	struct running_rate rate;
	running_rate_init(&rate, .02, RUNNING_RATE_KAPPA, RUNNING_RATE_HALF_LIFE_TICKS);
	for (int i = 0; i < ticks; i++) {
		const struct block tick = { 100, draw_binomial(rng, 100, .02 * ratio), 100,
			                    draw_binomial(rng, 100, .02) };
		ratio_bounds_tick(b, &tick, running_rate_get(&rate));
		running_rate_add(&rate, tick.n_s, tick.e_s);
	}
}

static void bounds_close_in_on_the_ratio(void **state)
{
	struct rng rng;
	int missed = 0;
	rng_init(&rng, 31, 0);
	for (int run = 0; run < 40; run++) {
		static const double ratios[] = { 1, 1.75, 4 };
		const double ratio = ratios[run % 3];
		struct ratio_bounds b;
		double low, high;
		ratio_bounds_init(&b, .05, 1);
		assert_true(ratio_bounds_get(&b, &low, &high));
		assert_true(low == 0 && isinf(high));
		assert_near(b.ln_threshold, log(40), 1e-12);
		run_bounds(&b, &rng, ratio, 600);
		assert_true(ratio_bounds_get(&b, &low, &high));
		missed += !(low <= ratio && ratio <= high);
		if (ratio == 1.75)
			assert_true(low >= 1.1 && high <= 3);
		if (ratio == 4)
			assert_true(low >= 2);
	}
	assert_true(missed <= 5); /* 5 % of 40 is 2 */
}

static void bounds_survive_export_and_import(void **state)
{
	struct ratio_bounds b, back;
	struct rng rng;
	double values[RATIO_BOUNDS_VALUES], low, high, low_back, high_back;
	rng_init(&rng, 32, 0);
	ratio_bounds_init(&b, .05, 1);
	run_bounds(&b, &rng, 3, 100);
	assert_int_equal(ratio_bounds_export(&b, values, ARRAY_LEN(values)), RATIO_BOUNDS_VALUES);
	ratio_bounds_init(&back, .05, 1);
	assert_true(ratio_bounds_import(&back, values, RATIO_BOUNDS_VALUES));
	const struct block tick = { 100, 6, 100, 2 };
	ratio_bounds_tick(&b, &tick, .02);
	ratio_bounds_tick(&back, &tick, .02);
	ratio_bounds_get(&b, &low, &high);
	ratio_bounds_get(&back, &low_back, &high_back);
	assert_true(low > 0 && low == low_back && high == high_back);
	for (int i = 0; i < RATIO_BOUNDS_NULLS; i++)
		assert_true(eprocess_ln(&b.below[i]) == eprocess_ln(&back.below[i]));
	values[RATIO_BOUNDS_VALUES - 1] = INFINITY;
	assert_false(ratio_bounds_import(&back, values, RATIO_BOUNDS_VALUES));
	assert_false(ratio_bounds_import(&back, values, 3));
}

static void the_share_test_matches_small_cases(void **state)
{
	struct share_test t;
	/* k = 2, share 1/2: a uniform prior; B(1+3, 1+1)/(B(1,1) 2^-4) = (3! 1!/5!) 16 = 0.8 */
	share_test_init(&t, 2);
	assert_near(share_test_ln(&t), 0, 0);
	share_test_step(&t, .5);
	share_test_add(&t, 3, 1);
	assert_near(share_test_ln(&t), log(.8), 1e-12);
	/* A second step multiplies; at shares 0 and 1 nothing is tested. */
	share_test_step(&t, .5);
	share_test_add(&t, 1, 3);
	assert_near(share_test_ln(&t), 2 * log(.8), 1e-12);
	share_test_step(&t, 1);
	share_test_add(&t, 5, 5);
	assert_near(share_test_ln(&t), 2 * log(.8), 1e-12);
}

static void the_share_test_alarms_only_when_the_share_is_off(void **state)
{
	struct rng rng;
	int alarms = 0;
	rng_init(&rng, 41, 0);
	for (int run = 0; run < 60; run++) {
		struct share_test t;
		bool alarm = false;
		share_test_init(&t, SHARE_TEST_K);
		for (int tick = 0; tick < 400; tick++) {
			if (tick % 200 == 0)
				share_test_step(&t, tick ? .25 : .05);
			const double n_c = draw_binomial(&rng, 200, tick < 200 ? .05 : .25);
			share_test_add(&t, n_c, 200 - n_c);
			alarm = alarm || share_test_ln(&t) >= log(20);
		}
		alarms += alarm;
	}
	assert_true(alarms <= 9); /* at most 5 % of 60 = 3 expected */
	struct share_test off;
	share_test_init(&off, SHARE_TEST_K);
	share_test_step(&off, .05);
	share_test_add(&off, 1400, 20000 - 1400); /* 7 % arrived where 5 % was asked */
	assert_true(share_test_ln(&off) > log(100));
}

static void scores(void **state)
{
	assert_near(health_score(-5, .01), 100, 0);
	assert_near(health_score(0, .01), 100, 0);
	assert_near(health_score(log(10), .01), 50, 1e-9);
	assert_near(health_score(log(100), .01), 0, 1e-9);
	assert_near(health_score(1e4, .01), 0, 0);
	const double lns[] = { log(20), log(20) / 4, 50 };
	assert_near(promote_progress(lns, 3, .05), .25, 1e-12);
	assert_near(promote_progress(lns, 1, .05), 1, 1e-12);
	assert_near(promote_progress(NULL, 0, .05), 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_risk_ratio_ignores_ramp_and_drift),
		cmocka_unit_test(the_latency_ratio_ignores_ramp_and_drift),
		cmocka_unit_test(bounds_close_in_on_the_ratio),
		cmocka_unit_test(bounds_survive_export_and_import),
		cmocka_unit_test(the_share_test_matches_small_cases),
		cmocka_unit_test(the_share_test_alarms_only_when_the_share_is_off),
		cmocka_unit_test(scores),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
