/* schema.c: the JSON Schema of scenario files (draft 2020-12), from the compiler's tables of keys.
 *
 * Keys, types, ranges, words, defaults and help come from the rows. What a row leaves to its reader (FIELD_NODE) has
 * its shape in the table below; a row without one is a bug of ours, found by any call (base/schema.h). */
#include <stdlib.h>

#include "base/must.h"
#include "base/schema.h"
#include "scenarios/compile.h"

/* Shapes that several keys have; "#/$defs/NAME" in the schema. */
static const struct schema_shape shapes[] = {
	{ "scalar", "{\"type\":[\"string\",\"number\",\"boolean\"]}" },
	{ "path", "{\"type\":\"string\",\"pattern\":\"^(/|https?://|[$][{]env[.])\"}" },
	{ "pause", "{\"type\":\"string\"}" },
	{ "text", "{\"type\":\"string\"}" },
	{ "any", "{}" },
	{ "headers", "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}" },
	{ "pairs", "{\"type\":\"object\",\"additionalProperties\":{\"anyOf\":[{\"$ref\":\"#/$defs/scalar\"},"
	           "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/scalar\"}}]}}" },
	{ "values", "{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/$defs/scalar\"}}" },
	{ "one-status", "{\"anyOf\":[{\"type\":\"integer\",\"minimum\":100,\"maximum\":599},{\"type\":\"string\"}]}" },
	{ "status", "{\"anyOf\":[{\"$ref\":\"#/$defs/one-status\"},{\"type\":\"array\",\"minItems\":1,"
	            "\"items\":{\"$ref\":\"#/$defs/one-status\"}}]}" },
	{ "plain", "{\"type\":[\"string\",\"number\",\"boolean\",\"null\"]}" },
	{ "yes", "{\"type\":\"boolean\"}" },
	{ "group-number", "{\"type\":\"integer\",\"minimum\":0}" },
	{ "level", "{\"type\":\"number\",\"minimum\":0}" },
	{ "levels", "{\"type\":\"array\",\"minItems\":1,\"items\":{\"$ref\":\"#/$defs/level\"}}" },
	{ "names", "{\"type\":\"array\",\"minItems\":1,\"items\":{\"type\":\"string\"}}" },
	{ "schema", "{\"const\":\"" PROGRAM_SCHEMA "\"}" },
	{ "flows", "{\"type\":\"object\",\"minProperties\":1,\"properties\":{\"//\":{}},"
	           "\"additionalProperties\":{\"$ref\":\"#/$defs/flow\"}}" },
	{ "feeds",
	  "{\"type\":\"object\",\"properties\":{\"//\":{}},\"additionalProperties\":{\"$ref\":\"#/$defs/feed\"}}" },
	{ "extracts",
	  "{\"type\":\"object\",\"properties\":{\"//\":{}},\"additionalProperties\":{\"$ref\":\"#/$defs/extract\"}}" },
	{ "steps", "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/step\"}}" },
	{ "checks", "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/check\"}}" },
	{ "parts", "{\"type\":\"array\",\"minItems\":1,\"items\":{\"$ref\":\"#/$defs/part\"}}" },
	{ "stages", "{\"type\":\"array\",\"minItems\":1,\"items\":{\"$ref\":\"#/$defs/stage\"}}" },
	{ "thresholds",
	  "{\"type\":\"array\",\"items\":{\"anyOf\":[{\"type\":\"string\"},{\"$ref\":\"#/$defs/threshold\"}]}}" },
};

/* Tables of keys, and what their nodes are: pairs of key and shape, or another table. */
static const struct schema_table tables[] = {
	{ "defaults", defaults_fields,
	  (const char *const[]){ "auth", "auth", "headers", "headers", "proxy", "text", "connect_to", "text", "tls",
	                         "tls", NULL } },
	{ "tls", tls_fields, (const char *const[]){ "ca", "text", "cert", "text", "key", "text", NULL } },
	{ "auth", auth_fields, (const char *const[]){ "user", "text", "password", "text", NULL } },
	{ "feed", feed_fields, (const char *const[]){ NULL } },
	{ "flow", flow_fields, (const char *const[]){ "steps", "steps", "pace", "duration", NULL } },
	{ "step", step_fields,
	  (const char *const[]){ "get",    "path",     "post",      "path",     "put",     "path", "patch", "path",
	                         "delete", "path",     "head",      "path",     "options", "path", "pause", "pause",
	                         "pace",   "duration", "steps",     "steps",    "if",      "if",   "auth",  "auth",
	                         "query",  "pairs",    "headers",   "headers",  "json",    "any",  "body",  "text",
	                         "form",   "pairs",    "multipart", "parts",    "file",    "text", "retry", "retry",
	                         "check",  "checks",   "extract",   "extracts", NULL } },
	{ "if", if_fields, (const char *const[]){ "equals", "scalar", "matches", "text", NULL } },
	{ "retry", retry_fields, (const char *const[]){ "on", "status", "delay", "pause", NULL } },
	{ "part", part_fields, (const char *const[]){ "value", "scalar", NULL } },
	{ "check", check_fields,
	  (const char *const[]){ "status", "status", "json",       "text",  "header",       "text",   "cookie",
	                         "text",   "regex",  "text",       "group", "group-number", "exists", "yes",
	                         "equals", "plain",  "contains",   "text",  "matches",      "text",   "time",
	                         "text",   "body",   "body-check", NULL } },
	{ "body-check", body_check_fields,
	  (const char *const[]){ "contains", "text", "equals", "text", "size", "text", NULL } },
	{ "extract", extract_fields,
	  (const char *const[]){ "json", "text", "header", "text", "cookie", "text", "regex", "text", "group",
	                         "group-number", NULL } },
	{ "stage", stage_fields, (const char *const[]){ "to", "level", NULL } },
	{ "threshold", threshold_fields, (const char *const[]){ "that", "text", NULL } },
};

static const char *const scenario_nodes[] = { "$schema",  "schema",  "target",     "text",       "defaults",
	                                      "defaults", "vars",    "values",     "flows",      "flows",
	                                      "load",     "load",    "thresholds", "thresholds", "feeds",
	                                      "feeds",    "observe", "observe",    NULL };
static const char *const executor_nodes[] = { "flows", "names", "stages", "stages", "rungs", "levels", NULL };

/* Exactly one of the keys that say what a step does. */
static json_t *one_kind_of_step(void)
{
	json_t *kinds = json_array();
	for (size_t i = 0; step_kind_key(i); i++)
		json_array_append_new(kinds, json_pack("{s:[s]}", "required", step_kind_key(i)));
	return kinds;
}

static json_t *load(void)
{
	json_t *kinds = json_array();
	const char *name;
	const struct field *fields;
	for (size_t i = 0; (fields = executor_kind_fields(i, &name)); i++) {
		json_t *kind = schema_object(fields, executor_nodes);
		json_object_set_new(json_object_get(kind, "properties"), "executor", json_pack("{s:s}", "const", name));
		json_object_set_new(kind, "title", json_string(name));
		json_array_append_new(kinds, kind);
	}
	return json_pack("{s:s, s:i, s:{s:o}}", "type", "array", "minItems", 1, "items", "oneOf", kinds);
}

void program_schema(json_t *others, struct buf *out)
{
	json_t *defs = json_object();
	must(json_object_get(others, "observe"));
	schema_add_fields(defs);
	schema_add_shapes(defs, shapes, ARRAY_LEN(shapes));
	schema_add_tables(defs, tables, ARRAY_LEN(tables));
	json_object_set_new(json_object_get(defs, "step"), "oneOf", one_kind_of_step());
	json_object_set_new(defs, "load", load());
	json_object_update(defs, others);
	json_t *root = json_pack("{s:s, s:s, s:s}", "$schema", "https://json-schema.org/draft/2020-12/schema", "$id",
	                         PROGRAM_SCHEMA, "title", "A scenario of weir");
	json_t *scenario = schema_object(scenario_fields, scenario_nodes);
	json_object_update(root, scenario);
	json_decref(scenario);
	json_object_set_new(root, "$defs", defs);
	char *text = json_dumps(root, JSON_INDENT(2));
	must(text);
	json_decref(root);
	must(buf_add(out, str_from(text)) && buf_add_char(out, '\n'));
	free(text);
}
