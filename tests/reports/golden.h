/* golden.h: whole reports against the texts in tests/reports/golden/. WEIR_UPDATE_GOLDEN=1 rewrites them: then read them.
 * Also the records that several tests render. */
#ifndef WEIR_TESTS_REPORTS_GOLDEN_H
#define WEIR_TESTS_REPORTS_GOLDEN_H

#include "base/buf.h"
#include "record/run.h"
#include "reports/style.h"

/* Renders <subject> in some style. */
typedef void golden_render(const void *subject, const struct report_style *style, struct buf *out);

/* At 80 columns of plain ASCII the text is that of golden/<name>.txt. In every other style (60 and 40 columns, UTF-8,
 * colour) it keeps the promises of style.h: no line too wide (numbers excepted below 60), no NaN, no -0, no blanks at the
 * end of a line, no bytes that move a cursor, and colour only around words. */
void golden_check(const char *name, golden_render *render, const void *subject);

/* A run of 60 s with two flows at 200 iterations/s; times multiplied by <factor>. Finish with run_record_finish. */
void golden_run(struct run_record *r, double factor);
/* The same with <seconds> and <per_second> iterations. */
void golden_run_of(struct run_record *r, double factor, int seconds, int per_second);
void golden_threshold(struct run_record *r, const char *that, double value, bool has_value, bool met);

#endif
