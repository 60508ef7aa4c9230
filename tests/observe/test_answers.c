#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>

#include <cmocka.h>

#include "base/must.h"
#include "observe/answers.h"

static void numbers_by_pointer(void **state)
{
	static const char *const pointers[] = { "/queue", "/pool/used", "/list/1", "/a~1b", "/m~0n", "" };
	double values[6];
	struct err err;
	assert_int_equal(
		answer_json_values(
			STR("{\"queue\": 3, \"pool\": {\"used\": 0.5}, \"list\": [1, 2], \"a/b\": 4, \"m~n\": -5}"),
			pointers, 5, values, &err),
		0);
	assert_float_equal(values[0], 3, 0);
	assert_float_equal(values[1], 0.5, 0);
	assert_float_equal(values[2], 2, 0);
	assert_float_equal(values[3], 4, 0);
	assert_float_equal(values[4], -5, 0);
	assert_int_equal(answer_json_values(STR("7.5"), pointers + 5, 1, values, &err), 0);
	assert_float_equal(values[0], 7.5, 0);
}

static void large_numbers_and_odd_strings_spoil_nothing(void **state)
{
	static const char *const pointers[] = { "/a", "/max" };
	double values[2];
	struct err err;
	assert_int_equal(answer_json_values(STR("{\"a\": 3, \"max\": 18446744073709551615, \"s\": \"a\\u0000b\","
	                                        " \"l\": [-9223372036854775809]}"),
	                                    pointers, 2, values, &err),
	                 0);
	assert_float_equal(values[0], 3, 0);
	assert_float_equal(values[1], 18446744073709551615.0, 0);
}

static void what_is_not_there_is_missing(void **state)
{
	static const struct {
		const char *body, *pointer, *why;
	} cases[] = {
		{ "{\"a\": 1}", "/b", "there is nothing at '/b'" },
		{ "{\"a\": \"1\"}", "/a", "what is at '/a' is not a number" },
		{ "{\"a\": null}", "/a", "what is at '/a' is not a number" },
		{ "{\"a\": true}", "/a", "what is at '/a' is not a number" },
		{ "{\"a\": [1]}", "/a/1", "there is nothing at '/a/1'" },
		{ "{\"a\": [1]}", "/a/00", "there is nothing at '/a/00'" },
		{ "{\"a\": [1]}", "/a/-", "there is nothing at '/a/-'" },
		{ "{\"a\": 1}", "/a/b", "there is nothing at '/a/b'" },
		{ "{\"a\": 1", "/a", "the answer is not JSON: '}' expected near end of file" },
		{ "", "/a", "the answer is not JSON: it is empty" },
		{ "{\"a\": 1e999}", "/a", "the answer is not JSON: real number overflow near '1e999'" },
		{ "{\"a\": 1e999\n\x01}", "/a", "the answer is not JSON: real number overflow near '1e999'" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		double value = 0;
		struct err err;
		assert_int_equal(answer_json_values(str_from(cases[i].body), &cases[i].pointer, 1, &value, &err), -1);
		assert_true(isnan(value));
		assert_string_equal(err.text, cases[i].why);
	}
}

static void one_missing_number_leaves_the_others(void **state)
{
	static const char *const pointers[] = { "/a", "/gone", "/b" };
	double values[3];
	struct err err;
	assert_int_equal(answer_json_values(STR("{\"a\": 1, \"b\": 2}"), pointers, 3, values, &err), -1);
	assert_float_equal(values[0], 1, 0);
	assert_true(isnan(values[1]));
	assert_float_equal(values[2], 2, 0);
}

static void pointers_are_checked(void **state)
{
	assert_true(json_pointer_is_sound(""));
	assert_true(json_pointer_is_sound("/a~0b/~1"));
	assert_false(json_pointer_is_sound("a"));
	assert_false(json_pointer_is_sound("/a~"));
	assert_false(json_pointer_is_sound("/a~2"));
}

#define VECTOR(elements) "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[" elements "]}}"
#define NOW 1700000000.0

static void numbers_of_prometheus(void **state)
{
	static const struct {
		const char *body;
		double value;
	} cases[] = {
		{ VECTOR("{\"metric\":{},\"value\":[1700000000.123,\"0.25\"]}"), 0.25 },
		{ VECTOR("{\"metric\":{\"job\":\"x\"},\"value\":[1699999971,\"1e+06\"]}"), 1e6 },
		{ "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1700000000,\"7\"]}}", 7 },
		{ "{\"status\":\"success\",\"infos\":[\"x\"],\"warnings\":[],\"data\":{\"resultType\":\"scalar\",\"result\":[1700000000,\"-1\"]}}",
		  -1 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		double value = NAN;
		struct err err;
		assert_int_equal(answer_prometheus(str_from(cases[i].body), NOW, 30, &value, &err), 0);
		assert_float_equal(value, cases[i].value, 0);
	}
}

static void what_prometheus_does_not_know_is_missing(void **state)
{
	static const struct {
		const char *body, *why;
	} cases[] = {
		{ VECTOR(""), "the query finds nothing" },
		{ VECTOR("{\"value\":[1700000000,\"NaN\"]}"), "not a finite number (NaN)" },
		{ VECTOR("{\"value\":[1700000000,\"+Inf\"]}"), "not a finite number (+Inf)" },
		{ VECTOR("{\"value\":[1700000000,\"-Inf\"]}"), "not a finite number (-Inf)" },
		{ VECTOR("{\"value\":[1700000000,\"\"]}"), "not a finite number" },
		{ VECTOR("{\"value\":[1700000000,5]}"), "a point is not" },
		{ VECTOR("{\"value\":[1699999969,\"1\"]}"), "the newest value is 31 s old" },
		{ VECTOR("{\"value\":[1700000000,\"1\"]},{\"value\":[1700000000,\"2\"]}"), "gives 2 series, not one" },
		{ VECTOR("{\"histogram\":[1700000000,{\"count\":\"1\"}]}"), "a native histogram" },
		{ VECTOR("7"), "a point is not" },
		{ "{\"status\":\"success\",\"warnings\":[\"no store\"],\"data\":{\"resultType\":\"scalar\",\"result\":[1700000000,\"7\"]}}",
		  "Prometheus warns: no store" },
		{ "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"parse error\\nat 1\"}",
		  "Prometheus refuses the query: parse error at 1" },
		{ "{\"status\":\"error\"}", "no reason given" },
		{ "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[]}}",
		  "gives a matrix, not one number" },
		{ "{\"status\":\"success\",\"data\":{}}", "it has no result" },
		{ "{\"status\":\"success\"}", "it has no result" },
		{ "{}", "it has no status" },
		{ "[]", "it has no status" },
		{ "404 page not found", "the answer is not JSON" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		double value = 0;
		struct err err;
		assert_int_equal(answer_prometheus(str_from(cases[i].body), NOW, 30, &value, &err), -1);
		assert_true(isnan(value));
		if (!strstr(err.text, cases[i].why))
			fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_by_pointer),
		cmocka_unit_test(large_numbers_and_odd_strings_spoil_nothing),
		cmocka_unit_test(what_is_not_there_is_missing),
		cmocka_unit_test(one_missing_number_leaves_the_others),
		cmocka_unit_test(pointers_are_checked),
		cmocka_unit_test(numbers_of_prometheus),
		cmocka_unit_test(what_prometheus_does_not_know_is_missing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
