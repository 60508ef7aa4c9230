#include "scenarios/cookies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/must.h"

#define NOW ((struct wall){ 1767225600 * SECOND }) /* 2026-01-01T00:00:00Z */

static const struct cookie_place shop = { { "shop.example.com", 16 }, { "/cart/list", 10 }, true };

static void expect(struct cookie_jar *jar, const char *host, const char *path, bool secure, struct wall now,
                   const char *sent)
{
	const struct cookie_place to = { str_from(host), str_from(path), secure };
	struct buf out;
	buf_init(&out, 65536);
	const bool any = cookie_jar_write(jar, &to, now, &out);
	if (any != (sent[0] != '\0') || strcmp(buf_cstr(&out), sent) != 0)
		fail_msg("%s%s: '%s', not '%s'", host, path, buf_cstr(&out), sent);
	buf_finish(&out);
}

static void take(struct cookie_jar *jar, const char *header)
{
	cookie_jar_take(jar, str_from(header), &shop, NOW);
}

static void cookies_go_back_to_where_they_belong(void **state)
{
	struct cookie_jar jar;
	cookie_jar_init(&jar);
	assert_null(jar.entries.bytes); /* an empty jar owns nothing */
	take(&jar, "a=1");
	take(&jar, " b = 2 ; Path=/ ; HttpOnly");
	take(&jar, "c=3; path=/cart; domain=.example.com");
	take(&jar, "d=4; Secure; Path=/");
	take(&jar, "e=5; Domain=other.com");
	take(&jar, "f=6; Domain=ple.com");
	take(&jar, "g=7; Domain=com; Path=/");
	take(&jar, "no pair");
	take(&jar, "=nameless");
	assert_int_equal(jar.count, 5);
	/* Longer paths first, then in the order of their coming. */
	expect(&jar, "shop.example.com", "/cart/list", true, NOW, "a=1; c=3; b=2; d=4; g=7");
	expect(&jar, "SHOP.example.com", "/cart", false, NOW, "a=1; c=3; b=2; g=7");
	expect(&jar, "shop.example.com", "/cartoon", false, NOW, "b=2; g=7");
	expect(&jar, "example.com", "/cart/x", true, NOW, "c=3");
	expect(&jar, "www.example.com", "/cart", true, NOW, "c=3");
	expect(&jar, "wwwexample.com", "/cart", true, NOW, "");
	expect(&jar, "com", "/", true, NOW, "");
	cookie_jar_finish(&jar);
}

static void cookies_are_replaced_and_expire(void **state)
{
	struct cookie_jar jar;
	cookie_jar_init(&jar);
	take(&jar, "a=1; Path=/; Max-Age=10");
	take(&jar, "b=2; Path=/; Expires=Thu, 01 Jan 2026 00:01:00 GMT");
	take(&jar, "c=3; Path=/; Expires=Thu, 01 Jan 2026 00:01:00 GMT; Max-Age=1000");
	take(&jar, "a=one; Path=/; Max-Age=10");
	expect(&jar, "shop.example.com", "/", true, NOW, "a=one; b=2; c=3");
	expect(&jar, "shop.example.com", "/", true, (struct wall){ NOW.ns + 10 * SECOND }, "b=2; c=3");
	assert_int_equal(jar.count, 2);
	expect(&jar, "shop.example.com", "/", true, (struct wall){ NOW.ns + 61 * SECOND }, "c=3");
	take(&jar, "c=; Path=/; Max-Age=0");
	take(&jar, "d=1; Path=/; Expires=Wed, 31 Dec 2025 23:59:59 GMT");
	assert_int_equal(jar.count, 0);
	expect(&jar, "shop.example.com", "/", true, NOW, "");
	cookie_jar_finish(&jar);
}

static void addresses_have_no_subdomains_and_plain_http_sets_nothing_secure(void **state)
{
	const struct cookie_place address = { STR("10.0.0.1"), STR("/"), false };
	struct cookie_jar jar;
	cookie_jar_init(&jar);
	cookie_jar_take(&jar, STR("a=1; Domain=0.0.1"), &address, NOW);
	cookie_jar_take(&jar, STR("b=1; Secure"), &address, NOW);
	assert_int_equal(jar.count, 0);
	cookie_jar_take(&jar, STR("c=1; Domain=10.0.0.1"), &address, NOW);
	expect(&jar, "10.0.0.1", "/", false, NOW, "c=1");
	cookie_jar_finish(&jar);
}

static void a_jar_is_bounded(void **state)
{
	struct cookie_jar jar;
	char header[COOKIE_BYTES_MAX + 16];
	cookie_jar_init(&jar);
	memset(header, 'x', sizeof(header));
	header[1] = '=';
	header[COOKIE_BYTES_MAX + 1] = '\0';
	take(&jar, header);
	assert_int_equal(jar.count, 0);
	for (int i = 0; i < 3 * COOKIES_MAX; i++) {
		snprintf(header, sizeof(header), "n%d=%0*d; Path=%s", i, i < 3 ? 4000 : 5, 1, i % 2 ? "/" : "/cart");
		take(&jar, header);
	}
	assert_int_equal(jar.count, COOKIES_MAX);
	assert_true(jar.entries.len <= COOKIE_JAR_BYTES);
	cookie_jar_finish(&jar);
}

static void dates_are_read_as_browsers_read_them(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds; /* -1: no date */
	} cases[] = {
		{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
		{ "Sun Nov  6 08:49:37 1994", 784111777 },
		{ "29-Feb-2024 1:2:3", 1709168523 },
		{ "06 Nov 69 00:00:00", 3150921600 },
		{ "32 Jan 2026 00:00:00", -1 },
		{ "01 Jan 2026 24:00:00", -1 },
		{ "01 Jan 1600 00:00:00", -1 },
		{ "01 Foo 2026 00:00:00", -1 },
		{ "2026-01-01", -1 },
		{ "", -1 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wall t = { -SECOND };
		if (cookie_date(str_from(cases[i].text), &t) != (cases[i].seconds >= 0) ||
		    t.ns != cases[i].seconds * SECOND)
			fail_msg("%s: %lld", cases[i].text, (long long)(t.ns / SECOND));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cookies_go_back_to_where_they_belong),
		cmocka_unit_test(cookies_are_replaced_and_expire),
		cmocka_unit_test(addresses_have_no_subdomains_and_plain_http_sets_nothing_secure),
		cmocka_unit_test(a_jar_is_bounded),
		cmocka_unit_test(dates_are_read_as_browsers_read_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
