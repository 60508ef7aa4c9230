#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

static void a_seed_repeats_the_stream(void **state)
{
	struct rng a, b, other_seed, other_stream;
	int same_seed = 0, same_stream = 0;
	rng_init(&a, 1, 2);
	rng_init(&b, 1, 2);
	rng_init(&other_seed, 2, 2);
	rng_init(&other_stream, 1, 3);
	for (int i = 0; i < 1000; i++) {
		const uint64_t x = rng_next(&a);
		assert_true(x == rng_next(&b));
		same_seed += x == rng_next(&other_seed);
		same_stream += x == rng_next(&other_stream);
	}
	assert_int_equal(same_seed + same_stream, 0);
}

static void the_generator_is_the_published_one(void **state)
{
	/* xoshiro256** of its authors from the state 1, 2, 3, 4; the first value is rotl(2 * 5, 7) * 9. */
	struct rng r = { { 1, 2, 3, 4 } };
	assert_true(rng_next(&r) == 11520);
	assert_true(rng_next(&r) == 0);
	assert_true(rng_next(&r) == 1509978240);
	assert_true(rng_next(&r) == UINT64_C(1215971899390074240));
}

static void streams_are_not_shifted_copies(void **state)
{
	struct rng a, b;
	uint64_t from_a[64];
	rng_init(&a, 9, 0);
	for (int i = 0; i < 64; i++)
		from_a[i] = rng_next(&a);
	for (uint64_t stream = 1; stream < 50; stream++) {
		rng_init(&b, 9, stream);
		const uint64_t x = rng_next(&b);
		for (int i = 0; i < 64; i++)
			assert_true(from_a[i] != x);
	}
}

#define DRAWS 100000

static void uniform_is_uniform(void **state)
{
	struct rng r;
	int tenths[10] = { 0 };
	double sum = 0;
	rng_init(&r, 3, 0);
	for (int i = 0; i < DRAWS; i++) {
		const double u = rng_uniform(&r);
		assert_true(u >= 0 && u < 1);
		tenths[(int)(u * 10)]++;
		sum += u;
	}
	/* Five standard errors: 0.2887/sqrt(n), sqrt(n 0.1 0.9). */
	assert_true(fabs(sum / DRAWS - 0.5) < 0.0046);
	for (int i = 0; i < 10; i++)
		assert_in_range(tenths[i], 10000 - 475, 10000 + 475);
}

static void below_is_even_and_below(void **state)
{
	struct rng r;
	int counts[7] = { 0 };
	rng_init(&r, 4, 0);
	for (int i = 0; i < DRAWS; i++) {
		const uint64_t n = rng_below(&r, 7);
		assert_true(n < 7);
		counts[n]++;
	}
	for (int i = 0; i < 7; i++)
		assert_in_range(counts[i], 14286 - 555, 14286 + 555);
	assert_true(rng_below(&r, 1) == 0);
	/* The largest ranges: half of the products are thrown away for 2^63 + 1, and it still ends. */
	for (int i = 0; i < 100; i++)
		assert_true(rng_below(&r, (UINT64_C(1) << 63) + 1) <= UINT64_C(1) << 63);
}

static void below_has_no_bias_for_large_ranges(void **state)
{
	/* Of 2^64 products, a range of 3 x 2^62 has two for each third number and one for the others: without rejection
	 * half of the draws were multiples of 3. Five standard errors of a third of 3,000 are 129. */
	struct rng r;
	int multiples = 0;
	rng_init(&r, 6, 0);
	for (int i = 0; i < 3000; i++)
		multiples += rng_below(&r, UINT64_C(3) << 62) % 3 == 0;
	assert_in_range(multiples, 1000 - 129, 1000 + 129);
}

static void exponential_and_normal_have_their_moments(void **state)
{
	struct rng r;
	double sum = 0, squares = 0, normal_sum = 0, normal_squares = 0;
	rng_init(&r, 5, 0);
	for (int i = 0; i < DRAWS; i++) {
		const double x = rng_exponential(&r, 2), z = rng_normal(&r);
		assert_true(x >= 0 && isfinite(x) && isfinite(z));
		sum += x;
		squares += x * x;
		normal_sum += z;
		normal_squares += z * z;
	}
	assert_true(fabs(sum / DRAWS - 2) < 0.032);
	assert_true(fabs(squares / DRAWS - 8) < 0.3);
	assert_true(fabs(normal_sum / DRAWS) < 0.016);
	assert_true(fabs(normal_squares / DRAWS - 1) < 0.023);
}

static void fresh_seeds_differ(void **state)
{
	assert_true(rng_fresh_seed() != rng_fresh_seed());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_seed_repeats_the_stream),
		cmocka_unit_test(the_generator_is_the_published_one),
		cmocka_unit_test(streams_are_not_shifted_copies),
		cmocka_unit_test(uniform_is_uniform),
		cmocka_unit_test(below_is_even_and_below),
		cmocka_unit_test(below_has_no_bias_for_large_ranges),
		cmocka_unit_test(exponential_and_normal_have_their_moments),
		cmocka_unit_test(fresh_seeds_differ),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
