/* har.h: the parts of a recording's import. Private to scenarios/import/har*.c.
 *
 * entry  one exchange of the recording; borrows the document
 * skip   why an entry is no step */
#ifndef WEIR_SCENARIOS_IMPORT_HAR_H
#define WEIR_SCENARIOS_IMPORT_HAR_H

#include "scenarios/import/draft.h"

#define HAR_PAUSE_MAX_S 10

enum har_skip {
	HAR_KEEP,
	HAR_SKIP_STATIC,
	HAR_SKIP_PREFLIGHT,
	HAR_SKIP_METHOD,
	HAR_SKIP_UNANSWERED,
	HAR_SKIP_UPGRADE,
	HAR_SKIP_URL,
	HAR_SKIPS,
};

struct har_entry {
	json_t *value, *request, *response; /* response: NULL when there is none */
	struct str method, url;
	const char *key; /* "get" */
	const char *page;
	struct draft_url where; /* given: free(where.origin) */
	json_int_t status;
	int64_t start_ms; /* since 1970 */
	bool has_start;
	double time_ms;
	size_t index;
};

/* Of an entry whose URL was not looked at yet. */
enum har_skip har_judge(const struct har_entry *e, bool all);
/* Behind "Left out:". */
const char *har_skip_text(enum har_skip skip);

/* ISO 8601 as browsers write it: "2024-03-01T10:00:00.123Z", "+01:00". */
bool har_time_parse(struct str text, int64_t *ret_ms);

/* A rounded pause as the language writes it, or "" when it is too short to matter. True when it was cut. */
bool har_pause_text(double ms, char *text, size_t size);

/* Adds the request of <e>; NULL when it cannot be a step, and noted. */
json_t *har_add_step(struct draft *d, json_t *steps, const struct har_entry *e);

#endif
