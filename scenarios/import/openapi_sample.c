/* openapi_sample.c: values from schemas. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "scenarios/import/openapi.h"

/* --- references --- */

/* "~1" is "/", "~0" is "~", and the fragment of a URL is percent-encoded. */
static bool decode_token(struct str token, struct buf *out)
{
	struct buf plain;
	buf_init(&plain, 4096);
	bool good = draft_percent_decode(token, false, &plain);
	const struct str s = buf_str(&plain);
	for (size_t i = 0; good && i < s.len; i++) {
		if (s.p[i] == '~' && i + 1 < s.len && (s.p[i + 1] == '0' || s.p[i + 1] == '1'))
			good = buf_add_char(out, s.p[++i] == '1' ? '/' : '~');
		else
			good = buf_add_char(out, s.p[i]);
	}
	buf_finish(&plain);
	return good;
}

static json_t *follow(json_t *root, struct str pointer)
{
	struct str token;
	while (root && str_cut(&pointer, '/', &token)) {
		struct buf key;
		uint64_t index;
		buf_init(&key, 4096);
		if (!decode_token(token, &key))
			root = NULL;
		else if (json_is_array(root))
			root = str_to_u64(buf_str(&key), &index) ? json_array_get(root, index) : NULL;
		else
			root = json_object_get(root, buf_cstr(&key));
		buf_finish(&key);
	}
	return root;
}

json_t *openapi_resolve(struct openapi *a, json_t *value)
{
	for (int i = 0; i < OPENAPI_REFS_MAX; i++) {
		const char *ref = json_string_value(json_object_get(value, "$ref"));
		if (!ref)
			return value;
		json_t *found = strncmp(ref, "#/", 2) == 0 ? follow(a->root, str_from(ref + 2)) : NULL;
		if (!found) {
			draft_note(a->draft, "Left out: what \"%.100s\" refers to: it is not in the document.", ref);
			return NULL;
		}
		value = found;
	}
	draft_note(a->draft, "Left out: a \"$ref\" that leads to more than %d others, or to itself.", OPENAPI_REFS_MAX);
	return NULL;
}

/* --- samples --- */

/* The schemas around the one that is being sampled. */
struct sampling {
	struct openapi *api;
	json_t *open[OPENAPI_DEPTH_MAX];
	unsigned depth, nodes;
	bool in_json; /* a slot would turn a number into a string */
};

static json_t *secret_slot(struct openapi *a, const char *name)
{
	return json_sprintf("${env.%s:-}", draft_secret(a->draft, str_from(name), (struct str){ "", 0 }));
}

json_t *openapi_plain(const char *text)
{
	struct buf b;
	buf_init(&b, DRAFT_BODY_BYTES);
	draft_add_plain(&b, str_from(text));
	json_t *string = draft_take_string(&b);
	return string ? string : json_string("");
}

/* Recursion is bounded by <depth>: what is deeper becomes null. */
static json_t *given(struct openapi *a, json_t *value, const char *name, unsigned depth)
{
	const char *key;
	json_t *item;
	size_t i;
	if (!value || depth > DRAFT_JSON_DEPTH)
		return json_null();
	if (json_is_object(value)) {
		json_t *copy = json_object();
		json_object_foreach(value, key, item) json_object_set_new(
			copy, key, given(a, item, name && secret_name(str_from(name)) ? name : key, depth + 1));
		return copy;
	}
	if (json_is_array(value)) {
		json_t *copy = json_array();
		json_array_foreach(value, i, item) json_array_append_new(copy, given(a, item, name, depth + 1));
		return copy;
	}
	if (name && secret_name(str_from(name)) && (json_is_string(value) || json_is_number(value)))
		return secret_slot(a, name);
	return json_is_string(value) ? openapi_plain(json_string_value(value)) : json_incref(value);
}

json_t *openapi_given(struct openapi *a, json_t *value, const char *name)
{
	return given(a, value, name, 0);
}

static json_t *sample(struct sampling *s, json_t *schema, const char *name);

static const char *type_of(json_t *schema)
{
	json_t *type = json_object_get(schema, "type"), *one;
	size_t i;
	/* 3.1 has lists of types. */
	json_array_foreach(type, i, one) if (json_is_string(one) &&
	                                     strcmp(json_string_value(one), "null") != 0) return json_string_value(one);
	if (json_is_string(type))
		return json_string_value(type);
	if (json_object_get(schema, "properties") || json_object_get(schema, "additionalProperties") ||
	    json_object_get(schema, "required"))
		return "object";
	return json_object_get(schema, "items") ? "array" : "string";
}

static json_t *sample_string(json_t *schema)
{
	static const struct {
		const char *format, *value;
	} formats[] = {
		{ "uuid", "${uuid}" },
		{ "date", "2024-01-31" },
		{ "date-time", "2024-01-31T12:00:00Z" },
		{ "time", "12:00:00Z" },
		{ "duration", "PT1H" },
		{ "email", "user${user.id}@example.com" },
		{ "hostname", "example.com" },
		{ "ipv4", "192.0.2.1" },
		{ "ipv6", "2001:db8::1" },
		{ "uri", "https://example.com/${random.string(8)}" },
		{ "url", "https://example.com/${random.string(8)}" },
		{ "byte", "d2Vpcg==" },
	};
	const char *format = json_string_value(json_object_get(schema, "format"));
	for (size_t i = 0; format && i < ARRAY_LEN(formats); i++)
		if (strcmp(format, formats[i].format) == 0)
			return json_string(formats[i].value);
	json_int_t least = json_integer_value(json_object_get(schema, "minLength"));
	json_t *most = json_object_get(schema, "maxLength");
	json_int_t length = least > 8 ? least : 8;
	if (json_is_integer(most) && json_integer_value(most) < length)
		length = json_integer_value(most);
	if (length < 1)
		return json_string("");
	return json_sprintf("${random.string(%lld)}", (long long)(length > 1024 ? 1024 : length));
}

/* A bound of a schema; 3.0 has exclusive bounds as flags, 3.1 as numbers. */
static double bound(json_t *schema, const char *key, const char *exclusive, double step, double otherwise)
{
	json_t *value = json_object_get(schema, key), *outside = json_object_get(schema, exclusive);
	double b = json_is_number(value) ? json_number_value(value) : otherwise;
	if (json_is_number(outside))
		b = json_number_value(outside) + step;
	else if (json_is_true(outside))
		b += step;
	return b < -1e15 ? -1e15 : b > 1e15 ? 1e15 : b;
}

static json_t *sample_integer(const struct sampling *s, json_t *schema)
{
	const bool has_most = json_object_get(schema, "maximum") ||
	                      json_is_number(json_object_get(schema, "exclusiveMaximum"));
	const double high = bound(schema, "maximum", "exclusiveMaximum", -1, 100);
	const double low = bound(schema, "minimum", "exclusiveMinimum", 1, has_most && high < 1 ? high : 1);
	const long long first = (long long)ceil(low),
			last = (long long)floor(has_most || high >= low ? high : low + 100);
	if (s->in_json || first >= last)
		return json_integer(first);
	return json_sprintf("${random.int(%lld,%lld)}", first, last);
}

static json_t *sample_number(json_t *schema)
{
	const double low = bound(schema, "minimum", "exclusiveMinimum", 1, 1);
	const double high = bound(schema, "maximum", "exclusiveMaximum", -1, low);
	const double value = low > high ? high : low;
	return value == floor(value) ? json_integer((json_int_t)value) : json_real(value);
}

static json_t *sample_array(struct sampling *s, json_t *schema, const char *name)
{
	json_t *list = json_array(), *item = json_object_get(schema, "items");
	item = item ? sample(s, item, name) : NULL;
	if (item)
		json_array_append_new(list, item);
	return list;
}

/* Adds the properties of <schema> to <into>: one that is left out had no value, or is only of answers. */
static void add_properties(struct sampling *s, json_t *schema, json_t *into)
{
	const char *key;
	json_t *property;
	json_object_foreach(json_object_get(schema, "properties"), key, property)
	{
		json_t *resolved = openapi_resolve(s->api, property);
		if (strcmp(key, "//") == 0 || json_is_true(json_object_get(resolved, "readOnly")))
			continue;
		json_t *value = sample(s, property, key);
		if (value)
			json_object_set_new(into, key, value);
	}
}

/* "allOf": all their properties together, or the first that is no object. */
static json_t *sample_all(struct sampling *s, json_t *schema, json_t *parts, const char *name)
{
	json_t *whole = json_object(), *part, *other = NULL;
	size_t i;
	json_array_foreach(parts, i, part)
	{
		json_t *value = sample(s, part, name);
		if (json_is_object(value))
			json_object_update(whole, value);
		else if (value && !other)
			other = json_incref(value);
		json_decref(value);
	}
	add_properties(s, schema, whole);
	if (json_object_size(whole) || !other) {
		json_decref(other);
		return whole;
	}
	json_decref(whole);
	return other;
}

static json_t *sample_type(struct sampling *s, json_t *schema, const char *name)
{
	const char *type = type_of(schema);
	if (strcmp(type, "object") == 0) {
		json_t *object = json_object();
		add_properties(s, schema, object);
		return object;
	}
	if (strcmp(type, "array") == 0)
		return sample_array(s, schema, name);
	if (strcmp(type, "boolean") == 0)
		return json_true();
	if (strcmp(type, "null") == 0)
		return json_null();
	if (name && secret_name(str_from(name)))
		return secret_slot(s->api, name);
	if (strcmp(type, "integer") == 0)
		return sample_integer(s, schema);
	if (strcmp(type, "number") == 0)
		return sample_number(schema);
	return sample_string(schema);
}

/* What the schema itself says a value could be; NULL: nothing. Borrowed. */
static json_t *said(json_t *schema)
{
	static const char *const keys[] = { "example", "const", "default" };
	json_t *value = json_object_get(schema, keys[0]);
	if (value)
		return value;
	if ((value = json_array_get(json_object_get(schema, "examples"), 0)))
		return value;
	for (size_t i = 1; i < ARRAY_LEN(keys); i++)
		if ((value = json_object_get(schema, keys[i])))
			return value;
	return json_array_get(json_object_get(schema, "enum"), 0);
}

/* "oneOf", "anyOf": the first, and the properties that stand beside it. */
static json_t *sample_one(struct sampling *s, json_t *schema, json_t *parts, const char *name)
{
	json_t *value = json_array_size(parts) ? sample(s, json_array_get(parts, 0), name) : NULL;
	if (!json_object_get(schema, "properties"))
		return value;
	if (!json_is_object(value)) {
		json_decref(value);
		value = json_object();
	}
	add_properties(s, schema, value);
	return value;
}

static json_t *sample_within(struct sampling *s, json_t *schema, const char *name)
{
	json_t *value = said(schema), *parts;
	if (value)
		return openapi_given(s->api, value, name);
	if ((parts = json_object_get(schema, "allOf")))
		return sample_all(s, schema, parts, name);
	if ((parts = json_object_get(schema, "oneOf")) || (parts = json_object_get(schema, "anyOf")))
		return sample_one(s, schema, parts, name);
	return sample_type(s, schema, name);
}

static json_t *sample(struct sampling *s, json_t *schema, const char *name)
{
	schema = openapi_resolve(s->api, schema);
	if (!json_is_object(schema) || s->depth == OPENAPI_DEPTH_MAX || s->nodes == OPENAPI_NODES_MAX)
		return NULL;
	for (unsigned i = 0; i < s->depth; i++)
		if (s->open[i] == schema)
			return NULL;
	s->open[s->depth++] = schema;
	s->nodes++;
	json_t *value = sample_within(s, schema, name);
	s->depth--;
	return value;
}

json_t *openapi_sample(struct openapi *a, json_t *schema, const char *name)
{
	struct sampling s = { .api = a, .in_json = name == NULL };
	return sample(&s, schema, name);
}

json_t *openapi_example(struct openapi *a, json_t *holder, const char *name)
{
	json_t *example = json_object_get(holder, "example");
	json_t *examples = json_object_get(holder, "examples");
	if (!example && json_is_object(examples) && json_object_iter(examples)) {
		json_t *first = openapi_resolve(a, json_object_iter_value(json_object_iter(examples)));
		example = json_object_get(first, "value");
	}
	if (example)
		return openapi_given(a, example, name);
	return openapi_sample(a, json_object_get(holder, "schema"), name);
}

void openapi_add_encoded(struct buf *out, struct str template)
{
	size_t len;
	for (size_t at = 0; at < template.len; at += len) {
		const struct str rest = str_from_at(template, at);
		len = 1;
		if (str_starts(rest, STR("$${"))) {
			len = 3;
			buf_add_url_escaped(out, STR("${"));
		} else if (str_starts(rest, STR("${"))) {
			len = str_find(rest, '}') + 1;
			buf_add(out, str_first(rest, len));
		} else {
			buf_add_url_escaped(out, str_first(rest, 1));
		}
	}
}
