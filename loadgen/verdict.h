/* verdict.h: thresholds against what was measured. Pure. Threads: [any].
 *
 * No data is never met. */
#ifndef WEIR_LOADGEN_VERDICT_H
#define WEIR_LOADGEN_VERDICT_H

#include "loadgen/meter.h"

/* The figure that <t> is about: ns for times, 0..1 for shares, per second for rates. NAN: there is no data for it. */
double verdict_figure(const struct threshold *t, const struct meter *m, dur_ns measured);

/* Fills <ret> (its text is a copy). */
void verdict_threshold(const struct threshold *t, const struct meter *m, dur_ns measured,
                       struct threshold_record *ret);

#endif
