#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>

#include "base/mem.h"
#include "record/series_json.h"

static void what_is_made_is_missing(void **state)
{
	double mean, most;
	struct sampled_series *s = sampled_series_make(2, 3);
	assert_int_equal(s[1].count, 3);
	assert_true(isnan(s[1].limit));
	assert_int_equal(sampled_series_sum_up(&s[1], 0, &mean, &most), 0);
	assert_true(isnan(mean) && isnan(most));
	sampled_series_destroy(s, 2);
	sampled_series_destroy(NULL, 0);
}

static void figures_are_of_what_is_there(void **state)
{
	double mean, most;
	struct sampled_series *s = sampled_series_make(1, 4);
	s->values[0] = 100;
	s->values[1] = 1;
	s->values[3] = 4;
	assert_int_equal(sampled_series_sum_up(s, 1, &mean, &most), 2);
	assert_true(mean == 2.5 && most == 4);
	sampled_series_destroy(s, 1);
}

static void what_was_written_comes_back(void **state)
{
	struct reading reading;
	struct err err;
	size_t count;
	struct sampled_series *s = sampled_series_make(1, 3), *again;
	s->name = xstrdup("app cpu");
	s->unit = xstrdup("cores");
	s->limit = 8;
	s->values[2] = 1.5;
	s->why_missing = xstrdup("it was away");
	json_t *json = json_object();
	series_out(json, "resources", s, 1, 1, true);
	const json_t *item = json_array_get(json_object_get(json, "resources"), 0);
	assert_int_equal(json_integer_value(json_object_get(item, "samples")), 1);
	assert_int_equal(json_integer_value(json_object_get(item, "missing")), 1);
	const struct in o = in_root(&reading, json, NULL, &err);
	again = series_in(&o, "resources", 3, &count);
	assert_false(reading.failed);
	assert_int_equal(count, 1);
	assert_string_equal(again->name, "app cpu");
	assert_string_equal(again->unit, "cores");
	assert_string_equal(again->why_missing, "it was away");
	assert_true(again->limit == 8 && isnan(again->values[0]) && again->values[2] == 1.5);
	sampled_series_destroy(again, count);
	/* Nothing there: no series. Another number of seconds: not ours. */
	assert_null(series_in(&o, "other", 3, &count));
	assert_int_equal(count, 0);
	again = series_in(&o, "resources", 2, &count);
	assert_true(reading.failed);
	assert_string_equal(err.text, "record: resources[0].values must be as many values as there are seconds");
	sampled_series_destroy(again, count);
	sampled_series_destroy(s, 1);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_made_is_missing),
		cmocka_unit_test(figures_are_of_what_is_there),
		cmocka_unit_test(what_was_written_comes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
