#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "observe/conceal.h"

static void urls_lose_what_is_secret(void **state)
{
	static const char *const cases[][2] = {
		{ "http://host:9090/path", "http://host:9090/path" },
		{ "http://user:pass@host/path?token=1#x", "http://host/path" },
		{ "http://us@er:p@ss@host/a", "http://host/a" },
		/* Where the password ends cannot be told. */
		{ "http://u:p/w?x@y@host/a", "http://***" },
		{ "http://host?x=a@b", "http://***" },
		{ "http://user:pass@host", "http://host" },
		{ "nonsense", "nonsense" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *shown = conceal_url(cases[i][0]);
		assert_string_equal(shown, cases[i][1]);
		free(shown);
	}
}

static void secrets_become_stars(void **state)
{
	char text[64] = "a hunter2 b hunter2";
	conceal_secret(text, sizeof(text), "hunter2");
	assert_string_equal(text, "a *** b ***");
	conceal_secret(text, sizeof(text), "");
	conceal_secret(text, sizeof(text), NULL);
	conceal_secret(text, sizeof(text), "elsewhere");
	assert_string_equal(text, "a *** b ***");
}

static void secrets_of_a_place_are_hidden_with_their_pieces(void **state)
{
	static const char *const cases[][2] = {
		{ "no host \"secretpart\", nor pa55", "no *** \"***\", nor ***" },
		{ "postgresql://u:pa55/secretpart@host/db is bad", "*** is bad" },
		{ "the password wo/rd and wo%2Frd", "the password *** and ***" },
		{ "cut in secretp", "cut in ***" },
		{ "a b u db", "a b u db" },
	};
	struct arena arena;
	const struct secret *list = NULL;
	arena_init(&arena);
	conceal_add(&list, &arena, "postgresql://u:pa55/secretpart@host/db");
	conceal_add_password(&list, &arena, "http://u:wo%2Frd@x.example/path");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[128];
		snprintf(text, sizeof(text), "%s", cases[i][0]);
		conceal_all(list, text, sizeof(text));
		assert_string_equal(text, cases[i][1]);
	}
	arena_finish(&arena);
}

static void short_secrets_do_not_overflow(void **state)
{
	char text[8] = "x1x1x1x"; /* full */
	conceal_secret(text, sizeof(text), "x");
	assert_null(strchr(text, 'x'));
	assert_true(strlen(text) < sizeof(text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_lose_what_is_secret),
		cmocka_unit_test(secrets_become_stars),
		cmocka_unit_test(secrets_of_a_place_are_hidden_with_their_pieces),
		cmocka_unit_test(short_secrets_do_not_overflow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
