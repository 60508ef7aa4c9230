/* program.h: a scenario, compiled: flat, immutable, shared by all workers.
 *
 * A scenario file names things; a program numbers them. Flows, steps, checks, variables are rows of tables, and what
 * a user does is a list of small instructions over them: a jump is an index.
 *
 *     program
 *      ├─ flows[]        name, weight, its instructions, its steps
 *      ├─ code[]         OP_REQUEST step | OP_PAUSE pause | OP_UNLESS condition | OP_REPEAT repeat ... | OP_END
 *      ├─ steps[]        one row per request in the file: templates, and the ranges of its checks and extracts
 *      ├─ groups[]       names for steps that belong together; a group may stand in another
 *      ├─ checks[]       one row per check, in the order of the steps
 *      ├─ extracts[]     one row per extraction
 *      ├─ captures[]     headers and cookies that checks and extractions of a step look at
 *      ├─ patterns[]     regular expressions, compiled
 *      ├─ variables[]    what ${name} means: a slot of each user
 *      ├─ feeds[]        what ${feed.column} means: rows of a file
 *      ├─ executors[]    when iterations begin
 *      └─ thresholds[]   what has to hold
 *
 * template  text with slots, cut into segments when it is compiled; each slot knows how to escape for its place
 * segment   literal text, a variable, a cell of a feed, or a generated value
 * source    a place in an answer that holds one value: a JSON value, a header, a cookie, what a pattern found
 * needs     what a request asks of the transport beyond plain HTTP (net/needs.h)
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
#include "net/needs.h"
#include "scenarios/feed.h"
#include "scenarios/jsonscan.h"
#include "scenarios/pattern.h"
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
#define PROGRAM_CAPTURES_MAX 32 /* of one step: they are bits of a uint32_t */
#define PROGRAM_FEEDS_MAX 32    /* they are bits of a uint32_t */
#define PROGRAM_NEST_MAX 8      /* blocks within blocks */
#define PROGRAM_REDIRECTS_MAX 20
#define PROGRAM_WINDOW_BYTES 65536 /* of a body: what regular expressions look at */
#define PROGRAM_USERS_MAX 1000000
#define PROGRAM_NONE UINT32_MAX

/* What a template is for decides how the values in it are escaped. */
enum escape {
	ESCAPE_NONE, /* text bodies, variables */
	ESCAPE_URL,  /* slots percent-encoded but for the unreserved characters of RFC 3986; what is written, is sent */
	ESCAPE_FORM, /* the same, and what is written, too: values of forms and queries */
	ESCAPE_JSON, /* between the quotes of a JSON string */
	ESCAPE_HEADER, /* as it is, but a CR, LF or NUL cannot be rendered */
};

enum segment_kind {
	SEGMENT_LITERAL,
	SEGMENT_VARIABLE,
	SEGMENT_FEED,          /* ${feed.column} */
	SEGMENT_ITERATION,     /* ${iteration}: as given to vm_begin */
	SEGMENT_USER,          /* ${user.id} */
	SEGMENT_UUID,          /* ${uuid}: RFC 9562 version 4, from the user's random stream */
	SEGMENT_NOW_ISO,       /* ${now.iso}: UTC, milliseconds */
	SEGMENT_NOW_MS,        /* ${now.ms}: since 1970 */
	SEGMENT_RANDOM_INT,    /* ${random.int(low,high)}, both included */
	SEGMENT_RANDOM_FLOAT,  /* ${random.float(least,most)}, six decimals */
	SEGMENT_RANDOM_STRING, /* ${random.string(low)}: letters and digits */
	SEGMENT_RANDOM_CHOICE, /* ${random.choice(a,b,c)} */
};

struct segment {
	enum segment_kind kind;
	bool secret;       /* of a literal: shown as *** */
	uint32_t variable; /* of SEGMENT_VARIABLE; the feed of SEGMENT_FEED; how many <choices> */
	uint32_t column;   /* of SEGMENT_FEED */
	struct str text;   /* of a literal: ready to send. Else the slot as written, for people */
	int64_t low, high;
	double least, most;
	const struct str *choices;
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

enum source_kind { SOURCE_JSON, SOURCE_HEADER, SOURCE_COOKIE, SOURCE_REGEX };

struct value_source {
	enum source_kind kind;
	uint32_t
		index; /* of JSON: pointer of the step's plan; of headers and cookies: capture of the step; else pattern */
	uint32_t group; /* SOURCE_REGEX: 0 is the whole match */
};

/* A header, or a cookie that an answer sets, caught as it passes. */
struct capture {
	bool is_cookie;
	struct str name;
};

enum check_kind {
	CHECK_STATUS,
	CHECK_EXISTS, /* these four look at <source> */
	CHECK_EQUALS,
	CHECK_CONTAINS,
	CHECK_MATCHES,
	CHECK_TIME,
	CHECK_BODY_CONTAINS,
	CHECK_BODY_EQUALS,
	CHECK_BODY_SIZE,
};

struct check {
	enum check_kind kind;
	uint32_t step;
	const char *text; /* for people and for the record: "status 200", "json /token exists", "time < 800ms" */
	const struct status_range *ranges; /* CHECK_STATUS: one of them */
	uint32_t range_count;
	struct value_source source;
	bool exists;                    /* CHECK_EXISTS: wanted */
	bool secret;                    /* what was found must not be shown */
	enum jsonscan_kind equals_kind; /* CHECK_EQUALS of JSON */
	struct template value;          /* CHECK_EQUALS, CHECK_CONTAINS; numbers are compared as numbers */
	uint32_t pattern;               /* CHECK_MATCHES */
	enum comparison comparison;     /* CHECK_TIME, CHECK_BODY_SIZE */
	double limit;                   /* ns or bytes */
	struct str needle;              /* CHECK_BODY_CONTAINS, CHECK_BODY_EQUALS */
	const uint32_t
		*needle_fail; /* its failure function (Knuth, Morris, Pratt 1977), so that no byte is looked at twice */
};

struct extract {
	uint32_t variable;
	struct value_source source;
	bool optional;    /* finding nothing takes the variable's value away, if it had one, and is no failure */
	const char *text; /* "token from json /token" */
};

/* When a request is sent again, as the file says so. */
struct retry {
	uint32_t attempts; /* in all; 1: never again */
	bool on_transport; /* no whole answer came */
	const struct status_range *ranges;
	uint32_t range_count;
	uint32_t pause; /* in program.pauses; PROGRAM_NONE: at once */
};

struct group {
	const char *name;      /* "checkout/pay": with the groups around it */
	uint32_t flow, parent; /* PROGRAM_NONE: the flow itself */
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

struct step {
	const char *name;   /* unique in its flow */
	const char *method; /* "GET" */
	uint32_t flow, group;
	const struct target *target;           /* the program's, or its own when the file has an absolute URL */
	struct template path;                  /* begins with the target's base path */
	const struct header_template *headers; /* defaults included, each name once */
	uint32_t header_count;
	bool has_body;
	bool body_is_text; /* else JSON */
	struct template body;
	dur_ns timeout;
	const struct transfer_needs *needs; /* NULL: nothing beyond plain HTTP */
	const struct transfer_needs
		*needs_abroad; /* the same without a password: once a redirect led to another origin */
	uint32_t redirects;    /* followed at most; 0: a redirect is an answer */
	struct retry retry;
	bool cookies;                      /* the user's jar takes part */
	uint32_t first_check, check_count; /* in program.checks */
	/* Whether "check" has a status; if not, anything outside 200..399 fails the request with VM_STATUS_FAILED. */
	bool checks_status;
	uint32_t first_extract, extract_count; /* in program.extracts */
	uint32_t first_capture, capture_count; /* in program.captures */
	struct jsonscan_plan plan;             /* of all its checks and extracts; count 0: the body is not scanned */
	bool reads_body;    /* scanned, searched or counted: when false, vm_body need not be called */
	bool keeps_window;  /* regular expressions look at the body */
	bool searches_body; /* there is a CHECK_BODY_CONTAINS or CHECK_BODY_EQUALS */
	bool reads_headers; /* when false, vm_header need not be called */
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
	OP_PACE,    /* operand: pause: waits until that long after the start of the iteration */
	OP_UNLESS,  /* operand: condition: jumps to its target when it does not hold */
	OP_REPEAT,  /* operand: repeat: begins it */
	OP_AGAIN,   /* operand: repeat: its next round, if there is one */
	OP_END,
};

struct instruction {
	enum op op;
	uint32_t operand;
};

enum condition_kind { CONDITION_EXISTS, CONDITION_EQUALS, CONDITION_MATCHES };

struct condition {
	enum condition_kind kind;
	bool wanted;           /* "not" makes it false */
	uint32_t variable;     /* CONDITION_EXISTS; else PROGRAM_NONE or a variable without which it does not hold */
	struct template value; /* of what is looked at: one slot */
	struct template equals;
	uint32_t pattern;
	uint32_t target; /* instruction behind the block */
	const char *text;
};

struct repeat {
	uint32_t count;
	uint32_t first; /* instruction of a round */
	uint32_t depth; /* counter of the user: loops around this one */
};

struct flow {
	const char *name;
	uint32_t weight; /* share of the iterations: weight / sum of the executor's flows; may be 0 */
	uint32_t first_instruction, instruction_count; /* in program.code, OP_END included */
	uint32_t tail;                   /* where an iteration goes on that ends early: at its pace, or OP_END */
	uint32_t first_step, step_count; /* in program.steps */
	uint32_t feeds;                  /* bits of program.feeds: a row of each is taken when an iteration begins */
};

/* constant-users and constant-rate are one segment with from == to; "steps" is a ramp and a hold per rung. */
enum executor_kind {
	EXECUTOR_USERS,    /* closed: so many users, each begins again when it ended */
	EXECUTOR_RATE,     /* open: so many iterations begin per second, whatever the answers do */
	EXECUTOR_PER_USER, /* closed: each user does so many iterations */
	EXECUTOR_SHARED,   /* closed: the users do so many iterations together */
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
	uint32_t users;      /* most users at once: of the rate kind as written, of the users kind the highest point */
	uint32_t first_user; /* ${user.id} of its user 0: the users of the executors before it come first */
	uint64_t
		iterations; /* of EXECUTOR_PER_USER and EXECUTOR_SHARED; they end then, and after <duration> at latest */
	bool poisson;       /* rate only: arrivals of a Poisson process, else evenly spaced */
	enum late_policy late; /* rate only: what becomes of an arrival when no user is free */
};

struct program {
	struct arena arena;
	const char *name;
	struct target target;
	struct transfer_route route;

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
	const struct capture *captures;
	uint32_t capture_count;
	struct pattern **patterns;
	uint32_t pattern_count;
	const struct group *groups;
	uint32_t group_count;
	const struct condition *conditions;
	uint32_t condition_count;
	const struct repeat *repeats;
	uint32_t repeat_count;
	const struct pause *pauses;
	uint32_t pause_count;
	const struct variable *variables;
	uint32_t variable_count;
	const struct feed *feeds;
	uint32_t feed_count;

	const struct executor_plan *executors;
	uint32_t executor_count;
	dur_ns duration; /* until the last executor is done; the warm-up is its first part, not added */
	dur_ns warmup;
	const struct threshold *thresholds;
	uint32_t threshold_count;

	/* FNV-1a (64 bits) of the file as compact JSON with sorted keys, without comments and without "observe": two runs with
	 * the same hash ran the same text. Says nothing about the environment; not for security. */
	uint64_t hash;
};

/* What a compilation may look at besides the text. */
struct program_inputs {
	/* The value of an environment variable or NULL. NULL function: none is set. */
	const char *(*get_env)(void *arg, const char *name);
	void *env_arg;
	const char *target; /* used in place of the file's "target"; NULL: the file's */
	/* Adds the bytes of a file that the scenario names (a feed, a body) to <out>, whose limit is set. -1 when it
	 * cannot be read. NULL function: there are no files. */
	int (*read_file)(void *arg, const char *name, struct buf *out, struct err *err);
	void *file_arg;
	const char *folder; /* put in front of the names of certificates; NULL: nothing */
	double time_scale;  /* lengths of the load and of the warm-up are multiplied with it; 0 means 1 */
};

/* Compiles a document that doc_init or doc_read has parsed. On success sets <ret_program> (given: program_destroy) and
 * returns 0; the program does not need <doc> any more. On failure all mistakes that were found are in doc->diags and
 * -1 is returned. A document that was no JSON to begin with stays as it is: -1. "observe" may hold anything: it is
 * for whoever looks at the server (observe/plan.h), and no part of the program. */
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

/* The JSON Schema (draft 2020-12) of scenario files, made from the tables that the compiler checks with. <others>: the
 * definition "observe", and those it refers to; borrowed. */
void program_schema(json_t *others, struct buf *out);

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
