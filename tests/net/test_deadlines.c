#include "net/deadlines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/rng.h"

struct thing {
	struct deadline deadline;
	struct mono wanted;
	int passed;
};

static struct mono last_wanted;
static int all_passed;

static void on_passed(struct deadlines *all, struct deadline *d)
{
	struct thing *t = container_of(d, struct thing, deadline);
	must(mono_now().ns >= t->wanted.ns);  /* never early */
	must(t->wanted.ns >= last_wanted.ns); /* in order */
	must(d->at.ns == 0);
	last_wanted = t->wanted;
	t->passed++;
	all_passed++;
}

struct rig {
	struct loop loop;
	struct deadlines all;
};

static void set_up(struct rig *r)
{
	struct err err;
	assert_int_equal(loop_init(&r->loop, &err), 0);
	deadlines_init(&r->all, &r->loop, on_passed);
	last_wanted = (struct mono){ 0 };
	all_passed = 0;
}

static void tear_down(struct rig *r)
{
	deadlines_finish(&r->all);
	loop_finish(&r->loop);
}

static void want(struct rig *r, struct thing *t, dur_ns after)
{
	t->wanted = mono_after(mono_now(), after);
	deadlines_set(&r->all, &t->deadline, t->wanted);
}

static void they_pass_in_order_and_once(void **state)
{
	enum { COUNT = 500 };
	static struct thing things[COUNT];
	struct rig r;
	struct rng rng;
	rng_init(&rng, 1, 0);
	set_up(&r);
	for (int i = 0; i < COUNT; i++)
		want(&r, &things[i], (dur_ns)rng_below(&rng, 20000) * MICROSECOND);
	while (all_passed < COUNT)
		loop_turn(&r.loop, LOOP_WAIT);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(things[i].passed, 1);
		deadlines_forget(&r.all, &things[i].deadline);
	}
	tear_down(&r);
}

static void one_that_was_put_off_passes_later(void **state)
{
	struct rig r;
	struct thing a = { 0 }, b = { 0 };
	set_up(&r);
	want(&r, &a, MILLISECOND);
	want(&r, &b, 10 * MILLISECOND);
	want(&r, &a, 20 * MILLISECOND); /* on_passed sees the order */
	while (all_passed < 2)
		loop_turn(&r.loop, LOOP_WAIT);
	assert_true(a.passed == 1 && b.passed == 1);
	tear_down(&r);
}

static void one_that_comes_forward_passes_earlier(void **state)
{
	struct rig r;
	struct thing a = { 0 };
	set_up(&r);
	const struct mono began = mono_now();
	want(&r, &a, HOUR);
	want(&r, &a, 5 * MILLISECOND);
	while (all_passed < 1)
		loop_turn(&r.loop, LOOP_WAIT);
	assert_true(mono_since(mono_now(), began) < HOUR);
	tear_down(&r);
}

static void one_that_was_cleared_or_forgotten_never_passes(void **state)
{
	struct rig r;
	struct thing cleared = { 0 }, forgotten = { 0 }, last = { 0 };
	set_up(&r);
	want(&r, &cleared, MILLISECOND);
	want(&r, &forgotten, MILLISECOND);
	want(&r, &last, 10 * MILLISECOND);
	deadlines_clear(&cleared.deadline);
	deadlines_forget(&r.all, &forgotten.deadline);
	while (last.passed < 1)
		loop_turn(&r.loop, LOOP_WAIT);
	assert_int_equal(cleared.passed + forgotten.passed, 0);
	/* Nothing of it is left in the heap: tear_down looks. */
	tear_down(&r);
}

static void setting_again_costs_the_heap_nothing(void **state)
{
	struct rig r;
	struct thing a = { 0 };
	set_up(&r);
	want(&r, &a, HOUR);
	const struct mono look = a.deadline.look;
	for (int i = 0; i < 1000; i++) {
		deadlines_clear(&a.deadline);
		want(&r, &a, HOUR);
	}
	assert_int_equal(a.deadline.look.ns, look.ns);
	assert_int_equal(r.all.count, 1);
	deadlines_forget(&r.all, &a.deadline);
	tear_down(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_pass_in_order_and_once),
		cmocka_unit_test(one_that_was_put_off_passes_later),
		cmocka_unit_test(one_that_comes_forward_passes_earlier),
		cmocka_unit_test(one_that_was_cleared_or_forgotten_never_passes),
		cmocka_unit_test(setting_again_costs_the_heap_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
