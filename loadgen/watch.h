/* watch.h: a threshold that is looked at while the run goes on: over a sliding window, or to end the run. Pure.
 *
 * over 10 s   the claim has to hold in every window of 10 s; what is shown is the worst window
 * abort       the run ends when the claim does not hold (in the last window, or since the start when there is none), once
 *             its grace is over and there is data to tell
 *
 * Memory: one histogram per second of the window. Threads: one at a time. */
#ifndef WEIR_LOADGEN_WATCH_H
#define WEIR_LOADGEN_WATCH_H

#include "loadgen/verdict.h"

struct watch;

/* NULL when <t> needs no watching: it is judged once, at the end. <t> is kept. Given: watch_destroy. */
struct watch *watch_create(const struct threshold *t);
void watch_destroy(struct watch *w); /* NULL is fine */

/* The meter of the interval that just ended, <length> long, within the measured phase. True: the run has to end. */
bool watch_interval(struct watch *w, const struct meter *m, dur_ns length);

/* The verdict of a threshold with a window; one without is judged by verdict_threshold. Fills <ret>. */
bool watch_has_window(const struct watch *w);
void watch_verdict(const struct watch *w, struct threshold_record *ret);

/* This one ended the run. */
bool watch_ended_run(const struct watch *w);

#endif
