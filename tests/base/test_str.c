#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void slices_compare_by_their_bytes(void **state)
{
	assert_true(str_eq(STR("abc"), str_from("abc")));
	assert_false(str_eq(STR("abc"), STR("abd")));
	assert_false(str_eq(STR("abc"), STR("ab")));
	assert_true(str_eq((struct str){ NULL, 0 }, STR("")));
	assert_true(str_eq(STR("a\0b"), STR("a\0b")));
	assert_false(str_eq(STR("a\0b"), STR("a\0c")));
	assert_true(str_is(STR("x"), "x"));
	assert_int_equal(str_from(NULL).len, 0);
	assert_true(str_eq_nocase(STR("Content-Type"), STR("cONTENT-tYPE")));
	assert_false(str_eq_nocase(STR("a["), STR("A{"))); /* letters only */
	assert_false(str_eq_nocase(STR("a"), STR("ab")));
	assert_true(str_starts(STR("abc"), STR("ab")));
	assert_true(str_starts(STR("abc"), STR("")));
	assert_false(str_starts(STR("ab"), STR("abc")));
}

static void slices_are_cut_within_their_bounds(void **state)
{
	assert_true(str_is(str_from_at(STR("abc"), 1), "bc"));
	assert_true(str_is(str_from_at(STR("abc"), 9), ""));
	assert_true(str_is(str_first(STR("abc"), 2), "ab"));
	assert_true(str_is(str_first(STR("abc"), 9), "abc"));
	assert_true(str_is(str_trim(STR(" \t\r\n a b \n")), "a b"));
	assert_true(str_is(str_trim(STR("  ")), ""));
	assert_true(str_is(str_trim((struct str){ NULL, 0 }), ""));
	assert_int_equal(str_find(STR("a:b:"), ':'), 1);
	assert_int_equal(str_find(STR("ab"), ':'), 2);
	assert_int_equal(str_find((struct str){ NULL, 0 }, ':'), 0);
}

static void parts_come_off_the_front(void **state)
{
	struct str s = STR("a,,b,"), part;
	assert_true(str_cut(&s, ',', &part) && str_is(part, "a"));
	assert_true(str_cut(&s, ',', &part) && str_is(part, ""));
	assert_true(str_cut(&s, ',', &part) && str_is(part, "b"));
	assert_false(str_cut(&s, ',', &part)); /* nothing behind the last separator */
}

static void whole_numbers_are_digits_that_fit(void **state)
{
	uint64_t n = 7;
	assert_true(str_to_u64(STR("0"), &n) && n == 0);
	assert_true(str_to_u64(STR("007"), &n) && n == 7);
	assert_true(str_to_u64(STR("18446744073709551615"), &n) && n == UINT64_MAX);
	static const struct str bad[] = { STR(""),
		                          STR("-1"),
		                          STR("+1"),
		                          STR(" 1"),
		                          STR("1 "),
		                          STR("1.0"),
		                          STR("0x1"),
		                          STR("18446744073709551616"),
		                          STR("99999999999999999999"),
		                          STR("1\0") };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(str_to_u64(bad[i], &n));
	assert_true(n == UINT64_MAX); /* set on success only */
}

static void decimal_numbers_are_read_whole(void **state)
{
	double d = 7;
	assert_true(str_to_double(STR("1.5"), &d) && d == 1.5);
	assert_true(str_to_double(STR("-2e3"), &d) && d == -2000);
	assert_true(str_to_double(STR("+1"), &d) && d == 1);
	assert_true(str_to_double(STR(".5"), &d) && d == 0.5);
	assert_true(str_to_double(STR("1."), &d) && d == 1);
	assert_true(str_to_double(str_first(STR("123"), 2), &d) && d == 12);
	static const struct str bad[] = {
		STR(""),     STR("."),   STR("e5"),
		STR("1e"),   STR("--1"), STR("1.2.3"),
		STR("0x10"), STR("inf"), STR("nan"),
		STR(" 1"),   STR("1 "),  STR("1e999"),
		STR("1,5"),  STR("1\0"), STR("1111111111111111111111111111111111111111111111111111111111111111")
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(str_to_double(bad[i], &d));
	assert_true(d == 12);
}

static void the_nearest_name_is_near(void **state)
{
	static const char *const names[] = { "users", "rate", "duration", "constant-users", NULL };
	static const char *const none[] = { NULL };
	assert_string_equal(str_nearest(STR("user"), names), "users");
	assert_string_equal(str_nearest(STR("RATE"), names), "rate");
	assert_string_equal(str_nearest(STR("durtaion"), names), "duration");
	assert_string_equal(str_nearest(STR("constant_users"), names), "constant-users");
	assert_null(str_nearest(STR("colour"), names));
	assert_null(str_nearest(STR("rate"), none));
	const char *const methods[] = { "get", "post", NULL };
	assert_string_equal(str_nearest(STR("gt"), methods), "get");
	assert_string_equal(str_nearest(STR("psot"), methods), "post"); /* neighbours swapped: one mistake */
	assert_null(str_nearest(STR("text"), methods));
	char longer[100];
	memset(longer, 'a', sizeof(longer));
	assert_null(str_nearest((struct str){ longer, sizeof(longer) }, names));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slices_compare_by_their_bytes),  cmocka_unit_test(slices_are_cut_within_their_bounds),
		cmocka_unit_test(parts_come_off_the_front),       cmocka_unit_test(whole_numbers_are_digits_that_fit),
		cmocka_unit_test(decimal_numbers_are_read_whole), cmocka_unit_test(the_nearest_name_is_near),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
