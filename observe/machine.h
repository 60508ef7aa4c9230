/* machine.h: what the kernel says about the machine that we run on. Read from /proc and /sys; the parsers are pure.
 *
 * What a file does not tell (a container without it, another kernel) is 0 or "", and is judged as unknown. Threads: [any]. */
#ifndef WEIR_OBSERVE_MACHINE_H
#define WEIR_OBSERVE_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* Of all CPUs since the start, in ticks. */
struct cpu_ticks {
	uint64_t total, idle, steal; /* idle: waiting for disks included; steal: taken by other guests of the host */
};

#define MACHINE_WORD_BYTES 64
struct machine_facts {
	uint64_t descriptors;           /* the most that this process may have open */
	uint64_t port_first, port_last; /* local ports for outgoing connections; 0: unknown */
	uint64_t time_wait;             /* connections that are over and still block their port */
	int64_t cores;
	double cpu_quota; /* cores that the control group allows; 0: no limit, or unknown */
	char governor[MACHINE_WORD_BYTES], clock_source[MACHINE_WORD_BYTES], cpu[MACHINE_WORD_BYTES * 2];
	uint64_t memory_bytes, memory_available_bytes;
};

/* Raises the limit of descriptors, as a run does, before it is told. */
void machine_read(struct machine_facts *ret);
bool machine_read_ticks(struct cpu_ticks *ret);

/* The parts, on the texts of the files named like them. False: it is not there. */
bool machine_parse_stat(struct str text, struct cpu_ticks *ret);
bool machine_parse_port_range(struct str text, uint64_t *ret_first, uint64_t *ret_last);
bool machine_parse_meminfo(struct str text, uint64_t *ret_bytes, uint64_t *ret_available_bytes);
bool machine_parse_cpu_max(struct str text, double *ret_cores); /* false also for "max" */

#endif
