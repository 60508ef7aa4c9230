/* draft_write.c: the finished draft as the text of a scenario. */
#include "scenarios/import/draft.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"

static const char *own_key(json_t *step)
{
	const char *key;
	json_t *value;
	json_object_foreach(step, key, value) if (draft_method_key(str_from(key))) return key;
	return NULL;
}

/* Names are unique in their flow; a step keeps a "name" only where METHOD and path would not do. */
static void name_step(json_t *step, json_t *taken)
{
	const char *key = own_key(step);
	const char *given = json_string_value(json_object_get(step, "name"));
	if (!key)
		return;
	struct buf own;
	buf_init(&own, DOC_BYTES_MAX);
	for (const char *c = key; *c; c++)
		buf_add_char(&own, (char)(*c - 'a' + 'A'));
	const struct str path = str_from(json_string_value(json_object_get(step, key)));
	buf_printf(&own, " %.*s", STR_ARG(str_first(path, str_find(path, '?'))));
	const bool is_given = given && *given;
	const char *stem = is_given ? given : buf_cstr(&own);
	char *name = xstrdup(stem);
	/* How often a stem was used is remembered, so that a thousand of the same are not a million comparisons. */
	json_int_t n = json_integer_value(json_object_get(taken, name));
	while (json_object_get(taken, name)) {
		free(name);
		name = xasprintf("%s (%lld)", stem, (long long)++n);
	}
	if (n > 0)
		json_object_set_new(taken, stem, json_integer(n));
	json_object_set_new(taken, name, json_integer(1));
	if (strcmp(name, buf_cstr(&own)) == 0)
		json_object_del(step, "name");
	else
		json_object_set_new(step, "name", json_string(name));
	free(name);
	buf_finish(&own);
}

static void name_steps(struct draft *d)
{
	void *safe;
	const char *name;
	json_t *flow, *step;
	size_t i;
	json_object_foreach_safe(d->flows, safe, name, flow)
	{
		json_t *taken = json_object(), *steps = json_object_get(flow, "steps");
		bool has_request = false;
		json_array_foreach(steps, i, step)
		{
			name_step(step, taken);
			has_request = has_request || own_key(step);
		}
		json_decref(taken);
		/* All of it was left out. */
		if (!has_request)
			json_object_del(d->flows, name);
	}
}

/* Whether a value means the same in every flow: it holds no slot but of the environment. */
static bool is_constant(const char *text)
{
	for (const char *c = text; (c = strchr(c, '$')); c++) {
		if (strncmp(c, "$${", 3) == 0)
			c += 2;
		else if (strncmp(c, "${", 2) == 0 && strncmp(c, "${env.", 6) != 0)
			return false;
	}
	return true;
}

/* Whether every request has this header with this value. */
static bool is_everywhere(struct draft *d, const char *key, json_t *value)
{
	const char *name;
	json_t *flow, *step;
	size_t i;
	json_object_foreach(d->flows, name, flow)
	{
		json_array_foreach(json_object_get(flow, "steps"), i, step)
		{
			json_t *other = json_object_get(json_object_get(step, "headers"), key);
			if (own_key(step) && (!other || !json_equal(other, value)))
				return false;
		}
	}
	return true;
}

static void remove_header(struct draft *d, const char *key)
{
	const char *name;
	json_t *flow, *step;
	size_t i;
	json_object_foreach(d->flows, name, flow)
	{
		json_array_foreach(json_object_get(flow, "steps"), i, step)
		{
			json_t *headers = json_object_get(step, "headers");
			json_object_del(headers, key);
			if (headers && json_object_size(headers) == 0)
				json_object_del(step, "headers");
		}
	}
}

static json_t *first_headers(struct draft *d)
{
	const char *name;
	json_t *flow, *step;
	size_t i;
	json_object_foreach(d->flows, name, flow) json_array_foreach(
		json_object_get(flow, "steps"), i, step) if (own_key(step)) return json_object_get(step, "headers");
	return NULL;
}

/* Headers that every step has go to "defaults". */
static json_t *take_defaults(struct draft *d)
{
	json_t *defaults = json_object(), *value;
	const char *key;
	json_t *first = d->step_count > 1 ? json_copy(first_headers(d)) : NULL;
	json_object_foreach(first, key, value)
	{
		if (!is_constant(json_string_value(value)) || !is_everywhere(d, key, value))
			continue;
		json_object_set(defaults, key, value);
		remove_header(d, key);
	}
	json_decref(first);
	return defaults;
}

/* The variables that stand in the steps; others were only looked for. */
static void list_secrets(struct draft *d, json_t *defaults, struct buf *out)
{
	const char *name;
	json_t *value, *both = json_pack("[O,O]", d->flows, defaults);
	char *text = json_dumps(both, JSON_COMPACT);
	must(text);
	json_object_foreach(d->secrets, name, value)
	{
		char *slot = xasprintf("${env.%s:-}", name);
		if (strstr(text, slot))
			buf_printf(out, "%s%s", out->len ? ", " : "", name);
		free(slot);
	}
	free(text);
	json_decref(both);
}

static json_t *make_comment(struct draft *d, const char *what, json_t *defaults)
{
	struct buf secrets;
	json_t *comment = json_array();
	json_array_append_new(comment,
	                      json_sprintf("Made by weir scenario import from %s. Read it, then set the load.", what));
	buf_init(&secrets, 65536);
	list_secrets(d, defaults, &secrets);
	if (secrets.len)
		json_array_append_new(comment,
		                      json_sprintf("Secrets are not in this file. Set them in the environment: %s.",
		                                   buf_cstr(&secrets)));
	buf_finish(&secrets);
	json_array_extend(comment, d->notes);
	if (d->notes_dropped)
		json_array_append_new(comment, json_sprintf("And %zu more such notes.", d->notes_dropped));
	return comment;
}

static json_t *make_target(struct draft *d, const char *origin)
{
	const char *url = d->options->target ? d->options->target : origin;
	struct buf text;
	/* A default ends at the first brace. */
	if (!strpbrk(url, "${}"))
		return json_sprintf("${env.TARGET:-%s}", url);
	buf_init(&text, 65536);
	draft_add_plain(&text, str_from(url));
	return draft_take_string(&text);
}

/* What this file promises: the text is a scenario. Why it is none (given: free), or NULL. That would be a mistake of ours,
 * but what is imported comes from anywhere: whoever imports it is told, and can say so, instead of seeing weir abort. No
 * input is known that does not compile, so no test gets here. */
static char *why_no_scenario(struct str text)
{
	const struct program_inputs in = { 0 };
	struct program *p = NULL;
	struct doc doc;
	char *why = NULL;
	if (text.len >= IMPORT_OUT_BYTES)
		return xasprintf("the scenario would be larger than %u bytes", IMPORT_OUT_BYTES);
	doc_init(&doc, "imported", text);
	if (program_compile(&doc, &in, &p) < 0)
		why = xasprintf("no sound scenario comes out of this, which is a mistake of weir: %s",
		                doc.diags.count ? doc.diags.list[0].message : "it does not compile");
	program_destroy(p);
	doc_finish(&doc);
	return why;
}

char *draft_write(struct draft *d, const char *origin, const char *what, const char *name, struct buf *out)
{
	draft_scrub(d);
	name_steps(d);
	json_t *defaults = take_defaults(d);
	json_t *root = json_pack("{s:o, s:s, s:s, s:o}", "//", make_comment(d, what, defaults), "$schema",
	                         PROGRAM_SCHEMA, "name", d->options->name ? d->options->name : name, "target",
	                         make_target(d, origin));
	must(root);
	if (json_object_size(defaults))
		json_object_set_new(root, "defaults", json_pack("{s:O}", "headers", defaults));
	json_decref(defaults);
	json_object_set(root, "flows", d->flows);
	json_object_set_new(root, "load",
	                    json_pack("[{s:s, s:i, s:s}]", "executor", "constant-users", "users", 1, "for", "30s"));
	json_object_set_new(root, "thresholds", json_pack("[s]", "error_rate < 1%"));
	char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	json_decref(root);
	must(text);
	char *why = why_no_scenario(str_from(text));
	if (!why) {
		buf_add(out, str_from(text));
		buf_add_char(out, '\n');
	}
	free(text);
	return why;
}
