#include "record/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/must.h"

#define PATH_BYTES_MAX 200

static void write_path(const struct in *n, struct buf *out)
{
	if (n->parent)
		write_path(n->parent, out);
	if (n->key)
		buf_printf(out, "%s%s", out->len ? "." : "", n->key);
	else if (n->parent)
		buf_printf(out, "[%zu]", n->index);
}

void in_fail(const struct in *n, const char *what)
{
	struct buf path;
	if (n->reading->failed)
		return;
	n->reading->failed = true;
	buf_init(&path, PATH_BYTES_MAX);
	write_path(n, &path);
	err_set(n->reading->err, ERR_SYNTAX, "record: %s must be %s%s", path.len ? buf_cstr(&path) : "the whole", what,
	        n->value ? "" : ", but is missing");
	buf_finish(&path);
}

struct in in_root(struct reading *reading, const json_t *json, const char *schema, struct err *err)
{
	*reading = (struct reading){ .err = err };
	const struct in root = { .reading = reading, .value = json };
	if (!json_is_object(json))
		in_fail(&root, "an object");
	else if (schema) {
		const json_t *found = json_object_get(json, "schema");
		const struct in n = { .reading = reading, .value = found, .parent = &root, .key = "schema" };
		char what[64];
		snprintf(what, sizeof(what), "\"%s\"", schema);
		if (!json_is_string(found) || strcmp(json_string_value(found), schema) != 0)
			in_fail(&n, what);
	}
	return root;
}

static struct in member(const struct in *o, const char *key)
{
	return (struct in){
		.reading = o->reading,
		.value = o->reading->failed ? NULL : json_object_get(o->value, key),
		.parent = o,
		.key = key,
	};
}

bool in_has(const struct in *o, const char *key)
{
	const struct in n = member(o, key);
	return n.value && !json_is_null(n.value);
}

struct in in_object(const struct in *o, const char *key)
{
	const struct in n = member(o, key);
	if (!json_is_object(n.value))
		in_fail(&n, "an object");
	return n;
}

struct in in_array(const struct in *o, const char *key, size_t most)
{
	const struct in n = member(o, key);
	char what[64];
	snprintf(what, sizeof(what), "an array of at most %zu items", most);
	if (!json_is_array(n.value) || json_array_size(n.value) > most)
		in_fail(&n, what);
	return n;
}

size_t in_count(const struct in *array)
{
	return array->reading->failed ? 0 : json_array_size(array->value);
}

struct in in_element(const struct in *array, size_t index)
{
	return (struct in){
		.reading = array->reading,
		.value = array->reading->failed ? NULL : json_array_get(array->value, index),
		.parent = array,
		.index = index,
	};
}

struct in in_item(const struct in *array, size_t index)
{
	const struct in n = in_element(array, index);
	if (!json_is_object(n.value))
		in_fail(&n, "an object");
	return n;
}

int64_t in_i64(const struct in *o, const char *key)
{
	const struct in n = member(o, key);
	if (!json_is_integer(n.value))
		in_fail(&n, "a whole number");
	return n.reading->failed ? 0 : json_integer_value(n.value);
}

uint64_t in_u64(const struct in *o, const char *key)
{
	const struct in n = member(o, key);
	if (!json_is_integer(n.value) || json_integer_value(n.value) < 0)
		in_fail(&n, "a whole number that is not negative");
	return n.reading->failed ? 0 : (uint64_t)json_integer_value(n.value);
}

uint32_t in_u32(const struct in *o, const char *key)
{
	const struct in n = member(o, key);
	const uint64_t value = in_u64(o, key);
	if (value > UINT32_MAX)
		in_fail(&n, "below 4294967296");
	return n.reading->failed ? 0 : (uint32_t)value;
}

static double number(const struct in *n, const char *what, double least, double most)
{
	const double value = json_number_value(n->value);
	if (!json_is_number(n->value) || !(value >= least && value <= most))
		in_fail(n, what);
	return n->reading->failed ? 0 : value;
}

double in_number(const struct in *o, const char *key)
{
	const struct in n = member(o, key);
	return json_is_null(n.value) ? (double)NAN : number(&n, "a number", -HUGE_VAL, HUGE_VAL);
}

dur_ns in_us(const struct in *o, const char *key)
{
	const struct in n = member(o, key);
	return llround(number(&n, "a time in microseconds", -9e15, 9e15) * 1e3);
}

dur_ns in_seconds(const struct in *o, const char *key)
{
	const struct in n = member(o, key);
	return llround(number(&n, "a time in seconds", -9e9, 9e9) * 1e9);
}

/* Exactly the form of wall_format; the time of a record never comes from elsewhere. */
static bool wall_parse(const char *text, struct wall *ret)
{
	struct tm tm = { 0 };
	int ms, end = 0;
	if (strlen(text) > 28 ||
	    sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
	           &tm.tm_min, &tm.tm_sec, &ms, &end) != 7 ||
	    text[end] != '\0')
		return false;
	if (tm.tm_year < 1970 || tm.tm_year > 2200 || ms < 0 || end != 24)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	ret->ns = (int64_t)timegm(&tm) * SECOND + ms * MILLISECOND;
	/* Whatever timegm had to bend (month 13, a sign, a blank) does not come back as the same text. */
	char again[WALL_TEXT_BYTES];
	wall_format(*ret, again);
	return strcmp(again, text) == 0;
}

struct wall in_wall(const struct in *o, const char *key)
{
	const struct in n = member(o, key);
	struct wall t = { 0 };
	if (json_is_null(n.value))
		return t;
	if (!json_is_string(n.value) || !wall_parse(json_string_value(n.value), &t))
		in_fail(&n, "a time like \"2026-01-01T00:00:00.000Z\"");
	return n.reading->failed ? (struct wall){ 0 } : t;
}

bool in_bool(const struct in *o, const char *key)
{
	const struct in n = member(o, key);
	if (!json_is_boolean(n.value))
		in_fail(&n, "true or false");
	return !n.reading->failed && json_is_true(n.value);
}

/* A NUL inside would cut the text short; it never got there by our own hand. */
static char *text_of(const struct in *n)
{
	if (!json_is_string(n->value) || json_string_length(n->value) > RECORD_TEXT_BYTES_MAX ||
	    strlen(json_string_value(n->value)) != json_string_length(n->value))
		in_fail(n, "a text");
	return n->reading->failed ? NULL : xstrdup(json_string_value(n->value));
}

char *in_text(const struct in *o, const char *key)
{
	const struct in n = member(o, key);
	return text_of(&n);
}

char *in_text_optional(const struct in *o, const char *key)
{
	return in_has(o, key) ? in_text(o, key) : NULL;
}

char *in_element_text(const struct in *array, size_t index)
{
	const struct in n = in_element(array, index);
	return text_of(&n);
}

void in_id(const struct in *o, const char *key, char ret_id[ID_TEXT_BYTES])
{
	const struct in n = member(o, key);
	ret_id[0] = '\0';
	if (!json_is_string(n.value) || json_string_length(n.value) >= ID_TEXT_BYTES)
		in_fail(&n, "an id of at most 26 characters");
	else
		snprintf(ret_id, ID_TEXT_BYTES, "%s", json_string_value(n.value));
}

json_t *in_any_optional(const struct in *o, const char *key)
{
	return in_has(o, key) ? json_deep_copy(member(o, key).value) : NULL;
}

int in_word(const struct in *o, const char *key, const char *const *words, int count)
{
	const struct in n = member(o, key);
	const char *word = json_string_value(n.value);
	for (int i = 0; word && i < count; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	struct buf what;
	buf_init(&what, PATH_BYTES_MAX);
	buf_add(&what, STR("one of"));
	for (int i = 0; i < count; i++)
		buf_printf(&what, "%s %s", i ? "," : "", words[i]);
	in_fail(&n, buf_cstr(&what));
	buf_finish(&what);
	return 0;
}

json_t *json_text(const char *text)
{
	if (!text)
		return json_null();
	json_t *value = json_string(text);
	if (value)
		return value;
	char *ascii = xstrdup(text);
	for (char *p = ascii; *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	value = json_string(ascii);
	free(ascii);
	return value;
}

/* jansson refuses only when memory is exhausted, for keys and values made here. */
static void set(json_t *o, const char *key, json_t *value)
{
	must(json_object_set_new(o, key, value) == 0);
}

void out_text(json_t *o, const char *key, const char *text)
{
	set(o, key, json_text(text));
}

void out_u64(json_t *o, const char *key, uint64_t value)
{
	set(o, key, json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value));
}

void out_i64(json_t *o, const char *key, int64_t value)
{
	set(o, key, json_integer(value));
}

void out_number(json_t *o, const char *key, double value)
{
	set(o, key, isfinite(value) ? json_real(value) : json_null());
}

void out_us(json_t *o, const char *key, dur_ns d)
{
	set(o, key, d % MICROSECOND ? json_real((double)d / 1e3) : json_integer(d / MICROSECOND));
}

void out_seconds(json_t *o, const char *key, dur_ns d)
{
	set(o, key, json_real((double)d / 1e9));
}

void out_wall(json_t *o, const char *key, struct wall t)
{
	char text[WALL_TEXT_BYTES];
	wall_format(t, text);
	set(o, key, t.ns ? json_string(text) : json_null());
}

void out_bool(json_t *o, const char *key, bool value)
{
	set(o, key, json_boolean(value));
}

void out_any(json_t *o, const char *key, const json_t *value)
{
	set(o, key, value ? json_deep_copy(value) : json_null());
}

json_t *out_object(json_t *o, const char *key)
{
	json_t *made = json_object();
	set(o, key, made);
	return made;
}

json_t *out_array(json_t *o, const char *key)
{
	json_t *made = json_array();
	set(o, key, made);
	return made;
}

json_t *out_item(json_t *array)
{
	json_t *made = json_object();
	must(json_array_append_new(array, made) == 0);
	return made;
}
