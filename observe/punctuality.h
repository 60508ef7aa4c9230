/* punctuality.h: how good the clock is, and how late this machine wakes us.
 *
 * lateness  from the instant that a timer was set to, to the instant at which we run: the floor of every send lag
 *
 * Blocks its thread for the time that is said. Threads: [any]. */
#ifndef WEIR_OBSERVE_PUNCTUALITY_H
#define WEIR_OBSERVE_PUNCTUALITY_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/err.h"

struct clock_facts {
	dur_ns resolution; /* as the kernel says */
	dur_ns read;       /* time of one reading */
	bool backwards;    /* a later reading was earlier */
};

/* Some milliseconds of readings. */
void clock_measure(struct clock_facts *ret);

struct lateness {
	int count;
	dur_ns p50, p99, most;
};

/* <count> alarms, <every> apart, on an absolute timerfd as the load generator's own: count x every in all. */
int lateness_measure(int count, dur_ns every, struct lateness *ret, struct err *err);

#endif
