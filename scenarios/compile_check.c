/* compile_check.c: "check" and "extract" of a step. */
#include "scenarios/compile.h"

#include <stdlib.h>

#include "base/must.h"
#include "base/units.h"
#include "scenarios/number.h"

const struct field check_fields[] = {
	{ .key = "status", .type = FIELD_NODE, .help = "200, \"2xx\", \"200-299\", or a list of these." },
	{ .key = "json", .type = FIELD_NODE, .help = "A JSON Pointer or a path into the body." },
	{ .key = "header", .type = FIELD_NODE, .help = "The name of a response header." },
	{ .key = "cookie", .type = FIELD_NODE, .help = "The name of a cookie that the answer sets." },
	{ .key = "regex", .type = FIELD_NODE, .help = "A pattern for the body." },
	{ .key = "group", .type = FIELD_NODE, .help = "With \"regex\": the group that is looked at." },
	{ .key = "exists", .type = FIELD_NODE, .help = "Whether there must be a value." },
	{ .key = "equals", .type = FIELD_NODE, .help = "The string, number, true, false or null that must be there." },
	{ .key = "contains", .type = FIELD_NODE, .help = "A text that must be in the value." },
	{ .key = "matches", .type = FIELD_NODE, .help = "A pattern that the value must match." },
	{ .key = "time", .type = FIELD_NODE, .help = "The response time: \"< 800ms\"." },
	{ .key = "body", .type = FIELD_NODE, .help = "\"contains\", \"equals\" or \"size\" of the body." },
	{ 0 },
};

const struct field body_check_fields[] = {
	{ .key = "contains", .type = FIELD_NODE, .help = "The text that the body must contain." },
	{ .key = "equals", .type = FIELD_NODE, .help = "The text that the body must be." },
	{ .key = "size", .type = FIELD_NODE, .help = "The number of bytes: \"< 10000\"." },
	{ 0 },
};

struct extract_text {
	bool optional;
};

const struct field extract_fields[] = {
	{ .key = "json", .type = FIELD_NODE, .help = "A JSON Pointer or a path into the body." },
	{ .key = "header", .type = FIELD_NODE, .help = "The name of a response header." },
	{ .key = "cookie", .type = FIELD_NODE, .help = "The name of a cookie that the answer sets." },
	{ .key = "regex", .type = FIELD_NODE, .help = "A pattern for the body; its first group is taken." },
	{ .key = "group", .type = FIELD_NODE, .help = "With \"regex\": another group; 0 is the whole match." },
	{ .key = "optional",
	  .type = FIELD_BOOLEAN,
	  .offset = offsetof(struct extract_text, optional),
	  .help = "Finding nothing is no failure." },
	{ 0 },
};

/* --- statuses and comparisons --- */

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

bool read_status(const struct node *n, struct rows *ranges)
{
	struct status_range r = { 0, 0 };
	const json_int_t number = json_integer_value(n->value); /* 0 when it is none */
	if (json_is_integer(n->value) && number >= 100 && number <= 599)
		r = (struct status_range){ (uint16_t)number, (uint16_t)number };
	else if (!json_is_string(n->value) || !parse_status(node_str(n), &r))
		return false;
	rows_add(ranges, &r);
	return true;
}

static void expect_status(const struct node *n, struct rows *ranges, struct buf *text)
{
	if (!read_status(n, ranges)) {
		node_error(n, "200, \"2xx\", \"200-299\", or a list of these; from 100 to 599",
		           "this is not a status or a range of them");
		return;
	}
	buf_add(text, text->len ? STR(",") : STR("status "));
	if (json_is_string(n->value))
		buf_add(text, node_str(n));
	else
		buf_printf(text, "%d", (int)json_integer_value(n->value));
}

static void check_status(struct compiler *c, const struct node *n, struct check *check)
{
	struct rows ranges = ROWS(struct status_range);
	struct buf text;
	buf_init(&text, DOC_BYTES_MAX);
	if (json_is_array(n->value) && node_count(n) == 0)
		node_error(n, NULL, "the list of statuses is empty");
	if (!json_is_array(n->value))
		expect_status(n, &ranges, &text);
	for (size_t i = 0; i < node_count(n); i++) {
		const struct node item = node_item(n, i);
		expect_status(&item, &ranges, &text);
	}
	check->kind = CHECK_STATUS;
	check->range_count = ranges.count;
	check->ranges = rows_settle(&ranges, c->arena);
	check->text = arena_strdup(c->arena, buf_cstr(&text));
	buf_finish(&text);
}

bool read_comparison(const struct node *n, const char *hint, enum comparison *ret, size_t *ret_at)
{
	/* The longer ones first. */
	static const enum comparison order[] = { COMPARISON_LESS_EQUAL, COMPARISON_GREATER_EQUAL, COMPARISON_LESS,
		                                 COMPARISON_GREATER };
	const struct str s = node_str(n);
	size_t at = 0;
	for (size_t i = 0; i < ARRAY_LEN(order) && at == 0; i++) {
		const struct str sign = str_from(comparison_text(order[i]));
		if (!str_starts(s, sign))
			continue;
		*ret = order[i];
		at = sign.len;
	}
	if (at == 0) {
		node_part_error(n, 0, 1, hint, "a comparison is missing here");
		return false;
	}
	while (at < s.len && s.p[at] == ' ')
		at++;
	*ret_at = at;
	return true;
}

static void check_time(struct compiler *c, const struct node *n, struct check *check)
{
	static const char hint[] = "for example \"< 800ms\"";
	size_t bad, at;
	dur_ns time = 0;
	if (!node_expect(n, JSON_STRING, "a comparison such as \"< 800ms\"") ||
	    !read_comparison(n, hint, &check->comparison, &at))
		return;
	const struct str written = str_from_at(node_str(n), at);
	if (!duration_parse(written, &time, &bad))
		node_part_error(n, at, written.len, hint, "this is not a duration");
	check->kind = CHECK_TIME;
	check->limit = (double)time;
	check->text = arena_printf(c->arena, "time %s %.*s", comparison_text(check->comparison), STR_ARG(written));
}

/* --- the body as a whole --- */

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

static void check_text(struct compiler *c, const struct node *n, bool whole, struct check *check)
{
	if (!node_expect(n, JSON_STRING, "a string"))
		return;
	const struct str s = node_str(n);
	if (s.len == 0 && !whole) {
		node_error(n, NULL, "every body contains the empty text");
		return;
	}
	if (memmem(s.p, s.len, "${", 2)) {
		node_error(n, "a \"regex\", or \"json\" with \"equals\"",
		           "there can be no template in a check of the whole body");
		return;
	}
	check->kind = whole ? CHECK_BODY_EQUALS : CHECK_BODY_CONTAINS;
	check->needle = keep_str(c, s);
	check->needle_fail = whole ? NULL : needle_failures(c, check->needle);
	check->text = arena_printf(c->arena, "body %s '%.*s'", whole ? "equals" : "contains",
	                           STR_ARG(str_first(s, 80)));
}

static void check_size(struct compiler *c, const struct node *n, struct check *check)
{
	static const char hint[] = "a number of bytes: \"< 10000\"";
	uint64_t bytes;
	size_t at;
	if (!node_expect(n, JSON_STRING, "a comparison such as \"< 10000\"") ||
	    !read_comparison(n, hint, &check->comparison, &at))
		return;
	const struct str written = str_from_at(node_str(n), at);
	if (!str_to_u64(written, &bytes)) {
		node_part_error(n, at, written.len, hint, "this is no number of bytes");
		return;
	}
	check->kind = CHECK_BODY_SIZE;
	check->limit = (double)bytes;
	check->text = arena_printf(c->arena, "body size %s %.*s", comparison_text(check->comparison), STR_ARG(written));
}

static void check_body(struct compiler *c, const struct node *n, struct check *check)
{
	struct node contains, equals, size;
	const size_t before = mistakes(c);
	if (!read_fields(c, n, body_check_fields, NULL))
		return;
	const bool has_contains = node_get(n, "contains", &contains), has_equals = node_get(n, "equals", &equals);
	const bool has_size = node_get(n, "size", &size);
	if (has_contains + has_equals + has_size != 1) {
		if (mistakes(c) == before)
			node_error(n, "\"contains\": \"text\", \"equals\": \"text\", or \"size\": \"< 10000\"",
			           "a check of the body says exactly one thing");
		return;
	}
	if (has_size)
		check_size(c, &size, check);
	else
		check_text(c, has_equals ? &equals : &contains, has_equals, check);
}

/* --- values --- */

static void read_equals(struct compiler *c, const struct node *n, const char *name, struct check *check)
{
	struct weaver w;
	char *text = number_text(n->value);
	check->kind = CHECK_EQUALS;
	check->equals_kind = json_is_string(n->value)    ? JSONSCAN_STRING
	                     : json_is_number(n->value)  ? JSONSCAN_NUMBER
	                     : json_is_boolean(n->value) ? JSONSCAN_BOOLEAN
	                                                 : JSONSCAN_NULL;
	if (json_is_object(n->value) || json_is_array(n->value))
		node_error(n, NULL, "\"equals\" must be a string, a number, true, false or null, not %s",
		           node_type_text(n));
	else if (check->source.kind != SOURCE_JSON && !json_is_string(n->value))
		node_error(n, NULL, "\"equals\" must be a string here, not %s", node_type_text(n));
	weaver_init(&w, c, ESCAPE_NONE);
	if (json_is_string(n->value))
		weave_text(&w, n, node_str(n), 0, check->secret);
	else
		weave_literal(&w, str_from(text), check->secret);
	check->value = weaver_finish(&w);
	const struct str shown = json_is_string(n->value) ? node_str(n) : str_from(text);
	check->text = check->secret ? arena_printf(c->arena, "%s equals ***", name)
	                            : arena_printf(c->arena, "%s equals %.*s", name, STR_ARG(str_first(shown, 80)));
	free(text);
}

static void read_exists(struct compiler *c, const struct node *n, const char *name, struct check *check)
{
	check->kind = CHECK_EXISTS;
	check->exists = !n || json_is_true(n->value);
	check->text = arena_printf(c->arena, "%s %s", name, check->exists ? "exists" : "is absent");
	if (n && !json_is_boolean(n->value))
		node_error(n, NULL, "\"exists\" must be true or false, not %s", node_type_text(n));
}

static void read_contains(struct compiler *c, const struct node *n, const char *name, struct check *check)
{
	check->kind = CHECK_CONTAINS;
	check->value = compile_text(c, n, ESCAPE_NONE, check->secret);
	const struct str shown = !json_is_string(n->value) ? STR("") : check->secret ? STR("***") : node_str(n);
	check->text = arena_printf(c->arena, "%s contains '%.*s'", name, STR_ARG(str_first(shown, 80)));
}

static void read_matches(struct compiler *c, const struct node *n, const char *name, struct check *check)
{
	check->kind = CHECK_MATCHES;
	const struct str shown = !json_is_string(n->value) ? STR("") : check->secret ? STR("***") : node_str(n);
	check->text = arena_printf(c->arena, "%s matches %.*s", name, STR_ARG(str_first(shown, 80)));
	compile_pattern(c, n, &check->pattern);
}

static void check_value(struct compiler *c, const struct node *n, struct check *check, struct step_parts *parts)
{
	static const struct {
		const char *key;
		void (*read)(struct compiler *c, const struct node *n, const char *name, struct check *check);
	} claims[] = { { "exists", read_exists },
		       { "equals", read_equals },
		       { "contains", read_contains },
		       { "matches", read_matches } };
	struct node member, claim;
	const char *name;
	size_t count = 0, which = 0;
	compile_source(c, n, parts, &check->source, &name, &check->secret);
	for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
		if (!node_get(n, claims[i].key, &member))
			continue;
		claim = member;
		which = i;
		count++;
	}
	if (count == 1)
		claims[which].read(c, &claim, name, check);
	else if (count == 0 && check->source.kind == SOURCE_REGEX)
		read_exists(c, NULL, name, check); /* a pattern alone says that it is found */
	else
		node_error(n,
		           "\"exists\": true, \"equals\": a value, \"contains\": \"text\", or \"matches\": \"pattern\"",
		           "a check of \"%s\" says exactly one thing of it", source_key(n));
}

static void compile_check(struct compiler *c, const struct node *n, struct step_parts *parts)
{
	static const char *const subjects[] = { "status", "time", "body", "json", "header", "cookie", "regex" };
	static const char *const claims[] = { "exists", "equals", "contains", "matches", "group" };
	struct step *step = parts->step;
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
		node_error(n, "one of \"status\", \"time\", \"body\", \"json\", \"header\", \"cookie\", \"regex\"",
		           "a check looks at exactly one thing");
		return;
	}
	const bool is_value = source_key(n) != NULL;
	for (size_t i = 0; !is_value && i < ARRAY_LEN(claims); i++)
		if (node_get(n, claims[i], &stray))
			node_key_error(&stray, NULL, "\"%s\" means nothing beside \"%s\"", stray.key, subject.key);
	if (is_value)
		check_value(c, n, &check, parts);
	else if (strcmp(subject.key, "status") == 0)
		check_status(c, &subject, &check);
	else if (strcmp(subject.key, "time") == 0)
		check_time(c, &subject, &check);
	else
		check_body(c, &subject, &check);
	const bool searches = check.kind == CHECK_BODY_CONTAINS || check.kind == CHECK_BODY_EQUALS;
	step->checks_status = step->checks_status || check.kind == CHECK_STATUS;
	step->searches_body = step->searches_body || searches;
	step->reads_body = step->reads_body || searches || check.kind == CHECK_BODY_SIZE;
	rows_add(&c->checks, &check);
	step->check_count++;
}

void compile_checks(struct compiler *c, const struct node *check, struct step_parts *parts)
{
	if (!node_expect(check, JSON_ARRAY, "a list of checks"))
		return;
	if (node_count(check) > PROGRAM_CHECKS_MAX) {
		node_error(check, NULL, "more than %d checks in one step", PROGRAM_CHECKS_MAX);
		return;
	}
	for (size_t i = 0; i < node_count(check); i++) {
		const struct node item = node_item(check, i);
		compile_check(c, &item, parts);
	}
}

/* --- extractions --- */

static void compile_extract(struct compiler *c, const struct node *n, struct step_parts *parts)
{
	static const char *const sources[] = { "json", "header", "cookie", "regex" };
	struct extract_text text = { 0 };
	struct extract e = { .text = "" };
	struct node member;
	const char *name;
	bool secret = false;
	int count = 0;
	const uint32_t v = compile_variable(c, n);
	const size_t before = mistakes(c);
	const bool readable = read_fields(c, n, extract_fields, &text);
	/* Also when the rest is wrong: one mistake is one message. */
	if (v != PROGRAM_NONE)
		c->scope[v] = text.optional ? SCOPE_MAYBE : SCOPE_SURE;
	for (size_t i = 0; i < ARRAY_LEN(sources); i++)
		count += node_get(n, sources[i], &member);
	if (!readable || (count == 0 && mistakes(c) > before))
		return;
	if (count != 1) {
		node_error(n, "{ \"json\": \"/token\" }, { \"header\": \"Location\" }, a \"cookie\", or a \"regex\"",
		           "\"%s\" must be taken from exactly one place", n->key);
		return;
	}
	if (!compile_source(c, n, parts, &e.source, &name, &secret) || v == PROGRAM_NONE)
		return;
	e.text = arena_printf(c->arena, "%s from %s", n->key, name);
	e.variable = v;
	e.optional = text.optional;
	struct variable *variable = rows_at(&c->variables, struct variable, v);
	variable->secret = variable->secret || secret;
	rows_add(&c->extracts, &e);
	parts->step->extract_count++;
}

void compile_extracts(struct compiler *c, const struct node *extract, struct step_parts *parts)
{
	struct node member;
	if (!node_expect(extract, JSON_OBJECT, "an object of variables and where they come from"))
		return;
	if (json_object_size(extract->value) > PROGRAM_EXTRACTS_MAX) {
		node_error(extract, NULL, "more than %d extractions in one step", PROGRAM_EXTRACTS_MAX);
		return;
	}
	for (void *iter = NULL; node_each(extract, &iter, &member);)
		compile_extract(c, &member, parts);
}
