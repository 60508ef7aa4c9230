#include "scenarios/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/must.h"

static void good_ones_are_taken_apart(void **state)
{
	static const struct {
		const char *url, *scheme, *host, *authority, *origin, *base;
		uint16_t port;
	} cases[] = {
		{ "http://h", "http", "h", "h", "http://h", "", 80 },
		{ "http://h/", "http", "h", "h", "http://h", "", 80 },
		{ "https://a-b.example.com:443/api/v1//", "https", "a-b.example.com", "a-b.example.com",
		  "https://a-b.example.com", "/api/v1", 443 },
		{ "http://127.0.0.1:8080/x", "http", "127.0.0.1", "127.0.0.1:8080", "http://127.0.0.1:8080", "/x",
		  8080 },
		{ "http://[::1]:81", "http", "::1", "[::1]:81", "http://[::1]:81", "", 81 },
		{ "https://[fe80::1]", "https", "fe80::1", "[fe80::1]", "https://[fe80::1]", "", 443 },
	};
	struct arena arena;
	arena_init(&arena);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct target t;
		size_t at;
		const char *why;
		if (!target_parse(str_from(cases[i].url), &arena, &t, &at, &why))
			fail_msg("%s: at %zu: %s", cases[i].url, at, why);
		assert_string_equal(t.scheme, cases[i].scheme);
		assert_string_equal(t.host, cases[i].host);
		assert_true(str_is(t.authority, cases[i].authority));
		assert_true(str_is(t.origin, cases[i].origin));
		assert_true(str_is(t.base_path, cases[i].base));
		assert_int_equal(t.port, cases[i].port);
	}
	arena_finish(&arena);
}

static void bad_ones_say_where(void **state)
{
	static const struct {
		const char *url;
		size_t at;
	} cases[] = {
		{ "", 0 },
		{ "ftp://h", 0 },
		{ "h:80", 0 },
		{ "http://", 7 },
		{ "http://:80", 7 },
		{ "http://h:", 9 },
		{ "http://h:0", 9 },
		{ "http://h:65536", 9 },
		{ "http://h:8x", 9 },
		{ "http://a b", 8 },
		{ "http://u:p@h", 7 },
		{ "http://[::1", 11 },
		{ "http://h/a?b", 10 },
		{ "http://h/a#b", 10 },
		{ "http://h/a b", 10 },
		{ "http://h?x", 8 },
		{ "http://h\r\nX: y", 8 },
	};
	struct arena arena;
	arena_init(&arena);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct target t;
		size_t at = 99;
		const char *why = NULL;
		if (target_parse(str_from(cases[i].url), &arena, &t, &at, &why))
			fail_msg("taken: %s", cases[i].url);
		if (at != cases[i].at)
			fail_msg("%s: at %zu, not %zu", cases[i].url, at, cases[i].at);
		assert_non_null(why);
	}
	arena_finish(&arena);
}

static void locations_are_seen_from_where_one_is(void **state)
{
	static const struct {
		const char *location, *url; /* NULL: it is not followed */
	} cases[] = {
		{ "http://o/x", "http://o/x" },
		{ "HTTP://o/x", "http://o/x" },
		{ "Https://o", "https://o/" },
		{ "//o:8/x", "https://o:8/x" },
		{ "/x", "https://h:1/x" },
		{ "x?y#z", "https://h:1/a/b/x?y" },
		{ "?q", "https://h:1/a/b/c?q" },
		{ "login?return=http://h/x", "https://h:1/a/b/login?return=http://h/x" },
		{ "x/y:z", "https://h:1/a/b/x/y:z" },
		{ "x#y:z", "https://h:1/a/b/x" },
		{ "./x", "https://h:1/a/b/x" },
		{ "../x", "https://h:1/a/x" },
		{ "../../../x", "https://h:1/x" },
		{ "..", "https://h:1/a/" },
		{ ".", "https://h:1/a/b/" },
		{ "/x/./y/../z/..?a/../b", "https://h:1/x/?a/../b" },
		{ "/..x/.y/z./...", "https://h:1/..x/.y/z./..." },
		{ "http://o/a/../b", "http://o/b" },
		{ " /a b?c d ", "https://h:1/a%20b?c%20d" },
		{ "/\xc3\xa9", "https://h:1/\xc3\xa9" },
		{ "", NULL },
		{ "mailto:x", NULL },
		{ "ftp://h/x", NULL },
		{ "http:x", NULL },
		{ "http:///x", NULL },
		{ "/a\tb", NULL },
	};
	struct buf out;
	buf_init(&out, 256);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_clear(&out);
		const bool good = url_resolve(STR("https://h:1/a/b/c?d/e"), str_from(cases[i].location), &out);
		if (good != (cases[i].url != NULL) || (good && !str_is(buf_str(&out), cases[i].url)))
			fail_msg("%s: %s", cases[i].location, buf_cstr(&out));
	}
	buf_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones_are_taken_apart),
		cmocka_unit_test(bad_ones_say_where),
		cmocka_unit_test(locations_are_seen_from_where_one_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
