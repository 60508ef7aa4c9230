/* driver.h: who moves the traffic. One kind per load balancer, in canary/drivers/.
 *
 * weight   the canary's share in basis points, absolute: asking twice for the same weight is harmless
 * fence    the lease's token; a driver refuses a smaller one than it has seen
 * counters what the balancer itself counted per arm since it started: the proof of the realised share and of 0 %
 *
 * Every call answers exactly once through its callback, never inside the call, within its own time limit (2 s; prepare
 * 10 s). One call at a time per driver (must). The error text in an answer is borrowed for the call.
 *
 * Threads: [main]. */
#ifndef WEIR_CANARY_DRIVER_H
#define WEIR_CANARY_DRIVER_H

#include "base/err.h"
#include "canary/plan.h"
#include "net/loop.h"
#include "record/rollout.h"

struct driver_observation {
	bool running;            /* the data plane serves */
	bool ours;               /* it runs the configuration of this plan */
	int32_t weight_bp;       /* that it obeys now */
	int64_t generation;      /* changes when its process was replaced: runtime values may be lost then */
	bool arm_up[ARMS];       /* at least one server of the arm is in service */
	uint64_t requests[ARMS]; /* counted by the balancer since its start */
	uint64_t in_flight[ARMS];
	uint64_t logs_dropped;
	int32_t listen_port; /* where users reach it; of interest when the plan left it open (0) */
};

typedef void driver_done(void *arg, const struct err *err_or_null);
typedef void driver_observed(void *arg, const struct driver_observation *o_or_null, const struct err *err_or_null);

struct driver;
struct driver_ops {
	const char *name;
	/* Makes the data plane serve with all traffic on stable, or adopts the one that already serves this plan
	 * without touching its weight. It outlives the controller. */
	void (*prepare)(struct driver *d, driver_done *done, void *arg);
	/* Also before prepare, of a data plane that an earlier controller left. */
	void (*observe)(struct driver *d, driver_observed *done, void *arg);
	void (*set_weight)(struct driver *d, int32_t basis_points, int64_t fence, driver_done *done, void *arg);
	/* Keeps the dead-man lease alive for another period; done at once where none is needed. ERR_STALE: it ran out, so
	 * all traffic is on stable; a renewal does not bring it back, only set_weight does. */
	void (*renew)(struct driver *d, driver_done *done, void *arg);
	/* The rollout is over: the weight that is obeyed now stays without renewal. For a last stage below 100 %; at 100 %
	 * and where the plan says hold, no lease is needed anyway. ERR_STALE as above. */
	void (*keep)(struct driver *d, driver_done *done, void *arg);
	/* Ends the requests that the canary still holds although it gets no new ones: for a canary that hangs, whose users
	 * would wait for the balancer's own time limit. */
	void (*cut)(struct driver *d, driver_done *done, void *arg);
	/* Ends the data plane that prepare started. For the demo and for `weir canary run --stop-data-plane`. */
	void (*stop)(struct driver *d, driver_done *done, void *arg);
	void (*destroy)(struct driver *d); /* the data plane goes on serving */
};
struct driver {
	const struct driver_ops *ops;
};

/* The driver that <plan> asks for. <folder>: private folder of this (service, environment) for configuration, sockets
 * and logs; it is made when missing. <loop>, <plan>, <folder> are kept. Given: driver_destroy. */
struct driver *driver_create(struct loop *loop, const struct plan *plan, const char *folder, struct err *err);
static inline void driver_destroy(struct driver *d)
{
	if (d)
		d->ops->destroy(d);
}

#endif
