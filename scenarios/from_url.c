/* from_url.c: flags of a command line as a scenario's JSON text. */
#include <stdlib.h>

#include "base/must.h"
#include "scenarios/program.h"
#include "scenarios/target.h"

/* What the user gave is text: "${" in it is no slot. NULL when it is not UTF-8 or holds a NUL. */
static json_t *plain(struct str s)
{
	struct buf text;
	buf_init(&text, DOC_BYTES_MAX * 2);
	for (size_t i = 0; i < s.len; i++) {
		if (str_starts(str_from_at(s, i), STR("${")))
			buf_add_char(&text, '$');
		buf_add_char(&text, s.p[i]);
	}
	/* jansson's reader, which comes next, takes no NUL. */
	json_t *value = buf_overflowed(&text) || (s.len && memchr(s.p, '\0', s.len))
	                        ? NULL
	                        : json_stringn(buf_cstr(&text), text.len);
	buf_finish(&text);
	return value;
}

static json_t *duration(dur_ns d)
{
	return json_sprintf("%lldns", (long long)d);
}

static const char *method_key(const char *method)
{
	static const char *const keys[] = { "get", "post", "put", "patch", "delete", "head", "options" };
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (str_eq_nocase(str_from(method), str_from(keys[i])))
			return keys[i];
	return NULL;
}

static json_t *make_headers(const struct program_url *u, struct err *err)
{
	json_t *headers = json_object();
	for (size_t i = 0; i < u->header_count; i++) {
		const struct str line = str_from(u->headers[i]);
		const size_t colon = str_find(line, ':');
		const struct str name = str_trim(str_first(line, colon));
		char *key = xstrndup(name.p, name.len);
		json_t *value = plain(str_trim(str_from_at(line, colon + 1)));
		const bool named = colon < line.len && name.len > 0;
		const bool good = named && value && json_object_set(headers, key, value) == 0;
		/* The value may be a secret, so it is not repeated. */
		if (!good)
			err_set(err, ERR_USAGE, named ? "header %zu is not UTF-8" : "header %zu is not 'Name: value'",
			        i + 1);
		json_decref(value);
		free(key);
		if (!good) {
			json_decref(headers);
			return NULL;
		}
	}
	return headers;
}

static json_t *make_step(const struct program_url *u, struct str path, struct err *err)
{
	const bool has_body = u->body != NULL;
	const char *method = u->method ? u->method : has_body ? "POST" : "GET";
	const char *key = method_key(method);
	if (!key) {
		err_set(err, ERR_USAGE,
		        "the method \"%.20s\" is not one of GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS", method);
		return NULL;
	}
	json_t *headers = make_headers(u, err);
	if (!headers)
		return NULL;
	json_t *step = json_object(), *where = plain(path);
	json_t *body = has_body ? plain((struct str){ u->body, u->body_bytes }) : NULL;
	json_object_set_new(step, "headers", headers);
	if (!where || (has_body && !body)) {
		err_set(err, ERR_USAGE, "the %s is not UTF-8 text, or too long", where ? "body" : "URL");
		json_decref(where);
		json_decref(body);
		json_decref(step);
		return NULL;
	}
	json_object_set_new(step, key, where);
	if (body)
		json_object_set_new(step, "body", body);
	if (u->timeout > 0)
		json_object_set_new(step, "timeout", duration(u->timeout));
	return step;
}

static json_t *make_executor(const struct program_url *u)
{
	json_t *x = json_object();
	const bool open = u->rate > 0;
	json_object_set_new(x, "executor", json_string(open ? "constant-rate" : "constant-users"));
	if (open)
		json_object_set_new(x, "rate", json_real(u->rate));
	if (!open || u->users > 0)
		json_object_set_new(x, "users", json_integer(u->users > 0 ? u->users : 1));
	json_object_set_new(x, "for", duration(u->duration > 0 ? u->duration : 10 * SECOND));
	return x;
}

int program_from_url(const struct program_url *u, struct buf *out, struct err *err)
{
	struct arena arena;
	struct target target;
	size_t at;
	const char *why;
	const struct str url = str_first(str_from(u->url), str_find(str_from(u->url), '#'));
	const size_t path_at = target_path_at(url);
	const struct str rest = str_from_at(url, path_at);
	arena_init(&arena);
	const bool good = target_parse(str_first(url, path_at), &arena, &target, &at, &why);
	if (!good) {
		arena_finish(&arena);
		return err_set(err, ERR_USAGE, "the URL cannot be used: %s", why);
	}
	json_t *origin = json_stringn(target.origin.p, target.origin.len);
	char *path = xasprintf("%s%.*s", rest.len && rest.p[0] == '/' ? "" : "/", STR_ARG(rest));
	json_t *step = make_step(u, str_from(path), err);
	free(path);
	arena_finish(&arena);
	if (!step) {
		json_decref(origin);
		return -1;
	}
	json_t *thresholds = json_array();
	for (size_t i = 0; i < u->threshold_count; i++)
		json_array_append_new(thresholds, json_string(u->thresholds[i]));
	json_object_set_new(step, "name", json_string("request"));
	json_t *root = json_pack("{s:s, s:s, s:o, s:{s:{s:[o]}}, s:[o], s:o, s:o}", "$schema", PROGRAM_SCHEMA, "name",
	                         "url", "target", origin, "flows", "url", "steps", step, "load", make_executor(u),
	                         "warmup", duration(u->warmup), "thresholds", thresholds);
	must(root);
	char *text = json_dumps(root, JSON_INDENT(2));
	must(text);
	json_decref(root);
	const bool fits = buf_add(out, str_from(text));
	free(text);
	return fits ? 0 : err_set(err, ERR_LIMIT, "the request is too large");
}
