#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdbool.h>

#include "base/must.h"
#include "base/rng.h"
#include "stats/evariable.h"

static void assert_near(double got, double want, double within)
{
	if (!(fabs(got - want) <= within))
		fail_msg("%.12g is not within %g of %.12g", got, within, want);
}

/* statistics.md, section 1. */
static void test_vectors_of_the_design(void **state)
{
	static const struct {
		struct block block;
		struct alternative alt;
		struct null null;
		double p_c, p_s, ln_l;
	} cases[] = {
		{ { 10, 1, 190, 2 }, { .02, .01 }, { 1, 0 }, .010500000, .010500000, 0.554925428 },
		{ { 10, 1, 190, 2 }, { .05, .01 }, { 1, 0 }, .012000000, .012000000, 1.089668955 },
		{ { 10, 0, 190, 2 }, { .05, .01 }, { 1, 0 }, .012000000, .012000000, -0.376668114 },
		{ { 100, 5, 900, 9 }, { .03, .01 }, { 1.5, 0 }, .017153534, .011435689, 1.630737450 },
		{ { 100, 5, 900, 9 }, { .03, .01 }, { 1.5, .001 }, .017914646, .011276431, 1.469951327 },
		{ { 500, 5, 500, 5 }, { .01, .01 }, { 1.5, 0 }, .011995155, .007996770, 0.206129355 },
		{ { 500, 5, 500, 5 }, { .01, .01 }, { 1.5, .001 }, .012513728, .007675819, 0.299078417 },
		{ { 10, 8, 190, 90 }, { .75, .5 }, { 1, 0 }, .512500000, .512500000, 2.019966884 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		double p_c, p_s;
		evariable_project(cases[i].block.n_c, cases[i].block.n_s, cases[i].alt, cases[i].null, &p_c, &p_s);
		assert_near(p_c, cases[i].p_c, 6e-10);
		assert_near(p_s, cases[i].p_s, 6e-10);
		assert_near(evariable_ln(&cases[i].block, cases[i].alt, cases[i].null), cases[i].ln_l, 6e-10);
	}
}

/* The reference projection: plain bisection of the stationarity condition, as the design states it. */
static double bisected(double n_c, double n_s, struct alternative alt, struct null null)
{
	double low = 1e-12, high = fmin(1 - 1e-12, (1 - 1e-12 - null.a) / null.m);
	for (int i = 0; i < 200; i++) {
		const double p = (low + high) / 2, q = null.m * p + null.a;
		const double f = n_c * null.m * (q - alt.theta_c) / (q * (1 - q)) +
		                 n_s * (p - alt.theta_s) / (p * (1 - p));
		if (f < 0)
			low = p;
		else
			high = p;
	}
	return (low + high) / 2;
}

struct setting {
	struct block block; /* only n_c, n_s */
	struct alternative alt;
	struct null null;
	bool promote;
};

/* A random null with a random alternative on its other side. False: this draw has none. */
static bool draw(struct rng *rng, double largest_n, struct setting *ret)
{
	struct setting s = { .promote = rng_next(rng) & 1 };
	s.block.n_c = (double)(1 + rng_below(rng, (uint64_t)largest_n));
	s.block.n_s = (double)(1 + rng_below(rng, (uint64_t)largest_n));
	static const double ms[] = { 1, 1, 1.1, 1.5, 2, 5, 0.8 };
	s.null.m = ms[rng_below(rng, ARRAY_LEN(ms))];
	s.null.a = rng_next(rng) & 1 ? exp(-9 + 7 * rng_uniform(rng)) : 0;
	s.alt.theta_s = exp(-9 + 8.6 * rng_uniform(rng));
	const double border = s.null.m * s.alt.theta_s + s.null.a;
	s.alt.theta_c = border * (s.promote ? rng_uniform(rng) : 1 + 30 * rng_uniform(rng) * rng_uniform(rng));
	if (s.alt.theta_c >= .98)
		s.alt.theta_c = border + (1 - border) / 2;
	*ret = s;
	return border < .97 && s.alt.theta_c > 1e-7 && s.alt.theta_c < .99;
}

static void projections_agree_with_bisection(void **state)
{
	struct rng rng;
	rng_init(&rng, 1, 0);
	for (int i = 0; i < 20000;) {
		struct setting s;
		double p_c, p_s;
		if (!draw(&rng, 100000, &s))
			continue;
		i++;
		evariable_project(s.block.n_c, s.block.n_s, s.alt, s.null, &p_c, &p_s);
		const double want = bisected(s.block.n_c, s.block.n_s, s.alt, s.null);
		if (!(fabs(p_s - want) <= 1e-9 * want + 2e-12))
			fail_msg("p_s %.15g, bisection %.15g (n %g %g, theta %g %g, m %g, a %g)", p_s, want,
			         s.block.n_c, s.block.n_s, s.alt.theta_c, s.alt.theta_s, s.null.m, s.null.a);
		assert_near(p_c, s.null.m * p_s + s.null.a, 1e-15);
	}
}

static double binomial(double n, double e, double p)
{
	return exp(lgamma(n + 1) - lgamma(e + 1) - lgamma(n - e + 1) + e * log(p) + (n - e) * log1p(-p));
}

/* E[L] over every outcome of the block when the true rates are (p_c, p_s). */
static double expectation(const struct setting *s, double p_c, double p_s)
{
	double sum = 0;
	for (double e_c = 0; e_c <= s->block.n_c; e_c++)
		for (double e_s = 0; e_s <= s->block.n_s; e_s++) {
			const struct block b = { s->block.n_c, e_c, s->block.n_s, e_s };
			sum += binomial(b.n_c, e_c, p_c) * binomial(b.n_s, e_s, p_s) *
			       exp(evariable_ln(&b, s->alt, s->null));
		}
	return sum;
}

/* The promise on which everything else stands: under the null no outcome-by-outcome sum is above 1. Rates on the line
 * itself (the hardest nulls, the projection among them) and inside of it. */
static void expectation_is_at_most_one_under_the_null(void **state)
{
	struct rng rng;
	double largest = 0;
	rng_init(&rng, 2, 0);
	for (int i = 0; i < 6000;) {
		struct setting s;
		if (!draw(&rng, 8, &s))
			continue;
		double p_c, p_s;
		evariable_project(s.block.n_c, s.block.n_s, s.alt, s.null, &p_c, &p_s);
		if (i % 3) { /* else: exactly the projection, where E[L] = 1 */
			p_s = rng_next(&rng) & 1 ? rng_uniform(&rng) : exp(-8 * rng_uniform(&rng));
			p_c = s.null.m * p_s + s.null.a;
		}
		if (i % 3 == 2)
			p_c = s.promote ? p_c + (1 - p_c) * rng_uniform(&rng) : p_c * rng_uniform(&rng);
		if (!(p_c > 0 && p_c < 1 && p_s > 0 && p_s < 1))
			continue;
		const double e = expectation(&s, p_c, p_s);
		if (e > 1 + 1e-9)
			fail_msg("E[L] = 1 + %g (n %g %g, theta %g %g, m %g, a %g, p %g %g)", e - 1, s.block.n_c,
			         s.block.n_s, s.alt.theta_c, s.alt.theta_s, s.null.m, s.null.a, p_c, p_s);
		if (i % 3 == 0)
			assert_near(e, 1, 1e-9);
		largest = fmax(largest, e);
		i++;
	}
	assert_true(largest > 0.999); /* the search came where it matters */
}

/* Beyond the null the same expectation must be above 1: otherwise a constant 0 would pass this file. */
static void expectation_grows_under_the_alternative(void **state)
{
	struct rng rng;
	rng_init(&rng, 3, 0);
	for (int i = 0; i < 500;) {
		struct setting s;
		if (!draw(&rng, 8, &s))
			continue;
		i++;
		assert_true(expectation(&s, s.alt.theta_c, s.alt.theta_s) > 1);
	}
}

static void an_empty_arm_says_nothing(void **state)
{
	const struct alternative alt = { .05, .01 };
	assert_true(evariable_ln(&(struct block){ 0, 0, 100, 5 }, alt, (struct null){ 1, 0 }) == 0);
	assert_true(evariable_ln(&(struct block){ 100, 5, 0, 0 }, alt, (struct null){ 1, 0 }) == 0);
	assert_true(evariable_ln(&(struct block){ 100, 5, 0, 0 }, alt, (struct null){ 1.5, .001 }) == 0);
	assert_true(evariable_ln(&(struct block){ 0, 0, 0, 0 }, alt, (struct null){ 1, 0 }) == 0);
}

static void an_absolute_slo_looks_at_the_canary_only(void **state)
{
	const struct alternative alt = { .05, .01 };
	const struct null slo = { 0, .02 };
	const double want = 3 * log(.05 / .02) + 97 * log(.95 / .98);
	assert_near(evariable_ln(&(struct block){ 100, 3, 0, 0 }, alt, slo), want, 1e-12);
	assert_near(evariable_ln(&(struct block){ 100, 3, 500, 400 }, alt, slo), want, 1e-12);
	double sum = 0;
	for (double e = 0; e <= 20; e++)
		sum += binomial(20, e, .02) * exp(evariable_ln(&(struct block){ 20, e, 0, 0 }, alt, slo));
	assert_near(sum, 1, 1e-12);
}

static void divergence_at_the_edges(void **state)
{
	assert_near(bernoulli_kl(0, .1), -log(.9), 1e-15);
	assert_near(bernoulli_kl(1, .1), -log(.1), 1e-15);
	assert_near(bernoulli_kl(.3, .3), 0, 1e-15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors_of_the_design),
		cmocka_unit_test(projections_agree_with_bisection),
		cmocka_unit_test(expectation_is_at_most_one_under_the_null),
		cmocka_unit_test(expectation_grows_under_the_alternative),
		cmocka_unit_test(an_empty_arm_says_nothing),
		cmocka_unit_test(an_absolute_slo_looks_at_the_canary_only),
		cmocka_unit_test(divergence_at_the_edges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
