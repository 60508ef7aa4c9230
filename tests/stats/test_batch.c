#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>

#include "base/must.h"
#include "base/rng.h"
#include "stats/batch.h"

static void assert_near(double got, double want, double within)
{
	if (!(fabs(got - want) <= within))
		fail_msg("%.12g is not within %g of %.12g", got, within, want);
}

/* From printed tables of the two distributions. */
static void quantiles_of_the_tables(void **state)
{
	static const struct {
		double p, df, t;
	} cases[] = {
		{ .975, 1, 12.7062047362 },   { .975, 2, 4.30265272975 },
		{ .95, 19, 1.72913281152 },   { .995, 10, 3.16927267262 },
		{ .975, 29, 2.04522964213 },  { .9995, 5, 6.86882663 },
		{ .025, 29, -2.04522964213 }, { .5, 3, 0 },
		{ .975, 1e7, 1.95996422 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_near(student_quantile(cases[i].p, cases[i].df), cases[i].t, 2e-8 * fmax(1, fabs(cases[i].t)));
	assert_near(normal_quantile(.975), 1.959963984540054, 1e-12);
	assert_near(normal_quantile(.5), 0, 0);
	assert_near(normal_quantile(1e-9), -5.997807015, 1e-8);
}

static void incomplete_beta(void **state)
{
	assert_near(beta_share(1, 1, .3), .3, 1e-14);
	assert_near(beta_share(2, 3, .4), 0.5248, 1e-12);
	assert_near(beta_share(.5, .5, .5), .5, 1e-14);
	assert_near(beta_share(2, 3, 0), 0, 0);
	assert_near(beta_share(2, 3, 1), 1, 0);
	double sum = 0; /* against the sum of the probabilities themselves */
	for (int k = 0; k <= 12; k++) {
		sum += exp(lgamma(31) - lgamma(k + 1) - lgamma(31 - k) + k * log(.2) + (30 - k) * log(.8));
		assert_near(binomial_below(30, .2, k), sum, 1e-12);
	}
	assert_near(binomial_below(30, .2, -1), 0, 0);
	assert_near(binomial_below(30, .2, 30), 1, 0);
}

/* capacity.md section 7; 459 is LoadGen's published figure. */
static void guarantees_of_the_design(void **state)
{
	static const struct {
		double q, c;
		int64_t k, n;
	} cases[] = {
		{ .05, .95, 0, 59 },    { .05, .95, 1, 93 },    { .05, .95, 5, 208 },  { .05, .95, 10, 336 },
		{ .01, .95, 0, 299 },   { .01, .95, 1, 473 },   { .01, .95, 5, 1049 }, { .01, .95, 10, 1693 },
		{ .001, .95, 0, 2995 }, { .001, .95, 1, 4742 }, { .01, .99, 0, 459 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(guarantee_least_n(cases[i].q, cases[i].c, cases[i].k), cases[i].n);
}

static void ranks_of_the_design(void **state)
{
	int64_t low, high;
	assert_true(quantile_ranks(200, .95, .95, &low, &high));
	assert_int_equal(low, 184);
	assert_int_equal(high, 197);
	assert_true(quantile_ranks(1000, .99, .95, &low, &high));
	assert_int_equal(low, 983);
	assert_int_equal(high, 997);
	assert_false(quantile_ranks(60, .95, .95, &low, &high));
	assert_int_equal(high, 61);
	assert_false(quantile_ranks(100, .99, .95, &low, &high));
	assert_int_equal(high, 101);
	assert_false(quantile_ranks(5, .01, .95, &low, &high));
	assert_int_equal(low, 0);
	/* by definition, for many sizes */
	for (int64_t n = 10; n < 400; n += 13) {
		quantile_ranks(n, .9, .95, &low, &high);
		assert_true(binomial_below(n, .9, low - 1) <= .025 && binomial_below(n, .9, low) > .025);
		assert_true(high == n + 1 || binomial_below(n, .9, high - 1) >= .975);
		assert_true(binomial_below(n, .9, high - 2) < .975);
	}
}

static void ratio_estimates(void **state)
{
	/* k = 2, 4, 6 of 100 each: p = .04, s^2 = 4, se = sqrt(4/3)/100 */
	const struct batch batches[] = { { 2, 100 }, { 4, 100 }, { 6, 100 } };
	struct share_estimate s = share_estimate(batches, 3);
	double low, high;
	assert_near(s.p, .04, 1e-15);
	assert_near(s.se, sqrt(4.0 / 3) / 100, 1e-15);
	assert_near(s.deff, s.se * s.se / (.04 * .96 / 300), 1e-12);
	share_interval(&s, .95, &low, &high);
	assert_near(high, .04 + 4.30265272975 * s.se, 1e-9);
	assert_near(low, 0, 0);
	assert_near(share_upper(&s, .95), .04 + 2.91998558036 * s.se, 1e-9);
	s = share_estimate(batches, 1);
	assert_near(share_upper(&s, .95), 1, 0); /* one batch proves nothing */
	s = share_estimate(NULL, 0);
	share_interval(&s, .95, &low, &high);
	assert_true(low == 0 && high == 1);
}

/* Batches that share a common shock: the batch interval covers, the binomial one does not. */
static void batches_see_what_binomial_formulas_miss(void **state)
{
	struct rng rng;
	int covered = 0, wilson = 0;
	rng_init(&rng, 11, 0);
	for (int run = 0; run < 400; run++) {
		struct batch batches[20];
		double k = 0, low, high;
		for (size_t i = 0; i < ARRAY_LEN(batches); i++) {
			const double p = rng_uniform(&rng) * .1;
			batches[i] = (struct batch){ 0, 500 };
			for (int j = 0; j < 500; j++)
				batches[i].k += rng_uniform(&rng) < p;
			k += batches[i].k;
		}
		const struct share_estimate s = share_estimate(batches, ARRAY_LEN(batches));
		share_interval(&s, .95, &low, &high);
		covered += low <= .05 && .05 <= high;
		wilson_interval(k, 10000, .95, &low, &high);
		wilson += low <= .05 && .05 <= high;
	}
	assert_in_range(covered, 360, 400);
	assert_true(wilson < 250);
}

static void wilson_vectors(void **state)
{
	double low, high;
	wilson_interval(10, 100, .95, &low, &high);
	assert_near(low, 0.0552291370606751, 1e-12);
	assert_near(high, 0.174365661504913, 1e-12);
	wilson_interval(0, 20, .95, &low, &high);
	assert_near(low, 0, 0);
	assert_near(high, 0.161125162, 1e-8);
	wilson_interval(0, 0, .95, &low, &high);
	assert_true(low == 0 && high == 1);
}

static void isotonic_pools_violators(void **state)
{
	const struct load_point points[] = {
		{ 100, { 1, 100 } }, { 110, { 5, 100 } }, { 120, { 3, 100 } }, { 130, { 2, 200 } }, { 140, { 30, 100 } }
	};
	double fitted[5];
	isotonic_shares(points, 5, fitted);
	assert_near(fitted[0], .01, 1e-15);
	for (int i = 1; i < 4; i++)
		assert_near(fitted[i], .025, 1e-15);
	assert_near(fitted[4], .3, 1e-15);
	const struct load_point slight[] = { { 100, { 5, 100 } }, { 110, { 4, 100 } } };
	isotonic_shares(slight, 2, fitted);
	assert_near(fitted[0], .045, 1e-15);
	assert_near(fitted[1], .045, 1e-15);
}

static void the_load_at_a_share(void **state)
{
	const struct load_point points[] = { { 100, { 1, 100 } }, { 200, { 4, 100 } }, { 300, { 16, 100 } } };
	double load;
	assert_int_equal(isotonic_load_at(points, 3, .02, &load), LOAD_CROSSED);
	assert_near(load, 150, 1e-9); /* half-way between ln .01 and ln .04 */
	assert_int_equal(isotonic_load_at(points, 3, .04, &load), LOAD_CROSSED);
	assert_near(load, 200, 1e-9);
	assert_int_equal(isotonic_load_at(points, 3, .2, &load), LOAD_ALL_BELOW);
	assert_near(load, 300, 0);
	assert_int_equal(isotonic_load_at(points, 3, .005, &load), LOAD_ALL_ABOVE);
	assert_near(load, 100, 0);
	const struct load_point silent[] = { { 100, { 0, 50 } }, { 200, { 4, 100 } } };
	assert_int_equal(isotonic_load_at(silent, 2, .02, &load), LOAD_CROSSED);
	assert_near(load, 150, 1e-9);
}

/* Shares that grow e-fold per 20 of load and pass 5 % at 160; batches vary by a common factor. */
static void intervals_of_the_load(void **state)
{
	struct rng rng;
	int covered = 0;
	double low, high, width = 0;
	rng_init(&rng, 17, 0);
	for (int run = 0; run < 60; run++) {
		struct batch batches[5][12];
		struct load_trial trials[5];
		for (size_t i = 0; i < 5; i++) {
			trials[i] = (struct load_trial){ 120 + 20 * (double)i, batches[i], 12 };
			for (size_t j = 0; j < 12; j++) {
				const double p = .05 * exp((trials[i].load - 160) / 20) * (.5 + rng_uniform(&rng));
				batches[i][j] = (struct batch){ 0, 200 };
				for (int n = 0; n < 200; n++)
					batches[i][j].k += rng_uniform(&rng) < p;
			}
		}
		isotonic_load_interval(trials, 5, .05, .9, 200, &rng, &low, &high);
		assert_true(low < high && low >= 120 && high <= 200);
		covered += low <= 160 && 160 <= high;
		width += (high - low) / 60;
	}
	assert_true(covered >= 42); /* 54 nominal */
	assert_true(width > 1 && width < 12);
	const struct batch silent[] = { { 0, 100 }, { 0, 0 } };
	const struct load_trial all_below = { 100, silent, 2 };
	isotonic_load_interval(&all_below, 1, .05, .9, 50, &rng, &low, &high);
	assert_true(low == 100 && high == 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles_of_the_tables),  cmocka_unit_test(incomplete_beta),
		cmocka_unit_test(guarantees_of_the_design), cmocka_unit_test(ranks_of_the_design),
		cmocka_unit_test(ratio_estimates),          cmocka_unit_test(batches_see_what_binomial_formulas_miss),
		cmocka_unit_test(wilson_vectors),           cmocka_unit_test(isotonic_pools_violators),
		cmocka_unit_test(the_load_at_a_share),      cmocka_unit_test(intervals_of_the_load),

	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
