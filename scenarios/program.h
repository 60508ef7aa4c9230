/* program.h: a scenario, compiled: flat, immutable, shared by all workers.
 *
 * A scenario file names things; a program numbers them. Flows, steps, checks, variables are rows of tables, and what
 * a user does is a list of small instructions over them, so that conditions, repeats and groups are later new
 * instructions (a jump is an index) and nothing else changes.
 *
 *     program
 *      ├─ flows[]        name, weight, its instructions, its steps
 *      ├─ code[]         OP_REQUEST step | OP_PAUSE pause | OP_END
 *      ├─ steps[]        one row per request in the file: templates, and the ranges of its checks and extracts
 *      ├─ checks[]       one row per check, in the order of the steps
 *      ├─ extracts[]     one row per extraction
 *      ├─ variables[]    what ${name} means: a slot of each user
 *      ├─ executors[]    when iterations begin
 *      └─ thresholds[]   what has to hold at the end
 *
 * template  text with slots, cut into segments when it is compiled; each slot knows how to escape for its place
 * segment   literal text, a variable, or a generated value
 * secret    a value that no log, sample, dump or report may show (see secret_name)
 *
 * A "step" here is a request: only requests are measured. Pauses are instructions.
 *
 * Ownership: everything lives in the program's arena. Threads: compile and destroy by one; between them [any] may read.
 * Times are nanoseconds, rates per second, shares 0..1. */
#ifndef WEIR_SCENARIOS_PROGRAM_H
#define WEIR_SCENARIOS_PROGRAM_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/doc.h"
#include "base/err.h"
#include "base/mem.h"
#include "scenarios/jsonscan.h"
#include "scenarios/threshold.h"

#define PROGRAM_SCHEMA "weir.scenario.v1"

/* Bounds of one scenario: what a step of a user may render, and how many rows a file may make. */
#define PROGRAM_URL_BYTES 8192
#define PROGRAM_HEADER_BYTES 16384 /* all header values of a request together */
#define PROGRAM_BODY_BYTES (1u << 20)
#define PROGRAM_VALUE_BYTES 8192 /* one variable */
#define PROGRAM_FLOWS_MAX 256
#define PROGRAM_STEPS_MAX 4096
#define PROGRAM_VARIABLES_MAX 256
#define PROGRAM_HEADERS_MAX 64  /* of one step, defaults included */
#define PROGRAM_CHECKS_MAX 64   /* of one step: they are bits of a uint64_t */
#define PROGRAM_EXTRACTS_MAX 32 /* of one step */
#define PROGRAM_USERS_MAX 1000000

/* What a template is for decides how the values in it are escaped. */
enum escape {
	ESCAPE_NONE,   /* text bodies, variables */
	ESCAPE_URL,    /* all but the unreserved characters of RFC 3986 percent-encoded */
	ESCAPE_JSON,   /* between the quotes of a JSON string */
	ESCAPE_HEADER, /* as it is, but a CR, LF or NUL cannot be rendered */
};

enum segment_kind {
	SEGMENT_LITERAL,
	SEGMENT_VARIABLE,
	SEGMENT_ITERATION,     /* ${iteration}: as given to vm_begin */
	SEGMENT_USER,          /* ${user.id} */
	SEGMENT_UUID,          /* ${uuid}: RFC 9562 version 4, from the user's random stream */
	SEGMENT_RANDOM_INT,    /* ${random.int(low,high)}, both included */
	SEGMENT_RANDOM_STRING, /* ${random.string(low)}: letters and digits */
};

struct segment {
	enum segment_kind kind;
	bool secret;       /* of a literal: shown as *** */
	uint32_t variable; /* of SEGMENT_VARIABLE */
	struct str text;   /* of a literal: ready to send. Else the slot as written, for people */
	int64_t low, high;
};

struct template
{
	const struct segment *segments;
	uint32_t count;
	enum escape escape;
};

struct header_template {
	struct str name;
	struct template value;
	bool secret;
};

struct variable {
	const char *name;
	bool secret;
	bool has_value; /* from "vars": rendered anew at the start of each iteration, in the order of the table */
	struct template value;
};

struct status_range {
	uint16_t low, high; /* both included */
};

enum check_kind { CHECK_STATUS, CHECK_JSON_EXISTS, CHECK_JSON_EQUALS, CHECK_TIME, CHECK_BODY_CONTAINS };

struct check {
	enum check_kind kind;
	uint32_t step;
	const char *text; /* for people and for the record: "status 200", "json /token exists", "time < 800ms" */
	const struct status_range *ranges; /* CHECK_STATUS: one of them */
	uint32_t range_count;
	uint32_t pointer;               /* CHECK_JSON_*: of the step's plan */
	bool exists;                    /* CHECK_JSON_EXISTS: wanted */
	bool secret;                    /* what was found must not be shown */
	enum jsonscan_kind equals_kind; /* CHECK_JSON_EQUALS */
	struct str equals;              /* text as jsonscan_text gives it; numbers are compared as numbers */
	enum comparison comparison;     /* CHECK_TIME */
	dur_ns time;
	struct str needle; /* CHECK_BODY_CONTAINS */
	const uint32_t
		*needle_fail; /* its failure function (Knuth, Morris, Pratt 1977), so that no byte is looked at twice */
};

enum extract_kind { EXTRACT_JSON, EXTRACT_HEADER };

struct extract {
	enum extract_kind kind;
	uint32_t variable;
	uint32_t pointer;  /* EXTRACT_JSON: of the step's plan */
	struct str header; /* EXTRACT_HEADER: its name */
	const char *text;  /* "token from json /token" */
};

struct step {
	const char *name;   /* unique in its flow */
	const char *method; /* "GET" */
	uint32_t flow;
	struct template path;                  /* begins with the target's base path */
	const struct header_template *headers; /* defaults included, each name once */
	uint32_t header_count;
	bool has_body;
	bool body_is_text; /* else JSON */
	struct template body;
	dur_ns timeout;
	uint32_t first_check, check_count; /* in program.checks */
	/* Whether "check" has a status; if not, anything outside 200..399 fails the request with VM_STATUS_FAILED. */
	bool checks_status;
	uint32_t first_extract, extract_count; /* in program.extracts */
	struct jsonscan_plan plan;             /* of all its checks and extracts; count 0: the body is not scanned */
	bool reads_body;                       /* scanned or searched: when false, vm_body need not be called */
	bool reads_headers;                    /* when false, vm_header need not be called */
};

enum pause_kind { PAUSE_FIXED, PAUSE_UNIFORM, PAUSE_EXPONENTIAL };

struct pause {
	enum pause_kind kind;
	dur_ns low;  /* the length, the least, or the mean */
	dur_ns high; /* PAUSE_UNIFORM: the most. PAUSE_EXPONENTIAL: cut here, at 20 times the mean */
};

enum op {
	OP_REQUEST, /* operand: step */
	OP_PAUSE,   /* operand: pause */
	OP_END,
};

struct instruction {
	enum op op;
	uint32_t operand;
};

struct flow {
	const char *name;
	uint32_t weight; /* share of the iterations: weight / sum of the executor's flows; may be 0 */
	uint32_t first_instruction, instruction_count; /* in program.code, OP_END included */
	uint32_t first_step, step_count;               /* in program.steps */
};

/* constant-users and constant-rate are one segment with from == to; "steps" is a ramp and a hold per rung. */
enum executor_kind {
	EXECUTOR_USERS, /* closed: so many users, each begins again when it ended */
	EXECUTOR_RATE,  /* open: so many iterations begin per second, whatever the answers do */
};

struct load_segment {
	double from, to; /* users, or iterations per second; linear between */
	dur_ns duration; /* 0: a jump */
};

enum late_policy { LATE_QUEUE, LATE_DROP };

struct executor_flow {
	uint32_t flow;
	uint32_t weight; /* of the file; the sum is above 0 */
};

/* What the file says about one executor; loadgen's executors run it. */
struct executor_plan {
	enum executor_kind kind;
	const char *name; /* as in the file: "ramping-users" */
	const struct load_segment *segments;
	uint32_t segment_count;
	dur_ns start;    /* after the start of the run */
	dur_ns duration; /* sum of the segments */
	const struct executor_flow *flows;
	uint32_t flow_count;
	uint32_t users; /* most users at once: of the rate kind as written, of the users kind the highest point */
	bool poisson;   /* rate only: arrivals of a Poisson process, else evenly spaced */
	enum late_policy late; /* rate only: what becomes of an arrival when no user is free */
};

struct target {
	const char *url;      /* as shown to people: scheme://host[:port]/base, never with a user or password */
	const char *scheme;   /* "http" or "https" */
	const char *host;     /* without the brackets of an IPv6 address */
	uint16_t port;        /* the scheme's own when the URL has none */
	struct str origin;    /* "http://127.0.0.1:8080", to put in front of a rendered path */
	struct str authority; /* "127.0.0.1:8080": the Host header; the port only when it is not the scheme's own */
	struct str base_path; /* "" or "/api": never ends with "/" */
};

struct program {
	struct arena arena;
	const char *name;
	struct target target;

	const struct flow *flows;
	uint32_t flow_count;
	const struct instruction *code;
	uint32_t code_count;
	const struct step *steps;
	uint32_t step_count;
	const struct check *checks;
	uint32_t check_count;
	const struct extract *extracts;
	uint32_t extract_count;
	const struct pause *pauses;
	uint32_t pause_count;
	const struct variable *variables;
	uint32_t variable_count;

	const struct executor_plan *executors;
	uint32_t executor_count;
	dur_ns duration; /* until the last executor is done; the warm-up is its first part, not added */
	dur_ns warmup;
	const struct threshold *thresholds;
	uint32_t threshold_count;

	/* FNV-1a (64 bits) of the file as compact JSON with sorted keys and without comments: two runs with the same
	 * hash ran the same text. Says nothing about the environment; not for security. */
	uint64_t hash;
};

/* What a compilation may look at besides the text. */
struct program_inputs {
	/* The value of an environment variable or NULL. NULL function: none is set. */
	const char *(*get_env)(void *arg, const char *name);
	void *env_arg;
	const char *target; /* used in place of the file's "target"; NULL: the file's */
};

/* Compiles a document that doc_init or doc_read has parsed. On success sets <ret_program> (given: program_destroy) and
 * returns 0; the program does not need <doc> any more. On failure all mistakes that were found are in doc->diags and
 * -1 is returned. A document that was no JSON to begin with stays as it is: -1. */
int program_compile(struct doc *doc, const struct program_inputs *in, struct program **ret_program);
void program_destroy(struct program *p); /* NULL is fine */

/* What `weir load run URL` knows. Everything may be 0 or NULL but url. */
struct program_url {
	const char *url;
	const char *method;         /* NULL: GET, or POST with a body */
	const char *const *headers; /* "Name: value" */
	size_t header_count;
	const char *body; /* text, without templates */
	size_t body_bytes;
	uint32_t users;  /* closed load; default 1 when rate is 0 */
	double rate;     /* open load when above 0; then <users> is the most users */
	dur_ns duration; /* default 10 s */
	dur_ns timeout;  /* default 10 s */
	dur_ns warmup;
	const char *const *thresholds;
	size_t threshold_count;
};

/* Writes the scenario that <u> means as JSON text into <out>, to be read by doc_init and compiled like any other, so
 * that there is one path only. "${" in what the user gave is text. ERR_USAGE when it cannot be one: a URL that
 * is none, a header without a colon, a method that is no word, bytes that are not UTF-8. */
int program_from_url(const struct program_url *u, struct buf *out, struct err *err);

/* Parses a threshold that did not come from the file and finds its flow and step. The slices live as long as <text>.
 * ERR_USAGE with the place in words. */
int program_resolve_threshold(const struct program *p, struct str text, struct threshold *ret_threshold,
                              struct err *err);

/* The program as text, one line per row. Secrets are shown as ***. */
void program_dump(const struct program *p, struct buf *out);

/* Whether a variable, header, JSON member or query parameter of that name holds a secret: names that contain
 * password, passwd, token, authorization, cookie, secret, credential, api-key, api_key or apikey, in any case. */
bool secret_name(struct str name);

#endif
