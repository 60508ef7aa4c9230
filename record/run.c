#include "record/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"

const char *run_error_text(enum run_error e)
{
	static const char *const texts[] = {
#define X(id, text) text,
		RUN_ERRORS(X)
#undef X
	};
	must((size_t)e < ARRAY_LEN(texts));
	return texts[e];
}

const char *set_up_part_text(enum set_up_part p)
{
	static const char *const texts[] = {
#define X(id, text) text,
		RUN_SET_UP_PARTS(X)
#undef X
	};
	must((size_t)p < ARRAY_LEN(texts));
	return texts[p];
}

const char *run_verdict_text(enum run_verdict v)
{
	static const char *const texts[] = { "met", "not-met", "invalid", "aborted" };
	must((size_t)v < ARRAY_LEN(texts));
	return texts[v];
}

const char *run_validity_text(enum run_validity v)
{
	static const char *const texts[] = { "valid", "suspect", "invalid" };
	must((size_t)v < ARRAY_LEN(texts));
	return texts[v];
}

const char *second_phase_text(enum second_phase p)
{
	static const char *const texts[PHASES] = { "unknown", "warm-up", "ramp", "steady" };
	must((size_t)p < PHASES);
	return texts[p];
}

void run_record_init(struct run_record *r)
{
	*r = (struct run_record){ .verdict = RUN_MET };
	hist_init_latency(&r->lag);
	hist_init_latency(&r->response);
	hist_init_latency(&r->service);
	hist_init_latency(&r->warmup.response);
	hist_init_latency(&r->warmup.service);
	for (int i = 0; i < SET_UP_PARTS; i++)
		hist_init_latency(&r->set_up[i]);
}

void run_record_make_flows(struct run_record *r, size_t count)
{
	must(!r->flows);
	r->flows = xcalloc(count, sizeof(*r->flows));
	r->flow_count = count;
	for (size_t i = 0; i < count; i++) {
		hist_init_latency(&r->flows[i].response);
		hist_init_latency(&r->flows[i].iteration);
	}
}

void flow_record_make_steps(struct flow_record *f, size_t count)
{
	must(!f->steps);
	f->steps = xcalloc(count, sizeof(*f->steps));
	f->step_count = count;
	for (size_t i = 0; i < count; i++) {
		hist_init_latency(&f->steps[i].response);
		hist_init_latency(&f->steps[i].service);
	}
}

uint32_t run_record_most_ports(const struct run_record *r)
{
	uint32_t most = 0;
	for (size_t i = 0; i < r->second_count; i++)
		if (r->seconds[i].second >= 0 && r->seconds[i].ports > most)
			most = r->seconds[i].ports;
	return most;
}

uint32_t run_record_most_descriptors(const struct run_record *r)
{
	uint32_t most = 0;
	for (size_t i = 0; i < r->second_count; i++)
		if (r->seconds[i].second >= 0 && r->seconds[i].descriptors > most)
			most = r->seconds[i].descriptors;
	return most;
}

double run_record_mean_cpu(const struct run_record *r)
{
	double sum = 0;
	for (size_t i = 0; i < r->second_count; i++)
		sum += r->seconds[i].cpu;
	return r->second_count ? sum / (double)r->second_count : 0;
}

double run_record_most_cpu(const struct run_record *r)
{
	double most = 0;
	for (size_t i = 0; i < r->second_count; i++)
		most = r->seconds[i].cpu > most ? r->seconds[i].cpu : most;
	return most;
}

void run_record_make_resources(struct run_record *r, size_t count)
{
	must(!r->resources);
	r->resources = sampled_series_make(count, r->second_count);
	r->resource_count = count;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

void error_samples_add(struct error_sample *samples, size_t *count, const struct error_sample *s)
{
	int alike = 0;
	for (size_t i = 0; i < *count; i++) {
		struct error_sample *k = &samples[i];
		if (k->error != s->error || !same_text(k->step, s->step) || !same_text(k->flow, s->flow))
			continue;
		if (same_text(k->text, s->text)) {
			k->count += s->count;
			return;
		}
		alike++;
	}
	if (*count == RUN_SAMPLES_MAX || alike == RUN_SAMPLES_ALIKE_MAX)
		return;
	samples[(*count)++] = (struct error_sample){
		.error = s->error,
		.flow = s->flow ? xstrdup(s->flow) : NULL,
		.step = s->step ? xstrdup(s->step) : NULL,
		.text = s->text ? xstrdup(s->text) : NULL,
		.count = s->count,
	};
}

void error_samples_drop(struct error_sample *samples, size_t *count)
{
	for (size_t i = 0; i < *count; i++) {
		free((char *)samples[i].flow);
		free((char *)samples[i].step);
		free((char *)samples[i].text);
	}
	*count = 0;
}

static void flow_finish(struct flow_record *f)
{
	for (size_t i = 0; i < f->step_count; i++) {
		free(f->steps[i].name);
		hist_finish(&f->steps[i].response);
		hist_finish(&f->steps[i].service);
	}
	free(f->steps);
	free(f->name);
	hist_finish(&f->response);
	hist_finish(&f->iteration);
}

static void finish_rows(struct run_record *r)
{
	for (size_t i = 0; i < r->flow_count; i++)
		flow_finish(&r->flows[i]);
	for (size_t i = 0; i < r->check_count; i++) {
		free(r->checks[i].flow);
		free(r->checks[i].step);
		free(r->checks[i].check);
	}
	for (size_t i = 0; i < r->threshold_count; i++)
		free(r->thresholds[i].that);
	error_samples_drop(r->samples, &r->sample_count);
	for (size_t i = 0; i < r->reason_count; i++)
		free(r->reasons[i]);
	sampled_series_destroy(r->resources, r->resource_count);
	free(r->flows);
	free(r->checks);
	free(r->thresholds);
	free(r->seconds);
}

void run_record_finish(struct run_record *r)
{
	if (!r)
		return;
	finish_rows(r);
	free(r->name);
	hist_finish(&r->lag);
	hist_finish(&r->response);
	hist_finish(&r->service);
	hist_finish(&r->warmup.response);
	hist_finish(&r->warmup.service);
	for (int i = 0; i < SET_UP_PARTS; i++)
		hist_finish(&r->set_up[i]);
	json_decref(r->manifest);
	*r = (struct run_record){ 0 };
}
