#include "scenarios/jsonscan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/must.h"
#include "base/rng.h"

#define POINTERS 8

/* One scan over a text that is cut at random places. */
struct fixture {
	struct arena arena;
	struct jsonscan_pointer pointers[JSONSCAN_POINTERS_MAX];
	struct jsonscan_plan plan;
	struct jsonscan_found found[JSONSCAN_POINTERS_MAX];
	struct jsonscan scan;
	struct rng rng;
};

static void begin(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	arena_init(&f->arena);
	jsonscan_init(&f->scan, f->found);
	rng_init(&f->rng, 7, 7);
}

static void end(struct fixture *f)
{
	jsonscan_finish(&f->scan);
	arena_finish(&f->arena);
}

static void add_pointer(struct fixture *f, const char *text)
{
	size_t at;
	const char *why;
	struct jsonscan_pointer *p = &f->pointers[f->plan.count];
	assert_true(text[0] == '$' ? jsonscan_path_parse(str_from(text), &f->arena, p, &at, &why)
	                           : jsonscan_pointer_parse(str_from(text), &f->arena, p, &at, &why));
	f->plan.pointers = f->pointers;
	f->plan.count++;
	f->plan.deepest = p->count > f->plan.deepest ? p->count : f->plan.deepest;
}

/* <most>: the longest piece; 0: all at once. */
static enum jsonscan_answer scan(struct fixture *f, struct str text, size_t most)
{
	jsonscan_begin(&f->scan, &f->plan);
	while (text.len) {
		const size_t piece = most ? 1 + rng_below(&f->rng, most) : text.len;
		jsonscan_bytes(&f->scan, str_first(text, piece));
		text = str_from_at(text, piece);
	}
	return jsonscan_end(&f->scan);
}

static void expect(struct fixture *f, const char *json, uint32_t pointer, enum jsonscan_kind kind, const char *text)
{
	for (size_t most = 0; most < 4; most++) {
		assert_int_equal(scan(f, str_from(json), most), JSONSCAN_DONE);
		assert_int_equal(f->found[pointer].kind, kind);
		if (!str_is(jsonscan_text(&f->scan, pointer), text))
			fail_msg("%s: found '%.*s'", json, STR_ARG(jsonscan_text(&f->scan, pointer)));
	}
}

static void values_are_found_and_decoded(void **state)
{
	struct fixture f;
	begin(&f);
	add_pointer(&f, "/a/b");
	add_pointer(&f, "/list/1/id");
	add_pointer(&f, "/x~1y~0z");
	add_pointer(&f, "");
	expect(&f, "{\"a\":{\"c\":[1,{\"b\":0}],\"b\":\"v\"}}", 0, JSONSCAN_STRING, "v");
	expect(&f, "{\"a\":{\"b\":\"\\u00e9\\ud83d\\ude00\\n\\\"\\/\"}}", 0, JSONSCAN_STRING,
	       "\xc3\xa9\xf0\x9f\x98\x80\n\"/");
	expect(&f, "{\"\\u0061\":{\"\\u0062\":-1.5e+3}}", 0, JSONSCAN_NUMBER, "-1.5e+3");
	expect(&f, " { \"a\" : { \"b\" : true } } ", 0, JSONSCAN_BOOLEAN, "true");
	expect(&f, "{\"a\":{\"b\":null}}", 0, JSONSCAN_NULL, "null");
	expect(&f, "{\"a\":{\"b\":[]}}", 0, JSONSCAN_ARRAY, "");
	expect(&f, "{\"a\":{\"b\":\"1\",\"b\":\"2\"}}", 0, JSONSCAN_STRING, "1");
	expect(&f, "{\"a\":[{\"b\":1}]}", 0, JSONSCAN_ABSENT, "");
	expect(&f, "{\"list\":[{\"id\":1},{\"id\":22},{\"id\":3}]}", 1, JSONSCAN_NUMBER, "22");
	expect(&f, "{\"list\":{\"1\":{\"id\":\"key\"}}}", 1, JSONSCAN_STRING, "key");
	expect(&f, "{\"x/y~z\":0}", 2, JSONSCAN_NUMBER, "0");
	expect(&f, "12", 3, JSONSCAN_NUMBER, "12");
	expect(&f, "\"\"", 3, JSONSCAN_STRING, "");
	expect(&f, "{}", 3, JSONSCAN_OBJECT, "");
	end(&f);
}

static void paths_find_what_pointers_find_and_the_first_of_many(void **state)
{
	static const char list[] =
		"{\"a\":[{\"b\":1},{\"id\":\"x\",\"b c\":2},{\"id\":\"y\"}],\"0\":{\"id\":\"no item\"}}";
	struct fixture f;
	begin(&f);
	add_pointer(&f, "$.a[1].id");
	add_pointer(&f, "$.a[*].id");
	add_pointer(&f, "/a/1/id");
	add_pointer(&f, "$['a'][1]['b c']");
	add_pointer(&f, "$[0].id");
	add_pointer(&f, "$.a[*]");
	add_pointer(&f, "/a/0");
	expect(&f, list, 0, JSONSCAN_STRING, "x");
	expect(&f, list, 1, JSONSCAN_STRING, "x");
	expect(&f, list, 2, JSONSCAN_STRING, "x"); /* three pointers, one value */
	expect(&f, list, 3, JSONSCAN_NUMBER, "2");
	expect(&f, list, 4, JSONSCAN_ABSENT, ""); /* [0] is no member that is called "0" */
	expect(&f, list, 5, JSONSCAN_OBJECT, "");
	expect(&f, list, 6, JSONSCAN_OBJECT, "");
	expect(&f, "[{\"id\":7}]", 4, JSONSCAN_NUMBER, "7");
	expect(&f, "{\"a\":[[{\"id\":1}],{\"id\":2}]}", 1, JSONSCAN_NUMBER, "2");
	end(&f);
}

static void bad_paths_say_where(void **state)
{
	static const struct {
		const char *text;
		size_t at;
	} cases[] = { { "a", 0 },     { "$a", 1 },    { "$.", 2 },           { "$..a", 2 },  { "$[", 1 },
		      { "$[a]", 1 },  { "$['a]", 1 }, { "$['a'", 1 },        { "$[-1]", 1 }, { "$.a[01]", 3 },
		      { "$.a b", 3 }, { "$[0]x", 4 }, { "$[4294967295]", 1 } };
	struct arena arena;
	arena_init(&arena);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct jsonscan_pointer p;
		const char *why = NULL;
		size_t at = 99;
		assert_false(jsonscan_path_parse(str_from(cases[i].text), &arena, &p, &at, &why));
		if (at != cases[i].at || !why)
			fail_msg("%s: at %zu: %s", cases[i].text, at, why);
	}
	arena_finish(&arena);
}

static void what_is_no_json_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"{",
		"[1,]",
		"{\"a\":1,}",
		"{a:1}",
		"{\"a\" 1}",
		"[1 2]",
		"[01]",
		"[1.]",
		"[-]",
		"[1e]",
		"[.5]",
		"[+1]",
		"[tru]",
		"[truee]",
		"[nul",
		"\"\x01\"",
		"[\"\\x\"]",
		"[\"\\u12g4\"]",
		"[\"\\ud800\"]",
		"[\"\\udc00\"]",
		"[\"\\ud800\\u0041\"]",
		"[\"\\ud800x\"]",
		"[\"open",
		"]",
		"{]",
		"[}",
		"1-",
		"01",
		"0]",
		"{\"a\":}",
		"{,}",
		"[,1]",
	};
	struct fixture f;
	begin(&f);
	add_pointer(&f, "/nowhere/9");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		for (size_t most = 0; most < 3; most++)
			if (scan(&f, str_from(texts[i]), most) != JSONSCAN_BAD)
				fail_msg("taken: %s", texts[i]);
	end(&f);
}

static void limits_hold(void **state)
{
	struct fixture f;
	struct buf text;
	begin(&f);
	add_pointer(&f, "/long");
	add_pointer(&f, "/after");
	buf_init(&text, 1u << 20);
	buf_add(&text, STR("{\"long\":\""));
	for (int i = 0; i <= JSONSCAN_VALUE_BYTES; i++)
		buf_add_char(&text, 'x');
	buf_add(&text, STR("\",\"after\":\"kept\"}"));
	assert_int_equal(scan(&f, buf_str(&text), 1000), JSONSCAN_DONE);
	assert_true(f.found[0].too_long && f.found[0].kind == JSONSCAN_STRING);
	assert_int_equal(jsonscan_text(&f.scan, 0).len, 0);
	assert_true(str_is(jsonscan_text(&f.scan, 1), "kept"));
	/* Too deep, and just not. */
	buf_clear(&text);
	for (int i = 0; i < JSONSCAN_DEPTH_MAX; i++)
		buf_add_char(&text, '[');
	for (int i = 0; i < JSONSCAN_DEPTH_MAX; i++)
		buf_add_char(&text, ']');
	assert_int_equal(scan(&f, buf_str(&text), 0), JSONSCAN_DONE);
	buf_clear(&text);
	for (int i = 0; i <= JSONSCAN_DEPTH_MAX; i++)
		buf_add_char(&text, '[');
	assert_int_equal(scan(&f, buf_str(&text), 0), JSONSCAN_BAD);
	/* A key longer than any token does not match its beginning. */
	buf_clear(&text);
	buf_add(&text, STR("{\"long"));
	for (int i = 0; i < 300; i++)
		buf_add_char(&text, 'y');
	buf_add(&text, STR("\":1,\"after\":2}"));
	assert_int_equal(scan(&f, buf_str(&text), 7), JSONSCAN_DONE);
	assert_int_equal(f.found[0].kind, JSONSCAN_ABSENT);
	assert_int_equal(f.found[1].kind, JSONSCAN_NUMBER);
	buf_finish(&text);
	end(&f);
}

static void bad_pointers_say_where(void **state)
{
	static const struct {
		const char *text;
		size_t at;
	} cases[] = {
		{ "a", 0 }, { "/a~", 2 }, { "/ok/b~2c", 5 }, { "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", 40 }
	};
	struct fixture f;
	begin(&f);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t at = 99;
		const char *why = NULL;
		assert_false(jsonscan_pointer_parse(str_from(cases[i].text), &f.arena, &f.pointers[0], &at, &why));
		if (at != cases[i].at)
			fail_msg("%s: at %zu, not %zu", cases[i].text, at, cases[i].at);
		assert_non_null(why);
	}
	end(&f);
}

/* --- against jansson, on random documents --- */

static json_t *random_value(struct rng *rng, int depth)
{
	static const char *const strings[] = {
		"", "plain", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\\/\b\f\n\r\t\x01", "0", "a/b"
	};
	json_t *value;
	switch (rng_below(rng, depth > 0 ? 8 : 6)) {
	case 0:
		return json_integer((json_int_t)rng_next(rng));
	case 1:
		return json_real(rng_normal(rng) * 1e5);
	case 2:
		return json_boolean(rng_below(rng, 2));
	case 3:
		return json_null();
	case 4:
	case 5:
		return json_string(strings[rng_below(rng, ARRAY_LEN(strings))]);
	case 6:
		value = json_array();
		for (uint64_t n = rng_below(rng, 4); n > 0; n--)
			json_array_append_new(value, random_value(rng, depth - 1));
		return value;
	default:
		break;
	}
	static const char *const keys[] = { "a", "b", "0", "1", "~", "/", "\xc3\xa9", "" };
	value = json_object();
	for (uint64_t n = rng_below(rng, 5); n > 0; n--)
		json_object_set_new(value, keys[rng_below(rng, ARRAY_LEN(keys))], random_value(rng, depth - 1));
	return value;
}

static void random_pointer(struct rng *rng, char text[64])
{
	static const char *const tokens[] = { "/a", "/b", "/0", "/1", "/2", "/~0", "/~1", "/\xc3\xa9", "/" };
	size_t len = 0;
	text[0] = '\0';
	for (uint64_t n = rng_below(rng, 4); n > 0; n--)
		len += (size_t)snprintf(text + len, 64 - len, "%s", tokens[rng_below(rng, ARRAY_LEN(tokens))]);
}

/* The value in the tree, found the plain way. */
static const json_t *walk(const json_t *value, const struct jsonscan_pointer *p)
{
	for (uint32_t i = 0; i < p->count && value; i++) {
		char key[64];
		snprintf(key, sizeof(key), "%.*s", STR_ARG(p->tokens[i].key));
		value = json_is_object(value) ? json_object_get(value, key)
		        : json_is_array(value) && p->tokens[i].index != UINT32_MAX
		                ? json_array_get(value, p->tokens[i].index)
		                : NULL;
	}
	return value;
}

static void check_against_tree(struct fixture *f, const json_t *root, const char *text)
{
	for (uint32_t i = 0; i < f->plan.count; i++) {
		const json_t *want = walk(root, &f->pointers[i]);
		const enum jsonscan_kind kind = !want                   ? JSONSCAN_ABSENT
		                                : json_is_null(want)    ? JSONSCAN_NULL
		                                : json_is_boolean(want) ? JSONSCAN_BOOLEAN
		                                : json_is_number(want)  ? JSONSCAN_NUMBER
		                                : json_is_string(want)  ? JSONSCAN_STRING
		                                : json_is_array(want)   ? JSONSCAN_ARRAY
		                                                        : JSONSCAN_OBJECT;
		if (f->found[i].kind != kind)
			fail_msg("%s at '%.*s': kind %d, not %d", text, STR_ARG(f->pointers[i].text), f->found[i].kind,
			         kind);
		const struct str got = jsonscan_text(&f->scan, i);
		if (kind == JSONSCAN_STRING)
			assert_true(str_is(got, json_string_value(want)));
		if (kind == JSONSCAN_BOOLEAN)
			assert_true(str_is(got, json_is_true(want) ? "true" : "false"));
		if (kind == JSONSCAN_NUMBER) {
			double v;
			assert_true(str_to_double(got, &v) && v == json_number_value(want));
		}
	}
}

static void agrees_with_jansson(void **state)
{
	struct fixture f;
	begin(&f);
	for (int round = 0; round < 20000; round++) {
		char text[64];
		f.plan = (struct jsonscan_plan){ 0 };
		arena_reset(&f.arena);
		for (int i = 0; i < POINTERS; i++) {
			bool known = false;
			random_pointer(&f.rng, text);
			for (uint32_t k = 0; k < f.plan.count; k++)
				known = known || str_is(f.pointers[k].text, text);
			if (!known)
				add_pointer(&f, text);
		}
		json_t *root = random_value(&f.rng, 4);
		char *json = json_dumps(root, JSON_ENCODE_ANY | (rng_below(&f.rng, 2) ? JSON_INDENT(1) : 0) |
		                                      (rng_below(&f.rng, 2) ? JSON_ENSURE_ASCII : 0));
		assert_int_equal(scan(&f, str_from(json), rng_below(&f.rng, 12)), JSONSCAN_DONE);
		check_against_tree(&f, root, json);
		free(json);
		json_decref(root);
	}
	end(&f);
}

/* One byte of a good document changed: where jansson finds fault, so must we, as no pointer ends the scan early. */
static void refuses_what_jansson_refuses(void **state)
{
	struct fixture f;
	int refused = 0;
	begin(&f);
	add_pointer(&f, "/never/there/9/9/9");
	for (int round = 0; round < 20000; round++) {
		json_t *root = json_pack("[o, i]", random_value(&f.rng, 3), round);
		char *json = json_dumps(root, JSON_ENSURE_ASCII);
		/* Not the brackets around it: what is behind the document is not looked at. */
		json[1 + rng_below(&f.rng, strlen(json) - 2)] = "{}[]:,\"\\0123eE+-. tfnu\x01"[rng_below(&f.rng, 23)];
		json_error_t error;
		json_t *again = json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DISABLE_EOF_CHECK, &error);
		const bool too_big = !again && (strstr(error.text, "too big") || strstr(error.text, "overflow"));
		const enum jsonscan_answer answer = scan(&f, str_from(json), 3);
		if (!too_big && (answer == JSONSCAN_DONE) != (again != NULL))
			fail_msg("%s: answer %d, jansson: %s", json, answer, again ? "taken" : error.text);
		refused += answer == JSONSCAN_BAD;
		json_decref(again);
		json_decref(root);
		free(json);
	}
	assert_true(refused > 1000);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_found_and_decoded),
		cmocka_unit_test(paths_find_what_pointers_find_and_the_first_of_many),
		cmocka_unit_test(bad_paths_say_where),
		cmocka_unit_test(what_is_no_json_is_refused),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(bad_pointers_say_where),
		cmocka_unit_test(agrees_with_jansson),
		cmocka_unit_test(refuses_what_jansson_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
