/* compile_template.c: texts with ${slots} into segments. */
#include "scenarios/compile.h"

#include <stdlib.h>

#include "base/must.h"

#define RANDOM_STRING_MAX 1024

/* Slots that weir fills, and how they are written. */
static const struct builtin {
	const char *name, *usage;
	enum segment_kind kind;
	int arguments;
} builtins[] = {
	{ "iteration", "${iteration}", SEGMENT_ITERATION, 0 },
	{ "user.id", "${user.id}", SEGMENT_USER, 0 },
	{ "uuid", "${uuid}", SEGMENT_UUID, 0 },
	{ "random.int", "${random.int(1,100)}", SEGMENT_RANDOM_INT, 2 },
	{ "random.string", "${random.string(12)}", SEGMENT_RANDOM_STRING, 1 },
};

/* One slot of a text: its content between "${" and "}", and where that stands in the string of <n>. */
struct slot {
	struct weaver *w;
	const struct node *n;
	struct str inside;
	size_t at; /* of the "$" */
	bool secret;
};

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

/* A value that is known now, escaped for its place. */
static void weave_value(struct weaver *w, struct str value, bool secret)
{
	weave_literal(w, (struct str){ "", 0 }, secret);
	if (w->escape == ESCAPE_URL)
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

static void add_slot(struct slot *s, struct segment segment)
{
	struct weaver *w = s->w;
	flush_literal(w);
	segment.text = str_from(arena_printf(w->compiler->arena, "${%.*s}", STR_ARG(s->inside)));
	rows_add(&w->segments, &segment);
}

/* ${env.NAME} and ${env.NAME:-default}: known now. */
static bool weave_env(struct slot *s)
{
	struct compiler *c = s->w->compiler;
	const struct str rest = str_from_at(s->inside, 4);
	size_t end = 0;
	while (end + 1 < rest.len && !(rest.p[end] == ':' && rest.p[end + 1] == '-'))
		end++;
	const bool has_default = end + 1 < rest.len;
	const struct str written = has_default ? str_first(rest, end) : rest;
	const char *name = arena_strndup(c->arena, written.p, written.len);
	if (!*name || strchr(name, '=')) {
		node_part_error(s->n, s->at, s->inside.len + 3, "for example ${env.TARGET:-http://127.0.0.1:8080}",
		                "the name of the environment variable is missing");
		return false;
	}
	const char *value = c->in->get_env ? c->in->get_env(c->in->env_arg, name) : NULL;
	if (!value && !has_default) {
		const char *hint = arena_printf(c->arena, "set it, or give a default: ${env.%s:-value}", name);
		node_part_error(s->n, s->at, s->inside.len + 3, hint, "the environment variable %s is not set", name);
		return false;
	}
	const struct str used = value ? str_from(value) : str_from_at(rest, end + 2);
	weave_value(s->w, used, s->secret || secret_name(written));
	return true;
}

static bool read_int(struct str s, int64_t *ret)
{
	uint64_t digits;
	const bool minus = s.len && s.p[0] == '-';
	if (!str_to_u64(str_from_at(s, minus), &digits) || digits > (uint64_t)INT64_MAX / 4)
		return false;
	*ret = minus ? -(int64_t)digits : (int64_t)digits;
	return true;
}

static bool read_arguments(struct str list, const struct builtin *b, struct segment *ret)
{
	struct str part;
	int64_t numbers[2] = { 0, 0 };
	int count = 0;
	while (str_cut(&list, ',', &part)) {
		if (count == b->arguments || !read_int(str_trim(part), &numbers[count]))
			return false;
		count++;
	}
	*ret = (struct segment){ .kind = b->kind, .low = numbers[0], .high = numbers[1] };
	if (count != b->arguments)
		return false;
	if (b->kind == SEGMENT_RANDOM_STRING)
		return ret->low >= 1 && ret->low <= RANDOM_STRING_MAX;
	return b->kind != SEGMENT_RANDOM_INT || ret->low <= ret->high;
}

static void weave_builtin(struct slot *s, const struct builtin *b, size_t name_len)
{
	const struct str rest = str_from_at(s->inside, name_len);
	const bool parentheses = rest.len >= 2 && rest.p[0] == '(' && rest.p[rest.len - 1] == ')';
	const struct str list = parentheses ? str_first(str_from_at(rest, 1), rest.len - 2) : (struct str){ "", 0 };
	struct segment segment;
	if (parentheses == (b->arguments > 0) && (parentheses || rest.len == 0) && read_arguments(list, b, &segment)) {
		add_slot(s, segment);
		return;
	}
	const char *hint = b->kind == SEGMENT_RANDOM_INT ? "two whole numbers, the first not above the second: "
	                                                   "${random.int(1,100)}"
	                   : b->kind == SEGMENT_RANDOM_STRING
	                           ? "a length from 1 to 1024: ${random.string(12)}"
	                           : arena_printf(s->w->compiler->arena, "write %s", b->usage);
	node_part_error(s->n, s->at, s->inside.len + 3, hint, "\"%s\" is not used like this", b->name);
}

static void undefined(struct slot *s, struct str name)
{
	struct compiler *c = s->w->compiler;
	const char **names = arena_array(c->arena, const char *, c->variables.count + ARRAY_LEN(builtins) + 1);
	const char *hint = NULL;
	size_t count = 0;
	for (uint32_t i = 0; i < c->variables.count; i++) {
		const char *known = rows_at(&c->variables, struct variable, i)->name;
		if (c->in_scope[i])
			names[count++] = known;
		else if (str_is(name, known))
			hint = "it is extracted only in another flow; a flow sees its own steps";
	}
	for (size_t i = 0; i < ARRAY_LEN(builtins); i++)
		names[count++] = builtins[i].name;
	if (!hint)
		hint = near_hint(c, name, names);
	node_part_error(s->n, s->at, s->inside.len + 3, hint,
	                "\"%.*s\" has no value here: it is neither in \"vars\" nor extracted by an earlier step",
	                STR_ARG(str_first(name, 60)));
}

static void weave_slot(struct slot *s)
{
	struct compiler *c = s->w->compiler;
	const struct str name = str_first(s->inside, str_find(s->inside, '('));
	if (str_starts(s->inside, STR("env."))) {
		weave_env(s);
		return;
	}
	if (str_starts(s->inside, STR("now."))) {
		node_part_error(s->n, s->at, s->inside.len + 3, NULL, "\"%.*s\" is not supported by this version",
		                STR_ARG(str_first(name, 60)));
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(builtins); i++) {
		if (str_is(name, builtins[i].name)) {
			weave_builtin(s, &builtins[i], name.len);
			return;
		}
	}
	for (uint32_t i = 0; i < c->variables.count; i++) {
		if (c->in_scope[i] && str_is(s->inside, rows_at(&c->variables, struct variable, i)->name)) {
			add_slot(s, (struct segment){ .kind = SEGMENT_VARIABLE, .variable = i });
			return;
		}
	}
	undefined(s, s->inside);
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

struct template compile_text(struct compiler *c, const struct node *n, enum escape escape, bool secret)
{
	struct weaver w;
	weaver_init(&w, c, escape);
	if (node_expect(n, JSON_STRING, "a string"))
		weave_text(&w, n, node_str(n), 0, secret);
	return weaver_finish(&w);
}

bool compile_constant(struct compiler *c, const struct node *n, struct str *ret_text)
{
	const size_t before = mistakes(c);
	const struct template t = compile_text(c, n, ESCAPE_NONE, false);
	struct buf text;
	if (mistakes(c) > before)
		return false;
	buf_init(&text, DOC_BYTES_MAX * 2);
	for (uint32_t i = 0; i < t.count; i++) {
		buf_add(&text, t.segments[i].text);
		if (t.segments[i].kind == SEGMENT_LITERAL)
			continue;
		node_error(n, NULL, "only ${env.NAME} can stand here: it is read once, before the run");
		buf_finish(&text);
		return false;
	}
	*ret_text = (struct str){ arena_strndup(c->arena, buf_cstr(&text), text.len), text.len };
	buf_finish(&text);
	return true;
}

static void weave_scalar(struct weaver *w, json_t *value, bool secret)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	must(text);
	weave_literal(w, str_from(text), secret);
	free(text);
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
		weave_scalar(w, n->value, secret);
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

static bool is_name(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		const char c = s.p[i];
		const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		if (!letter && !(i > 0 && c >= '0' && c <= '9'))
			return false;
	}
	return s.len > 0 && s.len <= 64;
}

uint32_t compile_variable(struct compiler *c, const struct node *member)
{
	const struct str name = str_from(member->key);
	if (!is_name(name)) {
		node_key_error(member, "letters, digits and \"_\", not a digit first, at most 64 characters",
		               "\"%.*s\" cannot name a variable", STR_ARG(str_first(name, 60)));
		return UINT32_MAX;
	}
	for (size_t i = 0; i < ARRAY_LEN(builtins); i++) {
		if (str_is(name, builtins[i].name)) {
			node_key_error(member, NULL, "\"%s\" is a name of weir's own: choose another", member->key);
			return UINT32_MAX;
		}
	}
	for (uint32_t i = 0; i < c->variables.count; i++)
		if (str_is(name, rows_at(&c->variables, struct variable, i)->name))
			return i;
	if (c->variables.count == PROGRAM_VARIABLES_MAX) {
		node_key_error(member, NULL, "more than %d variables", PROGRAM_VARIABLES_MAX);
		return UINT32_MAX;
	}
	const struct variable v = { .name = arena_strdup(c->arena, member->key), .secret = secret_name(name) };
	return rows_add(&c->variables, &v);
}

void compile_vars(struct compiler *c, const struct node *vars)
{
	struct node member;
	if (!node_expect(vars, JSON_OBJECT, "an object of names and values"))
		return;
	for (void *iter = NULL; node_each(vars, &iter, &member);) {
		const uint32_t v = compile_variable(c, &member);
		struct weaver w;
		weaver_init(&w, c, ESCAPE_NONE);
		if (json_is_string(member.value))
			weave_text(&w, &member, node_str(&member), 0, secret_name(str_from(member.key)));
		else if (json_is_number(member.value) || json_is_boolean(member.value))
			weave_scalar(&w, member.value, secret_name(str_from(member.key)));
		else
			node_error(&member, NULL, "\"%s\" must be a string, a number, true or false, not %s",
			           member.key, node_type_text(&member));
		const struct template value = weaver_finish(&w);
		if (v == UINT32_MAX)
			continue;
		rows_at(&c->variables, struct variable, v)->value = value;
		rows_at(&c->variables, struct variable, v)->has_value = true;
		c->in_scope[v] = true;
	}
}
