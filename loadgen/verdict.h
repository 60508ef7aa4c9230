/* verdict.h: thresholds against what was measured. Pure. Threads: [any].
 *
 * sums   what a figure is made of, gathered from the meters of one or more intervals
 *
 * No data is never met. */
#ifndef WEIR_LOADGEN_VERDICT_H
#define WEIR_LOADGEN_VERDICT_H

#include "loadgen/meter.h"

struct verdict_sums {
	struct hist times;         /* of the threshold's metric */
	uint64_t requests, failed; /* failed: of requests */
	uint64_t checks, passed;   /* passed: of checks */
	dur_ns measured;
};
void verdict_sums_init(struct verdict_sums *s);
void verdict_sums_finish(struct verdict_sums *s);
void verdict_sums_reset(struct verdict_sums *s);
void verdict_sums_add(struct verdict_sums *into, const struct verdict_sums *from);
/* Adds what the meter of an interval of <measured> has for <t>. */
void verdict_gather(const struct threshold *t, const struct meter *m, dur_ns measured, struct verdict_sums *into);

/* The figure that <t> is about: ns for times, 0..1 for shares, per second for rates. NAN: there is no data for it. */
double verdict_value(const struct threshold *t, const struct verdict_sums *s);
double verdict_figure(const struct threshold *t, const struct meter *m, dur_ns measured);

/* Fills <ret> (its text is a copy). */
void verdict_threshold(const struct threshold *t, const struct meter *m, dur_ns measured, struct threshold_record *ret);

#endif
