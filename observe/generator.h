/* generator.h: what the machine does to the generator while it measures: time that another guest took, descriptors.
 * Reads /proc; where there is none, nothing is known. Threads: one at a time. */
#ifndef WEIR_OBSERVE_GENERATOR_H
#define WEIR_OBSERVE_GENERATOR_H

#include "base/buf.h"
#include "observe/procfs.h"

struct generator_watch {
	struct buf text;
	struct procfs_cpu before;
	bool known;
};

struct generator_reading {
	double steal;         /* share of all cores' time since the last reading that another guest had; NAN: unknown */
	uint32_t descriptors; /* that this process has open; 0: unknown */
};

/* The first reading counts from here. */
void generator_watch_init(struct generator_watch *w);
void generator_watch_finish(struct generator_watch *w);
struct generator_reading generator_watch_take(struct generator_watch *w);

#endif
