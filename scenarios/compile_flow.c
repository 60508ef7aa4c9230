/* compile_flow.c: flows and the steps in them: requests, pauses, blocks; "if", "repeat" and "group" around any of them. */
#include "scenarios/compile.h"

#include <stdlib.h>

#include "base/must.h"
#include "scenarios/number.h"
#include "scenarios/pause.h"

#define REPEAT_MAX 1000000
#define GROUP_NAME_MAX 128

const struct field step_fields[] = {
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
	{ .key = "pace", .type = FIELD_NODE, .help = "Waits until that long after the start of the iteration." },
	{ .key = "steps",
	  .type = FIELD_NODE,
	  .help = "A block: steps that \"if\", \"repeat\" and \"group\" are about." },
	{ .key = "if", .type = FIELD_NODE, .help = "The step is left out unless this holds." },
	{ .key = "repeat",
	  .type = FIELD_INTEGER,
	  .offset = offsetof(struct step_text, repeat),
	  .min = 1,
	  .max = REPEAT_MAX,
	  .help = "How often the step is made." },
	{ .key = "group",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct step_text, group),
	  .help = "A name for steps that belong together." },
	REQUEST_FIELDS(struct step_text, request, NULL, NULL, NULL, NULL, NULL),
	{ .key = "query", .type = FIELD_NODE, .help = "Names and values behind the \"?\"." },
	{ .key = "headers", .type = FIELD_NODE, .help = "Names and values; replace defaults of the same name." },
	{ .key = "json", .type = FIELD_NODE, .help = "The body as JSON." },
	{ .key = "body", .type = FIELD_NODE, .help = "The body as text." },
	{ .key = "form", .type = FIELD_NODE, .help = "The body as the fields of a form." },
	{ .key = "multipart", .type = FIELD_NODE, .help = "The body as a list of parts." },
	{ .key = "file", .type = FIELD_NODE, .help = "The body as the bytes of a file." },
	{ .key = "retry", .type = FIELD_NODE, .help = "When the request is sent again." },
	{ .key = "check", .type = FIELD_NODE, .help = "What must hold for the answer." },
	{ .key = "extract", .type = FIELD_NODE, .help = "Variables taken from the answer." },
	{ 0 },
};

struct if_text {
	const char *var;
	bool exists, negated;
};

const struct field if_fields[] = {
	{ .key = "var",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct if_text, var),
	  .required = true,
	  .help = "The name of a variable, or of what else ${...} has." },
	{ .key = "exists",
	  .type = FIELD_BOOLEAN,
	  .offset = offsetof(struct if_text, exists),
	  .help = "Whether the variable has a value." },
	{ .key = "equals", .type = FIELD_NODE, .help = "The text that it has." },
	{ .key = "matches", .type = FIELD_NODE, .help = "A pattern that it matches." },
	{ .key = "not", .type = FIELD_BOOLEAN, .offset = offsetof(struct if_text, negated), .help = "The opposite." },
	{ 0 },
};

struct flow_text {
	int64_t weight;
};

const struct field flow_fields[] = {
	{ .key = "weight",
	  .type = FIELD_INTEGER,
	  .offset = offsetof(struct flow_text, weight),
	  .min = 0,
	  .max = 1000000,
	  .def = "1",
	  .help = "Its share of the iterations, beside the other flows." },
	{ .key = "steps", .type = FIELD_NODE, .required = true, .help = "A list of requests, pauses and blocks." },
	{ .key = "pace", .type = FIELD_NODE, .help = "An iteration takes at least that long." },
	{ 0 },
};

enum kind { KIND_REQUEST, KIND_PAUSE, KIND_PACE, KIND_BLOCK };

static const char *const beside_waits[] = { "name", "if", NULL };
static const char *const beside_blocks[] = { "if", "repeat", "group", NULL };

/* What a step does is said by one of these keys. */
static const struct step_kind {
	const char *key, *method;
	enum kind kind;
	const char *const *beside; /* the other keys that mean something; NULL: all */
} kinds[] = {
	{ "get", "GET", KIND_REQUEST, NULL },         { "post", "POST", KIND_REQUEST, NULL },
	{ "put", "PUT", KIND_REQUEST, NULL },         { "patch", "PATCH", KIND_REQUEST, NULL },
	{ "delete", "DELETE", KIND_REQUEST, NULL },   { "head", "HEAD", KIND_REQUEST, NULL },
	{ "options", "OPTIONS", KIND_REQUEST, NULL }, { "pause", NULL, KIND_PAUSE, beside_waits },
	{ "pace", NULL, KIND_PACE, beside_waits },    { "steps", NULL, KIND_BLOCK, beside_blocks },
};

const char *step_kind_key(size_t i)
{
	return i < ARRAY_LEN(kinds) ? kinds[i].key : NULL;
}

static void compile_steps(struct compiler *c, const struct node *steps, const struct flow *flow);

static void emit(struct compiler *c, enum op op, uint32_t operand)
{
	rows_add(&c->code, &(struct instruction){ op, operand });
}

bool read_pause(const struct node *n, struct pause *ret_pause)
{
	size_t at;
	const char *why;
	if (!node_expect(n, JSON_STRING, "a pause such as \"1s\", \"1s..3s\" or \"exp:2s\""))
		return false;
	const struct str s = node_str(n);
	if (pause_parse(s, ret_pause, &at, &why))
		return true;
	node_part_error(n, at, s.len - (at < s.len ? at : s.len), "\"1s\", \"1s..3s\" or \"exp:2s\"", "%s", why);
	return false;
}

static void compile_wait(struct compiler *c, const struct node *value, enum op op)
{
	struct pause p;
	if (!read_pause(value, &p))
		return;
	if (op == OP_PACE && p.kind != PAUSE_FIXED) {
		node_error(value, "for example \"10s\"", "a pace is one length of time");
		return;
	}
	emit(c, op, rows_add(&c->pauses, &p));
}

static void expect_beside(const struct node *n, const struct step_kind *kind)
{
	struct node member;
	for (void *iter = NULL; kind->beside && node_each(n, &iter, &member);) {
		bool meant = strcmp(member.key, kind->key) == 0, known = false;
		for (size_t i = 0; kind->beside[i]; i++)
			meant = meant || strcmp(member.key, kind->beside[i]) == 0;
		for (const struct field *f = step_fields; f->type != FIELD_END; f++)
			known = known || strcmp(f->key, member.key) == 0;
		if (known && !meant)
			node_key_error(&member, NULL, "\"%s\" means nothing beside \"%s\"", member.key, kind->key);
	}
}

/* --- groups --- */

static uint32_t find_group(struct compiler *c, const struct node *n, const char *name)
{
	struct node at = *n;
	const char *path = name;
	node_get(n, "group", &at);
	if (!*name || strlen(name) > GROUP_NAME_MAX || strpbrk(name, "/,)'")) {
		node_error(&at, NULL, "a group has a name of at most %d characters, none of them / , ) '",
		           GROUP_NAME_MAX);
		return c->group;
	}
	if (c->group != PROGRAM_NONE)
		path = arena_printf(c->arena, "%s/%s", rows_at(&c->groups, struct group, c->group)->name, name);
	for (uint32_t i = 0; i < c->groups.count; i++) {
		const struct group *g = rows_at(&c->groups, struct group, i);
		if (g->flow == c->flows.count && strcmp(g->name, path) == 0)
			return i;
	}
	return rows_add(&c->groups, &(struct group){ path, c->flows.count, c->group });
}

/* --- conditions --- */

static uint32_t find_variable(const struct compiler *c, const char *name)
{
	for (uint32_t i = 0; i < c->variables.count; i++)
		if (c->scope[i] != SCOPE_NONE && strcmp(rows_at(&c->variables, struct variable, i)->name, name) == 0)
			return i;
	return PROGRAM_NONE;
}

/* What is looked at, as a template of one slot. A variable that may have no value is compared only when it has one. */
static struct template compile_looked_at(struct compiler *c, const struct node *var, uint32_t variable)
{
	struct weaver w;
	weaver_init(&w, c, ESCAPE_NONE);
	struct slot slot = { &w, var, keep_str(c, node_str(var)), 0, false };
	const enum scope before = variable == PROGRAM_NONE ? SCOPE_NONE : c->scope[variable];
	if (variable != PROGRAM_NONE)
		c->scope[variable] = SCOPE_SURE;
	weave_slot(&slot);
	if (variable != PROGRAM_NONE)
		c->scope[variable] = before;
	return weaver_finish(&w);
}

static void read_exists(struct compiler *c, const struct node *var, struct condition *condition, bool exists)
{
	condition->kind = CONDITION_EXISTS;
	condition->wanted = condition->wanted == exists;
	if (condition->variable == PROGRAM_NONE)
		node_error(var, near_hint(c, node_str(var), row_names(c, &c->variables)),
		           "no variable of this name is extracted by an earlier step");
}

/* What a condition compares with, for people. */
static const char *shown_text(struct compiler *c, const struct node *n, bool secret)
{
	char *dumped = secret ? NULL : number_text(n->value);
	const char *shown = secret ? "***" : arena_printf(c->arena, "%.80s", dumped ? dumped : "");
	free(dumped);
	return shown;
}

static bool is_secret(const struct compiler *c, const char *var, uint32_t variable)
{
	return secret_name(str_from(var)) ||
	       (variable != PROGRAM_NONE && rows_at(&c->variables, struct variable, variable)->secret);
}

static bool read_condition(struct compiler *c, const struct node *n, struct condition *condition)
{
	struct if_text text = { 0 };
	struct node var, exists, equals, matches;
	const size_t before = mistakes(c);
	if (!read_fields(c, n, if_fields, &text) || !text.var || !node_get(n, "var", &var))
		return false;
	const bool has_exists = node_get(n, "exists", &exists), has_equals = node_get(n, "equals", &equals);
	const bool has_matches = node_get(n, "matches", &matches);
	condition->variable = find_variable(c, text.var);
	condition->wanted = !text.negated;
	if (has_exists + has_equals + has_matches != 1) {
		node_error(n, "\"exists\": true, \"equals\": \"text\", or \"matches\": \"pattern\"",
		           "a condition says exactly one thing of its variable");
		return false;
	}
	const char *negation = text.negated ? "not " : "";
	const bool secret = is_secret(c, text.var, condition->variable);
	if (has_exists) {
		condition->text = arena_printf(c->arena, "%s%s %s", negation, text.var,
		                               text.exists ? "exists" : "is absent");
		read_exists(c, &var, condition, text.exists);
		return mistakes(c) == before;
	}
	condition->value = compile_looked_at(c, &var, condition->variable);
	condition->kind = has_equals ? CONDITION_EQUALS : CONDITION_MATCHES;
	condition->text = arena_printf(c->arena, "%s%s %s %s", negation, text.var, has_equals ? "equals" : "matches",
	                               shown_text(c, has_equals ? &equals : &matches, secret));
	if (has_equals) {
		struct weaver w;
		weaver_init(&w, c, ESCAPE_NONE);
		weave_scalar(&w, &equals, secret);
		condition->equals = weaver_finish(&w);
	} else {
		compile_pattern(c, &matches, &condition->pattern);
	}
	return mistakes(c) == before;
}

/* A variable that exists under the condition has a value in the block. */
static void enter_scope(struct compiler *c, const struct condition *condition)
{
	if (condition->variable == PROGRAM_NONE || !condition->wanted)
		return;
	c->scope[condition->variable] = SCOPE_SURE;
}

/* Behind the block only that is sure which is so with and without it. */
static void leave_scope(struct compiler *c, const enum scope *before)
{
	for (uint32_t i = 0; i < c->variables.count; i++)
		if (c->scope[i] != before[i])
			c->scope[i] = SCOPE_MAYBE;
}

/* --- steps --- */

static void compile_kind(struct compiler *c, const struct node *n, const struct flow *flow,
                         const struct step_kind *kind, const struct node *value)
{
	switch (kind->kind) {
	case KIND_REQUEST:
		compile_request(c, n, flow, kind->method, value);
		return;
	case KIND_PAUSE:
		compile_wait(c, value, OP_PAUSE);
		return;
	case KIND_PACE:
		compile_wait(c, value, OP_PACE);
		return;
	case KIND_BLOCK:
		compile_steps(c, value, flow);
		return;
	}
}

/* In the second round a variable may have lost the value that it had in front of the loop: to an optional extraction
 * anywhere in it. Any other extraction that finds nothing ends the iteration. Recursion is bounded by DOC_DEPTH_MAX. */
static void doubt_extracted(struct compiler *c, const struct node *n)
{
	struct node extract, steps, member;
	for (void *iter = NULL; node_get(n, "extract", &extract) && node_each(&extract, &iter, &member);) {
		const uint32_t v = json_is_true(json_object_get(member.value, "optional"))
		                           ? find_variable(c, member.key)
		                           : PROGRAM_NONE;
		if (v != PROGRAM_NONE)
			c->scope[v] = SCOPE_MAYBE;
	}
	for (size_t i = 0; node_get(n, "steps", &steps) && i < node_count(&steps); i++) {
		const struct node item = node_item(&steps, i);
		doubt_extracted(c, &item);
	}
}

static void compile_conditional(struct compiler *c, const struct node *n, const struct flow *flow,
                                const struct step_kind *kind, const struct node *value, const uint32_t *loop)
{
	struct condition condition = { .text = "" };
	struct node test;
	const bool has_test = node_get(n, "if", &test);
	uint32_t number = PROGRAM_NONE;
	if (has_test) {
		const bool good = read_condition(c, &test, &condition);
		number = rows_add(&c->conditions, &condition);
		if (good)
			enter_scope(c, &condition);
		emit(c, OP_UNLESS, number);
	}
	compile_kind(c, n, flow, kind, value);
	if (loop)
		emit(c, OP_AGAIN, *loop);
	if (has_test)
		rows_at(&c->conditions, struct condition, number)->target = c->code.count;
}

/* The condition stands within the loop: it is asked before each round, and leads out of it. */
static void compile_around(struct compiler *c, const struct node *n, const struct flow *flow,
                           const struct step_kind *kind, const struct node *value, int64_t count)
{
	enum scope before[PROGRAM_VARIABLES_MAX];
	struct node test;
	memcpy(before, c->scope, sizeof(before));
	if (count <= 1) {
		compile_conditional(c, n, flow, kind, value, NULL);
	} else {
		const struct repeat loop = { (uint32_t)count, c->code.count + 1, c->loop_depth++ };
		const uint32_t number = rows_add(&c->repeats, &loop);
		emit(c, OP_REPEAT, number);
		doubt_extracted(c, n);
		compile_conditional(c, n, flow, kind, value, &number);
		c->loop_depth--;
	}
	if (node_get(n, "if", &test))
		leave_scope(c, before);
}

static const struct step_kind *find_kind(struct compiler *c, const struct node *n, struct node *ret_value)
{
	const struct step_kind *found = NULL;
	struct step_text ignored = { 0 };
	struct node member;
	size_t count = 0;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (!node_get(n, kinds[i].key, &member))
			continue;
		*ret_value = member;
		found = &kinds[i];
		count++;
	}
	if (count == 1)
		return found;
	const size_t before = mistakes(c);
	read_fields(c, n, step_fields, &ignored);
	if (count > 0 || mistakes(c) == before)
		node_error(
			n,
			"one of \"get\", \"post\", \"put\", \"patch\", \"delete\", \"head\", \"options\", \"pause\", "
			"\"pace\", \"steps\"",
			"a step does exactly one thing");
	return NULL;
}

static void compile_step(struct compiler *c, const struct node *n, const struct flow *flow)
{
	struct step_text text = { .repeat = 1 };
	struct node value;
	if (!node_expect(n, JSON_OBJECT, "an object"))
		return;
	const struct step_kind *kind = find_kind(c, n, &value);
	if (!kind)
		return;
	expect_beside(n, kind);
	const uint32_t outer = c->group;
	struct node member;
	/* A request reads all of its keys itself; what stands around it is needed before. */
	if (kind->kind != KIND_REQUEST)
		read_fields(c, n, step_fields, &text);
	else if (node_get(n, "group", &member) && json_is_string(member.value))
		text.group = keep_str(c, node_str(&member)).p;
	if (kind->kind == KIND_REQUEST && node_get(n, "repeat", &member) && json_is_integer(member.value))
		text.repeat = json_integer_value(member.value) <= REPEAT_MAX ? json_integer_value(member.value) : 1;
	if (text.group)
		c->group = find_group(c, n, text.group);
	compile_around(c, n, flow, kind, &value, text.repeat);
	c->group = outer;
}

static void compile_steps(struct compiler *c, const struct node *steps, const struct flow *flow)
{
	if (!node_expect(steps, JSON_ARRAY, "a list of steps"))
		return;
	if (c->nesting == PROGRAM_NEST_MAX) {
		node_key_error(steps, NULL, "blocks stand at most %d deep in each other", PROGRAM_NEST_MAX);
		return;
	}
	c->nesting++;
	for (size_t i = 0; i < node_count(steps) && c->steps.count < PROGRAM_STEPS_MAX; i++) {
		const struct node item = node_item(steps, i);
		compile_step(c, &item, flow);
	}
	c->nesting--;
}

void compile_flow(struct compiler *c, const struct node *n)
{
	struct flow_text text = { .weight = 1 };
	struct node steps, pace;
	struct flow flow = {
		.name = arena_strdup(c->arena, n->key),
		.first_instruction = c->code.count,
		.first_step = c->steps.count,
	};
	for (uint32_t i = 0; i < c->variables.count; i++)
		c->scope[i] = rows_at(&c->variables, struct variable, i)->has_value ? SCOPE_SURE : SCOPE_NONE;
	c->feeds_used = c->feeds_always;
	const bool readable = read_fields(c, n, flow_fields, &text);
	if (readable && node_get(n, "steps", &steps)) {
		compile_steps(c, &steps, &flow);
		if (c->steps.count == PROGRAM_STEPS_MAX)
			node_error(&steps, NULL, "%d steps or more in one scenario", PROGRAM_STEPS_MAX);
		if (json_is_array(steps.value) && node_count(&steps) == 0)
			node_error(&steps, NULL, "the flow \"%s\" has no steps", flow.name);
		else if (doc_ok(c->doc) && c->steps.count == flow.first_step)
			node_error(&steps, NULL, "the flow \"%s\" has no request", flow.name);
	}
	flow.tail = c->code.count;
	if (readable && node_get(n, "pace", &pace))
		compile_wait(c, &pace, OP_PACE);
	emit(c, OP_END, 0);
	flow.feeds = c->feeds_used;
	flow.weight = (uint32_t)text.weight;
	flow.instruction_count = c->code.count - flow.first_instruction;
	flow.step_count = c->steps.count - flow.first_step;
	rows_add(&c->flows, &flow);
}
