/* users.c: closed load. So many users at each instant; each begins again as soon as its iteration ended.
 *
 * Those who may run are always the first U(t) users. When U grows, the next ones begin at the very instant at which the
 * curve reaches them; when it shrinks, a user that is too many finishes its iteration and is parked with its
 * connection, to go on when U grows again. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"
#include "loadgen/executor.h"

struct users_executor {
	struct executor base;
	const struct executor_plan *plan;
	struct executor_place place;
	struct curve curve;
	uint32_t count;     /* users of this worker: number i is user i * workers + worker */
	uint32_t admitted;  /* the first so many may run */
	bool *idle;         /* parked, per user */
	uint64_t *turns;    /* iterations begun, per user */
	uint32_t *ready;    /* ring of users that begin next */
	struct mono *since; /* per user in the ring: when it became ready */
	uint32_t head, ready_count;
};

static uint32_t global_number(const struct users_executor *u, uint32_t i)
{
	return i * u->place.workers + u->place.worker;
}

/* How many of this worker's users the curve allows at <now>. A hair is added, for 0.1 * 30 is not 3. */
static uint32_t allowed(const struct users_executor *u, struct mono now)
{
	const double users = curve_value(&u->curve, mono_since(now, u->place.start)) + 1e-6;
	const uint32_t all = users <= 0 ? 0 : (uint32_t)users;
	const uint32_t mine = executor_users_of(all, u->place.worker, u->place.workers);
	return mine < u->count ? mine : u->count;
}

static void push_ready(struct users_executor *u, uint32_t i, struct mono since)
{
	must(u->ready_count < u->count);
	u->ready[(u->head + u->ready_count++) % u->count] = i;
	u->since[i] = since;
	u->idle[i] = false;
}

/* When the curve reaches this worker's user <i>, not before <from>. */
static struct mono due(const struct users_executor *u, uint32_t i, struct mono from)
{
	const double level = (double)global_number(u, i) + 1 - 1e-6;
	const dur_ns at = curve_when_value(&u->curve, mono_since(from, u->place.start), level);
	return at == SCHEDULE_NEVER ? (struct mono){ SCHEDULE_NEVER } : mono_after(u->place.start, at);
}

static void follow_curve(struct users_executor *u, struct mono now)
{
	const uint32_t may = allowed(u, now);
	for (; u->admitted < may; u->admitted++) {
		if (!u->idle[u->admitted])
			continue; /* it never stopped */
		/* The instant itself, not the moment at which we looked; a ramp that went down and up may have
		 * passed it before, so never in the future. */
		const struct mono at = due(u, u->admitted, u->since[u->admitted]);
		push_ready(u, u->admitted, at.ns < now.ns ? at : now);
	}
	u->admitted = may;
}

static enum executor_answer users_next(struct executor *x, struct mono now, struct arrival *ret_arrival,
                                       struct mono *ret_when)
{
	struct users_executor *u = container_of(x, struct users_executor, base);
	if (now.ns >= u->place.end.ns)
		return EXECUTOR_DONE;
	if (now.ns < u->place.start.ns) {
		*ret_when = u->place.start;
		return EXECUTOR_WAIT;
	}
	follow_curve(u, now);
	while (u->ready_count > 0) {
		const uint32_t i = u->ready[u->head];
		u->head = (u->head + 1) % u->count;
		u->ready_count--;
		if (i >= u->admitted) {
			u->idle[i] = true;
			u->since[i] = now;
			continue;
		}
		/* Unique over workers and users: the users take turns in the numbers. */
		const uint64_t number = u->turns[i]++ * u->plan->users + global_number(u, i);
		*ret_arrival = (struct arrival){ u->since[i], u->since[i], number, global_number(u, i), false };
		x->counts.planned++;
		x->counts.begun++;
		return EXECUTOR_ARRIVAL;
	}
	*ret_when = u->place.end;
	if (u->admitted < u->count) {
		const struct mono next = due(u, u->admitted, now);
		if (next.ns < ret_when->ns)
			*ret_when = next;
	}
	return EXECUTOR_WAIT;
}

static void users_ended(struct executor *x, uint32_t user, struct mono now)
{
	struct users_executor *u = container_of(x, struct users_executor, base);
	push_ready(u, user / u->place.workers, now);
}

static bool users_unserved(struct executor *x, struct mono end, struct arrival *ret_arrival)
{
	return false; /* a closed load promises no arrivals */
}

static void users_destroy(struct executor *x)
{
	struct users_executor *u = container_of(x, struct users_executor, base);
	free(u->idle);
	free(u->turns);
	free(u->ready);
	free(u->since);
	free(u);
}

static const struct executor_ops users_ops = { "users", users_next, users_ended, users_unserved, users_destroy };

struct executor *executor_users_create(const struct executor_plan *plan, const struct executor_place *place)
{
	struct users_executor *u = xcalloc(1, sizeof(*u));
	u->base.ops = &users_ops;
	u->plan = plan;
	u->place = *place;
	u->curve = (struct curve){ plan->segments, plan->segment_count };
	u->count = executor_users_of(plan->users, place->worker, place->workers);
	u->idle = xcalloc(u->count, sizeof(*u->idle));
	u->turns = xcalloc(u->count, sizeof(*u->turns));
	u->ready = xcalloc(u->count, sizeof(*u->ready));
	u->since = xcalloc(u->count, sizeof(*u->since));
	for (uint32_t i = 0; i < u->count; i++) {
		u->idle[i] = true;
		u->since[i] = place->start;
	}
	return &u->base;
}
