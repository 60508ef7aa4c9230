#include "scenarios/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/must.h"

static enum match_answer match(const char *pattern, const char *subject, size_t len, uint32_t group,
                               struct str *ret_group)
{
	size_t at;
	char why[120];
	struct pattern *p = pattern_create(str_from(pattern), &at, why);
	struct matcher *m = matcher_create();
	assert_non_null(p);
	const enum match_answer answer = pattern_match(p, m, (struct str){ subject, len }, group, ret_group);
	matcher_destroy(m);
	pattern_destroy(p);
	return answer;
}

static void groups_are_found(void **state)
{
	struct str g;
	assert_int_equal(match("id=([0-9]+)(x)?", "a id=42;", 8, 1, &g), MATCH_FOUND);
	assert_true(str_is(g, "42"));
	assert_int_equal(match("id=([0-9]+)(x)?", "a id=42;", 8, 0, &g), MATCH_FOUND);
	assert_true(str_is(g, "id=42"));
	assert_int_equal(match("id=([0-9]+)(x)?", "a id=42;", 8, 2, &g), MATCH_FOUND);
	assert_int_equal(g.len, 0);
	assert_int_equal(match("id=([0-9]+)", "nothing", 7, 1, NULL), MATCH_NONE);
	assert_int_equal(match("^$", "", 0, 0, NULL), MATCH_FOUND);
	assert_int_equal(match("\xc3\xa9.", "\xc3\xa9\xc3\xa4", 4, 0, &g), MATCH_FOUND);
	assert_int_equal(g.len, 4);
}

static void bytes_that_are_no_utf8_are_no_trouble(void **state)
{
	assert_int_equal(match("a.b",
	                       "\xff"
	                       "axb",
	                       4, 0, NULL),
	                 MATCH_FOUND);
	assert_int_equal(match("a.b",
	                       "a\xff"
	                       "b",
	                       3, 0, NULL),
	                 MATCH_NONE);
}

static void backtracking_has_an_end(void **state)
{
	char subject[4096];
	memset(subject, 'a', sizeof(subject));
	assert_int_equal(match("(a+)+$", subject, sizeof(subject), 0, NULL), MATCH_FOUND);
	subject[sizeof(subject) - 1] = '!';
	assert_int_equal(match("(a+)+$", subject, sizeof(subject), 0, NULL), MATCH_GAVE_UP);
	assert_int_equal(match("(a|aa)+b(?!c)\\1x", subject, sizeof(subject), 0, NULL) != MATCH_FOUND, 1);
}

static void what_is_no_pattern_is_said(void **state)
{
	size_t at;
	char why[120], many[4 * (PATTERN_GROUPS_MAX + 1)];
	static const struct {
		const char *text;
		size_t at;
		const char *why;
	} cases[] = { { "a(", 2, "missing closing parenthesis" },
		      { "[", 1, "missing terminating ]" },
		      { "*", 0, "quantifier" },
		      { "\\C", 2, "\\C" } };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_null(pattern_create(str_from(cases[i].text), &at, why));
		if (at != cases[i].at || !strstr(why, cases[i].why))
			fail_msg("%s: %zu %s", cases[i].text, at, why);
	}
	for (size_t i = 0; i < sizeof(many); i++)
		many[i] = "(a)|"[i % 4];
	many[sizeof(many) - 1] = 0;
	assert_null(pattern_create(str_from(many), &at, why));
	assert_string_equal(why, "a pattern has at most 32 groups");
	pattern_destroy(NULL);
	matcher_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_are_found),
		cmocka_unit_test(bytes_that_are_no_utf8_are_no_trouble),
		cmocka_unit_test(backtracking_has_an_end),
		cmocka_unit_test(what_is_no_pattern_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
