/* worker.h: one thread: its loop, its transport, its users, its meters. Shares nothing but the immutable program, the
 * slot of its meter, and a few atomic flags.
 *
 * A turn: go on with the users that are ready, begin the arrivals that are due, hand the meter over if it is wanted,
 * sleep. Callbacks of the loop only put users on the ready list.
 *
 * Threads: worker_start, worker_stop, worker_poke, worker_join and worker_finish by the run's thread; the rest [worker]. */
#ifndef WEIR_LOADGEN_WORKER_H
#define WEIR_LOADGEN_WORKER_H

#include <pthread.h>

#include "loadgen/user.h"

struct worker_plan {
	const struct program *program; /* kept */
	struct mono start, end;        /* of the run: arrivals are planned within */
	struct mono measured_from;     /* intended starts before this are warm-up */
	dur_ns grace;                  /* after the end: how long requests under way may still finish */
	dur_ns exceed_limit;           /* response times above count as exceeded; 0: none */
	uint32_t number, count;        /* of this worker, of all */
	uint64_t seed;
	struct transport_options transport;
	void (*poke_reader)(void *arg); /* [any]: a meter was handed over, or the worker ended */
	void *poke_arg;
};

struct worker {
	struct worker_plan plan;
	pthread_t thread;
	struct meter_slot slot;
	atomic_bool stop;  /* cut now, do not wait for the end */
	atomic_bool ended; /* the last meter was handed over: it is `last` */
	struct meter *last;
	struct err error; /* why it ended early; kind ERR_NONE when it did not */

	struct loop loop;
	struct loop_wake wake;
	struct loop_alarm alarm;
	struct transport *transport;
	struct meter *meter; /* the one being written */
	struct executor **executors;
	uint32_t admit_first; /* executor that is asked first in the next turn */
	struct user ***users; /* per executor, per own user: made at its first iteration */
	uint32_t *user_counts;
	bool *stopped; /* per executor: a feed has no more rows for it */
	struct vm_shared shared;
	struct user *ready_head, **ready_tail;
	struct user **sleepers; /* heap, earliest wake first */
	size_t sleeper_count, sleeper_room;
	uint32_t users_made, in_flight;
	uint32_t under_way; /* iterations */
	bool exhausted;     /* no executor will ever begin another iteration */
	bool sending;       /* new requests may be sent */
	int64_t wall_ahead; /* ns: wall clock - monotonic clock */
	struct mono cpu_since;
	dur_ns cpu_then;
};

/* Prepares everything that can fail, then starts the thread. -1: nothing is left to stop. */
int worker_start(struct worker *w, const struct worker_plan *plan, struct err *err);
void worker_stop(struct worker *w);   /* [any] */
void worker_poke(struct worker *w);   /* [any] an empty meter was offered */
void worker_join(struct worker *w);   /* waits for the thread; `last` and the slot may be read afterwards */
void worker_finish(struct worker *w); /* after worker_join: frees everything */

/* For user.c. */
void worker_push_ready(struct worker *w, struct user *u);
void worker_push_sleeper(struct worker *w, struct user *u);
void worker_user_stopped(struct worker *w, struct user *u);
void worker_iteration_ended(struct worker *w, struct user *u, struct mono now);

#endif
