#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

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
	json_object_del(json, "slo");
	assert_int_equal(search_record_decode(json, &again, &err), -1);
	assert_string_equal(err.text, "record: slo must be an object, but is missing");
	json_decref(json);
	search_record_finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_encoded_comes_back),
		cmocka_unit_test(wrong_members_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
