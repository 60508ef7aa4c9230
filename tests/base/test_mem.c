#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static void copies_are_own_and_terminated(void **state)
{
	char text[] = "text";
	char *copy = xstrdup(text), *part = xstrndup(text, 2), *none = xstrndup(NULL, 0),
	     *made = xasprintf("%d%s", 4, "2");
	text[0] = 'n';
	assert_string_equal(copy, "text");
	assert_string_equal(part, "te");
	assert_string_equal(none, "");
	assert_string_equal(made, "42");
	free(copy);
	free(part);
	free(none);
	free(made);
}

static void nothing_is_a_valid_request(void **state)
{
	void *a = xmalloc(0), *b = xcalloc(0, 8), *c = xrealloc(NULL, 0), *d = xreallocarray(NULL, 0, 8);
	assert_true(a && b && c && d);
	free(a);
	free(b);
	free(c);
	free(d);
}

static void memory_grows_with_its_content(void **state)
{
	int *numbers = NULL;
	for (size_t i = 0; i < 1000; i++) {
		numbers = xreallocarray(numbers, i + 1, sizeof(*numbers));
		numbers[i] = (int)i;
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(numbers[i], i);
	free(numbers);
}

static bool is_zero(const char *p, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (p[i] != 0)
			return false;
	return true;
}

static void an_arena_gives_zeroed_aligned_memory_that_stays(void **state)
{
	struct arena a;
	char *kept[500];
	arena_init(&a);
	for (size_t i = 0; i < 500; i++) {
		kept[i] = arena_alloc(&a, i * 7);
		assert_int_equal((uintptr_t)kept[i] % alignof(max_align_t), 0);
		assert_true(is_zero(kept[i], i * 7));
		memset(kept[i], (int)(i % 255), i * 7);
	}
	for (size_t i = 1; i < 500; i++)
		assert_true(kept[i][0] == (char)(i % 255) && kept[i][i * 7 - 1] == (char)(i % 255));
	char *large = arena_alloc(&a, 1 << 20);
	assert_true(is_zero(large, 1 << 20));
	arena_finish(&a);
	arena_finish(&a); /* twice is fine */
}

static void an_arena_keeps_text(void **state)
{
	struct arena a;
	arena_init(&a);
	assert_string_equal(arena_strdup(&a, "all"), "all");
	assert_string_equal(arena_strndup(&a, "part", 3), "par");
	assert_string_equal(arena_strndup(&a, NULL, 0), "");
	assert_string_equal(arena_printf(&a, "%s-%d", "a", 1), "a-1");
	int64_t *numbers = arena_array(&a, int64_t, 10);
	assert_true(is_zero((char *)numbers, 10 * sizeof(*numbers)));
	assert_int_equal(*arena_new(&a, int), 0);
	arena_finish(&a);
}

static void a_reset_arena_uses_its_memory_again(void **state)
{
	struct arena a;
	arena_init(&a);
	arena_reset(&a); /* an empty one is fine */
	char *first = arena_alloc(&a, 1000);
	memset(first, 1, 1000);
	for (int i = 0; i < 100; i++) {
		arena_reset(&a);
		char *again = arena_alloc(&a, 1000);
		assert_ptr_equal(again, first);
		assert_true(is_zero(again, 1000));
		memset(again, 1, 1000);
	}
	arena_finish(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_are_own_and_terminated),
		cmocka_unit_test(nothing_is_a_valid_request),
		cmocka_unit_test(memory_grows_with_its_content),
		cmocka_unit_test(an_arena_gives_zeroed_aligned_memory_that_stays),
		cmocka_unit_test(an_arena_keeps_text),
		cmocka_unit_test(a_reset_arena_uses_its_memory_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
