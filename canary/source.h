/* source.h: where live measurements come from. One kind per source, in canary/sources/.
 *
 * A source counts each finished request into the arm it was assigned to (a request hashed to the canary counts there
 * even when it was retried elsewhere) until the controller takes the sample at the end of a tick. In code it is a
 * live_source, since base/diag.h calls the text that a mistake is in a source.
 *
 * Stable's requests are counted once more by what some of them may share (see bunching.h): the user, the connection, the server. A
 * source that does not know leaves those counts empty.
 *
 * Threads: [main]. */
#ifndef WEIR_CANARY_SOURCE_H
#define WEIR_CANARY_SOURCE_H

#include "base/err.h"
#include "canary/plan.h"
#include "net/loop.h"
#include "record/rollout.h"
#include "stats/hist.h"
#include "stats/logbins.h"

struct arm_sample {
	uint64_t requests, errors; /* errors: of requests; 5xx, connect failure, timeout, retry */
	uint64_t client_aborts;    /* not of requests */
	struct logbins bins;       /* latencies of requests, for the evidence */
	struct hist *latency;      /* the same in full, ns; may be NULL where nobody shows them */
};

/* What requests may share their fate by. */
enum grouping {
	GROUPED_BY_USER,       /* what decides on the arm: the cookie, else the address */
	GROUPED_BY_CONNECTION, /* address and port of the client */
	GROUPED_BY_SERVER,
	GROUPINGS
};
#define SOURCE_GROUPS 20

/* Requests by hash of what they share. */
struct source_groups {
	uint32_t errors[SOURCE_GROUPS];
	uint32_t bins[SOURCE_GROUPS][LOGBINS]; /* all requests, as logbins counts them */
};

struct source_sample {
	struct arm_sample arms[ARMS];
	struct source_groups stable[GROUPINGS];
	uint64_t lines, unreadable; /* received; of lines: not understood */
};

struct live_source;
struct live_source_ops {
	const char *name;
	/* Hands over what came since the last take: swaps <into> (empty) with the source's own sample. */
	void (*take)(struct live_source *s, struct source_sample *into);
	void (*destroy)(struct live_source *s);
};
struct live_source {
	const struct live_source_ops *ops;
};

void source_sample_init(struct source_sample *s);
void source_sample_reset(struct source_sample *s);
void source_sample_finish(struct source_sample *s);

/* The source that fits the plan's driver. <loop>, <plan>, <folder> are kept. Given: live_source_destroy. */
struct live_source *live_source_create(struct loop *loop, const struct plan *plan, const char *folder, struct err *err);
static inline void live_source_destroy(struct live_source *s)
{
	if (s)
		s->ops->destroy(s);
}

#endif
