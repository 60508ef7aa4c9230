/* metrics_text.h: a run that goes on, in the text format of Prometheus (exposition format 0.0.4).
 *
 * Counters and histograms cover the measured phase and only grow; gauges are of the last second. Times are seconds. A
 * bucket's bound is exact to the histogram's 1 in 1,000. Labels come from the scenario only, and are bounded: at most
 * METRICS_FLOWS_MAX flows, the others are summed up in flow="(others)".
 *
 * Renders only. Threads: [any]. */
#ifndef WEIR_REPORTS_METRICS_TEXT_H
#define WEIR_REPORTS_METRICS_TEXT_H

#include "base/buf.h"
#include "record/progress.h"

#define METRICS_BYTES_MAX (1u << 20)
#define METRICS_FLOWS_MAX 32

/* <p> NULL: before the first second, when only weir_run_info is known. */
void report_metrics_text(const char *name, const struct run_progress *p, struct buf *out);

#endif
