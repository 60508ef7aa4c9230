#include "loadgen/meter.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"

/* The counts come from calloc: pages that no value ever touches take no memory. */
static void init_step(struct step_meter *s)
{
	hist_init_latency(&s->response);
	hist_init_latency(&s->service);
}

static void finish_step(struct step_meter *s)
{
	hist_finish(&s->response);
	hist_finish(&s->service);
}

static void reset_step(struct step_meter *s)
{
	s->requests = s->failed = 0;
	hist_reset(&s->response);
	hist_reset(&s->service);
}

static void add_step(struct step_meter *into, const struct step_meter *from)
{
	into->requests += from->requests;
	into->failed += from->failed;
	hist_add(&into->response, &from->response);
	hist_add(&into->service, &from->service);
}

static void record_step(struct step_meter *s, const struct measurement *r)
{
	s->requests++;
	s->failed += r->failed;
	hist_record(&s->response, r->response);
	hist_record(&s->service, r->service);
}

struct meter *meter_create(const struct program *program)
{
	struct meter *m = xcalloc(1, sizeof(*m));
	m->program = program;
	m->steps = xcalloc(program->step_count, sizeof(*m->steps));
	m->flows = xcalloc(program->flow_count, sizeof(*m->flows));
	m->checks = xcalloc(program->check_count, sizeof(*m->checks));
	for (uint32_t i = 0; i < program->step_count; i++)
		init_step(&m->steps[i]);
	init_step(&m->warmup);
	for (uint32_t i = 0; i < program->flow_count; i++)
		hist_init_latency(&m->flows[i].iteration);
	hist_init_latency(&m->response);
	hist_init_latency(&m->service);
	hist_init_latency(&m->lag);
	for (int i = 0; i < SET_UP_PARTS; i++)
		hist_init_latency(&m->set_up[i]);
	return m;
}

void meter_destroy(struct meter *m)
{
	if (!m)
		return;
	error_samples_drop(m->samples, &m->sample_count);
	for (uint32_t i = 0; i < m->program->step_count; i++)
		finish_step(&m->steps[i]);
	finish_step(&m->warmup);
	for (uint32_t i = 0; i < m->program->flow_count; i++)
		hist_finish(&m->flows[i].iteration);
	hist_finish(&m->response);
	hist_finish(&m->service);
	hist_finish(&m->lag);
	for (int i = 0; i < SET_UP_PARTS; i++)
		hist_finish(&m->set_up[i]);
	free(m->steps);
	free(m->flows);
	free(m->checks);
	free(m);
}

void meter_reset(struct meter *m)
{
	const struct program *p = m->program;
	for (uint32_t i = 0; i < p->step_count; i++)
		reset_step(&m->steps[i]);
	reset_step(&m->warmup);
	for (uint32_t i = 0; i < p->flow_count; i++) {
		m->flows[i].iterations = m->flows[i].failed = 0;
		hist_reset(&m->flows[i].iteration);
	}
	for (uint32_t i = 0; i < p->check_count; i++)
		m->checks[i] = (struct check_meter){ 0 };
	hist_reset(&m->response);
	hist_reset(&m->service);
	hist_reset(&m->lag);
	for (int i = 0; i < SET_UP_PARTS; i++)
		hist_reset(&m->set_up[i]);
	error_samples_drop(m->samples, &m->sample_count);
	m->started = m->requests = m->failed = m->exceeded = m->censored = m->by_replay = m->by_curl = 0;
	m->connections = m->local_failures = m->bytes_sent = m->bytes_received = m->retries = m->redirects = 0;
	for (int e = 0; e < RUN_ERROR_KINDS; e++)
		m->errors[e] = 0;
	m->arrivals = (struct executor_counts){ 0 };
	m->users = m->in_flight = 0;
	m->cpu = 0;
	m->turn_max = 0;
}

static void add_counters(struct meter *into, const struct meter *from)
{
	into->started += from->started;
	into->requests += from->requests;
	into->failed += from->failed;
	into->exceeded += from->exceeded;
	into->censored += from->censored;
	into->by_replay += from->by_replay;
	into->by_curl += from->by_curl;
	into->connections += from->connections;
	into->local_failures += from->local_failures;
	into->retries += from->retries;
	into->redirects += from->redirects;
	into->bytes_sent += from->bytes_sent;
	into->bytes_received += from->bytes_received;
	for (int e = 0; e < RUN_ERROR_KINDS; e++)
		into->errors[e] += from->errors[e];
	into->users += from->users;
	into->in_flight += from->in_flight;
	if (from->cpu > into->cpu)
		into->cpu = from->cpu;
	if (from->turn_max > into->turn_max)
		into->turn_max = from->turn_max;
}

void meter_add(struct meter *into, const struct meter *from)
{
	const struct program *p = into->program;
	must(p == from->program);
	add_counters(into, from);
	for (uint32_t i = 0; i < p->step_count; i++)
		add_step(&into->steps[i], &from->steps[i]);
	add_step(&into->warmup, &from->warmup);
	for (uint32_t i = 0; i < p->flow_count; i++) {
		into->flows[i].iterations += from->flows[i].iterations;
		into->flows[i].failed += from->flows[i].failed;
		hist_add(&into->flows[i].iteration, &from->flows[i].iteration);
	}
	for (uint32_t i = 0; i < p->check_count; i++) {
		into->checks[i].passed += from->checks[i].passed;
		into->checks[i].failed += from->checks[i].failed;
	}
	hist_add(&into->response, &from->response);
	hist_add(&into->service, &from->service);
	hist_add(&into->lag, &from->lag);
	for (int i = 0; i < SET_UP_PARTS; i++)
		hist_add(&into->set_up[i], &from->set_up[i]);
	for (size_t i = 0; i < from->sample_count; i++)
		error_samples_add(into->samples, &into->sample_count, &from->samples[i]);
}

void meter_record(struct meter *m, const struct measurement *r)
{
	record_step(&m->steps[r->step], r);
	m->requests++;
	hist_record(&m->response, r->response);
	hist_record(&m->service, r->service);
	hist_record(&m->lag, r->lag);
	m->exceeded += r->exceeded;
	m->censored += r->censored;
	m->by_replay += r->by_replay;
	m->by_curl += !r->by_replay;
	if (r->failed) {
		m->failed++;
		m->errors[r->error]++;
	}
}

void meter_record_warmup(struct meter *m, const struct measurement *r)
{
	record_step(&m->warmup, r);
}

void meter_record_set_up(struct meter *m, const dur_ns *parts)
{
	for (int i = 0; i < SET_UP_PARTS; i++)
		if (parts[i] > 0)
			hist_record(&m->set_up[i], parts[i]);
}

void meter_sample(struct meter *m, enum run_error error, uint32_t step, const char *text)
{
	const struct step *s = &m->program->steps[step];
	error_samples_add(m->samples, &m->sample_count,
	                  &(struct error_sample){ error, m->program->flows[s->flow].name, s->name, text, 1 });
}

void meter_slot_offer(struct meter_slot *s, struct meter *empty)
{
	must(atomic_load_explicit(&s->offered, memory_order_relaxed) == NULL);
	atomic_store_explicit(&s->offered, empty, memory_order_release);
}

bool meter_slot_wanted(const struct meter_slot *s)
{
	return atomic_load_explicit(&s->offered, memory_order_relaxed) != NULL;
}

struct meter *meter_slot_swap(struct meter_slot *s, struct meter *live)
{
	struct meter *empty = atomic_exchange_explicit(&s->offered, NULL, memory_order_acquire);
	if (!empty)
		return live;
	atomic_store_explicit(&s->handed, live, memory_order_release);
	return empty;
}

struct meter *meter_slot_collect(struct meter_slot *s)
{
	return atomic_exchange_explicit(&s->handed, NULL, memory_order_acquire);
}

struct meter *meter_slot_withdraw(struct meter_slot *s)
{
	return atomic_exchange_explicit(&s->offered, NULL, memory_order_acquire);
}
