#include "net/loop.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/must.h"

static int set_up(void **state)
{
	static struct loop loop;
	struct err err;
	*state = &loop;
	return loop_init(&loop, &err);
}

static int tear_down(void **state)
{
	loop_finish(*state);
	loop_finish(*state); /* twice is fine */
	return 0;
}

/* --- descriptors --- */

static int last_what, ready_calls;
static void on_ready(struct loop_fd *w, int what)
{
	last_what = what;
	ready_calls++;
}

static void a_descriptor_is_heard_of_when_it_is_ready(void **state)
{
	struct loop *l = *state;
	struct loop_fd w = { 0 };
	int pair[2];
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	loop_fd_stop(l, &w); /* never started is fine */
	ready_calls = 0;
	loop_fd_watch(l, &w, pair[0], LOOP_READ, on_ready);
	loop_turn(l, LOOP_POLL);
	assert_int_equal(ready_calls, 0);
	must(write(pair[1], "x", 1) == 1);
	loop_turn(l, LOOP_WAIT);
	assert_int_equal(ready_calls, 1);
	assert_int_equal(last_what, LOOP_READ);
	/* What is watched may change in place: now both. */
	loop_fd_watch(l, &w, pair[0], LOOP_READ | LOOP_WRITE, on_ready);
	loop_turn(l, LOOP_WAIT);
	assert_int_equal(last_what, LOOP_READ | LOOP_WRITE);
	loop_fd_watch(l, &w, pair[0], LOOP_WRITE, on_ready);
	loop_turn(l, LOOP_WAIT);
	assert_int_equal(last_what, LOOP_WRITE);
	loop_fd_stop(l, &w);
	ready_calls = 0;
	loop_turn(l, LOOP_POLL);
	assert_int_equal(ready_calls, 0);
	close(pair[0]);
	close(pair[1]);
}

static void a_descriptor_number_may_be_used_again(void **state)
{
	struct loop *l = *state;
	struct loop_fd w = { 0 };
	int pair[2];
	for (int i = 0; i < 3; i++) {
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0); /* the same numbers each time */
		ready_calls = 0;
		loop_fd_watch(l, &w, pair[0], LOOP_READ, on_ready);
		loop_turn(l, LOOP_POLL);
		must(write(pair[1], "x", 1) == 1);
		loop_turn(l, LOOP_WAIT);
		assert_int_equal(ready_calls, 1);
		loop_fd_stop(l, &w);
		close(pair[0]);
		close(pair[1]);
	}
}

/* --- timers and alarms --- */

static int timer_calls;
static void on_timer(struct loop_timer *t)
{
	timer_calls++;
}

static void a_timer_fires_once_and_never_early(void **state)
{
	struct loop *l = *state;
	struct loop_timer t = { 0 };
	timer_calls = 0;
	loop_timer_stop(l, &t);
	const struct mono began = mono_now();
	loop_timer_start(l, &t, 20 * MILLISECOND, on_timer);
	while (timer_calls == 0)
		loop_turn(l, LOOP_WAIT);
	/* libev keeps time in doubles. */
	assert_true(mono_since(mono_now(), began) >= 20 * MILLISECOND - 10 * MICROSECOND);
	loop_turn(l, LOOP_POLL);
	assert_int_equal(timer_calls, 1);
}

static void a_timer_counts_from_its_start_also_after_long_work(void **state)
{
	struct loop *l = *state;
	struct loop_timer t = { 0 };
	timer_calls = 0;
	loop_turn(l, LOOP_POLL);
	/* Work during which libev's idea of now grows old. */
	const struct mono busy_until = mono_after(mono_now(), 30 * MILLISECOND);
	while (mono_now().ns < busy_until.ns)
		;
	const struct mono began = mono_now();
	loop_timer_start(l, &t, 20 * MILLISECOND, on_timer);
	while (timer_calls == 0)
		loop_turn(l, LOOP_WAIT);
	assert_true(mono_since(mono_now(), began) >= 20 * MILLISECOND - 10 * MICROSECOND);
}

static void a_timer_that_is_started_again_starts_anew(void **state)
{
	struct loop *l = *state;
	struct loop_timer t = { 0 }, stopped = { 0 };
	timer_calls = 0;
	loop_timer_start(l, &t, HOUR, on_timer);
	loop_timer_start(l, &stopped, 0, on_timer);
	loop_timer_stop(l, &stopped);
	loop_timer_start(l, &t, 0, on_timer);
	loop_turn(l, LOOP_POLL);
	assert_int_equal(timer_calls, 1);
	loop_turn(l, LOOP_POLL);
	assert_int_equal(timer_calls, 1);
}

static int alarm_calls;
static void on_alarm(struct loop_alarm *a)
{
	alarm_calls++;
}

static void an_alarm_fires_at_its_instant(void **state)
{
	struct loop *l = *state;
	struct loop_alarm a;
	struct err err;
	alarm_calls = 0;
	assert_int_equal(loop_alarm_init(l, &a, on_alarm, &err), 0);
	const struct mono at = mono_after(mono_now(), 3 * MILLISECOND + 7);
	loop_alarm_set(&a, mono_after(at, HOUR));
	loop_alarm_set(&a, at); /* a new one replaces the old */
	while (alarm_calls == 0)
		loop_turn(l, LOOP_WAIT);
	assert_true(mono_now().ns >= at.ns);
	loop_turn(l, LOOP_POLL);
	assert_int_equal(alarm_calls, 1);
	/* What is past fires at once; so do instants that timerfd would take for "never". */
	const int64_t past[] = { 1, 0, -5, mono_now().ns };
	for (size_t i = 0; i < ARRAY_LEN(past); i++) {
		loop_alarm_set(&a, (struct mono){ past[i] });
		loop_turn(l, LOOP_WAIT);
		assert_int_equal(alarm_calls, 2 + (int)i);
	}
	loop_alarm_finish(l, &a);
	loop_alarm_finish(l, &a); /* twice is fine */
}

static void a_cleared_alarm_is_silent(void **state)
{
	struct loop *l = *state;
	struct loop_alarm a;
	struct err err;
	alarm_calls = 0;
	assert_int_equal(loop_alarm_init(l, &a, on_alarm, &err), 0);
	loop_alarm_set(&a, (struct mono){ 1 });
	loop_alarm_clear(&a);
	loop_turn(l, LOOP_POLL);
	assert_int_equal(alarm_calls, 0);
	loop_alarm_finish(l, &a);
}

/* --- other threads and signals --- */

static int wake_calls;
static void on_wake(struct loop_wake *w)
{
	wake_calls++;
}

struct poker {
	struct loop *loop;
	struct loop_wake *wake;
};

static void *poke(void *arg)
{
	struct poker *p = arg;
	loop_wake_poke(p->loop, p->wake);
	return NULL;
}

static void another_thread_ends_the_sleep(void **state)
{
	struct loop *l = *state;
	struct loop_wake wake = { 0 };
	struct poker p = { l, &wake };
	wake_calls = 0;
	loop_wake_start(l, &wake, on_wake);
	for (int i = 1; i <= 100; i++) {
		pthread_t thread;
		must(pthread_create(&thread, NULL, poke, &p) == 0);
		while (wake_calls < i)
			loop_turn(l, LOOP_WAIT); /* without the poke this would sleep for ever */
		pthread_join(thread, NULL);
		assert_int_equal(wake_calls, i);
	}
	/* A poke before the sleep is not lost. */
	loop_wake_poke(l, &wake);
	loop_turn(l, LOOP_WAIT);
	assert_int_equal(wake_calls, 101);
	loop_wake_stop(l, &wake);
}

static int caught;
static void on_signal(struct loop_signal *s, int number)
{
	caught = number;
}

static void a_signal_is_caught_in_a_turn(void **state)
{
	struct loop *l = *state;
	struct loop_signal s = { 0 };
	loop_signal_stop(l, &s); /* never started is fine */
	loop_signal_start(l, &s, SIGUSR1, on_signal);
	raise(SIGUSR1);
	assert_int_equal(caught, 0);
	while (!caught)
		loop_turn(l, LOOP_WAIT);
	assert_int_equal(caught, SIGUSR1);
	loop_signal_stop(l, &s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_descriptor_is_heard_of_when_it_is_ready, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_descriptor_number_may_be_used_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_timer_fires_once_and_never_early, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_timer_counts_from_its_start_also_after_long_work, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_timer_that_is_started_again_starts_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_alarm_fires_at_its_instant, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_cleared_alarm_is_silent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_thread_ends_the_sleep, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_signal_is_caught_in_a_turn, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
