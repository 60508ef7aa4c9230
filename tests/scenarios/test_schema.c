#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/file.h"
#include "base/must.h"
#include "observe/plan.h"
#include "scenarios/program.h"

#define SCHEMA_BYTES_MAX (1u << 20)

static void make(struct buf *out)
{
	json_t *observe = json_object();
	observe_plan_schema(observe);
	program_schema(observe, out);
	json_decref(observe);
}

/* WEIR_WRITE_EXPECTED=1 writes the file anew: then read the difference. */
static void the_file_is_what_the_tables_say(void **state)
{
	struct buf made, kept;
	buf_init(&made, SCHEMA_BYTES_MAX);
	buf_init(&kept, SCHEMA_BYTES_MAX);
	make(&made);
	if (getenv("WEIR_WRITE_EXPECTED"))
		assert_int_equal(file_replace(SCENARIOS_SCHEMA, buf_str(&made), false, NULL), 0);
	assert_int_equal(file_read(SCENARIOS_SCHEMA, &kept, NULL), 0);
	assert_true(str_eq(buf_str(&made), buf_str(&kept)));
	buf_finish(&made);
	buf_finish(&kept);
}

/* Every "$ref" leads somewhere. */
static void follow_references(const json_t *root, json_t *value)
{
	const char *key;
	json_t *member;
	size_t i;
	json_array_foreach(value, i, member) follow_references(root, member);
	json_object_foreach(value, key, member)
	{
		follow_references(root, member);
		if (strcmp(key, "$ref") != 0)
			continue;
		const char *name = json_string_value(member);
		assert_true(str_starts(str_from(name), STR("#/$defs/")));
		if (!json_object_get(json_object_get(root, "$defs"), name + strlen("#/$defs/")))
			fail_msg("%s leads nowhere", name);
	}
}

static void references_lead_somewhere(void **state)
{
	struct buf made;
	buf_init(&made, SCHEMA_BYTES_MAX);
	make(&made);
	json_t *root = json_loadb(made.bytes, made.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	follow_references(root, root);
	json_decref(root);
	buf_finish(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_file_is_what_the_tables_say),
		cmocka_unit_test(references_lead_somewhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
