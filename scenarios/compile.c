#include "scenarios/compile.h"

#include <stdlib.h>

#include "base/must.h"
#include "scenarios/target.h"

const char not_yet[] = "Not supported by this version.";

struct scenario_text {
	const char *name;
	dur_ns warmup;
};

static const char *const schemas[] = { PROGRAM_SCHEMA, NULL };

const struct field scenario_fields[] = {
	{ .key = "$schema", .type = FIELD_NODE, .help = "\"" PROGRAM_SCHEMA "\"." },
	{ .key = "name",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct scenario_text, name),
	  .required = true,
	  .help = "What reports call the scenario." },
	{ .key = "target", .type = FIELD_NODE, .help = "The absolute URL that paths are put behind." },
	{ .key = "defaults", .type = FIELD_NODE, .help = "How every request is made." },
	{ .key = "vars", .type = FIELD_NODE, .help = "Names and values for ${name}." },
	{ .key = "flows", .type = FIELD_NODE, .required = true, .help = "The user journeys, by name." },
	{ .key = "load", .type = FIELD_NODE, .required = true, .help = "A list of executors." },
	{ .key = "warmup",
	  .type = FIELD_DURATION,
	  .offset = offsetof(struct scenario_text, warmup),
	  .min = 0,
	  .max = (double)(24 * HOUR),
	  .help = "The first part of the run, not counted." },
	{ .key = "thresholds", .type = FIELD_NODE, .help = "What must hold at the end." },
	{ .key = "feeds", .type = FIELD_NODE, .help = "Rows of files for ${feed.column}." },
	{ .key = "observe", .type = FIELD_NODE, .help = "What is looked at on the server meanwhile: docs/observe.md." },
	{ 0 },
};

uint32_t rows_add(struct rows *r, const void *row)
{
	if (r->count == r->room) {
		r->room = r->room ? r->room * 2 : 8;
		r->items = xreallocarray(r->items, r->room, r->size);
	}
	memcpy((char *)r->items + r->count * r->size, row, r->size);
	return r->count++;
}

void *rows_settle(struct rows *r, struct arena *arena)
{
	void *kept = NULL;
	if (r->count) {
		kept = arena_alloc(arena, r->count * r->size);
		memcpy(kept, r->items, r->count * r->size);
	}
	free(r->items);
	*r = (struct rows){ .size = r->size };
	return kept;
}

bool read_fields(struct compiler *c, const struct node *n, const struct field *fields, void *into)
{
	struct node member;
	char nothing[1]; /* for tables whose rows are all nodes */
	if (!fields_read(n, fields, c->arena, into ? into : nothing))
		return false;
	for (const struct field *f = fields; f->type != FIELD_END; f++)
		if (f->help == not_yet && node_get(n, f->key, &member))
			node_key_error(&member, NULL, "\"%s\" is not supported by this version", f->key);
	return true;
}

size_t mistakes(const struct compiler *c)
{
	return c->doc->diags.count + c->doc->diags.dropped;
}

const char *near_hint(struct compiler *c, struct str word, const char *const *names)
{
	const char *nearest = str_nearest(word, names);
	return nearest ? arena_printf(c->arena, "did you mean \"%s\"?", nearest) : NULL;
}

const char *const *row_names(struct compiler *c, const struct rows *rows)
{
	const char **names = arena_array(c->arena, const char *, rows->count + 1);
	for (uint32_t i = 0; i < rows->count; i++)
		memcpy(&names[i], (const char *)rows->items + i * rows->size, sizeof(names[i]));
	return names;
}

struct str keep_str(struct compiler *c, struct str s)
{
	return (struct str){ arena_strndup(c->arena, s.p, s.len), s.len };
}

dur_ns scaled(const struct compiler *c, dur_ns d)
{
	const double scale = c->in->time_scale;
	if (scale <= 0 || scale == 1)
		return d;
	const double length = (double)d * scale;
	return length > (double)(INT64_MAX / 4) ? INT64_MAX / 4 : (dur_ns)length;
}

static void compile_schema(struct compiler *c, const struct node *n)
{
	if (node_expect(n, JSON_STRING, "\"" PROGRAM_SCHEMA "\"") && !str_is(node_str(n), PROGRAM_SCHEMA))
		node_error(n, near_hint(c, node_str(n), schemas), "this version reads \"" PROGRAM_SCHEMA "\"");
}

static void compile_target(struct compiler *c, const struct node *root)
{
	struct node n;
	struct str url;
	size_t at;
	const char *why;
	const bool given = node_get(root, "target", &n);
	if (c->in->target) {
		if (!target_parse(str_from(c->in->target), c->arena, &c->program->target, &at, &why))
			node_error(given ? &n : root, NULL, "the target that was given instead: %s", why);
		return;
	}
	if (!given) {
		node_error(root, "for example \"target\": \"http://127.0.0.1:8080\"", "\"target\" is missing");
		return;
	}
	if (!compile_constant(c, &n, &url) || target_parse(url, c->arena, &c->program->target, &at, &why))
		return;
	/* Offsets are those of the resolved text: they fit the file only when nothing was put in. */
	if (str_eq(url, node_str(&n)))
		node_part_error(&n, at, url.len - at, NULL, "%s", why);
	else
		node_error(&n, NULL, "%s", why);
}

static void compile_flows(struct compiler *c, const struct node *n)
{
	struct node member;
	if (!node_expect(n, JSON_OBJECT, "an object of flows"))
		return;
	for (void *iter = NULL; node_each(n, &iter, &member);) {
		if (c->flows.count == PROGRAM_FLOWS_MAX) {
			node_key_error(&member, NULL, "more than %d flows", PROGRAM_FLOWS_MAX);
			return;
		}
		compile_flow(c, &member);
	}
	if (c->flows.count == 0)
		node_error(n, NULL, "there are no flows");
}

static void strip_comments(json_t *value)
{
	const char *key;
	json_t *member;
	size_t i;
	json_object_del(value, "//");
	json_object_foreach(value, key, member) strip_comments(member);
	json_array_foreach(value, i, member) strip_comments(member);
}

static uint64_t hash_text(const char *s)
{
	uint64_t h = 0xcbf29ce484222325u; /* FNV-1a: Fowler, Noll, Vo */
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3u;
	return h;
}

static uint64_t hash_document(const json_t *root)
{
	json_t *copy = json_deep_copy(root);
	must(copy);
	strip_comments(copy);
	json_object_del(copy, "observe"); /* looking on does not change what is run */
	char *text = json_dumps(copy, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);
	must(text);
	const uint64_t h = hash_text(text);
	free(text);
	json_decref(copy);
	return h;
}

static void compile_root(struct compiler *c, const struct node *root)
{
	struct scenario_text text = { 0 };
	struct node n, feeds;
	if (!read_fields(c, root, scenario_fields, &text))
		return;
	const bool has_feeds = node_get(root, "feeds", &feeds);
	if (node_get(root, "$schema", &n))
		compile_schema(c, &n);
	compile_target(c, root);
	if (has_feeds)
		compile_feeds(c, &feeds);
	if (node_get(root, "vars", &n))
		compile_vars(c, &n);
	if (node_get(root, "defaults", &n))
		compile_defaults(c, &n);
	c->feeds_always = c->feeds_used;
	if (node_get(root, "flows", &n))
		compile_flows(c, &n);
	if (node_get(root, "load", &n))
		compile_load(c, &n);
	if (has_feeds)
		check_feeds(c, &feeds);
	if (node_get(root, "thresholds", &n))
		compile_thresholds(c, &n);
	for (uint32_t i = 0; i < c->executors.count; i++) {
		const struct executor_plan *x = rows_at(&c->executors, struct executor_plan, i);
		if (x->start + x->duration > c->program->duration)
			c->program->duration = x->start + x->duration;
	}
	text.warmup = scaled(c, text.warmup);
	if (doc_ok(c->doc) && text.warmup >= c->program->duration && node_get(root, "warmup", &n))
		node_error(&n, NULL, "the warm-up leaves nothing of the run to be measured");
	c->program->name = text.name;
	c->program->warmup = text.warmup;
}

#define SETTLE(field, counter)                               \
	do {                                                 \
		p->counter = c->field.count;                 \
		p->field = rows_settle(&c->field, c->arena); \
	} while (0)

static void settle(struct compiler *c)
{
	struct program *p = c->program;
	SETTLE(flows, flow_count);
	SETTLE(code, code_count);
	SETTLE(steps, step_count);
	SETTLE(checks, check_count);
	SETTLE(extracts, extract_count);
	SETTLE(captures, capture_count);
	SETTLE(patterns, pattern_count);
	SETTLE(groups, group_count);
	SETTLE(conditions, condition_count);
	SETTLE(repeats, repeat_count);
	SETTLE(pauses, pause_count);
	SETTLE(variables, variable_count);
	SETTLE(feeds, feed_count);
	SETTLE(executors, executor_count);
	SETTLE(thresholds, threshold_count);
	rows_settle(&c->default_headers, c->arena);
	rows_settle(&c->needs, c->arena);
}

int program_compile(struct doc *doc, const struct program_inputs *in, struct program **ret_program)
{
	if (!doc_ok(doc))
		return -1;
	struct program *p = xcalloc(1, sizeof(*p));
	arena_init(&p->arena);
	struct compiler c = {
		.doc = doc,
		.in = in,
		.program = p,
		.arena = &p->arena,
		.flows = ROWS(struct flow),
		.code = ROWS(struct instruction),
		.steps = ROWS(struct step),
		.checks = ROWS(struct check),
		.extracts = ROWS(struct extract),
		.captures = ROWS(struct capture),
		.patterns = ROWS(struct pattern *),
		.groups = ROWS(struct group),
		.conditions = ROWS(struct condition),
		.repeats = ROWS(struct repeat),
		.feeds = ROWS(struct feed),
		.needs = ROWS(struct transfer_needs *),
		.group = PROGRAM_NONE,
		.pauses = ROWS(struct pause),
		.variables = ROWS(struct variable),
		.executors = ROWS(struct executor_plan),
		.thresholds = ROWS(struct threshold),
		.defaults = { .timeout = 10 * SECOND, .cookies = true },
		.default_headers = ROWS(struct header_template),
	};
	const struct node root = doc_root(doc);
	compile_root(&c, &root);
	settle(&c);
	if (!doc_ok(doc)) {
		program_destroy(p);
		return -1;
	}
	p->hash = hash_document(doc->root);
	*ret_program = p;
	return 0;
}

void program_destroy(struct program *p)
{
	if (!p)
		return;
	for (uint32_t i = 0; i < p->pattern_count; i++)
		pattern_destroy(p->patterns[i]);
	arena_finish(&p->arena);
	free(p);
}
