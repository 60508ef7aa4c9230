/* Every file of har/, curl/ and openapi/ against FILE.expected: the scenario, or what is wrong with the file. */
#include "scenarios/import/import.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/must.h"
#include "scenarios/import/har.h"
#include "scenarios/program.h"

#define FOLDER SCENARIOS_TESTS "/import/"

enum kind { HAR, CURL, OPENAPI };

static bool ends_with(const char *s, const char *end)
{
	const size_t len = strlen(s), n = strlen(end);
	return len > n && strcmp(s + len - n, end) == 0;
}

/* What `weir scenario import` would print. */
static int import_text(enum kind kind, const char *name, struct buf *text, const struct import_options *o,
                       struct buf *said)
{
	struct doc doc;
	struct diags diags;
	int r;
	if (kind == CURL) {
		const struct source source = { name, buf_str(text) };
		diags_init(&diags, &source);
		r = import_curl(&diags, o, said);
		assert_int_equal(r == 0, diags.count == 0);
		diags_write(&diags, said);
		diags_finish(&diags);
		return r;
	}
	if (kind == HAR && text->len)
		har_mend(text->bytes, text->len);
	doc_init(&doc, name, buf_str(text));
	r = kind == HAR ? import_har(&doc, o, said) : import_openapi(&doc, o, said);
	assert_int_equal(r == 0, doc_ok(&doc));
	diags_write(&doc.diags, said);
	doc_finish(&doc);
	return r;
}

static void expect_compiles(struct str text)
{
	const struct program_inputs in = { 0 };
	struct program *p = NULL;
	struct doc doc;
	doc_init(&doc, "imported", text);
	assert_int_equal(program_compile(&doc, &in, &p), 0);
	program_destroy(p);
	doc_finish(&doc);
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

/* Files that begin with "bad-" are refused, those with "all-" are imported with --all. */
static void check_file(enum kind kind, const char *folder, const char *name)
{
	const bool bad = strncmp(name, "bad-", 4) == 0;
	const struct import_options o = { .all = strncmp(name, "all-", 4) == 0 };
	char *path = xasprintf("%s/%s", folder, name), *expected = xasprintf("%s.expected", path);
	struct buf text, said;
	buf_init(&text, 1u << 20);
	buf_init(&said, 1u << 20);
	assert_int_equal(file_read(path, &text, NULL), 0);
	if (import_text(kind, name, &text, &o, &said) != (bad ? -1 : 0))
		fail_msg("%s: %s", name, buf_cstr(&said));
	if (!bad)
		expect_compiles(buf_str(&said));
	/* Every secret of the files has one of these in it. */
	assert_null(strstr(buf_cstr(&said), "hunter2"));
	assert_null(strstr(buf_cstr(&said), "c2VjcmV0"));
	compare(expected, buf_str(&said));
	buf_finish(&text);
	buf_finish(&said);
	free(path);
	free(expected);
}

static int check_folder(enum kind kind, const char *folder)
{
	int count = 0;
	DIR *d = opendir(folder);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.' || ends_with(e->d_name, ".expected"))
			continue;
		check_file(kind, folder, e->d_name);
		count++;
	}
	closedir(d);
	return count;
}

static void recordings(void **state)
{
	assert_true(check_folder(HAR, FOLDER "har") >= 8);
}

static void command_lines(void **state)
{
	assert_true(check_folder(CURL, FOLDER "curl") >= 8);
}

static void api_documents(void **state)
{
	assert_true(check_folder(OPENAPI, FOLDER "openapi") >= 8);
}

static void options_come_first(void **state)
{
	const struct import_options o = { .name = "mine", .target = "https://staging.example.com/base" };
	struct buf text, said;
	buf_init(&text, 4096);
	buf_init(&said, 1u << 20);
	buf_add(&text, STR("curl http://h/a"));
	assert_int_equal(import_text(CURL, "text", &text, &o, &said), 0);
	assert_non_null(strstr(buf_cstr(&said), "\"name\": \"mine\""));
	assert_non_null(strstr(buf_cstr(&said), "${env.TARGET:-https://staging.example.com/base}"));
	buf_finish(&text);
	buf_finish(&said);
}

static void times_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01T00:00:01.5Z", 1500 },
		{ "1970-01-01T01:00:00.123456+01:00", 123 },
		{ "1970-01-01T00:00:00-00:30", 1800000 },
		{ "2024-02-29T12:00:00.000Z", 1709208000000 },
		{ "yesterday", -1 },
		{ "2024-02-29", -1 },
		{ "", -1 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t ms = -1;
		assert_int_equal(har_time_parse(str_from(cases[i].text), &ms), cases[i].ms >= 0);
		assert_true(ms == cases[i].ms);
	}
}

static void pauses_are_round(void **state)
{
	static const struct {
		double ms;
		const char *text;
		bool cut;
	} cases[] = {
		{ -5, "", false },       { 49, "", false },     { 50, "100ms", false },  { 149, "100ms", false },
		{ 940, "900ms", false }, { 950, "1s", false },  { 1300, "1.5s", false }, { 9800, "10s", false },
		{ 10001, "10s", true },  { 1e18, "10s", true },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[32];
		assert_int_equal(har_pause_text(cases[i].ms, text, sizeof(text)), cases[i].cut);
		assert_string_equal(text, cases[i].text);
	}
}

static void what_readers_refuse_is_mended(void **state)
{
	static const struct {
		const char *text, *mended;
	} cases[] = {
		{ "\xef\xbb\xbf{}", "   {}" },
		{ "\"\\u0000\"", "\"\\ufffd\"" },
		{ "\"\\\\u0000\"", "\"\\\\u0000\"" },
		{ "\"\\ud83d\\ude00\"", "\"\\ud83d\\ude00\"" },
		{ "\"\\ud83d x\"", "\"\\ufffd x\"" },
		{ "\"\\ude00\"", "\"\\ufffd\"" },
		{ "\"\\ud83d\\ud83d\\ude00\"", "\"\\ufffd\\ud83d\\ude00\"" },
		{ "\"\\u00", "\"\\u00" },
		{ "\\", "\\" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *text = xstrdup(cases[i].text);
		har_mend(text, strlen(text));
		assert_string_equal(text, cases[i].mended);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recordings),
		cmocka_unit_test(command_lines),
		cmocka_unit_test(api_documents),
		cmocka_unit_test(options_come_first),
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(pauses_are_round),
		cmocka_unit_test(what_readers_refuse_is_mended),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
