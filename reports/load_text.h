/* load_text.h: a run as text for people.
 *
 * The verdict and why come first, then whether the test itself was sound, then the target. In an invalid run no
 * percentile is presented as the target's: what was measured stands at the end under "unverified". A quantile is shown
 * only with enough requests to bound it (95 % one-sided, zero exceedances: p95 59, p99 299, p99.9 2,995), with its 95 %
 * order-statistic interval, which takes requests for independent: near saturation the truth is wider, and the report
 * says so (capacity.md section 7). Quantiles of seconds are never averaged: a slice of the time line shows its worst
 * second.
 *
 * Renders only; the record is borrowed. Threads: [any]. */
#ifndef WEIR_REPORTS_LOAD_TEXT_H
#define WEIR_REPORTS_LOAD_TEXT_H

#include "record/run.h"
#include "reports/style.h"

/* The whole report: `weir report load ID`. */
void report_load_text(const struct run_record *r, const struct report_style *style, struct buf *out);

/* About twenty lines for the end of `weir load run`. */
void report_load_summary(const struct run_record *r, const struct report_style *style, struct buf *out);

/* The word that stands first: "MET", "NOT MET", "INVALID TEST", "ABORTED", "NO DATA", "MEASURED". */
const char *report_load_word(const struct run_record *r);

/* The sentence behind the verdict word: why, and the worst criterion. For status lines, Markdown and JUnit. */
void report_load_sentence(const struct run_record *r, struct buf *out);

#endif
