/* openapi.c: an OpenAPI 3 document as a scenario: one flow per tag, one step per operation, in the document's order. */
#include "scenarios/import/openapi.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "scenarios/target.h"
#include "scenarios/number.h"

#define OWN_TARGET "http://127.0.0.1:8080"

static const char to_json[] =
	"python3 -c 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout, default=str)' < api.yaml > "
	"api.json";

struct walk {
	struct openapi api;
	size_t deletes, deprecated;
};

/* --- bodies --- */

static bool is_json(const char *type)
{
	const struct str s = str_trim(str_first(str_from(type), str_find(str_from(type), ';')));
	return str_eq_nocase(s, STR("application/json")) || str_is(s, "*/*") ||
	       (s.len > 5 && str_eq_nocase(str_from_at(s, s.len - 5), STR("+json")));
}

/* The media type that can be sent: JSON, else a form, else text. NULL: none. */
static json_t *choose_media(json_t *content, const char **ret_type)
{
	static const char *const others[] = { "application/x-www-form-urlencoded", "text/plain" };
	const char *type;
	json_t *media;
	json_object_foreach(content, type, media)
	{
		if (is_json(type)) {
			*ret_type = strcmp(type, "*/*") == 0 ? "application/json" : type;
			return media;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		*ret_type = others[i];
		if ((media = json_object_get(content, others[i])))
			return media;
	}
	return NULL;
}

/* The scalars of an object as the fields of a form. */
static json_t *form_fields(json_t *object)
{
	json_t *fields = json_object(), *value;
	const char *key;
	json_object_foreach(object, key, value)
	{
		if (strcmp(key, "//") == 0)
			continue;
		if (json_is_real(value)) {
			char *text = number_text(value);
			json_object_set_new(fields, key, json_string(text));
			free(text);
		} else if (json_is_string(value) || json_is_integer(value)) {
			json_object_set(fields, key, value);
		} else if (json_is_boolean(value)) {
			json_object_set_new(fields, key, json_string(json_is_true(value) ? "true" : "false"));
		}
	}
	return fields;
}

/* Fills the body of <r>. <text>, <r->json> and <r->fields> are the caller's to give back. */
static void add_body(struct walk *w, json_t *operation, struct openapi_request *o, struct draft_request *r,
                     struct buf *text)
{
	const char *type = NULL;
	json_t *body = openapi_resolve(&w->api, json_object_get(operation, "requestBody"));
	if (!body)
		return;
	json_t *media = choose_media(json_object_get(body, "content"), &type);
	if (!media) {
		if (json_is_true(json_object_get(body, "required")))
			o->cannot = "it needs a body that is neither JSON nor a form nor text";
		return;
	}
	json_t *value = openapi_example(&w->api, media, NULL);
	if (!value)
		return;
	r->has_body = true;
	r->type = str_from(type);
	json_object_set_new(o->headers, "Content-Type", openapi_plain(type));
	if (is_json(type)) {
		r->json = value;
		return;
	}
	if (json_is_object(value))
		r->fields = form_fields(value);
	else if (json_is_string(value))
		buf_add(text, str_from(json_string_value(value)));
	if (r->fields && json_dumpb(r->fields, NULL, 0, 0) > DRAFT_BODY_BYTES)
		o->cannot = "it is too long";
	r->body = buf_str(text);
	json_decref(value);
}

/* --- the step --- */

/* The lowest 2xx, else the lowest 3xx that is promised; NULL: nothing is. Given. */
static json_t *expected_status(json_t *responses)
{
	const char *key;
	json_t *response;
	int lowest = 0;
	bool any2 = false;
	json_object_foreach(responses, key, response)
	{
		const int status = strlen(key) == 3 ? atoi(key) : 0;
		if (status >= 200 && status < 400 && (!lowest || status < lowest))
			lowest = status;
		any2 = any2 || strcmp(key, "2XX") == 0 || strcmp(key, "2xx") == 0;
	}
	if (lowest >= 200 && lowest < 300)
		return json_integer(lowest);
	return any2 ? json_string("2xx") : lowest ? json_integer(lowest) : NULL;
}

/* "/groups/{id}" with the values of its parameters, and the query behind it. */
static void write_path(struct openapi_request *o, struct str path, struct buf *out)
{
	for (size_t at = 0; at < path.len; at++) {
		const unsigned char c = (unsigned char)path.p[at];
		const struct str rest = str_from_at(path, at);
		const size_t end = str_find(rest, '}');
		if (c == '{' && end < rest.len) {
			char *name = xstrndup(rest.p + 1, end - 1);
			json_t *value = json_object_get(o->path_values, name);
			/* A parameter that the document forgot to describe. */
			openapi_add_encoded(out, str_from(value ? json_string_value(value) : "${random.string(8)}"));
			free(name);
			at += end;
		} else if (c <= 0x20 || c == 0x7f || c == '#' || c == '?' || c == '$') {
			buf_printf(out, "%%%02X", c);
		} else {
			buf_add_char(out, (char)c);
		}
	}
	buf_add(out, buf_str(&o->query));
}

static const char *operation_name(json_t *operation)
{
	const char *id = json_string_value(json_object_get(operation, "operationId"));
	const char *summary = json_string_value(json_object_get(operation, "summary"));
	const char *name = id && *id ? id : summary;
	return name && *name && strlen(name) <= 80 ? name : NULL;
}

static char *operation_flow(json_t *operation)
{
	json_t *tag = json_array_get(json_object_get(operation, "tags"), 0);
	return draft_slug((struct str){ json_string_value(tag), json_string_length(tag) }, "default");
}

static void request_finish(struct openapi_request *o)
{
	buf_finish(&o->query);
	json_decref(o->headers);
	json_decref(o->path_values);
}

static void add_operation(struct walk *w, const char *path, const char *key, json_t *item, json_t *operation)
{
	struct draft *d = w->api.draft;
	struct openapi_request o = { .headers = json_object(), .path_values = json_object() };
	struct draft_request r = { .form = DRAFT_TEMPLATE, .key = key, .name = operation_name(operation) };
	struct buf text, url;
	buf_init(&o.query, DRAFT_PATH_BYTES);
	buf_init(&text, DRAFT_BODY_BYTES);
	buf_init(&url, DRAFT_PATH_BYTES);
	openapi_parameters(&w->api, item, operation, &o);
	openapi_security(&w->api, operation, &o);
	add_body(w, operation, &o, &r, &text);
	write_path(&o, str_from(path), &url);
	r.path = buf_str(&url);
	r.headers = o.headers;
	r.status = expected_status(json_object_get(operation, "responses"));
	if (buf_overflowed(&text) || buf_overflowed(&url) || buf_overflowed(&o.query))
		o.cannot = "it is too long";
	if (o.cannot) {
		draft_leave_out(d, key, str_from(path), o.cannot);
	} else {
		char *flow = operation_flow(operation);
		json_t *steps = draft_flow(d, flow);
		if (steps)
			draft_add(d, steps, &r);
		free(flow);
	}
	json_decref(r.json);
	json_decref(r.fields);
	json_decref(r.status);
	request_finish(&o);
	buf_finish(&text);
	buf_finish(&url);
}

static void read_paths(struct walk *w, const struct node *paths)
{
	struct node path, operation;
	for (void *iter = NULL; node_each(paths, &iter, &path);) {
		if (path.key[0] != '/') {
			if (strncmp(path.key, "x-", 2) != 0)
				node_key_error(&path, "for example \"/users/{id}\"", "a path begins with \"/\"");
			continue;
		}
		json_t *item = openapi_resolve(&w->api, path.value);
		const struct node whole = { .doc = path.doc, .value = item, .parent = path.parent, .key = path.key };
		if (!json_is_object(item))
			continue;
		for (void *inner = NULL; node_each(&whole, &inner, &operation);) {
			const char *key = draft_method_key(str_from(operation.key));
			if (!key || strcmp(key, operation.key) != 0 || !json_is_object(operation.value))
				continue;
			if (strcmp(key, "delete") == 0 && !w->api.all)
				w->deletes++;
			else if (json_is_true(json_object_get(operation.value, "deprecated")) && !w->api.all)
				w->deprecated++;
			else
				add_operation(w, path.key, key, item, operation.value);
		}
	}
}

/* --- the server --- */

/* "https://{region}.example.com/v1" with the defaults of its variables. */
static void write_server(json_t *server, struct buf *out)
{
	struct str url = str_from(json_string_value(json_object_get(server, "url")));
	json_t *variables = json_object_get(server, "variables");
	for (size_t at = 0; at < url.len; at++) {
		const struct str rest = str_from_at(url, at);
		const size_t end = str_find(rest, '}');
		if (rest.p[0] != '{' || end == rest.len) {
			buf_add_char(out, rest.p[0]);
			continue;
		}
		char *name = xstrndup(rest.p + 1, end - 1);
		const char *value = json_string_value(json_object_get(json_object_get(variables, name), "default"));
		buf_add(out, str_from(value));
		free(name);
		at += end;
	}
}

/* The URL that the paths stand behind. Given: free. */
static char *choose_target(struct walk *w)
{
	struct arena arena;
	struct target target;
	struct buf url;
	size_t at;
	const char *why;
	buf_init(&url, 4096);
	arena_init(&arena);
	write_server(json_array_get(json_object_get(w->api.root, "servers"), 0), &url);
	if (url.len && url.bytes[0] == '/') {
		char *whole = xasprintf(OWN_TARGET "%s", buf_cstr(&url));
		buf_clear(&url);
		buf_add(&url, str_from(whole));
		free(whole);
	}
	const bool absolute = str_starts(buf_str(&url), STR("http")) && !buf_overflowed(&url);
	const bool good = absolute && target_parse(buf_str(&url), &arena, &target, &at, &why);
	char *chosen = xstrdup(good ? target.url : OWN_TARGET);
	if (!w->api.draft->options->target && (!good || str_starts(str_from(chosen), STR(OWN_TARGET))))
		draft_note(w->api.draft,
		           "The document names no server that can be asked: set TARGET, or import with --target URL.");
	arena_finish(&arena);
	buf_finish(&url);
	return chosen;
}

static bool check_version(const struct node *root)
{
	struct node version;
	if (node_get(root, "swagger", &version)) {
		node_error(&version, "tools such as swagger2openapi convert it",
		           "this is Swagger 2; OpenAPI 3 is needed");
		return false;
	}
	if (!node_get(root, "openapi", &version)) {
		node_error(root, "its first key is \"openapi\": \"3.0.3\"", "this is no OpenAPI document");
		return false;
	}
	if (!node_expect(&version, JSON_STRING, "a version such as \"3.0.3\""))
		return false;
	if (str_starts(node_str(&version), STR("3.")))
		return true;
	node_error(&version, "3.0 and 3.1 are known", "this version of OpenAPI is not known");
	return false;
}

static void write_scenario(struct walk *w, const struct node *root, struct buf *out)
{
	struct draft *d = w->api.draft;
	char *target = choose_target(w), *why = NULL;
	json_t *title = json_object_get(json_object_get(w->api.root, "info"), "title");
	char *name = draft_slug((struct str){ json_string_value(title), json_string_length(title) }, "api");
	if (w->deletes)
		draft_note(d, "Left out: %zu DELETE operations (--all keeps them).", w->deletes);
	if (w->deprecated)
		draft_note(d, "Left out: %zu deprecated operations (--all keeps them).", w->deprecated);
	draft_note(
		d,
		"Steps stand alone: identifiers in paths are samples. Let an earlier step extract what a later one needs.");
	if (d->step_count == 0)
		node_error(root, w->deletes || w->deprecated ? "--all keeps DELETE and deprecated operations" : NULL,
		           "no operation of this document can be a step");
	else
		why = draft_write(d, target, "an OpenAPI document", name, out);
	if (why)
		node_error(root, NULL, "%s", why);
	free(why);
	free(name);
	free(target);
}

int import_openapi(struct doc *doc, const struct import_options *o, struct buf *out)
{
	struct draft draft;
	struct node paths;
	const struct str text = str_trim(doc->source.text);
	if (!doc_ok(doc) && text.len && text.p[0] != '{') {
		char *hint = xasprintf("convert YAML first: %s", to_json);
		diags_finish(&doc->diags);
		diags_init(&doc->diags, &doc->source);
		diags_add(&doc->diags, 0, 1, hint, "this is not JSON: weir reads OpenAPI documents as JSON");
		free(hint);
	}
	if (!doc_ok(doc))
		return -1;
	const struct node root = doc_root(doc);
	if (!node_expect(&root, JSON_OBJECT, "an OpenAPI document") || !check_version(&root))
		return -1;
	if (!node_get(&root, "paths", &paths)) {
		node_error(&root, NULL, "this document has no \"paths\"");
		return -1;
	}
	if (!node_expect(&paths, JSON_OBJECT, "an object of paths"))
		return -1;
	draft_init(&draft, o);
	struct walk w = { .api = { .draft = &draft, .root = doc->root, .all = o->all } };
	read_paths(&w, &paths);
	if (doc_ok(doc))
		write_scenario(&w, &root, out);
	draft_finish(&draft);
	return doc_ok(doc) ? 0 : -1;
}
