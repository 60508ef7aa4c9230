#include "reports/junit_xml.h"

#include "base/must.h"
#include "reports/load_text.h"
#include "reports/quantile_text.h"
#include "reports/threshold_text.h"
#include "scenarios/threshold.h"

#define NAME_COLUMNS 200
#define SAMPLES_SHOWN 5
#define TEXT(name) char name[NUMBER_TEXT_BYTES]

static const struct report_style plain = { .utf8 = true, .width = STYLE_WIDTH };

/* Cleaned (XML 1.0 has no control characters and neither U+FFFE nor U+FFFF, not even escaped), cut and escaped. */
static void add_text(struct buf *out, const char *text, size_t most)
{
	struct buf clean;
	buf_init(&clean, REPORT_BYTES_MAX);
	style_add(&plain, &clean, TONE_PLAIN, text ? text : "", most);
	const struct str s = buf_str(&clean);
	for (size_t i = 0; i < s.len; i++) {
		if (s.len - i >= 3 && memcmp(s.p + i, "\xef\xbf", 2) == 0 && (s.p[i + 2] & 0xfe) == 0xbe) {
			buf_add_char(out, '?');
			i += 2;
		} else if (strchr("<>&\"'", s.p[i])) {
			buf_printf(out, "&#%d;", s.p[i]);
		} else {
			buf_add_char(out, s.p[i]);
		}
	}
	buf_finish(&clean);
}

static bool is_sound(const struct run_record *r)
{
	return r->verdict != RUN_INVALID && r->validity != RUN_NOT_VALID;
}

static double seconds_of(const struct run_record *r)
{
	return (double)r->duration / (double)SECOND;
}

/* The flow that a criterion is about; len 0: the whole run. */
static struct str flow_of(const struct threshold_record *t)
{
	struct threshold parsed;
	struct threshold_mistake mistake;
	if (!threshold_parse(str_from(t->that), &parsed, &mistake))
		return STR("");
	return parsed.flow;
}

/* A criterion of a flow that the record does not have belongs to the whole run, so that none is lost. */
static const struct flow_record *place_of(const struct run_record *r, const struct threshold_record *t)
{
	const struct str name = flow_of(t);
	for (size_t i = 0; r->flows && i < r->flow_count && name.len; i++)
		if (r->flows[i].name && str_is(name, r->flows[i].name))
			return &r->flows[i];
	return NULL;
}

enum outcome { PASSED, FAILED, SKIPPED };

static enum outcome outcome_of(const struct run_record *r, const struct threshold_record *t)
{
	if (!is_sound(r) || r->verdict == RUN_ABORTED)
		return SKIPPED;
	return t->met ? PASSED : FAILED;
}

static uint64_t requests_of(const struct flow_record *f, uint64_t *ret_failed)
{
	uint64_t requests = 0;
	*ret_failed = 0;
	for (size_t i = 0; i < f->step_count; i++) {
		requests += f->steps[i].requests;
		*ret_failed += f->steps[i].failed;
	}
	return requests;
}

/* --- cases --- */

static void open_case(struct buf *out, const char *suite, const char *name, double seconds)
{
	buf_add(out, STR("    <testcase classname=\""));
	add_text(out, suite, NAME_COLUMNS);
	buf_add(out, STR("\" name=\""));
	add_text(out, name, NAME_COLUMNS);
	buf_printf(out, "\" time=\"%.3f\"", seconds);
}

static void add_skipped(struct buf *out, const char *why)
{
	buf_add(out, STR(">\n      <skipped message=\""));
	add_text(out, why, 500);
	buf_add(out, STR("\"/>\n    </testcase>\n"));
}

/* Also "n/a (<299)" has a sign in it that XML owns. */
static void add_quantile(struct buf *out, const char *name, const struct hist *h, double q)
{
	TEXT(a);
	buf_add(out, str_from(name));
	add_text(out, text_quantile(h, q, a), NUMBER_TEXT_BYTES);
}

static void add_quantiles(struct buf *out, const char *place, const struct hist *h)
{
	TEXT(a);
	buf_add(out, STR("response time of "));
	add_text(out, place, NAME_COLUMNS);
	add_quantile(out, ": p50 ", h, .5);
	add_quantile(out, ", p95 ", h, .95);
	add_quantile(out, ", p99 ", h, .99);
	buf_printf(out, ", max %s\n", hist_count(h) ? text_duration(hist_max(h), a) : "n/a");
}

static void add_steps(struct buf *out, const struct flow_record *f)
{
	TEXT(a);
	for (size_t i = 0; i < f->step_count && i < 32; i++) {
		const struct step_record *s = &f->steps[i];
		buf_add(out, STR("  step "));
		add_text(out, s->name, NAME_COLUMNS);
		buf_printf(out, ": %s requests, %llu failed", text_count((double)s->requests, a),
		           (unsigned long long)s->failed);
		add_quantile(out, ", p95 ", &s->response, .95);
		buf_add_char(out, '\n');
	}
}

static void add_samples(struct buf *out, const struct run_record *r, const struct flow_record *f)
{
	TEXT(times);
	size_t shown = 0;
	for (size_t i = 0; i < r->sample_count && shown < SAMPLES_SHOWN; i++) {
		const struct error_sample *s = &r->samples[i];
		if (f && !(s->flow && f->name && strcmp(s->flow, f->name) == 0))
			continue;
		buf_printf(out, "  %s at ", run_error_text(s->error));
		add_text(out, s->flow, NAME_COLUMNS);
		buf_add(out, STR("/"));
		add_text(out, s->step, NAME_COLUMNS);
		buf_add(out, STR(": "));
		add_text(out, s->text, 300);
		buf_printf(out, "%s\n", text_times(s->count, times));
		shown++;
	}
}

static void add_failure(struct buf *out, const struct run_record *r, const struct flow_record *f,
                        const struct threshold_record *t)
{
	TEXT(value);
	TEXT(a);
	TEXT(b);
	threshold_value_text(t, value);
	buf_add(out, STR(">\n      <failure message=\""));
	add_text(out, t->that, NAME_COLUMNS);
	buf_add(out, STR(" was "));
	add_text(out, value, NUMBER_TEXT_BYTES);
	buf_add(out, STR("\">"));
	add_text(out, t->that, NAME_COLUMNS);
	if (t->has_value) {
		buf_add(out, STR("\nmeasured: "));
		add_text(out, value, NUMBER_TEXT_BYTES);
		buf_add(out, STR(", "));
		add_text(out, text_ratio(threshold_used(t), a), NUMBER_TEXT_BYTES); /* ">999x" */
		buf_add(out, STR(" the limit\n"));
	} else {
		buf_add(out, STR("\nthere was no data, and missing data is never success\n"));
	}
	if (t->ended_run)
		buf_add(out, STR("it did not hold for a while during the run, and ended it\n"));
	buf_add(out, STR("run "));
	add_text(out, r->id, ID_TEXT_BYTES);
	buf_printf(out, ": %s requests in %s, %llu failed\n", text_count((double)r->requests, a),
	           text_duration(r->duration, b), (unsigned long long)r->failed);
	add_quantiles(out, f ? f->name : "all flows", f ? &f->response : &r->response);
	if (f)
		add_steps(out, f);
	add_samples(out, r, f);
	buf_add(out, STR("</failure>\n    </testcase>\n"));
}

static const char *why_skipped(const struct run_record *r)
{
	if (r->verdict == RUN_ABORTED)
		return "the run was stopped before its end";
	return r->reason_count ? r->reasons[0] : "the measurement is not valid";
}

static void add_criterion(struct buf *out, const struct run_record *r, const struct flow_record *f,
                          const struct threshold_record *t)
{
	open_case(out, f ? f->name : "whole run", t->that, seconds_of(r));
	switch (outcome_of(r, t)) {
	case PASSED:
		buf_add(out, STR("/>\n"));
		break;
	case SKIPPED:
		add_skipped(out, why_skipped(r));
		break;
	case FAILED:
		add_failure(out, r, f, t);
		break;
	}
}

/* The generator's own case: fails when it was the limit. */
static void add_soundness(struct buf *out, const struct run_record *r)
{
	open_case(out, "whole run", "the generator was sound", seconds_of(r));
	if (is_sound(r)) {
		buf_add(out, STR("/>\n"));
		return;
	}
	buf_add(out,
	        STR(">\n      <failure message=\"the measurement is not valid\">the generator was not sound, so this run "
	            "says nothing about the target:\n"));
	for (size_t i = 0; i < r->reason_count; i++) {
		add_text(out, r->reasons[i], 500);
		buf_add_char(out, '\n');
	}
	buf_add(out, STR("weir doctor says what this machine can measure\n</failure>\n    </testcase>\n"));
}

static void add_measured(struct buf *out, const struct run_record *r, const struct flow_record *f)
{
	uint64_t failed = r->failed;
	const uint64_t requests = f ? requests_of(f, &failed) : r->requests;
	open_case(out, f ? f->name : "whole run", "requests were measured", seconds_of(r));
	if (requests == 0) {
		add_skipped(out, "no request ended");
		return;
	}
	buf_printf(out, ">\n      <system-out>%llu requests, %llu failed\n", (unsigned long long)requests,
	           (unsigned long long)failed);
	if (is_sound(r))
		add_quantiles(out, f ? f->name : "all flows", f ? &f->response : &r->response);
	buf_add(out, STR("</system-out>\n    </testcase>\n"));
}

/* --- suites --- */

struct counts {
	size_t tests, failures, skipped;
};

static struct counts count_suite(const struct run_record *r, const struct flow_record *f)
{
	uint64_t failed;
	struct counts c = { .tests = 1 };
	c.skipped += (f ? requests_of(f, &failed) : r->requests) == 0;
	if (!f) {
		c.tests++;
		c.failures += !is_sound(r);
	}
	for (size_t i = 0; i < r->threshold_count; i++) {
		if (place_of(r, &r->thresholds[i]) != f)
			continue;
		const enum outcome outcome = outcome_of(r, &r->thresholds[i]);
		c.tests++;
		c.failures += outcome == FAILED;
		c.skipped += outcome == SKIPPED;
	}
	return c;
}

static void add_counts(struct buf *out, const struct counts *c, double seconds)
{
	buf_printf(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" time=\"%.3f\"", c->tests,
	           c->failures, c->skipped, seconds);
}

static void add_suite(struct buf *out, const struct run_record *r, const struct flow_record *f)
{
	char at[WALL_TEXT_BYTES];
	const struct counts c = count_suite(r, f);
	wall_format(r->started_at, at);
	buf_add(out, STR("  <testsuite name=\""));
	add_text(out, f ? f->name : "whole run", NAME_COLUMNS);
	add_counts(out, &c, seconds_of(r));
	buf_printf(out, " timestamp=\"%.19s\">\n", at);
	if (!f)
		add_soundness(out, r);
	add_measured(out, r, f);
	for (size_t i = 0; i < r->threshold_count; i++)
		if (place_of(r, &r->thresholds[i]) == f)
			add_criterion(out, r, f, &r->thresholds[i]);
	buf_add(out, STR("  </testsuite>\n"));
}

void report_run_junit(const struct run_record *r, struct buf *out)
{
	struct counts all = count_suite(r, NULL);
	for (size_t i = 0; i < r->flow_count; i++) {
		const struct counts c = count_suite(r, &r->flows[i]);
		all.tests += c.tests;
		all.failures += c.failures;
		all.skipped += c.skipped;
	}
	buf_add(out, STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"weir: "));
	add_text(out, r->name ? r->name : "unnamed", NAME_COLUMNS);
	add_counts(out, &all, seconds_of(r));
	buf_add(out, STR(">\n"));
	add_suite(out, r, NULL);
	for (size_t i = 0; i < r->flow_count; i++)
		add_suite(out, r, &r->flows[i]);
	buf_add(out, STR("</testsuites>\n"));
}
