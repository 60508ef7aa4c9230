/* run.c: the run's own thread: it starts the workers, collects their meters once a second, and judges at the end.
 *
 * A second closes when every worker has handed its meter over. A worker that is too busy to answer makes the second
 * longer, never wrong: its row says how long it really was. */
#include "loadgen/run.h"

#include <errno.h>
#include <signal.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/must.h"
#include "loadgen/flow_sums.h"
#include "loadgen/manifest.h"
#include "loadgen/phase.h"
#include "loadgen/result.h"
#include "loadgen/validity.h"
#include "loadgen/verdict.h"
#include "loadgen/watch.h"
#include "loadgen/worker.h"
#include "net/probe.h"
#include "observe/generator.h"

#define THREADS_MAX 256
/* From the start of the threads to the first arrival: enough for all of them to be in their loops. */
#define HEAD_START (20 * MILLISECOND)
#define PROBE_TIMEOUT (5 * SECOND)
/* A record keeps this many rows; a run of a day has them. */
#define SECONDS_MAX 90000

struct run {
	const struct run_options *options;
	const struct program *program;
	struct loop loop;
	struct loop_alarm alarm;
	struct loop_wake wake;
	struct loop_signal signals[2];
	struct worker *workers;
	struct meter **spare;     /* per worker: the empty meter that is not offered; NULL while it is out */
	struct worker_news *news; /* per worker */
	uint32_t worker_count;
	struct mono start, end, measured_from;
	struct mono closed; /* end of the last second that was closed */
	bool waiting;       /* meters are out for the second that is being closed */
	bool interrupted;
	struct meter *interval, *total;
	struct generator_watch machine;
	struct watch **watches; /* per threshold; NULL where none is needed */
	size_t threshold_count;
	bool ended_by_threshold;
	bool joined; /* the workers are gone */
	struct flow_sums flows;
	struct executor_counts before;
	struct run_record *record;
	size_t second_room;
	uint64_t descriptor_limit; /* 0: unknown */
};

/* What is known of a worker now. A meter has it as sums since the start or as of a moment, so that two meters of one worker
 * in one second do not add up. */
struct worker_news {
	struct executor_counts arrivals;
	uint32_t users, in_flight;
	bool last_taken; /* it has ended, and its last meter is in */
};

static uint32_t default_threads(void)
{
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);
	return cores > 2 ? (uint32_t)cores - 1 : 1;
}

uint64_t run_raise_descriptors(void)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return 0;
	if (files.rlim_cur < files.rlim_max) {
		const struct rlimit most = { files.rlim_max, files.rlim_max };
		if (setrlimit(RLIMIT_NOFILE, &most) == 0)
			files.rlim_cur = files.rlim_max;
	}
	return files.rlim_cur;
}

static void on_nothing_alarm(struct loop_alarm *a)
{
	/* It only ends the sleep. */
}

static void on_nothing_wake(struct loop_wake *w)
{
	/* The same. */
}

static void poke_run(void *arg)
{
	struct run *r = arg;
	loop_wake_poke(&r->loop, &r->wake);
}

static void stop_workers(struct run *r)
{
	for (uint32_t i = 0; i < r->worker_count; i++)
		worker_stop(&r->workers[i]);
}

static void interrupt(struct run *r)
{
	r->interrupted = true;
	stop_workers(r);
}

static void on_signal(struct loop_signal *s, int number)
{
	interrupt(s->signal.data);
}

/* --- the seconds --- */

static void keep_second(struct run *r, const struct second_record *second)
{
	struct run_record *record = r->record;
	if (record->second_count == SECONDS_MAX)
		return;
	if (record->second_count == r->second_room) {
		r->second_room = r->second_room ? r->second_room * 2 : 128;
		record->seconds = xreallocarray(record->seconds, r->second_room, sizeof(*record->seconds));
	}
	record->seconds[record->second_count++] = *second;
	if (second->users > record->users_max)
		record->users_max = second->users;
}

static void tell(struct run *r, struct mono now, dur_ns length, const struct second_record *second)
{
	const struct run_listener *listener = &r->options->listener;
	if (!listener->second)
		return;
	flow_sums_take(&r->flows, r->interval, r->total);
	const struct run_progress progress = {
		.run_id = r->record->id,
		.started_at = r->record->started_at,
		.from = mono_since(r->closed, r->start),
		.length = length,
		.second = second,
		.exceeded = r->interval->exceeded,
		.requests = r->interval->requests,
		.warming_up = now.ns <= r->measured_from.ns,
		.elapsed = mono_since(now, r->start),
		.total = mono_since(r->end, r->start),
		.all_arrivals = r->interval->arrivals.planned,
		.all_dropped = r->interval->arrivals.dropped,
		.all_requests = r->total->requests,
		.all_failed = r->total->failed,
		.all_errors = r->total->errors,
		.interval = &r->interval->response,
		.response = &r->total->response,
		.service = &r->total->service,
		.lag = &r->total->lag,
		.interval_warmup = &r->interval->warmup.response,
		.interval_set_up = r->interval->set_up,
		.set_up = r->total->set_up,
		.flows = r->flows.rows,
		.flow_count = r->program->flow_count,
	};
	listener->second(listener->arg, &progress);
}

/* The program's, then those of the command line. */
static const struct threshold *threshold_of(const struct run *r, size_t i)
{
	const struct program *p = r->program;
	return i < p->threshold_count ? &p->thresholds[i] : &r->options->thresholds[i - p->threshold_count];
}

static void watch_thresholds(struct run *r, dur_ns length)
{
	for (size_t i = 0; i < r->threshold_count && !r->ended_by_threshold; i++)
		if (r->watches[i] && watch_interval(r->watches[i], r->interval, length)) {
			r->ended_by_threshold = true;
			if (!r->joined)
				stop_workers(r);
		}
}

static void add_counts(struct executor_counts *into, const struct executor_counts *from)
{
	into->planned += from->planned;
	into->begun += from->begun;
	into->waited += from->waited;
	into->ended += from->ended;
	into->dropped += from->dropped;
}

/* What the interval cannot add up. An ended worker has no users any more. */
static void sum_news(struct run *r)
{
	struct meter *m = r->interval;
	m->arrivals = (struct executor_counts){ 0 };
	m->users = m->in_flight = 0;
	for (uint32_t i = 0; i < r->worker_count; i++) {
		struct worker_news *n = &r->news[i];
		add_counts(&m->arrivals, &n->arrivals);
		m->users += n->users;
		m->in_flight += n->in_flight;
		if (n->last_taken)
			n->users = n->in_flight = 0;
	}
}

static void close_second(struct run *r, struct mono now)
{
	sum_news(r);
	const dur_ns length = mono_since(now, r->closed);
	const dur_ns from_measured = mono_since(r->closed, r->measured_from);
	/* Rounded, for the alarm is a little late each time; floor for the warm-up's negative numbers. */
	const int32_t number = (int32_t)((from_measured + (from_measured < 0 ? -SECOND / 2 : SECOND / 2)) / SECOND);
	/* In the grace behind the end nothing begins: it makes no rate smaller. */
	const dur_ns planned = r->closed.ns < r->end.ns && now.ns > r->end.ns ? mono_since(r->end, r->closed) : length;
	struct second_record second = result_second(r->interval, &r->before, number, planned);
	const struct generator_reading machine = generator_watch_take(&r->machine, r->interval->connections);
	second.phase = phase_of(r->program, number, mono_since(r->closed, r->start), mono_since(now, r->start));
	second.steal = machine.steal;
	second.descriptors = machine.descriptors;
	second.ports = machine.ports;
	keep_second(r, &second);
	if (r->closed.ns >= r->measured_from.ns)
		watch_thresholds(r, planned);
	tell(r, now, length, &second);
	r->before = r->interval->arrivals;
	r->closed = now;
	r->waiting = false;
	meter_reset(r->interval);
}

static void take_meter(struct run *r, uint32_t worker, const struct meter *m)
{
	meter_add(r->interval, m);
	meter_add(r->total, m);
	r->news[worker] = (struct worker_news){ m->arrivals, m->users, m->in_flight, false };
}

/* Those that have ended have nobody to hand a meter over; collect_meters takes their last one. */
static void offer_meters(struct run *r)
{
	for (uint32_t i = 0; i < r->worker_count; i++) {
		if (atomic_load(&r->workers[i].ended))
			continue;
		meter_slot_offer(&r->workers[i].slot, r->spare[i]);
		r->spare[i] = NULL;
		worker_poke(&r->workers[i]);
	}
	r->waiting = true;
}

static void take_last(struct run *r, uint32_t worker)
{
	if (r->news[worker].last_taken)
		return;
	take_meter(r, worker, r->workers[worker].last);
	r->news[worker].last_taken = true;
}

/* Takes what was handed over. True when every worker's meter is in. */
static bool collect_meters(struct run *r)
{
	bool all = true;
	for (uint32_t i = 0; i < r->worker_count; i++) {
		/* Asked first: what a worker handed over before its end is there when it has ended. */
		const bool ended = atomic_load(&r->workers[i].ended);
		struct meter_slot *slot = &r->workers[i].slot;
		struct meter *m = r->spare[i] ? NULL : meter_slot_collect(slot);
		if (m) {
			take_meter(r, i, m);
			meter_reset(m);
			r->spare[i] = m;
		} else if (ended && !r->spare[i]) {
			r->spare[i] = meter_slot_withdraw(slot);
		}
		if (ended)
			take_last(r, i);
		all = all && r->spare[i];
	}
	return all;
}

static bool all_ended(struct run *r)
{
	for (uint32_t i = 0; i < r->worker_count; i++)
		if (!atomic_load(&r->workers[i].ended))
			return false;
	return true;
}

/* Until every worker has ended. */
static void follow_workers(struct run *r)
{
	/* Seconds count from the end of the warm-up, so the first one is shorter where that is not whole seconds. */
	const dur_ns lead = mono_since(r->measured_from, r->start) % SECOND;
	struct mono next = mono_after(r->start, lead > 0 ? lead : SECOND);
	while (!all_ended(r)) {
		const struct mono now = mono_now();
		if (r->waiting && collect_meters(r))
			close_second(r, now);
		if (!r->waiting && now.ns >= next.ns && now.ns < r->end.ns) {
			offer_meters(r);
			while (next.ns <= now.ns)
				next = mono_after(next, SECOND);
		}
		loop_alarm_set(&r->alarm, next.ns > now.ns ? next : mono_after(now, SECOND));
		loop_turn(&r->loop, LOOP_WAIT);
	}
}

static int join_workers(struct run *r, struct err *err)
{
	int result = 0;
	for (uint32_t i = 0; i < r->worker_count; i++)
		worker_join(&r->workers[i]);
	r->joined = true;
	collect_meters(r);
	for (uint32_t i = 0; i < r->worker_count; i++) {
		struct worker *w = &r->workers[i];
		worker_finish(w);
		meter_destroy(r->spare[i]);
		if (w->error.kind != ERR_NONE && result == 0) {
			result = -1;
			if (err)
				*err = w->error;
		}
	}
	close_second(r, mono_now());
	return result;
}

/* --- the verdict --- */

static void judge_thresholds(struct run *r, dur_ns measured)
{
	r->record->thresholds = xcalloc(r->threshold_count, sizeof(*r->record->thresholds));
	r->record->threshold_count = r->threshold_count;
	for (size_t i = 0; i < r->threshold_count; i++) {
		struct threshold_record *ret = &r->record->thresholds[i];
		if (watch_has_window(r->watches[i]))
			watch_verdict(r->watches[i], ret);
		else
			verdict_threshold(threshold_of(r, i), r->total, measured, ret);
		ret->ended_run = watch_ended_run(r->watches[i]);
		/* What ended the run did not hold, whatever the requests that were still under way made of it. */
		ret->met = ret->met && !ret->ended_run;
	}
}

static bool promises_rate(const struct program *p)
{
	for (uint32_t i = 0; i < p->executor_count; i++)
		if (p->executors[i].kind == EXECUTOR_RATE)
			return true;
	return false;
}

static void judge(struct run *r, const struct executor_counts *counts)
{
	struct run_record *record = r->record;
	const struct generator_health health = {
		.planned = counts->planned,
		.begun = counts->begun,
		.waited = counts->waited,
		.dropped = counts->dropped,
		.open = promises_rate(r->program),
		.requests = (uint64_t)hist_count(&r->total->lag),
		.lag_p99 = hist_quantile(&r->total->lag, 0.99),
		.service_p50 = hist_quantile(&r->total->service, 0.5),
		.cpu = run_record_mean_cpu(record),
		.cpu_peak = run_record_most_cpu(record),
		.descriptors = run_record_most_descriptors(record),
		.descriptor_limit = r->descriptor_limit,
		.local_failures = r->total->local_failures,
		.ports = run_record_most_ports(record),
		.port_range = r->machine.port_range,
	};
	validity_judge(&health, record);
	bool met = record->requests > 0; /* missing data is never success */
	for (size_t i = 0; i < record->threshold_count; i++)
		met = met && record->thresholds[i].met;
	record->verdict = r->interrupted                      ? RUN_ABORTED
	                  : record->validity == RUN_NOT_VALID ? RUN_INVALID
	                  : met                               ? RUN_MET
	                                                      : RUN_NOT_MET;
}

static void finish_record(struct run *r, struct mono ended, const struct executor_counts *counts)
{
	struct run_record *record = r->record;
	const struct mono until = ended.ns < r->end.ns ? ended : r->end;
	const dur_ns measured = until.ns > r->measured_from.ns ? mono_since(until, r->measured_from) : 0;
	const double whole = (double)(until.ns > r->start.ns ? mono_since(until, r->start) : 1) / (double)SECOND;
	result_fill(record, r->total, measured);
	record->arrivals = counts->planned;
	record->started = counts->begun;
	record->completed = counts->ended;
	record->dropped = counts->dropped;
	record->offered_rate = (double)counts->planned / whole;
	record->achieved_rate = (double)counts->begun / whole;
	judge_thresholds(r, measured);
	judge(r, counts);
}

/* --- birth and death --- */

/* Whatever was asked for: plain HTTP over a proxy is written by libcurl only. */
static struct transport_options transport_options(const struct run_options *o)
{
	return (struct transport_options){
		.insecure = o->insecure,
		.route = o->program->route,
		.kind = o->program->route.proxy && o->http == TRANSPORT_REPLAY ? TRANSPORT_AUTO : o->http,
	};
}

static int start_workers(struct run *r, struct err *err)
{
	const struct run_options *o = r->options;
	const uint32_t threads = o->threads ? o->threads : default_threads();
	const uint32_t count = threads < THREADS_MAX ? threads : THREADS_MAX;
	r->workers = xcalloc(count, sizeof(*r->workers));
	r->spare = xcalloc(count, sizeof(struct meter *));
	r->news = xcalloc(count, sizeof(*r->news));
	r->start = mono_after(mono_now(), HEAD_START);
	r->end = mono_after(r->start, r->program->duration);
	r->measured_from = mono_after(r->start, r->program->warmup);
	r->closed = r->start;
	for (uint32_t i = 0; i < count; i++) {
		const struct worker_plan plan = {
			.program = r->program,
			.start = r->start,
			.end = r->end,
			.measured_from = r->measured_from,
			.grace = o->grace,
			.exceed_limit = o->exceed_limit,
			.number = i,
			.count = count,
			.seed = o->seed,
			.transport = transport_options(o),
			.poke_reader = poke_run,
			.poke_arg = r,
		};
		if (worker_start(&r->workers[i], &plan, err) < 0)
			return -1;
		r->worker_count++;
		r->spare[i] = meter_create(r->program);
	}
	return 0;
}

static void drop_workers(struct run *r)
{
	for (uint32_t i = 0; i < r->worker_count; i++)
		worker_stop(&r->workers[i]);
	for (uint32_t i = 0; i < r->worker_count; i++) {
		worker_join(&r->workers[i]);
		worker_finish(&r->workers[i]);
		meter_destroy(r->spare[i]);
	}
}

static void watch_signals(struct run *r)
{
	static const int numbers[] = { SIGINT, SIGTERM };
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		r->signals[i].signal.data = r;
		loop_signal_start(&r->loop, &r->signals[i], numbers[i], on_signal);
	}
}

static int open_loop(struct run *r, struct err *err)
{
	if (loop_init(&r->loop, err) < 0)
		return -1;
	if (loop_alarm_init(&r->loop, &r->alarm, on_nothing_alarm, err) < 0) {
		loop_finish(&r->loop);
		return -1;
	}
	loop_wake_start(&r->loop, &r->wake, on_nothing_wake);
	if (r->options->watch_signals)
		watch_signals(r);
	return 0;
}

static void close_loop(struct run *r)
{
	for (size_t i = 0; i < ARRAY_LEN(r->signals); i++)
		loop_signal_stop(&r->loop, &r->signals[i]);
	loop_wake_stop(&r->loop, &r->wake);
	loop_alarm_finish(&r->loop, &r->alarm);
	loop_finish(&r->loop);
}

static int execute(struct run *r, struct err *err)
{
	int result = start_workers(r, err);
	if (result < 0) {
		drop_workers(r);
	} else {
		follow_workers(r);
		const struct mono ended = mono_now();
		result = join_workers(r, err);
		if (result == 0) {
			r->record->manifest = manifest_make(r->options, r->worker_count, r->machine.port_range);
			finish_record(r, ended, &r->before);
		}
	}
	free(r->workers);
	free(r->spare);
	free(r->news);
	return result;
}

static void make_watches(struct run *r)
{
	r->threshold_count = r->program->threshold_count + r->options->threshold_count;
	r->watches = xcalloc(r->threshold_count, sizeof(struct watch *));
	for (size_t i = 0; i < r->threshold_count; i++)
		r->watches[i] = watch_create(threshold_of(r, i));
}

static void drop_watches(struct run *r)
{
	for (size_t i = 0; i < r->threshold_count; i++)
		watch_destroy(r->watches[i]);
	free(r->watches);
}

/* Users of a closed load are all there at the same time, each with a connection. Those of an open one are the most that it
 * may take. */
static int refuse_too_many_users(const struct run *r, struct err *err)
{
	for (uint32_t i = 0; i < r->program->executor_count; i++) {
		const struct executor_plan *x = &r->program->executors[i];
		if (x->kind != EXECUTOR_RATE && r->descriptor_limit && x->users > r->descriptor_limit)
			return err_set(err, ERR_IO,
			               "%" PRIu32 " users need a descriptor each, and the system allows %" PRIu64
			               ": allow more (ulimit -n), or ask for fewer users",
			               x->users, r->descriptor_limit);
	}
	return 0;
}

/* Signals that came meanwhile are heard. */
static bool is_interrupted(void *run)
{
	struct run *r = run;
	loop_turn(&r->loop, LOOP_POLL);
	return r->interrupted;
}

int run_execute(const struct run_options *o, struct run_record *ret_record, struct err *err)
{
	const struct transport_options transport = transport_options(o);
	struct run r = { .options = o, .program = o->program, .record = ret_record };
	r.descriptor_limit = run_raise_descriptors();
	if (refuse_too_many_users(&r, err) < 0)
		return -1;
	if (open_loop(&r, err) < 0)
		return -1;
	const struct probe_limits limits = { PROBE_TIMEOUT, is_interrupted, &r };
	if (net_probe(o->program->target.url, &transport, &limits, err) < 0) {
		close_loop(&r);
		return -1;
	}
	run_record_init(ret_record);
	ret_record->started_at = wall_now();
	ret_record->name = xstrdup(o->program->name);
	id_make(ret_record->started_at, ret_record->id);
	r.interval = meter_create(r.program);
	r.total = meter_create(r.program);
	make_watches(&r);
	generator_watch_init(&r.machine);
	flow_sums_init(&r.flows, r.program);
	const int result = execute(&r, err);
	meter_destroy(r.interval);
	meter_destroy(r.total);
	flow_sums_finish(&r.flows);
	drop_watches(&r);
	generator_watch_finish(&r.machine);
	close_loop(&r);
	if (result < 0)
		run_record_finish(ret_record);
	return result;
}
