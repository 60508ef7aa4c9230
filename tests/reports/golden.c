#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/reports/golden.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"

static void check_line(const char *name, const struct report_style *s, struct str line)
{
	const size_t width = (size_t)s->width;
	if (width >= 60 && style_columns(line) > width)
		fail_msg("%s: a line of %zu columns at width %zu: %.*s", name, style_columns(line), width,
		         STR_ARG(line));
	if (line.len && line.p[line.len - 1] == ' ')
		fail_msg("%s: blanks at the end of: %.*s", name, STR_ARG(line));
	for (size_t i = 0; i < line.len; i++)
		if ((unsigned char)line.p[i] < 0x20 || line.p[i] == 0x7f ||
		    (!s->utf8 && (unsigned char)line.p[i] > 0x7e))
			fail_msg("%s: byte %02x in: %.*s", name, (unsigned char)line.p[i], STR_ARG(line));
}

static void check_words(const char *name, const char *text)
{
	static const char *const never[] = { "nan", "NaN", " inf", "-inf", "-0 ", "-0.0 ", "(null)", "922337203685" };
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (strstr(text, never[i]))
			fail_msg("%s: contains \"%s\":\n%s", name, never[i], text);
}

/* Takes our own colours out. */
static void uncolour(struct str text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] != '\033') {
			buf_add_char(out, text.p[i]);
			continue;
		}
		assert_true(i + 2 < text.len && text.p[i + 1] == '[');
		while (text.p[i] != 'm')
			i++;
	}
}

static void check_styles(const char *name, golden_render *render, const void *subject)
{
	static const int widths[] = { 80, 60, 40, 132, 1 };
	for (size_t i = 0; i < 4 * sizeof(widths) / sizeof(widths[0]); i++) {
		const struct report_style style = { .colour = i & 1, .utf8 = i & 2, .width = widths[i / 4] };
		struct buf text, plain;
		struct str rest, line;
		buf_init(&text, REPORT_BYTES_MAX);
		buf_init(&plain, REPORT_BYTES_MAX);
		render(subject, &style, &text);
		uncolour(buf_str(&text), &plain);
		assert_false(buf_overflowed(&text));
		check_words(name, buf_cstr(&plain));
		for (rest = buf_str(&plain); str_cut(&rest, '\n', &line);)
			check_line(name, &style, line);
		buf_finish(&text);
		buf_finish(&plain);
	}
}

void golden_check(const char *name, golden_render *render, const void *subject)
{
	struct buf text, wanted;
	struct err err = { 0 };
	char path[512];
	buf_init(&text, REPORT_BYTES_MAX);
	buf_init(&wanted, REPORT_BYTES_MAX);
	snprintf(path, sizeof(path), "%s/%s.txt", GOLDEN_FOLDER, name);
	render(subject, &REPORT_STYLE_PLAIN, &text);
	if (getenv("WEIR_UPDATE_GOLDEN"))
		assert_int_equal(file_replace(path, buf_str(&text), false, &err), 0);
	if (file_read(path, &wanted, &err))
		fail_msg("%s", err.text);
	assert_string_equal(buf_cstr(&text), buf_cstr(&wanted));
	buf_finish(&text);
	buf_finish(&wanted);
	check_styles(name, render, subject);
}

/* <n> times with a heavy tail: the quantile u is <scale> / (1-u)^0.35. */
static void fill(struct hist *h, int n, double scale)
{
	for (int i = 0; i < n; i++)
		hist_record(h, (int64_t)(scale / pow(1 - (i + 0.5) / n, 0.35)));
}

static void fill_step(struct step_record *x, const char *name, int n, double scale, int failed)
{
	x->name = xstrdup(name);
	x->requests = (uint64_t)n;
	x->failed = (uint64_t)failed;
	fill(&x->response, n, scale);
	fill(&x->service, n, scale * 0.95);
}

static void fill_flow(struct run_record *r, struct flow_record *f, const char *name, const char *first,
                      const char *second, int n, double scale)
{
	f->name = xstrdup(name);
	f->iterations = (uint64_t)n;
	flow_record_make_steps(f, 2);
	fill_step(&f->steps[0], first, n, scale, n / 2000);
	fill_step(&f->steps[1], second, n, scale / 3, 0);
	for (size_t i = 0; i < 2; i++) {
		hist_add(&f->response, &f->steps[i].response);
		hist_add(&r->response, &f->steps[i].response);
		hist_add(&r->service, &f->steps[i].service);
		r->requests += f->steps[i].requests;
		r->failed += f->steps[i].failed;
	}
}

static void fill_seconds(struct run_record *r, double factor, int seconds, int per_second)
{
	r->second_count = (size_t)seconds + 5;
	r->seconds = xcalloc(r->second_count, sizeof(r->seconds[0]));
	for (int i = 0; i < seconds + 5; i++) {
		struct second_record *x = &r->seconds[i];
		const double wave = 1 + 0.02 * ((i * 7) % 11 - 5);
		*x = (struct second_record){ .second = i - 5,
			                     .phase = i < 5    ? PHASE_WARMUP
			                              : i < 15 ? PHASE_RAMP
			                                       : PHASE_STEADY,
			                     .offered = per_second,
			                     .started = (uint32_t)(2 * per_second),
			                     .completed = (uint32_t)(2 * per_second * wave),
			                     .users = 40,
			                     .ports = (uint32_t)(i < 5 ? 9000 : 40 + i),
			                     .cpu = 0.2 + 0.01 * (i % 10) };
		x->failed = (uint32_t)(i >= 5 && r->failed * (uint64_t)(i - 4) / (uint64_t)seconds >
		                                         r->failed * (uint64_t)(i - 5) / (uint64_t)seconds);
		x->response_p50 = (dur_ns)(9e6 * factor * wave);
		x->response_p95 = (dur_ns)(20e6 * factor * wave);
		x->response_p99 = (dur_ns)(40e6 * factor * wave * (i % 20 == 19 ? 1.5 : 1));
	}
}

void golden_run_of(struct run_record *r, double factor, int seconds, int per_second)
{
	const int n = seconds * per_second;
	run_record_init(r);
	memcpy(r->id, "01J8ZQ3M4T5V6W7X8Y9Z0A1B2C", ID_TEXT_BYTES);
	r->name = xstrdup("critical-flows");
	r->started_at = (struct wall){ INT64_C(1767225600) * SECOND };
	r->duration = seconds * SECOND;
	r->offered_rate = r->achieved_rate = per_second;
	r->arrivals = r->started = r->completed = (uint64_t)n;
	r->users_max = 40;
	run_record_make_flows(r, 2);
	fill_flow(r, &r->flows[0], "auth", "login", "me", n * 3 / 10, 12e6 * factor);
	fill_flow(r, &r->flows[1], "messages", "list", "send", n - n * 3 / 10, 8e6 * factor);
	fill(&r->lag, (int)r->requests, 15e3);
	r->errors[RUN_ERROR_TIMEOUT] = r->failed / 3;
	r->errors[RUN_ERROR_STATUS] = r->failed - r->failed / 3;
	r->censored = r->failed / 3;
	r->by_replay = r->requests;
	r->connections = 40;
	r->warmup.requests = (uint64_t)(5 * per_second);
	r->warmup.failed = 2;
	fill(&r->warmup.response, 5 * per_second, 30e6 * factor);
	fill(&r->warmup.service, 5 * per_second, 30e6 * factor);
	fill(&r->set_up[SET_UP_DNS], 40, 90e3);
	fill(&r->set_up[SET_UP_CONNECT], 40, 150e3);
	r->bytes_sent = r->requests * 420;
	r->bytes_received = r->requests * 1800;
	fill_seconds(r, factor, seconds, per_second);
	r->manifest = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:s}", "scenario_hash",
	                        "9f2c4e1b7a3d5f60", "target", "http://10.0.0.1:8080", "weir", "0.1.0", "host",
	                        "bench-1", "kernel", "6.1.0", "cpu", "AMD EPYC 7B13", "seed", (json_int_t)42, "threads",
	                        (json_int_t)1, "local_ports", (json_int_t)28232, "command",
	                        "weir load run critical-flows.json --seed 42");
}

void golden_run(struct run_record *r, double factor)
{
	golden_run_of(r, factor, 60, 200);
}

void golden_threshold(struct run_record *r, const char *that, double value, bool has_value, bool met)
{
	r->thresholds = xreallocarray(r->thresholds, r->threshold_count + 1, sizeof(r->thresholds[0]));
	r->thresholds[r->threshold_count++] = (struct threshold_record){
		.that = xstrdup(that), .has_value = has_value, .value = value, .met = met
	};
}
