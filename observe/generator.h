/* generator.h: what the machine does to the generator while it measures: time that another guest took, descriptors, local
 * ports. Reads /proc; where there is none, nothing is known. Threads: one at a time.
 *
 * A connection takes one local port towards its target, and for a minute after this side closed it (TIME_WAIT). Others may
 * have the same ports towards elsewhere. Which sockets are ours would take reading them all; what is told is an upper
 * estimate: the sockets in use, but no more than this process has descriptors, and those in TIME_WAIT, but no more than
 * it opened connections in the last minute. What an earlier process left towards the same target is not in it. */
#ifndef WEIR_OBSERVE_GENERATOR_H
#define WEIR_OBSERVE_GENERATOR_H

#include <dirent.h>

#include "base/buf.h"
#include "observe/procfs.h"

#define GENERATOR_WAIT_SECONDS 60 /* TCP_TIMEWAIT_LEN of Linux */

struct generator_watch {
	struct buf text;
	DIR *own; /* /proc/self/fd, opened while there still was a descriptor for it; NULL: there is none */
	uint64_t opened[GENERATOR_WAIT_SECONDS]; /* connections, of the last so many readings */
	size_t readings;
	struct procfs_cpu before;
	bool known;
	uint32_t port_range; /* how many local ports there are for outgoing connections; 0: unknown */
};

struct generator_reading {
	double steal;         /* share of all cores' time since the last reading that another guest had; NAN: unknown */
	uint32_t descriptors; /* that this process has open; 0: unknown */
	uint32_t ports;       /* that are taken, an upper estimate; 0: unknown, or none */
};

/* The first reading counts from here. */
void generator_watch_init(struct generator_watch *w);
void generator_watch_finish(struct generator_watch *w);
/* Once a second. <opened>: connections that this process opened since the last reading. */
struct generator_reading generator_watch_take(struct generator_watch *w, uint64_t opened);

/* The estimate, from /proc/net/sockstat and sockstat6. Pure. */
uint32_t generator_ports(struct str sockstat, struct str sockstat6, uint32_t descriptors, uint64_t opened_lately);

#endif
