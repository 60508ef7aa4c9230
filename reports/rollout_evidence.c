#include "reports/rollout_tables.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

#define NAMES 16
#define NOTES 28

/* What one line of the picture shows of a tick. */
typedef double figure(const struct tick_record *t);

static double weight_of(const struct tick_record *t)
{
	return t->weight_bp / 10000.0;
}

static double error_rate(const struct arm_tick *a)
{
	return a->requests ? (double)a->errors / (double)a->requests : -1;
}

static double errors_of_canary(const struct tick_record *t)
{
	return error_rate(&t->arms[ARM_CANARY]);
}

static double errors_of_stable(const struct tick_record *t)
{
	return error_rate(&t->arms[ARM_STABLE]);
}

static double p95_of_canary(const struct tick_record *t)
{
	return t->arms[ARM_CANARY].requests ? (double)t->arms[ARM_CANARY].p95 : -1;
}

static double p95_of_stable(const struct tick_record *t)
{
	return t->arms[ARM_STABLE].requests ? (double)t->arms[ARM_STABLE].p95 : -1;
}

static double harm_by_errors(const struct tick_record *t)
{
	return fmax(t->harm_errors, 0);
}

static double harm_by_latency(const struct tick_record *t)
{
	return fmax(t->harm_latency, 0);
}

static double promote_by_errors(const struct tick_record *t)
{
	return fmax(t->promote_errors, 0);
}

static double promote_by_latency(const struct tick_record *t)
{
	return fmax(t->promote_latency, 0);
}

/* The highest of each slice of ticks; -1: no tick had one. */
static double *slice(const struct rollout_record *r, figure *of, size_t each, size_t count)
{
	double *values = xcalloc(count, sizeof(values[0]));
	for (size_t i = 0; i < count; i++)
		values[i] = -1;
	for (size_t i = 0; i < r->tick_count; i++) {
		const double v = of(&r->ticks[i]);
		if (isfinite(v))
			values[i / each] = fmax(values[i / each], v);
	}
	return values;
}

static double highest_of(const double *values, size_t count)
{
	double highest = -1;
	for (size_t i = 0; i < count; i++)
		highest = fmax(highest, values[i]);
	return highest;
}

enum kind { KIND_WEIGHT, KIND_SHARE, KIND_TIME, KIND_EVIDENCE };

/* Two lines of the same kind share their scale, so that arms can be compared by eye. */
struct line {
	const char *name;
	figure *of;
	enum kind kind;
};

static const struct line lines[] = {
	{ "weight", weight_of, KIND_WEIGHT },
	{ "errors canary", errors_of_canary, KIND_SHARE },
	{ "errors stable", errors_of_stable, KIND_SHARE },
	{ "p95 canary", p95_of_canary, KIND_TIME },
	{ "p95 stable", p95_of_stable, KIND_TIME },
	{ "worse: errors", harm_by_errors, KIND_EVIDENCE },
	{ "worse: latency", harm_by_latency, KIND_EVIDENCE },
	{ "good: errors", promote_by_errors, KIND_EVIDENCE },
	{ "good: latency", promote_by_latency, KIND_EVIDENCE },
};
#define LINES (sizeof(lines) / sizeof(lines[0]))

static void write_note(enum kind kind, double highest, double needed, struct buf *out)
{
	char a[NUMBER_TEXT_BYTES];
	switch (kind) {
	case KIND_WEIGHT:
	case KIND_SHARE:
		buf_printf(out, "  most %s\n", highest < 0 ? "n/a" : text_share(highest, a));
		return;
	case KIND_TIME:
		buf_printf(out, "  most %s\n", highest < 0 ? "n/a" : text_duration((dur_ns)highest, a));
		return;
	case KIND_EVIDENCE:
		break;
	}
	buf_printf(out, "  most %.1f of %.1f%s\n", fmax(highest, 0), needed, highest >= needed ? ": proven" : "");
}

void rollout_evidence(const struct rollout_record *r, const struct report_style *s, struct buf *out)
{
	const size_t room = (size_t)(style_width(s) - 2 - NAMES - 1 - NOTES > 8 ? style_width(s) - 3 - NAMES - NOTES
	                                                                        : 8);
	double *values[LINES], scales[KIND_EVIDENCE + 1] = { [KIND_WEIGHT] = 1 };
	if (r->tick_count < 2)
		return;
	const size_t each = (r->tick_count + room - 1) / room, count = (r->tick_count + each - 1) / each;
	for (size_t i = 0; i < LINES; i++) {
		values[i] = slice(r, lines[i].of, each, count);
		scales[lines[i].kind] = fmax(scales[lines[i].kind], highest_of(values[i], count));
	}
	scales[KIND_EVIDENCE] = rollout_needed(r);
	style_heading(s, out, "Both arms and the evidence over time (one character: %zu s, its highest tick)", each);
	for (size_t i = 0; i < LINES; i++) {
		buf_printf(out, "  %-*s ", NAMES, lines[i].name);
		style_spark(s, out, values[i], count, scales[lines[i].kind]);
		write_note(lines[i].kind, highest_of(values[i], count), rollout_needed(r), out);
		free(values[i]);
	}
	style_say(s, out, 2,
	          "\"worse\": evidence that the canary is worse; \"good\": that it is not worse by more than allowed. "
	          "Full height is what a decision needs.");
}
