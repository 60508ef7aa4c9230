#include "scenarios/import/draft.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "scenarios/target.h"
#include "scenarios/number.h"

void draft_init(struct draft *d, const struct import_options *o)
{
	*d = (struct draft){
		.options = o,
		.notes = json_array(),
		.flows = json_object(),
		.secrets = json_object(),
	};
}

void draft_finish(struct draft *d)
{
	json_decref(d->notes);
	json_decref(d->flows);
	json_decref(d->secrets);
	*d = (struct draft){ 0 };
}

void draft_note(struct draft *d, const char *format, ...)
{
	va_list args;
	size_t i;
	json_t *old;
	va_start(args, format);
	char *text = xvasprintf(format, args);
	va_end(args);
	/* A text that was cut in the middle of a character is no JSON string. */
	json_t *note = json_string(text);
	free(text);
	json_array_foreach(d->notes, i, old)
	{
		if (note && json_equal(old, note)) {
			json_decref(note);
			return;
		}
	}
	if (!note || json_array_size(d->notes) >= DRAFT_NOTES_MAX)
		d->notes_dropped++;
	else
		json_array_append(d->notes, note);
	json_decref(note);
}

json_t *draft_flow(struct draft *d, const char *name)
{
	json_t *flow = json_object_get(d->flows, name);
	if (!flow) {
		if (json_object_size(d->flows) == DRAFT_FLOWS_MAX) {
			draft_note(d, "Left out: what would be more than %d flows.", DRAFT_FLOWS_MAX);
			return NULL;
		}
		flow = json_pack("{s:[]}", "steps");
		must(flow);
		json_object_set_new(d->flows, name, flow);
	}
	return json_object_get(flow, "steps");
}

void draft_pause(json_t *steps, const char *pause)
{
	json_array_append_new(steps, json_pack("{s:s}", "pause", pause));
}

/* --- secrets --- */

/* "accessToken" and "Access-Token" are ACCESS_TOKEN; what would not be known as a secret begins with SECRET_. */
static void name_variable(struct str name, bool split, struct buf *out)
{
	for (size_t i = 0; i < name.len && out->len < 48; i++) {
		const char c = name.p[i];
		const bool low = c >= 'a' && c <= 'z', high = c >= 'A' && c <= 'Z', digit = c >= '0' && c <= '9';
		const bool hump = split && high && i > 0 && name.p[i - 1] >= 'a' && name.p[i - 1] <= 'z';
		if (hump)
			buf_add_char(out, '_');
		if (low || high || digit)
			buf_add_char(out, low ? (char)(c - 'a' + 'A') : c);
		else if (out->len && out->bytes[out->len - 1] != '_')
			buf_add_char(out, '_');
	}
	while (out->len && out->bytes[out->len - 1] == '_')
		out->bytes[--out->len] = '\0';
}

const char *draft_secret(struct draft *d, struct str name, struct str value)
{
	struct buf base;
	buf_init(&base, 128);
	name_variable(name, true, &base);
	if (!secret_name(buf_str(&base))) {
		buf_clear(&base);
		name_variable(name, false, &base);
	}
	char *variable = xasprintf("%s%s", secret_name(buf_str(&base)) ? "" : "SECRET_", buf_cstr(&base));
	char *stem = xstrdup(variable);
	buf_finish(&base);
	json_t *string = json_stringn(value.p ? value.p : "", value.len), *old;
	/* Two values of one name are two variables, as long as there are not too many. */
	for (unsigned n = 2; (old = json_object_get(d->secrets, variable)); n++) {
		if (!string || json_equal(old, string) || json_object_size(d->secrets) >= DRAFT_SECRETS_MAX)
			break;
		free(variable);
		variable = xasprintf("%s_%u", stem, n);
	}
	if (!old)
		json_object_set_new(d->secrets, variable, string ? json_incref(string) : json_string(""));
	json_decref(string);
	const char *kept = json_object_iter_key(json_object_iter_at(d->secrets, variable));
	free(variable);
	free(stem);
	return kept;
}

/* --- one request --- */

/* Whether the language gives this JSON back as it was: no comments in it, no number that is written otherwise. */
static bool survives(json_t *value, unsigned depth)
{
	const char *key;
	json_t *item;
	size_t i;
	if (depth > DRAFT_JSON_DEPTH)
		return false;
	if (json_is_object(value)) {
		json_object_foreach(value, key,
		                    item) if (strcmp(key, "//") == 0 || !survives(item, depth + 1)) return false;
	} else if (json_is_array(value)) {
		json_array_foreach(value, i, item) if (!survives(item, depth + 1)) return false;
	} else if (json_is_real(value)) {
		char text[64];
		snprintf(text, sizeof(text), "%.15g", json_real_value(value));
		return strtod(text, NULL) == json_real_value(value);
	}
	return true;
}

static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] <= 0x20 || (unsigned char)s.p[i] >= 0x7f ||
		    strchr("\"(),/:;<=>?@[\\]{}", s.p[i]))
			return false;
	return s.len > 0 && s.len <= 128;
}

static bool has_header(json_t *headers, const char *name)
{
	const char *key;
	json_t *value;
	json_object_foreach(headers, key, value) if (str_eq_nocase(str_from(key), str_from(name))) return true;
	return false;
}

static bool is_weirs_own(struct str name)
{
	static const char *const own[] = { "Host", "Content-Length", "Transfer-Encoding", "Connection" };
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (str_eq_nocase(name, str_from(own[i])))
			return true;
	return false;
}

static json_t *make_header(struct draft *d, enum draft_form form, struct str name, json_t *value)
{
	const struct str text = { json_string_value(value), json_string_length(value) };
	if (form == DRAFT_PLAIN)
		return draft_weave_header(d, name, text);
	return text.len && strpbrk(text.p, "\r\n") ? NULL : json_incref(value);
}

static json_t *make_headers(struct draft *d, const struct draft_request *r)
{
	json_t *headers = json_object(), *value;
	const char *key;
	json_object_foreach(r->headers, key, value)
	{
		const struct str name = str_from(key);
		const struct str text = { json_string_value(value), json_string_length(value) };
		if (is_weirs_own(name) || has_header(headers, key))
			continue;
		json_t *woven = NULL;
		if (is_token(name) && text.len <= DRAFT_HEADER_BYTES && json_object_size(headers) < DRAFT_HEADERS_MAX)
			woven = make_header(d, r->form, name, value);
		if (woven)
			json_object_set_new(headers, key, woven);
		else
			draft_note(d,
			           "Left out: the header \"%.60s\" of a step: it is too long, one too many, or holds "
			           "what no header can.",
			           key);
	}
	return headers;
}

static bool is_json_type(struct str type)
{
	return str_eq_nocase(type, STR("application/json")) ||
	       (type.len > 5 && str_eq_nocase(str_from_at(type, type.len - 5), STR("+json")));
}

static bool set_text(json_t *step, struct buf *text)
{
	json_t *string = draft_take_string(text);
	return string && json_object_set_new(step, "body", string) == 0;
}

/* As jansson would, but for numbers. Recursion is bounded by jansson's reader. */
static void add_dumped(struct buf *b, json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;
	if (json_is_object(value)) {
		const char *mark = "{";
		json_object_foreach(value, key, item)
		{
			buf_add(b, str_from(mark));
			buf_add_char(b, '"');
			buf_add_json_escaped(b, str_from(key));
			buf_add(b, STR("\":"));
			add_dumped(b, item);
			mark = ",";
		}
		buf_add(b, json_object_size(value) ? STR("}") : STR("{}"));
	} else if (json_is_array(value)) {
		buf_add_char(b, '[');
		json_array_foreach(value, i, item)
		{
			if (i)
				buf_add_char(b, ',');
			add_dumped(b, item);
		}
		buf_add_char(b, ']');
	} else {
		char *text = number_text(value);
		buf_add(b, str_from(text));
		free(text);
	}
}

/* As "json" where the language gives it back as it was, else as its text. */
static bool add_json(struct draft *d, json_t *step, json_t *json, bool template)
{
	json_t *woven = template ? json_incref(json) : draft_weave_json(d, json);
	if (survives(json, 0))
		return json_object_set_new(step, "json", woven) == 0;
	struct buf text;
	buf_init(&text, DRAFT_BODY_BYTES * 2);
	add_dumped(&text, woven);
	json_decref(woven);
	return set_text(step, &text);
}

/* What is called a form is one: curl says so of any data. */
static bool is_form(struct str body)
{
	struct str pair;
	while (str_cut(&body, '&', &pair)) {
		const struct str name = str_first(pair, str_find(pair, '='));
		for (size_t i = 0; i < name.len; i++)
			if ((unsigned char)name.p[i] <= 0x20 || strchr("{}\"<>:", name.p[i]))
				return false;
	}
	return true;
}

/* JSON that says so, or that says it is a form. */
static json_t *read_json(const struct draft_request *r, bool form)
{
	const struct str body = str_trim(r->body);
	const bool looks = body.len && (body.p[0] == '{' || body.p[0] == '[');
	if (r->json)
		return json_incref(r->json);
	if (!is_json_type(r->type) && !(form && looks))
		return NULL;
	return json_loadb(r->body.p, r->body.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
}

/* Adds "json", "form" or "body" to <step>; why not, or NULL. */
static const char *add_body(struct draft *d, json_t *step, const struct draft_request *r)
{
	struct buf text;
	const bool template = r->form == DRAFT_TEMPLATE;
	const bool form = !template && str_eq_nocase(r->type, STR("application/x-www-form-urlencoded"));
	json_t *json = read_json(r, form);
	if (json) {
		const bool added = add_json(d, step, json, template);
		json_decref(json);
		return added ? NULL : "its body is too large";
	}
	if (r->fields)
		return json_object_set(step, "form", r->fields) == 0 ? NULL : "its body is no text";
	if (form && is_form(r->body)) {
		/* As fields slots are escaped when they are rendered; in a text they would not be. */
		json_t *fields = draft_weave_fields(d, r->body);
		if (fields)
			return json_object_set_new(step, "form", fields) == 0 ? NULL : "its body is no text";
		json_t *woven = draft_weave_form(d, r->body);
		return woven && json_object_set_new(step, "body", woven) == 0 ? NULL : "its body is no text";
	}
	/* In a format that is not understood, a name that gives a secret away is all that can be seen. */
	if (!template && secret_name(r->body))
		return "its body is in a format that is not looked into, and may hold a secret";
	buf_init(&text, DRAFT_BODY_BYTES * 2);
	if (template)
		buf_add(&text, r->body);
	else
		draft_add_plain(&text, r->body);
	return set_text(step, &text) ? NULL : "its body is no text";
}

/* "application/json" is what "json" sends by itself. */
static void trim_type(json_t *headers, json_t *step)
{
	void *safe;
	const char *key;
	json_t *value;
	json_object_foreach_safe(headers, safe, key, value) if (str_eq_nocase(str_from(key), STR("Content-Type")) &&
	                                                        json_object_get(step, "json") &&
	                                                        strcmp(json_string_value(value), "application/json") ==
	                                                                0) json_object_del(headers, key);
}

json_t *draft_leave_out(struct draft *d, const char *key, struct str path, const char *why)
{
	char *method = xstrdup(key);
	for (char *c = method; *c; c++)
		*c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
	/* Only a part of the path, and never the query: it may hold a secret. */
	const struct str shown = str_first(str_first(path, str_find(path, '?')), 80);
	draft_note(d, "Left out: %s %.*s: %s.", method, STR_ARG(shown), why);
	free(method);
	return NULL;
}

json_t *draft_add(struct draft *d, json_t *steps, const struct draft_request *r)
{
	if (d->step_count == DRAFT_STEPS_MAX)
		return draft_leave_out(d, r->key, r->path, "a scenario has no more steps");
	if (r->has_body && r->body.len > DRAFT_BODY_BYTES)
		return draft_leave_out(d, r->key, r->path, "its body is larger than 256 KiB");
	json_t *path = r->path.len > DRAFT_PATH_BYTES ? NULL
	               : r->form == DRAFT_TEMPLATE    ? json_stringn(r->path.p, r->path.len)
	                                              : draft_weave_path(d, r->path);
	if (!path)
		return draft_leave_out(d, r->key, r->path, "its path is too long, or no text");
	json_t *step = json_object();
	if (r->remark)
		json_object_set_new(step, "//", json_string(r->remark));
	/* A place at the front; draft_write fills it where the language's own name would not do. */
	json_object_set_new(step, "name", json_string(r->name ? r->name : ""));
	json_object_set_new(step, r->key, path);
	json_t *headers = make_headers(d, r);
	json_object_set(step, "headers", headers);
	const char *why = r->has_body ? add_body(d, step, r) : NULL;
	trim_type(headers, step);
	if (json_object_size(headers) == 0)
		json_object_del(step, "headers");
	json_decref(headers);
	if (why) {
		json_decref(step);
		return draft_leave_out(d, r->key, r->path, why);
	}
	if (r->timeout_ms > 0)
		json_object_set_new(step, "timeout", json_sprintf("%lldms", (long long)r->timeout_ms));
	if (r->redirects > 0)
		json_object_set_new(step, "redirects", json_integer(r->redirects));
	if (r->status)
		json_object_set_new(step, "check", json_pack("[{s:O}]", "status", r->status));
	json_array_append_new(steps, step);
	d->step_count++;
	return step;
}
