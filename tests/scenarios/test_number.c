#include "scenarios/number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/must.h"

static void numbers_are_written_as_they_were(void **state)
{
	static const char *const texts[] = {
		"19.99",
		"0.1",
		"-3.5",
		"1.0",
		"0.0",
		"1e22",

		"1.7976931348623157e308",
		"123.456",
		"9007199254740993",
		"0.30000000000000004",
		"true",
		"null",
		"\"s\"",
		"[1,19.99]",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		json_t *value = json_loads(texts[i], JSON_DECODE_ANY, NULL);
		assert_non_null(value);
		char *text = number_text(value);
		assert_string_equal(text, texts[i]);
		free(text);
		json_decref(value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(numbers_are_written_as_they_were) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
