/* hist_json.h: a histogram among the members of a record. Not for other folders.
 *
 *     "response_time_us": { "count", "mean", "min", "p50", "p90", "p95", "p99", "p999", "max",
 *                           "histogram": "HISTFAAAA...", "clamped" }
 *
 * A frame carries counts only. The exact minimum, maximum and mean (to the nanosecond) and the clamped count are in the
 * members beside it, so reading both gives back what was written. Threads: one at a time. */
#ifndef WEIR_RECORD_HIST_JSON_H
#define WEIR_RECORD_HIST_JSON_H

#include "record/json.h"
#include "stats/hist.h"

/* Sets <key> of <o>; with the frame only when <frame>. */
void hist_out(json_t *o, const char *key, const struct hist *h, bool frame);

/* Reads what hist_out wrote with the frame. After a failure <ret> needs no hist_finish, which does no harm. */
void hist_in(const struct in *o, const char *key, struct hist *ret);

#endif
