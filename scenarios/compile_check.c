/* compile_check.c: "check" and "extract" of a step. */
#include "scenarios/compile.h"

#include <stdlib.h>

#include "base/must.h"
#include "base/units.h"

static const struct field check_fields[] = {
	{ .key = "status", .type = FIELD_NODE, .help = "200, \"2xx\", \"200-299\", or a list of these." },
	{ .key = "json", .type = FIELD_NODE, .help = "A JSON Pointer into the body, with \"exists\" or \"equals\"." },
	{ .key = "exists", .type = FIELD_NODE, .help = "With \"json\": whether there must be a value." },
	{ .key = "equals", .type = FIELD_NODE, .help = "With \"json\": the string, number, true, false or null." },
	{ .key = "time", .type = FIELD_NODE, .help = "The response time: \"< 800ms\"." },
	{ .key = "body", .type = FIELD_NODE, .help = "{ \"contains\": \"text\" }." },
	{ .key = "header", .type = FIELD_NODE, .help = not_yet },
	{ .key = "cookie", .type = FIELD_NODE, .help = not_yet },
	{ .key = "regex", .type = FIELD_NODE, .help = not_yet },
	{ .key = "size", .type = FIELD_NODE, .help = not_yet },
	{ 0 },
};

static const struct field body_fields[] = {
	{ .key = "contains", .type = FIELD_NODE, .required = true, .help = "The text that the body must contain." },
	{ .key = "equals", .type = FIELD_NODE, .help = not_yet },
	{ .key = "regex", .type = FIELD_NODE, .help = not_yet },
	{ .key = "size", .type = FIELD_NODE, .help = not_yet },
	{ 0 },
};

static const struct field extract_fields[] = {
	{ .key = "json", .type = FIELD_NODE, .help = "A JSON Pointer into the body." },
	{ .key = "header", .type = FIELD_NODE, .help = "The name of a response header." },
	{ .key = "regex", .type = FIELD_NODE, .help = not_yet },
	{ .key = "cookie", .type = FIELD_NODE, .help = not_yet },
	{ 0 },
};

/* The index of the pointer <n> in the step's plan. False with a diagnostic. */
static bool read_pointer(struct compiler *c, const struct node *n, struct rows *pointers, uint32_t *ret_index,
                         bool *ret_secret)
{
	struct jsonscan_pointer p;
	size_t at;
	const char *why;
	if (!node_expect(n, JSON_STRING, "a JSON Pointer such as \"/token\""))
		return false;
	const struct str text = node_str(n);
	if (str_starts(text, STR("$"))) {
		node_error(n, "write a JSON Pointer: \"/a/b/0/c\"", "JSONPath is not supported by this version");
		return false;
	}
	if (!jsonscan_pointer_parse(text, c->arena, &p, &at, &why)) {
		node_part_error(n, at, 1, "for example \"/groups/0/id\"", "%s", why);
		return false;
	}
	*ret_secret = p.count > 0 && secret_name(p.tokens[p.count - 1].key);
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

/* "200", "2xx" or "200-299". */
static bool parse_status(struct str s, struct status_range *ret)
{
	uint64_t low, high;
	if (s.len == 3 && s.p[0] >= '1' && s.p[0] <= '5' && s.p[1] == 'x' && s.p[2] == 'x') {
		low = (uint64_t)(s.p[0] - '0') * 100;
		high = low + 99;
	} else {
		const size_t dash = str_find(s, '-');
		if (!str_to_u64(str_first(s, dash), &low))
			return false;
		high = low;
		if (dash < s.len && !str_to_u64(str_from_at(s, dash + 1), &high))
			return false;
	}
	if (low < 100 || high > 599 || low > high)
		return false;
	*ret = (struct status_range){ (uint16_t)low, (uint16_t)high };
	return true;
}

static void read_status(const struct node *n, struct rows *ranges, struct buf *text)
{
	static const char hint[] = "200, \"2xx\", \"200-299\", or a list of these; from 100 to 599";
	struct status_range r = { 0, 0 };
	const json_int_t number = json_integer_value(n->value); /* 0 when it is none */
	bool good = false;
	if (json_is_integer(n->value) && number >= 100 && number <= 599) {
		r = (struct status_range){ (uint16_t)number, (uint16_t)number };
		good = true;
	} else if (json_is_string(n->value)) {
		good = parse_status(node_str(n), &r);
	}
	if (!good) {
		node_error(n, hint, "this is not a status or a range of them");
		return;
	}
	buf_add(text, text->len ? STR(",") : STR("status "));
	if (json_is_string(n->value))
		buf_add(text, node_str(n));
	else
		buf_printf(text, "%u", r.low);
	rows_add(ranges, &r);
}

static void check_status(struct compiler *c, const struct node *n, struct check *check)
{
	struct rows ranges = ROWS(struct status_range);
	struct buf text;
	buf_init(&text, DOC_BYTES_MAX);
	if (json_is_array(n->value) && node_count(n) == 0)
		node_error(n, NULL, "the list of statuses is empty");
	if (!json_is_array(n->value))
		read_status(n, &ranges, &text);
	for (size_t i = 0; i < node_count(n); i++) {
		const struct node item = node_item(n, i);
		read_status(&item, &ranges, &text);
	}
	check->kind = CHECK_STATUS;
	check->range_count = ranges.count;
	check->ranges = rows_settle(&ranges, c->arena);
	check->text = arena_strdup(c->arena, buf_cstr(&text));
	buf_finish(&text);
}

static void read_equals(struct compiler *c, const struct node *n, struct check *check)
{
	char *text = json_dumps(n->value, JSON_ENCODE_ANY | JSON_COMPACT);
	must(text);
	check->kind = CHECK_JSON_EQUALS;
	check->equals_kind = json_is_string(n->value)    ? JSONSCAN_STRING
	                     : json_is_number(n->value)  ? JSONSCAN_NUMBER
	                     : json_is_boolean(n->value) ? JSONSCAN_BOOLEAN
	                                                 : JSONSCAN_NULL;
	const struct str value = json_is_string(n->value) ? node_str(n) : str_from(text);
	check->equals = (struct str){ arena_strndup(c->arena, value.p, value.len), value.len };
	if (json_is_object(n->value) || json_is_array(n->value))
		node_error(n, NULL, "\"equals\" must be a string, a number, true, false or null, not %s",
		           node_type_text(n));
	else if (json_is_string(n->value) && strstr(check->equals.p, "${"))
		node_error(n, NULL, "a template in \"equals\" is not supported by this version");
	free(text);
}

static void check_json(struct compiler *c, const struct node *n, const struct node *whole, struct check *check,
                       struct rows *pointers)
{
	struct node exists, equals;
	const bool has_exists = node_get(whole, "exists", &exists), has_equals = node_get(whole, "equals", &equals);
	const struct str at = json_is_string(n->value) ? node_str(n) : STR("");
	read_pointer(c, n, pointers, &check->pointer, &check->secret);
	if (has_exists == has_equals) {
		node_error(whole, "\"exists\": true, or \"equals\": a value",
		           "a check of \"json\" says either \"exists\" or \"equals\"");
		return;
	}
	if (has_equals) {
		read_equals(c, &equals, check);
		check->text = check->secret ? arena_printf(c->arena, "json %.*s equals ***", STR_ARG(at))
		                            : arena_printf(c->arena, "json %.*s equals %.*s", STR_ARG(at),
		                                           STR_ARG(str_first(check->equals, 80)));
		return;
	}
	check->kind = CHECK_JSON_EXISTS;
	check->exists = json_is_true(exists.value);
	check->text = arena_printf(c->arena, "json %.*s %s", STR_ARG(at), check->exists ? "exists" : "is absent");
	if (!json_is_boolean(exists.value))
		node_error(&exists, NULL, "\"exists\" must be true or false, not %s", node_type_text(&exists));
}

static void check_time(struct compiler *c, const struct node *n, struct check *check)
{
	static const enum comparison order[] = { COMPARISON_LESS_EQUAL, COMPARISON_GREATER_EQUAL, COMPARISON_LESS,
		                                 COMPARISON_GREATER };
	size_t bad, at = 0;
	if (!node_expect(n, JSON_STRING, "a comparison such as \"< 800ms\""))
		return;
	const struct str s = node_str(n);
	for (size_t i = 0; i < ARRAY_LEN(order) && at == 0; i++) {
		const struct str sign = str_from(comparison_text(order[i]));
		if (str_starts(s, sign)) {
			check->comparison = order[i];
			at = sign.len;
		}
	}
	if (at == 0) {
		node_part_error(n, 0, 1, "for example \"< 800ms\"", "a comparison is missing here");
		return;
	}
	while (at < s.len && s.p[at] == ' ')
		at++;
	const struct str written = str_from_at(s, at);
	if (!duration_parse(written, &check->time, &bad))
		node_part_error(n, at, written.len, "for example \"< 800ms\"", "this is not a duration");
	check->kind = CHECK_TIME;
	check->text = arena_printf(c->arena, "time %s %.*s", comparison_text(check->comparison), STR_ARG(written));
}

/* fail[i]: length of the longest proper prefix of needle[0..i] that is also its suffix. */
static const uint32_t *needle_failures(struct compiler *c, struct str needle)
{
	uint32_t *fail = arena_array(c->arena, uint32_t, needle.len);
	for (size_t i = 1; i < needle.len; i++) {
		uint32_t k = fail[i - 1];
		while (k > 0 && needle.p[i] != needle.p[k])
			k = fail[k - 1];
		fail[i] = k + (needle.p[i] == needle.p[k]);
	}
	return fail;
}

static void check_body(struct compiler *c, const struct node *n, struct check *check)
{
	struct node contains;
	if (!read_fields(c, n, body_fields, NULL) || !node_get(n, "contains", &contains) ||
	    !node_expect(&contains, JSON_STRING, "a string"))
		return;
	const struct str s = node_str(&contains);
	if (s.len == 0) {
		node_error(&contains, NULL, "every body contains the empty text");
		return;
	}
	if (memmem(s.p, s.len, "${", 2)) {
		node_error(&contains, NULL, "a template in \"contains\" is not supported by this version");
		return;
	}
	check->kind = CHECK_BODY_CONTAINS;
	check->needle = (struct str){ arena_strndup(c->arena, s.p, s.len), s.len };
	check->needle_fail = needle_failures(c, check->needle);
	check->text = arena_printf(c->arena, "body contains '%.*s'", STR_ARG(str_first(s, 80)));
}

static void compile_check(struct compiler *c, const struct node *n, struct step *step, struct rows *pointers)
{
	static const char *const subjects[] = { "status", "json", "time", "body" };
	struct check check = { .step = c->steps.count, .text = "" };
	struct node subject = { 0 }, member, stray;
	const size_t before = mistakes(c);
	int count = 0;
	if (!read_fields(c, n, check_fields, NULL))
		return;
	for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
		if (node_get(n, subjects[i], &member)) {
			subject = member;
			count++;
		}
	}
	if (count == 0 && mistakes(c) > before)
		return;
	if (count != 1) {
		node_error(n, "one of \"status\", \"json\", \"time\", \"body\"", "a check looks at exactly one thing");
		return;
	}
	const bool json = strcmp(subject.key, "json") == 0;
	if (!json && (node_get(n, "exists", &stray) || node_get(n, "equals", &stray)))
		node_key_error(&stray, NULL, "\"%s\" goes with \"json\" only", stray.key);
	if (json)
		check_json(c, &subject, n, &check, pointers);
	else if (strcmp(subject.key, "status") == 0)
		check_status(c, &subject, &check);
	else if (strcmp(subject.key, "time") == 0)
		check_time(c, &subject, &check);
	else
		check_body(c, &subject, &check);
	step->checks_status = step->checks_status || check.kind == CHECK_STATUS;
	step->reads_body = step->reads_body || check.kind == CHECK_BODY_CONTAINS;
	rows_add(&c->checks, &check);
	step->check_count++;
}

void compile_checks(struct compiler *c, const struct node *check, struct step *step, struct rows *pointers)
{
	if (!node_expect(check, JSON_ARRAY, "a list of checks"))
		return;
	if (node_count(check) > PROGRAM_CHECKS_MAX) {
		node_error(check, NULL, "more than %d checks in one step", PROGRAM_CHECKS_MAX);
		return;
	}
	for (size_t i = 0; i < node_count(check); i++) {
		const struct node item = node_item(check, i);
		compile_check(c, &item, step, pointers);
	}
}

static void compile_extract(struct compiler *c, const struct node *n, struct step *step, struct rows *pointers)
{
	struct extract e = { .text = "" };
	struct node json, header;
	bool secret = false;
	const uint32_t v = compile_variable(c, n);
	if (v != UINT32_MAX)
		c->in_scope[v] = true; /* also when the rest is wrong: one mistake is one message */
	const size_t before = mistakes(c);
	if (!read_fields(c, n, extract_fields, NULL))
		return;
	const bool has_json = node_get(n, "json", &json), has_header = node_get(n, "header", &header);
	if (!has_json && !has_header && mistakes(c) > before)
		return;
	if (has_json == has_header) {
		node_error(n, "{ \"json\": \"/token\" } or { \"header\": \"Location\" }",
		           "\"%s\" must be taken from exactly one place", n->key);
		return;
	}
	if (has_json) {
		if (!read_pointer(c, &json, pointers, &e.pointer, &secret))
			return;
		e.text = arena_printf(c->arena, "%s from json %.*s", n->key, STR_ARG(node_str(&json)));
	} else {
		if (!node_expect(&header, JSON_STRING, "the name of a header"))
			return;
		const struct str name = node_str(&header);
		e.kind = EXTRACT_HEADER;
		e.header = (struct str){ arena_strndup(c->arena, name.p, name.len), name.len };
		e.text = arena_printf(c->arena, "%s from header %s", n->key, e.header.p);
		secret = secret_name(name);
		step->reads_headers = true;
	}
	if (v == UINT32_MAX)
		return;
	e.variable = v;
	struct variable *variable = rows_at(&c->variables, struct variable, v);
	variable->secret = variable->secret || secret;
	rows_add(&c->extracts, &e);
	step->extract_count++;
}

void compile_extracts(struct compiler *c, const struct node *extract, struct step *step, struct rows *pointers)
{
	struct node member;
	if (!node_expect(extract, JSON_OBJECT, "an object of variables and where they come from"))
		return;
	if (json_object_size(extract->value) > PROGRAM_EXTRACTS_MAX) {
		node_error(extract, NULL, "more than %d extractions in one step", PROGRAM_EXTRACTS_MAX);
		return;
	}
	for (void *iter = NULL; node_each(extract, &iter, &member);)
		compile_extract(c, &member, step, pointers);
}
