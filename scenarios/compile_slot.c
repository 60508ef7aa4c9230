/* compile_slot.c: what stands between "${" and "}". */
#include "scenarios/compile.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/must.h"

#define RANDOM_STRING_MAX 1024
#define CHOICES_MAX 256

enum arguments { ARGUMENTS_NONE, ARGUMENTS_INTS, ARGUMENTS_FLOATS, ARGUMENTS_LENGTH, ARGUMENTS_LIST };

static const char *const argument_hints[] = {
	[ARGUMENTS_NONE] = NULL,
	[ARGUMENTS_INTS] = "two whole numbers, the first not above the second: ${random.int(1,100)}",
	[ARGUMENTS_FLOATS] = "two numbers, the first not above the second: ${random.float(0,1.5)}",
	[ARGUMENTS_LENGTH] = "a length from 1 to 1024: ${random.string(12)}",
	[ARGUMENTS_LIST] = "from 1 to 256 words, separated by commas: ${random.choice(red,green,blue)}",
};

/* Slots that weir fills, and how they are written. */
static const struct builtin {
	const char *name;
	enum segment_kind kind;
	enum arguments arguments;
} builtins[] = {
	{ "iteration", SEGMENT_ITERATION, ARGUMENTS_NONE },
	{ "user.id", SEGMENT_USER, ARGUMENTS_NONE },
	{ "uuid", SEGMENT_UUID, ARGUMENTS_NONE },
	{ "now.iso", SEGMENT_NOW_ISO, ARGUMENTS_NONE },
	{ "now.ms", SEGMENT_NOW_MS, ARGUMENTS_NONE },
	{ "random.int", SEGMENT_RANDOM_INT, ARGUMENTS_INTS },
	{ "random.float", SEGMENT_RANDOM_FLOAT, ARGUMENTS_FLOATS },
	{ "random.string", SEGMENT_RANDOM_STRING, ARGUMENTS_LENGTH },
	{ "random.choice", SEGMENT_RANDOM_CHOICE, ARGUMENTS_LIST },
};

bool is_own_name(struct str name, bool first_part)
{
	if (first_part && str_is(name, "env"))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(builtins); i++) {
		const struct str own = str_from(builtins[i].name);
		if (str_eq(name, first_part ? str_first(own, str_find(own, '.')) : own))
			return true;
	}
	return false;
}

__attribute__((format(printf, 3, 4))) static void slot_error(const struct slot *s, const char *hint, const char *format,
                                                             ...)
{
	char text[256];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	node_part_error(s->n, s->at, s->inside.len + 3, hint, "%s", text);
}

/* ${env.NAME} and ${env.NAME:-default}: known now. */
static void weave_env(struct slot *s)
{
	struct compiler *c = s->w->compiler;
	const struct str rest = str_from_at(s->inside, 4);
	size_t end = 0;
	while (end + 1 < rest.len && !(rest.p[end] == ':' && rest.p[end + 1] == '-'))
		end++;
	const bool has_default = end + 1 < rest.len;
	const struct str written = has_default ? str_first(rest, end) : rest;
	const char *name = keep_str(c, written).p;
	if (!*name || strchr(name, '=')) {
		slot_error(s, "for example ${env.TARGET:-http://127.0.0.1:8080}",
		           "the name of the environment variable is missing");
		return;
	}
	const char *value = c->in->get_env ? c->in->get_env(c->in->env_arg, name) : NULL;
	if (!value && !has_default) {
		slot_error(s, arena_printf(c->arena, "set it, or give a default: ${env.%s:-value}", name),
		           "the environment variable %.100s is not set", name);
		return;
	}
	weave_value(s->w, value ? str_from(value) : str_from_at(rest, end + 2), s->secret || secret_name(written));
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

static bool read_list(struct compiler *c, struct str list, struct segment *ret)
{
	struct str choices[CHOICES_MAX], rest = list;
	uint32_t count = 0;
	for (bool more = list.len > 0; more; count++) {
		const size_t comma = str_find(rest, ',');
		if (count == CHOICES_MAX)
			return false;
		choices[count] = keep_str(c, str_trim(str_first(rest, comma)));
		more = comma < rest.len;
		rest = str_from_at(rest, comma + 1);
	}
	struct str *kept = arena_array(c->arena, struct str, count);
	if (count)
		memcpy(kept, choices, count * sizeof(*kept));
	ret->choices = kept;
	ret->variable = count;
	return count > 0;
}

static bool read_arguments(struct compiler *c, struct str list, enum arguments kind, struct segment *ret)
{
	const size_t comma = str_find(list, ',');
	const struct str first = str_trim(str_first(list, comma)), second = str_trim(str_from_at(list, comma + 1));
	switch (kind) {
	case ARGUMENTS_NONE:
		return true;
	case ARGUMENTS_INTS:
		return read_int(first, &ret->low) && read_int(second, &ret->high) && ret->low <= ret->high;
	case ARGUMENTS_FLOATS:
		return str_to_double(first, &ret->least) && str_to_double(second, &ret->most) &&
		       ret->least <= ret->most && ret->least >= -1e15 && ret->most <= 1e15;
	case ARGUMENTS_LENGTH:
		return read_int(list, &ret->low) && ret->low >= 1 && ret->low <= RANDOM_STRING_MAX;
	case ARGUMENTS_LIST:
		return read_list(c, list, ret);
	}
	return false;
}

static void weave_builtin(struct slot *s, const struct builtin *b)
{
	struct compiler *c = s->w->compiler;
	const struct str rest = str_from_at(s->inside, strlen(b->name));
	const bool parentheses = rest.len >= 2 && rest.p[0] == '(' && rest.p[rest.len - 1] == ')';
	const struct str list = parentheses ? str_first(str_from_at(rest, 1), rest.len - 2) : STR("");
	struct segment segment = { .kind = b->kind };
	const bool shaped = b->arguments == ARGUMENTS_NONE ? rest.len == 0 : parentheses;
	if (shaped && read_arguments(c, list, b->arguments, &segment)) {
		weave_segment(s->w, segment, s->inside);
		return;
	}
	const char *hint = argument_hints[b->arguments];
	slot_error(s, hint ? hint : arena_printf(c->arena, "write ${%s}", b->name), "\"%s\" is not used like this",
	           b->name);
}

/* ${feed.column}. False when there is no such feed. */
static bool weave_cell(struct slot *s)
{
	struct compiler *c = s->w->compiler;
	const size_t dot = str_find(s->inside, '.');
	for (uint32_t i = 0; i < c->feeds.count && dot < s->inside.len; i++) {
		const struct feed *f = rows_at(&c->feeds, struct feed, i);
		if (!str_is(str_first(s->inside, dot), f->name))
			continue;
		const struct str column = str_from_at(s->inside, dot + 1);
		const char **names = arena_array(c->arena, const char *, f->column_count + 1);
		for (uint32_t k = 0; k < f->column_count; k++) {
			names[k] = keep_str(c, f->columns[k]).p;
			if (!str_eq(f->columns[k], column))
				continue;
			c->feeds_used |= 1u << i;
			weave_segment(s->w, (struct segment){ .kind = SEGMENT_FEED, .variable = i, .column = k },
			              s->inside);
			return true;
		}
		/* A feed that could not be read has no columns, and that was said. */
		if (f->column_count > 0)
			slot_error(s, near_hint(c, column, names), "the feed \"%s\" has no column \"%.*s\"", f->name,
			           STR_ARG(str_first(column, 60)));
		return true;
	}
	return false;
}

static void undefined(struct slot *s, struct str name)
{
	struct compiler *c = s->w->compiler;
	const char **names = arena_array(c->arena, const char *, c->variables.count + ARRAY_LEN(builtins) + 1);
	const char *hint = NULL;
	size_t count = 0;
	for (uint32_t i = 0; i < c->variables.count; i++) {
		const char *known = rows_at(&c->variables, struct variable, i)->name;
		if (c->scope[i] == SCOPE_SURE)
			names[count++] = known;
		else if (str_is(name, known))
			hint = "it is extracted only in another flow; a flow sees its own steps";
	}
	for (size_t i = 0; i < ARRAY_LEN(builtins); i++)
		names[count++] = builtins[i].name;
	if (!hint)
		hint = near_hint(c, name, names);
	slot_error(s, hint, "\"%.*s\" has no value here: it is neither in \"vars\" nor extracted by an earlier step",
	           STR_ARG(str_first(name, 60)));
}

static void weave_variable(struct slot *s)
{
	struct compiler *c = s->w->compiler;
	for (uint32_t i = 0; i < c->variables.count; i++) {
		const char *name = rows_at(&c->variables, struct variable, i)->name;
		if (c->scope[i] == SCOPE_NONE || !str_is(s->inside, name))
			continue;
		if (c->scope[i] == SCOPE_SURE)
			weave_segment(s->w, (struct segment){ .kind = SEGMENT_VARIABLE, .variable = i }, s->inside);
		else
			slot_error(
				s,
				arena_printf(c->arena,
			                     "put the step under \"if\": { \"var\": \"%s\", \"exists\": true }", name),
				"\"%s\" may have no value here: it is extracted optionally or under an \"if\"", name);
		return;
	}
	undefined(s, s->inside);
}

void weave_slot(struct slot *s)
{
	const struct str name = str_first(s->inside, str_find(s->inside, '('));
	if (str_starts(s->inside, STR("env."))) {
		weave_env(s);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(builtins); i++) {
		if (str_is(name, builtins[i].name)) {
			weave_builtin(s, &builtins[i]);
			return;
		}
	}
	if (!weave_cell(s))
		weave_variable(s);
}
