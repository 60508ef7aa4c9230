#include "canary/bunching.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/rng.h"

#define FAST (50 * MILLISECOND)
#define SLOW (900 * MILLISECOND)

/* The errors, seven thresholds at 100 ms ... 700 ms, the SLO at 800 ms. */
static void set_limits(int limits[BUNCHING_LIMITS])
{
	for (int i = 0; i < BUNCHING_LIMITS; i++)
		limits[i] = logbins_index((i + 1) * 100 * MILLISECOND);
}

struct traffic {
	struct rng rng;
	int users, connections, servers; /* that there are */
	double bunch;                    /* mean size, of failures */
	int by;                          /* what a bunch shares */
	double errors;
	uint64_t per_tick;
	bool slow; /* bunches are of slow requests instead */
};

static void count(struct source_sample *s, const int groups[GROUPINGS], bool failed, dur_ns latency)
{
	s->arms[ARM_STABLE].requests++;
	s->arms[ARM_STABLE].errors += failed;
	logbins_record(&s->arms[ARM_STABLE].bins, latency);
	for (int by = 0; by < GROUPINGS; by++) {
		if (groups[by] < 0)
			continue;
		s->stable[by].errors[groups[by]] += failed;
		s->stable[by].bins[groups[by]][logbins_index(latency)]++;
	}
}

static int draw(struct traffic *t, int count)
{
	return count > 0 ? (int)rng_below(&t->rng, (uint64_t)count) : -1;
}

static void tick(struct traffic *t, struct bunching *b)
{
	static struct source_sample s;
	int limits[BUNCHING_LIMITS];
	set_limits(limits);
	memset(&s, 0, sizeof(s));
	while (s.arms[ARM_STABLE].requests < t->per_tick) {
		int groups[GROUPINGS] = { draw(t, t->users), draw(t, t->connections), draw(t, t->servers) };
		const int shared = t->by < GROUPINGS ? groups[t->by] : 0;
		const bool event = rng_uniform(&t->rng) < t->errors / (t->bunch * (1 - t->errors) + t->errors);
		do {
			count(&s, groups, event && !t->slow, event && t->slow ? SLOW : FAST);
			/* The next of a bunch is of others, but for what they share. */
			groups[0] = draw(t, t->users);
			groups[1] = draw(t, t->connections);
			groups[2] = draw(t, t->servers);
			if (t->by < GROUPINGS)
				groups[t->by] = shared;
		} while (event && rng_uniform(&t->rng) < 1 - 1 / t->bunch);
	}
	bunching_tick(b, &s, limits);
}

static void run(struct traffic *t, struct bunching *b, int ticks)
{
	rng_init(&t->rng, 5, (uint64_t)t->by);
	bunching_init(b);
	for (int i = 0; i < ticks; i++)
		tick(t, b);
}

#define BY_TIME GROUPINGS

/* Geometric bunches of mean 4: variance 7. Whatever they share, it is found; what independent requests give is about 1. */
static void bunches_are_found(void **state)
{
	static struct bunching b;
	for (int by = 0; by <= BY_TIME; by++) {
		struct traffic t = { .users = 20,
			             .connections = 20,
			             .servers = by == BY_TIME ? 1 : 4,
			             .bunch = 4,
			             .by = by,
			             .errors = .02,
			             .per_tick = 400 };
		run(&t, &b, 600);
		if (!(b.phi[BUNCHING_ERRORS] > 6 && b.phi[BUNCHING_ERRORS] < 11))
			print_message("by %d: phi %.2f\n", by, b.phi[BUNCHING_ERRORS]);
		assert_true(b.phi[BUNCHING_ERRORS] > 6 && b.phi[BUNCHING_ERRORS] < 11);
		assert_true(b.phi[BUNCHING_LATENCY(0)] == 1);
		assert_true(b.phi[BUNCHING_SLO] == b.phi[BUNCHING_ERRORS]); /* slow or failed */
		t.bunch = 1;
		run(&t, &b, 600);
		assert_true(b.phi[BUNCHING_ERRORS] < 1.15);
		t.bunch = 4;
		t.slow = true;
		run(&t, &b, 600);
		assert_true(b.phi[BUNCHING_ERRORS] == 1);
		assert_true(b.phi[BUNCHING_LATENCY(0)] > 6 && b.phi[BUNCHING_LATENCY(6)] > 6 &&
		            b.phi[BUNCHING_SLO] > 6);
	}
}

/* With several servers, what all of them have in the same second cancels out between the arms and is not counted. */
static void time_counts_for_one_server_only(void **state)
{
	static struct bunching b;
	struct traffic t = {
		.users = 20, .connections = 20, .servers = 4, .bunch = 4, .by = BY_TIME, .errors = .02, .per_tick = 400
	};
	run(&t, &b, 600);
	assert_true(dispersion_phi(&b.ways[BUNCHED_BY_TIME][BUNCHING_ERRORS]) > 5);
	assert_true(b.phi[BUNCHING_ERRORS] < 1.4);
}

/* Half a window is used already, so that the first bunch counts in the next tick. */
static void the_open_window_counts(void **state)
{
	static struct bunching b;
	struct traffic t = { .users = 20,
		             .connections = 20,
		             .servers = 2,
		             .bunch = 6,
		             .by = GROUPED_BY_USER,
		             .errors = .05,
		             .per_tick = 400 };
	run(&t, &b, 3);
	assert_int_equal(b.ticks, 3);
	assert_true(b.ways[BUNCHED_BY_USER][BUNCHING_ERRORS].expected == 0);
	assert_true(b.phi[BUNCHING_ERRORS] > 3);
}

static void nothing_to_tell(void **state)
{
	static const struct traffic cases[] = {
		{ .users = 20,
		  .connections = 20,
		  .servers = 4,
		  .bunch = 1,
		  .errors = 0,
		  .per_tick = 200 }, /* no errors */
		{ .users = 20,
		  .connections = 20,
		  .servers = 4,
		  .bunch = 1,
		  .errors = 1,
		  .per_tick = 200 }, /* only errors */
		{ .users = 1,
		  .connections = 1,
		  .servers = 2,
		  .bunch = 1,
		  .errors = .01,
		  .per_tick = 0 }, /* no requests */
		{ .users = 20,
		  .connections = 20,
		  .servers = 2,
		  .bunch = 1,
		  .errors = .01,
		  .per_tick = 1 }, /* hardly any */
	};
	static struct bunching b;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct traffic t = cases[i];
		run(&t, &b, 100);
		for (int m = 0; m < BUNCHING_METRICS; m++)
			assert_true(b.phi[m] >= 1 && b.phi[m] < 1.3);
	}
	/* One group of each, or a source that knows none: only time is left. */
	for (int one = 0; one < 2; one++) {
		struct traffic t = { .users = one,
			             .connections = one,
			             .servers = one,
			             .bunch = 4,
			             .by = BY_TIME,
			             .errors = .02,
			             .per_tick = 400 };
		run(&t, &b, 200);
		for (int w = 0; w < BUNCHED_BY_TIME; w++)
			assert_true(dispersion_phi(&b.ways[w][BUNCHING_ERRORS]) == 1);
		assert_true(b.phi[BUNCHING_ERRORS] > 4);
	}
}

static void it_survives(void **state)
{
	static struct bunching b, again;
	static double values[BUNCHING_VALUES];
	struct traffic t = { .users = 20,
		             .connections = 20,
		             .servers = 1,
		             .bunch = 4,
		             .by = GROUPED_BY_USER,
		             .errors = .02,
		             .per_tick = 200 };
	for (int ticks = 0; ticks < 35; ticks += 7) {
		run(&t, &b, ticks);
		bunching_export(&b, values);
		assert_true(bunching_import(&again, values));
		assert_memory_equal(b.phi, again.phi, sizeof(b.phi));
		struct traffic u = t;
		for (int i = 0; i < 15; i++) {
			tick(&t, &b);
			tick(&u, &again);
			assert_memory_equal(b.phi, again.phi, sizeof(b.phi));
		}
	}
	const struct bunching before = again;
	static const struct {
		size_t at;
		double value;
	} damages[] = { { 0, -1 },
		        { 5, NAN },
		        { 7, INFINITY },
		        { 3 * BUNCHING_WAYS * BUNCHING_METRICS, -1 },                  /* requests of the first group */
		        { 3 * BUNCHING_WAYS * BUNCHING_METRICS + SOURCE_GROUPS, 1e9 }, /* more errors than requests */
		        { BUNCHING_VALUES - 1, 1e9 },
		        { BUNCHING_VALUES - BUNCHING_METRICS - 4, 10 } }; /* ticks of an open window */
	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		bunching_export(&b, values);
		values[damages[i].at] = damages[i].value;
		assert_false(bunching_import(&again, values));
		assert_memory_equal(&before, &again, sizeof(again));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bunches_are_found),
		cmocka_unit_test(time_counts_for_one_server_only),
		cmocka_unit_test(the_open_window_counts),
		cmocka_unit_test(nothing_to_tell),
		cmocka_unit_test(it_survives),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
