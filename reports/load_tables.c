#include "reports/load_tables.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"
#include "reports/quantile_text.h"
#include "reports/threshold_text.h"

/* Width of the names in front of the figures of a section. */
#define NAMES 12
/* A start later than this is called late (the least limit of the validity rule). */
#define LATE (1 * MILLISECOND)
#define CHECKS_MOST 20

#define TEXT(name) char name[NUMBER_TEXT_BYTES]

double load_error_rate(uint64_t failed, uint64_t requests)
{
	return requests ? (double)failed / (double)requests : NAN;
}

/* Busiest worker: mean over the measured seconds and the highest. False: no seconds. */
static bool measure_cpu(const struct run_record *r, double *ret_mean, double *ret_most)
{
	double sum = 0, most = 0;
	size_t count = 0;
	for (size_t i = 0; i < r->second_count; i++) {
		if (r->seconds[i].second < 0)
			continue;
		sum += r->seconds[i].cpu;
		most = fmax(most, r->seconds[i].cpu);
		count++;
	}
	*ret_mean = count ? sum / (double)count : 0;
	*ret_most = most;
	return count > 0;
}

static void say_arrivals(const struct run_record *r, const struct report_style *s, struct buf *out)
{
	TEXT(planned);
	TEXT(begun);
	TEXT(share);
	TEXT(asked);
	TEXT(achieved);
	TEXT(dropped);
	style_pair(s, out, NAMES, "iterations", "%s asked for, %s begun (%s), %s dropped",
	           text_count((double)r->arrivals, planned), text_count((double)r->started, begun),
	           text_share(load_error_rate(r->started, r->arrivals), share),
	           text_count((double)r->dropped, dropped));
	style_pair(s, out, NAMES, "rate", "%s asked for, %s achieved, up to %u users",
	           text_rate(r->offered_rate, asked), text_rate(r->achieved_rate, achieved), r->users_max);
}

/* The most of a measured second; nothing where it is unknown. */
static void say_ports(const struct run_record *r, const struct report_style *s, struct buf *out)
{
	const uint32_t most = run_record_most_ports(r);
	TEXT(a);
	TEXT(b);
	const json_int_t all = json_integer_value(json_object_get(r->manifest, "local_ports"));
	if (!most)
		return;
	if (all > 0)
		style_pair(s, out, NAMES, "local ports", "up to %s of %s taken", text_count((double)most, a),
		           text_count((double)all, b));
	else
		style_pair(s, out, NAMES, "local ports", "up to %s taken", text_count((double)most, a));
}

void load_soundness(const struct run_record *r, const struct report_style *s, struct buf *out)
{
	double cpu, cpu_most;
	TEXT(a);
	TEXT(b);
	TEXT(c);
	TEXT(d);
	static const char *const words[] = { "VALID", "SUSPECT", "INVALID" };
	static const enum tone tones[] = { TONE_GOOD, TONE_WARN, TONE_BAD };
	style_heading(s, out, "Was the test itself sound?");
	buf_add(out, STR("  "));
	style_add(s, out, tones[r->validity], words[r->validity], 0);
	buf_add_char(out, '\n');
	for (size_t i = 0; i < r->reason_count; i++)
		style_item(s, out, 4, "%s", r->reasons[i]);
	say_arrivals(r, s, out);
	if (hist_count(&r->lag)) {
		const int64_t late = hist_count_above(&r->lag, LATE);
		style_pair(s, out, NAMES, "send lag", "p50 %s, p99 %s, max %s; %s of %s starts over 1 ms late",
		           text_duration(hist_quantile(&r->lag, 0.5), a), text_quantile(&r->lag, 0.99, b),
		           text_duration(hist_max(&r->lag), c), text_count((double)late, d),
		           text_count((double)hist_count(&r->lag), (char[NUMBER_TEXT_BYTES]){ 0 }));
	} else {
		style_pair(s, out, NAMES, "send lag", "n/a: nothing was sent");
	}
	if (measure_cpu(r, &cpu, &cpu_most))
		style_pair(s, out, NAMES, "generator", "busiest core at %.0f %% on average, %.0f %% at most", cpu * 100,
		           cpu_most * 100);
	say_ports(r, s, out);
	if (r->censored)
		style_pair(s, out, NAMES, "censored", "%s timed out or cut by the end: counted as at least that slow",
		           text_count((double)r->censored, a));
}

static const char *error_meaning(enum run_error e)
{
	static const char *const meanings[] = {
		[RUN_ERROR_DNS] = "the name was not found",
		[RUN_ERROR_CONNECT] = "no connection",
		[RUN_ERROR_TLS] = "no secure connection",
		[RUN_ERROR_RESET] = "ended without a whole answer",
		[RUN_ERROR_TIMEOUT] = "no answer in time",
		[RUN_ERROR_PROTOCOL] = "not HTTP, or not what it promised",
		[RUN_ERROR_STATUS] = "a status that no check allows",
		[RUN_ERROR_CHECK] = "another check or extraction failed",
	};
	return meanings[e];
}

static void write_errors(const struct run_record *r, const struct report_style *s, struct buf *out)
{
	static const struct column columns[] = {
		{ "error", false, 0 }, { "requests", true, 0 }, { "share", true, 0 }, { "meaning", false, 0 }
	};
	struct table t;
	TEXT(a);
	table_init(&t, columns, ARRAY_LEN(columns));
	for (int e = 0; e < RUN_ERROR_KINDS; e++) {
		if (!r->errors[e])
			continue;
		table_cell(&t, TONE_BAD, run_error_text((enum run_error)e));
		table_cell(&t, TONE_PLAIN, text_count((double)r->errors[e], a));
		table_cell(&t, TONE_PLAIN, text_share(load_error_rate(r->errors[e], r->requests), a));
		table_cell(&t, TONE_FAINT, error_meaning((enum run_error)e));
	}
	if (!table_is_empty(&t))
		table_write(&t, s, 2 + NAMES + 1, out);
	table_finish(&t);
}

void load_requests(const struct run_record *r, const struct report_style *s, struct buf *out)
{
	TEXT(a);
	TEXT(b);
	TEXT(c);
	const double seconds = (double)r->duration / (double)SECOND;
	style_heading(s, out, "Requests");
	style_pair(s, out, NAMES, "requests", "%s in %s (%s)", text_count((double)r->requests, a),
	           text_duration(r->duration, b), text_rate(seconds > 0 ? (double)r->requests / seconds : NAN, c));
	style_pair(s, out, NAMES, "failed", "%s (%s)", text_count((double)r->failed, a),
	           text_share(load_error_rate(r->failed, r->requests), b));
	write_errors(r, s, out);
	if (!r->requests)
		return;
	style_pair(s, out, NAMES, "transport", "%s by replay, %s by curl, over %s connections",
	           text_count((double)r->by_replay, a), text_count((double)r->by_curl, b),
	           text_count((double)r->connections, c));
	if (r->retries || r->redirects)
		style_pair(s, out, NAMES, "continued", "%s after a new attempt, %s after a redirect",
		           text_count((double)r->retries, a), text_count((double)r->redirects, b));
	style_pair(s, out, NAMES, "bytes", "%s sent, %s received", text_bytes((double)r->bytes_sent, a),
	           text_bytes((double)r->bytes_received, b));
}

void load_times(const struct run_record *r, const struct report_style *s, bool brief, struct buf *out)
{
	static const struct column columns[] = { { "", false, 0 },
		                                 { "response time", true, 0 },
		                                 { "95 % interval", true, 0 },
		                                 { "service time", true, 0 },
		                                 { "95 % interval", true, 1 } };
	static const struct {
		const char *name;
		double q;
		bool brief;
	} rows[] = { { "p50", .5, true },
		     { "p90", .9, false },
		     { "p95", .95, true },
		     { "p99", .99, true },
		     { "p99.9", .999, false } };
	struct table t;
	TEXT(a);
	table_init(&t, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (brief && !rows[i].brief)
			continue;
		table_cell(&t, TONE_PLAIN, rows[i].name);
		table_cell(&t, TONE_STRONG, text_quantile(&r->response, rows[i].q, a));
		table_cell(&t, TONE_FAINT, text_quantile_interval(&r->response, rows[i].q, a));
		table_cell(&t, TONE_PLAIN, text_quantile(&r->service, rows[i].q, a));
		table_cell(&t, TONE_FAINT, text_quantile_interval(&r->service, rows[i].q, a));
	}
	table_cell(&t, TONE_PLAIN, "max");
	table_cell(&t, TONE_STRONG, hist_count(&r->response) ? text_duration(hist_max(&r->response), a) : "n/a");
	table_cell(&t, TONE_PLAIN, "");
	table_cell(&t, TONE_PLAIN, hist_count(&r->service) ? text_duration(hist_max(&r->service), a) : "n/a");
	table_cell(&t, TONE_PLAIN, "");
	table_write(&t, s, 2, out);
	table_finish(&t);
	if (brief)
		return;
	style_say(s, out, 2,
	          "Response time counts from the planned start, as a client on schedule felt it; service time from the "
	          "actual send. Intervals take requests for independent: near saturation the truth is wider.");
}

/* "connect p50 120 us, p99 900 us", or its maximum where there are too few for the quantile. */
static void add_part(struct buf *out, const char *name, const struct hist *h)
{
	TEXT(a);
	if (!hist_count(h))
		return;
	buf_printf(out, "%s%s p50 %s", buf_str(out).len ? "; " : "", name, text_duration(hist_quantile(h, 0.5), a));
	if (hist_count(h) >= quantile_least_n(0.99))
		buf_printf(out, ", p99 %s", text_duration(hist_quantile(h, 0.99), a));
	else
		buf_printf(out, ", max %s", text_duration(hist_max(h), a));
}

bool load_set_up_text(const struct run_record *r, struct buf *out)
{
	static const char *const names[SET_UP_PARTS] = { "DNS", "connect", "TLS" };
	TEXT(a);
	const int64_t opened = hist_count(&r->set_up[SET_UP_CONNECT]);
	if (!opened)
		return false;
	for (int i = 0; i < SET_UP_PARTS; i++)
		add_part(out, names[i], &r->set_up[i]);
	buf_printf(out, " (%s opened)", text_count((double)opened, a));
	return true;
}

void load_set_up(const struct run_record *r, const struct report_style *s, struct buf *out)
{
	struct buf text;
	buf_init(&text, REPORT_BYTES_MAX);
	if (load_set_up_text(r, &text))
		style_pair(s, out, NAMES, "set-up", "%s", buf_cstr(&text));
	buf_finish(&text);
}

bool load_warmup_text(const struct run_record *r, bool times, struct buf *out)
{
	const struct warmup_record *w = &r->warmup;
	TEXT(a);
	TEXT(b);
	if (!w->requests)
		return false;
	buf_printf(out, "%s requests, %s failed", text_count((double)w->requests, a),
	           text_share(load_error_rate(w->failed, w->requests), b));
	if (times)
		buf_printf(out, ", p50 %s, p99 %s", text_quantile(&w->response, 0.5, a),
		           text_quantile(&w->response, 0.99, b));
	buf_add(out, STR("; kept apart"));
	return true;
}

void load_warmup(const struct run_record *r, const struct report_style *s, struct buf *out)
{
	struct buf text;
	buf_init(&text, REPORT_BYTES_MAX);
	if (load_warmup_text(r, true, &text))
		style_pair(s, out, NAMES, "warm-up", "%s", buf_cstr(&text));
	buf_finish(&text);
}

static void add_place(struct table *t, enum tone tone, const char *indent, const char *name, uint64_t requests,
                      uint64_t failed, const struct hist *h)
{
	TEXT(a);
	table_cellf(t, tone, "%s%s", indent, name ? name : "?");
	table_cell(t, TONE_PLAIN, text_count((double)requests, a));
	table_cell(t, failed ? TONE_BAD : TONE_PLAIN, text_share(load_error_rate(failed, requests), a));
	table_cell(t, TONE_PLAIN, text_quantile(h, 0.5, a));
	table_cell(t, TONE_PLAIN, text_quantile(h, 0.95, a));
	table_cell(t, TONE_PLAIN, text_quantile(h, 0.99, a));
	table_cell(t, TONE_PLAIN, hist_count(h) ? text_duration(hist_max(h), a) : "n/a");
}

static void count_flow(const struct flow_record *f, uint64_t *ret_requests, uint64_t *ret_failed)
{
	*ret_requests = *ret_failed = 0;
	for (size_t i = 0; i < f->step_count; i++) {
		*ret_requests += f->steps[i].requests;
		*ret_failed += f->steps[i].failed;
	}
}

void load_flows(const struct run_record *r, const struct report_style *s, bool steps, size_t most, struct buf *out)
{
	static const struct column columns[] = { { "flow", false, 0 }, { "requests", true, 0 }, { "failed", true, 0 },
		                                 { "p50", true, 1 },   { "p95", true, 0 },      { "p99", true, 0 },
		                                 { "max", true, 2 } };
	struct table t;
	if (!r->flow_count)
		return;
	table_init(&t, columns, ARRAY_LEN(columns));
	if (steps)
		t.columns[0].title = "flow, step";
	const size_t shown = most && most < r->flow_count ? most : r->flow_count;
	for (size_t i = 0; i < shown; i++) {
		const struct flow_record *f = &r->flows[i];
		uint64_t requests, failed;
		count_flow(f, &requests, &failed);
		add_place(&t, TONE_STRONG, "", f->name, requests, failed, &f->response);
		for (size_t k = 0; steps && k < f->step_count; k++)
			add_place(&t, TONE_PLAIN, "  ", f->steps[k].name, f->steps[k].requests, f->steps[k].failed,
			          &f->steps[k].response);
	}
	style_heading(s, out, steps ? "Flows and steps (response time)" : "Flows (response time)");
	table_write(&t, s, 2, out);
	table_finish(&t);
	if (shown < r->flow_count)
		style_say(s, out, 2, "and %zu more flows: see the whole report.", r->flow_count - shown);
}

void load_checks(const struct run_record *r, const struct report_style *s, struct buf *out)
{
	static const struct column columns[] = { { "step", false, 0 },
		                                 { "check", false, 0 },
		                                 { "failed", true, 0 },
		                                 { "of", true, 0 },
		                                 { "share", true, 0 } };
	struct table t;
	size_t failing = 0;
	TEXT(a);
	table_init(&t, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < r->check_count; i++) {
		const struct check_record *c = &r->checks[i];
		if (!c->failed || failing++ >= CHECKS_MOST)
			continue;
		table_cellf(&t, TONE_PLAIN, "%s / %s", c->flow ? c->flow : "?", c->step ? c->step : "?");
		table_cell(&t, TONE_PLAIN, c->check);
		table_cell(&t, TONE_BAD, text_count((double)c->failed, a));
		table_cell(&t, TONE_PLAIN, text_count((double)(c->failed + c->passed), a));
		table_cell(&t, TONE_PLAIN, text_share(load_error_rate(c->failed, c->failed + c->passed), a));
	}
	if (failing) {
		style_heading(s, out, "Checks that failed");
		table_write(&t, s, 2, out);
		if (failing > CHECKS_MOST)
			style_say(s, out, 2, "and %zu more.", failing - CHECKS_MOST);
	}
	table_finish(&t);
}

static void add_threshold(struct table *t, const struct threshold_record *x)
{
	const double used = threshold_used(x);
	TEXT(a);
	table_cell(t, x->met ? TONE_GOOD : TONE_BAD, x->met ? "met" : x->has_value ? "NOT MET" : "NO DATA");
	table_cell(t, TONE_PLAIN, x->that);
	table_cell(t, TONE_STRONG, threshold_value_text(x, a));
	if (isnan(used))
		table_cell(t, TONE_FAINT, "");
	else if (used >= 10)
		table_cell(t, TONE_FAINT, text_ratio(used, a));
	else
		table_cellf(t, TONE_FAINT, "%.0f %%", used * 100);
}

void load_thresholds(const struct run_record *r, const struct report_style *s, size_t most, struct buf *out)
{
	static const struct column columns[] = {
		{ "", false, 0 }, { "threshold", false, 0 }, { "measured", true, 0 }, { "of limit", true, 1 }
	};
	struct table t;
	if (!r->threshold_count)
		return;
	table_init(&t, columns, ARRAY_LEN(columns));
	size_t shown = 0;
	for (int turn = 0; turn < 3; turn++) /* not met, no data, met */
		for (size_t i = 0; i < r->threshold_count; i++) {
			const struct threshold_record *x = &r->thresholds[i];
			if ((x->met ? 2 : x->has_value ? 0 : 1) != turn || (most && shown == most))
				continue;
			add_threshold(&t, x);
			shown++;
		}
	style_heading(s, out, "Thresholds");
	table_write(&t, s, 2, out);
	if (shown < r->threshold_count)
		style_say(s, out, 2, "and %zu more that are in the whole report.", r->threshold_count - shown);
	table_finish(&t);
}

void load_samples(const struct run_record *r, const struct report_style *s, struct buf *out)
{
	if (!r->sample_count)
		return;
	style_heading(s, out, "First errors");
	for (size_t i = 0; i < r->sample_count && i < RUN_SAMPLES_MAX; i++) {
		const struct error_sample *e = &r->samples[i];
		TEXT(times);
		style_say(s, out, 2, "%s in %s / %s: %s%s", run_error_text(e->error), e->flow ? e->flow : "?",
		          e->step ? e->step : "?", e->text ? e->text : "", text_times(e->count, times));
	}
}

static const char *manifest_text(const json_t *manifest, const char *key)
{
	return json_string_value(json_object_get(manifest, key));
}

void load_manifest(const struct run_record *r, const struct report_style *s, struct buf *out)
{
	static const char *const keys[][2] = {
		{ "scenario_hash", "scenario" }, { "target", "target" }, { "cpu", "cpu" }, { "command", "command" }
	};
	const json_t *m = r->manifest;
	TEXT(a);
	style_heading(s, out, "This run");
	style_pair(s, out, NAMES, "id", "%s", r->id[0] ? r->id : "none");
	style_pair(s, out, NAMES, "started", "%s", text_wall(r->started_at, a));
	const char *version = manifest_text(m, "weir"), *host = manifest_text(m, "host"),
		   *kernel = manifest_text(m, "kernel");
	if (version || host)
		style_pair(s, out, NAMES, "made by", "weir %s on %s%s%s", version ? version : "?", host ? host : "?",
		           kernel ? ", kernel " : "", kernel ? kernel : "");
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (manifest_text(m, keys[i][0]) && *manifest_text(m, keys[i][0]))
			style_pair(s, out, NAMES, keys[i][1], "%s", manifest_text(m, keys[i][0]));
	if (json_is_integer(json_object_get(m, "seed")))
		style_pair(s, out, NAMES, "seed", "%lld", (long long)json_integer_value(json_object_get(m, "seed")));
	if (json_is_integer(json_object_get(m, "threads")))
		style_pair(s, out, NAMES, "threads", "%lld",
		           (long long)json_integer_value(json_object_get(m, "threads")));
}
