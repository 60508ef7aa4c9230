/* compile.h: what the parts of the compiler share. Private to scenarios/compile*.c.
 *
 * One pass in file order: vars, then each flow step by step, then load and thresholds, which name flows and steps. A
 * mistake becomes a diagnostic and the pass goes on with something harmless in its place, so that one run shows
 * them all; the half-built program is then thrown away.
 *
 * rows   a table that grows while it is compiled, and is copied to the program's arena when it is complete
 * scope  which variables have a value at this point of the flow: those of "vars" and what earlier steps extract surely;
 *        what is extracted under an "if", or optionally, may have none */
#ifndef WEIR_SCENARIOS_COMPILE_H
#define WEIR_SCENARIOS_COMPILE_H

#include "base/field.h"
#include "scenarios/program.h"

struct rows {
	void *items;
	uint32_t count, room;
	size_t size; /* of one row */
};

#define ROWS(type) ((struct rows){ .size = sizeof(type) })
/* Copies <row> to the end; returns its index. */
uint32_t rows_add(struct rows *r, const void *row);
#define rows_at(r, type, i) (&((type *)(r)->items)[i])
/* Moves the rows to <arena> and frees them. NULL when there are none. */
void *rows_settle(struct rows *r, struct arena *arena);

enum scope { SCOPE_NONE, SCOPE_MAYBE, SCOPE_SURE };

/* What "defaults" and a step may both say about how requests are made. */
struct request_text {
	dur_ns timeout;
	const char *http;
	int64_t redirects;
	bool cookies, compression;
};

/* The plain members of a step. */
struct step_text {
	const char *name, *group;
	int64_t repeat;
	struct request_text request;
};

struct compiler {
	struct doc *doc;
	const struct program_inputs *in;
	struct program *program;
	struct arena *arena; /* &program->arena */
	struct rows flows, code, steps, checks, extracts, captures, patterns, groups, conditions, repeats, pauses,
		variables, feeds, executors, thresholds;
	struct rows needs; /* struct transfer_needs *, no two alike */
	enum scope scope[PROGRAM_VARIABLES_MAX];
	uint32_t feeds_used;   /* bits: by what was compiled since this was cleared */
	uint32_t feeds_always; /* by "vars" and "defaults": for every flow */
	struct request_text defaults;
	struct transfer_needs default_needs;
	struct rows default_headers; /* struct header_template */
	/* Of the flow that is being compiled. */
	uint32_t group, nesting, loop_depth, users;
};

/* fields_read, and an error for each key whose help is not_yet: promised, and not in this version. */
extern const char not_yet[];
bool read_fields(struct compiler *c, const struct node *n, const struct field *fields, void *into);

/* How many mistakes were found so far. What is wrong with an object's shape is not said when its keys are. */
size_t mistakes(const struct compiler *c);

/* "did you mean ...?" for <word>; NULL when nothing is near. Lives in the arena. */
const char *near_hint(struct compiler *c, struct str word, const char *const *names);

/* The names of a table whose rows begin with their name, ending with NULL; in the arena. */
const char *const *row_names(struct compiler *c, const struct rows *rows);

/* A copy in the arena. */
struct str keep_str(struct compiler *c, struct str s);

/* A duration of the load or the warm-up, as the time scale wants it. */
dur_ns scaled(const struct compiler *c, dur_ns d);

/* --- templates (compile_template.c, compile_slot.c) --- */

/* A template that is being put together from texts of the file and from literal pieces. */
struct weaver {
	struct compiler *compiler;
	struct rows segments;
	struct buf literal; /* not yet a segment */
	bool literal_secret;
	enum escape escape;
};

/* One slot of a text: its content between "${" and "}", and where that stands in the string of <n>. */
struct slot {
	struct weaver *w;
	const struct node *n;
	struct str inside;
	size_t at; /* of the "$" */
	bool secret;
};

void weaver_init(struct weaver *w, struct compiler *c, enum escape escape);
/* Adds bytes that are ready to be sent. */
void weave_literal(struct weaver *w, struct str ready, bool secret);
/* Adds a text that is known now, escaped for its place. */
void weave_value(struct weaver *w, struct str value, bool secret);
/* Adds <text>, which begins at byte <from> of the string <n>, with its slots; escapes its literal parts. */
void weave_text(struct weaver *w, const struct node *n, struct str text, size_t from, bool secret);
/* Says so when there is a slot in the key of <member>: a name is written out. */
bool expect_no_slot(const struct node *member);
/* Whether there is a slot in <text>: "$${" is none. */
bool has_slot(struct str text);
/* Adds a string, number, true or false. */
void weave_scalar(struct weaver *w, const struct node *n, bool secret);
/* Adds what a slot stands for (compile_slot.c). */
void weave_slot(struct slot *s);
void weave_segment(struct weaver *w, struct segment segment, struct str inside);
struct template weaver_finish(struct weaver *w);

/* The string <n> as a template. */
struct template compile_text(struct compiler *c, const struct node *n, enum escape escape, bool secret);
/* Any JSON value as a template of its text. */
struct template compile_json(struct compiler *c, const struct node *n);
/* The string <n> with only ${env...} in it, resolved now; in the arena. False when it has mistakes. */
bool compile_constant(struct compiler *c, const struct node *n, struct str *ret_text);
/* The same of <part>, a slice of that string. */
bool compile_constant_part(struct compiler *c, const struct node *n, struct str part, struct str *ret_text);
/* The same for a member that may be absent: NULL. */
const char *constant_member(struct compiler *c, const struct node *n, const char *key);

/* --- variables and feeds (compile_vars.c, compile_feed.c) --- */

/* The variable of that name, made when there is none; PROGRAM_NONE and a diagnostic when it cannot be one. */
uint32_t compile_variable(struct compiler *c, const struct node *member);
/* Whether <member>'s key can name a variable or a feed; says so when not. */
bool expect_name(const struct node *member, bool is_feed);
/* A name that ${...} has of weir's own; <first_part>: also what stands before the dot of one: "user", "random". */
bool is_own_name(struct str name, bool first_part);
void compile_vars(struct compiler *c, const struct node *vars);
void compile_feeds(struct compiler *c, const struct node *feeds);
/* Whether there are rows for all users, once the load is known. */
void check_feeds(struct compiler *c, const struct node *feeds);
/* Reads a file that the scenario names into <out>; a diagnostic at <n> when it cannot. */
bool read_named_file(struct compiler *c, const struct node *n, const char *name, struct buf *out);

/* --- steps (compile_flow.c, compile_request.c, compile_body.c, compile_needs.c) --- */

void compile_flow(struct compiler *c, const struct node *flow);
void compile_request(struct compiler *c, const struct node *n, const struct flow *flow, const char *method,
                     const struct node *path);
/* Reads an object of headers into rows of struct header_template, replacing those of the same name. */
void compile_headers(struct compiler *c, const struct node *headers, struct rows *into);
/* Replaces the header of the same name, or adds it. */
bool put_header(struct rows *into, const struct header_template *h);
void drop_header(struct rows *headers, const char *name);
bool has_header(const struct rows *headers, const char *name);
/* json, body, form, multipart or file of a step; adds the Content-Type. */
void compile_body(struct compiler *c, const struct node *n, struct step *step, struct rows *headers);
/* "a=b&c=d" of an object; values may be lists. */
void weave_pairs(struct weaver *w, const struct node *object);
bool read_pause(const struct node *n, struct pause *ret_pause);

void compile_defaults(struct compiler *c, const struct node *n);
/* "auth" of a step or of "defaults". */
void compile_auth(struct compiler *c, const struct node *n, struct transfer_needs *needs, struct rows *headers);
/* The one object for <needs>, NULL for none. */
const struct transfer_needs *settle_needs(struct compiler *c, const struct transfer_needs *needs);
void apply_request(struct compiler *c, const struct node *n, const struct request_text *text,
                   struct transfer_needs *needs);
extern const char *const http_words[];
#define REQUEST_FIELDS(struct_, member, timeout_, http_, redirects_, cookies_, compression_) \
	{ .key = "timeout",                                                                  \
	  .type = FIELD_DURATION,                                                            \
	  .offset = offsetof(struct_, member.timeout),                                       \
	  .min = MILLISECOND,                                                                \
	  .max = HOUR,                                                                       \
	  .def = timeout_,                                                                   \
	  .help = "Longest time for the whole exchange." },                                  \
		{ .key = "http",                                                             \
		  .type = FIELD_STRING,                                                      \
		  .offset = offsetof(struct_, member.http),                                  \
		  .choices = http_words,                                                     \
		  .def = http_,                                                              \
		  .help = "Which HTTP, and who speaks it." },                                \
		{ .key = "redirects",                                                        \
		  .type = FIELD_INTEGER,                                                     \
		  .offset = offsetof(struct_, member.redirects),                             \
		  .min = 0,                                                                  \
		  .max = PROGRAM_REDIRECTS_MAX,                                              \
		  .def = redirects_,                                                         \
		  .help = "How many redirects are followed." },                              \
		{ .key = "cookies",                                                          \
		  .type = FIELD_BOOLEAN,                                                     \
		  .offset = offsetof(struct_, member.cookies),                               \
		  .def = cookies_,                                                           \
		  .help = "Whether the user keeps and sends cookies." },                     \
		{ .key = "compression",                                                      \
		  .type = FIELD_BOOLEAN,                                                     \
		  .offset = offsetof(struct_, member.compression),                           \
		  .def = compression_,                                                       \
		  .help = "Whether compressed answers are asked for." },                     \
	{                                                                                    \
		.key = "auth", .type = FIELD_NODE, .help = "A user and a password."          \
	}

/* --- checks and extractions (compile_check.c, compile_source.c) --- */

/* What is collected of one step while its checks and extractions are compiled. */
struct step_parts {
	struct step *step;
	struct rows pointers; /* struct jsonscan_pointer */
};
void compile_checks(struct compiler *c, const struct node *check, struct step_parts *parts);
void compile_extracts(struct compiler *c, const struct node *extract, struct step_parts *parts);
/* A source from the one of "json", "header", "cookie", "regex" that <n> has; <ret_name> is "json /a" and the like.
 * False with a diagnostic. */
bool compile_source(struct compiler *c, const struct node *n, struct step_parts *parts, struct value_source *ret_source,
                    const char **ret_name, bool *ret_secret);
/* The key of the source that <n> has, or NULL. */
const char *source_key(const struct node *n);
bool read_status(const struct node *n, struct rows *ranges);
/* The index of the pattern in the string <n>. False with a diagnostic. */
bool compile_pattern(struct compiler *c, const struct node *n, uint32_t *ret_pattern);
/* "< 800ms": the comparison, and where the rest of the string begins. False with a diagnostic. */
bool read_comparison(const struct node *n, const char *hint, enum comparison *ret, size_t *ret_at);

/* --- load and thresholds (compile_load.c, compile_threshold.c) --- */

void compile_load(struct compiler *c, const struct node *load);
void compile_thresholds(struct compiler *c, const struct node *thresholds);

/* --- every table of keys, for the schema --- */

extern const struct field scenario_fields[], defaults_fields[], tls_fields[], auth_fields[], feed_fields[],
	flow_fields[], step_fields[], if_fields[], retry_fields[], part_fields[], check_fields[], body_check_fields[],
	extract_fields[], stage_fields[], threshold_fields[];
/* Executors have a table per kind; NULL past the last. */
const struct field *executor_kind_fields(size_t i, const char **ret_name);
/* The keys that say what a step does; NULL past the last. */
const char *step_kind_key(size_t i);

#endif
