/* haproxy_driver.h: private to drivers/haproxy*.c: the driver's insides.
 *
 *   haproxy.c          what is done to a running HAProxy: observe, set_weight, renew, keep
 *   haproxy_process.c  the process itself: prepare (check, start, adopt, replace) and stop
 *   haproxy_config.c   plan -> configuration            (pure)
 *   haproxy_answers.c  answers of the runtime API -> figures (pure)
 *   program.c          runs `haproxy -c` and `haproxy -D`
 *
 * One call at a time; <done> or <observed> is who waits for it. */
#ifndef WEIR_CANARY_DRIVERS_HAPROXY_DRIVER_H
#define WEIR_CANARY_DRIVERS_HAPROXY_DRIVER_H

#include "base/must.h"
#include "canary/driver.h"
#include "canary/drivers/haproxy_answers.h"
#include "canary/drivers/haproxy_config.h"
#include "canary/drivers/program.h"
#include "net/unix_command.h"

#define HAPROXY_CALL_LIMIT (2 * SECOND)
#define HAPROXY_PREPARE_LIMIT (10 * SECOND)

struct haproxy_driver {
	struct driver base;
	struct loop *loop;
	const struct plan *plan;
	char *folder;
	int32_t port; /* 0: not chosen yet */

	struct unix_command api;
	struct program program;
	struct loop_timer timer; /* answers in the next turn, retries, the limit of stop */

	bool busy;
	driver_done *done;
	driver_observed *observed;
	void *arg;
	struct err err; /* of what is told in the next turn */

	/* Of the call under way. */
	struct buf config;
	char hash[HAPROXY_HASH_BYTES];
	int64_t old_pid;
	bool old_answers; /* the old process gives its listening socket */
	struct mono give_up;
	int32_t weight_bp;
	bool hold;

	int stop_pidfd; /* -1: nobody is being stopped */
	struct loop_fd stop_watch;
};

static inline struct haproxy_driver *haproxy_of(struct driver *d)
{
	return container_of(d, struct haproxy_driver, base);
}

/* The path of <name> in the driver's folder. Given: free(). */
char *haproxy_path(const struct haproxy_driver *h, const char *name);

/* A call begins (must: none under way) and ends. haproxy_end may be called only from a callback of the loop;
 * haproxy_end_later tells h->err (kind ERR_NONE: success) in the next turn. */
void haproxy_begin(struct haproxy_driver *h, driver_done *done, void *arg);
void haproxy_end(struct haproxy_driver *h, const struct err *err_or_null);
void haproxy_end_later(struct haproxy_driver *h);

/* Replaces the map file. */
int haproxy_save_map(struct haproxy_driver *h, int32_t weight_bp, bool hold, struct err *err);

void haproxy_prepare(struct driver *d, driver_done *done, void *arg);
void haproxy_stop(struct driver *d, driver_done *done, void *arg);
/* Which configuration would be ours, where the port is known already: for who observes without having prepared. */
void haproxy_process_recognise(struct haproxy_driver *h);
void haproxy_process_finish(struct haproxy_driver *h);

/* drivers/table.c's entry. */
struct driver *haproxy_create(struct loop *loop, const struct plan *plan, const char *folder, struct err *err);

#endif
