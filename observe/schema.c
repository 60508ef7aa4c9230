/* schema.c: the JSON Schema of what is observed, from the tables that it is read with: one definition per kind of item, under
 * names that begin with "observe". */
#include <stdio.h>

#include "base/must.h"
#include "observe/plan.h"

/* What the kinds read themselves; "#/$defs/NAME" in the schema. */
static const struct schema_shape shapes[] = {
	{ "observe-text", "{\"type\":\"string\",\"minLength\":1}" },
	{ "observe-url", "{\"type\":\"string\",\"pattern\":\"^(https?://|[$][{]env[.])\"}" },
	{ "observe-this-host", "{\"const\":true}" },
	{ "observe-a-process", "{\"anyOf\":[{\"type\":\"integer\",\"minimum\":1,\"maximum\":4194304},"
	                       "{\"$ref\":\"#/$defs/observe-place\"}]}" },
	{ "observe-values", "{\"type\":\"object\",\"minProperties\":1,\"properties\":{\"//\":{}},"
	                    "\"additionalProperties\":{\"anyOf\":[{\"type\":\"string\"},"
	                    "{\"$ref\":\"#/$defs/observe-value\"}]}}" },
	{ "observe-queries", "{\"type\":\"object\",\"minProperties\":1,\"properties\":{\"//\":{}},"
	                     "\"additionalProperties\":{\"anyOf\":[{\"type\":\"string\"},"
	                     "{\"$ref\":\"#/$defs/observe-query\"}]}}" },
};

void observe_plan_schema(json_t *defs)
{
	json_t *kinds = json_array();
	schema_add_shapes(defs, shapes, ARRAY_LEN(shapes));
	for (size_t i = 0; sampler_kinds[i]; i++) {
		const struct sampler_kind *kind = sampler_kinds[i];
		struct field fields[OBSERVE_FIELDS_MAX];
		char name[64];
		snprintf(name, sizeof(name), "observe-%s", kind->key);
		observe_item_fields(kind, fields);
		const struct schema_table item = { name, fields, kind->nodes };
		schema_add_tables(defs, &item, 1);
		if (kind->table)
			schema_add_tables(defs, kind->table, 1);
		json_array_append_new(kinds, json_pack("{s:o}", "$ref", json_sprintf("#/$defs/%s", name)));
	}
	json_object_set_new(defs, "observe",
	                    json_pack("{s:s, s:i, s:{s:o}}", "type", "array", "maxItems", OBSERVE_ITEMS_MAX, "items",
	                              "oneOf", kinds));
}
