/* result.h: from the merged meters to the record that stays. Threads: [any]. */
#ifndef WEIR_LOADGEN_RESULT_H
#define WEIR_LOADGEN_RESULT_H

#include "loadgen/meter.h"

/* Fills flows, steps, checks, histograms, counters and samples of <r> (initialised) from <m>. */
void result_fill(struct run_record *r, const struct meter *m, dur_ns measured);

/* One row of the time series from the meter of one interval of <length>. */
struct second_record result_second(const struct meter *m, const struct executor_counts *before, int32_t second,
                                   dur_ns length);

#endif
