/* values.h: which values of earlier answers come back in later requests. Private to scenarios/import/.
 *
 *     answer of step 3   {"token": "eyJhbGciOi..."}     candidate: value, step 3, pointer /token
 *     request of step 5  Authorization: Bearer eyJ...   the same value: step 3 extracts "token", here stands ${token}
 *
 * candidate  a string (or a whole number) of an answer that is long enough to be an identifier or a token. The first
 *            answer that holds a value is the one that counts.
 *
 * A string counts from VALUES_BYTES_MIN bytes on, without blanks. Words such as "active" or "public" come back by chance,
 * so it also has a digit, or VALUES_BYTES_SURE bytes, or a name that is secret_name.
 *
 * Owns its values; keeps the steps. Threads: one at a time. */
#ifndef WEIR_SCENARIOS_IMPORT_VALUES_H
#define WEIR_SCENARIOS_IMPORT_VALUES_H

#include "scenarios/import/draft.h"

#define VALUES_BYTES_MIN 6
#define VALUES_BYTES_SURE 16
#define VALUES_BYTES_MAX 4096
#define VALUES_CANDIDATES_MAX 200000
#define VALUES_USED_MAX 200    /* variables of a scenario: 256 */
#define VALUES_PER_STEP_MAX 24 /* of 32 */

struct values {
	json_t *found;   /* by value: [flow, step, pointer, variable once it is used] */
	json_t *names;   /* by flow: the variables that it has */
	json_t *sources; /* the steps whose answers were read; each [flow, step] */
	size_t used;
	const char *flow; /* of the request that is being built */
	bool crossed;     /* a value came back in another flow */
};

void values_init(struct values *v);
void values_finish(struct values *v);

/* Reads the answer of <step>, which is in <flow>. What is no JSON holds nothing. */
void values_add_answer(struct values *v, const char *flow, json_t *step, struct str body);

/* A draft_lookup; <arg> is the values. Adds the extraction to the step of the answer. */
bool values_lookup(void *arg, struct str value, struct buf *slot);

/* Decodes the base64 of RFC 4648 section 4, with or without padding, blanks allowed. */
bool values_base64_decode(struct str text, struct buf *out);

#endif
