#include "demo/slots.h"

#include <math.h>
#include <string.h>

#include "base/must.h"

void slots_init(struct slots *s, const struct slots_settings *settings, size_t queue_limit, uint64_t seed)
{
	memset(s, 0, sizeof(*s));
	s->queue_limit = queue_limit;
	rng_init(&s->rng, seed, 0);
	slots_change(s, settings);
}

void slots_change(struct slots *s, const struct slots_settings *settings)
{
	must(settings->workers >= 1 && settings->workers <= SLOTS_WORKERS_MAX);
	must(settings->latency >= 0 && settings->latency_factor >= 0);
	s->settings = *settings;
}

void slots_freeze(struct slots *s, struct mono now, dur_ns length)
{
	s->frozen_until = mono_after(now, length);
}

/* Always the same number of draws per request, so that a change of one setting does not shift the fate of others. */
static void draw_fate(struct slots *s, struct ticket *t)
{
	const double normal = rng_normal(&s->rng);
	const bool slow = rng_uniform(&s->rng) < SLOTS_TAIL_SHARE;
	const double tail = 4 + 4 * rng_uniform(&s->rng);
	t->factor = exp(SLOTS_SIGMA * normal) * (slow ? tail : 1);
	t->fails = rng_uniform(&s->rng) < s->settings.error_rate;
}

static bool ends_before(const struct ticket *a, const struct ticket *b)
{
	return a->ends_at.ns < b->ends_at.ns;
}

static void heap_push(struct slots *s, struct ticket *t)
{
	must(s->busy < SLOTS_WORKERS_MAX);
	size_t at = s->busy++;
	while (at > 0 && ends_before(t, s->heap[(at - 1) / 2])) {
		s->heap[at] = s->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	s->heap[at] = t;
}

static struct ticket *heap_pop(struct slots *s)
{
	must(s->busy > 0);
	struct ticket *top = s->heap[0], *moved = s->heap[--s->busy];
	size_t at = 0;
	for (;;) {
		size_t child = 2 * at + 1;
		if (child >= s->busy)
			break;
		if (child + 1 < s->busy && ends_before(s->heap[child + 1], s->heap[child]))
			child++;
		if (!ends_before(s->heap[child], moved))
			break;
		s->heap[at] = s->heap[child];
		at = child;
	}
	s->heap[at] = moved;
	return top;
}

static dur_ns service(const struct slots *s, const struct ticket *t)
{
	return (dur_ns)((double)s->settings.latency * s->settings.latency_factor * t->factor);
}

static void begin(struct slots *s, struct ticket *t, struct mono from)
{
	if (from.ns < t->admitted_at.ns)
		from = t->admitted_at; /* the worker was free before the request came */
	t->ends_at = mono_after(from, service(s, t));
	heap_push(s, t);
}

static void enqueue(struct slots *s, struct ticket *t)
{
	t->next = NULL;
	if (s->last)
		s->last->next = t;
	else
		s->first = t;
	s->last = t;
	s->waiting++;
}

static struct ticket *dequeue(struct slots *s)
{
	struct ticket *t = s->first;
	s->first = t->next;
	if (!s->first)
		s->last = NULL;
	s->waiting--;
	return t;
}

static bool has_free_worker(const struct slots *s)
{
	return s->busy < (size_t)s->settings.workers;
}

enum slots_answer slots_admit(struct slots *s, struct ticket *t, struct mono now)
{
	draw_fate(s, t);
	t->admitted_at = now;
	t->dropped = false;
	t->next = NULL;
	if (s->waiting == 0 && has_free_worker(s)) {
		if (service(s, t) == 0 && now.ns >= s->frozen_until.ns)
			return SLOTS_NOW;
		begin(s, t, now);
		return SLOTS_HELD;
	}
	if (s->waiting >= s->queue_limit)
		return SLOTS_FULL;
	enqueue(s, t);
	return SLOTS_HELD;
}

struct ticket *slots_turn(struct slots *s, struct mono now)
{
	struct ticket *ended = NULL, **end = &ended;
	if (now.ns < s->frozen_until.ns)
		return NULL;
	for (;;) {
		/* More workers than before: they begin now. */
		while (s->waiting > 0 && has_free_worker(s))
			begin(s, dequeue(s), now);
		if (s->busy == 0 || s->heap[0]->ends_at.ns > now.ns)
			break;
		struct ticket *t = heap_pop(s);
		if (t->ends_at.ns < s->frozen_until.ns)
			t->ends_at = s->frozen_until;
		t->next = NULL;
		*end = t;
		end = &t->next;
		if (s->waiting > 0 && has_free_worker(s))
			begin(s, dequeue(s), t->ends_at);
	}
	return ended;
}

bool slots_next(const struct slots *s, struct mono *ret_when)
{
	if (s->busy == 0)
		return false;
	*ret_when = s->heap[0]->ends_at;
	if (ret_when->ns < s->frozen_until.ns)
		*ret_when = s->frozen_until;
	return true;
}

struct ticket *slots_empty(struct slots *s)
{
	struct ticket *all = s->first;
	s->first = s->last = NULL;
	s->waiting = 0;
	while (s->busy > 0) {
		struct ticket *t = heap_pop(s);
		t->next = all;
		all = t;
	}
	for (struct ticket *t = all; t; t = t->next)
		t->dropped = true;
	return all;
}
