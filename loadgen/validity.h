/* validity.h: was the generator healthy, so that the figures are the target's? Pure. Threads: [any].
 *
 * The rules of load.md section 2, number 10, with one refinement (docs/decisions/0002): the generator is to blame for
 * what it sends late although a user was free (send lag), and for arrivals missed while its own cores were busy. An
 * arrival that waited because all users were waiting for the target is the target's doing: it is in the response time,
 * and the run says how many there were. */
#ifndef WEIR_LOADGEN_VALIDITY_H
#define WEIR_LOADGEN_VALIDITY_H

#include "record/run.h"

struct generator_health {
	uint64_t planned, begun, waited, dropped; /* arrivals */
	bool open;                                /* at least one executor promises a rate */
	uint64_t requests;                        /* with a send lag */
	dur_ns lag_p99, service_p50;
	double cpu;                             /* of the busiest worker over the run, 0..1 of a core */
	double cpu_peak;                        /* of its busiest second */
	uint64_t descriptors, descriptor_limit; /* open in the worst second, and allowed; 0: unknown */
	uint64_t local_failures;                /* connections that failed for want of a port or a descriptor */
	uint32_t ports, port_range; /* local ports: taken in the worst measured second, of how many; 0: unknown */
};

/* Sets r->validity and r->reasons (sentences, worst first). */
void validity_judge(const struct generator_health *h, struct run_record *r);

#endif
