#include "demo/pool.h"

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct slots_settings quick = { .latency = 0, .latency_factor = 1, .workers = 4 };
static const struct slots_settings endless = { .latency = HOUR, .latency_factor = 1, .workers = 1 };

static int held; /* by the thread that submits */
static sem_t released;

static void hold(struct ticket *t)
{
	held++;
}

static void release(struct ticket *t)
{
	sem_post(&released);
}

static const struct pool_ops ops = { .hold = hold, .release = release };

static int start_counting(void **state)
{
	held = 0;
	return sem_init(&released, 0, 0);
}

static int released_so_far(void)
{
	int count;
	assert_int_equal(sem_getvalue(&released, &count), 0);
	return count;
}

static void end(struct pool *p)
{
	pool_close(p);
	pool_destroy(p);
}

static void what_takes_no_time_is_answered_at_once(void **state)
{
	struct pool *p = pool_create(&quick, 0, 1, &ops);
	struct ticket t;
	assert_int_equal(pool_submit(p, &t), POOL_NOW);
	assert_int_equal(held, 0);
	end(p);
}

static void what_is_held_is_released(void **state)
{
	struct slots_settings settings = quick;
	struct ticket t[20];
	settings.latency = 100 * MICROSECOND;
	struct pool *p = pool_create(&settings, 100, 1, &ops);
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(pool_submit(p, &t[i]), POOL_HELD);
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(sem_wait(&released), 0);
	assert_int_equal(held, 20);
	end(p);
	assert_int_equal(released_so_far(), 0);
}

static void a_full_pool_says_so_and_a_change_lets_in(void **state)
{
	struct slots_settings settings = endless;
	struct ticket t[3];
	struct pool_state now;
	struct pool *p = pool_create(&settings, 1, 1, &ops);
	assert_int_equal(pool_submit(p, &t[0]), POOL_HELD);
	assert_int_equal(pool_submit(p, &t[1]), POOL_HELD);
	assert_int_equal(pool_submit(p, &t[2]), POOL_FULL);
	pool_state(p, &now);
	assert_int_equal(now.busy, 1);
	assert_int_equal(now.waiting, 1);
	settings.workers = 2;
	settings.latency = 0;
	pool_change(p, &settings);
	assert_int_equal(sem_wait(&released), 0); /* the one that waited */
	pool_state(p, &now);
	assert_int_equal(now.busy, 1);
	assert_int_equal(now.waiting, 0);
	end(p);
}

static void a_freeze_ends_when_it_is_taken_back(void **state)
{
	struct ticket t;
	struct pool_state now;
	struct pool *p = pool_create(&quick, 10, 1, &ops);
	pool_freeze(p, HOUR);
	assert_int_equal(pool_submit(p, &t), POOL_HELD);
	pool_state(p, &now);
	assert_true(now.freeze_left > 59 * MINUTE);
	assert_int_equal(released_so_far(), 0);
	pool_freeze(p, 0);
	assert_int_equal(sem_wait(&released), 0);
	end(p);
}

static void closing_releases_all_and_takes_nothing_more(void **state)
{
	struct ticket t[4];
	struct pool *p = pool_create(&endless, 10, 1, &ops);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pool_submit(p, &t[i]), POOL_HELD);
	pool_close(p);
	assert_int_equal(released_so_far(), 3);
	assert_int_equal(pool_submit(p, &t[3]), POOL_CLOSED);
	pool_destroy(p);
	pool_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_takes_no_time_is_answered_at_once, start_counting),
		cmocka_unit_test_setup(what_is_held_is_released, start_counting),
		cmocka_unit_test_setup(a_full_pool_says_so_and_a_change_lets_in, start_counting),
		cmocka_unit_test_setup(a_freeze_ends_when_it_is_taken_back, start_counting),
		cmocka_unit_test_setup(closing_releases_all_and_takes_nothing_more, start_counting),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
