#include "reports/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *written(const struct page *p, int rows, struct buf *out)
{
	buf_clear(out);
	page_write(p, rows, out);
	return buf_cstr(out);
}

static void fill(struct page *p)
{
	page_init(p);
	page_add(p, STR("title\n"), 1);
	page_add(p, STR(""), 9);
	page_end(p, 9);
	page_add(p, STR("a\nb\nc"), 3);
	page_add(p, STR("foot"), 2);
}

static void all_is_shown_where_there_is_room(void **state)
{
	struct page p;
	struct buf out;
	buf_init(&out, 4096);
	fill(&p);
	assert_string_equal(written(&p, 6, &out), "title\n\na\nb\nc\nfoot\n");
	assert_string_equal(written(&p, 100, &out), "title\n\na\nb\nc\nfoot\n");
	page_finish(&p);
	buf_finish(&out);
}

static void the_highest_ranks_go_first_and_the_order_stays(void **state)
{
	struct page p;
	struct buf out;
	buf_init(&out, 4096);
	fill(&p);
	assert_string_equal(written(&p, 5, &out), "title\na\nb\nc\nfoot\n");
	assert_string_equal(written(&p, 4, &out), "title\na\nb\nfoot\n");
	assert_string_equal(written(&p, 2, &out), "title\nfoot\n");
	assert_string_equal(written(&p, 1, &out), "title\n");
	assert_string_equal(written(&p, 0, &out), "");
	assert_string_equal(written(&p, -3, &out), "");
	page_finish(&p);
	buf_finish(&out);
}

static void more_lines_than_a_page_has_are_dropped(void **state)
{
	struct page p;
	struct buf out;
	size_t lines = 0;
	buf_init(&out, 1u << 16);
	page_init(&p);
	for (int i = 0; i < 2 * PAGE_LINES_MAX; i++)
		page_add(&p, STR("x\n"), 1);
	page_write(&p, 10000, &out);
	for (const char *c = buf_cstr(&out); *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, PAGE_LINES_MAX);
	page_finish(&p);
	buf_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_shown_where_there_is_room),
		cmocka_unit_test(the_highest_ranks_go_first_and_the_order_stays),
		cmocka_unit_test(more_lines_than_a_page_has_are_dropped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
