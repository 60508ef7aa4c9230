/* The JSON of a run, weir.run.v1 (load.md section 4). Two things need care: where the figures of an invalid run go
 * (figures_of), and what a histogram's frame does not carry (hist_json.c). */
#include "record/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "record/hist_json.h"
#include "record/json.h"
#include "record/series_json.h"

#define SCHEMA "weir.run.v1"

/* More than any scenario has; a histogram takes 192 KiB, so these bound what a record from outside can make us take. */
#define FLOWS_MAX 256
#define STEPS_MAX 1024 /* of all flows together */

static const char *const verdicts[] = { "met", "not-met", "invalid", "aborted" };
static const char *const validities[] = { "valid", "suspect", "invalid" };
static const char *const phases[PHASES] = { "unknown", "warm-up", "ramp", "steady" };
static const char *const set_up_keys[] = {
#define X(id, text) text "_us",
	RUN_SET_UP_PARTS(X)
#undef X
};

/* What the target's figures are written into: <o> itself, or its "unverified" when nobody may take them for that. */
static json_t *figures_of(json_t *o, const struct run_record *r)
{
	return r->validity == RUN_NOT_VALID ? out_object(o, "unverified") : o;
}

static struct in figures_in(const struct in *o, const struct run_record *r)
{
	return r->validity == RUN_NOT_VALID ? in_object(o, "unverified") : *o;
}

/* Thresholds on times: "p95(response_time, flow=auth) < 500ms", "mean(...)". All others are shares, rates or counts. */
static bool threshold_is_time(const char *that)
{
	static const char *const figures[] = { "mean", "max", "min" };
	if (!that)
		return false;
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
		if (strncmp(that, figures[i], strlen(figures[i])) == 0)
			return true;
	return that[0] == 'p' && that[1] >= '0' && that[1] <= '9';
}

/* --- encode ----------------------------------------------------------------------------------------------------- */

static void encode_load(json_t *o, const struct run_record *r, bool histograms)
{
	json_t *validity = out_object(o, "validity");
	out_text(validity, "state", run_validity_text(r->validity));
	json_t *reasons = out_array(validity, "reasons");
	for (size_t i = 0; i < r->reason_count; i++)
		must(json_array_append_new(reasons, json_text(r->reasons[i] ? r->reasons[i] : "")) == 0);
	hist_out(validity, "send_lag_us", &r->lag, histograms);

	json_t *load = out_object(o, "load");
	out_number(load, "offered_rate", r->offered_rate);
	out_number(load, "achieved_rate", r->achieved_rate);
	out_u64(load, "arrivals", r->arrivals);
	out_u64(load, "started", r->started);
	out_u64(load, "completed", r->completed);
	out_u64(load, "dropped", r->dropped);
	out_u64(load, "censored", r->censored);
	out_u64(load, "users_max", r->users_max);
}

static void encode_requests(json_t *o, const struct run_record *r)
{
	const double seconds = (double)r->duration / 1e9, total = (double)r->requests;
	json_t *requests = out_object(o, "requests");
	out_u64(requests, "total", r->requests);
	out_u64(requests, "failed", r->failed);
	out_number(requests, "rate", r->duration > 0 ? total / seconds : 0);
	out_number(requests, "error_rate", r->requests ? (double)r->failed / total : 0);
	json_t *errors = out_object(requests, "errors");
	for (int e = 0; e < RUN_ERROR_KINDS; e++)
		out_u64(errors, run_error_text((enum run_error)e), r->errors[e]);
	json_t *transport = out_object(o, "transport");
	out_u64(transport, "replay", r->by_replay);
	out_u64(transport, "curl", r->by_curl);
	json_t *bytes = out_object(o, "bytes");
	out_u64(bytes, "sent", r->bytes_sent);
	out_u64(bytes, "received", r->bytes_received);
	out_u64(o, "connections", r->connections);
	out_u64(o, "retries", r->retries);
	out_u64(o, "redirects", r->redirects);
}

static void encode_warmup(json_t *o, const struct run_record *r, bool histograms)
{
	if (r->warmup.requests == 0)
		return;
	json_t *warmup = out_object(o, "warmup");
	out_u64(warmup, "requests", r->warmup.requests);
	out_u64(warmup, "failed", r->warmup.failed);
	json_t *figures = figures_of(warmup, r);
	hist_out(figures, "response_time_us", &r->warmup.response, histograms);
	hist_out(figures, "service_time_us", &r->warmup.service, histograms);
}

static void encode_flow(json_t *o, const struct run_record *r, const struct flow_record *f, bool histograms)
{
	out_text(o, "name", f->name);
	out_u64(o, "iterations", f->iterations);
	out_u64(o, "failed", f->failed);
	json_t *figures = figures_of(o, r);
	hist_out(figures, "response_time_us", &f->response, histograms);
	hist_out(figures, "iteration_time_us", &f->iteration, histograms);
	json_t *steps = out_array(o, "steps");
	for (size_t i = 0; i < f->step_count; i++) {
		const struct step_record *s = &f->steps[i];
		json_t *step = out_item(steps);
		out_text(step, "name", s->name);
		out_u64(step, "requests", s->requests);
		out_u64(step, "failed", s->failed);
		figures = figures_of(step, r);
		hist_out(figures, "response_time_us", &s->response, histograms);
		hist_out(figures, "service_time_us", &s->service, histograms);
	}
}

static void encode_judgement(json_t *o, const struct run_record *r)
{
	json_t *checks = out_array(o, "checks");
	for (size_t i = 0; i < r->check_count; i++) {
		json_t *check = out_item(checks);
		out_text(check, "flow", r->checks[i].flow);
		out_text(check, "step", r->checks[i].step);
		out_text(check, "check", r->checks[i].check);
		out_u64(check, "passed", r->checks[i].passed);
		out_u64(check, "failed", r->checks[i].failed);
	}
	json_t *thresholds = out_array(o, "thresholds");
	for (size_t i = 0; i < r->threshold_count; i++) {
		const struct threshold_record *t = &r->thresholds[i];
		json_t *threshold = out_item(thresholds);
		out_text(threshold, "that", t->that);
		json_t *figures = figures_of(threshold, r);
		if (!t->has_value)
			out_any(figures, "value", NULL);
		else
			out_number(figures, "value", threshold_is_time(t->that) ? round(t->value) / 1e3 : t->value);
		out_bool(threshold, "met", t->met);
		if (t->ended_run)
			out_bool(threshold, "ended_run", true);
	}
	json_t *samples = out_array(o, "samples");
	for (size_t i = 0; i < r->sample_count; i++) {
		json_t *sample = out_item(samples);
		out_text(sample, "error", run_error_text(r->samples[i].error));
		out_text(sample, "flow", r->samples[i].flow);
		out_text(sample, "step", r->samples[i].step);
		out_text(sample, "text", r->samples[i].text);
		out_u64(sample, "count", r->samples[i].count);
	}
}

static void encode_second(json_t *o, const struct run_record *r, const struct second_record *s)
{
	out_i64(o, "second", s->second);
	out_text(o, "phase", second_phase_text(s->phase));
	out_number(o, "offered", s->offered);
	out_u64(o, "started", s->started);
	out_u64(o, "completed", s->completed);
	out_u64(o, "failed", s->failed);
	out_u64(o, "dropped", s->dropped);
	out_u64(o, "users", s->users);
	out_u64(o, "in_flight", s->in_flight);
	json_t *figures = figures_of(o, r);
	json_t *response = out_object(figures, "response_time_us");
	out_us(response, "p50", s->response_p50);
	out_us(response, "p95", s->response_p95);
	out_us(response, "p99", s->response_p99);
	json_t *service = out_object(figures, "service_time_us");
	out_us(service, "p50", s->service_p50);
	out_us(service, "p99", s->service_p99);
	out_us(out_object(o, "send_lag_us"), "p99", s->lag_p99);
	out_number(o, "cpu", s->cpu);
	out_us(o, "turn_max_us", s->turn_max);
	out_number(o, "steal", s->steal);
	out_u64(o, "descriptors", s->descriptors);
	out_u64(o, "local_ports", s->ports);
}

/* The first second of the measured phase: the figures of a summary are about that. */
static size_t measured_from(const struct run_record *r)
{
	size_t i = 0;
	while (i < r->second_count && r->seconds[i].second < 0)
		i++;
	return i;
}

json_t *run_record_encode(const struct run_record *r, enum run_json form)
{
	const bool histograms = form == RUN_JSON_HISTOGRAMS;
	json_t *o = json_object();
	out_text(o, "schema", SCHEMA);
	out_text(o, "id", r->id);
	out_text(o, "name", r->name);
	out_wall(o, "started_at", r->started_at);
	out_seconds(o, "duration_s", r->duration);
	out_text(o, "verdict", run_verdict_text(r->verdict));
	encode_load(o, r, histograms);
	encode_requests(o, r);
	json_t *figures = figures_of(o, r);
	hist_out(figures, "response_time_us", &r->response, histograms);
	hist_out(figures, "service_time_us", &r->service, histograms);
	json_t *set_up = out_object(figures, "set_up");
	for (int i = 0; i < SET_UP_PARTS; i++)
		hist_out(set_up, set_up_keys[i], &r->set_up[i], histograms);
	encode_warmup(o, r, histograms);
	json_t *flows = out_array(o, "flows");
	for (size_t i = 0; i < r->flow_count; i++)
		encode_flow(out_item(flows), r, &r->flows[i], histograms);
	encode_judgement(o, r);
	if (histograms) {
		json_t *seconds = out_array(o, "seconds");
		for (size_t i = 0; i < r->second_count; i++)
			encode_second(out_item(seconds), r, &r->seconds[i]);
	}
	series_out(o, "resources", r->resources, r->resource_count, measured_from(r), histograms);
	if (r->manifest)
		out_any(o, "manifest", r->manifest);
	else
		out_object(o, "manifest");
	return o;
}

/* --- decode ----------------------------------------------------------------------------------------------------- */

static void decode_load(const struct in *o, struct run_record *r)
{
	const struct in validity = in_object(o, "validity");
	r->validity = (enum run_validity)in_word(&validity, "state", validities, ARRAY_LEN(validities));
	const struct in reasons = in_array(&validity, "reasons", RUN_REASONS_MAX);
	for (size_t i = 0, n = in_count(&reasons); i < n; i++)
		r->reasons[r->reason_count++] = in_element_text(&reasons, i);
	hist_in(&validity, "send_lag_us", &r->lag);

	const struct in load = in_object(o, "load");
	r->offered_rate = in_number(&load, "offered_rate");
	r->achieved_rate = in_number(&load, "achieved_rate");
	r->arrivals = in_u64(&load, "arrivals");
	r->started = in_u64(&load, "started");
	r->completed = in_u64(&load, "completed");
	r->dropped = in_u64(&load, "dropped");
	r->censored = in_u64(&load, "censored");
	r->users_max = in_u32(&load, "users_max");
}

static void decode_requests(const struct in *o, struct run_record *r)
{
	const struct in requests = in_object(o, "requests");
	r->requests = in_u64(&requests, "total");
	r->failed = in_u64(&requests, "failed");
	const struct in errors = in_object(&requests, "errors");
	for (int e = 0; e < RUN_ERROR_KINDS; e++)
		r->errors[e] = in_u64(&errors, run_error_text((enum run_error)e));
	const struct in transport = in_object(o, "transport");
	r->by_replay = in_u64(&transport, "replay");
	r->by_curl = in_u64(&transport, "curl");
	const struct in bytes = in_object(o, "bytes");
	r->bytes_sent = in_u64(&bytes, "sent");
	r->bytes_received = in_u64(&bytes, "received");
	r->connections = in_u64(o, "connections");
	/* Records of before 2026-11-20 have neither. */
	r->retries = in_has(o, "retries") ? in_u64(o, "retries") : 0;
	r->redirects = in_has(o, "redirects") ? in_u64(o, "redirects") : 0;
}

static void decode_set_up(const struct in *figures, struct run_record *r)
{
	/* Records of before the evening of 2026-11-20 have none. */
	if (!figures->reading->failed && !in_has(figures, "set_up")) {
		for (int i = 0; i < SET_UP_PARTS; i++)
			hist_init_latency(&r->set_up[i]);
		return;
	}
	const struct in set_up = in_object(figures, "set_up");
	for (int i = 0; i < SET_UP_PARTS; i++)
		hist_in(&set_up, set_up_keys[i], &r->set_up[i]);
}

static void decode_warmup(const struct in *o, struct run_record *r)
{
	if (!o->reading->failed && !in_has(o, "warmup")) {
		hist_init_latency(&r->warmup.response);
		hist_init_latency(&r->warmup.service);
		return;
	}
	const struct in warmup = in_object(o, "warmup");
	r->warmup.requests = in_u64(&warmup, "requests");
	r->warmup.failed = in_u64(&warmup, "failed");
	const struct in figures = figures_in(&warmup, r);
	hist_in(&figures, "response_time_us", &r->warmup.response);
	hist_in(&figures, "service_time_us", &r->warmup.service);
}

static void decode_steps(const struct in *o, const struct run_record *r, struct flow_record *f, size_t *room)
{
	const struct in steps = in_array(o, "steps", *room);
	const size_t count = in_count(&steps);
	*room -= count;
	f->steps = xcalloc(count, sizeof(*f->steps));
	for (size_t i = 0; i < count && !o->reading->failed; i++) {
		const struct in step = in_item(&steps, i);
		struct step_record *s = &f->steps[f->step_count++];
		s->name = in_text(&step, "name");
		s->requests = in_u64(&step, "requests");
		s->failed = in_u64(&step, "failed");
		const struct in figures = figures_in(&step, r);
		hist_in(&figures, "response_time_us", &s->response);
		hist_in(&figures, "service_time_us", &s->service);
	}
}

static void decode_flows(const struct in *o, struct run_record *r)
{
	const struct in flows = in_array(o, "flows", FLOWS_MAX);
	const size_t count = in_count(&flows);
	size_t room = STEPS_MAX;
	r->flows = xcalloc(count, sizeof(*r->flows));
	for (size_t i = 0; i < count && !o->reading->failed; i++) {
		const struct in flow = in_item(&flows, i);
		struct flow_record *f = &r->flows[r->flow_count++];
		f->name = in_text(&flow, "name");
		f->iterations = in_u64(&flow, "iterations");
		f->failed = in_u64(&flow, "failed");
		const struct in figures = figures_in(&flow, r);
		hist_in(&figures, "response_time_us", &f->response);
		hist_in(&figures, "iteration_time_us", &f->iteration);
		decode_steps(&flow, r, f, &room);
	}
}

static void decode_checks(const struct in *o, struct run_record *r)
{
	const struct in checks = in_array(o, "checks", RECORD_ROWS_MAX);
	r->check_count = in_count(&checks);
	r->checks = xcalloc(r->check_count, sizeof(*r->checks));
	for (size_t i = 0; i < r->check_count; i++) {
		const struct in check = in_item(&checks, i);
		r->checks[i] = (struct check_record){
			.flow = in_text_optional(&check, "flow"),
			.step = in_text(&check, "step"),
			.check = in_text(&check, "check"),
			.passed = in_u64(&check, "passed"),
			.failed = in_u64(&check, "failed"),
		};
	}
}

static void decode_thresholds(const struct in *o, struct run_record *r)
{
	const struct in thresholds = in_array(o, "thresholds", RECORD_ROWS_MAX);
	r->threshold_count = in_count(&thresholds);
	r->thresholds = xcalloc(r->threshold_count, sizeof(*r->thresholds));
	for (size_t i = 0; i < r->threshold_count; i++) {
		const struct in threshold = in_item(&thresholds, i);
		struct threshold_record *t = &r->thresholds[i];
		t->that = in_text(&threshold, "that");
		const struct in figures = figures_in(&threshold, r);
		t->has_value = in_has(&figures, "value");
		t->value = t->has_value ? in_number(&figures, "value") : 0;
		if (threshold_is_time(t->that))
			t->value = round(t->value * 1e3);
		t->met = in_bool(&threshold, "met");
		t->ended_run = in_has(&threshold, "ended_run") && in_bool(&threshold, "ended_run");
	}
}

static void decode_samples(const struct in *o, struct run_record *r)
{
	static const char *const words[] = {
#define X(id, text) text,
		RUN_ERRORS(X)
#undef X
	};
	const struct in samples = in_array(o, "samples", RUN_SAMPLES_MAX);
	r->sample_count = in_count(&samples);
	for (size_t i = 0; i < r->sample_count; i++) {
		const struct in sample = in_item(&samples, i);
		r->samples[i] = (struct error_sample){
			.error = (enum run_error)in_word(&sample, "error", words, ARRAY_LEN(words)),
			.flow = in_text_optional(&sample, "flow"),
			.step = in_text_optional(&sample, "step"),
			.text = in_text_optional(&sample, "text"),
			/* Records of before there was a count hold each sample by itself. */
			.count = in_has(&sample, "count") ? in_u64(&sample, "count") : 1,
		};
	}
}

static void decode_second(const struct in *o, const struct run_record *r, struct second_record *s)
{
	const int64_t second = in_i64(o, "second");
	if (second < INT32_MIN || second > INT32_MAX)
		in_fail(o, "a second within 68 years");
	s->second = o->reading->failed ? 0 : (int32_t)second;
	if (in_has(o, "phase")) /* not in records of the first version */
		s->phase = (enum second_phase)in_word(o, "phase", phases, PHASES);
	s->offered = in_number(o, "offered");
	s->started = in_u32(o, "started");
	s->completed = in_u32(o, "completed");
	s->failed = in_u32(o, "failed");
	s->dropped = in_u32(o, "dropped");
	s->users = in_u32(o, "users");
	s->in_flight = in_u32(o, "in_flight");
	const struct in figures = figures_in(o, r);
	const struct in response = in_object(&figures, "response_time_us");
	s->response_p50 = in_us(&response, "p50");
	s->response_p95 = in_us(&response, "p95");
	s->response_p99 = in_us(&response, "p99");
	const struct in service = in_object(&figures, "service_time_us");
	s->service_p50 = in_us(&service, "p50");
	s->service_p99 = in_us(&service, "p99");
	const struct in lag = in_object(o, "send_lag_us");
	s->lag_p99 = in_us(&lag, "p99");
	s->cpu = in_number(o, "cpu");
	/* Records of the first version have none of these. */
	s->turn_max = in_has(o, "turn_max_us") ? in_us(o, "turn_max_us") : 0;
	s->steal = in_has(o, "steal") ? in_number(o, "steal") : (double)NAN;
	s->descriptors = in_has(o, "descriptors") ? in_u32(o, "descriptors") : 0;
	s->ports = in_has(o, "local_ports") ? in_u32(o, "local_ports") : 0;
}

int run_record_decode(const json_t *json, struct run_record *ret, struct err *err)
{
	struct reading reading;
	const struct in o = in_root(&reading, json, SCHEMA, err);
	*ret = (struct run_record){ 0 }; /* the histograms come ready from their frames */
	in_id(&o, "id", ret->id);
	ret->name = in_text_optional(&o, "name");
	ret->started_at = in_wall(&o, "started_at");
	ret->duration = in_seconds(&o, "duration_s");
	ret->verdict = (enum run_verdict)in_word(&o, "verdict", verdicts, ARRAY_LEN(verdicts));
	decode_load(&o, ret);
	decode_requests(&o, ret);
	const struct in figures = figures_in(&o, ret);
	hist_in(&figures, "response_time_us", &ret->response);
	hist_in(&figures, "service_time_us", &ret->service);
	decode_set_up(&figures, ret);
	decode_warmup(&o, ret);
	decode_flows(&o, ret);
	decode_checks(&o, ret);
	decode_thresholds(&o, ret);
	decode_samples(&o, ret);
	const struct in seconds = in_array(&o, "seconds", RECORD_ROWS_MAX);
	ret->second_count = in_count(&seconds);
	ret->seconds = xcalloc(ret->second_count, sizeof(*ret->seconds));
	for (size_t i = 0; i < ret->second_count && !reading.failed; i++) {
		const struct in second = in_item(&seconds, i);
		decode_second(&second, ret, &ret->seconds[i]);
	}
	ret->resources = series_in(&o, "resources", ret->second_count, &ret->resource_count);
	const struct in manifest = in_object(&o, "manifest");
	ret->manifest = reading.failed ? NULL : json_deep_copy(manifest.value);
	if (!reading.failed)
		return 0;
	run_record_finish(ret);
	return -1;
}
