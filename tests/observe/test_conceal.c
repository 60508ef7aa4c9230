#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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
		{ "http://us@er:p@ss@host/a@b", "http://host/a@b" },
		{ "http://host?x=a@b", "http://host" },
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
		cmocka_unit_test(short_secrets_do_not_overflow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
