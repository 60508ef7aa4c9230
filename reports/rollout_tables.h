/* rollout_tables.h: the sections of rollout_text.h, one function each; for this folder only. Each writes its heading
 * and leaves out what the rollout does not have. Threads: [any]. */
#ifndef WEIR_REPORTS_ROLLOUT_TABLES_H
#define WEIR_REPORTS_ROLLOUT_TABLES_H

#include "record/rollout.h"
#include "reports/style.h"

void rollout_stages(const struct rollout_record *r, const struct report_style *s, struct buf *out);

/* What each stage could have seen with the requests it had. */
void rollout_power(const struct rollout_record *r, const struct report_style *s, struct buf *out);

/* Weight, error rates, latencies and evidence, one character per slice. */
void rollout_evidence(const struct rollout_record *r, const struct report_style *s, struct buf *out);

/* Evidence events, one each second, are left out; of many events the first and the last. <most> 0: 60. */
void rollout_events(const struct rollout_record *r, const struct report_style *s, size_t most, struct buf *out);

/* The last instant that the record knows of. */
struct wall rollout_last_instant(const struct rollout_record *r);

/* ln(1/alpha) that the decision needed; that of alpha 1 % when the record does not say. */
double rollout_needed(const struct rollout_record *r);

#endif
