#include "loadgen/phase.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/must.h"

static const struct load_segment constant[] = { { 5, 5, 10 * SECOND } };
/* 0 to 10 in 2 s, held for 3 s, at once to 20, held for 2 s, down to 0 in 3 s. */
static const struct load_segment hills[] = {
	{ 0, 10, 2 * SECOND }, { 10, 10, 3 * SECOND }, { 20, 20, 2 * SECOND }, { 20, 0, 3 * SECOND }
};

/* The phases of the seconds of <p> as a text: w, r, s. */
static void phases_of(const struct program *p, dur_ns late, char *ret)
{
	static const char letters[PHASES] = { '?', 'w', 'r', 's' };
	const int seconds = (int)(p->duration / SECOND), warmup = (int)(p->warmup / SECOND);
	for (int i = 0; i < seconds; i++)
		ret[i] = letters[phase_of(p, i - warmup, i ? i * SECOND + late : 0, (i + 1) * SECOND + late)];
	ret[seconds] = '\0';
}

static void expect(const struct executor_plan *plans, uint32_t count, dur_ns warmup, const char *wanted)
{
	const struct program p = {
		.executors = plans, .executor_count = count, .duration = 10 * SECOND, .warmup = warmup
	};
	char found[32];
	phases_of(&p, 0, found);
	assert_string_equal(found, wanted);
	phases_of(&p, 40 * MILLISECOND, found); /* rows close a little late */
	assert_string_equal(found, wanted);
}

static void a_constant_load_is_steady(void **state)
{
	const struct executor_plan x = { .segments = constant, .segment_count = 1, .duration = 10 * SECOND };
	expect(&x, 1, 0, "ssssssssss");
	expect(&x, 1, 2 * SECOND, "wwssssssss");
}

static void slopes_and_jumps_are_ramps(void **state)
{
	const struct executor_plan x = { .segments = hills,
		                         .segment_count = ARRAY_LEN(hills),
		                         .duration = 10 * SECOND };
	expect(&x, 1, 0, "rrsssrsrrr");
	expect(&x, 1, SECOND, "wrsssrsrrr");
}

static void one_executor_that_changes_is_enough(void **state)
{
	static const struct load_segment short_one[] = { { 3, 3, 2 * SECOND } };
	const struct executor_plan both[] = {
		{ .segments = constant, .segment_count = 1, .duration = 10 * SECOND },
		{ .kind = EXECUTOR_RATE,
		  .segments = short_one,
		  .segment_count = 1,
		  .start = 4 * SECOND,
		  .duration = 2 * SECOND },
	};
	expect(both, 2, 0, "ssssrsrsss"); /* it begins, it ends */
}

static void counted_iterations_end_when_they_are_done(void **state)
{
	const struct executor_plan both[] = {
		{ .segments = constant, .segment_count = 1, .duration = 10 * SECOND },
		{ .kind = EXECUTOR_SHARED,
		  .segments = constant,
		  .segment_count = 1,
		  .start = 3 * SECOND,
		  .duration = 5 * SECOND },
	};
	expect(both, 2, 0, "sssrssssss");
}

static void a_part_of_a_second_that_changes_is_enough(void **state)
{
	static const struct load_segment brief[] = { { 5, 5, 3500 * MILLISECOND },
		                                     { 5, 6, 100 * MILLISECOND },
		                                     { 6, 6, 6400 * MILLISECOND } };
	const struct executor_plan x = { .segments = brief, .segment_count = 3, .duration = 10 * SECOND };
	const struct program p = { .executors = &x, .executor_count = 1, .duration = 10 * SECOND };
	expect(&x, 1, 0, "sssrssssss");
	/* A row that a busy worker made two seconds long; one that an early end made short. */
	assert_int_equal(phase_of(&p, 2, 2 * SECOND, 4 * SECOND), PHASE_RAMP);
	assert_int_equal(phase_of(&p, 3, 3 * SECOND, 3400 * MILLISECOND), PHASE_STEADY);
	/* What is behind the end changes nothing. */
	assert_int_equal(phase_of(&p, 10, 10 * SECOND, 11 * SECOND), PHASE_STEADY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_constant_load_is_steady),
		cmocka_unit_test(slopes_and_jumps_are_ramps),
		cmocka_unit_test(one_executor_that_changes_is_enough),
		cmocka_unit_test(counted_iterations_end_when_they_are_done),
		cmocka_unit_test(a_part_of_a_second_that_changes_is_enough),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
