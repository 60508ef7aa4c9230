/* compile_source.c: the places of an answer that checks and extractions look at. */
#include "scenarios/compile.h"

#include "base/must.h"

static const char *const source_keys[] = { "json", "header", "cookie", "regex" };

const char *source_key(const struct node *n)
{
	struct node member;
	for (size_t i = 0; i < ARRAY_LEN(source_keys); i++)
		if (node_get(n, source_keys[i], &member))
			return source_keys[i];
	return NULL;
}

/* The index of the pointer or path <n> in the step's plan. False with a diagnostic. */
static bool read_pointer(struct compiler *c, const struct node *n, struct step_parts *parts, uint32_t *ret_index,
                         bool *ret_secret)
{
	struct rows *pointers = &parts->pointers;
	struct jsonscan_pointer p;
	size_t at;
	const char *why;
	if (!node_expect(n, JSON_STRING, "a JSON Pointer such as \"/token\", or a path such as \"$.token\""))
		return false;
	const struct str text = node_str(n);
	const bool is_path = str_starts(text, STR("$"));
	if (is_path ? !jsonscan_path_parse(text, c->arena, &p, &at, &why)
	            : !jsonscan_pointer_parse(text, c->arena, &p, &at, &why)) {
		node_part_error(n, at, 1,
		                is_path ? "for example \"$.groups[0].id\" or \"$.groups[*].id\""
		                        : "for example \"/groups/0/id\"",
		                "%s", why);
		return false;
	}
	/* All that stands below a secret member is a secret. */
	for (uint32_t i = 0; i < p.count; i++)
		*ret_secret = *ret_secret || secret_name(p.tokens[i].key);
	for (uint32_t i = 0; i < pointers->count; i++) {
		*ret_index = i;
		if (str_eq(rows_at(pointers, struct jsonscan_pointer, i)->text, text))
			return true;
	}
	if (pointers->count == JSONSCAN_POINTERS_MAX) {
		node_error(n, NULL, "more than %d different JSON Pointers in one step", JSONSCAN_POINTERS_MAX);
		return false;
	}
	*ret_index = rows_add(pointers, &p);
	return true;
}

/* The index of the header or cookie <n> among the step's captures. False with a diagnostic. */
static bool read_capture(struct compiler *c, const struct node *n, struct step_parts *parts, bool is_cookie,
                         uint32_t *ret_index)
{
	struct step *step = parts->step;
	if (!node_expect(n, JSON_STRING, is_cookie ? "the name of a cookie" : "the name of a header"))
		return false;
	const struct str name = node_str(n);
	if (name.len == 0) {
		node_error(n, NULL, "the name is empty");
		return false;
	}
	for (uint32_t i = 0; i < step->capture_count; i++) {
		const struct capture *old = rows_at(&c->captures, struct capture, step->first_capture + i);
		*ret_index = i;
		if (old->is_cookie == is_cookie &&
		    (is_cookie ? str_eq(old->name, name) : str_eq_nocase(old->name, name)))
			return true;
	}
	if (step->capture_count == PROGRAM_CAPTURES_MAX) {
		node_error(n, NULL, "more than %d different headers and cookies in one step", PROGRAM_CAPTURES_MAX);
		return false;
	}
	rows_add(&c->captures, &(struct capture){ is_cookie, keep_str(c, name) });
	*ret_index = step->capture_count++;
	return true;
}

bool compile_pattern(struct compiler *c, const struct node *n, uint32_t *ret_pattern)
{
	char why[120];
	size_t at;
	if (!node_expect(n, JSON_STRING, "a pattern"))
		return false;
	struct pattern *p = pattern_create(node_str(n), &at, why);
	if (!p) {
		node_part_error(n, at, 1, NULL, "this is no pattern: %s", why);
		return false;
	}
	*ret_pattern = rows_add(&c->patterns, &p);
	return true;
}

static bool read_group(struct compiler *c, const struct node *n, struct value_source *source)
{
	struct node group;
	const uint32_t most = pattern_group_count(*rows_at(&c->patterns, struct pattern *, source->index));
	source->group = most > 0;
	if (!node_get(n, "group", &group))
		return true;
	if (!json_is_integer(group.value) || json_integer_value(group.value) < 0 ||
	    json_integer_value(group.value) > most) {
		node_error(&group, "groups are counted by their opening brackets; 0 is the whole match",
		           "\"group\" must be a number from 0 to %u, the groups of the pattern", most);
		return false;
	}
	source->group = (uint32_t)json_integer_value(group.value);
	return true;
}

bool compile_source(struct compiler *c, const struct node *n, struct step_parts *parts, struct value_source *ret_source,
                    const char **ret_name, bool *ret_secret)
{
	const char *key = source_key(n);
	struct node where, stray;
	must(key && node_get(n, key, &where));
	*ret_name = key;
	*ret_secret = false;
	const struct str text = json_is_string(where.value) ? keep_str(c, node_str(&where)) : STR("");
	*ret_name = arena_printf(c->arena, "%s %.*s", key, STR_ARG(str_first(text, 80)));
	*ret_source = (struct value_source){ .kind = SOURCE_JSON };
	if (strcmp(key, "regex") != 0 && node_get(n, "group", &stray))
		node_key_error(&stray, NULL, "\"group\" goes with \"regex\" only");
	if (strcmp(key, "json") == 0)
		return read_pointer(c, &where, parts, &ret_source->index, ret_secret);
	if (strcmp(key, "regex") == 0) {
		ret_source->kind = SOURCE_REGEX;
		parts->step->keeps_window = true;
		return compile_pattern(c, &where, &ret_source->index) && read_group(c, n, ret_source);
	}
	const bool is_cookie = strcmp(key, "cookie") == 0;
	ret_source->kind = is_cookie ? SOURCE_COOKIE : SOURCE_HEADER;
	*ret_secret = is_cookie || secret_name(text);
	return read_capture(c, &where, parts, is_cookie, &ret_source->index);
}
