#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "observe/plan.h"

/* Every "$ref" leads somewhere; what all schemas have (base/schema.h) is not in these definitions. */
static void follow_references(const json_t *defs, json_t *value)
{
	const char *key;
	json_t *member;
	size_t i;
	json_array_foreach(value, i, member) follow_references(defs, member);
	json_object_foreach(value, key, member)
	{
		follow_references(defs, member);
		if (strcmp(key, "$ref") != 0)
			continue;
		const char *name = json_string_value(member);
		assert_true(str_starts(str_from(name), STR("#/$defs/")));
		if (!json_object_get(defs, name + strlen("#/$defs/")))
			fail_msg("%s leads nowhere", name);
	}
}

static void references_lead_somewhere(void **state)
{
	json_t *defs = json_object();
	schema_add_fields(defs);
	observe_plan_schema(defs);
	follow_references(defs, defs);
	json_decref(defs);
}

/* An item may be any of the kinds, each with its own keys and a name. */
static void every_kind_has_its_definition(void **state)
{
	json_t *defs = json_object();
	observe_plan_schema(defs);
	json_t *items = json_object_get(json_object_get(defs, "observe"), "items");
	json_t *kinds = json_object_get(items, "oneOf");
	size_t count = 0;
	for (; sampler_kinds[count]; count++) {
		const struct sampler_kind *kind = sampler_kinds[count];
		char name[64];
		snprintf(name, sizeof(name), "observe-%s", kind->key);
		json_t *keys = json_object_get(json_object_get(defs, name), "properties");
		assert_non_null(json_object_get(keys, "name"));
		for (const struct field *f = kind->fields; f->key; f++)
			assert_non_null(json_object_get(keys, f->key));
		const json_t *reference = json_object_get(json_array_get(kinds, count), "$ref");
		assert_string_equal(json_string_value(reference) + strlen("#/$defs/"), name);
	}
	assert_int_equal(json_array_size(kinds), count);
	json_decref(defs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(references_lead_somewhere),
		cmocka_unit_test(every_kind_has_its_definition),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
