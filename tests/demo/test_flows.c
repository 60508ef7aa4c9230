#include "demo/routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "demo/token.h"

static struct world *world;

static int make_world(void **state)
{
	world = world_create(5);
	return 0;
}

static int end_world(void **state)
{
	free(world);
	return 0;
}

/* Calls a flow; checks its status; the JSON it answered is given. */
static json_t *ask(void (*flow)(const struct call *, struct reply *), const char *user, const char *body, uint64_t id,
                   unsigned status)
{
	const struct call call = { .world = world, .user = str_from(user), .body = str_from(body), .id = id };
	struct reply reply = { 0 };
	flow(&call, &reply);
	assert_int_equal(reply.status, status);
	assert_non_null(reply.json);
	return reply.json;
}

static void expect_error(void (*flow)(const struct call *, struct reply *), const char *body, uint64_t id,
                         unsigned status, const char *part)
{
	json_t *json = ask(flow, "", body, id, status);
	const char *text = json_string_value(json_object_get(json, "error"));
	assert_non_null(text);
	assert_non_null(strstr(text, part));
	json_decref(json);
}

static void login_gives_a_token_that_is_good(void **state)
{
	json_t *json = ask(flow_login, "", "{\"user\": \"ann\", \"password\": \"demo\"}", 0, 200);
	struct str user;
	assert_true(token_check(str_from(json_string_value(json_object_get(json, "token"))), &user));
	assert_true(str_is(user, "ann"));
	json_decref(json);
}

static void login_says_what_is_wrong(void **state)
{
	expect_error(flow_login, "{\"user\": \"ann\", \"password\": \"x\"}", 0, 401, "password");
	expect_error(flow_login, "{\"user\": \"ann\"}", 0, 401, "password");
	expect_error(flow_login, "{\"password\": \"demo\"}", 0, 400, "\"user\"");
	expect_error(flow_login, "{\"user\": \"a b\", \"password\": \"demo\"}", 0, 400, "\"user\"");
	expect_error(flow_login, "{\"user\": 1, \"password\": \"demo\"}", 0, 400, "\"user\"");
	expect_error(flow_login, "", 0, 400, "not JSON");
	expect_error(flow_login, "[1]", 0, 400, "object");
}

static void me_is_who_the_token_says(void **state)
{
	expect_error(flow_me, "", 0, 401, "Bearer");
	json_t *json = ask(flow_me, "ann", "", 0, 200);
	assert_string_equal(json_string_value(json_object_get(json, "user")), "ann");
	json_decref(json);
}

static void groups_are_listed_made_and_shown(void **state)
{
	json_t *list = ask(flow_groups, "", "", 0, 200);
	assert_int_equal(json_array_size(json_object_get(list, "groups")), WORLD_SEEDED);
	json_t *made = ask(flow_make_group, "", "{\"name\": \"Divers\"}", 0, 201);
	const uint64_t id = (uint64_t)json_integer_value(json_object_get(made, "id"));
	json_t *shown = ask(flow_group, "", "", id, 200);
	assert_true(json_equal(made, shown));
	expect_error(flow_make_group, "{\"name\": \"\"}", 0, 400, "\"name\"");
	expect_error(flow_group, "", 999999, 404, "999999");
	json_decref(list);
	json_decref(made);
	json_decref(shown);
}

static void messages_are_posted_and_newest_first(void **state)
{
	json_t *posted = ask(flow_post_message, "ann", "{\"text\": \"hello\"}", 2, 201);
	json_t *list = ask(flow_messages, "", "", 2, 200);
	assert_true(json_equal(json_array_get(json_object_get(list, "messages"), 0), posted));
	assert_string_equal(json_string_value(json_object_get(posted, "author")), "ann");
	expect_error(flow_post_message, "{\"text\": 5}", 2, 400, "\"text\"");
	expect_error(flow_post_message, "{\"text\": \"x\"}", 0, 404, "group 0");
	expect_error(flow_messages, "", 11, 404, "group 11");
	json_decref(posted);
	json_decref(list);
}

static void conversations_are_listed_shown_and_continued(void **state)
{
	json_t *list = ask(flow_conversations, "", "", 0, 200);
	assert_int_equal(json_array_size(json_object_get(list, "conversations")), WORLD_SEEDED);
	json_t *posted = ask(flow_post_to_conversation, "", "{\"text\": \"and you?\"}", 3, 201);
	assert_string_equal(json_string_value(json_object_get(posted, "author")), "guest");
	json_t *shown = ask(flow_conversation, "", "", 3, 200);
	assert_true(json_equal(json_array_get(json_object_get(shown, "messages"), 0), posted));
	expect_error(flow_conversation, "", 11, 404, "conversation 11");
	expect_error(flow_post_to_conversation, "{\"text\": \"x\"}", 11, 404, "conversation 11");
	json_decref(list);
	json_decref(posted);
	json_decref(shown);
}

static void the_dashboard_counts(void **state)
{
	json_t *before = ask(flow_dashboard, "", "", 0, 200);
	json_decref(ask(flow_post_message, "ann", "{\"text\": \"hello\"}", 2, 201));
	json_decref(ask(flow_make_group, "", "{\"name\": \"Divers\"}", 0, 201));
	json_t *after = ask(flow_dashboard, "", "", 0, 200);
	assert_int_equal(json_integer_value(json_object_get(after, "messages")),
	                 json_integer_value(json_object_get(before, "messages")) + 1);
	assert_int_equal(json_integer_value(json_object_get(after, "groups")), WORLD_SEEDED + 1);
	json_decref(before);
	json_decref(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(login_gives_a_token_that_is_good, make_world, end_world),
		cmocka_unit_test_setup_teardown(login_says_what_is_wrong, make_world, end_world),
		cmocka_unit_test_setup_teardown(me_is_who_the_token_says, make_world, end_world),
		cmocka_unit_test_setup_teardown(groups_are_listed_made_and_shown, make_world, end_world),
		cmocka_unit_test_setup_teardown(messages_are_posted_and_newest_first, make_world, end_world),
		cmocka_unit_test_setup_teardown(conversations_are_listed_shown_and_continued, make_world, end_world),
		cmocka_unit_test_setup_teardown(the_dashboard_counts, make_world, end_world),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
