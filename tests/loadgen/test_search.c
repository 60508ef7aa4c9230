#include "loadgen/search.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/must.h"

#define TRIALS_MAX 60

static const struct search_limits limits = {
	.quantile = 0.95,
	.limit = 500 * MILLISECOND,
	.start_rate = 10,
	.most_rate = 5000,
	.trial = 30 * SECOND,
	.confirm = 180 * SECOND,
};

/* A server whose share of slow requests grows with the load and is 5 % exactly at its capacity. Seconds differ more than
 * by chance, as they do near saturation. */
struct server {
	double capacity;
	double jitter; /* deviation of the logarithm of the share between seconds */
	struct rng rng;
};

static double share_at(const struct server *s, double rate)
{
	return fmin(1, 0.05 * exp(12 * (rate / s->capacity - 1)));
}

static void measure(struct server *s, double rate, dur_ns time, struct trial_figures *f)
{
	*f = (struct trial_figures){ .begun = 1, .batch_count = (size_t)(time / SECOND) };
	for (size_t i = 0; i < f->batch_count; i++) {
		/* The mean of exp(jitter z) is exp(jitter^2/2). */
		const double factor = exp(s->jitter * rng_normal(&s->rng) - s->jitter * s->jitter / 2);
		const double p = fmin(1, share_at(s, rate) * factor);
		const double n = floor(rate + 0.5) < 1 ? 1 : floor(rate + 0.5);
		double k = 0;
		for (int r = 0; r < (int)n; r++)
			k += rng_uniform(&s->rng) < p;
		f->batches[i] = (struct batch){ k, n };
		f->requests += (uint64_t)n;
		f->failed += (uint64_t)k;
	}
	f->quantile = 400 * MILLISECOND;
}

static void run(struct search *s, struct server *server, struct search_record *record)
{
	static struct trial_figures f;
	double rate;
	dur_ns time;
	enum trial_phase phase;
	int trials = 0;
	while (search_next(s, &rate, &time, &phase)) {
		assert_true(++trials <= TRIALS_MAX);
		assert_true(rate > 0 && rate <= s->limits.most_rate);
		assert_int_equal(time, phase == TRIAL_CONFIRM ? s->limits.confirm : s->limits.trial);
		measure(server, rate, time, &f);
		search_take(s, &f, record);
		assert_int_equal(record->trial_count, trials);
		assert_true(record->trials[trials - 1].rate == rate);
	}
}

static struct server make_server(double capacity, uint64_t seed)
{
	struct server s = { .capacity = capacity, .jitter = 0.3 };
	rng_init(&s.rng, seed, 0);
	return s;
}

static void the_capacity_is_found_within_15_percent(void **state)
{
	int too_high = 0, searches = 0;
	for (uint64_t seed = 0; seed < 40; seed++) {
		/* From below the first load to far above it. */
		struct server server = make_server(6 * pow(1.15, (double)seed), seed);
		struct search s;
		struct search_record record;
		search_record_init(&record);
		search_init(&s, &limits);
		run(&s, &server, &record);
		assert_string_equal(record.answer, "verified");
		assert_int_equal(record.verified_for, limits.confirm);
		if (fabs(record.verified / server.capacity - 1) > 0.15)
			fail_msg("capacity %.1f, verified %.1f", server.capacity, record.verified);
		too_high += record.verified > server.capacity;
		searches++;
		search_record_finish(&record);
	}
	/* Each confirmation may err with 5 %. */
	assert_true(too_high <= searches / 10);
}

static void what_is_verified_was_held_by_a_confirmation_and_is_below_all_that_failed(void **state)
{
	for (uint64_t seed = 100; seed < 130; seed++) {
		struct server server = make_server(80, seed);
		struct search s;
		struct search_record record;
		bool held = false;
		server.jitter = 0.8; /* a restless one */
		search_record_init(&record);
		search_init(&s, &limits);
		run(&s, &server, &record);
		for (size_t i = 0; i < record.trial_count; i++) {
			const struct trial_record *t = &record.trials[i];
			held = held || (t->rate == record.verified && t->phase == TRIAL_CONFIRM &&
			                t->verdict == TRIAL_PASS && t->share_high <= 0.05);
			if (record.verified > 0)
				assert_false(t->verdict == TRIAL_FAIL && t->rate <= record.verified);
		}
		assert_true(held == (record.verified > 0));
		assert_true(record.lowest_fail == 0 || record.verified < record.lowest_fail);
		assert_non_null(record.stopped_because);
		search_record_finish(&record);
	}
}

static void the_most_that_is_allowed_gives_a_lower_bound_only(void **state)
{
	struct server server = make_server(10000, 1);
	struct search_limits little = limits;
	struct search s;
	struct search_record record;
	little.most_rate = 200;
	search_record_init(&record);
	search_init(&s, &little);
	run(&s, &server, &record);
	assert_string_equal(record.answer, "lower bound only");
	assert_true(record.verified == 200);
	assert_true(record.lowest_fail == 0);
	search_record_finish(&record);
}

static void a_start_above_the_most_begins_there(void **state)
{
	struct search_limits little = limits;
	struct search s;
	double rate;
	dur_ns time;
	enum trial_phase phase;
	little.most_rate = 3;
	search_init(&s, &little);
	assert_true(search_next(&s, &rate, &time, &phase));
	assert_true(rate == 3);
	assert_int_equal(phase, TRIAL_CLIMB);
}

static void a_server_that_holds_nothing_ends_the_search(void **state)
{
	struct server server = make_server(0.01, 2);
	struct search s;
	struct search_record record;
	search_record_init(&record);
	search_init(&s, &limits);
	run(&s, &server, &record);
	assert_string_equal(record.answer, "not found");
	assert_true(record.verified == 0 && record.highest_pass == 0);
	assert_true(record.trial_count < 10);
	search_record_finish(&record);
}

/* A trial with figures of our own: <k> of 1000 in each of 30 seconds. */
static void take(struct search *s, struct search_record *record, double k, const struct trial_figures *like)
{
	static struct trial_figures f;
	f = *like;
	f.batch_count = 30;
	f.requests = 30000;
	for (size_t i = 0; i < 30; i++)
		f.batches[i] = (struct batch){ k, 1000 };
	search_take(s, &f, record);
}

static const struct trial_figures all_begun = { .begun = 1 };

static enum trial_verdict verdict_of_last(const struct search_record *r)
{
	return r->trials[r->trial_count - 1].verdict;
}

static void a_disturbed_trial_is_made_again_and_the_third_ends_the_search(void **state)
{
	struct trial_figures disturbed = all_begun;
	struct search s;
	struct search_record record;
	double rate;
	dur_ns time;
	enum trial_phase phase;
	disturbed.invalid = true;
	disturbed.reason = "the core was busy";
	search_record_init(&record);
	search_init(&s, &limits);
	take(&s, &record, 0, &disturbed);
	take(&s, &record, 0, &disturbed);
	assert_true(search_next(&s, &rate, &time, &phase));
	assert_true(rate == 10); /* it says nothing about the load */
	take(&s, &record, 0, &all_begun);
	take(&s, &record, 0, &disturbed);
	take(&s, &record, 0, &disturbed);
	assert_true(search_next(&s, &rate, &time, &phase));
	assert_true(rate == 15);
	take(&s, &record, 0, &disturbed);
	assert_false(search_next(&s, &rate, &time, &phase));
	assert_string_equal(record.answer, "generator limited");
	assert_int_equal(verdict_of_last(&record), TRIAL_INVALID);
	assert_string_equal(record.trials[5].why, "the core was busy");
	assert_true(record.verified == 0);
	assert_true(record.highest_pass == 10 && record.lowest_fail == 0);
	search_record_finish(&record);
}

static void an_interrupted_search_keeps_what_it_knows(void **state)
{
	struct search s;
	struct search_record record;
	double rate;
	dur_ns time;
	enum trial_phase phase;
	search_record_init(&record);
	search_init(&s, &limits);
	take(&s, &record, 1, &all_begun);
	search_stop(&s, "it was interrupted", &record);
	search_stop(&s, "once more", &record); /* the first counts */
	assert_false(search_next(&s, &rate, &time, &phase));
	assert_string_equal(record.answer, "unfinished");
	assert_string_equal(record.stopped_because, "it was interrupted");
	assert_true(record.highest_pass == 10 && record.verified == 0);
	search_record_finish(&record);
}

static void a_trial_is_judged_by_its_share(void **state)
{
	static const struct {
		double k; /* of 1000; q is 50 */
		enum trial_verdict verdict;
		double next; /* of 10 */
	} cases[] = { { 0, TRIAL_PASS, 15 },     { 25, TRIAL_PASS, 15 }, { 26, TRIAL_GREY, 11.5 },
		      { 150, TRIAL_GREY, 11.5 }, { 151, TRIAL_FAIL, 5 }, { 1000, TRIAL_FAIL, 5 } };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct search s;
		struct search_record record;
		double rate;
		dur_ns time;
		enum trial_phase phase;
		search_record_init(&record);
		search_init(&s, &limits);
		take(&s, &record, cases[i].k, &all_begun);
		assert_int_equal(verdict_of_last(&record), cases[i].verdict);
		assert_int_equal(record.trials[0].exceeded, (uint64_t)(30 * cases[i].k));
		assert_true(fabs(record.trials[0].share - cases[i].k / 1000) < 1e-9);
		assert_true(search_next(&s, &rate, &time, &phase));
		assert_true(fabs(rate - cases[i].next) < 1e-9);
		search_record_finish(&record);
	}
}

static void a_target_that_falls_behind_fails_whatever_was_fast(void **state)
{
	struct trial_figures behind = all_begun, censored = all_begun;
	struct search s;
	struct search_record record;
	behind.begun = 0.98;
	censored.censored = 1501; /* of 30000 */
	search_record_init(&record);
	search_init(&s, &limits);
	take(&s, &record, 0, &behind);
	assert_int_equal(verdict_of_last(&record), TRIAL_FAIL);
	take(&s, &record, 0, &censored);
	assert_int_equal(verdict_of_last(&record), TRIAL_FAIL);
	assert_non_null(strstr(record.trials[1].why, "5.0 %"));
	const struct trial_figures nothing = { .begun = 1 };
	search_take(&s, &nothing, &record); /* not a single request */
	assert_int_equal(verdict_of_last(&record), TRIAL_FAIL);
	assert_true(record.trials[2].share_high == 1);
	search_record_finish(&record);
}

static void a_confirmation_needs_enough_proof(void **state)
{
	/* No exceedance at all among 40 requests: 5 % cannot be excluded (0.95^40 = 0.13). */
	static struct trial_figures few;
	struct search s;
	struct search_record record;
	few = (struct trial_figures){ .begun = 1, .batch_count = 40, .requests = 40 };
	for (size_t i = 0; i < 40; i++)
		few.batches[i] = (struct batch){ 0, 1 };
	search_record_init(&record);
	search_init(&s, &limits);
	s.phase = TRIAL_CONFIRM;
	s.next = s.low = 1;
	search_take(&s, &few, &record);
	assert_int_equal(verdict_of_last(&record), TRIAL_FAIL);
	assert_true(record.verified == 0);
	search_record_finish(&record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_capacity_is_found_within_15_percent),
		cmocka_unit_test(what_is_verified_was_held_by_a_confirmation_and_is_below_all_that_failed),
		cmocka_unit_test(the_most_that_is_allowed_gives_a_lower_bound_only),
		cmocka_unit_test(a_start_above_the_most_begins_there),
		cmocka_unit_test(a_server_that_holds_nothing_ends_the_search),
		cmocka_unit_test(a_disturbed_trial_is_made_again_and_the_third_ends_the_search),
		cmocka_unit_test(an_interrupted_search_keeps_what_it_knows),
		cmocka_unit_test(a_trial_is_judged_by_its_share),
		cmocka_unit_test(a_target_that_falls_behind_fails_whatever_was_fast),
		cmocka_unit_test(a_confirmation_needs_enough_proof),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
