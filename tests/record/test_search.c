#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "tests/record/samples.h"

static void what_was_encoded_comes_back(void **state)
{
	struct search_record s, again;
	struct err err;
	sample_search(&s, "01SEARCH", "capacity");
	json_t *json = search_record_encode(&s);
	assert_int_equal(search_record_decode(json, &again, &err), 0);
	json_t *second = search_record_encode(&again);
	assert_true(json_equal(json, second));
	assert_int_equal(again.trial_count, 3);
	assert_int_equal(again.trials[1].quantile, 123456789);
	assert_int_equal(again.trials[2].phase, TRIAL_CONFIRM);
	assert_int_equal(again.second_count, 2);
	assert_true(again.completed[1] == 101.5 && again.resources[0].values[1] == 0.5);
	json_decref(json);
	json_decref(second);
	search_record_finish(&s);
	search_record_finish(&again);
}

static void wrong_members_are_named(void **state)
{
	struct search_record s, again;
	struct err err = { 0 };
	sample_search(&s, "01SEARCH", "capacity");
	json_t *json = search_record_encode(&s);
	json_object_set_new(json_array_get(json_object_get(json, "trials"), 2), "verdict", json_string("maybe"));
	assert_int_equal(search_record_decode(json, &again, &err), -1);
	assert_int_equal(err.kind, ERR_SYNTAX);
	assert_string_equal(err.text, "record: trials[2].verdict must be one of pass, fail, grey, invalid");
	json_array_append_new(json_object_get(json, "completed"), json_integer(1));
	json_object_set_new(json_array_get(json_object_get(json, "trials"), 2), "verdict", json_string("pass"));
	assert_int_equal(search_record_decode(json, &again, &err), -1);
	assert_string_equal(err.text, "record: resources[0].values must be as many values as there are seconds");
	json_object_del(json, "slo");
	assert_int_equal(search_record_decode(json, &again, &err), -1);
	assert_string_equal(err.text, "record: slo must be an object, but is missing");
	json_decref(json);
	search_record_finish(&s);
}

static void old_records_observed_nothing(void **state)
{
	struct search_record s, again;
	struct err err;
	sample_search(&s, "01SEARCH", "capacity");
	json_t *json = search_record_encode(&s);
	json_object_del(json, "completed");
	json_object_del(json, "resources");
	assert_int_equal(search_record_decode(json, &again, &err), 0);
	assert_int_equal(again.second_count, 0);
	assert_int_equal(again.resource_count, 0);
	json_decref(json);
	search_record_finish(&s);
	search_record_finish(&again);
}

/* <seconds> of a run, the first of which are before 0, with two series. */
static void make_run(struct run_record *r, int seconds, int first, double limit)
{
	run_record_init(r);
	r->second_count = (size_t)seconds;
	r->seconds = xcalloc(r->second_count, sizeof(*r->seconds));
	run_record_make_resources(r, 2);
	for (int i = 0; i < seconds; i++) {
		r->seconds[i].second = first + i;
		r->seconds[i].completed = (uint32_t)(100 + i);
		r->resources[0].values[i] = i;
	}
	for (size_t i = 0; i < 2; i++) {
		r->resources[i].name = xstrdup(i ? "db busy" : "app cpu");
		r->resources[i].unit = xstrdup("cores");
	}
	r->resources[0].limit = limit;
}

static void whole_measured_seconds_are_added(void **state)
{
	struct search_record s;
	struct run_record run;
	search_record_init(&s);
	make_run(&run, 5, -2, 8);
	search_record_add_seconds(&s, &run); /* 0 and 1 of -2 .. 2 */
	run_record_finish(&run);
	make_run(&run, 2, 0, NAN);
	run.resources[1].why_missing = xstrdup("it was away");
	search_record_add_seconds(&s, &run); /* 0 of 0, 1 */
	run_record_finish(&run);
	make_run(&run, 1, 0, 8);
	search_record_add_seconds(&s, &run); /* none: it is no whole one */
	run_record_finish(&run);
	assert_int_equal(s.second_count, 3);
	assert_true(s.completed[0] == 102 && s.completed[1] == 103 && s.completed[2] == 100);
	assert_int_equal(s.resource_count, 2);
	assert_string_equal(s.resources[1].name, "db busy");
	assert_string_equal(s.resources[1].why_missing, "it was away");
	assert_int_equal(s.resources[0].count, 3);
	assert_true(s.resources[0].values[0] == 2 && s.resources[0].values[2] == 0);
	assert_true(isnan(s.resources[1].values[0]));
	assert_true(s.resources[0].limit == 8);
	search_record_finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_encoded_comes_back),
		cmocka_unit_test(wrong_members_are_named),
		cmocka_unit_test(old_records_observed_nothing),
		cmocka_unit_test(whole_measured_seconds_are_added),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
