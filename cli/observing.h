/* observing.h: looks at the server while a run goes on (docs/observe.md), beside the run and never in its way.
 *
 * row  the figures of one second of the run; the n-th row belongs to the n-th second of the record
 *
 * The run's thread only says that a second has ended: a number is set and the observing thread is woken. That one asks
 * every sampler that is not still busy, and keeps the answers in the row of the second in which it asked. Nothing else is
 * shared: samplers, loop and rows belong to the main thread until the observing thread starts, then to that one, and to the
 * main thread again after the join. Threads: [main]. */
#ifndef WEIR_CLI_OBSERVING_H
#define WEIR_CLI_OBSERVING_H

#include "cli/scenario_input.h"
#include "record/run.h"

struct observing;

/* Reads the file at <path>, asks every place once, and gets ready to observe. <path> NULL: what <scenario> says is observed
 * (kept), which was read from the file called <name>. 0, or the exit status after what is wrong was printed: a place that
 * gives nothing at all is told before any load is sent. When nothing is to be observed, *ret is NULL.
 * Given: observing_destroy. All functions take NULL. */
int observing_start(const char *path, const struct scenario_input *scenario, const char *name, struct observing **ret);
/* A second of the run has ended. Takes no time. */
void observing_second(struct observing *o);
/* The run has ended: waits for the last answers (at most SAMPLER_LIMIT) and puts all into <record>. Once per run. */
void observing_end(struct observing *o, struct run_record *record);
/* After observing_end: gets ready for another run, asking every place once so that counters begin here. A place that has gone
 * meanwhile is missing in that run. */
void observing_again(struct observing *o);
void observing_destroy(struct observing *o);

#endif
