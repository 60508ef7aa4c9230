/* compile.h: what the parts of the compiler share. Private to scenarios/compile*.c.
 *
 * One pass in file order: vars, then each flow step by step, then load and thresholds, which name flows and steps. A
 * mistake becomes a diagnostic and the pass goes on with something harmless in its place, so that one run shows
 * them all; the half-built program is then thrown away.
 *
 * rows   a table that grows while it is compiled, and is copied to the program's arena when it is complete
 * scope  which variables have a value at this point of the flow: those of "vars", and what earlier steps extract */
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

struct compiler {
	struct doc *doc;
	const struct program_inputs *in;
	struct program *program;
	struct arena *arena; /* &program->arena */
	struct rows flows, code, steps, checks, extracts, pauses, variables, executors, thresholds;
	bool in_scope[PROGRAM_VARIABLES_MAX];
	dur_ns default_timeout;
	struct rows default_headers; /* struct header_template */
};

/* The help text of a key that load.md promises and this version does not have: read_fields refuses it. */
extern const char not_yet[];

/* fields_read, and an error for each key whose help is not_yet. */
bool read_fields(struct compiler *c, const struct node *n, const struct field *fields, void *into);

/* How many mistakes were found so far. What is wrong with an object's shape is not said when its keys are. */
size_t mistakes(const struct compiler *c);

/* "did you mean ...?" for <word>; NULL when nothing is near. Lives in the arena. */
const char *near_hint(struct compiler *c, struct str word, const char *const *names);

/* The names of a table whose rows begin with their name, ending with NULL; in the arena. */
const char *const *row_names(struct compiler *c, const struct rows *rows);

/* --- templates (compile_template.c) --- */

/* A template that is being put together from texts of the file and from literal pieces. */
struct weaver {
	struct compiler *compiler;
	struct rows segments;
	struct buf literal; /* not yet a segment */
	bool literal_secret;
	enum escape escape;
};

void weaver_init(struct weaver *w, struct compiler *c, enum escape escape);
/* Adds bytes that are ready to be sent. */
void weave_literal(struct weaver *w, struct str ready, bool secret);
/* Adds <text>, which begins at byte <from> of the string <n>, with its slots; escapes its literal parts. */
void weave_text(struct weaver *w, const struct node *n, struct str text, size_t from, bool secret);
struct template weaver_finish(struct weaver *w);

/* The string <n> as a template. */
struct template compile_text(struct compiler *c, const struct node *n, enum escape escape, bool secret);
/* Any JSON value as a template of its text. */
struct template compile_json(struct compiler *c, const struct node *n);
/* The string <n> with only ${env...} in it, resolved now; in the arena. False when it has mistakes. */
bool compile_constant(struct compiler *c, const struct node *n, struct str *ret_text);

/* The variable of that name, made when there is none; UINT32_MAX and a diagnostic when it cannot be one. */
uint32_t compile_variable(struct compiler *c, const struct node *member);
/* Reads "vars". */
void compile_vars(struct compiler *c, const struct node *vars);

/* --- steps (compile_step.c, compile_check.c) --- */

void compile_flow(struct compiler *c, const struct node *flow);
/* Reads an object of headers into rows of struct header_template, replacing those of the same name. */
void compile_headers(struct compiler *c, const struct node *headers, struct rows *into);
/* "check" and "extract" of a step; <step> has its templates. */
void compile_checks(struct compiler *c, const struct node *check, struct step *step, struct rows *pointers);
void compile_extracts(struct compiler *c, const struct node *extract, struct step *step, struct rows *pointers);

/* --- load and thresholds (compile_load.c, compile_threshold.c) --- */

void compile_load(struct compiler *c, const struct node *load);
void compile_thresholds(struct compiler *c, const struct node *thresholds);

#endif
