#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/schema.h"

struct thing {
	const char *name, *colour;
	int64_t count;
	dur_ns time;
	bool on;
};

static const char *const colours[] = { "red", "blue", NULL };
static const struct field fields[] = {
	{ "name", FIELD_STRING, offsetof(struct thing, name), .required = true, .help = "N." },
	{ "colour", FIELD_STRING, offsetof(struct thing, colour), .choices = colours, .def = "red", .help = "C." },
	{ "count", FIELD_INTEGER, offsetof(struct thing, count), .min = 1, .max = 1000, .def = "5", .help = "K." },
	{ "time", FIELD_DURATION, offsetof(struct thing, time), .def = "5s", .help = "T." },
	{ "on", FIELD_BOOLEAN, offsetof(struct thing, on), .help = "O." },
	{ "rest", FIELD_NODE, .help = "R." },
	{ 0 },
};
static const char *const nodes[] = { "rest", "text", NULL };

static void assert_json(json_t *got, const char *want)
{
	json_t *expected = json_loads(want, 0, NULL);
	assert_non_null(expected);
	if (!json_equal(got, expected)) {
		char *text = json_dumps(got, JSON_INDENT(1));
		fail_msg("%s", text);
	}
	json_decref(expected);
	json_decref(got);
}

static void an_object_says_what_its_rows_say(void **state)
{
	assert_json(
		schema_object(fields, nodes),
		"{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"name\"],\"properties\":{"
		"\"//\":{},"
		"\"name\":{\"type\":\"string\",\"description\":\"N.\"},"
		"\"colour\":{\"type\":\"string\",\"enum\":[\"red\",\"blue\"],\"default\":\"red\",\"description\":\"C.\"},"
		"\"count\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000,\"default\":5,\"description\":\"K.\"},"
		"\"time\":{\"$ref\":\"#/$defs/duration\",\"default\":\"5s\",\"description\":\"T.\"},"
		"\"on\":{\"type\":\"boolean\",\"description\":\"O.\"},"
		"\"rest\":{\"$ref\":\"#/$defs/text\",\"description\":\"R.\"}}}");
}

static void definitions_are_added_by_name(void **state)
{
	static const struct schema_shape shapes[] = { { "text", "{\"type\":\"string\"}" } };
	static const struct field few[] = { { "rest", FIELD_NODE, .help = "R." }, { 0 } };
	static const struct schema_table tables[] = { { "thing", few, nodes } };
	json_t *defs = json_object();
	schema_add_fields(defs);
	assert_non_null(json_object_get(defs, "duration"));
	assert_non_null(json_object_get(defs, "share"));
	json_object_clear(defs);
	schema_add_shapes(defs, shapes, 1);
	schema_add_tables(defs, tables, 1);
	assert_json(defs,
	            "{\"text\":{\"type\":\"string\"},\"thing\":{\"type\":\"object\",\"additionalProperties\":false,"
	            "\"properties\":{\"//\":{},\"rest\":{\"$ref\":\"#/$defs/text\",\"description\":\"R.\"}}}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_says_what_its_rows_say),
		cmocka_unit_test(definitions_are_added_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
