/* trial.h: one iteration of one flow by one user, with every exchange shown: to see what a scenario does before load is
 * made with it. Nothing is measured. Pauses are not waited, but the clock that the scenario sees goes on by them.
 *
 * Blocks its thread. Threads: [main]. */
#ifndef WEIR_LOADGEN_TRIAL_H
#define WEIR_LOADGEN_TRIAL_H

#include "net/transport.h"
#include "scenarios/vm.h"

/* Of a body, the first so many bytes are kept to be shown. */
#define TRIAL_BODY_BYTES 16384

/* One request and what came of it. Borrowed for the call. */
struct trial_exchange {
	const struct vm *vm;             /* with its outcome; its request is the next one already */
	struct str request;              /* redacted: request line, headers, a blank line, body */
	const struct transfer *transfer; /* status, error, stamps */
	struct str response;             /* redacted: headers, a blank line, body */
	uint64_t body_bytes;             /* may be more than are shown */
};

struct trial_options {
	const struct program *program;
	uint32_t flow;
	uint64_t seed;
	struct transport_options transport;
	void (*exchanged)(void *arg, const struct trial_exchange *e);
	void *arg;
};

struct trial_result {
	bool failed; /* a request failed, or could not be made */
	uint32_t exchanges;
	char problem[VM_PROBLEM_BYTES]; /* a request could not be made: why; "" */
};

/* -1: the machine refused; else the result, also when requests failed. */
int trial_run(const struct trial_options *o, struct trial_result *ret_result, struct err *err);

#endif
