/* flow_sums.h: what meters know by step, put together by flow, for whoever follows a run.
 *
 * Memory: two histograms per flow, made once. Threads: [main]. */
#ifndef WEIR_LOADGEN_FLOW_SUMS_H
#define WEIR_LOADGEN_FLOW_SUMS_H

#include "loadgen/meter.h"
#include "record/progress.h"

struct flow_sums {
	const struct program *program; /* kept */
	struct hist *interval, *response;
	struct flow_progress *rows; /* one per flow; they borrow from the two above */
};

void flow_sums_init(struct flow_sums *f, const struct program *program);
void flow_sums_finish(struct flow_sums *f); /* zeroed is fine */

/* Makes the rows anew from the meter of the interval, which is added to what was before, and the meter of all. */
void flow_sums_take(struct flow_sums *f, const struct meter *interval, const struct meter *total);

#endif
