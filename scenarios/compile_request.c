/* compile_request.c: one request: where to, headers, what is sent, how often again. */
#include "scenarios/compile.h"

#include "base/must.h"
#include "scenarios/pause.h"
#include "scenarios/target.h"

struct retry_text {
	int64_t attempts;
};

const struct field retry_fields[] = {
	{ .key = "attempts",
	  .type = FIELD_INTEGER,
	  .offset = offsetof(struct retry_text, attempts),
	  .required = true,
	  .min = 2,
	  .max = 100,
	  .help = "How often it is sent at most, the first time included." },
	{ .key = "on",
	  .type = FIELD_NODE,
	  .help = "\"transport\" and statuses; [\"transport\", \"5xx\"] when absent." },
	{ .key = "delay", .type = FIELD_NODE, .help = "A pause before each new attempt." },
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

bool has_header(const struct rows *headers, const char *name)
{
	for (uint32_t i = 0; i < headers->count; i++)
		if (str_eq_nocase(rows_at(headers, struct header_template, i)->name, str_from(name)))
			return true;
	return false;
}

bool put_header(struct rows *into, const struct header_template *h)
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

void drop_header(struct rows *headers, const char *name)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < headers->count; i++) {
		const struct header_template h = *rows_at(headers, struct header_template, i);
		if (!str_eq_nocase(h.name, str_from(name)))
			*rows_at(headers, struct header_template, kept++) = h;
	}
	headers->count = kept;
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
	struct header_template h = { .name = keep_str(c, name), .secret = secret_name(name) };
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

static struct target *own_target(struct compiler *c, const struct target *t)
{
	struct target *kept = arena_new(c->arena, struct target);
	*kept = *t;
	return kept;
}

/* An absolute URL, whose host is written out. Returns where its path begins. */
static size_t compile_origin(struct compiler *c, const struct node *n, struct step *step)
{
	const struct str url = node_str(n);
	const size_t path_at = target_path_at(url);
	struct target own;
	size_t at;
	const char *why;
	if (target_parse(str_first(url, path_at), c->arena, &own, &at, &why))
		step->target = own_target(c, &own);
	else
		node_part_error(n, at, path_at - at,
		                "behind the host slots may stand, or one in place of all of it: ${env.OTHER}/path",
		                "%s", why);
	return path_at;
}

/* ${env.NAME} at the beginning: another target, as "target" itself, or the beginning of a path. Returns where the rest of
 * the path begins, and what of it the variable holds. */
static size_t compile_env_origin(struct compiler *c, const struct node *n, struct step *step, struct str *ret_path)
{
	const struct str url = node_str(n), slot = str_first(url, str_find(url, '}') + 1);
	struct str value;
	struct target own;
	size_t at;
	const char *why;
	if (!compile_constant_part(c, n, slot, &value))
		return slot.len;
	if (value.len && value.p[0] == '/')
		*ret_path = value;
	else if (target_parse(value, c->arena, &own, &at, &why))
		step->target = own_target(c, &own);
	else
		node_part_error(n, 0, slot.len, "its value may be a URL, or a path that begins with \"/\"", "%s", why);
	return slot.len;
}

static void weave_path(struct weaver *w, const struct node *n, struct step *step)
{
	if (!node_expect(n, JSON_STRING, "a path such as \"/api/me\""))
		return;
	const struct str url = node_str(n);
	const size_t before = mistakes(w->compiler);
	struct str begin = { "", 0 };
	size_t at = 0;
	if (str_starts(url, STR("http://")) || str_starts(url, STR("https://")))
		at = compile_origin(w->compiler, n, step);
	else if (str_starts(url, STR("${env.")) && str_find(url, '}') < url.len)
		at = compile_env_origin(w->compiler, n, step, &begin);
	const struct str path = str_from_at(url, at);
	const size_t bad = path_mistake(path);
	if (mistakes(w->compiler) > before)
		return;
	weave_literal(w, step->target->base_path, false);
	weave_literal(w, begin, false);
	if (at > 0 && path.len == 0 && begin.len == 0)
		weave_literal(w, STR("/"), false);
	else if (begin.len == 0 && (path.len == 0 || path.p[0] != '/'))
		node_part_error(n, at, path.len, "the path on the target, for example \"/api/me\"",
		                "a path begins with \"/\"");
	else if (bad < path.len)
		node_part_error(n, at + bad, 1, "a blank is written %20, \"#\" is written %23",
		                "this cannot stand in the path of a request");
	else if (target_path_span(begin) < begin.len)
		node_part_error(n, 0, at, "a blank is written %20, \"#\" is written %23",
		                "what this variable holds cannot stand in the path of a request");
	else
		weave_text(w, n, path, at, false);
}

static void compile_path(struct compiler *c, const struct node *n, const struct node *path, struct step *step)
{
	struct weaver w;
	struct node query;
	weaver_init(&w, c, ESCAPE_URL);
	step->target = &c->program->target;
	weave_path(&w, path, step);
	if (node_get(n, "query", &query)) {
		const bool has_query = json_is_string(path->value) &&
		                       str_find(node_str(path), '?') < node_str(path).len;
		if (json_is_object(query.value) && json_object_size(query.value) > 0)
			weave_literal(&w, has_query ? STR("&") : STR("?"), false);
		w.escape = ESCAPE_FORM;
		weave_pairs(&w, &query);
		w.escape = ESCAPE_URL;
	}
	step->path = weaver_finish(&w);
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
	step->reads_body = step->reads_body || step->keeps_window || step->plan.count > 0;
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

static void read_retry_reason(const struct node *n, struct retry *retry, struct rows *ranges)
{
	if (json_is_string(n->value) && str_is(node_str(n), "transport"))
		retry->on_transport = true;
	else if (!read_status(n, ranges))
		node_error(n, "\"transport\", or a status: 503, \"5xx\", \"500-504\"",
		           "this is no reason to try again");
}

static void compile_retry(struct compiler *c, const struct node *n, struct retry *retry)
{
	struct retry_text text = { .attempts = 1 };
	struct rows ranges = ROWS(struct status_range);
	struct node on, delay;
	struct pause pause;
	if (!read_fields(c, n, retry_fields, &text))
		return;
	retry->attempts = (uint32_t)text.attempts;
	if (!node_get(n, "on", &on)) {
		retry->on_transport = true;
		rows_add(&ranges, &(struct status_range){ 500, 599 });
	} else if (node_expect(&on, JSON_ARRAY, "a list of reasons")) {
		for (size_t i = 0; i < node_count(&on); i++) {
			const struct node item = node_item(&on, i);
			read_retry_reason(&item, retry, &ranges);
		}
		if (node_count(&on) == 0)
			node_error(&on, NULL, "the list of reasons is empty");
	}
	if (node_get(n, "delay", &delay) && read_pause(&delay, &pause))
		retry->pause = rows_add(&c->pauses, &pause);
	retry->range_count = ranges.count;
	retry->ranges = rows_settle(&ranges, c->arena);
}

static void read_request(struct compiler *c, const struct node *n, struct step *step, struct step_text *text,
                         struct rows *headers, struct transfer_needs *needs)
{
	struct node member;
	*needs = c->default_needs;
	text->request = c->defaults;
	read_fields(c, n, step_fields, text);
	step->timeout = text->request.timeout;
	step->redirects = (uint32_t)text->request.redirects;
	step->cookies = text->request.cookies;
	for (uint32_t i = 0; i < c->default_headers.count; i++)
		rows_add(headers, rows_at(&c->default_headers, struct header_template, i));
	if (node_get(n, "headers", &member))
		compile_headers(c, &member, headers);
	if (node_get(n, "auth", &member))
		compile_auth(c, &member, needs, headers);
	apply_request(c, n, &text->request, needs);
}

/* The Authorization of "defaults" is for the target, not for other hosts that a step names. */
static void keep_secrets_home(struct compiler *c, const struct node *n, const struct step *step, struct rows *headers,
                              struct transfer_needs *needs)
{
	struct node own, name;
	if (str_eq(step->target->origin, c->program->target.origin) || node_get(n, "auth", &own))
		return;
	bool is_own = false;
	needs->user = needs->password = NULL;
	for (void *iter = NULL; node_get(n, "headers", &own) && node_each(&own, &iter, &name);)
		is_own = is_own || str_eq_nocase(str_from(name.key), STR("Authorization"));
	if (!is_own)
		drop_header(headers, "Authorization");
}

/* Those of the step, and those where a redirect leads to somebody else. */
static void keep_needs(struct compiler *c, struct transfer_needs needs, struct step *step)
{
	step->needs = settle_needs(c, &needs);
	needs.user = needs.password = NULL;
	step->needs_abroad = settle_needs(c, &needs);
}

void compile_request(struct compiler *c, const struct node *n, const struct flow *flow, const char *method,
                     const struct node *path)
{
	struct step_text text = { 0 };
	struct transfer_needs needs;
	struct rows headers = ROWS(struct header_template);
	struct step step = {
		.method = method,
		.flow = c->flows.count,
		.group = c->group,
		.first_check = c->checks.count,
		.first_extract = c->extracts.count,
		.first_capture = c->captures.count,
		.retry = { .attempts = 1, .pause = PROGRAM_NONE },
	};
	struct step_parts parts = { &step, ROWS(struct jsonscan_pointer) };
	struct node member;
	read_request(c, n, &step, &text, &headers, &needs);
	step.name = text.name && *text.name ? text.name : own_name(c, method, path);
	expect_new_name(c, n, flow, step.name);
	compile_path(c, n, path, &step);
	keep_secrets_home(c, n, &step, &headers, &needs);
	keep_needs(c, needs, &step);
	compile_body(c, n, &step, &headers);
	step.header_count = headers.count;
	step.headers = rows_settle(&headers, c->arena);
	if (node_get(n, "retry", &member))
		compile_retry(c, &member, &step.retry);
	if (node_get(n, "check", &member))
		compile_checks(c, &member, &parts);
	if (node_get(n, "extract", &member))
		compile_extracts(c, &member, &parts);
	compile_plan(c, &step, &parts.pointers);
	step.reads_headers = step.cookies || step.redirects > 0 || step.capture_count > 0;
	const struct instruction request = { OP_REQUEST, rows_add(&c->steps, &step) };
	rows_add(&c->code, &request);
}
