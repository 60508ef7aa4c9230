#include "demo/traffic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void answers_are_counted_by_route_and_status(void **state)
{
	static struct traffic t;
	traffic_count(&t, &routes[0], 200);
	traffic_count(&t, &routes[0], 200);
	traffic_count(&t, &routes[1], 503);
	traffic_count(&t, &routes[1], 418); /* has no column of its own */
	traffic_count(&t, NULL, 404);
	json_t *json = traffic_json(&t);
	json_t *wanted = json_pack("{s:i, s:{s:i, s:i, s:i, s:i}, s:{s:{s:i}, s:{s:i, s:i}, s:{s:i}}}", "requests", 5,
	                           "by_status", "200", 2, "503", 1, "other", 1, "404", 1, "by_path", "GET /", "200", 2,
	                           "GET /api/health", "503", 1, "other", 1, "elsewhere", "404", 1);
	assert_non_null(wanted);
	assert_true(json_equal(json, wanted));
	json_decref(json);
	json_decref(wanted);
}

static void a_reset_forgets_all(void **state)
{
	static struct traffic t;
	traffic_count(&t, &routes[2], 200);
	traffic_reset(&t);
	json_t *json = traffic_json(&t);
	assert_int_equal(json_integer_value(json_object_get(json, "requests")), 0);
	assert_int_equal(json_object_size(json_object_get(json, "by_path")), 0);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_counted_by_route_and_status),
		cmocka_unit_test(a_reset_forgets_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
