#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void what_is_added_is_in_it(void **state)
{
	struct buf b;
	buf_init(&b, 100);
	assert_string_equal(buf_cstr(&b), "");
	assert_int_equal(buf_str(&b).len, 0);
	assert_true(buf_add(&b, STR("one")));
	assert_true(buf_add_char(&b, ','));
	assert_true(buf_printf(&b, "%d-%s", 2, "two"));
	assert_true(buf_add(&b, (struct str){ NULL, 0 }));
	assert_string_equal(buf_cstr(&b), "one,2-two");
	assert_int_equal(b.len, 9);
	buf_finish(&b);
	assert_string_equal(buf_cstr(&b), "");
}

static void bytes_of_any_kind_are_kept(void **state)
{
	struct buf b;
	buf_init(&b, 10);
	assert_true(buf_add(&b, STR("a\0b")));
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.bytes, "a\0b\0", 4);
	buf_finish(&b);
}

static void the_limit_holds_to_the_byte_and_is_remembered(void **state)
{
	struct buf b;
	buf_init(&b, 5);
	assert_true(buf_add(&b, STR("abc")));
	assert_false(buf_add(&b, STR("def"))); /* whole or not at all */
	assert_true(buf_overflowed(&b));
	assert_string_equal(buf_cstr(&b), "abc");
	assert_false(buf_add(&b, STR("d"))); /* it would fit, but a piece is missing before it */
	assert_false(buf_printf(&b, "%d", 1));
	assert_string_equal(buf_cstr(&b), "abc");
	buf_clear(&b);
	assert_false(buf_overflowed(&b));
	assert_string_equal(buf_cstr(&b), "");
	assert_true(buf_add(&b, STR("12345")));
	assert_false(buf_add_char(&b, '6'));
	buf_finish(&b);
}

static void a_buffer_of_nothing_takes_nothing(void **state)
{
	struct buf b;
	buf_init(&b, 0);
	assert_true(buf_add(&b, STR("")));
	assert_false(buf_add_char(&b, 'x'));
	buf_finish(&b);
}

static void clearing_keeps_the_memory(void **state)
{
	struct buf b;
	buf_init(&b, 100000);
	for (int i = 0; i < 1000; i++)
		assert_true(buf_add(&b, STR("0123456789")));
	const char *bytes = b.bytes;
	buf_clear(&b);
	for (int i = 0; i < 1000; i++)
		assert_true(buf_add(&b, STR("0123456789")));
	assert_ptr_equal(b.bytes, bytes);
	assert_int_equal(b.len, 10000);
	buf_finish(&b);
}

static void json_text_is_escaped(void **state)
{
	struct buf b;
	buf_init(&b, 200);
	assert_true(buf_add_json_escaped(&b, STR("say \"hi\" \\ \n\t\x01\0/ \xc3\xa9")));
	assert_string_equal(buf_cstr(&b), "say \\\"hi\\\" \\\\ \\u000a\\u0009\\u0001\\u0000/ \xc3\xa9");
	buf_finish(&b);
	buf_init(&b, 3);
	assert_false(buf_add_json_escaped(&b, STR("ab\n")));
	assert_true(buf_overflowed(&b));
	buf_finish(&b);
}

static void url_text_is_escaped(void **state)
{
	struct buf b;
	buf_init(&b, 200);
	assert_true(buf_add_url_escaped(&b, STR("aZ09-._~ /?&=+%\xff")));
	assert_true(buf_add_url_escaped(&b, STR("\0")));
	assert_string_equal(buf_cstr(&b), "aZ09-._~%20%2F%3F%26%3D%2B%25%FF%00");
	buf_finish(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_added_is_in_it),
		cmocka_unit_test(bytes_of_any_kind_are_kept),
		cmocka_unit_test(the_limit_holds_to_the_byte_and_is_remembered),
		cmocka_unit_test(a_buffer_of_nothing_takes_nothing),
		cmocka_unit_test(clearing_keeps_the_memory),
		cmocka_unit_test(json_text_is_escaped),
		cmocka_unit_test(url_text_is_escaped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
