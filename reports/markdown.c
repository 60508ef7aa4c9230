#include "reports/markdown.h"

#include "base/must.h"
#include "reports/load_tables.h"
#include "reports/load_text.h"
#include "reports/quantile_text.h"
#include "reports/threshold_text.h"

#define NAME_COLUMNS 120
#define THRESHOLDS_MOST 40
#define PLACES_MOST 60
#define CHECKS_MOST 40
#define TEXT(name) char name[NUMBER_TEXT_BYTES]

static const struct report_style plain = { .utf8 = true, .width = STYLE_WIDTH };

/* Cleaned, cut, and with everything escaped that Markdown or HTML would read as its own. */
static void add_text(struct buf *out, const char *text, size_t most)
{
	struct buf clean;
	buf_init(&clean, REPORT_BYTES_MAX);
	style_add(&plain, &clean, TONE_PLAIN, text ? text : "", most);
	const struct str s = buf_str(&clean);
	for (size_t i = 0; i < s.len; i++) {
		const char c = s.p[i];
		if (strchr("<>&@", c))
			buf_printf(out, "&#%d;", c);
		else if (strchr("\\`*_[]|~#!$", c))
			buf_printf(out, "\\%c", c);
		else
			buf_add_char(out, c);
	}
	buf_finish(&clean);
}

static void add_name(struct buf *out, const char *text)
{
	add_text(out, text, NAME_COLUMNS);
}

/* A figure: "n/a (<299)" and ">99.99 %" have signs in them that HTML owns. */
static void add_figure(struct buf *out, const char *text)
{
	buf_add(out, STR(" | "));
	add_text(out, text, NUMBER_TEXT_BYTES);
}

static bool is_sound(const struct run_record *r)
{
	return r->verdict != RUN_INVALID && r->validity != RUN_NOT_VALID;
}

static void open_details(struct buf *out, const char *title)
{
	buf_printf(out, "\n<details><summary>%s</summary>\n\n", title);
}

static void close_details(struct buf *out)
{
	buf_add(out, STR("\n</details>\n"));
}

static void say_more(struct buf *out, size_t count, size_t most, const char *what)
{
	if (count > most)
		buf_printf(out, "\n%zu more %s are in the record.\n", count - most, what);
}

static void add_verdict(const struct run_record *r, struct buf *out)
{
	struct buf sentence;
	buf_init(&sentence, REPORT_BYTES_MAX);
	report_load_sentence(r, &sentence);
	buf_printf(out, "### %s: ", report_load_word(r));
	add_name(out, r->name ? r->name : "unnamed");
	buf_add(out, STR("\n\n"));
	add_text(out, buf_cstr(&sentence), 2000);
	buf_add_char(out, '\n');
	buf_finish(&sentence);
}

static void add_reasons(const struct run_record *r, struct buf *out)
{
	if (r->reason_count == 0)
		return;
	buf_printf(out, "\nThe measurement itself is **%s**:\n\n", run_validity_text(r->validity));
	for (size_t i = 0; i < r->reason_count; i++) {
		buf_add(out, STR("- "));
		add_text(out, r->reasons[i], 500);
		buf_add_char(out, '\n');
	}
}

static void add_thresholds(const struct run_record *r, struct buf *out)
{
	TEXT(value);
	/* In an invalid run the values would be taken for the target's. */
	if (r->threshold_count == 0 || !is_sound(r))
		return;
	buf_add(out, STR("\n| | criterion | measured |\n|---|---|---:|\n"));
	for (size_t i = 0; i < r->threshold_count && i < THRESHOLDS_MOST; i++) {
		const struct threshold_record *t = &r->thresholds[i];
		buf_printf(out, "| %s | ",
		           t->met         ? "met"
		           : t->ended_run ? "**not met**, ended the run"
		                          : "**not met**");
		add_name(out, t->that);
		add_figure(out, threshold_value_text(t, value));
		buf_add(out, STR(" |\n"));
	}
	say_more(out, r->threshold_count, THRESHOLDS_MOST, "criteria");
}

static void add_times(const struct run_record *r, struct buf *out)
{
	static const struct {
		const char *name;
		double q;
	} rows[] = { { "p50", .5 }, { "p95", .95 }, { "p99", .99 }, { "p99.9", .999 } };
	TEXT(a);
	TEXT(b);
	buf_add(out, STR("\n| | response time | 95 % interval | service time |\n|---|---:|---:|---:|\n"));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		buf_printf(out, "| %s", rows[i].name);
		add_figure(out, text_quantile(&r->response, rows[i].q, a));
		add_figure(out, text_quantile_interval(&r->response, rows[i].q, a));
		add_figure(out, text_quantile(&r->service, rows[i].q, a));
		buf_add(out, STR(" |\n"));
	}
	buf_printf(out, "| max | %s | | %s |\n",
	           hist_count(&r->response) ? text_duration(hist_max(&r->response), a) : "n/a",
	           hist_count(&r->service) ? text_duration(hist_max(&r->service), b) : "n/a");
	struct buf set_up;
	buf_init(&set_up, REPORT_BYTES_MAX);
	if (load_set_up_text(r, &set_up))
		buf_printf(out, "\nSet-up: %s\n", buf_cstr(&set_up));
	buf_finish(&set_up);
}

static void add_figures(const struct run_record *r, struct buf *out)
{
	TEXT(a);
	TEXT(b);
	TEXT(c);
	const double seconds = (double)r->duration / (double)SECOND;
	buf_printf(out, "\n%s requests in %s (%s), ", text_count((double)r->requests, a), text_duration(r->duration, b),
	           text_rate(seconds > 0 ? (double)r->requests / seconds : 0, c));
	add_text(out, text_share(load_error_rate(r->failed, r->requests), a), NUMBER_TEXT_BYTES);
	buf_add(out, STR(" failed.\n"));
	if (is_sound(r)) {
		add_times(r, out);
		return;
	}
	open_details(out, "Unverified: what the generator saw, not what the target does");
	buf_add(out, STR("Do not quote these times: they contain the generator's own delay.\n"));
	add_times(r, out);
	close_details(out);
}

static void add_place(struct buf *out, const char *flow, const char *step, uint64_t requests, uint64_t failed,
                      const struct hist *h)
{
	TEXT(a);
	buf_add(out, STR("| "));
	add_name(out, flow);
	buf_add(out, STR(" / "));
	add_name(out, step);
	add_figure(out, text_count((double)requests, a));
	add_figure(out, text_share(load_error_rate(failed, requests), a));
	add_figure(out, text_quantile(h, .5, a));
	add_figure(out, text_quantile(h, .95, a));
	add_figure(out, text_quantile(h, .99, a));
	buf_add(out, STR(" |\n"));
}

static void add_flows(const struct run_record *r, struct buf *out)
{
	size_t rows = 0, places = 0;
	for (size_t i = 0; i < r->flow_count; i++)
		places += r->flows[i].step_count;
	if (places == 0 || !is_sound(r))
		return;
	open_details(out, "Response time by step");
	buf_add(out, STR("| step | requests | failed | p50 | p95 | p99 |\n|---|---:|---:|---:|---:|---:|\n"));
	for (size_t i = 0; i < r->flow_count; i++)
		for (size_t k = 0; k < r->flows[i].step_count && rows < PLACES_MOST; k++, rows++) {
			const struct step_record *s = &r->flows[i].steps[k];
			add_place(out, r->flows[i].name, s->name, s->requests, s->failed, &s->response);
		}
	say_more(out, places, PLACES_MOST, "steps");
	close_details(out);
}

static void add_errors(const struct run_record *r, struct buf *out)
{
	TEXT(a);
	if (r->failed == 0)
		return;
	open_details(out, "Errors");
	buf_add(out, STR("| class | requests |\n|---|---:|\n"));
	for (int e = 0; e < RUN_ERROR_KINDS; e++)
		if (r->errors[e])
			buf_printf(out, "| %s | %s |\n", run_error_text((enum run_error)e),
			           text_count((double)r->errors[e], a));
	buf_add_char(out, '\n');
	for (size_t i = 0; i < r->sample_count; i++) {
		buf_printf(out, "- %s, ", run_error_text(r->samples[i].error));
		add_name(out, r->samples[i].flow);
		buf_add(out, STR(" / "));
		add_name(out, r->samples[i].step);
		buf_add(out, STR(": "));
		add_text(out, r->samples[i].text, 300);
		buf_printf(out, "%s\n", text_times(r->samples[i].count, a));
	}
	close_details(out);
}

static void add_checks(const struct run_record *r, struct buf *out)
{
	size_t failing = 0, shown = 0;
	for (size_t i = 0; i < r->check_count; i++)
		failing += r->checks[i].failed > 0;
	if (failing == 0)
		return;
	open_details(out, "Checks that failed");
	buf_add(out, STR("| step | check | passed | failed |\n|---|---|---:|---:|\n"));
	for (size_t i = 0; i < r->check_count && shown < CHECKS_MOST; i++) {
		const struct check_record *c = &r->checks[i];
		if (c->failed == 0)
			continue;
		buf_add(out, STR("| "));
		add_name(out, c->flow);
		buf_add(out, STR(" / "));
		add_name(out, c->step);
		buf_add(out, STR(" | "));
		add_name(out, c->check);
		buf_printf(out, " | %llu | %llu |\n", (unsigned long long)c->passed, (unsigned long long)c->failed);
		shown++;
	}
	say_more(out, failing, CHECKS_MOST, "checks");
	close_details(out);
}

static void add_soundness(const struct run_record *r, struct buf *out)
{
	TEXT(a);
	TEXT(b);
	TEXT(c);
	open_details(out, "Was the test itself sound?");
	buf_printf(out, "- state: %s\n", run_validity_text(r->validity));
	buf_printf(out, "- iterations: %s asked for, %s begun, %s dropped\n", text_count((double)r->arrivals, a),
	           text_count((double)r->started, b), text_count((double)r->dropped, c));
	if (hist_count(&r->lag))
		buf_printf(out, "- send lag: p50 %s, p99 %s, max %s\n", text_duration(hist_quantile(&r->lag, .5), a),
		           text_duration(hist_quantile(&r->lag, .99), b), text_duration(hist_max(&r->lag), c));
	struct buf warmup;
	buf_init(&warmup, REPORT_BYTES_MAX);
	if (load_warmup_text(r, is_sound(r), &warmup)) {
		buf_add(out, STR("- warm-up: "));
		add_text(out, buf_cstr(&warmup), 300);
		buf_add_char(out, '\n');
	}
	buf_finish(&warmup);
	buf_printf(out, "- run %s, begun %s\n", r->id[0] ? r->id : "n/a", text_wall(r->started_at, a));
	close_details(out);
}

typedef void section(const struct run_record *r, struct buf *out);

void report_run_markdown(const struct run_record *r, struct buf *out)
{
	static section *const sections[] = { add_verdict, add_reasons, add_thresholds, add_figures,
		                             add_flows,   add_errors,  add_checks,     add_soundness };
	static const char left_out[] = "\nMore was left out: this text is as long as it may be.\n";
	size_t used = 0;
	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		struct buf part;
		buf_init(&part, MARKDOWN_BYTES_MAX - sizeof(left_out) - used);
		sections[i](r, &part);
		if (buf_overflowed(&part)) {
			buf_finish(&part);
			buf_add(out, str_from(left_out));
			return;
		}
		used += buf_str(&part).len;
		buf_add(out, buf_str(&part));
		buf_finish(&part);
	}
}
