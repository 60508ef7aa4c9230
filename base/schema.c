#include "base/schema.h"

#include <math.h>

#include "base/must.h"

/* What rows of these types are everywhere. */
static const struct schema_shape of_types[] = {
	{ "duration", "{\"type\":\"string\",\"pattern\":\"^(0|([0-9]+([.][0-9]+)?(ns|us|ms|s|m|h|d))+)$\"}" },
	{ "share", "{\"anyOf\":[{\"type\":\"number\",\"minimum\":0,\"maximum\":1},{\"type\":\"string\"}]}" },
};

/* Whole numbers as such: 1000 and not 1000.0. */
static json_t *number_of(double v)
{
	return v == floor(v) && fabs(v) < 1e15 ? json_integer((json_int_t)v) : json_real(v);
}

static json_t *reference(const char *name)
{
	return json_sprintf("#/$defs/%s", name);
}

/* The shape of a row, without its help. */
static json_t *describe(const struct field *f, const char *const *nodes)
{
	json_t *s = json_object();
	switch (f->type) {
	case FIELD_STRING:
		json_object_set_new(s, "type", json_string("string"));
		break;
	case FIELD_INTEGER:
	case FIELD_NUMBER:
		json_object_set_new(s, "type", json_string(f->type == FIELD_INTEGER ? "integer" : "number"));
		if (f->min != 0 || f->max != 0) {
			json_object_set_new(s, "minimum", number_of(f->min));
			json_object_set_new(s, "maximum", number_of(f->max));
		}
		break;
	case FIELD_DURATION:
		json_object_set_new(s, "$ref", reference("duration"));
		break;
	case FIELD_SHARE:
		json_object_set_new(s, "$ref", reference("share"));
		break;
	case FIELD_BOOLEAN:
		json_object_set_new(s, "type", json_string("boolean"));
		break;
	case FIELD_NODE:
	case FIELD_END:
		while (*nodes && strcmp(nodes[0], f->key) != 0)
			nodes += 2;
		must(*nodes); /* each row has a shape */
		json_object_set_new(s, "$ref", reference(nodes[1]));
		break;
	}
	return s;
}

static json_t *default_of(const struct field *f)
{
	json_t *value = f->type == FIELD_STRING || f->type == FIELD_DURATION
	                        ? NULL
	                        : json_loads(f->def, JSON_DECODE_ANY, NULL);
	return value ? value : json_string(f->def);
}

static json_t *property(const struct field *f, const char *const *nodes)
{
	json_t *s = describe(f, nodes);
	if (f->choices) {
		json_t *words = json_array();
		for (const char *const *c = f->choices; *c; c++)
			json_array_append_new(words, json_string(*c));
		json_object_set_new(s, "enum", words);
	}
	if (f->def)
		json_object_set_new(s, "default", default_of(f));
	json_object_set_new(s, "description", json_string(f->help));
	return s;
}

json_t *schema_object(const struct field *fields, const char *const *nodes)
{
	json_t *properties = json_object(), *required = json_array();
	json_object_set_new(properties, "//", json_object());
	for (const struct field *f = fields; f->type != FIELD_END; f++) {
		json_object_set_new(properties, f->key, property(f, nodes));
		if (f->required)
			json_array_append_new(required, json_string(f->key));
	}
	json_t *s = json_pack("{s:s, s:o, s:b}", "type", "object", "properties", properties, "additionalProperties", 0);
	if (json_array_size(required) > 0)
		json_object_set(s, "required", required);
	json_decref(required);
	return s;
}

void schema_add_shapes(json_t *defs, const struct schema_shape *shapes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		json_t *shape = json_loads(shapes[i].json, 0, NULL);
		must(shape);
		json_object_set_new(defs, shapes[i].name, shape);
	}
}

void schema_add_fields(json_t *defs)
{
	schema_add_shapes(defs, of_types, ARRAY_LEN(of_types));
}

void schema_add_tables(json_t *defs, const struct schema_table *tables, size_t count)
{
	for (size_t i = 0; i < count; i++)
		json_object_set_new(defs, tables[i].name, schema_object(tables[i].fields, tables[i].nodes));
}
