/* loop.h: a thin veneer over libev, so that the rest of weir sees descriptors, timers and signals in weir's own words.
 *
 * loop     one event loop, owned by one thread
 * watch    something that is waited for; lives in its owner's struct, must be stopped before it goes away
 * timer    relative and coarse (milliseconds): for timeouts only
 * alarm    an absolute instant on CLOCK_MONOTONIC by timerfd: for the schedule
 * wake     the only watch that another thread may poke
 *
 * Callbacks only put work somewhere (a flag, a ready list); one function per turn does the work. Nothing here measures:
 * libev's own idea of now is never used. Threads: everything on the loop's own thread, but loop_wake_poke [any]. */
#ifndef WEIR_NET_LOOP_H
#define WEIR_NET_LOOP_H

#include <stdbool.h>

#define EV_COMPAT3 0
#include <ev.h>

#include "base/clock.h"
#include "base/err.h"

struct loop {
	struct ev_loop *ev;
};

enum loop_mode {
	LOOP_POLL, /* take what is there, do not wait */
	LOOP_WAIT, /* sleep until something happens */
};

/* -1: the kernel gives no epoll descriptor. */
int loop_init(struct loop *l, struct err *err);
void loop_finish(struct loop *l);
void loop_turn(struct loop *l, enum loop_mode mode);

enum { LOOP_READ = EV_READ, LOOP_WRITE = EV_WRITE };

struct loop_fd {
	ev_io io;
	void (*ready)(struct loop_fd *w, int what); /* LOOP_READ | LOOP_WRITE */
};
/* Watches <fd> for <what>; called again it changes <what> in place. The descriptor stays the caller's. */
void loop_fd_watch(struct loop *l, struct loop_fd *w, int fd, int what, void (*ready)(struct loop_fd *, int));
void loop_fd_stop(struct loop *l, struct loop_fd *w); /* never started is fine when zeroed */

struct loop_timer {
	ev_timer timer;
	void (*fired)(struct loop_timer *t);
};
/* Fires once, <after> from the call; called again it starts anew. */
void loop_timer_start(struct loop *l, struct loop_timer *t, dur_ns after, void (*fired)(struct loop_timer *));
void loop_timer_stop(struct loop *l, struct loop_timer *t);

struct loop_alarm {
	struct loop_fd watch;
	int fd;         /* timerfd */
	struct mono at; /* set; 0: not, or it has fired */
	void (*fired)(struct loop_alarm *a);
};
int loop_alarm_init(struct loop *l, struct loop_alarm *a, void (*fired)(struct loop_alarm *), struct err *err);
/* Fires at <at>, at once when that is past. One instant at a time: a new one replaces the old. */
void loop_alarm_set(struct loop_alarm *a, struct mono at);
void loop_alarm_clear(struct loop_alarm *a);
void loop_alarm_finish(struct loop *l, struct loop_alarm *a);

struct loop_wake {
	ev_async async;
	void (*woken)(struct loop_wake *w);
};
void loop_wake_start(struct loop *l, struct loop_wake *w, void (*woken)(struct loop_wake *));
void loop_wake_poke(struct loop *l, struct loop_wake *w); /* [any] */
void loop_wake_stop(struct loop *l, struct loop_wake *w);

struct loop_signal {
	ev_signal signal;
	void (*caught)(struct loop_signal *s, int number);
};
/* One loop per process watches a given signal. */
void loop_signal_start(struct loop *l, struct loop_signal *s, int number, void (*caught)(struct loop_signal *, int));
void loop_signal_stop(struct loop *l, struct loop_signal *s);

#endif
