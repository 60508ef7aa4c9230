#include "base/diag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_written(const struct diags *d, const char *expected)
{
	struct buf out;
	buf_init(&out, 100000);
	diags_write(d, &out);
	assert_string_equal(buf_cstr(&out), expected);
	buf_finish(&out);
}

static void a_mistake_is_shown_in_its_place(void **state)
{
	const struct source s = { "shop.json", STR("{\n\t\"rate\": \"fast\"\n}") };
	struct diags d;
	diags_init(&d, &s);
	diags_add(&d, 11, 6, "for example 50", "\"rate\" must be %s", "a number");
	assert_written(&d, "shop.json:2:10: error: \"rate\" must be a number\n"
	                   "     \"rate\": \"fast\"\n"
	                   "             ^~~~~~\n"
	                   "    hint: for example 50\n");
	diags_finish(&d);
}

static void mistakes_are_ordered_by_their_place(void **state)
{
	const struct source s = { "f", STR("one\ntwo\n") };
	struct diags d;
	diags_init(&d, &s);
	diags_add(&d, 4, 3, NULL, "second");
	diags_add(&d, 0, 1, NULL, "first");
	diags_add(&d, 4, 1, NULL, "third");
	assert_written(&d, "f:1:1: error: first\n    one\n    ^\n"
	                   "f:2:1: error: second\n    two\n    ^~~\n"
	                   "f:2:1: error: third\n    two\n    ^\n");
	diags_finish(&d);
}

static void places_count_lines_and_columns_from_one(void **state)
{
	const struct source s = { "f", STR("ab\n\ncd") };
	static const size_t places[][3] = { { 0, 1, 1 }, { 1, 1, 2 }, { 2, 1, 3 },  { 3, 2, 1 },
		                            { 4, 3, 1 }, { 6, 3, 3 }, { 999, 3, 3 } };
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		size_t line, column;
		source_place(&s, places[i][0], &line, &column);
		assert_int_equal(line, places[i][1]);
		assert_int_equal(column, places[i][2]);
	}
}

static void a_place_outside_the_text_is_its_end(void **state)
{
	const struct source s = { "f", STR("ab") }, empty = { "e", STR("") };
	struct diags d;
	diags_init(&d, &s);
	diags_add(&d, 1, SIZE_MAX, NULL, "long");
	diags_add(&d, 100, 5, NULL, "far");
	assert_written(&d, "f:1:2: error: long\n    ab\n     ^\nf:1:3: error: far\n    ab\n      ^\n");
	diags_finish(&d);
	diags_init(&d, &empty);
	diags_add(&d, 0, 0, NULL, "nothing");
	assert_written(&d, "e:1:1: error: nothing\n    \n    ^\n");
	diags_finish(&d);
}

static void control_bytes_do_not_reach_the_terminal(void **state)
{
	const struct source s = { "f", STR("a\x1b[31m\x7f b") };
	struct diags d;
	diags_init(&d, &s);
	diags_add(&d, 0, 1, NULL, "x");
	assert_written(&d, "f:1:1: error: x\n    a [31m  b\n    ^\n");
	diags_finish(&d);
}

static void a_long_line_is_cut_around_the_mistake(void **state)
{
	char line[10001];
	memset(line, 'x', 10000);
	line[5000] = '!';
	line[10000] = '\0';
	const struct source s = { "f", { line, 10000 } };
	struct diags d;
	struct buf out;
	diags_init(&d, &s);
	diags_add(&d, 5000, 4000, NULL, "here");
	buf_init(&out, 1000);
	diags_write(&d, &out);
	assert_false(buf_overflowed(&out));
	const char *quote = strchr(buf_cstr(&out), '\n') + 1, *marker = strchr(quote, '\n') + 1;
	assert_int_equal(marker - quote, 4 + 100 + 1);
	/* The marker stands under the place and does not run out of the quote. */
	assert_int_equal(quote[strcspn(marker, "^")], '!');
	assert_int_equal(strlen(marker), 4 + 100 + 1);
	buf_finish(&out);
	diags_finish(&d);
}

static void the_fifty_first_is_only_counted(void **state)
{
	const struct source s = { "f", STR("x") };
	struct diags d;
	struct buf out;
	diags_init(&d, &s);
	for (int i = 0; i < DIAGS_MAX + 3; i++)
		diags_add(&d, 0, 1, NULL, "number %d", i);
	assert_int_equal(d.count, DIAGS_MAX);
	assert_int_equal(d.dropped, 3);
	buf_init(&out, 100000);
	diags_write(&d, &out);
	assert_non_null(strstr(buf_cstr(&out), "number 49\n"));
	assert_null(strstr(buf_cstr(&out), "number 50\n"));
	assert_non_null(strstr(buf_cstr(&out), "f: and 3 more\n"));
	buf_finish(&out);
	diags_finish(&d);
	diags_finish(&d); /* twice is fine */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mistake_is_shown_in_its_place),
		cmocka_unit_test(mistakes_are_ordered_by_their_place),
		cmocka_unit_test(places_count_lines_and_columns_from_one),
		cmocka_unit_test(a_place_outside_the_text_is_its_end),
		cmocka_unit_test(control_bytes_do_not_reach_the_terminal),
		cmocka_unit_test(a_long_line_is_cut_around_the_mistake),
		cmocka_unit_test(the_fifty_first_is_only_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
