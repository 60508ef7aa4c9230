#include "base/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void durations_are_numbers_with_units(void **state)
{
	static const struct {
		const char *text;
		dur_ns ns;
	} cases[] = {
		{ "0", 0 },
		{ "0s", 0 },
		{ "10ns", 10 },
		{ "800us", 800 * MICROSECOND },
		{ "250ms", 250 * MILLISECOND },
		{ "1.5s", 1500 * MILLISECOND },
		{ "2m", 2 * MINUTE },
		{ "1h", HOUR },
		{ "1d", 24 * HOUR },
		{ "1m30s", 90 * SECOND },
		{ "365d", 365 * 24 * HOUR },
		{ "1h0.5m1ms", HOUR + 30 * SECOND + MILLISECOND },
		{ ".5s", 500 * MILLISECOND },
		{ "0.3s", 300 * MILLISECOND },
		{ "1.1ms", 1100 * MICROSECOND },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		dur_ns d = -1;
		size_t at;
		assert_true(duration_parse(str_from(cases[i].text), &d, &at));
		assert_int_equal(d, cases[i].ns);
	}
}

static void a_wrong_duration_says_where(void **state)
{
	static const struct {
		const char *text;
		size_t at;
	} cases[] = {
		{ "", 0 },     { "5", 1 },     { "fast", 0 },    { "-1s", 0 },  { "5 s", 1 },
		{ "1m30", 4 }, { "1m30x", 4 }, { "1..5s", 4 },   { "s", 0 },    { "1hm", 1 },
		{ "1s ", 2 },  { "366d", 3 },  { "300d70d", 6 }, { "1e3s", 1 }, { "00", 2 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		dur_ns d = -1;
		size_t at = 99;
		assert_false(duration_parse(str_from(cases[i].text), &d, &at));
		assert_int_equal(at, cases[i].at);
		assert_int_equal(d, -1);
	}
}

static void shares_are_percent_or_plain(void **state)
{
	double s;
	size_t at = 99;
	assert_true(share_parse(STR("5%"), &s, &at) && s == 0.05);
	assert_true(share_parse(STR("0.05"), &s, &at) && s == 0.05);
	assert_true(share_parse(STR("100%"), &s, &at) && s == 1);
	assert_true(share_parse(STR("0"), &s, &at) && s == 0);
	assert_true(share_parse(STR("0.1%"), &s, &at) && s == 0.001);
	assert_false(share_parse(STR("101%"), &s, &at));
	assert_int_equal(at, 0);
	assert_false(share_parse(STR("5 %"), &s, &at));
	assert_int_equal(at, 1);
	assert_false(share_parse(STR("-1%"), &s, &at));
	assert_false(share_parse(STR(""), &s, &at));
	assert_false(share_parse(STR("%"), &s, &at));
	assert_false(share_parse(STR("5%%"), &s, &at));
	assert_false(share_parse(STR("2"), &s, &at));
	assert_true(s == 0.001);
}

static void durations_are_written_for_people(void **state)
{
	static const struct {
		dur_ns d;
		const char *text;
	} cases[] = {
		{ 0, "0 us" },
		{ 250 * MICROSECOND, "250 us" },
		{ 1234567, "1.23 ms" },
		{ 12300 * MILLISECOND, "12.3 s" },
		{ 119 * SECOND, "119 s" },
		{ 250 * SECOND, "4 m 10 s" },
		{ 3 * HOUR + 5 * MINUTE, "3 h 5 m" },
		{ 9996 * MICROSECOND, "10.0 ms" },
		{ -5 * MILLISECOND, "-5.00 ms" },
		{ -250 * SECOND, "-4 m 10 s" },
		{ 365 * 24 * HOUR, "8760 h 0 m" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[DURATION_TEXT_BYTES];
		assert_string_equal(duration_format(cases[i].d, text), cases[i].text);
	}
}

static void counts_are_written_for_people(void **state)
{
	static const struct {
		double count;
		const char *text;
	} cases[] = {
		{ 0, "0" },          { 812, "812" },  { 9999, "9999" },      { 12345, "12.3 k" }, { 4560000, "4.56 M" },
		{ 2.5e9, "2.50 G" }, { 0.5, "0.50" }, { -12345, "-12.3 k" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[COUNT_TEXT_BYTES];
		assert_string_equal(count_format(cases[i].count, text), cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_numbers_with_units), cmocka_unit_test(a_wrong_duration_says_where),
		cmocka_unit_test(shares_are_percent_or_plain),      cmocka_unit_test(durations_are_written_for_people),
		cmocka_unit_test(counts_are_written_for_people),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
