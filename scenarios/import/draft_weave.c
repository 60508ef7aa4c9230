/* draft_weave.c: values in the places where they were sent, with slots for those that are secret or extracted. */
#include "scenarios/import/draft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"

/* Shorter secrets are not looked for elsewhere: they would be found by chance. */
#define SCRUB_BYTES_MIN 8

static void add_secret(struct draft *d, struct str name, struct str value, struct buf *out)
{
	buf_printf(out, "${env.%s:-}", draft_secret(d, name, value));
}

/* <name>: what the value is called here, or what makes it a secret. */
static bool look_up(struct draft *d, struct str name, struct str value, struct buf *slot)
{
	if (!d->lookup || !d->lookup(d->lookup_arg, value, slot))
		return false;
	/* Known as a secret, so that draft_scrub finds it where it is only a part of a text. */
	if (secret_name(name))
		draft_secret(d, name, value);
	return true;
}

/* Bytes of a path as sent; those that a request line cannot hold are percent-encoded. */
static void add_path_text(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		const unsigned char c = (unsigned char)text.p[i];
		if (c <= 0x20 || c == 0x7f || c == '#')
			buf_printf(out, "%%%02X", c);
		else if (c == '$' && i + 1 < text.len && text.p[i + 1] == '{')
			buf_add_char(out, '$'), buf_add_char(out, '$');
		else
			buf_add_char(out, (char)c);
	}
}

/* One value of a path or query, percent-encoded as sent: a slot is encoded again when it is rendered. */
static void add_encoded(struct draft *d, struct str name, struct str value, bool plus, struct buf *out)
{
	struct buf decoded;
	buf_init(&decoded, DRAFT_PATH_BYTES);
	const bool whole = draft_percent_decode(value, plus, &decoded);
	if (!whole || !look_up(d, name, buf_str(&decoded), out)) {
		if (whole && value.len && secret_name(name))
			add_secret(d, name, buf_str(&decoded), out);
		else
			add_path_text(out, value);
	}
	buf_finish(&decoded);
}

/* name=value&...: in a query slots are encoded when they are rendered, in a form they are not. */
static void add_query(struct draft *d, struct str query, bool form, struct buf *out)
{
	struct str pair;
	for (bool first = true; str_cut(&query, '&', &pair); first = false) {
		const size_t equals = str_find(pair, '=');
		const struct str name = str_first(pair, equals), value = str_from_at(pair, equals + 1);
		const bool encoded = str_find(value, '%') < value.len || str_find(value, '+') < value.len;
		if (!first)
			buf_add_char(out, '&');
		if (form)
			draft_add_plain(out, name);
		else
			add_path_text(out, name);
		if (equals == pair.len)
			continue;
		buf_add_char(out, '=');
		if (!form)
			add_encoded(d, name, value, true, out);
		else if (!encoded && look_up(d, name, value, out))
			continue;
		else if (value.len && secret_name(name))
			add_secret(d, name, value, out);
		else
			draft_add_plain(out, value);
	}
}

json_t *draft_weave_path(struct draft *d, struct str path)
{
	struct buf out;
	const size_t question = str_find(path, '?');
	struct str segments = str_first(path, question), segment;
	buf_init(&out, DRAFT_PATH_BYTES);
	if (segments.len == 0)
		buf_add_char(&out, '/');
	else if (segments.p[0] == '/')
		segments = str_from_at(segments, 1);
	for (bool more = path.len && path.p[0] != '?'; more;) {
		const size_t slash = str_find(segments, '/');
		segment = str_first(segments, slash);
		buf_add_char(&out, '/');
		add_encoded(d, STR("segment"), segment, false, &out);
		more = slash < segments.len;
		segments = str_from_at(segments, slash + 1);
	}
	if (question < path.len) {
		buf_add_char(&out, '?');
		add_query(d, str_from_at(path, question + 1), false, &out);
	}
	return draft_take_string(&out);
}

json_t *draft_weave_form(struct draft *d, struct str body)
{
	struct buf out;
	buf_init(&out, DRAFT_BODY_BYTES * 2);
	add_query(d, body, true, &out);
	return draft_take_string(&out);
}

/* Decoded, and encoded again the same text: no stray "%", no NUL. */
static bool decode_cleanly(struct str text, struct buf *out)
{
	static const char hex[] = "0123456789abcdefABCDEF";
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] == '%' && (i + 2 >= text.len || !memchr(hex, text.p[i + 1], sizeof(hex) - 1) ||
		                         !memchr(hex, text.p[i + 2], sizeof(hex) - 1)))
			return false;
	return draft_percent_decode(text, true, out);
}

/* One value of a form, with slots when there is a draft; NULL when it cannot be one. */
static json_t *weave_field(struct draft *d, struct str name, struct str encoded)
{
	struct buf value, out;
	json_t *string = NULL;
	buf_init(&value, DRAFT_BODY_BYTES * 2);
	buf_init(&out, DRAFT_BODY_BYTES * 2);
	if (decode_cleanly(encoded, &value)) {
		if (d && value.len && look_up(d, name, buf_str(&value), &out))
			; /* a slot */
		else if (d && value.len && secret_name(name))
			add_secret(d, name, buf_str(&value), &out);
		else
			draft_add_plain(&out, buf_str(&value));
		string = draft_take_string(&out);
	}
	buf_finish(&value);
	buf_finish(&out);
	return string;
}

/* Adds a field; one of several values has them in a list, and they must have stood together. */
static bool put_field(json_t *fields, const char *name, json_t *value, const char *last)
{
	json_t *old = json_object_get(fields, name);
	if (!old)
		return json_object_set_new(fields, name, value) == 0;
	if (!last || strcmp(name, last) != 0) {
		json_decref(value);
		return false;
	}
	if (!json_is_array(old)) {
		old = json_pack("[O]", old);
		json_object_set_new(fields, name, old);
	}
	return json_array_append_new(old, value) == 0;
}

/* <d> NULL: without slots, only to see whether it can be done. */
static json_t *weave_fields(struct draft *d, struct str body)
{
	json_t *fields = json_object(), *value;
	struct str pair;
	struct buf name;
	char *last = NULL;
	bool good = true;
	buf_init(&name, DRAFT_BODY_BYTES);
	while (good && str_cut(&body, '&', &pair)) {
		const size_t equals = str_find(pair, '=');
		buf_clear(&name);
		/* "//" would be a comment. */
		good = equals > 0 && equals < pair.len && decode_cleanly(str_first(pair, equals), &name) &&
		       !str_is(buf_str(&name), "//");
		value = good ? weave_field(d, buf_str(&name), str_from_at(pair, equals + 1)) : NULL;
		good = value && put_field(fields, buf_cstr(&name), value, last);
		free(last);
		last = xstrdup(buf_cstr(&name));
	}
	free(last);
	buf_finish(&name);
	if (good && json_object_size(fields))
		return fields;
	json_decref(fields);
	return NULL;
}

json_t *draft_weave_fields(struct draft *d, struct str body)
{
	/* Nothing is extracted or noted as a secret for fields that will not be written. */
	json_t *can = weave_fields(NULL, body);
	if (!can)
		return NULL;
	json_decref(can);
	return weave_fields(d, body);
}

/* The scheme of "Bearer abc" with its blank, or nothing. */
static size_t scheme_len(struct str value)
{
	static const char *const schemes[] = { "Bearer", "Basic", "Token", "JWT", "ApiKey", "Digest", "Negotiate" };
	const size_t blank = str_find(value, ' ');
	for (size_t i = 0; i < ARRAY_LEN(schemes) && blank < value.len; i++)
		if (str_eq_nocase(str_first(value, blank), str_from(schemes[i])))
			return blank + 1;
	return 0;
}

json_t *draft_weave_header(struct draft *d, struct str name, struct str value)
{
	struct buf out;
	buf_init(&out, DRAFT_HEADER_BYTES);
	value = str_trim(value);
	if (value.len && (memchr(value.p, '\r', value.len) || memchr(value.p, '\n', value.len)))
		return NULL;
	const size_t scheme = scheme_len(value);
	const struct str rest = str_trim(str_from_at(value, scheme));
	buf_add(&out, str_first(value, scheme));
	if (!look_up(d, name, rest, &out)) {
		if (rest.len && secret_name(name))
			add_secret(d, name, rest, &out);
		else
			draft_add_plain(&out, rest);
	}
	return draft_take_string(&out);
}

/* <secret>: the name that makes all below it secret, or nothing. Recursion is bounded by the caller. */
static json_t *weave_json(struct draft *d, json_t *value, struct str secret)
{
	struct buf out;
	json_t *copy, *item;
	const char *key;
	size_t i;
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		copy = json_object();
		json_object_foreach(value, key, item)
		{
			const struct str name = str_from(key);
			json_object_set_new(copy, key,
			                    weave_json(d, item, secret_name(name) || secret.len ? name : secret));
		}
		return copy;
	case JSON_ARRAY:
		copy = json_array();
		json_array_foreach(value, i, item) json_array_append_new(copy, weave_json(d, item, secret));
		return copy;
	case JSON_STRING:
	case JSON_INTEGER:
		break;
	case JSON_REAL:
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
		return json_incref(value);
	}
	const bool number = json_is_integer(value);
	char digits[32];
	snprintf(digits, sizeof(digits), "%lld", (long long)json_integer_value(value));
	const struct str text = number ? str_from(digits)
	                               : (struct str){ json_string_value(value), json_string_length(value) };
	if (number && !secret.len)
		return json_incref(value);
	buf_init(&out, DRAFT_BODY_BYTES * 2);
	if (!look_up(d, secret, text, &out)) {
		if (text.len && secret.len)
			add_secret(d, secret, text, &out);
		else
			draft_add_plain(&out, text);
	}
	return draft_take_string(&out);
}

json_t *draft_weave_json(struct draft *d, json_t *value)
{
	return weave_json(d, value, (struct str){ "", 0 });
}

/* --- secrets that are left --- */

static const char *secret_at(struct draft *d, struct str rest, size_t *ret_len)
{
	const char *name;
	json_t *value;
	json_object_foreach(d->secrets, name, value)
	{
		const size_t len = json_string_length(value);
		if (len >= SCRUB_BYTES_MIN && str_starts(rest, (struct str){ json_string_value(value), len })) {
			*ret_len = len;
			return name;
		}
	}
	return NULL;
}

/* The text with secrets as slots; existing slots are passed over. */
static json_t *scrub_text(struct draft *d, struct str text)
{
	struct buf out;
	size_t len;
	buf_init(&out, text.len * 16 + 64);
	for (size_t at = 0; at < text.len; at += len) {
		const struct str rest = str_from_at(text, at);
		const char *name = NULL;
		if (str_starts(rest, STR("$${")))
			len = 3;
		else if (str_starts(rest, STR("${")))
			len = str_find(rest, '}') + 1;
		else if (!(name = secret_at(d, rest, &len)))
			len = 1;
		/* "$" before a slot would turn it into text. */
		while (name && out.len && out.bytes[out.len - 1] == '$')
			out.bytes[--out.len] = '\0';
		if (name)
			buf_printf(&out, "${env.%s:-}", name);
		else
			buf_add(&out, str_first(rest, len));
	}
	return draft_take_string(&out);
}

static void scrub(struct draft *d, json_t *value);

/* A path keeps its first byte: it begins with "/", also where that is how a secret begins. */
static void scrub_path(struct draft *d, json_t *step, const char *key)
{
	json_t *value = json_object_get(step, key);
	if (!value)
		return;
	const struct str text = { json_string_value(value), json_string_length(value) };
	json_t *rest = scrub_text(d, str_from_at(text, 1));
	if (rest)
		json_object_set_new(step, key,
		                    json_sprintf("%.*s%s", STR_ARG(str_first(text, 1)), json_string_value(rest)));
	json_decref(rest);
}

static void scrub_member(struct draft *d, json_t *object, const char *key, json_t *value)
{
	if (!json_is_string(value)) {
		scrub(d, value);
		return;
	}
	json_t *clean = scrub_text(d, (struct str){ json_string_value(value), json_string_length(value) });
	if (clean && !json_equal(clean, value))
		json_object_set(object, key, clean);
	json_decref(clean);
}

/* Recursion is bounded by DRAFT_JSON_DEPTH. */
static void scrub(struct draft *d, json_t *value)
{
	void *safe;
	const char *key;
	json_t *item;
	size_t i;
	if (json_is_object(value)) {
		json_object_foreach_safe(value, safe, key, item) scrub_member(d, value, key, item);
	} else if (json_is_array(value)) {
		json_array_foreach(value, i, item)
		{
			if (!json_is_string(item)) {
				scrub(d, item);
				continue;
			}
			json_t *clean = scrub_text(d,
			                           (struct str){ json_string_value(item), json_string_length(item) });
			if (clean)
				json_array_set_new(value, i, clean);
		}
	}
}

void draft_scrub(struct draft *d)
{
	static const char *const paths[] = { "get", "post", "put", "patch", "delete", "head", "options" };
	static const char *const places[] = { "headers", "json", "form", "body" };
	const char *name;
	json_t *flow, *step;
	size_t i;
	if (json_object_size(d->secrets) == 0)
		return;
	scrub(d, d->notes);
	json_object_foreach(d->flows, name, flow)
	{
		json_array_foreach(json_object_get(flow, "steps"), i, step)
		{
			for (size_t p = 0; p < ARRAY_LEN(paths); p++)
				scrub_path(d, step, paths[p]);
			for (size_t p = 0; p < ARRAY_LEN(places); p++) {
				json_t *value = json_object_get(step, places[p]);
				if (value)
					scrub_member(d, step, places[p], value);
			}
		}
	}
}
