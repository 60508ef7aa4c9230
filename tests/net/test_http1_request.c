/* What the bytes are is compared with libcurl's in tests/conform/test_transport_agreement.c. */
#include "net/http1_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/must.h"

static void plain_urls_are_taken_apart(void **state)
{
	static const struct {
		const char *url, *origin, *authority, *path;
		bool secure;
	} cases[] = {
		{ "http://127.0.0.1:8080/a?b", "http://127.0.0.1:8080", "127.0.0.1:8080", "/a?b", false },
		{ "http://localhost", "http://localhost", "localhost", "", false },
		{ "http://localhost:80/", "http://localhost:80", "localhost", "/", false },
		{ "https://localhost:443/", "https://localhost:443", "localhost", "/", true },
		{ "https://localhost:80/", "https://localhost:80", "localhost:80", "/", true },
		{ "http://a-b_c.example.org?q", "http://a-b_c.example.org", "a-b_c.example.org", "?q", false },
		{ "http://x#part", "http://x", "x", "", false },
		{ "http://x/a#part/../b", "http://x", "x", "/a", false },
		{ "https://[::1]:8443/", "https://[::1]:8443", "[::1]:8443", "/", true },
		{ "http://[fe80::1]/", "http://[fe80::1]", "[fe80::1]", "/", false },
		{ "http://x/.well-known/a..b/c.", "http://x", "x", "/.well-known/a..b/c.", false },
		{ "http://x/a?b=/../c", "http://x", "x", "/a?b=/../c", false },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct http1_target t;
		if (!http1_target_from(str_from(cases[i].url), &t))
			fail_msg("%s", cases[i].url);
		assert_true(str_is(t.origin, cases[i].origin));
		assert_true(str_is(t.authority, cases[i].authority));
		assert_true(str_is(t.path, cases[i].path));
		assert_true(t.secure == cases[i].secure);
	}
}

static void what_needs_libcurl_is_left_to_it(void **state)
{
	static const char *const urls[] = {
		"",
		"http:",
		"http://",
		"http:///a",
		"ftp://x/",
		"HTTP://x/",
		"x/",
		"http://user@x/",
		"http://user:pass@x/",
		"http://X/",
		"http://x:/",
		"http://x:0/",
		"http://x:080/",
		"http://x:65536/",
		"http://x:8a/",
		"http://x y/",
		"http://m\xc3\xbcnchen.de/",
		"http://127.1/",
		"http://0127.0.0.1/",
		"http://0x7f.0.0.1/",
		"http://1.2.3.256/",
		"http://2130706433/",
		"http://1.2.3.4.5/",
		"http://x.5/",
		"http://.x/",
		"http://x./",
		"http://[::1/",
		"http://[]/",
		"http://[::1%25eth0]/",
		"http://[::FF]/",
		"http://x/a b",
		"http://x/a\tb",
		"http://x/\xc3\xbc",
		"http://x/./a",
		"http://x/../a",
		"http://x/a/..",
		"http://x/a/.",
		"http://x/a/.?b",
		"http://x/%2e%2e/a",
		"http://x/a/.%2e/b",
		"http://x/a?b c",
		"http://x/a\r\nX: y",
	};
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		struct http1_target t;
		if (http1_target_from(str_from(urls[i]), &t))
			fail_msg("%s", urls[i]);
	}
}

static void headers_that_change_what_libcurl_does_are_not_plain(void **state)
{
	const struct str_pair plain[] = { { STR("X-A"), STR("b") },
		                          { STR("Accept"), STR("c") },
		                          { STR("Host"), STR("d") } };
	assert_true(http1_headers_are_plain(NULL, 0));
	assert_true(http1_headers_are_plain(plain, 3));
	static const char *const others[] = { "Transfer-Encoding", "connection", "EXPECT" };
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		const struct str_pair h = { str_from(others[i]), STR("x") };
		assert_false(http1_headers_are_plain(&h, 1));
	}
}

static void the_bound_holds_for_the_longest_of_heads(void **state)
{
	struct http1_target target;
	struct str_pair headers[64];
	assert_true(http1_target_from(STR("http://x"), &target));
	for (size_t i = 0; i < ARRAY_LEN(headers); i++)
		headers[i] = (struct str_pair){ STR("N"), STR("v") };
	struct http1_request r = { .method = STR("M"), .target = &target, .headers = headers };
	r.has_body = true;
	r.body_len = SIZE_MAX;
	for (r.header_count = 0; r.header_count <= ARRAY_LEN(headers); r.header_count++) {
		const size_t bound = http1_request_bound(&r);
		char *room = xmalloc(bound);
		assert_true(http1_request_write(&r, room) <= bound);
		free(room);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_urls_are_taken_apart),
		cmocka_unit_test(what_needs_libcurl_is_left_to_it),
		cmocka_unit_test(headers_that_change_what_libcurl_does_are_not_plain),
		cmocka_unit_test(the_bound_holds_for_the_longest_of_heads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
