/* compile_load.c: executors. */
#include "scenarios/compile.h"

#include <math.h>

#include "base/must.h"

/* The members of every executor; each kind has its own table of keys over them. */
struct executor_text {
	const char *executor, *arrivals, *late, *of;
	int64_t users, iterations;
	double rate, from;
	dur_ns length, start, ramp, hold;
};

#define AT(member) .offset = offsetof(struct executor_text, member)
/* Times the most users of each they are still numbers. */
#define EXECUTORS_MAX 256
#define RATE_MAX 10000000.0
#define LENGTH_MAX ((double)(720 * HOUR)) /* 30 days */

static const char *const arrival_words[] = { "uniform", "poisson", NULL };
static const char *const late_words[] = { "queue", "drop", NULL };
static const char *const of_words[] = { "users", "rate", NULL };

#define FIELD_EXECUTOR                                                                     \
	{                                                                                  \
		.key = "executor", .type = FIELD_STRING, AT(executor), .help = "The kind." \
	}
#define FIELD_START                                                                                                  \
	{                                                                                                            \
		.key = "start", .type = FIELD_DURATION, AT(start), .max = LENGTH_MAX, .help = "After the run began." \
	}
#define FIELD_FLOWS                                                                            \
	{                                                                                      \
		.key = "flows", .type = FIELD_NODE, .help = "Names of flows; all when absent." \
	}
#define FIELD_FOR                                                                                       \
	{                                                                                               \
		.key = "for", .type = FIELD_DURATION, AT(length), .required = true, .min = MILLISECOND, \
		.max = LENGTH_MAX, .help = "How long, for example \"5m\"."                              \
	}
#define FIELD_STAGES                                                   \
	{                                                              \
		.key = "stages", .type = FIELD_NODE, .required = true, \
		.help = "A list of { \"to\": 30, \"over\": \"5m\" }."  \
	}
#define FIELD_ARRIVALS                                                                                             \
	{                                                                                                          \
		.key = "arrivals", .type = FIELD_STRING, AT(arrivals), .def = "uniform", .choices = arrival_words, \
		.help = "How arrivals are spread."                                                                 \
	}
#define FIELD_LATE                                                                                    \
	{                                                                                             \
		.key = "late", .type = FIELD_STRING, AT(late), .def = "queue", .choices = late_words, \
		.help = "What becomes of an arrival when no user is free."                            \
	}
#define FIELD_MOST_USERS                                                                                             \
	{                                                                                                            \
		.key = "users", .type = FIELD_INTEGER, AT(users), .min = 1, .max = PROGRAM_USERS_MAX, .def = "1000", \
		.help = "Most users at once."                                                                        \
	}

#define FIELD_USERS                                                                           \
	{                                                                                     \
		.key = "users", .type = FIELD_INTEGER, AT(users), .required = true, .min = 1, \
		.max = PROGRAM_USERS_MAX, .help = "How many users."                           \
	}

static const struct field constant_users_fields[] = {
	FIELD_EXECUTOR, FIELD_USERS, FIELD_FOR, FIELD_START, FIELD_FLOWS, { 0 },
};

static const struct field ramping_users_fields[] = {
	FIELD_EXECUTOR,
	{ .key = "from",
	  .type = FIELD_NUMBER,
	  AT(from),
	  .min = 0,
	  .max = PROGRAM_USERS_MAX,
	  .help = "Users at the start." },
	FIELD_STAGES,
	FIELD_START,
	FIELD_FLOWS,
	{ 0 },
};

static const struct field constant_rate_fields[] = {
	FIELD_EXECUTOR,
	{ .key = "rate",
	  .type = FIELD_NUMBER,
	  AT(rate),
	  .required = true,
	  .min = 0.001,
	  .max = RATE_MAX,
	  .help = "Iterations that begin per second." },
	FIELD_FOR,
	FIELD_START,
	FIELD_FLOWS,
	FIELD_ARRIVALS,
	FIELD_LATE,
	FIELD_MOST_USERS,
	{ 0 },
};

static const struct field ramping_rate_fields[] = {
	FIELD_EXECUTOR,
	{ .key = "from",
	  .type = FIELD_NUMBER,
	  AT(from),
	  .min = 0,
	  .max = RATE_MAX,
	  .help = "Iterations per second at the start." },
	FIELD_STAGES,
	FIELD_START,
	FIELD_FLOWS,
	FIELD_ARRIVALS,
	FIELD_LATE,
	FIELD_MOST_USERS,
	{ 0 },
};

static const struct field steps_fields[] = {
	FIELD_EXECUTOR,
	{ .key = "of",
	  .type = FIELD_STRING,
	  AT(of),
	  .def = "users",
	  .choices = of_words,
	  .help = "What the rungs count." },
	{ .key = "rungs", .type = FIELD_NODE, .required = true, .help = "A list of users or rates: [5, 10, 20]." },
	{ .key = "ramp", .type = FIELD_DURATION, AT(ramp), .max = LENGTH_MAX, .help = "Time to reach each rung." },
	{ .key = "hold",
	  .type = FIELD_DURATION,
	  AT(hold),
	  .required = true,
	  .min = MILLISECOND,
	  .max = LENGTH_MAX,
	  .help = "Time on each rung." },
	FIELD_START,
	FIELD_FLOWS,
	FIELD_ARRIVALS,
	FIELD_LATE,
	FIELD_MOST_USERS,
	{ 0 },
};

#define FIELD_ITERATIONS(help_)                                                                                     \
	{                                                                                                           \
		.key = "iterations", .type = FIELD_INTEGER, AT(iterations), .required = true, .min = 1, .max = 1e9, \
		.help = help_                                                                                       \
	}
#define FIELD_AT_MOST                                                                                                  \
	{                                                                                                              \
		.key = "for", .type = FIELD_DURATION, AT(length), .def = "10m", .min = MILLISECOND, .max = LENGTH_MAX, \
		.help = "The most time it may take."                                                                   \
	}

static const struct field per_user_fields[] = {
	FIELD_EXECUTOR, FIELD_USERS, FIELD_ITERATIONS("How many each user does."), FIELD_AT_MOST, FIELD_START,
	FIELD_FLOWS,    { 0 },
};

static const struct field shared_fields[] = {
	FIELD_EXECUTOR, FIELD_USERS, FIELD_ITERATIONS("How many the users do together."), FIELD_AT_MOST, FIELD_START,
	FIELD_FLOWS,    { 0 },
};

enum shape { SHAPE_CONSTANT, SHAPE_STAGES, SHAPE_RUNGS };

static const struct kind {
	const char *name;
	enum executor_kind kind; /* of SHAPE_RUNGS: as "of" says */
	enum shape shape;
	const struct field *fields;
} kinds[] = {
	{ "constant-users", EXECUTOR_USERS, SHAPE_CONSTANT, constant_users_fields },
	{ "ramping-users", EXECUTOR_USERS, SHAPE_STAGES, ramping_users_fields },
	{ "constant-rate", EXECUTOR_RATE, SHAPE_CONSTANT, constant_rate_fields },
	{ "ramping-rate", EXECUTOR_RATE, SHAPE_STAGES, ramping_rate_fields },
	{ "steps", EXECUTOR_USERS, SHAPE_RUNGS, steps_fields },
	{ "per-user-iterations", EXECUTOR_PER_USER, SHAPE_CONSTANT, per_user_fields },
	{ "shared-iterations", EXECUTOR_SHARED, SHAPE_CONSTANT, shared_fields },
};

struct stage_text {
	double to;
	dur_ns over;
};

const struct field stage_fields[] = {
	{ .key = "to", .type = FIELD_NODE, .required = true, .help = "The level at the end of the stage." },
	{ .key = "over",
	  .type = FIELD_DURATION,
	  .offset = offsetof(struct stage_text, over),
	  .required = true,
	  .max = LENGTH_MAX,
	  .help = "How long the stage takes; \"0\" is a jump." },
	{ 0 },
};

const struct field *executor_kind_fields(size_t i, const char **ret_name)
{
	if (i >= ARRAY_LEN(kinds))
		return NULL;
	*ret_name = kinds[i].name;
	return kinds[i].fields;
}

static double level_max(enum executor_kind kind)
{
	return kind == EXECUTOR_RATE ? RATE_MAX : PROGRAM_USERS_MAX;
}

/* Whether <n> is a level that an executor of <kind> can hold: users are whole. */
static bool expect_level(const struct node *n, enum executor_kind kind, double *ret)
{
	const double v = json_number_value(n->value); /* 0 when it is none */
	if (!json_is_number(n->value) || v < 0 || v > level_max(kind)) {
		node_error(n, NULL, "this must be a number from 0 to %.0f", level_max(kind));
		return false;
	}
	if (kind == EXECUTOR_USERS && v != floor(v)) {
		node_error(n, NULL, "users are whole");
		return false;
	}
	*ret = v;
	return true;
}

static void read_stages(struct compiler *c, const struct node *n, const struct executor_text *text,
                        enum executor_kind kind, struct rows *segments)
{
	double at = text->from;
	struct node to;
	if (!node_expect(n, JSON_ARRAY, "a list of stages"))
		return;
	if (node_count(n) == 0)
		node_error(n, NULL, "the list of stages is empty");
	for (size_t i = 0; i < node_count(n); i++) {
		const struct node item = node_item(n, i);
		struct stage_text stage = { .to = at };
		if (!read_fields(c, &item, stage_fields, &stage))
			continue;
		if (node_get(&item, "to", &to))
			expect_level(&to, kind, &stage.to);
		rows_add(segments, &(struct load_segment){ at, stage.to, scaled(c, stage.over) });
		at = stage.to;
	}
}

/* A ladder: a ramp to each rung, and a hold on it. */
static void read_rungs(struct compiler *c, const struct node *n, const struct executor_text *text,
                       enum executor_kind kind, struct rows *segments)
{
	double at = 0;
	if (!node_expect(n, JSON_ARRAY, "a list of numbers"))
		return;
	if (node_count(n) == 0)
		node_error(n, NULL, "the list of rungs is empty");
	for (size_t i = 0; i < node_count(n); i++) {
		const struct node item = node_item(n, i);
		double rung = at;
		expect_level(&item, kind, &rung);
		if (text->ramp > 0)
			rows_add(segments, &(struct load_segment){ at, rung, scaled(c, text->ramp) });
		rows_add(segments, &(struct load_segment){ rung, rung, scaled(c, text->hold) });
		at = rung;
	}
}

static void read_segments(struct compiler *c, const struct node *n, const struct executor_text *text,
                          const struct kind *kind, struct executor_plan *x)
{
	struct rows segments = ROWS(struct load_segment);
	const double level = x->kind == EXECUTOR_RATE ? text->rate : (double)text->users;
	struct node list;
	double highest = 0;
	if (kind->shape == SHAPE_CONSTANT)
		rows_add(&segments, &(struct load_segment){ level, level, scaled(c, text->length) });
	else if (kind->shape == SHAPE_STAGES && node_get(n, "stages", &list))
		read_stages(c, &list, text, x->kind, &segments);
	else if (kind->shape == SHAPE_RUNGS && node_get(n, "rungs", &list))
		read_rungs(c, &list, text, x->kind, &segments);
	for (uint32_t i = 0; i < segments.count; i++) {
		const struct load_segment *s = rows_at(&segments, struct load_segment, i);
		highest = fmax(highest, fmax(s->from, s->to));
		/* Saturates: a list of many long stages must not overflow. */
		x->duration = s->duration > INT64_MAX / 4 - x->duration ? INT64_MAX / 4 : x->duration + s->duration;
	}
	if (segments.count > 0 && (highest <= 0 || x->duration == 0) && doc_ok(c->doc))
		node_error(n, NULL, "this executor never begins an iteration: its load or its time is 0");
	if ((double)x->duration > LENGTH_MAX)
		node_error(n, NULL, "this executor takes longer than 30 days");
	x->users = x->kind == EXECUTOR_RATE ? (uint32_t)text->users : (uint32_t)highest;
	x->segment_count = segments.count;
	x->segments = rows_settle(&segments, c->arena);
}

static void add_flow(struct compiler *c, struct rows *flows, const struct node *n)
{
	const struct str name = node_str(n);
	for (uint32_t f = 0; f < c->flows.count; f++) {
		const struct flow *flow = rows_at(&c->flows, struct flow, f);
		if (!str_is(name, flow->name))
			continue;
		for (uint32_t i = 0; i < flows->count; i++)
			if (rows_at(flows, struct executor_flow, i)->flow == f)
				node_error(n, NULL, "the flow \"%s\" is named twice", flow->name);
		rows_add(flows, &(struct executor_flow){ f, flow->weight });
		return;
	}
	node_error(n, near_hint(c, name, row_names(c, &c->flows)), "there is no flow \"%.*s\"",
	           STR_ARG(str_first(name, 60)));
}

static void read_flows(struct compiler *c, const struct node *n, struct executor_plan *x)
{
	struct rows flows = ROWS(struct executor_flow);
	struct node list;
	uint64_t sum = 0;
	bool whole = true;
	if (!node_get(n, "flows", &list)) {
		for (uint32_t f = 0; f < c->flows.count; f++)
			rows_add(&flows, &(struct executor_flow){ f, rows_at(&c->flows, struct flow, f)->weight });
	} else if (node_expect(&list, JSON_ARRAY, "a list of names of flows")) {
		for (size_t i = 0; i < node_count(&list); i++) {
			const struct node item = node_item(&list, i);
			if (node_expect(&item, JSON_STRING, "the name of a flow"))
				add_flow(c, &flows, &item);
		}
		whole = flows.count == node_count(&list);
		if (node_count(&list) == 0)
			node_error(&list, "leave \"flows\" away to run all of them", "the list of flows is empty");
	}
	for (uint32_t i = 0; i < flows.count; i++)
		sum += rows_at(&flows, struct executor_flow, i)->weight;
	if (flows.count > 0 && sum == 0 && whole)
		node_error(n, "give one of them a \"weight\" above 0", "all flows of this executor have the weight 0");
	x->flow_count = flows.count;
	x->flows = rows_settle(&flows, c->arena);
}

static const struct kind *find_kind(struct compiler *c, const struct node *n)
{
	const char *names[ARRAY_LEN(kinds) + 1] = { NULL };
	struct node name;
	if (!node_expect(n, JSON_OBJECT, "an object"))
		return NULL;
	if (!node_get(n, "executor", &name)) {
		node_error(n, "for example \"executor\": \"constant-users\"", "\"executor\" is missing");
		return NULL;
	}
	if (!node_expect(&name, JSON_STRING, "the name of an executor"))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		names[i] = kinds[i].name;
		if (!str_is(node_str(&name), kinds[i].name))
			continue;
		return &kinds[i];
	}
	node_error(&name, near_hint(c, node_str(&name), names), "there is no executor \"%.*s\"",
	           STR_ARG(str_first(node_str(&name), 60)));
	return NULL;
}

static void compile_executor(struct compiler *c, const struct node *n)
{
	struct executor_text text = { 0 };
	struct node users, from;
	const struct kind *kind = find_kind(c, n);
	if (!kind)
		return;
	read_fields(c, n, kind->fields, &text);
	const bool by_rate = kind->shape == SHAPE_RUNGS ? text.of && strcmp(text.of, "rate") == 0
	                                                : kind->kind == EXECUTOR_RATE;
	struct executor_plan x = {
		.kind = by_rate ? EXECUTOR_RATE : kind->kind,
		.name = kind->name,
		.start = scaled(c, text.start),
		.first_user = c->users,
		.iterations = (uint64_t)text.iterations,
		.poisson = by_rate && text.arrivals && strcmp(text.arrivals, "poisson") == 0,
		.late = by_rate && text.late && strcmp(text.late, "drop") == 0 ? LATE_DROP : LATE_QUEUE,
	};
	if (kind->shape == SHAPE_RUNGS && !by_rate && node_get(n, "users", &users))
		node_key_error(&users, NULL, "\"users\" goes with \"of\": \"rate\" only: the rungs say how many users");
	if (kind->kind == EXECUTOR_USERS && node_get(n, "from", &from))
		expect_level(&from, EXECUTOR_USERS, &text.from);
	read_segments(c, n, &text, kind, &x);
	read_flows(c, n, &x);
	c->users += x.users;
	rows_add(&c->executors, &x);
}

void compile_load(struct compiler *c, const struct node *load)
{
	if (!node_expect(load, JSON_ARRAY, "a list of executors"))
		return;
	if (node_count(load) == 0)
		node_error(load, NULL, "the list of executors is empty");
	for (size_t i = 0; i < node_count(load); i++) {
		if (i == EXECUTORS_MAX) {
			node_error(load, NULL, "more than %d executors", EXECUTORS_MAX);
			return;
		}
		const struct node item = node_item(load, i);
		compile_executor(c, &item);
	}
}
