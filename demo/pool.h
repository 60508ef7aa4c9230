/* pool.h: the slots in real time: one thread that gives tickets back when their service has ended.
 *
 * Threads: all functions [any]; `release` is called by the pool's thread (and by pool_close), without a lock held. */
#ifndef WEIR_DEMO_POOL_H
#define WEIR_DEMO_POOL_H

#include "demo/slots.h"

struct pool;

struct pool_ops {
	void (*hold)(struct ticket *t); /* the answer comes later; called inside pool_submit, before anything can end */
	void (*release)(struct ticket *t); /* now it may be answered */
};

enum pool_answer {
	POOL_NOW,    /* answer it at once */
	POOL_HELD,   /* hold() was called, release() follows */
	POOL_FULL,   /* turn it away */
	POOL_CLOSED, /* the application is ending */
};

struct pool_state {
	struct slots_settings settings;
	dur_ns freeze_left;
	size_t busy, waiting, queue_limit;
};

/* <ops> is kept. Given: pool_destroy. */
struct pool *pool_create(const struct slots_settings *settings, size_t queue_limit, uint64_t seed,
                         const struct pool_ops *ops);

/* Closed and with nothing held. NULL is fine. */
void pool_destroy(struct pool *p);

/* <t> is kept while held. */
enum pool_answer pool_submit(struct pool *p, struct ticket *t);

void pool_state(struct pool *p, struct pool_state *ret_state);
void pool_change(struct pool *p, const struct slots_settings *settings);
/* From now; 0 ends a freeze. */
void pool_freeze(struct pool *p, dur_ns length);

/* Ends the thread, releases everything, takes nothing more. */
void pool_close(struct pool *p);

#endif
