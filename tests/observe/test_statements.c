#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>

#include <cmocka.h>

#include "base/must.h"
#include "observe/statements.h"

#define OF(array) ((struct statements){ (array), ARRAY_LEN(array) })

static void the_difference_of_two_looks(void **state)
{
	/* 90 calls of 1 ms, 6 of 10 ms by a statement that is new, 4 of 100 ms; one that was not called; one that is gone. */
	struct statement before[] = { { -5, 10, 10 }, { 1, 100, 5000 }, { 2, 3, 3 }, { 9, 1, 1 } };
	struct statement after[] = { { -5, 100, 100 }, { 1, 104, 5400 }, { 2, 3, 3 }, { 7, 6, 60 } };
	const struct statements a = OF(before), b = OF(after);
	struct statement_times t;
	assert_true(statements_between(&a, &b, &t));
	assert_float_equal(t.calls, 100, 0);
	assert_float_equal(t.mean_ms, (90 + 60 + 400) / 100.0, 1e-12);
	assert_float_equal(t.p95_ms, 10, 1e-12);
}

static void nothing_called_is_missing_not_zero(void **state)
{
	struct statement rows[] = { { 1, 100, 5000 } };
	const struct statements a = OF(rows), none = { 0 };
	struct statement_times t;
	assert_true(statements_between(&a, &a, &t));
	assert_float_equal(t.calls, 0, 0);
	assert_true(isnan(t.mean_ms) && isnan(t.p95_ms));
	assert_true(statements_between(&none, &none, &t));
	assert_true(isnan(t.mean_ms));
}

static void a_reset_is_noticed(void **state)
{
	struct statement before[] = { { 1, 100, 5000 }, { 2, 1, 1 } };
	struct statement fewer[] = { { 1, 5, 20 }, { 2, 2, 2 } };
	struct statement unknown[] = { { 1, NAN, 20 }, { 2, 2, 2 } };
	const struct statements a = OF(before), b = OF(fewer), c = OF(unknown);
	struct statement_times t;
	assert_false(statements_between(&a, &b, &t));
	assert_false(statements_between(&a, &c, &t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_difference_of_two_looks),
		cmocka_unit_test(nothing_called_is_missing_not_zero),
		cmocka_unit_test(a_reset_is_noticed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
