#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/rng.h"
#include "stats/regress.h"

static void assert_near(double value, double wanted, double relative)
{
	if (!(fabs(value - wanted) <= relative * fabs(wanted)))
		fail_msg("%.17g is not %.17g", value, wanted);
}

/* NIST Statistical Reference Datasets, linear regression, "Norris" (lower level of difficulty), with the certified
 * values: https://www.itl.nist.gov/div898/strd/lls/data/Norris.shtml. Columns there: y, x. */
static const double norris[][2] = {
	{ 0.1, 0.2 },     { 338.8, 337.4 }, { 118.1, 118.2 }, { 888.0, 884.6 }, { 9.2, 10.1 },    { 228.1, 226.5 },
	{ 668.5, 666.3 }, { 998.5, 996.3 }, { 449.1, 448.6 }, { 778.9, 777.0 }, { 559.2, 558.2 }, { 0.3, 0.4 },
	{ 0.1, 0.6 },     { 778.1, 775.5 }, { 668.8, 666.9 }, { 339.3, 338.0 }, { 448.9, 447.5 }, { 10.8, 11.6 },
	{ 557.7, 556.0 }, { 228.3, 228.1 }, { 998.0, 995.8 }, { 888.8, 887.6 }, { 119.6, 120.2 }, { 0.3, 0.3 },
	{ 0.6, 0.3 },     { 557.6, 556.8 }, { 339.3, 339.1 }, { 888.0, 887.2 }, { 998.5, 999.0 }, { 778.9, 779.0 },
	{ 10.2, 11.1 },   { 117.6, 118.3 }, { 228.9, 229.2 }, { 668.4, 669.1 }, { 449.2, 448.9 }, { 0.2, 0.5 },
};

static void agrees_with_certified_values(void **state)
{
	struct regress_point points[ARRAY_LEN(norris)];
	struct regression r;
	for (size_t i = 0; i < ARRAY_LEN(norris); i++)
		points[i] = (struct regress_point){ norris[i][1], norris[i][0], 1 };
	assert_true(regress_line(points, ARRAY_LEN(points), &r));
	assert_near(r.intercept, -0.262323073774029, 1e-11);
	assert_near(r.slope, 1.00211681802045, 1e-13);
	assert_near(r.intercept_se, 0.232818234301152, 1e-9);
	assert_near(r.slope_se, 0.429796848199937e-03, 1e-9);
	assert_near(r.r2, 0.999993745883712, 1e-13);
}

/* A point of weight 2 says as much about the line as the same point twice. */
static void a_weight_is_so_many_points(void **state)
{
	static const struct regress_point heavy[] = { { 1, 2, 2 }, { 2, 3, 1 }, { 4, 9, 3 } };
	static const struct regress_point many[] = { { 1, 2, 1 }, { 1, 2, 1 }, { 2, 3, 1 },
		                                     { 4, 9, 1 }, { 4, 9, 1 }, { 4, 9, 1 } };
	struct regression a, b;
	assert_true(regress_line(heavy, ARRAY_LEN(heavy), &a));
	assert_true(regress_line(many, ARRAY_LEN(many), &b));
	assert_near(a.slope, b.slope, 1e-12);
	assert_near(a.intercept, b.intercept, 1e-12);
	assert_near(a.r2, b.r2, 1e-12);
}

static void a_parabola_is_no_line(void **state)
{
	/* y = x^2 + noise; the p-value of the square by the full three-parameter fit. */
	static const struct regress_point bent[] = { { 1, 1.1, 1 },  { 2, 3.9, 1 },  { 3, 9.2, 1 },
		                                     { 4, 15.8, 1 }, { 5, 25.1, 1 }, { 6, 36.2, 1 } };
	static const struct regress_point straight[] = { { 1, 1.1, 1 }, { 2, 1.9, 1 }, { 3, 3.2, 1 },
		                                         { 4, 3.8, 1 }, { 5, 5.1, 1 }, { 6, 6.0, 1 } };
	static const struct regress_point two_places[] = { { 1, 1, 1 }, { 1, 2, 1 }, { 3, 4, 1 }, { 3, 5, 1 } };
	struct regression r;
	assert_true(regress_line(bent, ARRAY_LEN(bent), &r));
	assert_near(r.curvature_p, 5.517323644e-05, 1e-6);
	assert_true(regress_line(straight, ARRAY_LEN(straight), &r));
	assert_near(r.curvature_p, 0.788686925441, 1e-6);
	assert_true(regress_line(two_places, ARRAY_LEN(two_places), &r));
	assert_true(isnan(r.curvature_p));
}

static void a_perfect_line_is_sure(void **state)
{
	static const struct regress_point points[] = { { 10, 25, 1 }, { 20, 45, 1 }, { 30, 65, 1 }, { 40, 85, 1 } };
	struct regression r;
	double low, high, x;
	assert_true(regress_line(points, ARRAY_LEN(points), &r));
	assert_near(r.slope, 2, 1e-12);
	assert_near(r.intercept, 5, 1e-12);
	assert_near(r.r2, 1, 1e-12);
	regress_slope_interval(&r, 0.95, &low, &high);
	assert_near(low, 2, 1e-6);
	assert_near(high, 2, 1e-6);
	assert_true(regress_reaches(&r, 105, 0.95, &x, &low, &high));
	assert_near(x, 50, 1e-9);
	assert_near(low, 50, 1e-4);
	assert_near(high, 50, 1e-4);
}

static void what_cannot_be_known_is_refused(void **state)
{
	static const struct regress_point two[] = { { 1, 1, 1 }, { 2, 2, 1 } };
	static const struct regress_point same[] = { { 7, 1, 1 }, { 7, 2, 1 }, { 7, 3, 1 } };
	static const struct regress_point flat[] = { { 1, 5, 1 }, { 2, 5, 1 }, { 3, 5, 1 } };
	static const struct regress_point down[] = { { 1, 5.1, 1 }, { 2, 4, 1 }, { 3, 3, 1 } };
	struct regression r;
	double x, low, high;
	assert_false(regress_line(two, ARRAY_LEN(two), &r));
	assert_false(regress_line(same, ARRAY_LEN(same), &r));
	assert_true(regress_line(flat, ARRAY_LEN(flat), &r));
	assert_true(isnan(r.r2));
	assert_false(regress_reaches(&r, 6, 0.95, &x, &low, &high));
	assert_true(regress_line(down, ARRAY_LEN(down), &r));
	assert_false(regress_reaches(&r, 6, 0.95, &x, &low, &high));
}

/* Both intervals hold the truth as often as they promise. */
static void intervals_cover(void **state)
{
	enum { ROUNDS = 2000, POINTS = 12 };
	struct rng rng;
	int slope_held = 0, place_held = 0, places = 0;
	rng_init(&rng, 20240601, 0);
	for (int round = 0; round < ROUNDS; round++) {
		struct regress_point points[POINTS];
		struct regression r;
		double low, high, x;
		for (int i = 0; i < POINTS; i++) {
			const double load = 20 + 10 * i, weight = 1 + i % 3;
			points[i] = (struct regress_point){ load,
				                            0.1 + 0.004 * load + 0.05 * rng_normal(&rng) / sqrt(weight),
				                            weight };
		}
		assert_true(regress_line(points, POINTS, &r));
		regress_slope_interval(&r, 0.95, &low, &high);
		slope_held += low <= 0.004 && 0.004 <= high;
		if (regress_reaches(&r, 0.9, 0.95, &x, &low, &high)) {
			assert_true(low <= x && x <= high);
			places++;
			place_held += low <= 200 && 200 <= high;
		}
	}
	/* 95 %, with five standard errors (0.0049 each) of room for chance. */
	assert_true(abs(slope_held - 1900) < 50);
	assert_true(places > ROUNDS * 99 / 100);
	assert_true(abs(place_held - places * 95 / 100) < 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_certified_values),    cmocka_unit_test(a_weight_is_so_many_points),
		cmocka_unit_test(a_parabola_is_no_line),           cmocka_unit_test(a_perfect_line_is_sure),
		cmocka_unit_test(what_cannot_be_known_is_refused), cmocka_unit_test(intervals_cover),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
