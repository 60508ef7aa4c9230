#include "loadgen/worker.h"

#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "base/must.h"

/* Arrivals that are begun in one turn at most: answers must be stamped soon even when the schedule is behind. */
#define ADMIT_MAX 64
#define CPU_SAMPLE_LEAST (100 * MILLISECOND)

/* --- the ready list and the sleepers --- */

void worker_push_ready(struct worker *w, struct user *u)
{
	u->next_ready = NULL;
	*w->ready_tail = u;
	w->ready_tail = &u->next_ready;
}

static struct user *pop_ready(struct worker *w)
{
	struct user *u = w->ready_head;
	if (!u)
		return NULL;
	w->ready_head = u->next_ready;
	if (!w->ready_head)
		w->ready_tail = &w->ready_head;
	return u;
}

static void heap_put(struct worker *w, size_t at, struct user *u)
{
	w->sleepers[at] = u;
	u->heap_at = at;
}

void worker_push_sleeper(struct worker *w, struct user *u)
{
	if (w->sleeper_count == w->sleeper_room) {
		w->sleeper_room = w->sleeper_room ? w->sleeper_room * 2 : 64;
		w->sleepers = xreallocarray(w->sleepers, w->sleeper_room, sizeof(struct user *));
	}
	size_t at = w->sleeper_count++;
	for (; at > 0 && w->sleepers[(at - 1) / 2]->wake.ns > u->wake.ns; at = (at - 1) / 2)
		heap_put(w, at, w->sleepers[(at - 1) / 2]);
	heap_put(w, at, u);
}

static struct user *pop_sleeper(struct worker *w)
{
	struct user *first = w->sleepers[0], *last = w->sleepers[--w->sleeper_count];
	size_t at = 0;
	for (;;) {
		size_t child = 2 * at + 1;
		if (child >= w->sleeper_count)
			break;
		if (child + 1 < w->sleeper_count && w->sleepers[child + 1]->wake.ns < w->sleepers[child]->wake.ns)
			child++;
		if (w->sleepers[child]->wake.ns >= last->wake.ns)
			break;
		heap_put(w, at, w->sleepers[child]);
		at = child;
	}
	if (w->sleeper_count > 0)
		heap_put(w, at, last);
	return first;
}

/* --- a turn --- */

static void fail(struct worker *w, const struct err *err)
{
	if (w->error.kind == ERR_NONE)
		w->error = *err;
	atomic_store(&w->stop, true);
}

/* The user of an arrival; made, and given its handle, at its first one. */
static struct user *user_of(struct worker *w, uint32_t executor, uint32_t number)
{
	struct user **place = &w->users[executor][number / w->plan.count];
	struct err err;
	if (*place)
		return *place;
	struct user *u = xmalloc(sizeof(*u));
	if (user_init(u, w, executor, number, &err) < 0) {
		free(u);
		fail(w, &err);
		return NULL;
	}
	w->users_made++;
	return *place = u;
}

/* Begins what is due of one executor, until <begun> reaches the most of a turn. */
static enum executor_answer admit_from(struct worker *w, uint32_t i, int *begun, struct mono *ret_when)
{
	struct arrival a;
	while (!w->stopped[i] && *begun < ADMIT_MAX) {
		const enum executor_answer answer = w->executors[i]->ops->next(w->executors[i], mono_now(), &a,
		                                                               ret_when);
		if (answer != EXECUTOR_ARRIVAL)
			return answer;
		struct user *u = user_of(w, i, a.user);
		if (!u)
			return EXECUTOR_DONE;
		w->under_way++;
		user_begin(u, &a);
		++*begun;
	}
	return w->stopped[i] ? EXECUTOR_DONE : EXECUTOR_ARRIVAL;
}

/* Begins what is due. Returns when there will be more. */
static struct mono admit_arrivals(struct worker *w)
{
	struct mono wake = w->plan.end;
	const uint32_t count = w->plan.program->executor_count;
	int begun = 0;
	bool exhausted = true;
	for (uint32_t k = 0; k < count && w->sending; k++) {
		const uint32_t i = (w->admit_first + k) % count;
		struct mono when = { 0 };
		const enum executor_answer answer = admit_from(w, i, &begun, &when);
		if (answer == EXECUTOR_ARRIVAL) {
			/* There may be more; the others first, so that a busy executor starves nobody. */
			w->admit_first = (i + 1) % count;
			return mono_now();
		}
		exhausted = exhausted && answer == EXECUTOR_DONE;
		if (answer == EXECUTOR_WAIT && when.ns < wake.ns)
			wake = when;
	}
	w->exhausted = exhausted;
	return wake;
}

static void wake_sleepers(struct worker *w)
{
	const struct mono now = mono_now();
	while (w->sleeper_count > 0 && w->sleepers[0]->wake.ns <= now.ns)
		worker_push_ready(w, pop_sleeper(w));
}

/* Those that are ready now; whoever becomes ready meanwhile waits for the next turn, so that a turn has an end. */
static void resume_ready(struct worker *w)
{
	const struct user *last = w->ready_head ? container_of(w->ready_tail, struct user, next_ready) : NULL;
	for (struct user *u = last ? pop_ready(w) : NULL; u; u = pop_ready(w)) {
		const bool was_last = u == last;
		user_resume(u);
		if (was_last)
			break;
	}
}

void worker_iteration_ended(struct worker *w, struct user *u, struct mono now)
{
	struct executor *x = w->executors[u->executor];
	x->counts.ended++;
	w->under_way--;
	x->ops->ended(x, u->number, now);
}

/* It got no row, so its iteration never was; nobody else of this executor and worker would get one. */
void worker_user_stopped(struct worker *w, struct user *u)
{
	struct executor *x = w->executors[u->executor];
	x->counts.planned--;
	x->counts.begun--;
	w->under_way--;
	w->stopped[u->executor] = true;
}

static dur_ns thread_cpu(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (dur_ns)t.tv_sec * SECOND + t.tv_nsec;
}

static void publish_counts(struct worker *w)
{
	struct executor_counts sum = { 0 };
	for (uint32_t i = 0; i < w->plan.program->executor_count; i++) {
		sum.planned += w->executors[i]->counts.planned;
		sum.begun += w->executors[i]->counts.begun;
		sum.waited += w->executors[i]->counts.waited;
		sum.ended += w->executors[i]->counts.ended;
		sum.dropped += w->executors[i]->counts.dropped;
	}
	w->meter->arrivals = sum;
}

static void stamp_meter(struct worker *w)
{
	const struct mono now = mono_now();
	const dur_ns cpu = thread_cpu(), passed = mono_since(now, w->cpu_since);
	w->meter->users = w->users_made;
	w->meter->in_flight = w->in_flight;
	/* Of a moment nothing can be said: a worker without work has lived for microseconds, all of them busy. */
	w->meter->cpu = passed >= CPU_SAMPLE_LEAST ? (double)(cpu - w->cpu_then) / (double)passed : 0;
	w->cpu_since = now;
	w->cpu_then = cpu;
	publish_counts(w);
}

static void hand_over_meter(struct worker *w)
{
	if (!meter_slot_wanted(&w->slot))
		return;
	stamp_meter(w);
	w->meter = meter_slot_swap(&w->slot, w->meter);
	w->plan.poke_reader(w->plan.poke_arg);
}

/* Sleeps until <wake>, the first sleeper, or whatever the loop hears of; not at all when there is work already. */
static void sleep_until(struct worker *w, struct mono wake)
{
	if (w->sleeper_count > 0 && w->sleepers[0]->wake.ns < wake.ns)
		wake = w->sleepers[0]->wake;
	if (w->ready_head || atomic_load_explicit(&w->stop, memory_order_relaxed) || wake.ns <= mono_now().ns) {
		loop_turn(&w->loop, LOOP_POLL);
		return;
	}
	loop_alarm_set(&w->alarm, wake);
	loop_turn(&w->loop, LOOP_WAIT);
}

/* All that there is to do now. Returns when there will be more, if nobody answers before. */
static struct mono work(struct worker *w)
{
	const struct mono began = mono_now();
	wake_sleepers(w);
	resume_ready(w);
	/* After the answers: an iteration that ended makes room for the next at once. */
	const struct mono wake = admit_arrivals(w);
	hand_over_meter(w);
	const dur_ns took = mono_since(mono_now(), began);
	if (took > w->meter->turn_max)
		w->meter->turn_max = took;
	return wake;
}

/* --- the end of the run --- */

/* A flow for an arrival that never began: by weight, in the order of the numbers. */
static uint32_t flow_of_number(const struct executor_plan *plan, uint64_t number)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < plan->flow_count; i++)
		sum += plan->flows[i].weight;
	must(sum > 0);
	uint64_t at = number % sum;
	for (uint32_t i = 0; i < plan->flow_count; i++) {
		if (at < plan->flows[i].weight)
			return plan->flows[i].flow;
		at -= plan->flows[i].weight;
	}
	must(!"the weights add up to their sum");
	return 0;
}

/* From when on nobody is begun any more, and nobody waits. */
static struct mono end_of_executor(const struct worker *w, uint32_t number, struct mono end)
{
	const struct executor_plan *x = &w->plan.program->executors[number];
	const struct mono own = mono_after(w->plan.start, x->start + x->duration);
	return own.ns < end.ns ? own : end;
}

/* Arrivals that still waited for a user when their executor, or the run, ended: their clients have waited at least this long. */
static void count_unserved(struct worker *w, struct mono run_end)
{
	const struct program *p = w->plan.program;
	for (uint32_t i = 0; i < p->executor_count; i++) {
		const struct mono end = end_of_executor(w, i, run_end);
		struct arrival a;
		while (!w->stopped[i] && w->executors[i]->ops->unserved(w->executors[i], end, &a)) {
			const struct flow *f = &p->flows[flow_of_number(&p->executors[i], a.number)];
			if (a.intended.ns < w->plan.measured_from.ns || f->step_count == 0)
				continue;
			struct step_meter *s = &w->meter->steps[f->first_step];
			const dur_ns age = mono_since(end, a.intended);
			/* No request was sent, so there is no service time and no lag of ours. */
			s->requests++;
			w->meter->requests++;
			w->meter->censored++;
			w->meter->exceeded++;
			hist_record(&s->response, age);
			hist_record(&w->meter->response, age);
		}
	}
}

static void cut_users(struct worker *w)
{
	const struct mono now = mono_now();
	for (uint32_t i = 0; i < w->plan.program->executor_count; i++)
		for (uint32_t k = 0; k < w->user_counts[i]; k++)
			if (w->users[i][k])
				user_cut(w->users[i][k], now);
}

static void finish_run(struct worker *w)
{
	/* In one step: a stop that comes a moment later means the grace. */
	const bool stopped = atomic_exchange(&w->stop, false);
	const struct mono now = mono_now();
	const struct mono until = mono_after(now, stopped ? 0 : w->plan.grace);
	w->sending = false;
	w->sleeper_count = 0;
	atomic_store(&w->stop, false);
	for (work(w); w->in_flight > 0 && mono_now().ns < until.ns && !atomic_load(&w->stop); work(w))
		sleep_until(w, until);
	cut_users(w);
	count_unserved(w, now.ns < w->plan.end.ns ? now : w->plan.end);
	stamp_meter(w);
	w->last = w->meter;
	w->meter = NULL;
	atomic_store(&w->ended, true);
	w->plan.poke_reader(w->plan.poke_arg);
}

/* Every iteration that there will be has ended. */
static bool all_done(const struct worker *w)
{
	return w->exhausted && w->under_way == 0;
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	w->cpu_since = mono_now();
	w->cpu_then = thread_cpu();
	while (mono_now().ns < w->plan.end.ns && !atomic_load_explicit(&w->stop, memory_order_relaxed)) {
		const struct mono wake = work(w);
		if (all_done(w))
			break;
		sleep_until(w, wake);
	}
	finish_run(w);
	return NULL;
}

/* --- birth and death --- */

static void on_alarm(struct loop_alarm *a)
{
	/* It only ends the sleep: the turn looks at the clock itself. */
}

static void on_wake(struct loop_wake *wake)
{
	/* The same. */
}

void worker_finish(struct worker *w)
{
	for (uint32_t i = 0; i < w->plan.program->executor_count; i++) {
		for (uint32_t k = 0; w->users && k < w->user_counts[i]; k++) {
			if (!w->users[i][k])
				continue;
			user_finish(w->users[i][k]);
			free(w->users[i][k]);
		}
		if (w->users)
			free(w->users[i]);
		if (w->executors)
			executor_destroy(w->executors[i]);
	}
	free(w->users);
	free(w->user_counts);
	free(w->stopped);
	if (w->shared.program)
		vm_shared_finish(&w->shared);
	free(w->executors);
	free(w->sleepers);
	transport_destroy(w->transport);
	loop_alarm_finish(&w->loop, &w->alarm);
	if (w->loop.ev)
		loop_wake_stop(&w->loop, &w->wake);
	loop_finish(&w->loop);
	meter_destroy(w->meter);
	meter_destroy(w->last);
	meter_destroy(meter_slot_collect(&w->slot));
	meter_destroy(atomic_exchange(&w->slot.offered, NULL));
}

static void make_executors(struct worker *w)
{
	const struct program *p = w->plan.program;
	w->executors = xcalloc(p->executor_count, sizeof(struct executor *));
	w->users = xcalloc(p->executor_count, sizeof(struct user **));
	w->user_counts = xcalloc(p->executor_count, sizeof(*w->user_counts));
	w->stopped = xcalloc(p->executor_count, sizeof(*w->stopped));
	vm_shared_init(&w->shared, p, w->plan.number, w->plan.count, w->plan.seed);
	for (uint32_t i = 0; i < p->executor_count; i++) {
		const struct executor_plan *x = &p->executors[i];
		struct executor_place place = {
			.start = mono_after(w->plan.start, x->start),
			.worker = w->plan.number,
			.workers = w->plan.count,
			.seed = w->plan.seed + i,
		};
		place.end = mono_after(place.start, x->duration);
		if (place.end.ns > w->plan.end.ns)
			place.end = w->plan.end;
		w->executors[i] = executor_create(x, &place);
		w->user_counts[i] = executor_users_of(x->users, w->plan.number, w->plan.count);
		w->users[i] = xcalloc(w->user_counts[i], sizeof(struct user *));
	}
}

int worker_start(struct worker *w, const struct worker_plan *plan, struct err *err)
{
	*w = (struct worker){ .plan = *plan, .sending = true, .wall_ahead = wall_now().ns - mono_now().ns };
	w->ready_tail = &w->ready_head;
	if (loop_init(&w->loop, err) < 0)
		return -1;
	loop_wake_start(&w->loop, &w->wake, on_wake);
	if (loop_alarm_init(&w->loop, &w->alarm, on_alarm, err) < 0)
		goto fail;
	w->transport = transport_create(&w->loop, &plan->transport, err);
	if (!w->transport)
		goto fail;
	w->meter = meter_create(plan->program);
	make_executors(w);
	const int r = pthread_create(&w->thread, NULL, worker_main, w);
	if (r != 0) {
		err_set_errno(err, r, "start a worker thread");
		goto fail;
	}
	return 0;
fail:
	worker_finish(w);
	return -1;
}

void worker_stop(struct worker *w)
{
	atomic_store(&w->stop, true);
	loop_wake_poke(&w->loop, &w->wake);
}

void worker_poke(struct worker *w)
{
	loop_wake_poke(&w->loop, &w->wake);
}

void worker_join(struct worker *w)
{
	pthread_join(w->thread, NULL);
}
