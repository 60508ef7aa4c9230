#include "observe/punctuality.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void the_clock_is_a_clock(void **state)
{
	struct clock_facts c;
	clock_measure(&c);
	assert_false(c.backwards);
	assert_true(c.resolution > 0);
	assert_true(c.read > 0);
}

static void alarms_are_never_early(void **state)
{
	struct lateness l = { .p50 = -1 };
	struct err err;
	const struct mono begin = mono_now();
	assert_int_equal(lateness_measure(20, MILLISECOND, &l, &err), 0);
	assert_true(mono_since(mono_now(), begin) >= 20 * MILLISECOND);
	assert_int_equal(l.count, 20);
	assert_true(l.p50 >= 0 && l.p50 <= l.p99);
	assert_true(l.most > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_clock_is_a_clock),
		cmocka_unit_test(alarms_are_never_early),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
