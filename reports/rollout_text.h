/* rollout_text.h: a rollout as text: what became of it and why, with both values, the ratio and its interval, the
 * evidence against what was needed, the time line, the stages, and what the rollback took. A running rollout is shown
 * as it stands.
 *
 * Events and ticks may be absent (a record's head alone): their sections are left out and named as left out.
 * The smallest detectable effect of a stage is computed from the requests it had (planner.h), for error rates, with the
 * stable arm's rate over the rollout; it is not shown when that rate is 0 or nothing was sent.
 *
 * Renders only; the record is borrowed. Threads: [any]. */
#ifndef WEIR_REPORTS_ROLLOUT_TEXT_H
#define WEIR_REPORTS_ROLLOUT_TEXT_H

#include "record/rollout.h"
#include "reports/style.h"

void report_rollout_text(const struct rollout_record *r, const struct report_style *style, struct buf *out);

/* Some ten lines for the end of `weir canary run` and for `weir canary status`. */
void report_rollout_summary(const struct rollout_record *r, const struct report_style *style, struct buf *out);

/* "PROMOTED", "ROLLED BACK", "HELD", "IN PROGRESS" ... and the sentence why, for notifications and status lines. */
const char *report_rollout_word(const struct rollout_record *r);
void report_rollout_sentence(const struct rollout_record *r, struct buf *out);

#endif
