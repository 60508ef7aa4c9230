/* statements.h: what pg_stat_statements counted between two looks at it.
 *
 * The view counts calls and time per statement since its last reset; what went on in the last second is the difference
 * of two looks. It has no quantile: for p95 each call counts with the mean time of its statement in that second, so the
 * spread within a statement is not in it.
 *
 * Pure. Threads: one at a time. */
#ifndef WEIR_OBSERVE_STATEMENTS_H
#define WEIR_OBSERVE_STATEMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATEMENTS_MAX 10000

struct statement {
	int64_t id;
	double calls, total_ms; /* since the reset */
};

struct statements {
	struct statement *rows; /* ascending by id */
	size_t count;
};

void statements_finish(struct statements *s); /* a zeroed one is fine */

struct statement_times {
	double calls;
	double mean_ms, p95_ms; /* NAN without calls */
};

/* False: counters went back (somebody reset them), so nothing is known of the time between. A statement that was not in
 * <before> began since. */
bool statements_between(const struct statements *before, const struct statements *after, struct statement_times *ret);

#endif
