/* deadlines.h: timeouts of things that begin and end all the time and hardly ever time out.
 *
 * A heap by the next moment at which a thing has to be looked at. To set a deadline later than that moment, or to clear
 * it, touches nothing but the thing itself: when its moment comes, it is looked at and put off or dropped. A user that
 * sends a thousand requests a second with a timeout of ten seconds costs the heap one move in ten seconds.
 *
 * Threads: the loop's. */
#ifndef WEIR_NET_DEADLINES_H
#define WEIR_NET_DEADLINES_H

#include "net/loop.h"

struct deadline {
	struct mono at;   /* 0: none */
	struct mono look; /* not after `at` */
	size_t place;     /* in the heap, from 1; 0: not in it */
};

struct deadlines {
	struct loop *loop;
	struct loop_timer timer;
	struct mono armed; /* when the timer will fire; 0: it will not */
	struct deadline **heap;
	size_t count, room;
	void (*passed)(struct deadlines *all, struct deadline *d);
};

/* <loop> is kept. passed() is told once of each deadline, in a turn of the loop, never early and at most some
 * milliseconds late; the deadline is cleared then. It may set, clear or forget any deadline. */
void deadlines_init(struct deadlines *all, struct loop *loop, void (*passed)(struct deadlines *, struct deadline *));
void deadlines_finish(struct deadlines *all);

/* <d> is kept until deadlines_forget; zero at first. */
void deadlines_set(struct deadlines *all, struct deadline *d, struct mono at);
static inline void deadlines_clear(struct deadline *d)
{
	d->at = (struct mono){ 0 };
}
/* Before <d> goes away. */
void deadlines_forget(struct deadlines *all, struct deadline *d);

#endif
