/* traffic.h: how many requests were answered, by route and status. Threads: [any]; counters, not a snapshot. */
#ifndef WEIR_DEMO_TRAFFIC_H
#define WEIR_DEMO_TRAFFIC_H

#include <jansson.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "demo/routes.h"

#define TRAFFIC_STATUSES 12

struct traffic {
	/* The last row: requests that found no route. The last column: a status that has no column of its own. */
	_Atomic uint64_t answered[ROUTES_MAX + 1][TRAFFIC_STATUSES + 1];
};

/* <route> NULL: none was found. */
void traffic_count(struct traffic *t, const struct route *route, unsigned status);
void traffic_reset(struct traffic *t);

/* {"requests": N, "by_status": {"200": N}, "by_path": {"GET /api/me": {"200": N}}}; given: json_decref. */
json_t *traffic_json(const struct traffic *t);

#endif
