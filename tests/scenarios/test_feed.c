#include "scenarios/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/must.h"

struct table {
	struct arena arena;
	struct feed feed;
	struct feed_mistake mistake;
};

static bool read_csv(struct table *t, const char *text)
{
	*t = (struct table){ 0 };
	arena_init(&t->arena);
	return feed_parse_csv(str_from(text), &t->arena, &t->feed, &t->mistake);
}

static bool read_json(struct table *t, const char *text)
{
	*t = (struct table){ 0 };
	arena_init(&t->arena);
	return feed_parse_json(str_from(text), &t->arena, &t->feed, &t->mistake);
}

static void expect_cell(const struct table *t, uint64_t row, uint32_t column, const char *text)
{
	if (!str_is(feed_cell(&t->feed, row, column), text))
		fail_msg("row %d, column %u: '%.*s', not '%s'", (int)row, column,
		         STR_ARG(feed_cell(&t->feed, row, column)), text);
}

static void csv_is_that_of_rfc_4180(void **state)
{
	struct table t;
	assert_true(read_csv(
		&t, "\xef\xbb\xbfname,\"full name\",x\r\nann,\"Ann, \"\"A\"\"\",\r\n\r\n\"two\nlines\",,\"\"\n,b,c"));
	assert_int_equal(t.feed.column_count, 3);
	assert_int_equal(t.feed.row_count, 3);
	assert_true(str_is(t.feed.columns[0], "name"));
	assert_true(str_is(t.feed.columns[1], "full name"));
	expect_cell(&t, 0, 0, "ann");
	expect_cell(&t, 0, 1, "Ann, \"A\"");
	expect_cell(&t, 0, 2, "");
	expect_cell(&t, 1, 0, "two\nlines");
	expect_cell(&t, 1, 2, "");
	expect_cell(&t, 2, 0, "");
	expect_cell(&t, 2, 2, "c");
	arena_finish(&t.arena);
	assert_true(read_csv(&t, "x\n\"\"\n\nb\n\"\""));
	assert_int_equal(t.feed.row_count, 3);
	expect_cell(&t, 0, 0, "");
	expect_cell(&t, 1, 0, "b");
	expect_cell(&t, 2, 0, "");
	arena_finish(&t.arena);
}

static void csv_mistakes_have_their_line(void **state)
{
	static const struct {
		const char *text;
		size_t line;
		const char *why;
	} cases[] = {
		{ "", 0, "the file is empty" },
		{ "\n\n", 0, "the file is empty" },
		{ "a,b\n", 0, "there are no rows" },
		{ "a,b\n1,2\n3\n", 3, "1 fields where the first line names 2" },
		{ "a,b\n1,\"x\ny\"\n3,4,5\n", 4, "3 fields" },
		{ "a\n\"b", 2, "never closed" },
		{ "a\n\"b\"c\n", 2, "behind the closing quote" },
		{ "a\nb\"c\n", 2, "a field that holds a quote" },
		{ "a\rb\n", 1, "a carriage return stands alone" },
		{ "a,a\n1,2\n", 1, "two columns are called \"a\"" },
		{ "a,\n1,2\n", 1, "column 2 has no name" },
		{ "a,b}\n1,2\n", 1, "the name of column 2 holds" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct table t;
		assert_false(read_csv(&t, cases[i].text));
		if (t.mistake.line != cases[i].line || !strstr(t.mistake.text, cases[i].why))
			fail_msg("case %zu: line %zu: %s", i, t.mistake.line, t.mistake.text);
		arena_finish(&t.arena);
	}
}

static void json_lists_are_rows(void **state)
{
	struct table t;
	assert_true(read_json(&t, "[{\"a\":\"x\",\"b\":1.5},{\"b\":true,\"a\":\"\\u00e9\"}]"));
	assert_int_equal(t.feed.row_count, 2);
	assert_int_equal(t.feed.column_count, 2);
	expect_cell(&t, 0, 0, "x");
	expect_cell(&t, 0, 1, "1.5");
	expect_cell(&t, 1, 0, "\xc3\xa9");
	expect_cell(&t, 1, 1, "true");
	arena_finish(&t.arena);
	assert_true(read_json(&t, "[19.99,\"two\",false]"));
	assert_true(str_is(t.feed.columns[0], "value"));
	expect_cell(&t, 0, 0, "19.99");
	expect_cell(&t, 1, 0, "two");
	expect_cell(&t, 2, 0, "false");
	arena_finish(&t.arena);
}

static void json_mistakes_name_the_item(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "{}", "no list" },
		{ "[]", "the list is empty" },
		{ "[{}]", "from 1 to 64 columns" },
		{ "[{\"a\":1},{\"b\":1}]", "item 2 has no member \"a\"" },
		{ "[{\"a\":1},{\"a\":1,\"b\":1}]", "item 2 does not have the same members" },
		{ "[{\"a\":1},3]", "item 2 does not have the same members" },
		{ "[{\"value\":\"a\"},\"c\"]", "item 2 does not have the same members" },
		{ "[\"c\",{\"value\":\"a\"}]", "item 2: a value is a string" },
		{ "[{\"a\":[]}]", "item 1: a value is a string" },
		{ "[null]", "item 1: a value is a string" },
		{ "[\n1,\n]", "" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct table t;
		assert_false(read_json(&t, cases[i].text));
		if (!strstr(t.mistake.text, cases[i].why))
			fail_msg("case %zu: %s", i, t.mistake.text);
		arena_finish(&t.arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(csv_is_that_of_rfc_4180),
		cmocka_unit_test(csv_mistakes_have_their_line),
		cmocka_unit_test(json_lists_are_rows),
		cmocka_unit_test(json_mistakes_name_the_item),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
