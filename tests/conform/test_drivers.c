/* One suite for every kind of driver: the promises of canary/driver.h that need no traffic to be seen. A new kind gets a
 * row in <kinds> and a SUITE in main; what its traffic does is tested in tests/canary/test_driver_KIND.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/must.h"
#include "canary/drivers/haproxy_driver.h"
#include "canary/drivers/skeleton.h"
#include "tests/canary/rig.h"

static const struct kind {
	const char *name;
	struct driver *(*create)(struct loop *, const struct plan *, const char *, struct err *);
} kinds[] = {
	{ "skeleton", skeleton_create }, /* index 0 */
	{ "haproxy", haproxy_create },
};

struct world {
	const struct kind *kind;
	struct rig rig;
	struct driver *d;
	struct err err;
	struct driver_observation seen;
};

static void reopen(struct world *w)
{
	driver_destroy(w->d);
	w->d = w->kind->create(&w->rig.loop, &w->rig.plan, w->rig.folder, &w->err);
	assert_non_null(w->d);
}

static void prepare(struct world *w)
{
	if (!rig_prepare(&w->rig, w->d, &w->err))
		fail_msg("%s: prepare: %s", w->kind->name, w->err.text);
	rig_wait_for_arms(&w->rig, w->d);
}

static void set(struct world *w, int32_t weight_bp, int64_t fence)
{
	if (!rig_set(&w->rig, w->d, weight_bp, fence, &w->err))
		fail_msg("%s: set %d: %s", w->kind->name, (int)weight_bp, w->err.text);
}

static int32_t obeyed(struct world *w)
{
	if (!rig_observe(&w->rig, w->d, &w->seen, &w->err))
		fail_msg("%s: observe: %s", w->kind->name, w->err.text);
	return w->seen.weight_bp;
}

static void wait_for_zero(struct world *w)
{
	const struct mono end = mono_after(mono_now(), w->rig.plan.traffic.lease + 3 * SECOND);
	while (obeyed(w) != 0)
		assert_true(mono_since(mono_now(), end) < 0);
}

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	w->kind = *state;
	rig_init(&w->rig);
	w->rig.plan.traffic.lease = 1 * SECOND;
	reopen(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	rig_stop(&w->rig, w->d, NULL);
	driver_destroy(w->d);
	rig_finish(&w->rig);
	free(w);
	return 0;
}

static void is_silent_before_prepare(void **state)
{
	struct world *w = *state;
	assert_false(rig_observe(&w->rig, w->d, &w->seen, &w->err));
	assert_int_equal(w->err.kind, ERR_UNREACHABLE);
	assert_false(rig_set(&w->rig, w->d, 0, 1, &w->err));
	assert_true(w->err.text[0] != '\0');
}

static void serves_stable_after_prepare(void **state)
{
	struct world *w = *state;
	prepare(w);
	assert_int_equal(obeyed(w), 0);
	assert_true(w->seen.running && w->seen.ours);
	prepare(w); /* repeatable */
	assert_int_equal(obeyed(w), 0);
}

static void takes_any_weight_again_and_again(void **state)
{
	static const int32_t weights[] = { 1, 500, 500, 10000, 9999, 0, 0, 5000, 0 };
	struct world *w = *state;
	prepare(w);
	for (size_t i = 0; i < ARRAY_LEN(weights); i++) {
		set(w, weights[i], 1);
		assert_int_equal(obeyed(w), weights[i]);
	}
}

static void refuses_a_smaller_fence(void **state)
{
	struct world *w = *state;
	prepare(w);
	set(w, 100, 5);
	set(w, 200, 5);
	set(w, 300, 6);
	assert_false(rig_set(&w->rig, w->d, 400, 5, &w->err));
	assert_int_equal(w->err.kind, ERR_STALE);
	assert_int_equal(obeyed(w), 300);
	reopen(w); /* the fence is remembered by the data plane's side, not by one controller */
	prepare(w);
	assert_false(rig_set(&w->rig, w->d, 400, 5, &w->err));
	assert_int_equal(w->err.kind, ERR_STALE);
}

static void outlives_its_controller_and_is_adopted(void **state)
{
	struct world *w = *state;
	w->rig.plan.traffic.lease = 60 * SECOND;
	reopen(w);
	prepare(w);
	set(w, 2500, 1);
	obeyed(w);
	const int64_t generation = w->seen.generation;
	reopen(w);
	assert_int_equal(obeyed(w), 2500); /* seen before it is adopted */
	prepare(w);
	assert_int_equal(obeyed(w), 2500);
	assert_int_equal(w->seen.generation, generation);
}

static void returns_to_stable_when_nobody_renews(void **state)
{
	struct world *w = *state;
	prepare(w);
	set(w, 5000, 1);
	assert_true(rig_renew(&w->rig, w->d, &w->err));
	wait_for_zero(w);
	assert_false(rig_renew(&w->rig, w->d, &w->err));
	assert_int_equal(w->err.kind, ERR_STALE);
	assert_int_equal(obeyed(w), 0);
	assert_false(rig_keep(&w->rig, w->d, &w->err));
	set(w, 5000, 1);
	assert_int_equal(obeyed(w), 5000);
}

/* Renewed at a third, a weight lives longer than its lease. */
static void renewal_keeps_the_weight(void **state)
{
	struct world *w = *state;
	const struct mono end = mono_after(mono_now(), 2500 * MILLISECOND);
	bool never = false;
	prepare(w);
	set(w, 5000, 1);
	while (mono_since(mono_now(), end) < 0) {
		rig_wait(&w->rig, &never, w->rig.plan.traffic.lease / 3);
		if (!rig_renew(&w->rig, w->d, &w->err))
			fail_msg("%s: renew: %s", w->kind->name, w->err.text);
		assert_int_equal(obeyed(w), 5000);
	}
}

static void kept_weight_needs_no_renewal(void **state)
{
	struct world *w = *state;
	bool never = false;
	prepare(w);
	set(w, 9000, 1);
	assert_true(rig_keep(&w->rig, w->d, &w->err));
	rig_wait(&w->rig, &never, 2 * w->rig.plan.traffic.lease);
	assert_int_equal(obeyed(w), 9000);
	set(w, 0, 1);
	assert_int_equal(obeyed(w), 0);
}

static void full_weight_needs_no_renewal(void **state)
{
	struct world *w = *state;
	bool never = false;
	prepare(w);
	set(w, 10000, 1);
	rig_wait(&w->rig, &never, 2 * w->rig.plan.traffic.lease);
	assert_int_equal(obeyed(w), 10000);
}

static void holds_where_the_plan_says_so(void **state)
{
	struct world *w = *state;
	bool never = false;
	w->rig.plan.traffic.on_controller_death = DEATH_HOLD;
	prepare(w);
	set(w, 1000, 1);
	assert_true(rig_renew(&w->rig, w->d, &w->err));
	rig_wait(&w->rig, &never, 2 * w->rig.plan.traffic.lease);
	assert_int_equal(obeyed(w), 1000);
}

static void cuts_also_when_nothing_hangs(void **state)
{
	struct world *w = *state;
	prepare(w);
	set(w, 1000, 1);
	set(w, 0, 1);
	if (!rig_cut(&w->rig, w->d, &w->err))
		fail_msg("%s: cut: %s", w->kind->name, w->err.text);
	assert_int_equal(obeyed(w), 0);
}

static void stops_and_starts_anew(void **state)
{
	struct world *w = *state;
	prepare(w);
	set(w, 1000, 1);
	assert_true(rig_stop(&w->rig, w->d, &w->err));
	assert_false(rig_observe(&w->rig, w->d, &w->seen, &w->err));
	assert_true(rig_stop(&w->rig, w->d, &w->err)); /* repeatable */
	prepare(w);
	assert_int_equal(obeyed(w), 0);
}

static int answers;

static void count_answer(void *arg, const struct err *err_or_null)
{
	answers++;
}

static void count_observation(void *arg, const struct driver_observation *o_or_null, const struct err *err_or_null)
{
	answers++;
}

/* Destroyed in the middle of a call: no answer comes any more. */
static void may_be_destroyed_at_any_time(void **state)
{
	struct world *w = *state;
	w->d->ops->prepare(w->d, count_answer, NULL);
	reopen(w);
	answers = 0;
	prepare(w);
	w->d->ops->observe(w->d, count_observation, NULL);
	reopen(w);
	prepare(w);
	assert_int_equal(obeyed(w), 0);
	assert_int_equal(answers, 0);
}

/* One group, since TAP has one plan: the kind stands in each name. */
#define CASE(test, kind, index)                                               \
	{                                                                     \
		kind ": " #test, test, setup, teardown, (void *)&kinds[index] \
	}
#define SUITE(kind, index)                                                                                            \
	CASE(is_silent_before_prepare, kind, index), CASE(serves_stable_after_prepare, kind, index),                  \
		CASE(takes_any_weight_again_and_again, kind, index), CASE(refuses_a_smaller_fence, kind, index),      \
		CASE(outlives_its_controller_and_is_adopted, kind, index),                                            \
		CASE(returns_to_stable_when_nobody_renews, kind, index), CASE(renewal_keeps_the_weight, kind, index), \
		CASE(kept_weight_needs_no_renewal, kind, index), CASE(full_weight_needs_no_renewal, kind, index),     \
		CASE(holds_where_the_plan_says_so, kind, index), CASE(cuts_also_when_nothing_hangs, kind, index),     \
		CASE(stops_and_starts_anew, kind, index), CASE(may_be_destroyed_at_any_time, kind, index)

int main(void)
{
	const struct CMUnitTest tests[] = { SUITE("skeleton", 0), SUITE("haproxy", 1) };
	_Static_assert(ARRAY_LEN(kinds) == 2, "every kind has a suite");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
