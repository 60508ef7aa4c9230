/* compile_vars.c: names of variables, and "vars". */
#include "scenarios/compile.h"

#include "base/must.h"

bool expect_name(const struct node *member, bool is_feed)
{
	const struct str s = str_from(member->key);
	bool good = s.len > 0 && s.len <= 64;
	for (size_t i = 0; i < s.len; i++) {
		const char c = s.p[i];
		const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		good = good && (letter || (i > 0 && c >= '0' && c <= '9'));
	}
	if (!good) {
		node_key_error(member, "letters, digits and \"_\", not a digit first, at most 64 characters",
		               "\"%.*s\" cannot name a %s", STR_ARG(str_first(s, 60)), is_feed ? "feed" : "variable");
		return false;
	}
	if (is_own_name(s, is_feed)) {
		node_key_error(member, NULL, "\"%s\" is a name of weir's own: choose another", member->key);
		return false;
	}
	return true;
}

uint32_t compile_variable(struct compiler *c, const struct node *member)
{
	const struct str name = str_from(member->key);
	if (!expect_name(member, false))
		return PROGRAM_NONE;
	for (uint32_t i = 0; i < c->variables.count; i++)
		if (str_is(name, rows_at(&c->variables, struct variable, i)->name))
			return i;
	if (c->variables.count == PROGRAM_VARIABLES_MAX) {
		node_key_error(member, NULL, "more than %d variables", PROGRAM_VARIABLES_MAX);
		return PROGRAM_NONE;
	}
	const struct variable v = { .name = arena_strdup(c->arena, member->key), .secret = secret_name(name) };
	return rows_add(&c->variables, &v);
}

/* Whether a value is made with a secret. */
static bool holds_secret(const struct compiler *c, const struct template *t)
{
	for (uint32_t i = 0; i < t->count; i++) {
		const struct segment *s = &t->segments[i];
		if (s->secret ||
		    (s->kind == SEGMENT_VARIABLE && rows_at(&c->variables, struct variable, s->variable)->secret) ||
		    (s->kind == SEGMENT_FEED &&
		     secret_name(rows_at(&c->feeds, struct feed, s->variable)->columns[s->column])))
			return true;
	}
	return false;
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
		weave_scalar(&w, &member, secret_name(str_from(member.key)));
		const struct template value = weaver_finish(&w);
		if (v == PROGRAM_NONE)
			continue;
		struct variable *variable = rows_at(&c->variables, struct variable, v);
		variable->value = value;
		variable->has_value = true;
		variable->secret = variable->secret || holds_secret(c, &value);
		c->scope[v] = SCOPE_SURE;
	}
}
