#include "loadgen/result.h"

#include "base/mem.h"

static void fill_flow(struct flow_record *f, const struct meter *m, uint32_t number)
{
	const struct program *p = m->program;
	const struct flow *flow = &p->flows[number];
	f->name = xstrdup(flow->name);
	f->iterations = m->flows[number].iterations;
	f->failed = m->flows[number].failed;
	hist_add(&f->iteration, &m->flows[number].iteration);
	flow_record_make_steps(f, flow->step_count);
	for (uint32_t i = 0; i < flow->step_count; i++) {
		const struct step_meter *from = &m->steps[flow->first_step + i];
		struct step_record *s = &f->steps[i];
		s->name = xstrdup(p->steps[flow->first_step + i].name);
		s->requests = from->requests;
		s->failed = from->failed;
		hist_add(&s->response, &from->response);
		hist_add(&s->service, &from->service);
		hist_add(&f->response, &from->response);
	}
}

static void fill_checks(struct run_record *r, const struct meter *m)
{
	const struct program *p = m->program;
	r->checks = xcalloc(p->check_count, sizeof(*r->checks));
	r->check_count = p->check_count;
	for (uint32_t i = 0; i < p->check_count; i++) {
		const struct step *s = &p->steps[p->checks[i].step];
		r->checks[i] = (struct check_record){
			.flow = xstrdup(p->flows[s->flow].name),
			.step = xstrdup(s->name),
			.check = xstrdup(p->checks[i].text),
			.passed = m->checks[i].passed,
			.failed = m->checks[i].failed,
		};
	}
}

void result_fill(struct run_record *r, const struct meter *m, dur_ns measured)
{
	r->duration = measured;
	r->requests = m->requests;
	r->failed = m->failed;
	r->censored = m->censored;
	for (int e = 0; e < RUN_ERROR_KINDS; e++)
		r->errors[e] = m->errors[e];
	r->by_replay = m->by_replay;
	r->by_curl = m->by_curl;
	r->connections = m->connections;
	r->retries = m->retries;
	r->redirects = m->redirects;
	r->bytes_sent = m->bytes_sent;
	r->bytes_received = m->bytes_received;
	hist_add(&r->response, &m->response);
	hist_add(&r->service, &m->service);
	hist_add(&r->lag, &m->lag);
	r->warmup.requests = m->warmup.requests;
	r->warmup.failed = m->warmup.failed;
	hist_add(&r->warmup.response, &m->warmup.response);
	hist_add(&r->warmup.service, &m->warmup.service);
	for (int i = 0; i < SET_UP_PARTS; i++)
		hist_add(&r->set_up[i], &m->set_up[i]);
	run_record_make_flows(r, m->program->flow_count);
	for (uint32_t i = 0; i < m->program->flow_count; i++)
		fill_flow(&r->flows[i], m, i);
	fill_checks(r, m);
	for (size_t i = 0; i < m->sample_count; i++)
		error_samples_add(r->samples, &r->sample_count, &m->samples[i]);
}

struct second_record result_second(const struct meter *m, const struct executor_counts *before, int32_t second,
                                   dur_ns length)
{
	const double seconds = length > 0 ? (double)length / (double)SECOND : 1;
	return (struct second_record){
		.second = second,
		.offered = (double)(m->arrivals.planned - before->planned) / seconds,
		.started = (uint32_t)m->started,
		.completed = (uint32_t)(m->requests + m->warmup.requests),
		.failed = (uint32_t)(m->failed + m->warmup.failed),
		.dropped = (uint32_t)(m->arrivals.dropped - before->dropped),
		.users = m->users,
		.in_flight = m->in_flight,
		.response_p50 = hist_quantile(&m->response, 0.5),
		.response_p95 = hist_quantile(&m->response, 0.95),
		.response_p99 = hist_quantile(&m->response, 0.99),
		.service_p50 = hist_quantile(&m->service, 0.5),
		.service_p99 = hist_quantile(&m->service, 0.99),
		.lag_p99 = hist_quantile(&m->lag, 0.99),
		.cpu = m->cpu,
		.turn_max = m->turn_max,
	};
}
