/* slots.h: the demo application's workers as arithmetic: who is served now, who waits, who is turned away.
 *
 * The service of a request is waiting, not computing, so a worker need not be a thread: it is a place in a heap
 * ordered by the instant at which its request is finished. Capacity is therefore exact: workers / mean service time.
 * A freed worker begins the next request at the instant it became free, not at the instant somebody noticed.
 *
 * ticket   one request on its way through; the memory is the caller's, from slots_admit until it is given back
 * service  latency * latency_factor * a random factor: lognormal with median 1 and sigma SLOTS_SIGMA, and for
 *          SLOTS_TAIL_SHARE of the requests that times 4 to 8. Its mean is about 1.16 times its median.
 * freeze   until then nothing ends; what should have ended ends with the freeze
 *
 * Pure: time is given, chance comes from the seed. Threads: one at a time. */
#ifndef WEIR_DEMO_SLOTS_H
#define WEIR_DEMO_SLOTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/rng.h"

#define SLOTS_SIGMA 0.45
#define SLOTS_TAIL_SHARE 0.01
#define SLOTS_WORKERS_MAX 10000

struct ticket {
	struct ticket *next; /* in the queue, or in a list of ended ones */
	struct mono admitted_at;
	struct mono ends_at; /* once a worker has it */
	double factor;       /* of the median service time */
	bool fails;          /* is to be answered with an error */
	bool dropped;        /* given back by slots_empty: it was not served */
};

/* What may be changed while it runs. */
struct slots_settings {
	dur_ns latency;        /* median service time */
	double latency_factor; /* times this: a release that became slower */
	double error_rate;     /* share of requests that fail */
	int64_t workers;       /* 1 .. SLOTS_WORKERS_MAX */
};

struct slots {
	struct slots_settings settings;
	size_t queue_limit;
	struct mono frozen_until;
	struct rng rng;
	struct ticket *heap[SLOTS_WORKERS_MAX]; /* in service, the earliest end first */
	size_t busy;
	struct ticket *first, *last; /* the queue */
	size_t waiting;
};

enum slots_answer {
	SLOTS_NOW,  /* served already: it takes no time */
	SLOTS_HELD, /* will be given back by slots_turn */
	SLOTS_FULL, /* all workers busy and the queue full */
};

void slots_init(struct slots *s, const struct slots_settings *settings, size_t queue_limit, uint64_t seed);

/* Draws the fate of <t> and takes it in. HELD: <t> is kept until slots_turn or slots_empty gives it back. */
enum slots_answer slots_admit(struct slots *s, struct ticket *t, struct mono now);

/* The tickets that have ended by <now>, linked by <next> in the order of their ends; NULL: none. */
struct ticket *slots_turn(struct slots *s, struct mono now);

/* When slots_turn has something to do next; false: not before something is admitted or changed. */
bool slots_next(const struct slots *s, struct mono *ret_when);

/* Requests in service keep the end they have; those that wait feel the change. Call slots_turn after it. */
void slots_change(struct slots *s, const struct slots_settings *settings);
void slots_freeze(struct slots *s, struct mono now, dur_ns length);

/* Gives back everything, marked as dropped. */
struct ticket *slots_empty(struct slots *s);

#endif
