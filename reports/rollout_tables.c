#include "reports/rollout_tables.h"

#include <math.h>
#include <stdlib.h>

#include "base/must.h"
#include "stats/planner.h"

#define TEXT(name) char name[NUMBER_TEXT_BYTES]

/* What canary.md section 1 gives as the default. */
#define ALPHA_DEFAULT 0.01
#define EVENTS_MOST 60

double rollout_needed(const struct rollout_record *r)
{
	return isfinite(r->decision.needed) && r->decision.needed > 0 ? r->decision.needed : log(1 / ALPHA_DEFAULT);
}

struct wall rollout_last_instant(const struct rollout_record *r)
{
	struct wall last = r->started_at;
	if (r->finished_at.ns)
		return r->finished_at;
	if (r->tick_count && r->ticks[r->tick_count - 1].at.ns > last.ns)
		last = r->ticks[r->tick_count - 1].at;
	if (r->event_count && r->events[r->event_count - 1].at.ns > last.ns)
		last = r->events[r->event_count - 1].at;
	return last;
}

static enum tone tone_of_stage(const char *verdict)
{
	if (!verdict)
		return TONE_PLAIN;
	if (strstr(verdict, "passed") || strstr(verdict, "promoted"))
		return TONE_GOOD;
	if (strstr(verdict, "back") || strstr(verdict, "abort") || strstr(verdict, "fail"))
		return TONE_BAD;
	return strstr(verdict, "held") || strstr(verdict, "inconclusive") ? TONE_WARN : TONE_PLAIN;
}

static void add_arm(struct table *t, const struct stage_record *x, enum arm arm)
{
	TEXT(a);
	const bool any = x->requests[arm] > 0;
	table_cell(t, TONE_PLAIN, arm_text(arm));
	table_cell(t, TONE_PLAIN, text_count((double)x->requests[arm], a));
	table_cell(t, TONE_PLAIN, text_share(any ? (double)x->errors[arm] / (double)x->requests[arm] : NAN, a));
	const dur_ns times[] = { x->p50[arm], x->p95[arm], x->p99[arm] };
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		table_cell(t, TONE_PLAIN, any && times[i] > 0 ? text_duration(times[i], a) : "n/a");
}

static void add_stage(struct table *t, const struct rollout_record *r, const struct stage_record *x)
{
	TEXT(a);
	table_cell(t, TONE_STRONG, text_weight(x->weight_bp, a));
	if (!x->entered.ns) {
		table_cell(t, TONE_PLAIN, "");
		for (int i = 0; i < 6; i++)
			table_cell(t, TONE_PLAIN, "");
		table_cell(t, TONE_FAINT, x->verdict ? x->verdict : "not reached");
		return;
	}
	const struct wall left = x->left.ns ? x->left : rollout_last_instant(r);
	table_cell(t, TONE_PLAIN, text_duration(left.ns - x->entered.ns, a));
	add_arm(t, x, ARM_CANARY);
	table_cell(t, tone_of_stage(x->verdict), x->verdict ? x->verdict : x->left.ns ? "left" : "in it");
	table_cell(t, TONE_PLAIN, "");
	table_cell(t, TONE_PLAIN, "");
	add_arm(t, x, ARM_STABLE);
	table_cell(t, TONE_PLAIN, "");
}

void rollout_stages(const struct rollout_record *r, const struct report_style *s, struct buf *out)
{
	static const struct column columns[] = {
		{ "weight", true, 0 },   { "time", true, 2 },   { "arm", false, 0 },
		{ "requests", true, 0 }, { "errors", true, 0 }, { "p50", true, 3 },
		{ "p95", true, 0 },      { "p99", true, 1 },    { "verdict", false, 0 }
	};
	struct table t;
	if (!r->stage_count)
		return;
	table_init(&t, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < r->stage_count; i++)
		add_stage(&t, r, &r->stages[i]);
	style_heading(s, out, "Stages");
	table_write(&t, s, 2, out);
	table_finish(&t);
}

void rollout_power(const struct rollout_record *r, const struct report_style *s, struct buf *out)
{
	static const struct column columns[] = { { "weight", true, 0 },
		                                 { "canary", true, 0 },
		                                 { "stable", true, 0 },
		                                 { "smallest rise of the error rate it could prove", false, 0 } };
	struct table t;
	uint64_t requests = 0, errors = 0;
	TEXT(a);
	TEXT(b);
	for (size_t i = 0; i < r->stage_count; i++) {
		requests += r->stages[i].requests[ARM_STABLE];
		errors += r->stages[i].errors[ARM_STABLE];
	}
	if (!requests || !errors)
		return;
	const double rate = (double)errors / (double)requests;
	table_init(&t, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < r->stage_count; i++) {
		const struct stage_record *x = &r->stages[i];
		const double both = (double)x->requests[ARM_CANARY] + (double)x->requests[ARM_STABLE];
		if (!x->requests[ARM_CANARY] || !x->requests[ARM_STABLE])
			continue;
		const double ratio = planner_least_error_ratio(both, (double)x->requests[ARM_CANARY] / both, rate,
		                                               exp(-rollout_needed(r)), PLANNER_SLACK_ERRORS);
		table_cell(&t, TONE_STRONG, text_weight(x->weight_bp, a));
		table_cell(&t, TONE_PLAIN, text_count((double)x->requests[ARM_CANARY], a));
		table_cell(&t, TONE_PLAIN, text_count((double)x->requests[ARM_STABLE], a));
		if (isfinite(ratio) && ratio * rate <= 1)
			table_cellf(&t, TONE_PLAIN, "%s: from %s to %s", text_ratio(ratio, a), text_share(rate, b),
			            text_share(ratio * rate, (char[NUMBER_TEXT_BYTES]){ 0 }));
		else
			table_cell(&t, TONE_WARN, "none: too few requests");
	}
	if (!table_is_empty(&t)) {
		style_heading(s, out, "What each stage could see");
		table_write(&t, s, 2, out);
	}
	table_finish(&t);
}

/* "key value, key value" of the scalars of an object; weights in per cent, stages counted from 1. */
static void add_scalars(struct buf *out, const json_t *object)
{
	const char *key;
	json_t *value;
	TEXT(a);
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		const char *between = out->len ? ", " : "";
		if (json_is_string(value))
			buf_printf(out, "%s%s %s", between, key, json_string_value(value));
		else if (json_is_integer(value) && strcmp(key, "weight_bp") == 0)
			buf_printf(out, "%sweight %s", between, text_weight((int32_t)json_integer_value(value), a));
		else if (json_is_integer(value))
			buf_printf(out, "%s%s %" JSON_INTEGER_FORMAT, between, key,
			           json_integer_value(value) + (strcmp(key, "stage") == 0));
		else if (json_is_real(value) && isfinite(json_real_value(value)))
			buf_printf(out, "%s%s %.3g", between, key, json_real_value(value) + 0.0);
		else if (json_is_true(value))
			buf_printf(out, "%s%s", between, key);
	}
}

/* An event that brings its own sentence is told by it, any other by its figures. */
static void add_details(struct buf *out, const struct event_record *e)
{
	const char *text = json_string_value(json_object_get(e->data, "text"));
	const char *reason = json_string_value(json_object_get(e->data, "reason"));
	if (!text)
		text = json_string_value(json_object_get(e->data, "why"));
	if (!text) {
		add_scalars(out, e->after);
		add_scalars(out, e->data);
		return;
	}
	buf_add(out, str_from(text));
	if (reason)
		buf_printf(out, " (reason: %s)", reason);
}

static void write_event(const struct rollout_record *r, const struct report_style *s, const struct event_record *e,
                        struct buf *out)
{
	struct buf text;
	TEXT(at);
	buf_init(&text, 1u << 16);
	if (e->severity && strcmp(e->severity, "info") != 0)
		buf_printf(&text, "[%s] ", e->severity);
	buf_printf(&text, "%s", e->type ? e->type : "?");
	if (e->actor && strcmp(e->actor, "weir") != 0)
		buf_printf(&text, " by %s", e->actor);
	struct buf details;
	buf_init(&details, 1u << 15);
	add_details(&details, e);
	if (details.len)
		buf_printf(&text, ": %s", buf_cstr(&details));
	style_pair(s, out, 8, text_since(e->at.ns - r->started_at.ns, at), "%s", buf_cstr(&text));
	buf_finish(&details);
	buf_finish(&text);
}

static bool is_story(const struct event_record *e)
{
	return !e->type || strcmp(e->type, "evidence") != 0;
}

void rollout_events(const struct rollout_record *r, const struct report_style *s, size_t most, struct buf *out)
{
	size_t story = 0, seen = 0;
	most = most ? most : EVENTS_MOST;
	for (size_t i = 0; i < r->event_count; i++)
		story += is_story(&r->events[i]);
	if (!story)
		return;
	style_heading(s, out, "What happened");
	for (size_t i = 0; i < r->event_count; i++) {
		if (!is_story(&r->events[i]))
			continue;
		/* The first third and the last two thirds, as the end matters more. */
		if (story <= most || seen < most / 3 || seen >= story - (most - most / 3))
			write_event(r, s, &r->events[i], out);
		else if (seen == most / 3)
			style_say(s, out, 2, "... %zu events left out ...", story - most);
		seen++;
	}
}
