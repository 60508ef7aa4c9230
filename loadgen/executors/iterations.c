/* iterations.c: closed load that is counted, not timed: each user does so many iterations, or the users do so many
 * together. All of them begin at the start; the last to finish ends the executor.
 *
 * Workers share nothing: of iterations that the users do together, each worker that has users has its part from the
 * beginning, so a worker whose users are slower is not helped by the others. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"
#include "loadgen/executor.h"

struct iterations_executor {
	struct executor base;
	const struct executor_plan *plan;
	struct executor_place place;
	uint32_t count;     /* users of this worker: number i is user i * workers + worker */
	uint64_t quota;     /* iterations of this worker */
	uint64_t begun;     /* of quota */
	uint64_t *turns;    /* iterations begun, per user */
	uint32_t *ready;    /* ring of users that begin next */
	struct mono *since; /* per user in the ring: when it became ready */
	uint32_t head, ready_count;
};

static void push_ready(struct iterations_executor *x, uint32_t i, struct mono since)
{
	must(x->ready_count < x->count);
	x->ready[(x->head + x->ready_count++) % x->count] = i;
	x->since[i] = since;
}

/* Unique over workers and users: they take turns in the numbers. */
static uint64_t number_of(const struct iterations_executor *x, uint32_t i)
{
	const uint32_t sharing = x->plan->users < x->place.workers ? x->plan->users : x->place.workers;
	if (x->plan->kind == EXECUTOR_SHARED)
		return x->begun * sharing + x->place.worker;
	return x->turns[i] * x->plan->users + i * x->place.workers + x->place.worker;
}

static enum executor_answer iterations_next(struct executor *base, struct mono now, struct arrival *ret_arrival,
                                            struct mono *ret_when)
{
	struct iterations_executor *x = container_of(base, struct iterations_executor, base);
	if (now.ns >= x->place.end.ns || x->begun == x->quota)
		return EXECUTOR_DONE;
	if (now.ns < x->place.start.ns || x->ready_count == 0) {
		*ret_when = now.ns < x->place.start.ns ? x->place.start : x->place.end;
		return EXECUTOR_WAIT;
	}
	const uint32_t i = x->ready[x->head];
	x->head = (x->head + 1) % x->count;
	x->ready_count--;
	*ret_arrival = (struct arrival){
		.intended = x->since[i],
		.able = x->since[i],
		.number = number_of(x, i),
		.user = i * x->place.workers + x->place.worker,
	};
	x->turns[i]++;
	x->begun++;
	base->counts.planned++;
	base->counts.begun++;
	return EXECUTOR_ARRIVAL;
}

static void iterations_ended(struct executor *base, uint32_t user, struct mono now)
{
	struct iterations_executor *x = container_of(base, struct iterations_executor, base);
	const uint32_t i = user / x->place.workers;
	if (x->plan->kind == EXECUTOR_SHARED || x->turns[i] < x->plan->iterations)
		push_ready(x, i, now);
}

static bool iterations_unserved(struct executor *x, struct mono end, struct arrival *ret_arrival)
{
	return false; /* a closed load promises no arrivals */
}

static void iterations_destroy(struct executor *base)
{
	struct iterations_executor *x = container_of(base, struct iterations_executor, base);
	free(x->turns);
	free(x->ready);
	free(x->since);
	free(x);
}

static const struct executor_ops iterations_ops = { "iterations", iterations_next, iterations_ended,
	                                            iterations_unserved, iterations_destroy };

struct executor *executor_iterations_create(const struct executor_plan *plan, const struct executor_place *place)
{
	struct iterations_executor *x = xcalloc(1, sizeof(*x));
	const uint32_t sharing = plan->users < place->workers ? plan->users : place->workers;
	x->base.ops = &iterations_ops;
	x->plan = plan;
	x->place = *place;
	x->count = executor_users_of(plan->users, place->worker, place->workers);
	if (plan->kind == EXECUTOR_PER_USER)
		x->quota = x->count * plan->iterations;
	else if (place->worker < sharing)
		x->quota = plan->iterations / sharing + (place->worker < plan->iterations % sharing);
	x->turns = xcalloc(x->count, sizeof(*x->turns));
	x->ready = xcalloc(x->count, sizeof(*x->ready));
	x->since = xcalloc(x->count, sizeof(*x->since));
	for (uint32_t i = 0; i < x->count; i++)
		push_ready(x, i, place->start);
	return &x->base;
}
