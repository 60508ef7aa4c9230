/* capacity_text.h: a search for the highest load that keeps an SLO, as text.
 *
 * A figure is called capacity only when it was verified, and then together with what makes it one: the SLO and its
 * percentile, how long it was confirmed, the share that exceeded the limit with its upper bound, the highest load that
 * passed and the lowest that failed, and what is not known (capacity.md section 6, statement rule). Anything else is
 * labelled as what it is: a lower bound, a limit of the generator, or nothing.
 *
 * Renders only; the record is borrowed. Threads: [any]. */
#ifndef WEIR_REPORTS_CAPACITY_TEXT_H
#define WEIR_REPORTS_CAPACITY_TEXT_H

#include "record/search.h"
#include "reports/style.h"

void report_capacity_text(const struct search_record *s, const struct report_style *style, struct buf *out);

/* The answer alone: a few lines for the end of `weir load search`. */
void report_capacity_summary(const struct search_record *s, const struct report_style *style, struct buf *out);

#endif
