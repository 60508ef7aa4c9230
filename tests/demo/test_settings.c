#include "demo/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/must.h"

static void hold(struct ticket *t)
{
}

static const struct pool_ops ops = { .hold = hold, .release = hold };

static int parse(struct settings *s, struct err *err, const char *const *words)
{
	int count = 0;
	while (words[count])
		count++;
	return settings_parse(count, (char **)(uintptr_t)words, s, err);
}

static void defaults_and_options(void **state)
{
	struct settings s;
	struct err err = { 0 };
	assert_int_equal(parse(&s, &err, (const char *[]){ NULL }), 0);
	assert_string_equal(s.listen, "127.0.0.1:8080");
	assert_null(s.control);
	assert_int_equal(s.slots.workers, 64);
	assert_int_equal(s.slots.latency, 0);
	assert_true(s.slots.latency_factor == 1);
	assert_int_equal(parse(&s, &err,
	                       (const char *[]){ "--latency", "1.5ms", "--error-rate=2%", "--workers=3", "--queue", "0",
	                                         "--freeze", "1s", "--seed", "9", "-q", NULL }),
	                 0);
	assert_int_equal(s.slots.latency, 1500 * MICROSECOND);
	assert_true(s.slots.error_rate == 0.02);
	assert_int_equal(s.slots.workers, 3);
	assert_int_equal(s.queue, 0);
	assert_int_equal(s.freeze, SECOND);
	assert_int_equal(s.seed, 9);
	assert_true(s.quiet);
}

static void wrong_options_are_refused(void **state)
{
	static const char *const cases[][3] = {
		{ "--latency", "11m" },    { "--latency", "5" }, { "--latency-factor", "-1" },
		{ "--error-rate", "1.5" }, { "--workers", "0" }, { "--workers", "1000000" },
		{ "--queue", "-1" },       { "--seed", "x" },    { "--freeze", "always" },
		{ "--worker", "1" },       { "8080", NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct settings s;
		struct err err = { 0 };
		assert_int_equal(parse(&s, &err, cases[i]), -1);
		assert_int_equal(err.kind, ERR_USAGE);
	}
}

static struct pool *make_pool(void)
{
	const struct slots_settings settings = { .latency = MILLISECOND, .latency_factor = 1, .workers = 4 };
	return pool_create(&settings, 8, 1, &ops);
}

static void end(struct pool *p)
{
	pool_close(p);
	pool_destroy(p);
}

static void what_is_shown_can_be_given_back(void **state)
{
	struct pool *p = make_pool();
	struct pool_state before, after;
	struct buf mistakes;
	buf_init(&mistakes, 4096);
	const char
		*change = "{\"latency\": \"2.5us\", \"latency_factor\": 1.5, \"error_rate\": \"3%\", \"workers\": 9}";
	assert_true(settings_change(str_from(change), p, &mistakes));
	pool_state(p, &before);
	assert_int_equal(before.settings.latency, 2500);
	assert_int_equal(before.settings.workers, 9);
	json_t *json = settings_json(&before);
	for (const char *const *key = (const char *[]){ "queue", "in_service", "waiting", NULL }; *key; key++)
		assert_int_equal(json_object_del(json, *key), 0);
	char *text = json_dumps(json, 0);
	assert_true(settings_change(str_from(text), p, &mistakes));
	pool_state(p, &after);
	assert_memory_equal(&before.settings, &after.settings, sizeof(before.settings));
	assert_int_equal(mistakes.len, 0);
	free(text);
	json_decref(json);
	buf_finish(&mistakes);
	end(p);
}

static void a_freeze_begins_and_ends(void **state)
{
	struct pool *p = make_pool();
	struct pool_state now;
	struct buf mistakes;
	buf_init(&mistakes, 4096);
	assert_true(settings_change(STR("{\"freeze\": \"30m\"}"), p, &mistakes));
	pool_state(p, &now);
	assert_true(now.freeze_left > 29 * MINUTE);
	assert_true(settings_change(STR("{\"workers\": 5}"), p, &mistakes)); /* does not touch it */
	pool_state(p, &now);
	assert_true(now.freeze_left > 29 * MINUTE);
	assert_true(settings_change(STR("{\"freeze\": \"0\"}"), p, &mistakes));
	pool_state(p, &now);
	assert_int_equal(now.freeze_left, 0);
	buf_finish(&mistakes);
	end(p);
}

static void one_mistake_and_nothing_is_changed(void **state)
{
	static const char *const cases[] = {
		"{\"latency\": \"9ms\", \"error_rate\": 2}",
		"{\"latency\": \"9ms\", \"workers\": 0}",
		"{\"latency\": \"9ms\", \"latency_factor\": -1}",
		"{\"latency\": \"9ms\", \"nothing\": 1}",
		"{\"latency\": \"9ms\", \"freeze\": \"2h\"}",
		"{\"latency\": \"9ms\", \"workers\": 1.5}",
		"{\"latency\": \"9ms\"",
		"[]",
		"",
	};
	struct pool *p = make_pool();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool_state now;
		struct buf mistakes;
		buf_init(&mistakes, 4096);
		print_message("# %s\n", cases[i]);
		assert_false(settings_change(str_from(cases[i]), p, &mistakes));
		assert_non_null(strstr(buf_cstr(&mistakes), "error:"));
		pool_state(p, &now);
		assert_int_equal(now.settings.latency, MILLISECOND);
		assert_int_equal(now.freeze_left, 0);
		buf_finish(&mistakes);
	}
	end(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_and_options),
		cmocka_unit_test(wrong_options_are_refused),
		cmocka_unit_test(what_is_shown_can_be_given_back),
		cmocka_unit_test(a_freeze_begins_and_ends),
		cmocka_unit_test(one_mistake_and_nothing_is_changed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
