/* compile_template.c: texts with ${slots} into segments; compile_slot.c knows what the slots mean. */
#include "scenarios/compile.h"

#include <stdlib.h>

#include "base/must.h"
#include "scenarios/number.h"

void weaver_init(struct weaver *w, struct compiler *c, enum escape escape)
{
	*w = (struct weaver){ .compiler = c, .segments = ROWS(struct segment), .escape = escape };
	buf_init(&w->literal, DOC_BYTES_MAX * 6); /* the worst that escaping can make of a document */
}

static void flush_literal(struct weaver *w)
{
	if (w->literal.len == 0)
		return;
	const struct segment s = {
		.kind = SEGMENT_LITERAL,
		.secret = w->literal_secret,
		.text = { arena_strndup(w->compiler->arena, w->literal.bytes, w->literal.len), w->literal.len },
	};
	rows_add(&w->segments, &s);
	buf_clear(&w->literal);
}

void weave_literal(struct weaver *w, struct str ready, bool secret)
{
	if (secret != w->literal_secret)
		flush_literal(w);
	w->literal_secret = secret;
	buf_add(&w->literal, ready);
}

void weave_value(struct weaver *w, struct str value, bool secret)
{
	weave_literal(w, (struct str){ "", 0 }, secret);
	if (w->escape == ESCAPE_URL || w->escape == ESCAPE_FORM)
		buf_add_url_escaped(&w->literal, value);
	else if (w->escape == ESCAPE_JSON)
		buf_add_json_escaped(&w->literal, value);
	else
		buf_add(&w->literal, value);
}

/* What stands in the file between slots: in a URL the author has escaped it, in JSON the parser has decoded it. */
static void weave_written(struct weaver *w, struct str text, bool secret)
{
	weave_literal(w, (struct str){ "", 0 }, secret);
	if (w->escape == ESCAPE_JSON)
		buf_add_json_escaped(&w->literal, text);
	else if (w->escape == ESCAPE_FORM)
		buf_add_url_escaped(&w->literal, text);
	else
		buf_add(&w->literal, text);
}

struct template weaver_finish(struct weaver *w)
{
	flush_literal(w);
	must(!buf_overflowed(&w->literal));
	buf_finish(&w->literal);
	struct template t = { .count = w->segments.count, .escape = w->escape };
	t.segments = rows_settle(&w->segments, w->compiler->arena);
	return t;
}

void weave_segment(struct weaver *w, struct segment segment, struct str inside)
{
	flush_literal(w);
	segment.text = str_from(arena_printf(w->compiler->arena, "${%.*s}", STR_ARG(inside)));
	rows_add(&w->segments, &segment);
}

void weave_text(struct weaver *w, const struct node *n, struct str text, size_t from, bool secret)
{
	size_t at = 0;
	while (at < text.len) {
		const struct str rest = str_from_at(text, at);
		if (str_starts(rest, STR("$${"))) {
			weave_written(w, STR("${"), secret);
			at += 3;
			continue;
		}
		if (!str_starts(rest, STR("${"))) {
			/* Up to the next dollar, this byte at least. */
			const size_t run = 1 + str_find(str_from_at(rest, 1), '$');
			weave_written(w, str_first(rest, run), secret);
			at += run;
			continue;
		}
		const size_t end = str_find(rest, '}');
		if (end == rest.len) {
			node_part_error(n, from + at, rest.len, "write \"$${\" for the two characters themselves",
			                "\"${\" has no \"}\"");
			return;
		}
		struct slot s = { w, n, { rest.p + 2, end - 2 }, from + at, secret };
		weave_slot(&s);
		at += end + 1;
	}
}

bool has_slot(struct str text)
{
	for (size_t at = 0; at < text.len; at++) {
		if (str_starts(str_from_at(text, at), STR("$${")))
			at += 2;
		else if (str_starts(str_from_at(text, at), STR("${")))
			return true;
	}
	return false;
}

bool expect_no_slot(const struct node *member)
{
	if (!has_slot(str_from(member->key)))
		return true;
	node_key_error(member, "slots stand in values; \"$${\" is the two characters themselves",
	               "a name cannot hold \"${...}\"");
	return false;
}

struct template compile_text(struct compiler *c, const struct node *n, enum escape escape, bool secret)
{
	struct weaver w;
	weaver_init(&w, c, escape);
	if (node_expect(n, JSON_STRING, "a string"))
		weave_text(&w, n, node_str(n), 0, secret);
	return weaver_finish(&w);
}

static bool constant_of(struct compiler *c, const struct node *n, const struct template *t, struct str *ret_text)
{
	struct buf text;
	buf_init(&text, DOC_BYTES_MAX * 2);
	for (uint32_t i = 0; i < t->count; i++) {
		buf_add(&text, t->segments[i].text);
		if (t->segments[i].kind == SEGMENT_LITERAL)
			continue;
		node_error(n, NULL, "only ${env.NAME} can stand here: it is read once, before the run");
		buf_finish(&text);
		return false;
	}
	*ret_text = (struct str){ arena_strndup(c->arena, buf_cstr(&text), text.len), text.len };
	buf_finish(&text);
	return true;
}

bool compile_constant(struct compiler *c, const struct node *n, struct str *ret_text)
{
	const size_t before = mistakes(c);
	const struct template t = compile_text(c, n, ESCAPE_NONE, false);
	return mistakes(c) == before && constant_of(c, n, &t, ret_text);
}

bool compile_constant_part(struct compiler *c, const struct node *n, struct str part, struct str *ret_text)
{
	const size_t before = mistakes(c);
	struct weaver w;
	weaver_init(&w, c, ESCAPE_NONE);
	weave_text(&w, n, part, (size_t)(part.p - node_str(n).p), false);
	const struct template t = weaver_finish(&w);
	return mistakes(c) == before && constant_of(c, n, &t, ret_text);
}

static void weave_json_scalar(struct weaver *w, const json_t *value, bool secret)
{
	char *text = number_text(value);
	weave_literal(w, str_from(text), secret);
	free(text);
}

void weave_scalar(struct weaver *w, const struct node *n, bool secret)
{
	if (json_is_string(n->value))
		weave_text(w, n, node_str(n), 0, secret);
	else if (json_is_number(n->value) || json_is_boolean(n->value))
		weave_json_scalar(w, n->value, secret);
	else if (n->key)
		node_error(n, NULL, "\"%s\" must be a string, a number, true or false, not %s", n->key,
		           node_type_text(n));
	else
		node_error(n, NULL, "this must be a string, a number, true or false, not %s", node_type_text(n));
}

/* Recursion is bounded by DOC_DEPTH_MAX. */
static void weave_json(struct weaver *w, const struct node *n, bool secret)
{
	bool first = true;
	struct node member;
	switch (json_typeof(n->value)) {
	case JSON_OBJECT:
		weave_literal(w, STR("{"), false);
		for (void *iter = NULL; node_each(n, &iter, &member); first = false) {
			weave_literal(w, first ? STR("\"") : STR(",\""), false);
			/* As it stands: imported documents may have any keys, and have to compile. */
			buf_add_json_escaped(&w->literal, str_from(member.key));
			weave_literal(w, STR("\":"), false);
			weave_json(w, &member, secret || secret_name(str_from(member.key)));
		}
		weave_literal(w, STR("}"), false);
		break;
	case JSON_ARRAY:
		weave_literal(w, STR("["), false);
		for (size_t i = 0; i < node_count(n); i++) {
			if (i)
				weave_literal(w, STR(","), false);
			member = node_item(n, i);
			weave_json(w, &member, secret);
		}
		weave_literal(w, STR("]"), false);
		break;
	case JSON_STRING:
		weave_literal(w, STR("\""), false);
		weave_text(w, n, node_str(n), 0, secret);
		weave_literal(w, STR("\""), false);
		break;
	case JSON_INTEGER:
	case JSON_REAL:
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
		weave_json_scalar(w, n->value, secret);
		break;
	}
}

struct template compile_json(struct compiler *c, const struct node *n)
{
	struct weaver w;
	weaver_init(&w, c, ESCAPE_JSON);
	weave_json(&w, n, false);
	return weaver_finish(&w);
}
