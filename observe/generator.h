/* generator.h: what the machine does to the generator while it measures: time that another guest took, descriptors, local
 * ports. Reads /proc; where there is none, nothing is known. Threads: one at a time.
 *
 * A connection takes one local port towards its target, and for a minute after this side closed it (TIME_WAIT). Which
 * sockets those are would take reading them all; what is told is the most that it can be: the sockets in use, but no more
 * than this process has descriptors (the others' may share our ports, for they go elsewhere), and all in TIME_WAIT. */
#ifndef WEIR_OBSERVE_GENERATOR_H
#define WEIR_OBSERVE_GENERATOR_H

#include "base/buf.h"
#include "observe/procfs.h"

struct generator_watch {
	struct buf text;
	struct procfs_cpu before;
	bool known;
	uint32_t port_range; /* how many local ports there are for outgoing connections; 0: unknown */
};

struct generator_reading {
	double steal;         /* share of all cores' time since the last reading that another guest had; NAN: unknown */
	uint32_t descriptors; /* that this process has open; 0: unknown */
	uint32_t ports;       /* that are taken, at most; 0: unknown, or none */
};

/* The first reading counts from here. */
void generator_watch_init(struct generator_watch *w);
void generator_watch_finish(struct generator_watch *w);
struct generator_reading generator_watch_take(struct generator_watch *w);

/* Ports taken at most, from /proc/net/sockstat and sockstat6. Pure. */
uint32_t generator_ports(struct str sockstat, struct str sockstat6, uint32_t descriptors);

#endif
