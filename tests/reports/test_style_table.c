#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/must.h"
#include "reports/style.h"

static void write(const struct table *t, int width, const char *wanted)
{
	const struct report_style style = { .width = width };
	struct buf out;
	buf_init(&out, 10000);
	table_write(t, &style, 2, &out);
	assert_string_equal(buf_cstr(&out), wanted);
	buf_finish(&out);
}

static void columns_are_aligned(void **state)
{
	static const struct column columns[] = { { "name", false, 0 }, { "n", true, 0 }, { "word", false, 0 } };
	struct table t;
	table_init(&t, columns, ARRAY_LEN(columns));
	assert_true(table_is_empty(&t));
	table_cell(&t, TONE_PLAIN, "a");
	table_cellf(&t, TONE_PLAIN, "%d", 12345);
	table_cell(&t, TONE_PLAIN, "ok");
	table_cell(&t, TONE_PLAIN, "long name");
	table_cell(&t, TONE_PLAIN, "1");
	table_cell(&t, TONE_PLAIN, NULL);
	write(&t, 80,
	      "  name           n  word\n"
	      "  a          12345  ok\n"
	      "  long name      1\n");
	table_finish(&t);
}

/* Words to 22 columns first, then columns go by their rank, then words again; numbers are never cut. */
static void narrow_tables(void **state)
{
	static const struct column columns[] = {
		{ "name", false, 0 }, { "first", true, 2 }, { "second", true, 1 }, { "third", true, 0 }
	};
	struct table t;
	table_init(&t, columns, ARRAY_LEN(columns));
	table_cell(&t, TONE_PLAIN, "a name that is forty columns wide, or so");
	table_cell(&t, TONE_PLAIN, "1,111,111");
	table_cell(&t, TONE_PLAIN, "2,222,222");
	table_cell(&t, TONE_PLAIN, "3,333,333");
	write(&t, 80,
	      "  name                                          first     second      third\n"
	      "  a name that is forty columns wide, or so  1,111,111  2,222,222  3,333,333\n");
	write(&t, 60,
	      "  name                           first     second      third\n"
	      "  a name that is forty co..  1,111,111  2,222,222  3,333,333\n");
	write(&t, 50,
	      "  name                       second      third\n"
	      "  a name that is forty..  2,222,222  3,333,333\n");
	write(&t, 40,
	      "  name                        third\n"
	      "  a name that is forty..  3,333,333\n");
	table_finish(&t);
}

static void without_titles(void **state)
{
	static const struct column columns[] = { { "", false, 0 }, { NULL, true, 0 } };
	struct table t;
	table_init(&t, columns, ARRAY_LEN(columns));
	table_cell(&t, TONE_PLAIN, "a");
	table_cell(&t, TONE_PLAIN, "b");
	write(&t, 80, "  a  b\n");
	table_finish(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_aligned),
		cmocka_unit_test(narrow_tables),
		cmocka_unit_test(without_titles),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
