#include "scenarios/import/values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/must.h"

/* What <value> of a later request becomes when <body> was answered: the slot, or "" when it is not known. */
static const char *look_up(const char *body, const char *value, struct buf *slot, json_t *step)
{
	struct values v;
	values_init(&v);
	v.flow = "a";
	values_add_answer(&v, "a", step, str_from(body));
	values_lookup(&v, str_from(value), slot);
	values_finish(&v);
	return buf_cstr(slot);
}

static void values_are_found_by_their_pointer(void **state)
{
	static const struct {
		const char *body, *value, *slot, *pointer;
	} cases[] = {
		{ "{\"token\":\"abcdef\"}", "abcdef", "${token}", "/token" },
		{ "{\"groups\":[{\"id\":\"g-1234\"},{\"id\":\"g-5678\"}]}", "g-5678", "${groups_id}", "/groups/1/id" },
		{ "{\"a\":{\"orderNumber\":1234567}}", "1234567", "${orderNumber}", "/a/orderNumber" },
		{ "{\"a/b~c\":{\"key\":\"value-1\"}}", "value-1", "${a_1b_0c_key}", "/a~1b~0c/key" },
		{ "[[\"x-12345\"]]", "x-12345", "${value}", "/0/0" },
		{ "{\"uuid\":\"0123-4567\"}", "0123-4567", "${value_uuid}", "/uuid" },
		{ "{\"one\":\"same-1\",\"two\":\"same-1\"}", "same-1", "${one}", "/one" },
		{ "{\"id\":\"g-12345\"}", "g-1234", "", NULL },
		{ "{\"id\":\"g-123\"}", "g-123", "", NULL },           /* too short */
		{ "{\"state\":\"active\"}", "active", "", NULL },      /* a word */
		{ "{\"text\":\"hello 1 2\"}", "hello 1 2", "", NULL }, /* blanks */
		{ "{\"long\":\"abcdefghijklmnop\"}", "abcdefghijklmnop", "${long}", "/long" },
		{ "\"abcdef1\"", "abcdef1", "", NULL },
		{ "no JSON abcdef1", "abcdef1", "", NULL },
		{ "{\"a\":\"abcdef1\"", "abcdef1", "", NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf slot;
		json_t *step = json_object(), *extract;
		buf_init(&slot, 256);
		look_up(cases[i].body, cases[i].value, &slot, step);
		if (strcmp(buf_cstr(&slot), cases[i].slot) != 0)
			fail_msg("%s: %s", cases[i].body, buf_cstr(&slot));
		extract = json_object_get(step, "extract");
		assert_int_equal(json_object_size(extract), cases[i].pointer != NULL);
		if (cases[i].pointer)
			assert_string_equal(json_string_value(json_object_get(
						    json_object_iter_value(json_object_iter(extract)), "json")),
			                    cases[i].pointer);
		buf_finish(&slot);
		json_decref(step);
	}
}

static void a_value_is_extracted_once_and_where_it_came_first(void **state)
{
	struct values v;
	struct buf slot;
	json_t *first = json_object(), *second = json_object();
	values_init(&v);
	buf_init(&slot, 256);
	v.flow = "a";
	values_add_answer(&v, "a", first, STR("{\"id\":\"x-12345\"}"));
	values_add_answer(&v, "a", second, STR("{\"id\":\"x-12345\",\"id2\":\"y-12345\"}"));
	assert_true(values_lookup(&v, STR("x-12345"), &slot));
	assert_true(values_lookup(&v, STR("x-12345"), &slot));
	assert_true(values_lookup(&v, STR("y-12345"), &slot));
	assert_string_equal(buf_cstr(&slot), "${id}${id}${id2}");
	assert_int_equal(json_object_size(json_object_get(first, "extract")), 1);
	assert_int_equal(json_object_size(json_object_get(second, "extract")), 1);
	assert_false(v.crossed);
	v.flow = "b";
	assert_false(values_lookup(&v, STR("x-12345"), &slot));
	assert_true(v.crossed);
	buf_finish(&slot);
	values_finish(&v);
	json_decref(first);
	json_decref(second);
}

static void base64_is_decoded(void **state)
{
	static const struct {
		const char *text, *bytes;
	} cases[] = { { "", "" },        { "YQ==", "a" },      { "YQ", "a" },          { "YWI=", "ab" },
		      { "YWJj", "abc" }, { "Y W\nJj", "abc" }, { "/+8=", "\xff\xef" }, { "Y-", NULL } };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf out;
		buf_init(&out, 64);
		assert_int_equal(values_base64_decode(str_from(cases[i].text), &out), cases[i].bytes != NULL);
		if (cases[i].bytes)
			assert_string_equal(buf_cstr(&out), cases[i].bytes);
		buf_finish(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_found_by_their_pointer),
		cmocka_unit_test(a_value_is_extracted_once_and_where_it_came_first),
		cmocka_unit_test(base64_is_decoded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
