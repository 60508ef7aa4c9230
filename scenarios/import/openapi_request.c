/* openapi_request.c: parameters and security of an operation. */
#include <stdlib.h>

#include "base/must.h"
#include "scenarios/import/openapi.h"
#include "scenarios/number.h"

static const char *text_at(json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

/* One value of a parameter as a template (given): of a list its first; NULL when it is an object. */
static char *scalar_text(json_t *value)
{
	if (json_is_array(value))
		value = json_array_get(value, 0);
	if (json_is_string(value))
		return xstrdup(json_string_value(value));
	if (!value || json_is_object(value) || json_is_array(value) || json_is_null(value))
		return NULL;
	return number_text(value);
}

static bool is_of_weir(const char *header)
{
	static const char *const names[] = { "Accept", "Content-Type", "Authorization", "Accept-Encoding" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq_nocase(str_from(header), str_from(names[i])))
			return true;
	return false;
}

static void place_value(struct openapi_request *r, const char *where, const char *name, const char *value)
{
	if (strcmp(where, "path") == 0) {
		json_object_set_new(r->path_values, name, json_string(value));
	} else if (strcmp(where, "header") == 0) {
		if (!is_of_weir(name))
			json_object_set_new(r->headers, name, json_string(value));
	} else {
		buf_add_char(&r->query, r->query.len ? '&' : '?');
		buf_add_url_escaped(&r->query, str_from(name));
		buf_add_char(&r->query, '=');
		openapi_add_encoded(&r->query, str_from(value));
	}
}

static void add_parameter(struct openapi *a, json_t *p, struct openapi_request *r)
{
	const char *name = text_at(p, "name"), *where = text_at(p, "in");
	const bool required = json_is_true(json_object_get(p, "required")) || strcmp(where, "path") == 0;
	const bool has_example = json_object_get(p, "example") || json_object_get(p, "examples");
	if (!*name || (!required && !has_example))
		return;
	if (strcmp(where, "cookie") == 0) {
		draft_note(a->draft, "Left out: the cookie parameter \"%.60s\".", name);
		return;
	}
	if (strcmp(where, "path") != 0 && strcmp(where, "header") != 0 && strcmp(where, "query") != 0)
		return;
	json_t *content = json_object_get(p, "content");
	json_t *value = content ? NULL : openapi_example(a, p, name);
	char *text = scalar_text(value);
	if (text)
		place_value(r, where, name, text);
	else if (required)
		r->cannot = "it needs a parameter of which no value can be made here";
	free(text);
	json_decref(value);
}

/* Whether <list> has a parameter of the same name and place. */
static bool overrides(struct openapi *a, json_t *list, json_t *p)
{
	json_t *other;
	size_t i;
	json_array_foreach(list, i, other)
	{
		other = openapi_resolve(a, other);
		if (strcmp(text_at(other, "name"), text_at(p, "name")) == 0 &&
		    strcmp(text_at(other, "in"), text_at(p, "in")) == 0)
			return true;
	}
	return false;
}

void openapi_parameters(struct openapi *a, json_t *path_item, json_t *operation, struct openapi_request *r)
{
	json_t *own = json_object_get(operation, "parameters"), *p;
	size_t i;
	json_array_foreach(json_object_get(path_item, "parameters"), i, p)
	{
		p = openapi_resolve(a, p);
		if (p && !overrides(a, own, p))
			add_parameter(a, p, r);
	}
	json_array_foreach(own, i, p)
	{
		p = openapi_resolve(a, p);
		if (p)
			add_parameter(a, p, r);
	}
}

/* --- security --- */

/* ${env.NAME_TOKEN:-}, of the name of the scheme. Given. */
static char *slot(struct openapi *a, const char *scheme)
{
	char *name = xasprintf("%.40s%s", scheme, secret_name(str_from(scheme)) ? "" : "_token");
	char *text = xasprintf("${env.%s:-}", draft_secret(a->draft, str_from(name), (struct str){ "", 0 }));
	free(name);
	return text;
}

static void add_cookie(struct openapi_request *r, const char *name, const char *value)
{
	struct buf text;
	buf_init(&text, DRAFT_HEADER_BYTES);
	draft_add_plain(&text, str_from(name));
	buf_printf(&text, "=%s", value);
	json_t *string = draft_take_string(&text);
	if (string)
		json_object_set_new(r->headers, "Cookie", string);
}

static void add_api_key(struct openapi_request *r, json_t *scheme, const char *value)
{
	const char *name = text_at(scheme, "name"), *where = text_at(scheme, "in");
	if (strcmp(where, "header") == 0)
		json_object_set_new(r->headers, name, json_string(value));
	else if (strcmp(where, "query") == 0)
		place_value(r, "query", name, value);
	else if (strcmp(where, "cookie") == 0)
		add_cookie(r, name, value);
}

static void add_scheme(struct openapi *a, const char *name, struct openapi_request *r)
{
	json_t *schemes = json_object_get(json_object_get(a->root, "components"), "securitySchemes");
	json_t *scheme = openapi_resolve(a, json_object_get(schemes, name));
	const char *type = text_at(scheme, "type"), *http = text_at(scheme, "scheme");
	const bool basic = str_eq_nocase(str_from(http), STR("basic"));
	if (!scheme || strcmp(type, "mutualTLS") == 0) {
		draft_note(a->draft, "Left out: the security scheme \"%.60s\".", name);
		return;
	}
	char *value = slot(a, name);
	if (strcmp(type, "apiKey") == 0)
		add_api_key(r, scheme, value);
	else
		json_object_set_new(r->headers, "Authorization",
		                    json_sprintf("%s %s", basic ? "Basic" : "Bearer", value));
	if (basic)
		draft_note(a->draft, "%s is base64 of USER:PASSWORD: printf %%s USER:PASSWORD | base64", value);
	free(value);
}

void openapi_security(struct openapi *a, json_t *operation, struct openapi_request *r)
{
	json_t *list = json_object_get(operation, "security"), *one;
	const char *name;
	if (!list)
		list = json_object_get(a->root, "security");
	/* Each item is an alternative; all schemes of an item are needed. */
	json_object_foreach(json_array_get(list, 0), name, one) add_scheme(a, name, r);
}
