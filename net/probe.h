/* probe.h: can this target be reached at all? Asked once, before a run sends load. Blocks; [any] but never a worker. */
#ifndef WEIR_NET_PROBE_H
#define WEIR_NET_PROBE_H

#include "base/clock.h"
#include "base/err.h"
#include "net/transport.h"

struct probe_limits {
	dur_ns timeout;
	bool (*stopped)(void *arg); /* asked about once a second; true: ERR_INTERRUPTED. NULL: never asked */
	void *arg;
};

/* Resolves, connects and (https) secures a connection to the origin of <url>, then closes it without a request.
 * ERR_UNREACHABLE with one sentence that names the origin and the reason. */
int net_probe(const char *url, const struct transport_options *options, const struct probe_limits *limits,
              struct err *err);

#endif
