/* executor.h: decides when iterations begin. Knows no HTTP, reads no clock, starts nothing by itself.
 *
 * One instance per executor of the program and per worker; the workers' instances together make the whole load. The
 * worker asks next() again and again: an arrival to begin now, an instant to ask again, or nothing more.
 *
 * Users are numbered within the executor. A closed executor owns its users' rhythm; an open one takes any free user and,
 * when there is none, lets the arrival wait (it begins late and carries its lateness) or drops it.
 *
 * Threads: [worker]. */
#ifndef WEIR_LOADGEN_EXECUTOR_H
#define WEIR_LOADGEN_EXECUTOR_H

#include "loadgen/schedule.h"
#include "scenarios/program.h"

/* An open executor lets this many arrivals wait for a free user; more are dropped. */
#define EXECUTOR_QUEUE_MAX 100000

struct arrival {
	struct mono intended; /* what the response time of the first step counts from */
	struct mono able;     /* >= intended: when a user was free for it; what the send lag counts from */
	uint64_t number;      /* of the iteration within the executor, over all workers */
	uint32_t user;        /* of the executor, over all workers */
	bool waited;          /* for a free user */
};

enum executor_answer {
	EXECUTOR_ARRIVAL, /* begin <ret_arrival> now */
	EXECUTOR_WAIT,    /* nothing before <ret_when>, unless an iteration ends */
	EXECUTOR_DONE,    /* no more, ever */
};

struct executor_counts {
	uint64_t planned; /* arrivals up to now */
	uint64_t begun;   /* of planned */
	uint64_t waited;  /* of begun: no user was free in time */
	uint64_t ended;   /* of begun: counted by the worker */
	uint64_t dropped; /* of planned */
};

struct executor;
struct executor_ops {
	const char *name;
	enum executor_answer (*next)(struct executor *x, struct mono now, struct arrival *ret_arrival,
	                             struct mono *ret_when);
	/* The iteration of <user> ended at <now>: the user is free. */
	void (*ended)(struct executor *x, uint32_t user, struct mono now);
	/* After the end: arrivals that were due and never began; each call gives one, false when there are none. */
	bool (*unserved)(struct executor *x, struct mono end, struct arrival *ret_arrival);
	void (*destroy)(struct executor *x);
};
struct executor {
	const struct executor_ops *ops;
	struct executor_counts counts;
};

struct executor_place {
	struct mono start; /* of the executor */
	struct mono end;   /* no arrival is planned from here on */
	uint32_t worker, workers;
	uint64_t seed;
};

/* One instance for one worker. <plan> is kept. Given: executor_destroy. */
struct executor *executor_create(const struct executor_plan *plan, const struct executor_place *place);
static inline void executor_destroy(struct executor *x)
{
	if (x)
		x->ops->destroy(x);
}

/* How many users worker <worker> of <workers> has of <users> in all: user u belongs to worker u mod workers. */
uint32_t executor_users_of(uint32_t users, uint32_t worker, uint32_t workers);

/* The kinds; each is a file in loadgen/executors/. */
struct executor *executor_users_create(const struct executor_plan *plan, const struct executor_place *place);
struct executor *executor_iterations_create(const struct executor_plan *plan, const struct executor_place *place);
struct executor *executor_rate_create(const struct executor_plan *plan, const struct executor_place *place);

#endif
