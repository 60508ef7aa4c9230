/* draft.h: a scenario that is being put together. Private to scenarios/import/.
 *
 * What comes in is plain text ("as sent"); what is kept is the language: "${" is escaped, secrets are slots, values
 * that an earlier step extracts are slots.
 *
 * request  one request as it was, or would be, sent
 * lookup   asks the importer whether a value is one that an earlier answer held
 *
 * A draft owns its JSON; struct draft_request borrows. Bounds: whatever would not compile is left out with a note.
 * Threads: a draft belongs to one. */
#ifndef WEIR_SCENARIOS_IMPORT_DRAFT_H
#define WEIR_SCENARIOS_IMPORT_DRAFT_H

#include "scenarios/import/import.h"
#include "scenarios/program.h"

#define DRAFT_STEPS_MAX 4000
#define DRAFT_FLOWS_MAX 250
#define DRAFT_NOTES_MAX 40
#define DRAFT_SECRETS_MAX 200
#define DRAFT_HEADERS_MAX 40
#define DRAFT_PATH_BYTES 6000   /* of 8192: slots become longer when they are rendered */
#define DRAFT_HEADER_BYTES 4096 /* of one value */
#define DRAFT_BODY_BYTES (256u << 10)
#define DRAFT_JSON_DEPTH 48 /* of a body; deeper ones are kept as text */

/* Adds the slot for <value> to <slot> when an earlier step of the flow extracts it. */
typedef bool draft_lookup(void *arg, struct str value, struct buf *slot);

struct draft {
	const struct import_options *options; /* kept */
	json_t *notes;                        /* list of strings */
	json_t *flows;                        /* by name: { "//", "steps": [...] } */
	json_t *secrets;                      /* by environment variable: its value, never written */
	size_t step_count, notes_dropped;
	draft_lookup *lookup; /* NULL: nothing is extracted */
	void *lookup_arg;
};

/* Which parts of a request are already in the language, with slots: OpenAPI writes such values itself. */
enum draft_form { DRAFT_PLAIN, DRAFT_TEMPLATE };

struct draft_request {
	enum draft_form form;
	const char *key;    /* "get": draft_method_key */
	const char *name;   /* NULL: made from the path */
	const char *remark; /* of this step; NULL: none */
	struct str path;    /* with the query, without the fragment; "" is "/" */
	json_t *headers;    /* names and strings; NULL: none */
	bool has_body;
	struct str body;
	struct str type;    /* the media type of the body, without parameters */
	json_t *json;       /* the body when it is known as JSON; then <body> is not looked at */
	json_t *fields;     /* the body when it is known as a form: names, and templates or numbers; the same */
	json_t *status;     /* what to check: a number, a string or a list; NULL: nothing */
	int64_t timeout_ms; /* 0: the default */
	int redirects;      /* how many are followed */
};

void draft_init(struct draft *d, const struct import_options *o);
void draft_finish(struct draft *d);

/* Adds a note, once. */
void draft_note(struct draft *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The list of steps of the flow of that name (borrowed), made when there is none. NULL: too many flows, and noted. */
json_t *draft_flow(struct draft *d, const char *name);

/* Notes that a request is left out. NULL. */
json_t *draft_leave_out(struct draft *d, const char *key, struct str path, const char *why);

/* Adds the request to <steps>; the step (borrowed), or NULL when it cannot be one: then why is noted. */
json_t *draft_add(struct draft *d, json_t *steps, const struct draft_request *r);
void draft_pause(json_t *steps, const char *pause);

/* The environment variable that stands for <value>, which was called <name>. Borrowed from the draft. */
const char *draft_secret(struct draft *d, struct str name, struct str value);

/* Writes the scenario. <origin> is an absolute URL; options->target comes before it. Why it cannot be written (given:
 * free), or NULL. */
char *draft_write(struct draft *d, const char *origin, const char *what, const char *name, struct buf *out);

/* --- words of the language (draft_text.c) --- */

/* "get" of "GET" in any case; NULL when the language has no such method. */
const char *draft_method_key(struct str method);

/* A short name of letters, digits and "-": "My page / x" is "my-page-x". Given: free. */
char *draft_slug(struct str text, const char *otherwise);

/* Adds <text> so that the language reads it as these characters. */
void draft_add_plain(struct buf *b, struct str text);
/* A JSON string of what is in <b>, which is finished; NULL when it overflowed or is no text. */
json_t *draft_take_string(struct buf *b);

/* <text> with %XX decoded, and "+" as a blank when <plus>; false when it holds a NUL. */
bool draft_percent_decode(struct str text, bool plus, struct buf *out);

/* Takes "scheme://user:password@host:port/path?query#fragment" apart. <origin> has no user. False when it is no http
 * or https URL that weir can ask. A URL without scheme is none. */
struct draft_url {
	char *origin; /* given: free */
	struct str path;
	struct str user; /* "user:password", or empty */
};
bool draft_url_parse(struct str url, struct draft_url *ret_url);

/* --- values in their places (draft_weave.c) --- */

/* Each gives a JSON string, or NULL when it cannot stand there. */
json_t *draft_weave_path(struct draft *d, struct str path);
json_t *draft_weave_header(struct draft *d, struct str name, struct str value);
json_t *draft_weave_form(struct draft *d, struct str body);
/* The same as names and values, for "form"; NULL when that would not send the same fields. */
json_t *draft_weave_fields(struct draft *d, struct str body);
/* Any JSON. */
json_t *draft_weave_json(struct draft *d, json_t *value);
/* Secrets that are left anywhere in the steps, by their value. */
void draft_scrub(struct draft *d);

#endif
