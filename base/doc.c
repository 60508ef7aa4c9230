#include "base/doc.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/must.h"

/* A place in the text: [at, at+len). */
struct place {
	size_t at, len;
};

/* The steps from the root to a node, root first. */
struct path {
	const struct node *steps[DOC_DEPTH_MAX];
	size_t count;
};

static void check_depth(struct doc *d)
{
	size_t depth = 0;
	bool in_string = false;
	for (size_t i = 0; i < d->source.text.len; i++) {
		const char c = d->source.text.p[i];
		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '[' || c == '{') {
			if (++depth == DOC_DEPTH_MAX) {
				diags_add(&d->diags, i, 1, NULL, "nested deeper than %d levels", DOC_DEPTH_MAX - 1);
				return;
			}
		} else if ((c == ']' || c == '}') && depth > 0) {
			depth--;
		}
	}
}

void doc_init(struct doc *d, const char *name, struct str text)
{
	*d = (struct doc){ .name = xstrdup(name), .text = xstrndup(text.p, text.len) };
	d->source = (struct source){ d->name, { d->text, text.len } };
	diags_init(&d->diags, &d->source);
	check_depth(d);
	if (!doc_ok(d))
		return;
	json_error_t error;
	d->root = json_loadb(d->text, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (d->root)
		return;
	/* jansson points behind the token it stumbled over; the token itself starts after the blank before it. */
	size_t at = error.position > 0 ? (size_t)error.position : 0;
	if (at > text.len)
		at = text.len;
	size_t start = at > 0 ? at - 1 : 0;
	while (start > 0 && !strchr(" \t\r\n,:{}[]", d->text[start - 1]) && at - start < 40)
		start--;
	/* "... near 'xyz'" repeats what the marker shows. */
	const char *near = strstr(error.text, " near ");
	const size_t len = near ? (size_t)(near - error.text) : strlen(error.text);
	diags_add(&d->diags, start, at - start, NULL, "this is not JSON: %.*s", (int)len, error.text);
}

int doc_read(struct doc *d, const char *path, struct err *err)
{
	struct buf text;
	buf_init(&text, DOC_BYTES_MAX);
	const int r = file_read(path, &text, err);
	if (r == 0)
		doc_init(d, path, buf_str(&text));
	buf_finish(&text);
	return r;
}

void doc_finish(struct doc *d)
{
	diags_finish(&d->diags);
	json_decref(d->root);
	free(d->text);
	free(d->name);
	*d = (struct doc){ 0 };
}

struct node doc_root(struct doc *d)
{
	must(d->root);
	return (struct node){ .doc = d, .value = d->root };
}

bool node_get(const struct node *n, const char *key, struct node *ret_member)
{
	json_t *value = json_object_get(n->value, key);
	if (!value)
		return false;
	*ret_member = (struct node){ .doc = n->doc, .value = value, .parent = n, .key = key };
	return true;
}

struct node node_item(const struct node *n, size_t index)
{
	json_t *value = json_array_get(n->value, index);
	must(value);
	return (struct node){ .doc = n->doc, .value = value, .parent = n, .index = index };
}

size_t node_count(const struct node *n)
{
	return json_array_size(n->value);
}

bool node_each(const struct node *n, void **iter, struct node *ret_member)
{
	do {
		*iter = *iter ? json_object_iter_next(n->value, *iter) : json_object_iter(n->value);
		if (!*iter)
			return false;
	} while (strcmp(json_object_iter_key(*iter), "//") == 0);
	*ret_member = (struct node){
		.doc = n->doc,
		.value = json_object_iter_value(*iter),
		.parent = n,
		.key = json_object_iter_key(*iter),
	};
	return true;
}

const char *node_type_text(const struct node *n)
{
	switch (json_typeof(n->value)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
	case JSON_REAL:
		return "a number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "true or false";
	case JSON_NULL:
		break;
	}
	return "null";
}

/* --- Finding a node's place again. The text is known to be valid JSON, so the walk needs no error handling. --- */

static size_t skip_blank(struct str t, size_t at)
{
	while (at < t.len && strchr(" \t\r\n", t.p[at]))
		at++;
	return at;
}

static size_t skip_string(struct str t, size_t at)
{
	for (at++; at < t.len && t.p[at] != '"'; at++)
		if (t.p[at] == '\\')
			at++;
	return at + 1;
}

/* The end of the value that begins at <at>. */
static size_t skip_value(struct str t, size_t at)
{
	size_t depth = 0;
	do {
		at = skip_blank(t, at);
		const char c = t.p[at];
		if (c == '"') {
			at = skip_string(t, at);
		} else if (strchr("{[", c)) {
			depth++;
			at++;
		} else if (strchr("}]", c)) {
			depth--;
			at++;
		} else if (strchr(",:", c)) {
			at++;
		} else {
			while (at < t.len && !strchr(" \t\r\n,:{}[]\"", t.p[at]))
				at++;
		}
	} while (depth > 0 && at < t.len);
	return at;
}

/* Whether the JSON string token [at, end) spells <key>. */
static bool token_spells(struct str t, size_t at, size_t end, const char *key)
{
	json_t *token = json_loadb(t.p + at, end - at, JSON_DECODE_ANY, NULL);
	const bool same = token && strcmp(json_string_value(token), key) == 0;
	json_decref(token);
	return same;
}

/* From the container at <at> to its member or item that <step> names. */
static struct place locate_step(struct str t, size_t at, const struct node *step, struct place *ret_key)
{
	size_t index = 0;
	for (at = skip_blank(t, at + 1); at < t.len; at = skip_blank(t, at)) {
		if (t.p[at] == ',') {
			at++;
			continue;
		}
		if (strchr("}]", t.p[at]))
			break;
		struct place key = { at, 0 };
		bool found = !step->key && index++ == step->index;
		if (step->key) {
			const size_t end = skip_string(t, at);
			key.len = end - at;
			found = token_spells(t, at, end, step->key);
			at = skip_blank(t, skip_blank(t, end) + 1); /* behind the colon */
		}
		const size_t end = skip_value(t, at);
		if (found) {
			*ret_key = key;
			return (struct place){ at, end - at };
		}
		at = end;
	}
	must(!"a node is in its text");
	return (struct place){ 0, 0 };
}

static struct place locate(const struct node *n, struct place *ret_key)
{
	const struct str t = n->doc->source.text;
	struct path path = { .count = 0 };
	for (const struct node *s = n; s->parent; s = s->parent) {
		must(path.count < DOC_DEPTH_MAX);
		path.steps[path.count++] = s;
	}
	struct place p = { .at = skip_blank(t, 0) };
	p.len = skip_value(t, p.at) - p.at;
	*ret_key = p;
	while (path.count > 0)
		p = locate_step(t, p.at, path.steps[--path.count], ret_key);
	return p;
}

void node_error(const struct node *n, const char *hint, const char *format, ...)
{
	struct place key;
	struct place p = locate(n, &key);
	/* An object over many lines is marked where it opens. */
	if (json_is_object(n->value) || json_is_array(n->value))
		p.len = 1;
	va_list args;
	va_start(args, format);
	diags_vadd(&n->doc->diags, p.at, p.len, hint, format, args);
	va_end(args);
}

void node_key_error(const struct node *n, const char *hint, const char *format, ...)
{
	struct place key;
	locate(n, &key);
	va_list args;
	va_start(args, format);
	diags_vadd(&n->doc->diags, key.at, key.len, hint, format, args);
	va_end(args);
}

void node_part_error(const struct node *n, size_t at, size_t len, const char *hint, const char *format, ...)
{
	struct place key;
	struct place p = locate(n, &key);
	/* Content and token have the same offsets only when nothing is escaped; else the whole token is marked. */
	if (p.len == json_string_length(n->value) + 2) {
		const size_t inside = p.len - 2;
		p.at += 1 + (at < inside ? at : inside);
		p.len = len ? len : 1;
	}
	va_list args;
	va_start(args, format);
	diags_vadd(&n->doc->diags, p.at, p.len, hint, format, args);
	va_end(args);
}

bool node_expect(const struct node *n, json_type type, const char *what)
{
	if (json_typeof(n->value) == type)
		return true;
	if (n->key)
		node_error(n, NULL, "\"%s\" must be %s, not %s", n->key, what, node_type_text(n));
	else
		node_error(n, NULL, "this must be %s, not %s", what, node_type_text(n));
	return false;
}

void node_expect_keys(const struct node *n, const char *const *known)
{
	struct node member;
	for (void *iter = NULL; node_each(n, &iter, &member);) {
		const char *const *k = known;
		while (*k && strcmp(*k, member.key) != 0)
			k++;
		if (*k)
			continue;
		const char *nearest = str_nearest(str_from(member.key), known);
		char *hint = nearest ? xasprintf("did you mean \"%s\"?", nearest) : NULL;
		node_key_error(&member, hint, "unknown key \"%s\"", member.key);
		free(hint);
	}
}
