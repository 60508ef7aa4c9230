#include "scenarios/compile.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/must.h"

static const char *env(void *arg, const char *name)
{
	return strcmp(name, "MY_TOKEN") == 0 ? "from-the-environment" : NULL;
}

/* Files of a scenario lie beside it. */
static int read_beside(void *arg, const char *name, struct buf *out, struct err *err)
{
	char *path = xasprintf("%s/%s", (const char *)arg, name);
	int r = file_read(path, out, err);
	if (r < 0)
		r = err_set(err, err->kind, "%s cannot be read", name); /* without the folder: it differs per machine */
	free(path);
	return r;
}

/* What `weir scenario check` and `dump` would print for <folder>/<file>; diagnostics name the file without folder. */
static int describe(const char *folder, const char *file, struct buf *out)
{
	char *path = xasprintf("%s/%s", folder, file);
	struct buf text;
	struct doc doc;
	struct program *p = NULL;
	const struct program_inputs inputs = { .get_env = env,
		                               .read_file = read_beside,
		                               .file_arg = (void *)(uintptr_t)folder };
	buf_init(&text, 1u << 20);
	assert_int_equal(file_read(path, &text, NULL), 0);
	doc_init(&doc, file, buf_str(&text));
	const int r = program_compile(&doc, &inputs, &p);
	assert_int_equal(r == 0, doc_ok(&doc));
	if (r == 0)
		program_dump(p, out);
	else
		diags_write(&doc.diags, out);
	program_destroy(p);
	doc_finish(&doc);
	buf_finish(&text);
	free(path);
	return r;
}

static bool ends_with(struct str s, const char *end)
{
	const size_t len = strlen(end);
	return s.len > len && str_is(str_from_at(s, s.len - len), end);
}

/* WEIR_WRITE_EXPECTED=1 writes what is said instead of comparing it: then read the difference. */
static void compare(const char *expected, struct str said)
{
	struct buf want;
	if (getenv("WEIR_WRITE_EXPECTED")) {
		assert_int_equal(file_replace(expected, said, false, NULL), 0);
		return;
	}
	buf_init(&want, 1u << 20);
	assert_int_equal(file_read(expected, &want, NULL), 0);
	if (!str_eq(buf_str(&want), said))
		fail_msg("%s: said\n%.*s", expected, STR_ARG(said));
	buf_finish(&want);
}

/* Every FILE.json of <from> against <to>/<prefix>FILE.expected. Returns how many there were. */
static int check_folder(const char *from, const char *to, const char *prefix, int result)
{
	int count = 0;
	DIR *folder = opendir(from);
	assert_non_null(folder);
	for (struct dirent *e; (e = readdir(folder));) {
		const struct str name = str_from(e->d_name);
		struct buf said;
		/* "data-..." is what others read. */
		if (!ends_with(name, ".json") || str_starts(name, STR("data-")))
			continue;
		buf_init(&said, 1u << 20);
		if (describe(from, e->d_name, &said) != result)
			fail_msg("%s: %s", e->d_name, buf_cstr(&said));
		char *expected = xasprintf("%s/%s%.*s.expected", to, prefix, (int)name.len - 5, name.p);
		compare(expected, buf_str(&said));
		/* Whatever was compiled, the secrets of the good files are not in it. */
		assert_null(result == 0 ? strstr(buf_cstr(&said), "c2VjcmV0") : NULL);
		assert_null(result == 0 ? strstr(buf_cstr(&said), "from-the-environment") : NULL);
		assert_null(result == 0 ? strstr(buf_cstr(&said), "hunter2") : NULL);
		free(expected);
		buf_finish(&said);
		count++;
	}
	closedir(folder);
	return count;
}

static void good_files_are_compiled(void **state)
{
	assert_true(check_folder(SCENARIOS_TESTS "/good", SCENARIOS_TESTS "/good", "", 0) >= 2);
	assert_true(check_folder(SCENARIOS_LIBRARY, SCENARIOS_TESTS "/good", "library-", 0) >= 6);
}

static void bad_files_say_what_and_where(void **state)
{
	assert_true(check_folder(SCENARIOS_TESTS "/bad", SCENARIOS_TESTS "/bad", "", -1) >= 90);
}

/* A library file, <scale> times as long. */
static struct program *compile_library(const char *file, double scale)
{
	const struct program_inputs in = { .time_scale = scale };
	char *path = xasprintf(SCENARIOS_LIBRARY "/%s", file);
	struct program *p = NULL;
	struct doc doc;
	assert_int_equal(doc_read(&doc, path, NULL), 0);
	assert_int_equal(program_compile(&doc, &in, &p), 0);
	doc_finish(&doc);
	free(path);
	return p;
}

static void the_load_can_be_shortened_and_nothing_else(void **state)
{
	struct program *whole = compile_library("critical-flows.json", 0),
		       *tenth = compile_library("critical-flows.json", 0.1);
	assert_int_equal(whole->duration, 23 * MINUTE);
	assert_int_equal(tenth->duration, 138 * SECOND);
	assert_int_equal(tenth->warmup, 3 * SECOND);
	assert_int_equal(tenth->executors[0].segments[1].duration, 18 * SECOND);
	assert_true(tenth->executors[0].segments[1].to == 30);
	assert_int_equal(tenth->executors[0].users, 100);
	assert_int_equal(tenth->steps[0].timeout, 10 * SECOND);
	assert_int_equal(tenth->pauses[0].low, SECOND);
	program_destroy(whole);
	program_destroy(tenth);
}

static void the_ladder_has_seven_rungs(void **state)
{
	static const double rungs[] = { 5, 10, 20, 30, 50, 75, 100 };
	struct program *p = compile_library("capacity.json", 1);
	const struct executor_plan *x = &p->executors[0];
	assert_int_equal(x->segment_count, 2 * ARRAY_LEN(rungs));
	for (size_t i = 0; i < ARRAY_LEN(rungs); i++) {
		const struct load_segment *ramp = &x->segments[2 * i], *hold = ramp + 1;
		assert_true(ramp->to == rungs[i] && hold->from == rungs[i] && hold->to == rungs[i]);
		assert_int_equal(ramp->duration, 30 * SECOND);
		assert_int_equal(hold->duration, 150 * SECOND);
	}
	program_destroy(p);
}

static struct program *compile(const char *text, const char *target)
{
	struct doc doc;
	struct program *p = NULL;
	const struct program_inputs in = { .target = target };
	doc_init(&doc, "text", str_from(text));
	program_compile(&doc, &in, &p);
	doc_finish(&doc);
	return p;
}

#define REST                                                          \
	"\"flows\":{\"a\":{\"steps\":[{\"get\":\"/\"}]}},\"load\":[{" \
	"\"executor\":\"constant-users\",\"users\":1,\"for\":\"1s\"}]}"

static void the_hash_is_of_the_meaning(void **state)
{
	struct program *a = compile("{\"name\":\"n\",\"target\":\"http://h\"," REST, NULL);
	struct program *b = compile("{ \"//\": \"why\", \"target\": \"http://h\", \"name\": \"n\"," REST, NULL);
	struct program *c = compile("{\"name\":\"m\",\"target\":\"http://h\"," REST, NULL);
	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(c);
	if (!a || !b || !c)
		return; /* for the analyzer */
	assert_true(a->hash == b->hash);
	assert_true(a->hash != c->hash);
	program_destroy(a);
	program_destroy(b);
	program_destroy(c);
}

/* Whoever looks on reads it; here it may hold anything, and is no part of what is run. */
static void what_is_observed_is_not_of_the_meaning(void **state)
{
	struct program *a = compile("{\"name\":\"n\",\"target\":\"http://h\"," REST, NULL);
	struct program *b = compile("{\"name\":\"n\",\"observe\":[{\"host\":true}],\"target\":\"http://h\"," REST,
	                            NULL);
	assert_non_null(a);
	assert_non_null(b);
	if (!a || !b)
		return; /* for the analyzer */
	assert_true(a->hash == b->hash);
	program_destroy(a);
	program_destroy(b);
}

static void the_target_can_be_given(void **state)
{
	struct program *p = compile("{\"name\":\"n\",\"target\":\"http://h\"," REST, "https://other:81/x");
	assert_non_null(p);
	assert_string_equal(p->target.url, "https://other:81/x");
	program_destroy(p);
	p = compile("{\"name\":\"n\"," REST, "https://other");
	assert_non_null(p);
	program_destroy(p);
	assert_null(compile("{\"name\":\"n\",\"target\":\"http://h\"," REST, "other"));
}

static void thresholds_from_elsewhere(void **state)
{
	static const struct {
		const char *text, *problem;
	} bad[] = {
		{ "p95(latency) < 1s", "character 5: this is no metric" },
		{ "error_rate(flow=b) < 1%", "no such flow" },
		{ "error_rate(step=b) < 1%", "no such step" },
	};
	struct program *p = compile("{\"name\":\"n\"," REST, "http://h");
	struct threshold t;
	struct err err;
	assert_int_equal(program_resolve_threshold(p, STR("error_rate(step=GET /) < 1%"), &t, &err), 0);
	assert_int_equal(t.step_index, 0);
	assert_int_equal(t.flow_index, 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(program_resolve_threshold(p, str_from(bad[i].text), &t, &err), -1);
		assert_int_equal(err.kind, ERR_USAGE);
		if (!strstr(err.text, bad[i].problem))
			fail_msg("%s: %s", bad[i].text, err.text);
	}
	program_destroy(p);
}

static void secrets_are_known_by_name(void **state)
{
	static const char *const yes[] = { "password",      "userPassword", "X-API-Key", "Set-Cookie",
		                           "authorization", "TOKEN",        "my_secret" };
	static const char *const no[] = { "", "user", "key", "pass", "tok", "X-Request-Id" };
	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		assert_true(secret_name(str_from(yes[i])));
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		assert_false(secret_name(str_from(no[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_files_are_compiled),
		cmocka_unit_test(bad_files_say_what_and_where),
		cmocka_unit_test(the_hash_is_of_the_meaning),
		cmocka_unit_test(what_is_observed_is_not_of_the_meaning),
		cmocka_unit_test(the_target_can_be_given),
		cmocka_unit_test(the_load_can_be_shortened_and_nothing_else),
		cmocka_unit_test(the_ladder_has_seven_rungs),
		cmocka_unit_test(thresholds_from_elsewhere),
		cmocka_unit_test(secrets_are_known_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
