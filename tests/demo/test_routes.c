#include "demo/routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void paths_find_their_routes(void **state)
{
	static const struct {
		const char *method, *path;
		enum route_found found;
		const char *pattern;
		uint64_t id;
	} cases[] = {
		{ "GET", "/", ROUTE_FOUND, "/", 0 },
		{ "GET", "/api/health", ROUTE_FOUND, "/api/health", 0 },
		{ "HEAD", "/api/health", ROUTE_FOUND, "/api/health", 0 },
		{ "GET", "/api/health/deep", ROUTE_FOUND, "/api/health/deep", 0 },
		{ "GET", "/api/groups/12", ROUTE_FOUND, "/api/groups/*", 12 },
		{ "POST", "/api/groups/7/messages", ROUTE_FOUND, "/api/groups/*/messages", 7 },
		{ "POST", "/api/conversations/3/messages", ROUTE_FOUND, "/api/conversations/*/messages", 3 },
		{ "GET", "/api/conversations/3/messages", ROUTE_NO_SUCH_METHOD, "/api/conversations/*/messages", 0 },
		{ "PUT", "/api/login", ROUTE_NO_SUCH_METHOD, "/api/login", 0 },
		{ "GET", "/api/groups/x", ROUTE_NO_SUCH_PATH, NULL, 0 },
		{ "GET", "/api/groups/-1", ROUTE_NO_SUCH_PATH, NULL, 0 },
		{ "GET", "/api/groups/99999999999999999999999", ROUTE_NO_SUCH_PATH, NULL, 0 },
		{ "GET", "/api/groups/", ROUTE_NO_SUCH_PATH, NULL, 0 },
		{ "GET", "/api/groups/1/", ROUTE_NO_SUCH_PATH, NULL, 0 },
		{ "GET", "/api/groups/1/messages/2", ROUTE_NO_SUCH_PATH, NULL, 0 },
		{ "GET", "/api", ROUTE_NO_SUCH_PATH, NULL, 0 },
		{ "GET", "//", ROUTE_NO_SUCH_PATH, NULL, 0 },
		{ "GET", "api/groups", ROUTE_NO_SUCH_PATH, NULL, 0 },
		{ "GET", "", ROUTE_NO_SUCH_PATH, NULL, 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct route *route = NULL;
		uint64_t id = 0;
		print_message("# %s %s\n", cases[i].method, cases[i].path);
		assert_int_equal(route_find(cases[i].method, str_from(cases[i].path), &route, &id), cases[i].found);
		if (cases[i].found != ROUTE_NO_SUCH_PATH)
			assert_string_equal(route->path, cases[i].pattern);
		if (cases[i].found == ROUTE_FOUND)
			assert_int_equal(id, cases[i].id);
	}
}

static void there_is_room_to_count_every_route(void **state)
{
	size_t count = 0;
	while (routes[count].answer)
		count++;
	assert_in_range(count, 1, ROUTES_MAX);
}

static void errors_are_json(void **state)
{
	struct reply reply;
	reply_error(&reply, 418, "a \"%s\" pot", "tea");
	assert_int_equal(reply.status, 418);
	assert_string_equal(json_string_value(json_object_get(reply.json, "error")), "a \"tea\" pot");
	json_decref(reply.json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_find_their_routes),
		cmocka_unit_test(there_is_room_to_count_every_route),
		cmocka_unit_test(errors_are_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
