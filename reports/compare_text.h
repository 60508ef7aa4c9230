/* compare_text.h: `weir baseline compare`: what became slower, by how much, and how sure that is (compare.h).
 * Threads: [any]. */
#ifndef WEIR_REPORTS_COMPARE_TEXT_H
#define WEIR_REPORTS_COMPARE_TEXT_H

#include "reports/compare.h"
#include "reports/style.h"

void report_compare_text(const struct run_comparison *c, const struct run_record *base, const struct run_record *now,
                         const struct report_style *style, struct buf *out);

/* Both steps at once: run_comparison_make, report_compare_text. <limits> NULL: the defaults. The caller finishes
 * <ret>. */
void report_compare(const struct run_record *base, const struct run_record *now, const struct compare_limits *limits,
                    const struct report_style *style, struct run_comparison *ret, struct buf *out);

#endif
