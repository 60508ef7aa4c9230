#include "stats/dispersion.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/rng.h"

#define GROUPS 20

static void assert_near(double got, double want, double slack)
{
	if (!(fabs(got - want) <= slack))
		print_message("%.6f is not %.6f\n", got, want);
	assert_true(fabs(got - want) <= slack);
}

/* Windows of 2,000 requests with bunches of geometric size, mean <mean>, each in one group; 1: independent. */
static void add_windows(struct dispersion *d, struct rng *rng, int windows, double share, double mean, int groups)
{
	for (int w = 0; w < windows; w++) {
		double events[GROUPS] = { 0 }, requests[GROUPS] = { 0 };
		for (int n = 0; n < 2000;) {
			const uint64_t g = rng_below(rng, (uint64_t)groups);
			const bool event = rng_uniform(rng) < share / (mean * (1 - share) + share);
			int size = 1;
			while (event && rng_uniform(rng) < 1 - 1 / mean)
				size++;
			requests[g] += size;
			events[g] += event ? size : 0;
			n += size;
		}
		dispersion_add_window(d, events, requests, GROUPS);
	}
}

/* A geometric bunch has E[B^2]/E[B] = 2 mean - 1: 3 and 7 for the design's means 2 and 4. */
static void known_bunches_are_measured(void **state)
{
	static const double means[] = { 1, 2, 4 }, shares[] = { 0.001, 0.01, 0.2 };
	for (size_t m = 0; m < ARRAY_LEN(means); m++) {
		for (size_t s = 0; s < ARRAY_LEN(shares); s++) {
			struct rng rng;
			struct dispersion d = { 0 };
			rng_init(&rng, 7 * m + s, 0);
			add_windows(&d, &rng, 2000, shares[s], means[m], GROUPS);
			/* Where bunches are much of the traffic, the requests of a group go in bunches as well. */
			const double truth = 2 * means[m] - 1, slack = shares[s] > 0.1 ? 0.25 : 0.08;
			assert_near(dispersion_ratio(&d), truth, slack * truth);
			assert_near(dispersion_phi(&d), 1 + 1.2 * (truth - 1), 1.2 * slack * truth + 0.1);
		}
	}
}

/* Independent requests cost next to nothing, however few windows there are; real bunches are seen in two of them. */
static void noise_is_not_taken_for_bunches(void **state)
{
	static const int windows[] = { 1, 2, 6, 60 };
	struct rng rng;
	rng_init(&rng, 11, 0);
	for (size_t i = 0; i < ARRAY_LEN(windows); i++) {
		double phi = 0, bunched = 0, ratio = 0, squares = 0, noise = 0;
		for (int run = 0; run < 400; run++) {
			struct dispersion d = { 0 }, b = { 0 };
			add_windows(&d, &rng, windows[i], 0.01, 1, GROUPS);
			add_windows(&b, &rng, windows[i], 0.01, 2, GROUPS);
			phi += dispersion_phi(&d) / 400;
			bunched += dispersion_phi(&b) / 400;
			ratio += dispersion_ratio(&d) / 400;
			squares += pow(dispersion_ratio(&d) - 1, 2) / 400;
			noise += dispersion_noise(&d) / 400;
		}
		assert_near(ratio, 1, 0.05);
		assert_near(sqrt(squares), noise, 0.15 * noise);
		assert_true(phi >= 1 && phi < 1.05);
		assert_true(bunched > 2.4 && bunched < 3.6);
	}
}

static void windows_that_cannot_tell(void **state)
{
	static const struct {
		double events[4], requests[4];
	} cases[] = {
		{ { 0, 0, 0, 0 }, { 100, 100, 100, 100 } }, { { 5, 5, 5, 5 }, { 5, 5, 5, 5 } },
		{ { 40, 0, 0, 0 }, { 100, 0, 0, 0 } },      { { 0, 0, 0, 0 }, { 0, 0, 0, 0 } },
		{ { 1, 0, 0, 0 }, { 1, 0, 0, 0 } },
	};
	struct dispersion d = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		dispersion_add_window(&d, cases[i].events, cases[i].requests, 4);
	dispersion_add_window(&d, NULL, NULL, 0);
	assert_near(d.expected + d.found + d.noise, 0, 0);
	assert_near(dispersion_ratio(&d), 1, 0);
	assert_near(dispersion_noise(&d), 0, 0);
	assert_near(dispersion_phi(&d), 1, 0);
	assert_true(dispersion_valid(&d));
	d.found = -1;
	assert_false(dispersion_valid(&d));
	d.found = NAN;
	assert_false(dispersion_valid(&d));
}

/* By hand: 0, 0, 0, 40 of 100 each: p = .1, (3 x 100 + 900)/(.09 x 300 x 400/399) = 44.33. One event alone: about 1. */
static void sums_by_hand(void **state)
{
	const double uneven[] = { 0, 0, 0, 40 }, even[] = { 100, 100, 100, 100 }, one[] = { 0, 1, 0, 0 };
	struct dispersion d = { 0 };
	dispersion_add_window(&d, uneven, even, 4);
	assert_near(dispersion_ratio(&d), 1200 / (27 * 400.0 / 399), 1e-9);
	d = (struct dispersion){ 0 };
	dispersion_add_window(&d, one, even, 4);
	assert_near(dispersion_ratio(&d), 1, 1e-9);
	assert_near(dispersion_noise(&d), 0, 1e-9); /* and cannot be otherwise */
	/* Groups count by their size: a tiny one has little to say. */
	const double skewed[] = { 1999, 1, 0, 0 };
	d = (struct dispersion){ 0 };
	dispersion_add_window(&d, one, skewed, 4);
	dispersion_add_window(&d, (const double[]){ 20, 0 }, skewed, 2);
	assert_near(d.expected,
	            1 / 2000.0 * 1999 / 2000 * (2000 - (1999 * 1999.0 + 1) / 2000) * 2000 / 1999 +
	                    .01 * .99 * (2000 - (1999 * 1999.0 + 1) / 2000) * 2000 / 1999,
	            1e-9);
}

static void old_windows_fade(void **state)
{
	const double bunch[] = { 0, 0, 0, 40 }, calm[] = { 10, 11, 9, 10 }, even[] = { 100, 100, 100, 100 };
	struct dispersion d = { 0 };
	dispersion_add_window(&d, bunch, even, 4);
	const double ratio = dispersion_ratio(&d), noise = dispersion_noise(&d);
	dispersion_fade(&d, 0.5);
	assert_near(dispersion_ratio(&d), ratio, 1e-9);
	assert_near(dispersion_noise(&d), noise, 1e-9);
	for (int i = 0; i < 20; i++) {
		dispersion_fade(&d, 0.5);
		dispersion_add_window(&d, calm, even, 4);
	}
	assert_near(dispersion_phi(&d), 1, 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_bunches_are_measured), cmocka_unit_test(noise_is_not_taken_for_bunches),
		cmocka_unit_test(windows_that_cannot_tell),   cmocka_unit_test(sums_by_hand),
		cmocka_unit_test(old_windows_fade),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
