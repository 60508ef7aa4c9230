#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/rng.h"
#include "stats/hist.h"

/* Sizes and indices worked out in histogram.md, sections 1 and 3. */
static void layouts_have_the_known_sizes(void **state)
{
	assert_int_equal(hist_layout_len(1, 3600000000, 3), 23552);
	assert_int_equal(hist_layout_len(1, 3600000000, 2), 3328);
	assert_int_equal(hist_layout_len(1000, 3600000000000, 3), 24576);
	assert_int_equal(hist_layout_len(1, 60000000, 3), 17408);
	assert_int_equal(hist_layout_len(0, 100, 3), 0);
	assert_int_equal(hist_layout_len(51, 100, 3), 0);
	assert_int_equal(hist_layout_len(1, 100, 6), 0);
	assert_int_equal(hist_layout_len(1, 100, -1), 0);
	assert_int_equal(hist_layout_len(INT64_MAX / 2, INT64_MAX, 5), 0);
	assert_true(hist_layout_len(1, INT64_MAX, 3) > 0);
	assert_int_equal(hist_layout_len(1, INT64_MAX, 5), 0); /* past HIST_COUNTS_MAX */
}

static void indices_are_those_of_worked_example_a(void **state)
{
	static const struct {
		int64_t value;
		int32_t index;
		int64_t from, to;
	} cases[] = {
		{ 0, 0, 0, 0 },
		{ 1, 1, 1, 1 },
		{ 3, 3, 3, 3 },
		{ 1000, 1000, 1000, 1000 },
		{ 2047, 2047, 2047, 2047 },
		{ 2049, 2048, 2048, 2049 },
		{ 1234567, 11445, 1233920, 1234943 },
	};
	struct hist h;
	hist_init(&h, 1, 60000000, 3);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(hist_index(&h, cases[i].value), cases[i].index);
		assert_int_equal(hist_value_from(&h, cases[i].index), cases[i].from);
		assert_int_equal(hist_value_to(&h, cases[i].index), cases[i].to);
	}
	hist_finish(&h);
}

static void every_index_round_trips_without_gaps(void **state)
{
	static const struct {
		int64_t lowest, highest;
		int digits;
	} layouts[] = {
		{ 1, 3600000000, 3 }, { 1000, 3600000000000, 3 }, { 1, 100, 0 }, { 7, 1000000, 1 }, { 1, INT64_MAX, 3 }
	};
	for (size_t l = 0; l < ARRAY_LEN(layouts); l++) {
		struct hist h;
		hist_init(&h, layouts[l].lowest, layouts[l].highest, layouts[l].digits);
		const int32_t last = hist_index(&h, h.highest);
		assert_true(last < h.counts_len);
		int64_t next = 0;
		for (int32_t i = 0; i <= last; i++) {
			assert_int_equal(hist_value_from(&h, i), next);
			assert_int_equal(hist_index(&h, hist_value_from(&h, i)), i);
			assert_int_equal(hist_index(&h, hist_value_to(&h, i)), i);
			next = (int64_t)((uint64_t)hist_value_to(&h, i) + 1);
		}
		hist_finish(&h);
	}
}

static void quantiles_of_worked_example_b(void **state)
{
	struct hist auth, messages;
	hist_init_latency(&auth);
	hist_init_latency(&messages);
	hist_record_n(&auth, 12000000, 90);
	hist_record_n(&auth, 25000000, 8);
	hist_record_n(&auth, 180000000, 2);
	assert_int_equal(hist_quantile(&auth, 0.5), 12001279);
	assert_int_equal(hist_quantile(&auth, 0.95), 25001983);
	assert_int_equal(hist_quantile(&auth, 0.99), 180000000); /* never above what was recorded */
	assert_int_equal(hist_highest_equivalent(&auth, 180000000), 180092927);
	hist_record_n(&messages, 40000000, 50);
	hist_record_n(&messages, 41000000, 49);
	hist_record_n(&messages, 2500000000, 1);
	assert_int_equal(hist_quantile(&messages, 0.5), 40009727);
	assert_int_equal(hist_quantile(&messages, 0.99), 41025535);
	assert_int_equal(hist_quantile(&messages, 1), 2500000000);
	assert_int_equal(hist_count_above(&messages, 40000000), 50);
	assert_int_equal(hist_count_above(&messages, 40009727), 50);
	assert_int_equal(hist_count_above(&messages, -1), 100);
	assert_int_equal(hist_count_above(&messages, INT64_MAX), 0);
	assert_true(fabs(hist_mean(&messages) - (50 * 40e6 + 49 * 41e6 + 2.5e9) / 100) < 1);
	hist_finish(&auth);
	hist_finish(&messages);
}

/* With n = 120 the 99.5th percentile is the 120th value (119.4 rounded up), not the 119th. */
static void ranks_round_up_and_only_when_they_should(void **state)
{
	struct hist h;
	hist_init(&h, 1, 100000, 3);
	for (int i = 1; i <= 120; i++)
		hist_record(&h, i * 10);
	assert_int_equal(hist_quantile(&h, 0.995), 1200);
	assert_int_equal(hist_quantile(&h, 0), 10);
	assert_int_equal(hist_quantile(&h, 1), 1200);
	hist_reset(&h);
	for (int i = 1; i <= 100; i++)
		hist_record(&h, i);
	for (int i = 1; i <= 100; i++) /* 0.07 x 100 is 7.000000000000001, and it is still the seventh */
		assert_int_equal(hist_quantile(&h, (double)i / 100), i);
	hist_reset(&h);
	for (int i = 1; i <= 1000; i++)
		hist_record(&h, i);
	for (int i = 1; i <= 1000; i++)
		assert_int_equal(hist_quantile(&h, (double)i / 1000), i);
	hist_finish(&h);
}

static void extremes_are_counted_not_lost(void **state)
{
	struct hist h;
	hist_init_latency(&h);
	assert_int_equal(hist_quantile(&h, 0.5), 0);
	assert_int_equal(hist_min(&h), 0);
	assert_int_equal(hist_max(&h), 0);
	hist_record(&h, -5);
	hist_record(&h, 3);
	hist_record(&h, INT64_MAX);
	hist_record_n(&h, 5, 0);
	assert_int_equal(hist_count(&h), 3);
	assert_int_equal(h.clamped, 1);
	assert_int_equal(hist_min(&h), 0);
	assert_int_equal(hist_max(&h), HIST_LATENCY_HIGHEST);
	assert_int_equal(h.counts[0], 2);
	struct hist sum;
	hist_init_latency(&sum);
	hist_add(&sum, &h);
	hist_add(&sum, &h);
	assert_int_equal(sum.clamped, 2);
	assert_int_equal(hist_count(&sum), 6);
	hist_finish(&sum);
	hist_reset(&h);
	for (int32_t i = 0; i < h.counts_len; i++)
		assert_int_equal(h.counts[i], 0);
	assert_int_equal(h.clamped, 0);
	hist_finish(&h);
}

static int by_value(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static void merged_halves_answer_like_the_sorted_whole(void **state)
{
	static int64_t values[20000];
	struct hist halves[2];
	struct rng rng;
	rng_init(&rng, 42, 0);
	hist_init_latency(&halves[0]);
	hist_init_latency(&halves[1]);
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		values[i] = (int64_t)(20e6 * exp(rng_normal(&rng)));
		hist_record(&halves[i % 2], values[i]);
	}
	hist_add(&halves[0], &halves[1]);
	assert_int_equal(halves[0].clamped, 0);
	qsort(values, ARRAY_LEN(values), sizeof(values[0]), by_value);
	assert_int_equal(hist_count(&halves[0]), ARRAY_LEN(values));
	assert_int_equal(hist_min(&halves[0]), values[0]);
	assert_int_equal(hist_max(&halves[0]), values[ARRAY_LEN(values) - 1]);
	const double qs[] = { 0.0, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0 };
	int64_t got[ARRAY_LEN(qs)];
	hist_quantiles(&halves[0], qs, ARRAY_LEN(qs), got);
	for (size_t i = 0; i < ARRAY_LEN(qs); i++) {
		const size_t rank = qs[i] * ARRAY_LEN(values) < 1 ? 1 : (size_t)ceil(qs[i] * ARRAY_LEN(values) - 1e-6);
		const double exact = (double)values[rank - 1];
		assert_true((double)got[i] >= exact && (double)got[i] <= exact * 1.001);
		assert_int_equal(got[i], hist_quantile(&halves[0], qs[i]));
	}
	struct hist_bucket b = HIST_BEFORE_FIRST;
	int64_t seen = 0;
	while (hist_next(&halves[0], &b)) {
		assert_true(b.count > 0);
		seen += b.count;
		assert_int_equal(b.cumulative, seen);
		assert_int_equal(hist_count_above(&halves[0], b.from), 20000 - seen);
	}
	assert_int_equal(seen, 20000);
	hist_finish(&halves[0]);
	hist_finish(&halves[1]);
}

static void deviation_of_two_values(void **state)
{
	struct hist h;
	hist_init(&h, 1, 100000, 3);
	assert_true(hist_deviation(&h) == 0);
	hist_record_n(&h, 100, 5);
	hist_record_n(&h, 300, 5);
	assert_true(fabs(hist_deviation(&h) - 100) < 1e-9);
	hist_finish(&h);
}

static void totals_do_not_overflow(void **state)
{
	struct hist h;
	hist_init(&h, 1, 1000, 2);
	assert_true(hist_add_at(&h, 5, INT64_MAX - 1));
	assert_false(hist_add_at(&h, 6, 2));
	assert_int_equal(h.counts[6], 0);
	assert_true(hist_add_at(&h, 6, 1));
	assert_int_equal(hist_max(&h), 6);
	hist_finish(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layouts_have_the_known_sizes),
		cmocka_unit_test(indices_are_those_of_worked_example_a),
		cmocka_unit_test(every_index_round_trips_without_gaps),
		cmocka_unit_test(quantiles_of_worked_example_b),
		cmocka_unit_test(ranks_round_up_and_only_when_they_should),
		cmocka_unit_test(extremes_are_counted_not_lost),
		cmocka_unit_test(merged_halves_answer_like_the_sorted_whole),
		cmocka_unit_test(deviation_of_two_values),
		cmocka_unit_test(totals_do_not_overflow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
