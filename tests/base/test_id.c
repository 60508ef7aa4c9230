#include "base/id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

static void an_id_begins_with_its_time(void **state)
{
	/* The example of the ULID specification: 1469918176385 ms is 01ARYZ6S41. */
	char id[ID_TEXT_BYTES];
	id_make((struct wall){ INT64_C(1469918176385) * MILLISECOND + 999999 }, id);
	assert_memory_equal(id, "01ARYZ6S41", 10);
	assert_int_equal(strlen(id), 26);
	assert_int_equal(strspn(id, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), 26);
	id_make((struct wall){ 0 }, id);
	assert_memory_equal(id, "0000000000", 10);
}

static void ids_sort_by_their_birth(void **state)
{
	char before[ID_TEXT_BYTES], id[ID_TEXT_BYTES];
	id_make((struct wall){ 0 }, before);
	for (int64_t ms = 1; ms < INT64_C(200000000000); ms = ms * 3 + 1) {
		id_make((struct wall){ ms * MILLISECOND }, id);
		assert_true(strcmp(before, id) < 0);
		strcpy(before, id);
	}
}

static void ids_of_the_same_instant_differ_everywhere(void **state)
{
	char first[ID_TEXT_BYTES], id[ID_TEXT_BYTES];
	int differs[26] = { 0 };
	id_make((struct wall){ 0 }, first);
	for (int i = 0; i < 200; i++) {
		id_make((struct wall){ 0 }, id);
		assert_string_not_equal(first, id);
		for (int k = 0; k < 26; k++)
			differs[k] += first[k] != id[k];
	}
	for (int k = 10; k < 26; k++)
		assert_in_range(differs[k], 150, 200); /* 31 of 32 do */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_begins_with_its_time),
		cmocka_unit_test(ids_sort_by_their_birth),
		cmocka_unit_test(ids_of_the_same_instant_differ_everywhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
