#include "demo/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/mem.h"
#include "base/must.h"

struct pool {
	const struct pool_ops *ops;
	pthread_t thread;
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t wake;  /* the thread's next instant may have become earlier */
	struct slots slots;
	bool closed;
};

static void release_all(struct pool *p, struct ticket *list)
{
	for (struct ticket *t = list, *next; t; t = next) {
		next = t->next; /* the ticket may be gone after release */
		p->ops->release(t);
	}
}

static void sleep_until_next(struct pool *p)
{
	struct mono when;
	if (!slots_next(&p->slots, &when)) {
		pthread_cond_wait(&p->wake, &p->lock);
		return;
	}
	const struct timespec at = { .tv_sec = when.ns / SECOND, .tv_nsec = when.ns % SECOND };
	pthread_cond_timedwait(&p->wake, &p->lock, &at);
}

static void *pool_main(void *arg)
{
	struct pool *p = arg;
	prctl(PR_SET_TIMERSLACK, 1UL); /* the kernel's 50 us would be a part of every short service time */
	pthread_mutex_lock(&p->lock);
	while (!p->closed) {
		struct ticket *ended = slots_turn(&p->slots, mono_now());
		if (!ended) {
			sleep_until_next(p);
			continue;
		}
		pthread_mutex_unlock(&p->lock);
		release_all(p, ended);
		pthread_mutex_lock(&p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

struct pool *pool_create(const struct slots_settings *settings, size_t queue_limit, uint64_t seed,
                         const struct pool_ops *ops)
{
	pthread_condattr_t steady;
	struct pool *p = xcalloc(1, sizeof(*p));
	p->ops = ops;
	slots_init(&p->slots, settings, queue_limit, seed);
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&steady);
	pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
	pthread_cond_init(&p->wake, &steady);
	pthread_condattr_destroy(&steady);
	must(pthread_create(&p->thread, NULL, pool_main, p) == 0);
	return p;
}

void pool_destroy(struct pool *p)
{
	if (!p)
		return;
	must(p->closed && p->slots.busy == 0 && p->slots.waiting == 0);
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* True when the thread sleeps past the instant that is now the next one. */
static bool is_earliest(const struct pool *p, const struct ticket *t)
{
	return p->slots.busy > 0 && p->slots.heap[0] == t;
}

enum pool_answer pool_submit(struct pool *p, struct ticket *t)
{
	enum pool_answer answer = POOL_CLOSED;
	pthread_mutex_lock(&p->lock);
	if (!p->closed) {
		switch (slots_admit(&p->slots, t, mono_now())) {
		case SLOTS_NOW:
			answer = POOL_NOW;
			break;
		case SLOTS_FULL:
			answer = POOL_FULL;
			break;
		case SLOTS_HELD:
			answer = POOL_HELD;
			p->ops->hold(t);
			if (is_earliest(p, t))
				pthread_cond_signal(&p->wake);
			break;
		}
	}
	pthread_mutex_unlock(&p->lock);
	return answer;
}

void pool_state(struct pool *p, struct pool_state *ret_state)
{
	pthread_mutex_lock(&p->lock);
	const dur_ns left = mono_since(p->slots.frozen_until, mono_now());
	*ret_state = (struct pool_state){
		.settings = p->slots.settings,
		.freeze_left = left > 0 ? left : 0,
		.busy = p->slots.busy,
		.waiting = p->slots.waiting,
		.queue_limit = p->slots.queue_limit,
	};
	pthread_mutex_unlock(&p->lock);
}

void pool_change(struct pool *p, const struct slots_settings *settings)
{
	pthread_mutex_lock(&p->lock);
	slots_change(&p->slots, settings);
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
}

void pool_freeze(struct pool *p, dur_ns length)
{
	pthread_mutex_lock(&p->lock);
	slots_freeze(&p->slots, mono_now(), length);
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
}

void pool_close(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	must(!p->closed);
	p->closed = true;
	struct ticket *held = slots_empty(&p->slots);
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->thread, NULL);
	release_all(p, held);
}
