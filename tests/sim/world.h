/* world.h: a service, its users and a load balancer in virtual time, for the controller's decisions.
 *
 * traffic   200 requests/s, each with its own arm, latency and fate. Latency: lognormal p50/p95/p99 = 52/123/235 ms, of
 *           which 1 % are from a slow tail; 1 % of requests fail
 * bunches   requests of one connection fail, or are slow, one after the other: geometric bunches, the same shares.
 *           Stalls: what a process (or the whole machine) has in hand in some part of a second is slowed by 3 s
 * kind      what is done to the traffic: to both arms alike (shared) or to the canary only (harm)
 * data plane  takes a weight after a while, sometimes refuses it, sometimes loses it
 *
 * Everything follows from the seed. Threads: one at a time. */
#ifndef WEIR_TESTS_SIM_WORLD_H
#define WEIR_TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "canary/evidence.h"
#include "canary/machine.h"
#include "canary/plan.h"

struct kind {
	const char *name;
	/* Shared by both arms. */
	double shared_errors;  /* factor of the error rate */
	int64_t burst_every;   /* ticks; 0: from <shared_from> on for good. A burst lasts 20 */
	double shared_latency; /* factor at the end of a ramp over 200 ticks */
	/* Both arms alike, but not together. */
	double bunches;     /* mean size; 0: independent requests */
	double stall;       /* part of a second that a stall lasts; 0: none */
	double stall_every; /* ticks, about */
	bool stall_shared;  /* the machine stalls, not each process for itself */
	int servers;        /* of stable; 0: one */
	/* Only the canary, from <harm_after> ticks after <harm_stage> was reached. */
	double canary_errors;  /* share that fails; 0: as stable */
	double canary_latency; /* factor; 0: as stable */
	double canary_tail;    /* share of the slow tail; 0: as stable */
	int32_t harm_stage;
	int64_t harm_after;
	/* The controller is killed about so often (ticks; 0: never) and comes back some seconds later; its evidence is up to
	 * 5 ticks old then. */
	double killed_every;
	bool phi_fixed; /* at 1: bunches are not looked for */
};

struct outcome {
	enum rollout_state state;
	enum rollout_reason reason;
	int kills;
	bool held;             /* was in HOLDING once */
	int64_t ticks;         /* the whole rollout */
	int64_t delay;         /* ticks from the first harmed one to the decision to roll back; -1: none */
	int64_t promote_first; /* ticks the first stage took; -1: it was not passed */
	char why[MACHINE_TEXT_BYTES];
};

/* One rollout of <plan>, at most <ticks_max> seconds. */
void world_rollout(const struct plan *plan, const struct kind *kind, uint64_t seed, int64_t ticks_max,
                   struct outcome *ret);

/* A plan from its text (must be right). Given: plan_destroy. */
struct plan *world_plan(const char *text);

#endif
