/* loopback.h: how much weir's own transport can do on this machine, against a server that does nothing.
 *
 * per core  divided by the CPU time that our thread used, so that a server on the same cores does not count
 *
 * Blocks its thread for <each> twice: once on connections that are kept, once with a new one for each request. Threads:
 * [any], one at a time. */
#ifndef WEIR_OBSERVE_LOOPBACK_H
#define WEIR_OBSERVE_LOOPBACK_H

#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"

struct loopback_facts {
	uint64_t requests, connections; /* that were answered, on kept and on new connections */
	double requests_per_core_second, connections_per_core_second;
	double requests_per_second, connections_per_second; /* as it was, with the server on the same machine */
	uint64_t failed;
};

int loopback_measure(dur_ns each, struct loopback_facts *ret, struct err *err);

#endif
