#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/must.h"
#include "observe/plan.h"

struct world {
	struct doc doc;
	struct arena arena;
	struct observe_plan plan;
};

static const char *get_env(void *arg, const char *name)
{
	return strcmp(name, "DB") == 0 ? "postgresql://weir:hunter2@127.0.0.1/app" : NULL;
}

static const struct observe_inputs inputs = { .get_env = get_env };

static bool read_plan(struct world *w, const char *text)
{
	doc_init(&w->doc, "o.json", str_from(text));
	arena_init(&w->arena);
	assert_true(doc_ok(&w->doc));
	const struct node root = doc_root(&w->doc);
	return observe_plan_read(&root, &inputs, &w->arena, &w->plan);
}

static void finish(struct world *w)
{
	arena_finish(&w->arena);
	doc_finish(&w->doc);
}

static void every_kind_is_read(void **state)
{
	struct world w = { 0 };
	assert_true(read_plan(
		&w, "[ {\"name\": \"app\", \"process\": 1234}, {\"process\": {\"pid_file\": \"/run/${env.X:-y}.pid\"}},"
		    "{\"name\": \"web\", \"process\": {\"listens\": 8080}}, {\"host\": true},"
		    "{\"json\": \"http://a/stats\", \"values\": {\"queue\": \"/queue\","
		    " \"hits\": {\"at\": \"/hits\", \"rate\": true}, \"x\": {\"at\": \"/x\", \"unit\": \"u\"}}},"
		    "{\"postgres\": \"${env.DB}\"},"
		    "{\"prometheus\": \"http://p:9090\", \"queries\": {\"cpu\": \"sum(x)\"}, \"interval\": \"5s\"} ]"));
	assert_int_equal(w.plan.item_count, 7);
	const struct observe_item *i = w.plan.items;
	assert_int_equal(i[0].pid, 1234);
	assert_string_equal(i[0].name, "app");
	assert_string_equal(i[1].pid_file, "/run/y.pid");
	assert_string_equal(i[1].name, "process");
	assert_int_equal(i[2].port, 8080);
	assert_string_equal(i[3].kind->key, "host");
	assert_int_equal(i[4].value_count, 3);
	assert_string_equal(i[4].values[0].at, "/queue");
	assert_string_equal(i[4].values[0].unit, "");
	assert_true(i[4].values[1].rate);
	assert_string_equal(i[4].values[1].unit, "/s");
	assert_string_equal(i[4].values[2].unit, "u");
	assert_string_equal(i[5].url, "postgresql://weir:hunter2@127.0.0.1/app");
	assert_int_equal(i[6].interval, 5 * SECOND);
	assert_string_equal(i[6].values[0].at, "sum(x)");
	finish(&w);
}

static void mistakes_are_told(void **state)
{
	static const char *const cases[][2] = {
		{ "{}", "must be an array of what to observe" },
		{ "[7]", "must be an object" },
		{ "[{\"name\": \"x\"}]", "does not say what to observe" },
		{ "[{\"host\": true, \"json\": \"http://a\"}]", "either \"host\" or \"json\"" },
		{ "[{\"host\": false}]", "\"host\" can only be true" },
		{ "[{\"host\": true, \"every\": 5}]", "every" },
		{ "[{\"host\": true}, {\"host\": true}]", "another item is called \"host\"" },
		{ "[{\"host\": true, \"name\": \"\"}]", "a name has 1 to 64 characters" },
		{ "[{\"process\": 0}]", "must be from 1 to" },
		{ "[{\"process\": \"nginx\"}]", "must be a whole number" },
		{ "[{\"process\": {}}]", "give either" },
		{ "[{\"process\": {\"listens\": 1, \"pid_file\": \"x\"}}]", "give either" },
		{ "[{\"process\": {\"listens\": 99999}}]", "must be from 1 to 65535" },
		{ "[{\"json\": \"ftp://a\", \"values\": {\"a\": \"/a\"}}]", "starts with http://" },
		{ "[{\"json\": \"http://a\"}]", "values" },
		{ "[{\"json\": \"http://a\", \"values\": {}}]", "1 to 32 figures" },
		{ "[{\"json\": \"http://a\", \"values\": {\"a\": \"a\"}}]", "not a JSON Pointer" },
		{ "[{\"json\": \"http://a\", \"values\": {\"a\": 1}}]", "must be a string" },
		{ "[{\"json\": \"http://a\", \"values\": {\"a\": {}}}]", "at" },
		{ "[{\"postgres\": \"${env.NOPE}\"}]", "the environment has no variable NOPE" },
		{ "[{\"postgres\": \"${x}\"}]", "this is not ${env.NAME}" },
		{ "[{\"postgres\": \"${env.\"}]", "this is not ${env.NAME}" },
		{ "[{\"postgres\": \"${\"}]", "this is not ${env.NAME}" },
		{ "[{\"postgres\": \"nonsense\"}]", "not a PostgreSQL URL" },
		{ "[{\"postgres\": \"\"}]", "must not be empty" },
		{ "[{\"prometheus\": \"http://a\", \"queries\": []}]", "an object of PromQL queries" },
		{ "[{\"prometheus\": \"http://a\", \"queries\": {\"a\": \"x\"}, \"interval\": \"0s\"}]", "interval" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world w = { 0 };
		struct buf text;
		buf_init(&text, 1 << 20);
		assert_false(read_plan(&w, cases[i][0]));
		diags_write(&w.doc.diags, &text);
		if (!strstr(buf_cstr(&text), cases[i][1]))
			fail_msg("%s: \"%s\" is not in: %s", cases[i][0], cases[i][1], buf_cstr(&text));
		buf_finish(&text);
		finish(&w);
	}
}

static void all_mistakes_at_once(void **state)
{
	struct world w = { 0 };
	assert_false(read_plan(&w, "[{\"host\": 1}, {\"process\": 0}, {\"x\": 1}]"));
	assert_int_equal(w.doc.diags.count, 3);
	finish(&w);
}

static void too_many_items(void **state)
{
	struct world w = { 0 };
	struct buf text;
	buf_init(&text, 4096);
	for (int i = 0; i <= OBSERVE_ITEMS_MAX; i++)
		buf_printf(&text, "%c{\"host\": true, \"name\": \"%d\"}", i ? ',' : '[', i);
	buf_add(&text, STR("]"));
	assert_false(read_plan(&w, buf_cstr(&text)));
	assert_int_equal(w.doc.diags.count, 1);
	buf_finish(&text);
	finish(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_read),
		cmocka_unit_test(mistakes_are_told),
		cmocka_unit_test(all_mistakes_at_once),
		cmocka_unit_test(too_many_items),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
