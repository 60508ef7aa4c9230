/* compile_step.c: flows, steps, headers. */
#include "scenarios/compile.h"

#include "base/must.h"
#include "scenarios/pause.h"
#include "scenarios/target.h"

static const struct {
	const char *key, *method;
} methods[] = {
	{ "get", "GET" },       { "post", "POST" }, { "put", "PUT" },         { "patch", "PATCH" },
	{ "delete", "DELETE" }, { "head", "HEAD" }, { "options", "OPTIONS" },
};

struct step_text {
	const char *name;
	dur_ns timeout;
};

static const struct field step_fields[] = {
	{ .key = "name",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct step_text, name),
	  .help = "What reports call it; METHOD and path when absent." },
	{ .key = "get", .type = FIELD_NODE, .help = "The path to GET." },
	{ .key = "post", .type = FIELD_NODE, .help = "The path to POST to." },
	{ .key = "put", .type = FIELD_NODE, .help = "The path to PUT to." },
	{ .key = "patch", .type = FIELD_NODE, .help = "The path to PATCH." },
	{ .key = "delete", .type = FIELD_NODE, .help = "The path to DELETE." },
	{ .key = "head", .type = FIELD_NODE, .help = "The path to ask the HEAD of." },
	{ .key = "options", .type = FIELD_NODE, .help = "The path to ask the OPTIONS of." },
	{ .key = "pause", .type = FIELD_NODE, .help = "\"1s\", \"1s..3s\" or \"exp:2s\"." },
	{ .key = "headers", .type = FIELD_NODE, .help = "Names and values; replace defaults of the same name." },
	{ .key = "json", .type = FIELD_NODE, .help = "The body as JSON." },
	{ .key = "body", .type = FIELD_NODE, .help = "The body as text." },
	{ .key = "timeout",
	  .type = FIELD_DURATION,
	  .offset = offsetof(struct step_text, timeout),
	  .min = MILLISECOND,
	  .max = HOUR,
	  .help = "Longest time for the whole exchange." },
	{ .key = "check", .type = FIELD_NODE, .help = "What must hold for the answer." },
	{ .key = "extract", .type = FIELD_NODE, .help = "Variables taken from the answer." },
	{ .key = "query", .type = FIELD_NODE, .help = not_yet },
	{ .key = "form", .type = FIELD_NODE, .help = not_yet },
	{ .key = "multipart", .type = FIELD_NODE, .help = not_yet },
	{ .key = "file", .type = FIELD_NODE, .help = not_yet },
	{ .key = "cookies", .type = FIELD_NODE, .help = not_yet },
	{ .key = "repeat", .type = FIELD_NODE, .help = not_yet },
	{ .key = "if", .type = FIELD_NODE, .help = not_yet },
	{ .key = "group", .type = FIELD_NODE, .help = not_yet },
	{ .key = "pace", .type = FIELD_NODE, .help = not_yet },
	{ .key = "retry", .type = FIELD_NODE, .help = not_yet },
	{ .key = "redirects", .type = FIELD_NODE, .help = not_yet },
	{ 0 },
};

struct flow_text {
	int64_t weight;
};

static const struct field flow_fields[] = {
	{ .key = "weight",
	  .type = FIELD_INTEGER,
	  .offset = offsetof(struct flow_text, weight),
	  .min = 0,
	  .max = 1000000,
	  .def = "1",
	  .help = "Its share of the iterations, beside the other flows." },
	{ .key = "steps", .type = FIELD_NODE, .required = true, .help = "A list of requests and pauses." },
	{ .key = "pace", .type = FIELD_NODE, .help = not_yet },
	{ 0 },
};

static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		const unsigned char c = (unsigned char)s.p[i];
		if (c <= 0x20 || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c))
			return false;
	}
	return s.len > 0;
}

static bool has_line_break(const struct template *t)
{
	for (uint32_t i = 0; i < t->count; i++) {
		const struct segment *s = &t->segments[i];
		if (s->kind == SEGMENT_LITERAL &&
		    (memchr(s->text.p, '\r', s->text.len) || memchr(s->text.p, '\n', s->text.len)))
			return true;
	}
	return false;
}

/* Replaces the header of the same name, or adds it. */
static bool put_header(struct rows *into, const struct header_template *h)
{
	for (uint32_t i = 0; i < into->count; i++) {
		struct header_template *old = rows_at(into, struct header_template, i);
		if (str_eq_nocase(old->name, h->name)) {
			*old = *h;
			return true;
		}
	}
	if (into->count == PROGRAM_HEADERS_MAX)
		return false;
	rows_add(into, h);
	return true;
}

static void compile_header(struct compiler *c, const struct node *n, struct rows *into)
{
	static const char *const ours[] = { "Host", "Content-Length", "Transfer-Encoding", "Connection", NULL };
	const struct str name = str_from(n->key);
	for (size_t i = 0; ours[i]; i++) {
		if (str_eq_nocase(name, str_from(ours[i]))) {
			node_key_error(n, NULL, "the header \"%s\" is set by weir itself", ours[i]);
			return;
		}
	}
	if (!is_token(name)) {
		node_key_error(n, NULL, "\"%.*s\" cannot name a header", STR_ARG(str_first(name, 60)));
		return;
	}
	struct header_template h = { .secret = secret_name(name) };
	h.name = (struct str){ arena_strndup(c->arena, name.p, name.len), name.len };
	h.value = compile_text(c, n, ESCAPE_HEADER, h.secret);
	if (has_line_break(&h.value))
		node_error(n, NULL, "a header value cannot hold a line break");
	if (!put_header(into, &h))
		node_key_error(n, NULL, "more than %d headers", PROGRAM_HEADERS_MAX);
}

void compile_headers(struct compiler *c, const struct node *headers, struct rows *into)
{
	struct node member;
	if (!node_expect(headers, JSON_OBJECT, "an object of names and values"))
		return;
	for (void *iter = NULL; node_each(headers, &iter, &member);)
		compile_header(c, &member, into);
}

/* The first byte that cannot stand in a request line, or path.len. Slots are escaped when they are rendered. */
static size_t path_mistake(struct str path)
{
	size_t at = 0;
	while (at < path.len) {
		const struct str rest = str_from_at(path, at);
		if (str_starts(rest, STR("$${")))
			at += 3;
		else if (str_starts(rest, STR("${")))
			at += str_find(rest, '}') + 1;
		else if (target_path_span(str_first(rest, 1)) == 0)
			return at;
		else
			at++;
	}
	return path.len;
}

static struct template compile_path(struct compiler *c, const struct node *n)
{
	struct weaver w;
	weaver_init(&w, c, ESCAPE_URL);
	weave_literal(&w, c->program->target.base_path, false);
	if (!node_expect(n, JSON_STRING, "a path such as \"/api/me\""))
		return weaver_finish(&w);
	const struct str path = node_str(n);
	const size_t bad = path_mistake(path);
	if (path.len == 0 || path.p[0] != '/')
		node_part_error(n, 0, path.len, "the path on the target, for example \"/api/me\"",
		                str_starts(path, STR("http"))
		                        ? "an absolute URL in a step is not supported by this version"
		                        : "a path begins with \"/\"");
	else if (bad < path.len)
		node_part_error(n, bad, 1, "a blank is written %20, \"#\" is written %23",
		                "this cannot stand in the path of a request");
	else
		weave_text(&w, n, path, 0, false);
	return weaver_finish(&w);
}

static void compile_body(struct compiler *c, const struct node *n, struct step *step, struct rows *headers)
{
	struct node json, body;
	const bool has_json = node_get(n, "json", &json), has_body = node_get(n, "body", &body);
	if (has_json && has_body)
		node_key_error(&body, NULL, "a step has either \"json\" or \"body\"");
	step->has_body = has_json || has_body;
	step->body_is_text = has_body;
	if (has_body)
		step->body = compile_text(c, &body, ESCAPE_NONE, false);
	if (!has_json)
		return;
	step->body = compile_json(c, &json);
	for (uint32_t i = 0; i < headers->count; i++)
		if (str_eq_nocase(rows_at(headers, struct header_template, i)->name, STR("Content-Type")))
			return;
	struct weaver w;
	weaver_init(&w, c, ESCAPE_HEADER);
	weave_literal(&w, STR("application/json"), false);
	const struct header_template type = { .name = STR("Content-Type"), .value = weaver_finish(&w) };
	put_header(headers, &type);
}

/* "METHOD /path" without the query, which may hold values. */
static const char *own_name(struct compiler *c, const char *method, const struct node *path)
{
	const struct str s = json_is_string(path->value) ? node_str(path) : STR("");
	return arena_printf(c->arena, "%s %.*s", method, STR_ARG(str_first(s, str_find(s, '?'))));
}

static void compile_plan(struct compiler *c, struct step *step, struct rows *pointers)
{
	for (uint32_t i = 0; i < pointers->count; i++) {
		const uint32_t tokens = rows_at(pointers, struct jsonscan_pointer, i)->count;
		step->plan.deepest = tokens > step->plan.deepest ? tokens : step->plan.deepest;
	}
	step->plan.count = pointers->count;
	step->plan.pointers = rows_settle(pointers, c->arena);
	step->reads_body = step->reads_body || step->plan.count > 0;
}

static void expect_new_name(struct compiler *c, const struct node *n, const struct flow *flow, const char *name)
{
	struct node named;
	for (uint32_t i = flow->first_step; i < c->steps.count; i++) {
		if (strcmp(rows_at(&c->steps, struct step, i)->name, name) != 0)
			continue;
		if (node_get(n, "name", &named))
			node_error(&named, NULL, "another step of this flow is called \"%s\"", name);
		else
			node_error(n, "give it a \"name\"", "another step of this flow is called \"%s\"", name);
		return;
	}
}

static void compile_request(struct compiler *c, const struct node *n, const struct flow *flow, const char *method,
                            const struct node *path)
{
	struct step_text text = { .timeout = c->default_timeout };
	struct rows headers = ROWS(struct header_template), pointers = ROWS(struct jsonscan_pointer);
	struct node member;
	struct step step = {
		.method = method,
		.flow = c->flows.count,
		.first_check = c->checks.count,
		.first_extract = c->extracts.count,
	};
	read_fields(c, n, step_fields, &text);
	step.name = text.name && *text.name ? text.name : own_name(c, method, path);
	step.timeout = text.timeout;
	expect_new_name(c, n, flow, step.name);
	step.path = compile_path(c, path);
	for (uint32_t i = 0; i < c->default_headers.count; i++)
		rows_add(&headers, rows_at(&c->default_headers, struct header_template, i));
	if (node_get(n, "headers", &member))
		compile_headers(c, &member, &headers);
	compile_body(c, n, &step, &headers);
	step.header_count = headers.count;
	step.headers = rows_settle(&headers, c->arena);
	if (node_get(n, "check", &member))
		compile_checks(c, &member, &step, &pointers);
	if (node_get(n, "extract", &member))
		compile_extracts(c, &member, &step, &pointers);
	compile_plan(c, &step, &pointers);
	const struct instruction request = { OP_REQUEST, rows_add(&c->steps, &step) };
	rows_add(&c->code, &request);
}

static void compile_pause(struct compiler *c, const struct node *n, const struct node *value)
{
	struct step_text ignored = { 0 };
	struct pause p;
	struct node member;
	size_t at;
	const char *why;
	read_fields(c, n, step_fields, &ignored);
	for (void *iter = NULL; node_each(n, &iter, &member);) {
		for (const struct field *f = step_fields; f->type != FIELD_END; f++) {
			if (strcmp(f->key, member.key) == 0 && f->help != not_yet && strcmp(f->key, "pause") != 0 &&
			    strcmp(f->key, "name") != 0)
				node_key_error(&member, NULL, "\"%s\" means nothing beside \"pause\"", member.key);
		}
	}
	if (!node_expect(value, JSON_STRING, "a pause such as \"1s\", \"1s..3s\" or \"exp:2s\""))
		return;
	const struct str s = node_str(value);
	if (!pause_parse(s, &p, &at, &why)) {
		node_part_error(value, at, s.len - (at < s.len ? at : s.len), "\"1s\", \"1s..3s\" or \"exp:2s\"", "%s",
		                why);
		return;
	}
	const struct instruction pause = { OP_PAUSE, rows_add(&c->pauses, &p) };
	rows_add(&c->code, &pause);
}

static void compile_step(struct compiler *c, const struct node *n, const struct flow *flow)
{
	struct node path = { 0 }, pause, member;
	const char *method = NULL;
	size_t count = 0;
	if (!node_expect(n, JSON_OBJECT, "an object"))
		return;
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		if (node_get(n, methods[i].key, &member)) {
			path = member;
			method = methods[i].method;
			count++;
		}
	}
	const bool has_pause = node_get(n, "pause", &pause);
	if (has_pause && count == 0) {
		compile_pause(c, n, &pause);
		return;
	}
	if (count + has_pause == 1) {
		compile_request(c, n, flow, method, &path);
		return;
	}
	struct step_text ignored = { 0 };
	const size_t before = mistakes(c);
	read_fields(c, n, step_fields, &ignored);
	if (count > 0 || mistakes(c) == before)
		node_error(n,
		           "one of \"get\", \"post\", \"put\", \"patch\", \"delete\", \"head\", \"options\", \"pause\"",
		           "a step does exactly one thing");
}

void compile_flow(struct compiler *c, const struct node *n)
{
	struct flow_text text = { .weight = 1 };
	struct node steps;
	struct flow flow = {
		.name = arena_strdup(c->arena, n->key),
		.first_instruction = c->code.count,
		.first_step = c->steps.count,
	};
	for (uint32_t i = 0; i < c->variables.count; i++)
		c->in_scope[i] = rows_at(&c->variables, struct variable, i)->has_value;
	const bool readable = read_fields(c, n, flow_fields, &text);
	if (readable && node_get(n, "steps", &steps) && node_expect(&steps, JSON_ARRAY, "a list of steps")) {
		for (size_t i = 0; i < node_count(&steps) && c->steps.count < PROGRAM_STEPS_MAX; i++) {
			const struct node item = node_item(&steps, i);
			compile_step(c, &item, &flow);
		}
		if (c->steps.count == PROGRAM_STEPS_MAX)
			node_error(&steps, NULL, "%d steps or more in one scenario", PROGRAM_STEPS_MAX);
		if (node_count(&steps) == 0)
			node_error(&steps, NULL, "the flow \"%s\" has no steps", flow.name);
		else if (doc_ok(c->doc) && c->steps.count == flow.first_step)
			node_error(&steps, NULL, "the flow \"%s\" has no request", flow.name);
	}
	const struct instruction end = { OP_END, 0 };
	rows_add(&c->code, &end);
	flow.weight = (uint32_t)text.weight;
	flow.instruction_count = c->code.count - flow.first_instruction;
	flow.step_count = c->steps.count - flow.first_step;
	rows_add(&c->flows, &flow);
}
