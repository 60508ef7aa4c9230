#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

static void a_failure_is_said_and_wrapped(void **state)
{
	struct err err = { .kind = ERR_NONE };
	assert_int_equal(err_set(&err, ERR_STORE, "disk %s", "full"), -1);
	assert_int_equal(err.kind, ERR_STORE);
	assert_int_equal(err_wrap(&err, "open store '%s'", "x"), -1);
	assert_string_equal(err.text, "open store 'x': disk full");
	assert_int_equal(err.kind, ERR_STORE);
}

static void errno_becomes_words(void **state)
{
	struct err err;
	char expected[128];
	assert_int_equal(err_set_errno(&err, ENOENT, "read '%s'", "f"), -1);
	snprintf(expected, sizeof(expected), "read 'f': %s", strerror(ENOENT));
	assert_string_equal(err.text, expected);
	assert_int_equal(err.kind, ERR_IO);
}

static void nobody_has_to_listen(void **state)
{
	assert_int_equal(err_set(NULL, ERR_IO, "x"), -1);
	assert_int_equal(err_set_errno(NULL, EIO, "x"), -1);
	assert_int_equal(err_wrap(NULL, "x"), -1);
}

static void a_text_that_is_too_long_is_cut(void **state)
{
	struct err err;
	char text[2000];
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&err, ERR_IO, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	err_wrap(&err, "doing");
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_memory_equal(err.text, "doing: aaa", 10);
	err_set_errno(&err, EIO, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void every_kind_has_a_word(void **state)
{
	assert_string_equal(err_kind_text(ERR_NONE), "none");
	assert_string_equal(err_kind_text(ERR_IO), "i/o");
	assert_string_equal(err_kind_text(ERR_NOT_FOUND), "not found");
	assert_string_equal(err_kind_text(ERR_INTERRUPTED), "interrupted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failure_is_said_and_wrapped), cmocka_unit_test(errno_becomes_words),
		cmocka_unit_test(nobody_has_to_listen),          cmocka_unit_test(a_text_that_is_too_long_is_cut),
		cmocka_unit_test(every_kind_has_a_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
