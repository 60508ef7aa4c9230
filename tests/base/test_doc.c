#include "base/doc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static void parse(struct doc *d, const char *text)
{
	doc_init(d, "f.json", str_from(text));
	if (!doc_ok(d))
		print_error("%s\n", d->diags.list[0].message);
	assert_true(doc_ok(d));
}

/* The text that mistake number <i> marks. */
static void assert_marked(const struct doc *d, size_t i, const char *text)
{
	assert_true(i < d->diags.count);
	const struct diag *g = &d->diags.list[i];
	assert_int_equal(g->len, strlen(text));
	assert_memory_equal(d->source.text.p + g->at, text, g->len);
}

static void values_are_reached_by_key_and_index(void **state)
{
	struct doc d;
	struct node member, item;
	parse(&d, "{\"a\": [1, \"two\", null], \"b\": true}");
	const struct node root = doc_root(&d);
	assert_true(node_get(&root, "a", &member));
	assert_int_equal(node_count(&member), 3);
	item = node_item(&member, 1);
	assert_true(str_is(node_str(&item), "two"));
	assert_false(node_get(&root, "c", &item));
	assert_false(node_get(&member, "a", &item)); /* no object */
	assert_int_equal(node_count(&root), 0);      /* no array */
	assert_int_equal(d.diags.count, 0);
	doc_finish(&d);
}

static void members_come_in_the_order_of_the_file_without_comments(void **state)
{
	struct doc d;
	struct node member;
	char keys[32] = "";
	parse(&d, "{\"//\": \"why\", \"z\": 1, \"b\": 2, \"a\": {\"//\": 0}}");
	const struct node root = doc_root(&d);
	for (void *iter = NULL; node_each(&root, &iter, &member);)
		strcat(keys, member.key);
	assert_string_equal(keys, "zba");
	for (void *iter = NULL; node_each(&member, &iter, &member);)
		fail();
	doc_finish(&d);
}

static void types_have_words(void **state)
{
	static const char *const words[] = { "an object", "an array", "a string",      "a number",
		                             "a number",  "null",     "true or false", "true or false" };
	struct doc d;
	parse(&d, "[{}, [], \"\", 1, 1.5, null, true, false]");
	const struct node root = doc_root(&d);
	for (size_t i = 0; i < 8; i++) {
		const struct node n = node_item(&root, i);
		assert_string_equal(node_type_text(&n), words[i]);
	}
	doc_finish(&d);
}

static void errors_are_in_the_place_of_their_node(void **state)
{
	struct doc d;
	struct node list, object, value;
	parse(&d, " { \"skip\": {\"x\": [1, {\"list\": 0}], \"s\": \"}]\\\"\"},\n"
	          "\"list\" : [ \"a,b\" , [2] , { \"k\\u0065y\": -1.5e3 } ] } ");
	const struct node root = doc_root(&d);
	assert_true(node_get(&root, "list", &list));
	const struct node first = node_item(&list, 0), second = node_item(&list, 1);
	object = node_item(&list, 2);
	assert_true(node_get(&object, "key", &value));
	node_error(&first, NULL, "0");
	node_error(&second, NULL, "1");
	node_error(&object, NULL, "2");
	node_error(&value, NULL, "3");
	node_key_error(&value, NULL, "4");
	node_key_error(&list, "a hint", "5");
	node_error(&root, NULL, "6");
	assert_marked(&d, 0, "\"a,b\"");
	assert_marked(&d, 1, "[");
	assert_marked(&d, 2, "{");
	assert_marked(&d, 3, "-1.5e3");
	assert_marked(&d, 4, "\"k\\u0065y\"");
	assert_marked(&d, 5, "\"list\"");
	assert_int_equal(d.diags.list[6].at, 1);
	/* "list" of the inner object comes first in the text and is not meant. */
	assert_true(d.diags.list[5].at > 40);
	assert_string_equal(d.diags.list[5].hint, "a hint");
	doc_finish(&d);
}

static void part_errors_mark_the_part(void **state)
{
	struct doc d;
	parse(&d, "[\"p95 < fast\", \"p95\\u0020< fast\", \"\"]");
	const struct node root = doc_root(&d);
	const struct node plain = node_item(&root, 0), escaped = node_item(&root, 1), empty = node_item(&root, 2);
	node_part_error(&plain, 6, 4, NULL, "0");
	node_part_error(&escaped, 6, 4, NULL, "1"); /* offsets differ: all of it */
	node_part_error(&plain, 100, 0, NULL, "2"); /* behind the end: the closing quote */
	node_part_error(&empty, 0, 0, NULL, "3");
	assert_marked(&d, 0, "fast");
	assert_marked(&d, 1, "\"p95\\u0020< fast\"");
	assert_marked(&d, 2, "\"");
	assert_marked(&d, 3, "\"");
	doc_finish(&d);
}

static void wrong_types_and_unknown_keys_are_told(void **state)
{
	static const char *const known[] = { "users", "rate", NULL };
	struct doc d;
	struct node users;
	parse(&d, "{\"users\": \"many\", \"rat\": 1, \"//\": 2, \"colour\": 3}");
	const struct node root = doc_root(&d);
	assert_true(node_expect(&root, JSON_OBJECT, "an object"));
	assert_int_equal(d.diags.count, 0);
	assert_true(node_get(&root, "users", &users));
	assert_false(node_expect(&users, JSON_INTEGER, "a number"));
	assert_string_equal(d.diags.list[0].message, "\"users\" must be a number, not a string");
	assert_false(node_expect(&root, JSON_ARRAY, "a list"));
	assert_string_equal(d.diags.list[1].message, "this must be a list, not an object");
	node_expect_keys(&root, known);
	assert_int_equal(d.diags.count, 4);
	assert_marked(&d, 2, "\"rat\"");
	assert_string_equal(d.diags.list[2].hint, "did you mean \"rate\"?");
	assert_marked(&d, 3, "\"colour\"");
	assert_null(d.diags.list[3].hint);
	doc_finish(&d);
}

static void what_is_not_json_is_shown_where_it_breaks(void **state)
{
	static const struct {
		const char *text, *mark;
	} cases[] = {
		{ "{\"a\": fast}", "fast" },         { "{\"a\": 1,, }", "," },
		{ "{\"a\": 1 \"b\": 2}", "\"b\"" },  { "[1] x", "x" },
		{ "{\"a\": 1, \"a\": 2}", "\"a\"" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct doc d;
		doc_init(&d, "f", str_from(cases[i].text));
		assert_int_equal(d.diags.count, 1);
		assert_null(d.root);
		assert_marked(&d, 0, cases[i].mark);
		assert_memory_equal(d.diags.list[0].message, "this is not JSON: ", 18);
		assert_null(strstr(d.diags.list[0].message, " near "));
		doc_finish(&d);
	}
}

static void broken_texts_are_refused_without_harm(void **state)
{
	static const struct str texts[] = { STR(""),        STR(" "),       STR("{"),     STR("[1,"),
		                            STR("\""),      STR("\0"),      STR("[1]\0"), STR("\"a\\u0000\""),
		                            STR("nul"),     STR("\xff"),    STR("]"),     STR("\"\xc3\""),
		                            STR("{\"a\"}"), STR("[\"\n\"]") };
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct doc d;
		struct buf out;
		doc_init(&d, "f", texts[i]);
		assert_int_equal(d.diags.count, 1);
		buf_init(&out, 4096);
		diags_write(&d.diags, &out);
		assert_memory_equal(buf_cstr(&out), "f:", 2);
		buf_finish(&out);
		doc_finish(&d);
	}
}

static void nesting_has_an_end(void **state)
{
	char text[2 * DOC_DEPTH_MAX + 1];
	struct doc d;
	for (size_t depth = DOC_DEPTH_MAX - 1; depth <= DOC_DEPTH_MAX; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		doc_init(&d, "f", (struct str){ text, 2 * depth });
		assert_true(doc_ok(&d) == (depth < DOC_DEPTH_MAX));
		doc_finish(&d);
	}
	/* The deepest node can still be found. */
	memset(text, '[', DOC_DEPTH_MAX - 1);
	memset(text + DOC_DEPTH_MAX - 1, ']', DOC_DEPTH_MAX - 1);
	doc_init(&d, "f", (struct str){ text, 2 * (DOC_DEPTH_MAX - 1) });
	struct node nodes[DOC_DEPTH_MAX];
	nodes[0] = doc_root(&d);
	for (size_t i = 1; i < DOC_DEPTH_MAX - 1; i++)
		nodes[i] = node_item(&nodes[i - 1], 0);
	node_error(&nodes[DOC_DEPTH_MAX - 2], NULL, "here");
	assert_int_equal(d.diags.list[0].at, DOC_DEPTH_MAX - 2);
	doc_finish(&d);
	/* Brackets in strings are no nesting. */
	doc_init(&d, "f", STR("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[\""));
	assert_true(doc_ok(&d));
	doc_finish(&d);
}

static void a_file_is_read_or_the_reason_told(void **state)
{
	char path[] = "/tmp/weir-doc-XXXXXX";
	struct doc d;
	struct err err = { .kind = ERR_NONE };
	const int fd = mkstemp(path);
	assert_true(fd >= 0 && write(fd, "{\"a\": 1}", 8) == 8);
	close(fd);
	assert_int_equal(doc_read(&d, path, &err), 0);
	assert_true(doc_ok(&d));
	assert_string_equal(d.source.name, path);
	doc_finish(&d);
	unlink(path);
	assert_int_equal(doc_read(&d, path, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_reached_by_key_and_index),
		cmocka_unit_test(members_come_in_the_order_of_the_file_without_comments),
		cmocka_unit_test(types_have_words),
		cmocka_unit_test(errors_are_in_the_place_of_their_node),
		cmocka_unit_test(part_errors_mark_the_part),
		cmocka_unit_test(wrong_types_and_unknown_keys_are_told),
		cmocka_unit_test(what_is_not_json_is_shown_where_it_breaks),
		cmocka_unit_test(broken_texts_are_refused_without_harm),
		cmocka_unit_test(nesting_has_an_end),
		cmocka_unit_test(a_file_is_read_or_the_reason_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
