#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/rng.h"
#include "stats/eprocess.h"

static void assert_near(double got, double want, double within)
{
	if (!(fabs(got - want) <= within))
		fail_msg("%.12g is not within %g of %.12g", got, within, want);
}

/* Figures from the reference program of statistics.md, run over these ticks. */
static const struct block ticks[] = { { 10, 0, 190, 2 }, { 12, 1, 188, 1 }, { 9, 0, 200, 3 },  { 0, 0, 150, 1 },
	                              { 11, 2, 189, 2 }, { 0, 0, 0, 0 },    { 10, 3, 190, 1 }, { 13, 0, 187, 0 } };

static double run_ticks(struct eprocess *p, const struct eprocess_plan *plan)
{
	struct running_rate rate;
	running_rate_init(&rate, .01, RUNNING_RATE_KAPPA, RUNNING_RATE_HALF_LIFE_TICKS);
	eprocess_init(p, plan);
	for (size_t i = 0; i < ARRAY_LEN(ticks); i++) {
		eprocess_tick(p, &ticks[i], running_rate_get(&rate));
		running_rate_add(&rate, ticks[i].n_s, ticks[i].e_s);
	}
	assert_near(running_rate_get(&rate), 0.007991360922, 1e-12);
	return eprocess_ln(p);
}

static void agrees_with_the_reference_program(void **state)
{
	static const struct {
		struct eprocess_plan plan;
		double ln;
		double ln_m[7];
	} cases[] = {
		{ { { 1, 0 }, EPROCESS_ABORT, EPROCESS_RATIO, EPROCESS_RESTART_NONE, 0, 1, 0 },
		  6.745123581464,
		  { -0.785207259, 0.132663394, 1.512687106, 3.275904542, 5.080507858, 6.430437302, 3.583498320 } },
		{ { { 1.1, 0 }, EPROCESS_ABORT, EPROCESS_RATIO, EPROCESS_RESTART_PLANNED, 1800, 0, 0 },
		  5.645070457598,
		  { -1.492712843, -0.591651875, 0.756298141, 2.459908622, 4.158927253, 5.292705738, 1.685945407 } },
		{ { { 1.5, .001 }, EPROCESS_ABORT, EPROCESS_RATIO, EPROCESS_RESTART_PLANNED, 600, 2, 0 },
		  1.386371493548,
		  { -2.095477313, -1.681684659, -1.078451643, -0.359404573, 0.250742772, 0.301380212, -4.115336045 } },
		{ { { 1.5, .001 }, EPROCESS_PROMOTE, EPROCESS_RATIO, EPROCESS_RESTART_NONE, 0, 1, 0 },
		  -1.767118108858,
		  { 0 } },
		{ { { 0, .02 }, EPROCESS_ABORT, EPROCESS_RATIO, EPROCESS_RESTART_PLANNED, 100, 1, 0 },
		  2.752102084718,
		  { -1.555434631, -0.768998382, 0.344198542, 1.541206746, 2.078621417, -0.076394805, -14.501393114 } },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct eprocess p;
		assert_near(run_ticks(&p, &cases[i].plan), cases[i].ln, 1e-9);
		for (int j = 0; j < p.count && cases[i].plan.side == EPROCESS_ABORT; j++)
			assert_near(p.ln_m[j], cases[i].ln_m[j], 1e-8);
	}
}

/* The reserve for restarts never gives out more than one: counted with ticks that say nothing (stable only). */
static void restart_weights_add_up_to_at_most_one(void **state)
{
	static const struct {
		enum eprocess_restart restart;
		double restart_ticks;
		int ticks;
		double ln_sum;
	} cases[] = {
		{ EPROCESS_RESTART_NONE, 0, 5000, 0 },
		{ EPROCESS_RESTART_PLANNED, 1000, 1, -0.693147181 },
		{ EPROCESS_RESTART_PLANNED, 1000, 501, -0.287682072 },
		{ EPROCESS_RESTART_PLANNED, 1000, 5000, 0 },
		{ EPROCESS_RESTART_HOURLY, 100, 101, -0.218201345 }, /* ln(1/2 + 1/2 6/pi^2) */
		{ EPROCESS_RESTART_HOURLY, 100, 201, -0.127885147 }, /* ... (1 + 1/4) */
		{ EPROCESS_RESTART_HOURLY, 100, 100000, -0.000303858 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct eprocess p;
		eprocess_init(&p, &(struct eprocess_plan){ .null = { 1, 0 },
		                                           .restart = cases[i].restart,
		                                           .restart_ticks = cases[i].restart_ticks });
		for (int k = 0; k < cases[i].ticks; k++)
			eprocess_tick(&p, &(struct block){ 0, 0, 10, 1 }, .01);
		assert_near(eprocess_ln(&p), cases[i].ln_sum, 1e-6);
		assert_true(eprocess_ln(&p) <= 1e-9);
	}
}

static void odds_effects_bet_on_the_odds(void **state)
{
	struct eprocess p;
	const struct block tick = { 10, 8, 190, 90 };
	eprocess_init(&p, &(struct eprocess_plan){ .null = { 1, 0 }, .effects = EPROCESS_ODDS });
	eprocess_tick(&p, &tick, .5);
	/* o = 3 at 1/2 is 3/4: the latency vector of statistics.md section 1 */
	assert_near(p.ln_m[3], 2.019966884 - log(7), 1e-9);
	eprocess_init(&p,
	              &(struct eprocess_plan){ .null = { 1, 0 }, .effects = EPROCESS_ODDS, .side = EPROCESS_PROMOTE });
	eprocess_tick(&p, &tick, .5);
	/* o = 1/2 at 1/2 is 1/3 */
	assert_near(p.ln_m[2], evariable_ln(&tick, (struct alternative){ 1.0 / 3, .5 }, (struct null){ 1, 0 }) - log(5),
	            1e-12);
}

/* Where the null's border leaves no room for an alternative, nothing may be bet: a bet on the wrong side would make
 * evidence out of a healthy canary. */
static void nothing_is_bet_on_the_wrong_side(void **state)
{
	struct eprocess p;
	eprocess_init(&p, &(struct eprocess_plan){ .null = { 5, 0 } });
	for (int i = 0; i < 100; i++)
		eprocess_tick(&p, &(struct block){ 100, 100, 100, 50 }, .5);
	assert_near(eprocess_ln(&p), 0, 1e-12);
	eprocess_init(&p, &(struct eprocess_plan){ .null = { 1, 0 } });
	for (int i = 0; i < 100; i++)
		eprocess_tick(&p, &(struct block){ 100, 100, 100, 100 }, 1);
	assert_true(eprocess_ln(&p) <= 0);
	eprocess_tick(&p, &(struct block){ 100, 0, 100, 0 }, NAN);
	assert_true(isfinite(eprocess_ln(&p)));
	eprocess_init(&p, &(struct eprocess_plan){ .null = { 1, .001 }, .side = EPROCESS_PROMOTE });
	eprocess_tick(&p, &(struct block){ 100, 50, 100, 50 }, 1);
	eprocess_tick(&p, &(struct block){ 100, 50, 100, 50 }, 0);
	assert_true(isfinite(eprocess_ln(&p)));
}

/* What one tick proves beyond a nat is divided by more, the rest by phi alone; evidence against stays whole. */
static void a_tick_alone_proves_little(void **state)
{
	const struct block all = { 10, 10, 190, 2 }, none = { 10, 0, 190, 2 };
	struct eprocess plain, tempered;
	const struct eprocess_plan plan = { .null = { 1, 0 }, .side = EPROCESS_ABORT };
	eprocess_init(&plain, &plan);
	eprocess_init(&tempered, &plan);
	const struct eprocess start = plain;
	eprocess_temper(&tempered, (struct temper){ 2, 8 });
	eprocess_tick(&plain, &all, .01);
	eprocess_tick(&tempered, &all, .01);
	for (int i = 0; i < plain.count; i++) {
		const double ln = (plain.ln_m[i] - start.ln_m[i]) / 2, want = ln > 1 ? 1 + (ln - 1) / 4 : ln;
		assert_near(tempered.ln_m[i] - start.ln_m[i], want, 1e-12);
	}
	assert_true(plain.ln_m[6] - start.ln_m[6] > 20);
	const struct eprocess before = plain;
	eprocess_temper(&plain, (struct temper){ 2, 8 });
	eprocess_tick(&plain, &none, .01);
	eprocess_init(&tempered, &plan);
	eprocess_tick(&tempered, &none, .01);
	for (int i = 0; i < plain.count; i++)
		assert_near(plain.ln_m[i] - before.ln_m[i], (tempered.ln_m[i] - start.ln_m[i]) / 2, 1e-12);
}

static void survives_export_and_import(void **state)
{
	const struct eprocess_plan plan = {
		{ 1.1, 0 }, EPROCESS_ABORT, EPROCESS_RATIO, EPROCESS_RESTART_HOURLY, 4, 1, 0
	};
	struct eprocess p, back;
	double values[EPROCESS_VALUES];
	run_ticks(&p, &plan);
	assert_int_equal(eprocess_export(&p, values, ARRAY_LEN(values)), EPROCESS_VALUES);
	eprocess_init(&back, &plan);
	assert_true(eprocess_import(&back, values, EPROCESS_VALUES));
	eprocess_tick(&p, &ticks[0], .01);
	eprocess_tick(&back, &ticks[0], .01);
	assert_true(eprocess_ln(&p) == eprocess_ln(&back));
	assert_true(back.ticks == 8);
	assert_false(eprocess_import(&back, values, EPROCESS_VALUES - 1));
	values[3] = NAN;
	assert_false(eprocess_import(&back, values, EPROCESS_VALUES));
	assert_true(eprocess_ln(&p) == eprocess_ln(&back));
}

static void means_of_e_values(void **state)
{
	const double lns[] = { 0, log(9), -1e4 }, weights[] = { .5, .25, .25 };
	assert_near(ln_weighted_mean(lns, weights, 3), log(.5 + 2.25), 1e-12);
	const double huge[] = { 1e4, 1e4 }, halves[] = { .5, .5 };
	assert_near(ln_weighted_mean(huge, halves, 2), 1e4, 1e-9);
	assert_near(ln_add(-3, -3), -3 + log(2), 1e-15);
	assert_near(ln_add(-1e4, 5), 5, 0);
}

static double draw_binomial(struct rng *rng, int n, double p)
{
	int events = 0;
	for (int i = 0; i < n; i++)
		events += rng_uniform(rng) < p;
	return events;
}

/* Ticks until ln M >= ln(1/alpha), 0 when never. */
static int ticks_until(struct rng *rng, const struct eprocess_plan *plan, double ln_alpha, int most, double n_c,
                       double p_c, double p_s, int change_at)
{
	struct eprocess p;
	struct running_rate rate;
	eprocess_init(&p, plan);
	running_rate_init(&rate, p_s, RUNNING_RATE_KAPPA, RUNNING_RATE_HALF_LIFE_TICKS);
	for (int k = 1; k <= most; k++) {
		const double n_s = 200 - n_c, now_c = k > change_at ? p_c : p_s;
		const struct block b = { n_c, draw_binomial(rng, (int)n_c, now_c), n_s,
			                 draw_binomial(rng, (int)n_s, p_s) };
		eprocess_tick(&p, &b, running_rate_get(&rate));
		running_rate_add(&rate, b.n_s, b.e_s);
		if (eprocess_ln(&p) >= ln_alpha)
			return k;
	}
	return 0;
}

static int by_size(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Table B of statistics.md: 200 requests/s, canary 5 %, errors 1 -> 5 %: median 14 s bare, 16 s with restart, and the
 * middle-of-the-rollout change of section 1 (t = 600 s), 33 s instead of 80. */
static void detects_as_fast_as_measured(void **state)
{
	static const struct {
		struct eprocess_plan plan;
		int change_at, least, most;
	} cases[] = {
		{ { .null = { 1, 0 } }, 0, 9, 21 },
		{ { .null = { 1, 0 }, .restart = EPROCESS_RESTART_PLANNED, .restart_ticks = 1800 }, 0, 11, 23 },
		{ { .null = { 1, 0 }, .restart = EPROCESS_RESTART_PLANNED, .restart_ticks = 1800 }, 600, 22, 46 },
	};
	struct rng rng;
	rng_init(&rng, 5, 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int delays[101];
		for (size_t run = 0; run < ARRAY_LEN(delays); run++)
			delays[run] = ticks_until(&rng, &cases[i].plan, log(100), 1800, 10, .05, .01,
			                          cases[i].change_at) -
			              cases[i].change_at;
		qsort(delays, ARRAY_LEN(delays), sizeof(delays[0]), by_size);
		const int median = delays[ARRAY_LEN(delays) / 2];
		if (median < cases[i].least || median > cases[i].most)
			fail_msg("case %zu: median delay %d s, expected %d to %d", i, median, cases[i].least,
			         cases[i].most);
	}
}

/* A canary exactly at the border of the null, looked at after every tick: at most alpha of the runs may cross. With
 * alpha = 10 % and 300 runs, 30 are expected at most; 45 would be three standard deviations more. */
static void false_alarms_stay_below_alpha(void **state)
{
	struct rng rng;
	rng_init(&rng, 6, 0);
	int abort = 0, promote = 0;
	for (int run = 0; run < 300; run++) {
		const struct eprocess_plan worse = { .null = { 1, 0 },
			                             .restart = EPROCESS_RESTART_PLANNED,
			                             .restart_ticks = 300 };
		const struct eprocess_plan better = { .null = { 1.5, .001 }, .side = EPROCESS_PROMOTE };
		abort += ticks_until(&rng, &worse, log(10), 300, 100, .02, .02, 0) > 0;
		promote += ticks_until(&rng, &better, log(10), 300, 100, 1.5 * .02 + .001, .02, 0) > 0;
	}
	if (abort > 45 || promote > 45)
		fail_msg("%d aborts and %d promotions of 300", abort, promote);
	assert_true(promote > 3); /* a test that cannot cross would also stay below */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_reference_program),
		cmocka_unit_test(restart_weights_add_up_to_at_most_one),
		cmocka_unit_test(odds_effects_bet_on_the_odds),
		cmocka_unit_test(nothing_is_bet_on_the_wrong_side),
		cmocka_unit_test(a_tick_alone_proves_little),
		cmocka_unit_test(survives_export_and_import),
		cmocka_unit_test(means_of_e_values),
		cmocka_unit_test(detects_as_fast_as_measured),
		cmocka_unit_test(false_alarms_stay_below_alpha),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
