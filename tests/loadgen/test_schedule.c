#include "loadgen/schedule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/must.h"

#define CURVE(...)                                                     \
	((struct curve){ (const struct load_segment[]){ __VA_ARGS__ }, \
	                 sizeof((struct load_segment[]){ __VA_ARGS__ }) / sizeof(struct load_segment) })

/* Whole arrivals with exact instants, by the definition: number k is where the integral reaches k. */
static uint64_t count_arrivals(struct curve curve, uint32_t workers, dur_ns end)
{
	uint64_t count = 0;
	for (uint32_t w = 0; w < workers; w++) {
		struct arrivals a;
		arrivals_init(&a, curve, false, w, workers, 0);
		for (; a.at < end; arrivals_advance(&a))
			count++;
	}
	return count;
}

static void a_curve_is_linear_between_its_points(void **state)
{
	const struct curve c = CURVE({ 0, 10, 10 * SECOND }, { 10, 10, 5 * SECOND }, { 10, 4, 2 * SECOND });
	assert_true(curve_value(&c, 0) == 0);
	assert_true(curve_value(&c, -SECOND) == 0);
	assert_true(curve_value(&c, 5 * SECOND) == 5);
	assert_true(curve_value(&c, 12 * SECOND) == 10);
	assert_true(curve_value(&c, 16 * SECOND) == 7);
	assert_true(curve_value(&c, HOUR) == 4);
	assert_true(curve_integral(&c, 0) == 0);
	assert_true(curve_integral(&c, 10 * SECOND) == 50);
	assert_true(curve_integral(&c, 15 * SECOND) == 100);
	assert_true(curve_integral(&c, HOUR) == 114);
}

static void a_jump_has_the_value_behind_it(void **state)
{
	const struct curve c = CURVE({ 2, 2, SECOND }, { 2, 8, 0 }, { 8, 8, SECOND });
	assert_true(curve_value(&c, SECOND - 1) == 2);
	assert_true(curve_value(&c, SECOND) == 8);
	assert_true(curve_integral(&c, 2 * SECOND) == 10);
	assert_true(curve_when_value(&c, 0, 5) == SECOND);
	assert_true(curve_when_integral(&c, 2) == SECOND);
	assert_true(curve_when_integral(&c, 6) == SECOND + SECOND / 2);
}

static void an_empty_curve_has_no_arrivals(void **state)
{
	const struct curve none = { NULL, 0 };
	assert_true(curve_value(&none, SECOND) == 0);
	assert_true(curve_when_integral(&none, 0) == SCHEDULE_NEVER);
	assert_true(curve_when_value(&none, 0, 1) == SCHEDULE_NEVER);
	assert_int_equal(count_arrivals(CURVE({ 0, 0, HOUR }), 2, HOUR), 0);
}

static void a_constant_rate_has_exactly_its_arrivals(void **state)
{
	static const struct {
		int64_t per_1000_s; /* the rate */
		dur_ns length;
		uint64_t arrivals;
	} cases
		[] = {
			{ 10000, 10 * SECOND, 100 },
			{ 100, 10 * SECOND, 1 },
			{ 100, 100 * SECOND, 10 },
			{ 1100, 10 * SECOND, 11 },
			{ 1100, 50 * SECOND, 55 },
			{ 1000000000, SECOND, 1000000 },
			{ 100, 24 * HOUR, 8640 },
			{ 333, 1000 * SECOND, 333 },
			{ 1000, SECOND / 2, 1 },
			{ 2000, 1500 * MILLISECOND, 3 },
			{ 10000, 50 * MILLISECOND, 1 },
			{ 700, 90 * SECOND, 63 },
			{ 100000000, 3 * SECOND, 300000 },
			{ 600000, 1666667, 2 }, /* the second a third of a nanosecond before the end */
		};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const double rate = (double)cases[i].per_1000_s / 1000;
		const struct curve c = CURVE({ rate, rate, cases[i].length });
		for (uint32_t workers = 1; workers <= 3; workers++)
			assert_int_equal(count_arrivals(c, workers, cases[i].length), cases[i].arrivals);
	}
}

/* Every rate of 0.1 .. 200.0 over whole seconds: ceil of the product in whole numbers, never of a rounded one. */
static void rounding_never_adds_or_loses_an_arrival(void **state)
{
	for (int64_t tenths = 1; tenths <= 2000; tenths += 7)
		for (int64_t s = 1; s <= 31; s += 3) {
			const double rate = (double)tenths / 10;
			const struct curve c = CURVE({ rate, rate, s * SECOND });
			assert_int_equal(count_arrivals(c, 1, s * SECOND), (uint64_t)((tenths * s + 9) / 10));
		}
}

static void even_arrivals_are_on_the_nanosecond(void **state)
{
	struct arrivals a;
	arrivals_init(&a, CURVE({ 10, 10, 100 * SECOND }), false, 0, 1, 0);
	for (int64_t k = 0; k < 1000; k++, arrivals_advance(&a)) {
		assert_int_equal(a.number, k);
		assert_int_equal(a.at, k * 100 * MILLISECOND);
	}
	assert_true(a.at == SCHEDULE_NEVER);
}

static void a_long_run_does_not_drift(void **state)
{
	/* 24 h at 100,000/s: the last arrivals, reached from the start by the definition. */
	const struct curve c = CURVE({ 1e5, 1e5, 24 * HOUR });
	for (int64_t back = 1; back < 2000; back++)
		assert_int_equal(curve_when_integral(&c, 86400.0 * 1e5 - (double)back),
		                 24 * HOUR - back * 10 * MICROSECOND);
	assert_true(curve_when_integral(&c, 86400.0 * 1e5) == SCHEDULE_NEVER);
}

static void arrivals_on_a_ramp_are_where_the_integral_reaches_them(void **state)
{
	const struct curve c = CURVE({ 0, 50, 10 * SECOND }, { 50, 50, SECOND }, { 50, 5, 0 }, { 5, 0, 4 * SECOND },
	                             { 0, 0, 3 * SECOND }, { 0, 20, 2 * SECOND });
	struct arrivals a;
	uint64_t count = 0;
	dur_ns before = -1;
	for (arrivals_init(&a, c, false, 0, 1, 0); a.at != SCHEDULE_NEVER; arrivals_advance(&a), count++) {
		assert_true(a.at >= before);
		/* Half a nanosecond at 50/s is 2.5e-8 of an arrival. */
		assert_true(fabs(curve_integral(&c, a.at) - (double)a.number) < 1e-6);
		before = a.at;
	}
	assert_int_equal(count, 250 + 50 + 10 + 20);
}

static void an_arrival_on_the_edge_of_a_pause_comes_after_it(void **state)
{
	struct arrivals a;
	arrivals_init(&a, CURVE({ 1.1, 1.1, 50 * SECOND }, { 0, 0, 10 * SECOND }, { 1, 1, SECOND }), false, 0, 1, 0);
	for (int i = 0; i < 55; i++, arrivals_advance(&a))
		assert_true(a.at < 50 * SECOND);
	assert_int_equal(a.at, 60 * SECOND);
}

struct planned {
	uint64_t number;
	dur_ns at;
};

static int by_number(const void *a, const void *b)
{
	const struct planned *x = a, *y = b;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* All arrivals of all workers, by number. Given. */
static struct planned *collect(struct curve c, bool poisson, uint32_t workers, uint64_t seed, size_t *ret_count)
{
	struct planned *all = NULL;
	size_t count = 0;
	for (uint32_t w = 0; w < workers; w++) {
		struct arrivals a;
		for (arrivals_init(&a, c, poisson, w, workers, seed); a.at != SCHEDULE_NEVER; arrivals_advance(&a)) {
			all = xreallocarray(all, count + 1, sizeof(*all));
			all[count++] = (struct planned){ a.number, a.at };
		}
	}
	if (count > 0)
		qsort(all, count, sizeof(*all), by_number);
	*ret_count = count;
	return all;
}

static void workers_together_make_the_arrivals_of_one(void **state)
{
	const struct curve c = CURVE({ 0, 120, 3 * SECOND }, { 120, 120, 2 * SECOND }, { 120, 10, 3 * SECOND });
	for (int poisson = 0; poisson <= 1; poisson++) {
		size_t count, others;
		struct planned *one = collect(c, poisson, 1, 7, &count);
		assert_true(count > 400);
		for (uint32_t workers = 2; workers <= 5; workers++) {
			struct planned *more = collect(c, poisson, workers, 7, &others);
			assert_int_equal(others, count);
			for (size_t i = 0; i < count; i++) {
				assert_int_equal(more[i].number, i);
				assert_int_equal(more[i].at, one[i].at);
			}
			free(more);
		}
		free(one);
	}
}

static void poisson_arrivals_have_the_mean_and_the_variance(void **state)
{
	/* 2,000 windows of 1 s at 25/s. The mean has a standard error of sqrt(25/2000) = 0.11, the variance one of
	 * about 25 sqrt(2/2000) = 0.79; five of them are never met by chance, and the seed is fixed anyway. */
	enum { WINDOWS = 2000 };
	static uint32_t windows[WINDOWS];
	struct arrivals a;
	double sum = 0, squares = 0;
	memset(windows, 0, sizeof(windows));
	for (arrivals_init(&a, CURVE({ 25, 25, WINDOWS * SECOND }), true, 0, 1, 42); a.at != SCHEDULE_NEVER;
	     arrivals_advance(&a))
		windows[a.at / SECOND]++;
	for (size_t i = 0; i < WINDOWS; i++) {
		sum += windows[i];
		squares += (double)windows[i] * windows[i];
	}
	const double mean = sum / WINDOWS, variance = squares / WINDOWS - mean * mean;
	assert_true(fabs(mean - 25) < 0.55);
	assert_true(fabs(variance - 25) < 4);
}

static void a_seed_repeats_poisson_arrivals(void **state)
{
	struct arrivals a, same, other;
	const struct curve c = CURVE({ 100, 100, HOUR });
	int differ = 0;
	arrivals_init(&a, c, true, 1, 3, 5);
	arrivals_init(&same, c, true, 1, 3, 5);
	arrivals_init(&other, c, true, 1, 3, 6);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(a.at, same.at);
		differ += a.at != other.at;
		arrivals_advance(&a);
		arrivals_advance(&same);
		arrivals_advance(&other);
	}
	assert_true(differ > 990);
}

static void a_level_is_found_again_behind_a_dip(void **state)
{
	const struct curve c = CURVE({ 0, 10, 10 * SECOND }, { 10, 2, 8 * SECOND }, { 2, 2, 2 * SECOND },
	                             { 2, 6, 4 * SECOND });
	assert_true(curve_when_value(&c, 0, 0) == 0);
	assert_true(curve_when_value(&c, 0, 5) == 5 * SECOND);
	assert_true(curve_when_value(&c, 7 * SECOND, 5) == 7 * SECOND);
	assert_true(curve_when_value(&c, 14 * SECOND, 5) == 14 * SECOND); /* 6 there: still enough */
	assert_true(curve_when_value(&c, 16 * SECOND, 5) == 23 * SECOND);
	assert_true(curve_when_value(&c, 19 * SECOND, 5) == 23 * SECOND);
	assert_true(curve_when_value(&c, 11 * SECOND, 10) == SCHEDULE_NEVER);
	assert_true(curve_when_value(&c, 0, 10.5) == SCHEDULE_NEVER);
}

static void a_level_is_never_found_too_early(void **state)
{
	const struct curve c = CURVE({ 0, 7, 3 * SECOND }, { 7, 1, SECOND }, { 1, 9, 5 * SECOND });
	for (int level = 1; level <= 9; level++)
		for (dur_ns from = 0; from < 9 * SECOND; from += 37 * MILLISECOND) {
			const dur_ns at = curve_when_value(&c, from, level);
			if (at == SCHEDULE_NEVER)
				continue;
			assert_true(at >= from);
			assert_true(curve_value(&c, at) > level - 1e-6);
			if (at > from)
				assert_true(curve_value(&c, at - 1000) < level);
		}
}

static void a_level_is_found_to_the_nanosecond(void **state)
{
	const struct curve c = CURVE({ 0, 700000, SECOND });
	for (int level = 1; level <= 100; level++) {
		const dur_ns at = curve_when_value(&c, 0, level);
		assert_true(curve_value(&c, at) >= level - 1e-6);
		assert_true(curve_value(&c, at - 1) < level);
	}
}

static void a_stair_of_many_steps_costs_each_step_once(void **state)
{
	/* 20,000 steps, 10 arrivals each: looking from the first step for every arrival would take 2e9 of them. */
	enum { STEPS = 20000 };
	struct load_segment *steps = xcalloc(STEPS, sizeof(*steps));
	struct arrivals a;
	uint64_t count = 0;
	for (int i = 0; i < STEPS; i++)
		steps[i] = (struct load_segment){ 1 + i % 5, 1 + i % 5, 10 * SECOND / (1 + i % 5) };
	for (arrivals_init(&a, (struct curve){ steps, STEPS }, false, 0, 1, 0); a.at != SCHEDULE_NEVER;
	     arrivals_advance(&a), count++)
		assert_int_equal(a.cursor.segment, count / 10);
	assert_int_equal(count, 10 * STEPS);
	free(steps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_curve_is_linear_between_its_points),
		cmocka_unit_test(a_jump_has_the_value_behind_it),
		cmocka_unit_test(an_empty_curve_has_no_arrivals),
		cmocka_unit_test(a_constant_rate_has_exactly_its_arrivals),
		cmocka_unit_test(rounding_never_adds_or_loses_an_arrival),
		cmocka_unit_test(even_arrivals_are_on_the_nanosecond),
		cmocka_unit_test(a_long_run_does_not_drift),
		cmocka_unit_test(arrivals_on_a_ramp_are_where_the_integral_reaches_them),
		cmocka_unit_test(an_arrival_on_the_edge_of_a_pause_comes_after_it),
		cmocka_unit_test(workers_together_make_the_arrivals_of_one),
		cmocka_unit_test(poisson_arrivals_have_the_mean_and_the_variance),
		cmocka_unit_test(a_seed_repeats_poisson_arrivals),
		cmocka_unit_test(a_level_is_found_again_behind_a_dip),
		cmocka_unit_test(a_level_is_never_found_too_early),
		cmocka_unit_test(a_level_is_found_to_the_nanosecond),
		cmocka_unit_test(a_stair_of_many_steps_costs_each_step_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
