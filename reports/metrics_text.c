#include "reports/metrics_text.h"

#include <inttypes.h>

#include "base/must.h"
#include "reports/style.h"

static const double bounds[] = { 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60 };

static double seconds(double ns)
{
	return ns / (double)SECOND;
}

/* A value between the quotes of a label: cleaned, and escaped as the format wants it. */
static void add_label(struct buf *out, const char *text)
{
	static const struct report_style plain = { .utf8 = true, .width = STYLE_WIDTH };
	struct buf clean;
	buf_init(&clean, REPORT_BYTES_MAX);
	style_add(&plain, &clean, TONE_PLAIN, text ? text : "", 120);
	const struct str s = buf_str(&clean);
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, s.p[i]);
	}
	buf_finish(&clean);
}

static void add_head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_gauge(struct buf *out, const char *name, const char *help, double value)
{
	add_head(out, name, "gauge", help);
	buf_printf(out, "%s %.9g\n", name, value);
}

static void add_counter(struct buf *out, const char *name, const char *help, uint64_t value)
{
	add_head(out, name, "counter", help);
	buf_printf(out, "%s %" PRIu64 "\n", name, value);
}

/* --- histograms: one flow, or the sum of those that have no label of their own --- */

static uint64_t count_at_most(const struct flow_progress *flows, size_t count, double bound)
{
	int64_t n = 0;
	for (size_t i = 0; i < count; i++)
		n += hist_count(flows[i].response) -
		     hist_count_above(flows[i].response, (int64_t)(bound * (double)SECOND + 0.5));
	return (uint64_t)n;
}

static void add_series(struct buf *out, const char *name, const char *label, const char *value,
                       const struct flow_progress *flows, size_t count)
{
	struct buf place;
	uint64_t all = 0;
	double sum = 0;
	buf_init(&place, 4096);
	if (label) {
		buf_printf(&place, "%s=\"", label);
		add_label(&place, value);
		buf_add_char(&place, '"');
	}
	for (size_t i = 0; i < count; i++) {
		all += (uint64_t)hist_count(flows[i].response);
		sum += flows[i].response->sum;
	}
	const char *comma = label ? "," : "";
	for (size_t i = 0; i < ARRAY_LEN(bounds); i++)
		buf_printf(out, "%s_bucket{%s%sle=\"%g\"} %" PRIu64 "\n", name, buf_cstr(&place), comma, bounds[i],
		           count_at_most(flows, count, bounds[i]));
	buf_printf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, buf_cstr(&place), comma, all);
	const char *open = label ? "{" : "", *close = label ? "}" : "";
	buf_printf(out, "%s_sum%s%s%s %.9g\n", name, open, buf_cstr(&place), close, seconds(sum));
	buf_printf(out, "%s_count%s%s%s %" PRIu64 "\n", name, open, buf_cstr(&place), close, all);
	buf_finish(&place);
}

static void add_flows(struct buf *out, const struct run_progress *p)
{
	const size_t named = p->flow_count > METRICS_FLOWS_MAX ? METRICS_FLOWS_MAX - 1 : p->flow_count;
	add_head(out, "weir_response_time_seconds", "histogram", "From the planned start to the end of the answer.");
	for (size_t i = 0; i < named; i++)
		add_series(out, "weir_response_time_seconds", "flow", p->flows[i].name, &p->flows[i], 1);
	if (named < p->flow_count)
		add_series(out, "weir_response_time_seconds", "flow", "(others)", p->flows + named,
		           p->flow_count - named);
}

static void add_flow_counter(struct buf *out, const struct run_progress *p, const char *name, const char *help,
                             bool failed)
{
	const size_t named = p->flow_count > METRICS_FLOWS_MAX ? METRICS_FLOWS_MAX - 1 : p->flow_count;
	uint64_t others = 0;
	add_head(out, name, "counter", help);
	for (size_t i = 0; i < p->flow_count; i++) {
		const uint64_t n = failed ? p->flows[i].failed : p->flows[i].requests;
		if (i >= named) {
			others += n;
			continue;
		}
		buf_printf(out, "%s{flow=\"", name);
		add_label(out, p->flows[i].name);
		buf_printf(out, "\"} %" PRIu64 "\n", n);
	}
	if (named < p->flow_count)
		buf_printf(out, "%s{flow=\"(others)\"} %" PRIu64 "\n", name, others);
}

static void add_totals(struct buf *out, const struct run_progress *p)
{
	const struct flow_progress service = { .response = p->service };
	add_counter(out, "weir_iterations_planned_total", "Iterations that were asked for, warm-up included.",
	            p->all_arrivals);
	add_counter(out, "weir_iterations_dropped_total", "Iterations that could not begin: no user was free.",
	            p->all_dropped);
	add_flow_counter(out, p, "weir_requests_total", "Requests that ended, or were cut at their timeout.", false);
	add_flow_counter(out, p, "weir_requests_failed_total", "Of these: failed.", true);
	add_head(out, "weir_errors_total", "counter", "Failed requests by class.");
	for (int e = 0; e < RUN_ERROR_KINDS; e++)
		buf_printf(out, "weir_errors_total{class=\"%s\"} %" PRIu64 "\n", run_error_text((enum run_error)e),
		           p->all_errors[e]);
	add_flows(out, p);
	add_head(out, "weir_service_time_seconds", "histogram", "From the send to the end of the answer.");
	add_series(out, "weir_service_time_seconds", NULL, NULL, &service, 1);
	add_head(out, "weir_connection_set_up_seconds", "histogram", "What new connections needed, by part.");
	for (int i = 0; i < SET_UP_PARTS; i++) {
		const struct flow_progress part = { .response = &p->set_up[i] };
		add_series(out, "weir_connection_set_up_seconds", "part", set_up_part_text((enum set_up_part)i), &part,
		           1);
	}
}

static void add_gauges(struct buf *out, const struct run_progress *p)
{
	const struct second_record *s = p->second;
	add_gauge(out, "weir_run_elapsed_seconds", "Since the first arrival.", seconds((double)p->elapsed));
	add_gauge(out, "weir_run_planned_seconds", "Length of the run as asked for.", seconds((double)p->total));
	add_gauge(out, "weir_run_warming_up", "1 while nothing is measured yet.", p->warming_up);
	add_gauge(out, "weir_offered_iterations_per_second", "Asked for in the last second.", s->offered);
	add_gauge(out, "weir_completed_requests_per_second", "Ended in the last second.", s->completed);
	add_gauge(out, "weir_users", "Users that are at work.", s->users);
	add_gauge(out, "weir_requests_in_flight", "Sent and not answered yet.", s->in_flight);
	add_gauge(out, "weir_send_lag_p99_seconds", "The generator's own lateness in the last second.",
	          seconds((double)s->lag_p99));
	add_gauge(out, "weir_worker_cpu_ratio", "Share of a core that the busiest worker uses.", s->cpu);
}

void report_metrics_text(const char *name, const struct run_progress *p, struct buf *out)
{
	add_head(out, "weir_run_info", "gauge", "The run that goes on.");
	buf_add(out, STR("weir_run_info{name=\""));
	add_label(out, name);
	buf_add(out, STR("\",id=\""));
	add_label(out, p ? p->run_id : "");
	buf_add(out, STR("\",version=\"" WEIR_VERSION "\"} 1\n"));
	if (!p)
		return;
	add_gauges(out, p);
	add_totals(out, p);
}
