#include "loadgen/executor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/must.h"

/* The executor starts here, so that a mix-up of instants and lengths shows. */
#define START (77 * SECOND)

struct setup {
	struct load_segment segments[6];
	struct executor_plan plan;
	struct executor *x;
};

static struct mono at(dur_ns after_start)
{
	return (struct mono){ START + after_start };
}

/* Segments end with one of all zeros. */
static void prepare(struct setup *s, enum executor_kind kind, uint32_t users, enum late_policy late)
{
	s->plan = (struct executor_plan){ .kind = kind, .segments = s->segments, .users = users, .late = late };
	for (const struct load_segment *g = s->segments; g->from != 0 || g->to != 0 || g->duration != 0; g++) {
		s->plan.segment_count++;
		s->plan.duration += g->duration;
	}
}

static void make(struct setup *s, uint32_t worker, uint32_t workers)
{
	const struct executor_place place = { at(0), at(s->plan.duration), worker, workers, 1 };
	s->x = executor_create(&s->plan, &place);
}

static void expect_arrival(struct setup *s, dur_ns now, dur_ns intended, uint32_t user)
{
	struct arrival a;
	struct mono when;
	assert_int_equal(s->x->ops->next(s->x, at(now), &a, &when), EXECUTOR_ARRIVAL);
	assert_int_equal(a.intended.ns - START, intended);
	assert_int_equal(a.user, user);
}

static void expect_wait(struct setup *s, dur_ns now, dur_ns until)
{
	struct arrival a;
	struct mono when;
	assert_int_equal(s->x->ops->next(s->x, at(now), &a, &when), EXECUTOR_WAIT);
	assert_int_equal(when.ns - START, until);
}

static void end_iteration(struct setup *s, uint32_t user, dur_ns now)
{
	s->x->ops->ended(s->x, user, at(now));
}

/* --- closed load --- */

static void users_begin_when_the_curve_reaches_them(void **state)
{
	struct setup s = { .segments = { { 0, 4, 8 * SECOND } } };
	prepare(&s, EXECUTOR_USERS, 4, LATE_QUEUE);
	make(&s, 0, 1);
	/* One user each 2 s; a hair of 1e-6 user is 2 us here. */
	struct arrival a;
	struct mono when;
	for (uint32_t u = 0; u < 3; u++) {
		assert_int_equal(s.x->ops->next(s.x, at(u * 2 * SECOND), &a, &when), EXECUTOR_WAIT);
		assert_in_range(when.ns - START, (u + 1) * 2 * SECOND - 3 * MICROSECOND, (u + 1) * 2 * SECOND);
		/* Looked at late: the intended start is the curve's, not the moment of looking. */
		assert_int_equal(s.x->ops->next(s.x, at((u + 1) * 2 * SECOND + 500 * MILLISECOND), &a, &when),
		                 EXECUTOR_ARRIVAL);
		assert_int_equal(a.user, u);
		assert_in_range(a.intended.ns - START, (u + 1) * 2 * SECOND - 3 * MICROSECOND, (u + 1) * 2 * SECOND);
		assert_int_equal(a.able.ns, a.intended.ns);
		assert_false(a.waited);
	}
	executor_destroy(s.x);
}

static void a_user_begins_again_when_its_iteration_ended(void **state)
{
	struct setup s = { .segments = { { 2, 2, 10 * SECOND } } };
	prepare(&s, EXECUTOR_USERS, 2, LATE_QUEUE);
	make(&s, 0, 1);
	expect_arrival(&s, 0, 0, 0);
	expect_arrival(&s, 0, 0, 1);
	expect_wait(&s, 0, 10 * SECOND);
	end_iteration(&s, 1, 3 * SECOND);
	end_iteration(&s, 0, 4 * SECOND);
	expect_arrival(&s, 5 * SECOND, 3 * SECOND, 1);
	expect_arrival(&s, 5 * SECOND, 4 * SECOND, 0);
	expect_wait(&s, 5 * SECOND, 10 * SECOND);
	assert_int_equal(s.x->counts.begun, 4);
	executor_destroy(s.x);
}

static void users_that_are_too_many_are_parked_and_come_back(void **state)
{
	struct setup s = { .segments = { { 3, 3, 4 * SECOND }, { 1, 1, 4 * SECOND }, { 3, 3, 4 * SECOND } } };
	prepare(&s, EXECUTOR_USERS, 3, LATE_QUEUE);
	make(&s, 0, 1);
	for (uint32_t u = 0; u < 3; u++)
		expect_arrival(&s, 0, 0, u);
	/* 1 and 2 end in the dip; 1 twice too many. 0 goes on. */
	for (uint32_t u = 0; u < 3; u++)
		end_iteration(&s, u, 5 * SECOND);
	expect_arrival(&s, 5 * SECOND, 5 * SECOND, 0);
	expect_wait(&s, 5 * SECOND, 8 * SECOND);
	expect_arrival(&s, 8 * SECOND + 5, 8 * SECOND, 1);
	expect_arrival(&s, 8 * SECOND + 5, 8 * SECOND, 2);
	expect_wait(&s, 9 * SECOND, 12 * SECOND);
	executor_destroy(s.x);
}

static void a_user_that_is_busy_through_a_dip_is_not_begun_twice(void **state)
{
	struct setup s = { .segments = { { 2, 2, 4 * SECOND }, { 1, 1, SECOND }, { 2, 2, 4 * SECOND } } };
	prepare(&s, EXECUTOR_USERS, 2, LATE_QUEUE);
	make(&s, 0, 1);
	expect_arrival(&s, 0, 0, 0);
	expect_arrival(&s, 0, 0, 1);
	expect_wait(&s, 4 * SECOND + 1, 5 * SECOND);
	expect_wait(&s, 6 * SECOND, 9 * SECOND);
	end_iteration(&s, 1, 7 * SECOND);
	expect_arrival(&s, 7 * SECOND, 7 * SECOND, 1);
	executor_destroy(s.x);
}

static void closed_load_owes_nothing_at_the_end(void **state)
{
	struct setup s = { .segments = { { 1, 1, SECOND } } };
	struct arrival a;
	prepare(&s, EXECUTOR_USERS, 1, LATE_QUEUE);
	make(&s, 0, 1);
	expect_arrival(&s, 0, 0, 0);
	end_iteration(&s, 0, SECOND / 2);
	assert_false(s.x->ops->unserved(s.x, at(SECOND), &a));
	executor_destroy(s.x);
}

/* --- open load --- */

static void late_arrivals_carry_their_planned_instant(void **state)
{
	struct setup s = { .segments = { { 10, 10, SECOND } } };
	prepare(&s, EXECUTOR_RATE, 20, LATE_QUEUE);
	make(&s, 0, 1);
	expect_arrival(&s, 0, 0, 0);
	expect_wait(&s, 0, 100 * MILLISECOND);
	for (uint32_t k = 1; k <= 5; k++)
		expect_arrival(&s, 570 * MILLISECOND, k * 100 * MILLISECOND, k);
	expect_wait(&s, 570 * MILLISECOND, 600 * MILLISECOND);
	assert_int_equal(s.x->counts.planned, 6);
	assert_int_equal(s.x->counts.begun, 6);
	assert_int_equal(s.x->counts.waited, 0);
	executor_destroy(s.x);
}

static void the_user_that_was_free_last_goes_first(void **state)
{
	struct setup s = { .segments = { { 10, 10, SECOND } } };
	prepare(&s, EXECUTOR_RATE, 2, LATE_QUEUE);
	make(&s, 0, 1);
	expect_arrival(&s, 0, 0, 0);
	expect_arrival(&s, 100 * MILLISECOND, 100 * MILLISECOND, 1);
	end_iteration(&s, 0, 120 * MILLISECOND);
	end_iteration(&s, 1, 130 * MILLISECOND);
	expect_arrival(&s, 200 * MILLISECOND, 200 * MILLISECOND, 1);
	executor_destroy(s.x);
}

static void arrivals_wait_in_order_for_a_free_user(void **state)
{
	struct setup s = { .segments = { { 10, 10, SECOND } } };
	struct arrival a;
	struct mono when;
	prepare(&s, EXECUTOR_RATE, 1, LATE_QUEUE);
	make(&s, 0, 1);
	expect_arrival(&s, 0, 0, 0);
	expect_wait(&s, 250 * MILLISECOND, 300 * MILLISECOND);
	assert_int_equal(s.x->counts.planned, 3);
	end_iteration(&s, 0, 260 * MILLISECOND);
	assert_int_equal(s.x->ops->next(s.x, at(261 * MILLISECOND), &a, &when), EXECUTOR_ARRIVAL);
	assert_int_equal(a.intended.ns - START, 100 * MILLISECOND);
	assert_int_equal(a.able.ns - START, 260 * MILLISECOND);
	assert_true(a.waited);
	assert_int_equal(a.number, 1);
	assert_int_equal(s.x->counts.waited, 1);
	executor_destroy(s.x);
}

static void arrivals_are_dropped_when_the_scenario_says_so(void **state)
{
	struct setup s = { .segments = { { 10, 10, SECOND } } };
	struct arrival a;
	prepare(&s, EXECUTOR_RATE, 1, LATE_DROP);
	make(&s, 0, 1);
	expect_arrival(&s, 0, 0, 0);
	expect_wait(&s, 250 * MILLISECOND, 300 * MILLISECOND);
	assert_int_equal(s.x->counts.dropped, 2);
	end_iteration(&s, 0, 260 * MILLISECOND);
	expect_wait(&s, 270 * MILLISECOND, 300 * MILLISECOND);
	/* Late by ourselves with one user free: the first gets it and shows how late, those behind it are dropped. */
	expect_arrival(&s, 555 * MILLISECOND, 300 * MILLISECOND, 0);
	expect_wait(&s, 555 * MILLISECOND, 600 * MILLISECOND);
	assert_int_equal(s.x->counts.dropped, 4);
	assert_false(s.x->ops->unserved(s.x, at(SECOND), &a));
	assert_int_equal(s.x->counts.planned, 10);
	assert_int_equal(s.x->counts.begun + s.x->counts.dropped, 10);
	executor_destroy(s.x);
}

static void the_queue_is_bounded(void **state)
{
	struct setup s = { .segments = { { 200000, 200000, SECOND } } };
	prepare(&s, EXECUTOR_RATE, 1, LATE_QUEUE);
	make(&s, 0, 1);
	expect_arrival(&s, 0, 0, 0);
	expect_wait(&s, 900 * MILLISECOND, 900 * MILLISECOND + 5 * MICROSECOND);
	assert_int_equal(s.x->counts.planned, 180001);
	assert_int_equal(s.x->counts.dropped, 180000 - EXECUTOR_QUEUE_MAX);
	executor_destroy(s.x);
}

static void what_never_began_is_told_at_the_end(void **state)
{
	struct setup s = { .segments = { { 10, 10, SECOND } } };
	struct arrival a;
	prepare(&s, EXECUTOR_RATE, 1, LATE_QUEUE);
	make(&s, 0, 1);
	expect_arrival(&s, 0, 0, 0);
	for (uint64_t k = 1; k <= 9; k++) {
		assert_true(s.x->ops->unserved(s.x, at(SECOND), &a));
		assert_int_equal(a.number, k);
		assert_int_equal(a.intended.ns - START, (int64_t)k * 100 * MILLISECOND);
	}
	assert_false(s.x->ops->unserved(s.x, at(SECOND), &a));
	assert_int_equal(s.x->counts.planned, 10);
	executor_destroy(s.x);
}

static void an_early_end_only_counts_what_was_due(void **state)
{
	struct setup s = { .segments = { { 10, 10, SECOND } } };
	struct arrival a;
	prepare(&s, EXECUTOR_RATE, 1, LATE_QUEUE);
	make(&s, 0, 1);
	expect_arrival(&s, 0, 0, 0);
	assert_true(s.x->ops->unserved(s.x, at(210 * MILLISECOND), &a));
	assert_true(s.x->ops->unserved(s.x, at(210 * MILLISECOND), &a));
	assert_false(s.x->ops->unserved(s.x, at(210 * MILLISECOND), &a));
	executor_destroy(s.x);
}

static void a_run_may_end_before_the_curve(void **state)
{
	struct setup s = { .segments = { { 10, 10, SECOND } } };
	struct arrival a;
	struct mono when;
	prepare(&s, EXECUTOR_RATE, 1, LATE_QUEUE);
	const struct executor_place place = { at(0), at(500 * MILLISECOND), 0, 1, 1 };
	s.x = executor_create(&s.plan, &place);
	expect_arrival(&s, 0, 0, 0);
	expect_wait(&s, 450 * MILLISECOND, 500 * MILLISECOND);
	assert_int_equal(s.x->ops->next(s.x, place.end, &a, &when), EXECUTOR_DONE);
	for (int k = 1; k <= 4; k++) /* the one on the very end is no more planned */
		assert_true(s.x->ops->unserved(s.x, place.end, &a));
	assert_false(s.x->ops->unserved(s.x, place.end, &a));
	executor_destroy(s.x);
}

static void workers_without_a_user_have_no_arrivals(void **state)
{
	struct setup s = { .segments = { { 10, 10, SECOND } } };
	uint64_t begun = 0;
	prepare(&s, EXECUTOR_RATE, 2, LATE_QUEUE);
	for (uint32_t w = 0; w < 4; w++) {
		struct arrival a;
		struct mono when;
		make(&s, w, 4);
		while (s.x->ops->next(s.x, at(SECOND - 1), &a, &when) == EXECUTOR_ARRIVAL)
			end_iteration(&s, a.user, SECOND - 1);
		begun += s.x->counts.begun;
		assert_int_equal(s.x->counts.planned, w < 2 ? 5 : 0);
		executor_destroy(s.x);
	}
	assert_int_equal(begun, 10);
}

static void users_are_shared_out_evenly(void **state)
{
	for (uint32_t workers = 1; workers < 9; workers++)
		for (uint32_t users = 0; users < 40; users++) {
			uint32_t sum = 0;
			for (uint32_t w = 0; w < workers; w++) {
				const uint32_t mine = executor_users_of(users, w, workers);
				assert_in_range(mine, users / workers, users / workers + 1);
				sum += mine;
			}
			assert_int_equal(sum, users);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users_begin_when_the_curve_reaches_them),
		cmocka_unit_test(a_user_begins_again_when_its_iteration_ended),
		cmocka_unit_test(users_that_are_too_many_are_parked_and_come_back),
		cmocka_unit_test(a_user_that_is_busy_through_a_dip_is_not_begun_twice),
		cmocka_unit_test(closed_load_owes_nothing_at_the_end),
		cmocka_unit_test(late_arrivals_carry_their_planned_instant),
		cmocka_unit_test(the_user_that_was_free_last_goes_first),
		cmocka_unit_test(arrivals_wait_in_order_for_a_free_user),
		cmocka_unit_test(arrivals_are_dropped_when_the_scenario_says_so),
		cmocka_unit_test(the_queue_is_bounded),
		cmocka_unit_test(what_never_began_is_told_at_the_end),
		cmocka_unit_test(an_early_end_only_counts_what_was_due),
		cmocka_unit_test(a_run_may_end_before_the_curve),
		cmocka_unit_test(workers_without_a_user_have_no_arrivals),
		cmocka_unit_test(users_are_shared_out_evenly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
