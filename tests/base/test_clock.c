#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void mono_only_goes_forward(void **state)
{
	struct mono before = mono_now();
	assert_true(before.ns > 0);
	for (int i = 0; i < 1000; i++) {
		const struct mono now = mono_now();
		assert_true(mono_since(now, before) >= 0);
		before = now;
	}
}

static void instants_and_lengths_add_up(void **state)
{
	const struct mono t = { 5 * SECOND };
	assert_int_equal(mono_after(t, 250 * MILLISECOND).ns, 5250000000);
	assert_int_equal(mono_since(mono_after(t, HOUR), t), 3600 * SECOND);
	assert_int_equal(mono_since(t, mono_after(t, MINUTE)), -60 * SECOND);
}

static void wall_is_after_this_was_written(void **state)
{
	assert_true(wall_now().ns > INT64_C(1700000000) * SECOND);
}

static void wall_is_written_in_utc(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1767225600123456789, "2026-01-01T00:00:00.123Z" },
		{ 1709210096999999999, "2024-02-29T12:34:56.999Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ -1500000000, "1969-12-31T23:59:58.500Z" },
	};
	setenv("TZ", "America/New_York", 1); /* must not matter */
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[WALL_TEXT_BYTES];
		wall_format((struct wall){ cases[i].ns }, text);
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mono_only_goes_forward),
		cmocka_unit_test(instants_and_lengths_add_up),
		cmocka_unit_test(wall_is_after_this_was_written),
		cmocka_unit_test(wall_is_written_in_utc),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
