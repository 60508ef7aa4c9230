#include "observe/answers.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

/* How much of a message from outside is told. */
#define TOLD_BYTES 200

bool json_pointer_is_sound(const char *pointer)
{
	if (pointer[0] && pointer[0] != '/')
		return false;
	for (const char *c = pointer; *c; c++)
		if (*c == '~' && c[1] != '0' && c[1] != '1')
			return false;
	return true;
}

static const json_t *step_into(const json_t *at, struct str token)
{
	uint64_t index;
	const json_t *next = NULL;
	char *key = xmalloc(token.len + 1);
	size_t len = 0;
	for (size_t i = 0; i < token.len; i++)
		key[len++] = token.p[i] != '~' ? token.p[i] : (token.p[++i] == '0' ? '~' : '/');
	key[len] = '\0';
	if (json_is_object(at))
		next = json_object_get(at, key);
	else if (json_is_array(at) && (len == 1 || key[0] != '0') && str_to_u64(str_from(key), &index))
		next = json_array_get(at, index);
	free(key);
	return next;
}

static const json_t *find(const json_t *root, const char *pointer)
{
	const json_t *at = root;
	while (at && *pointer == '/') {
		const char *end = strchr(++pointer, '/');
		const size_t len = end ? (size_t)(end - pointer) : strlen(pointer);
		at = step_into(at, (struct str){ pointer, len });
		pointer += len;
	}
	return at;
}

/* A text from outside, cut and without control characters. */
static const char *told_text(const char *from, char ret[TOLD_BYTES])
{
	size_t len = 0;
	for (; from && *from && len < TOLD_BYTES - 1; from++)
		ret[len++] = (unsigned char)*from < ' ' || *from == 0x7f ? ' ' : *from;
	ret[len] = '\0';
	return len ? ret : "no reason given";
}

static json_t *load(struct str body, struct err *err)
{
	/* A bare value is JSON, too. Figures are doubles anyway, so a counter of 64 bits is no reason to refuse the rest. */
	static const size_t flags = JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL;
	json_error_t error = { .text = "it is empty" };
	char text[TOLD_BYTES];
	/* Depth is bounded by jansson (2048), size by ANSWER_BYTES_MAX. */
	json_t *json = body.len ? json_loadb(body.p, body.len, flags, &error) : NULL;
	if (!json)
		err_set(err, ERR_SYNTAX, "the answer is not JSON: %s", told_text(error.text, text));
	return json;
}

int answer_json_values(struct str body, const char *const *pointers, size_t count, double *ret_values, struct err *err)
{
	int result = 0;
	json_t *json = load(body, err);
	for (size_t i = 0; i < count; i++) {
		const json_t *value = json ? find(json, pointers[i]) : NULL;
		ret_values[i] = json_is_number(value) ? json_number_value(value) : NAN;
		if (json_is_number(value) || result < 0)
			continue;
		result = -1;
		if (json)
			err_set(err, ERR_NOT_FOUND,
			        value ? "what is at '%s' is not a number" : "there is nothing at '%s'", pointers[i]);
	}
	json_decref(json);
	return json ? result : -1;
}

static const char *told(const json_t *text, char ret[TOLD_BYTES])
{
	return told_text(json_string_value(text), ret);
}

/* [stamp, "value"] */
static int take_point(const json_t *point, double now_s, double oldest_s, double *ret_value, struct err *err)
{
	const json_t *stamp = json_array_get(point, 0), *value = json_array_get(point, 1);
	double number;
	if (!json_is_number(stamp) || !json_is_string(value))
		return err_set(err, ERR_SYNTAX, "the answer is not Prometheus's: a point is not [time, \"value\"]");
	const double age = now_s - json_number_value(stamp);
	if (age > oldest_s)
		return err_set(err, ERR_STALE, "the newest value is %.0f s old", age);
	/* Refuses NaN, +Inf, -Inf as well. */
	if (!str_to_double((struct str){ json_string_value(value), json_string_length(value) }, &number))
		return err_set(err, ERR_NOT_FOUND, "the value is not a finite number (%.20s)",
		               json_string_value(value));
	*ret_value = number;
	return 0;
}

static int take_vector(const json_t *result, double now_s, double oldest_s, double *ret_value, struct err *err)
{
	const json_t *element = json_array_get(result, 0);
	if (json_array_size(result) == 0)
		return err_set(err, ERR_NOT_FOUND, "the query finds nothing");
	if (json_array_size(result) > 1)
		return err_set(err, ERR_USAGE,
		               "the query gives %zu series, not one: put sum(...) or max(...) around it",
		               json_array_size(result));
	if (json_object_get(element, "histogram"))
		return err_set(err, ERR_USAGE, "the query gives a native histogram, not a number");
	return take_point(json_object_get(element, "value"), now_s, oldest_s, ret_value, err);
}

static int take_answer(const json_t *json, double now_s, double oldest_s, double *ret_value, struct err *err)
{
	char text[TOLD_BYTES];
	const json_t *status = json_object_get(json, "status"), *all = json_object_get(json, "data");
	const json_t *type = json_object_get(all, "resultType"), *result = json_object_get(all, "result");
	const json_t *warnings = json_object_get(json, "warnings");
	if (!json_is_string(status))
		return err_set(err, ERR_SYNTAX, "the answer is not Prometheus's: it has no status");
	if (!str_is(str_from(json_string_value(status)), "success"))
		return err_set(err, ERR_USAGE, "Prometheus refuses the query: %s",
		               told(json_object_get(json, "error"), text));
	if (json_array_size(warnings))
		return err_set(err, ERR_STALE, "Prometheus warns: %s", told(json_array_get(warnings, 0), text));
	if (!json_is_string(type) || !json_is_array(result))
		return err_set(err, ERR_SYNTAX, "the answer is not Prometheus's: it has no result");
	if (str_is(str_from(json_string_value(type)), "vector"))
		return take_vector(result, now_s, oldest_s, ret_value, err);
	if (str_is(str_from(json_string_value(type)), "scalar"))
		return take_point(result, now_s, oldest_s, ret_value, err);
	return err_set(err, ERR_USAGE, "the query gives a %s, not one number", told(type, text));
}

int answer_prometheus(struct str body, double now_s, double oldest_s, double *ret_value, struct err *err)
{
	*ret_value = NAN;
	json_t *json = load(body, err);
	if (!json)
		return -1;
	const int result = take_answer(json, now_s, oldest_s, ret_value, err);
	json_decref(json);
	return result;
}
