#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>

#include "base/must.h"
#include "base/rng.h"
#include "stats/logbins.h"

static void edges_and_indices_agree(void **state)
{
	assert_int_equal(LOGBINS, 386);
	assert_int_equal(logbins_index(-1), 0);
	assert_int_equal(logbins_index(0), 0);
	assert_int_equal(logbins_index(8191), 0);
	assert_int_equal(logbins_index(8192), 1);
	assert_int_equal(logbins_index(INT64_C(1) << 37), LOGBINS - 1);
	assert_int_equal(logbins_index(INT64_MAX), LOGBINS - 1);
	for (int bin = 1; bin < LOGBINS; bin++) {
		assert_int_equal(logbins_index(logbins_from(bin)), bin);
		assert_int_equal(logbins_index(logbins_from(bin) - 1), bin - 1);
		/* against the definition */
		const double edge = exp2(LOGBINS_LOWEST_LOG2 + (bin - 1) / 16.0);
		assert_true(fabs((double)logbins_from(bin) - edge) <= 1 + edge * 1e-9);
	}
	assert_true(logbins_from(LOGBINS) == INT64_MAX);
}

static void bins_are_found_as_by_logarithm(void **state)
{
	struct rng rng;
	rng_init(&rng, 1, 0);
	for (int i = 0; i < 200000; i++) {
		const int64_t ns = (int64_t)(8192 * exp2(24 * rng_uniform(&rng)));
		const double exact = 16 * log2((double)ns / 8192);
		if (fabs(exact - round(exact)) < 1e-6)
			continue;
		assert_int_equal(logbins_index(ns), 1 + (int)floor(exact));
	}
}

static void counts_above_thresholds(void **state)
{
	static struct logbins b, twice;
	for (int i = 0; i < LOGBINS; i++)
		for (int n = 0; n < i % 3; n++)
			logbins_record(&b, logbins_from(i));
	const int thresholds[] = { 100, 0, 380, LOGBINS - 1, 200 };
	int64_t above[ARRAY_LEN(thresholds)];
	for (int shift = 0; shift < 7; shift++) {
		logbins_above_each(&b, thresholds, ARRAY_LEN(thresholds), shift, above);
		for (size_t i = 0; i < ARRAY_LEN(thresholds); i++) {
			int64_t want = 0;
			for (int bin = thresholds[i] + shift + 1; bin < LOGBINS; bin++)
				want += b.counts[bin];
			assert_int_equal(above[i], want);
			assert_int_equal(logbins_above(&b, thresholds[i] + shift), want);
		}
	}
	assert_int_equal(logbins_above(&b, -1), b.total);
	logbins_add(&twice, &b);
	logbins_add(&twice, &b);
	assert_int_equal(twice.total, 2 * b.total);
	assert_int_equal(logbins_above(&twice, 100), 2 * logbins_above(&b, 100));
	logbins_reset(&twice);
	assert_int_equal(logbins_above(&twice, -1), 0);
}

static void margins_in_bins(void **state)
{
	assert_int_equal(logbins_shift(0), 0);
	assert_int_equal(logbins_shift(.01), 1);
	assert_int_equal(logbins_shift(.1), 3);
	assert_int_equal(logbins_shift(.25), 6);
	assert_int_equal(logbins_shift(1), 16);
	for (int bins = 1; bins <= 64; bins++) /* rounding must not cost a bin */
		assert_int_equal(logbins_shift(exp2(bins / 16.0) - 1), bins);
}

static void quantiles_of_bins(void **state)
{
	static struct logbins b;
	static double weights[LOGBINS];
	struct hist h;
	assert_int_equal(logbins_quantile_bin(&b, .5), -1);
	assert_true(logbins_weighted_quantile(weights, .5) == 0);
	hist_init_latency(&h);
	for (int i = 1; i <= 1000; i++)
		hist_record(&h, i * INT64_C(1000000));
	logbins_add_hist(&b, &h);
	assert_int_equal(b.total, 1000);
	assert_int_equal(logbins_quantile_bin(&b, .5), logbins_index(500000000));
	assert_int_equal(logbins_quantile_bin(&b, 1), logbins_index(1000000000));
	assert_int_equal(logbins_quantile_bin(&b, 0), logbins_index(1000000));
	for (int i = 0; i < LOGBINS; i++)
		weights[i] = 0.25 * (double)b.counts[i];
	assert_true(fabs(logbins_weighted_quantile(weights, .5) / 5e8 - 1) < .01);
	assert_true(fabs(logbins_weighted_quantile(weights, .99) / 9.9e8 - 1) < .02);
	assert_true(logbins_weighted_quantile(weights, 1) <= 1.05e9);
	hist_finish(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edges_and_indices_agree), cmocka_unit_test(bins_are_found_as_by_logarithm),
		cmocka_unit_test(counts_above_thresholds), cmocka_unit_test(margins_in_bins),
		cmocka_unit_test(quantiles_of_bins),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
