#include "demo/slots.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/must.h"

static const struct slots_settings quick = { .latency = 0, .latency_factor = 1, .error_rate = 0, .workers = 2 };
static const struct slots_settings slow = { .latency = 10 * MILLISECOND, .latency_factor = 1, .workers = 2 };

static struct mono at_ms(int64_t ms)
{
	return (struct mono){ ms * MILLISECOND };
}

static struct slots *make(const struct slots_settings *settings, size_t queue_limit)
{
	struct slots *s = malloc(sizeof(*s));
	assert_non_null(s);
	slots_init(s, settings, queue_limit, 1);
	return s;
}

static int length(const struct ticket *list)
{
	int n = 0;
	for (; list; list = list->next)
		n++;
	return n;
}

static void what_takes_no_time_is_not_held(void **state)
{
	struct slots *s = make(&quick, 1);
	struct ticket t;
	struct mono when;
	assert_int_equal(slots_admit(s, &t, at_ms(5)), SLOTS_NOW);
	assert_false(slots_next(s, &when));
	assert_int_equal(s->busy, 0);
	free(s);
}

static void at_most_the_workers_are_in_service_and_the_queue_is_bounded(void **state)
{
	struct slots *s = make(&slow, 3);
	struct ticket t[6];
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(slots_admit(s, &t[i], at_ms(0)), SLOTS_HELD);
	assert_int_equal(s->busy, 2);
	assert_int_equal(s->waiting, 3);
	assert_int_equal(slots_admit(s, &t[5], at_ms(0)), SLOTS_FULL);
	assert_int_equal(length(slots_empty(s)), 5);
	for (size_t i = 0; i < 5; i++)
		assert_true(t[i].dropped);
	assert_int_equal(s->busy + s->waiting, 0);
	free(s);
}

/* Served late or early, a turn hands out the same ends: a freed worker goes on at the instant it was free. */
static void ends_do_not_depend_on_when_somebody_looks(void **state)
{
	struct slots *eager = make(&slow, 100), *lazy = make(&slow, 100);
	struct ticket a[50], b[50];
	struct mono when;
	for (size_t i = 0; i < 50; i++) {
		assert_int_equal(slots_admit(eager, &a[i], at_ms(0)), SLOTS_HELD);
		assert_int_equal(slots_admit(lazy, &b[i], at_ms(0)), SLOTS_HELD);
	}
	while (slots_next(eager, &when))
		assert_int_equal(length(slots_turn(eager, when)), 1);
	assert_int_equal(length(slots_turn(lazy, at_ms(100000))), 50);
	for (size_t i = 0; i < 50; i++)
		assert_int_equal(a[i].ends_at.ns, b[i].ends_at.ns);
	free(eager);
	free(lazy);
}

/* Closed loop in virtual time: always 20 requests for 4 workers, so the rate is workers / mean service time. The mean
 * of a lognormal with median 1 is exp(sigma^2/2); the tail multiplies it by 0.99 + 0.01 * 6. */
static void capacity_is_workers_by_mean_service_time(void **state)
{
	enum { IN_FLIGHT = 20, ENDED = 200000 };
	const struct slots_settings settings = { .latency = MILLISECOND, .latency_factor = 2, .workers = 4 };
	struct slots *s = make(&settings, IN_FLIGHT);
	struct ticket tickets[IN_FLIGHT];
	struct mono now = at_ms(0);
	for (size_t i = 0; i < IN_FLIGHT; i++)
		slots_admit(s, &tickets[i], now);
	for (int ended = 0; ended < ENDED;) {
		assert_true(slots_next(s, &now));
		for (struct ticket *t = slots_turn(s, now), *next; t; t = next, ended++) {
			next = t->next;
			assert_int_equal(slots_admit(s, t, now), SLOTS_HELD);
		}
	}
	const double mean_s = 0.002 * exp(SLOTS_SIGMA * SLOTS_SIGMA / 2) *
	                      (1 - SLOTS_TAIL_SHARE + SLOTS_TAIL_SHARE * 6);
	const double rate = ENDED / ((double)now.ns / SECOND);
	assert_true(fabs(rate * mean_s / 4 - 1) < 0.01);
	free(s);
}

static void the_median_is_the_latency_and_the_tail_is_one_in_a_hundred(void **state)
{
	enum { DRAWS = 100000 };
	struct slots *s = make(&quick, 0);
	int below = 0, far = 0;
	for (int i = 0; i < DRAWS; i++) {
		struct ticket t;
		slots_admit(s, &t, at_ms(0));
		below += t.factor < 1;
		far += t.factor >
		       4; /* 1/2 of the tail is a lognormal factor away from it; the body reaches 4 with 0.1 % */
	}
	assert_in_range(below, DRAWS * 485 / 1000, DRAWS * 505 / 1000);
	assert_in_range(far, DRAWS * 7 / 1000, DRAWS * 13 / 1000);
	free(s);
}

static void errors_are_the_share_that_was_asked_for(void **state)
{
	struct slots_settings settings = quick;
	int fails = 0;
	settings.error_rate = 0.02;
	struct slots *s = make(&settings, 0);
	for (int i = 0; i < 100000; i++) {
		struct ticket t;
		slots_admit(s, &t, at_ms(0));
		fails += t.fails;
	}
	assert_in_range(fails, 1800, 2200); /* 4.5 standard deviations */
	free(s);
}

static void a_freeze_holds_even_what_takes_no_time(void **state)
{
	struct slots *s = make(&quick, 10);
	struct ticket t[4];
	struct mono when;
	slots_freeze(s, at_ms(0), 500 * MILLISECOND);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(slots_admit(s, &t[i], at_ms(100)), SLOTS_HELD);
	assert_null(slots_turn(s, at_ms(499)));
	assert_true(slots_next(s, &when));
	assert_int_equal(when.ns, at_ms(500).ns);
	assert_int_equal(length(slots_turn(s, when)), 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(t[i].ends_at.ns, at_ms(500).ns);
		assert_false(t[i].dropped);
	}
	assert_int_equal(slots_admit(s, &t[0], at_ms(500)), SLOTS_NOW);
	free(s);
}

static void a_change_reaches_those_that_wait(void **state)
{
	struct slots_settings settings = { .latency = HOUR, .latency_factor = 1, .workers = 1 };
	struct slots *s = make(&settings, 10);
	struct ticket t[3];
	for (size_t i = 0; i < 3; i++)
		slots_admit(s, &t[i], at_ms(0));
	settings.workers = 3;
	settings.latency = MILLISECOND;
	slots_change(s, &settings);
	assert_null(slots_turn(s, at_ms(10)));
	assert_int_equal(s->busy, 3);
	assert_int_equal(length(slots_turn(s, at_ms(1000))), 2); /* the first keeps its hour */
	settings.workers = 1;
	slots_change(s, &settings);
	assert_int_equal(slots_admit(s, &t[1], at_ms(1000)), SLOTS_HELD);
	assert_int_equal(s->waiting, 1);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_takes_no_time_is_not_held),
		cmocka_unit_test(at_most_the_workers_are_in_service_and_the_queue_is_bounded),
		cmocka_unit_test(ends_do_not_depend_on_when_somebody_looks),
		cmocka_unit_test(capacity_is_workers_by_mean_service_time),
		cmocka_unit_test(the_median_is_the_latency_and_the_tail_is_one_in_a_hundred),
		cmocka_unit_test(errors_are_the_share_that_was_asked_for),
		cmocka_unit_test(a_freeze_holds_even_what_takes_no_time),
		cmocka_unit_test(a_change_reaches_those_that_wait),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
