/* rate.c: open load. Arrivals come when the schedule says, whatever the answers do.
 *
 * The users are a stack: the one that was free last has the warmest connection. When none is free, arrivals wait in
 * order (only their count is needed: the schedule itself is the queue) and begin as users become free, each from its
 * own planned instant; or they are dropped, when the scenario says so or EXECUTOR_QUEUE_MAX wait already. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"
#include "loadgen/executor.h"

struct free_user {
	uint32_t number;
	struct mono since;
};

struct rate_executor {
	struct executor base;
	const struct executor_plan *plan;
	struct executor_place place;
	struct arrivals next;    /* the first that has not begun */
	struct arrivals horizon; /* the first that is not yet due: between the two they wait */
	uint64_t waiting;
	struct free_user *free; /* stack */
	uint32_t free_count, count;
	uint32_t made; /* users handed out so far: a user exists from its first iteration on */
};

static struct mono instant(const struct rate_executor *r, const struct arrivals *a)
{
	return a->at == SCHEDULE_NEVER ? (struct mono){ SCHEDULE_NEVER } : mono_after(r->place.start, a->at);
}

static bool is_due(const struct rate_executor *r, const struct arrivals *a, struct mono now)
{
	const struct mono at = instant(r, a);
	return at.ns <= now.ns && at.ns < r->place.end.ns;
}

static void drop_first(struct rate_executor *r)
{
	arrivals_advance(&r->next);
	r->waiting--;
	r->base.counts.dropped++;
}

/* Counts what has become due. */
static void follow_schedule(struct rate_executor *r, struct mono now)
{
	while (is_due(r, &r->horizon, now)) {
		arrivals_advance(&r->horizon);
		r->base.counts.planned++;
		r->waiting++;
	}
}

/* Drops what may not wait, once <served> arrivals have found, or could have found, a free user. */
static void drop_excess(struct rate_executor *r, uint64_t served)
{
	const uint64_t most = served + (r->plan->late == LATE_DROP ? 0 : EXECUTOR_QUEUE_MAX);
	while (r->waiting > most)
		drop_first(r);
}

/* Takes a user for the next arrival, and tells since when there was one. The bottom of the stack has been free for
 * longest, and a user that was never made has been free all along: that we came late ourselves is no waiting. */
static bool take_user(struct rate_executor *r, struct free_user *ret_user)
{
	const bool unmade = r->made < r->count;
	if (r->free_count == 0 && !unmade)
		return false;
	if (r->free_count > 0) {
		const struct mono longest = r->free[0].since;
		*ret_user = r->free[--r->free_count];
		ret_user->since = unmade ? r->place.start : longest;
		return true;
	}
	ret_user->number = r->made++ * r->place.workers + r->place.worker;
	ret_user->since = r->place.start;
	return true;
}

static enum executor_answer rate_next(struct executor *x, struct mono now, struct arrival *ret_arrival,
                                      struct mono *ret_when)
{
	struct rate_executor *r = container_of(x, struct rate_executor, base);
	struct free_user user;
	if (now.ns >= r->place.end.ns)
		return EXECUTOR_DONE;
	follow_schedule(r, now);
	if (r->waiting > 0 && take_user(r, &user)) {
		const struct mono at = instant(r, &r->next);
		*ret_arrival = (struct arrival){
			.intended = at, .able = at, .number = r->next.number, .user = user.number
		};
		if (user.since.ns > at.ns) {
			ret_arrival->able = user.since;
			ret_arrival->waited = true;
			x->counts.waited++;
		}
		x->counts.begun++;
		arrivals_advance(&r->next);
		r->waiting--;
		return EXECUTOR_ARRIVAL;
	}
	/* Only now: while users are free the first arrivals get them, however late we are ourselves. */
	drop_excess(r, 0);
	/* With arrivals waiting for a user there is nothing to do before one is free, but to count the next. */
	*ret_when = instant(r, &r->horizon);
	if (ret_when->ns > r->place.end.ns)
		*ret_when = r->place.end;
	return EXECUTOR_WAIT;
}

static void rate_ended(struct executor *x, uint32_t user, struct mono now)
{
	struct rate_executor *r = container_of(x, struct rate_executor, base);
	must(r->free_count < r->count);
	r->free[r->free_count++] = (struct free_user){ user, now };
}

static bool rate_unserved(struct executor *x, struct mono end, struct arrival *ret_arrival)
{
	struct rate_executor *r = container_of(x, struct rate_executor, base);
	follow_schedule(r, end);
	drop_excess(r, r->free_count + (r->count - r->made));
	if (r->waiting == 0)
		return false;
	const struct mono at = instant(r, &r->next);
	*ret_arrival = (struct arrival){ .intended = at, .able = end, .number = r->next.number, .waited = true };
	arrivals_advance(&r->next);
	r->waiting--;
	return true;
}

static void rate_destroy(struct executor *x)
{
	struct rate_executor *r = container_of(x, struct rate_executor, base);
	free(r->free);
	free(r);
}

static const struct executor_ops rate_ops = { "rate", rate_next, rate_ended, rate_unserved, rate_destroy };

struct executor *executor_rate_create(const struct executor_plan *plan, const struct executor_place *place)
{
	/* Fewer users than workers: arrivals go only to workers that have a user. */
	const uint32_t sharing = plan->users < place->workers ? plan->users : place->workers;
	const bool has_share = place->worker < sharing;
	const struct curve curve = { plan->segments, has_share ? plan->segment_count : 0 };
	struct rate_executor *r = xcalloc(1, sizeof(*r));
	r->base.ops = &rate_ops;
	r->plan = plan;
	r->place = *place;
	r->count = executor_users_of(plan->users, place->worker, place->workers);
	r->free = xcalloc(r->count, sizeof(*r->free));
	arrivals_init(&r->next, curve, plan->poisson, has_share ? place->worker : 0, has_share ? sharing : 1,
	              place->seed);
	r->horizon = r->next;
	return &r->base;
}
