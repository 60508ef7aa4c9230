#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>

#include "base/must.h"
#include "reports/style.h"

static char text[NUMBER_TEXT_BYTES];

static void shares(void **state)
{
	static const struct {
		double share;
		const char *text;
	} cases[] = {
		{ 0, "0 %" },         { -0.0, "0 %" },        { 1, "100 %" },       { 0.5, "50 %" },
		{ 0.0125, "1.25 %" }, { 0.00031, "0.031 %" }, { 1e-6, "0.0001 %" }, { 0.99996, ">99.99 %" },
		{ 0.9996, "99.9 %" }, { 0.9951, "99.5 %" },   { NAN, "n/a" },       { INFINITY, "n/a" },
		{ -0.02, "-2 %" },    { 0.1234, "12.3 %" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(text_share(cases[i].share, text), cases[i].text);
}

static void counts_rates_ratios(void **state)
{
	assert_string_equal(text_count(0, text), "0");
	assert_string_equal(text_count(999, text), "999");
	assert_string_equal(text_count(1000, text), "1,000");
	assert_string_equal(text_count(999999, text), "999,999");
	assert_string_equal(text_count(1234567, text), "1.23 M");
	assert_string_equal(text_count(NAN, text), "n/a");
	assert_string_equal(text_count(-0.0, text), "0");
	assert_string_equal(text_rate(348, text), "348/s");
	assert_string_equal(text_rate(12.5, text), "12.5/s");
	assert_string_equal(text_rate(0, text), "0/s");
	assert_string_equal(text_rate(12345, text), "12,345/s");
	assert_string_equal(text_rate(INFINITY, text), "n/a");
	assert_string_equal(text_ratio(1.521, text), "1.52x");
	assert_string_equal(text_ratio(46, text), "46.0x");
	assert_string_equal(text_ratio(190, text), "190x");
	assert_string_equal(text_ratio(1e9, text), ">999x");
	assert_string_equal(text_ratio(NAN, text), "n/a");
	assert_string_equal(text_bytes(812, text), "812 B");
	assert_string_equal(text_bytes(42000, text), "42.0 kB");
	assert_string_equal(text_weight(25, text), "0.25 %");
	assert_string_equal(text_weight(10000, text), "100 %");
}

static void times(void **state)
{
	assert_string_equal(text_duration(-1, text), "n/a");
	assert_string_equal(text_duration(0, text), "0 us");
	assert_string_equal(text_duration(12300 * MICROSECOND, text), "12.3 ms");
	assert_string_equal(text_since(0, text), "+0:00");
	assert_string_equal(text_since(725 * SECOND, text), "+12:05");
	assert_string_equal(text_since(HOUR + 2 * MINUTE + 3 * SECOND, text), "+1:02:03");
	assert_string_equal(text_since(-5 * SECOND, text), "-0:05");
	assert_string_equal(text_wall((struct wall){ 0 }, text), "n/a");
	assert_string_equal(text_wall((struct wall){ INT64_C(1767225601) * SECOND }, text), "2026-01-01 00:00:01 UTC");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares),
		cmocka_unit_test(counts_rates_ratios),
		cmocka_unit_test(times),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
