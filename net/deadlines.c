#include "net/deadlines.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"

void deadlines_init(struct deadlines *all, struct loop *loop, void (*passed)(struct deadlines *, struct deadline *))
{
	*all = (struct deadlines){ .loop = loop, .passed = passed };
}

void deadlines_finish(struct deadlines *all)
{
	must(all->count == 0);
	loop_timer_stop(all->loop, &all->timer);
	free(all->heap);
}

/* --- the heap; place 1 is heap[0] --- */

static void put(struct deadlines *all, size_t place, struct deadline *d)
{
	all->heap[place - 1] = d;
	d->place = place;
}

static void sift_up(struct deadlines *all, struct deadline *d)
{
	size_t place = d->place;
	for (; place > 1 && all->heap[place / 2 - 1]->look.ns > d->look.ns; place /= 2)
		put(all, place, all->heap[place / 2 - 1]);
	put(all, place, d);
}

static void sift_down(struct deadlines *all, struct deadline *d)
{
	size_t place = d->place;
	for (size_t child; (child = 2 * place) <= all->count; place = child) {
		if (child < all->count && all->heap[child]->look.ns < all->heap[child - 1]->look.ns)
			child++;
		if (all->heap[child - 1]->look.ns >= d->look.ns)
			break;
		put(all, place, all->heap[child - 1]);
	}
	put(all, place, d);
}

static void take_out(struct deadlines *all, struct deadline *d)
{
	const size_t place = d->place;
	struct deadline *last = all->heap[--all->count];
	d->place = 0;
	if (last == d)
		return;
	put(all, place, last);
	sift_up(all, last);
	sift_down(all, last);
}

/* --- the timer --- */

static void on_timer(struct loop_timer *timer);

static void arm(struct deadlines *all)
{
	if (all->count == 0 || (all->armed.ns && all->armed.ns <= all->heap[0]->look.ns))
		return;
	all->armed = all->heap[0]->look;
	/* Half a millisecond more: the loop's timers are coarse, and firing early would cost another turn. */
	const dur_ns after = mono_since(all->armed, mono_now()) + MILLISECOND / 2;
	loop_timer_start(all->loop, &all->timer, after > 0 ? after : 0, on_timer);
}

static void on_timer(struct loop_timer *timer)
{
	struct deadlines *all = container_of(timer, struct deadlines, timer);
	const struct mono now = mono_now();
	all->armed = (struct mono){ 0 };
	while (all->count > 0 && all->heap[0]->look.ns <= now.ns) {
		struct deadline *d = all->heap[0];
		if (d->at.ns > now.ns) {
			d->look = d->at;
			sift_down(all, d);
			continue;
		}
		const bool has_passed = d->at.ns > 0;
		take_out(all, d);
		deadlines_clear(d);
		if (has_passed)
			all->passed(all, d);
	}
	arm(all);
}

void deadlines_set(struct deadlines *all, struct deadline *d, struct mono at)
{
	must(at.ns > 0);
	d->at = at;
	if (d->place && d->look.ns <= at.ns)
		return;
	d->look = at;
	if (!d->place) {
		if (all->count == all->room) {
			all->room = all->room ? all->room * 2 : 64;
			all->heap = xreallocarray(all->heap, all->room, sizeof(struct deadline *));
		}
		put(all, ++all->count, d);
	}
	sift_up(all, d);
	arm(all);
}

void deadlines_forget(struct deadlines *all, struct deadline *d)
{
	deadlines_clear(d);
	if (d->place)
		take_out(all, d);
}
