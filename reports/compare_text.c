#include "reports/compare_text.h"

#include <math.h>
#include <stdio.h>

#include "base/must.h"

#define TEXT(name) char name[NUMBER_TEXT_BYTES]
#define NAMED 1.1

static const enum tone tones[] = {
	[COMPARE_SAME] = TONE_PLAIN,     [COMPARE_BETTER] = TONE_GOOD,  [COMPARE_WORSE] = TONE_WARN,
	[COMPARE_REGRESSION] = TONE_BAD, [COMPARE_UNCLEAR] = TONE_WARN, [COMPARE_TOO_FEW] = TONE_FAINT,
	[COMPARE_SMALL] = TONE_FAINT,
};

static const char *value_text(const struct compare_row *row, double v, char ret_text[NUMBER_TEXT_BYTES])
{
	if (row->figure == COMPARE_ERROR_RATE)
		return text_share(v, ret_text);
	return text_duration(isfinite(v) ? (dur_ns)v : -1, ret_text);
}

/* "1.95x..2.26x", of error rates the difference: "+0.1..+0.3" per cent points. */
static void add_interval(const struct compare_row *row, struct buf *out)
{
	TEXT(a);
	TEXT(b);
	if (isnan(row->low))
		buf_add(out, STR("n/a"));
	else if (row->figure == COMPARE_ERROR_RATE)
		buf_printf(out, "%+.2g..%+.2g", row->low * 100 + 0.0, row->high * 100 + 0.0);
	else
		buf_printf(out, "%s..%s", text_ratio(row->low, a), text_ratio(row->high, b));
}

static void add_place(const struct compare_row *row, struct buf *out)
{
	if (!row->flow)
		buf_add(out, STR("all"));
	else if (!row->step)
		buf_printf(out, "%s", row->flow);
	else
		buf_printf(out, "%s / %s", row->flow, row->step);
}

/* The row to tell first: the proven regression with the highest ratio, else the unclear one. NULL: neither. */
static const struct compare_row *worst_row(const struct run_comparison *c)
{
	const enum compare_verdict wanted = c->regression ? COMPARE_REGRESSION : COMPARE_UNCLEAR;
	const struct compare_row *worst = NULL;
	for (size_t i = 0; i < c->row_count; i++) {
		const struct compare_row *row = &c->rows[i];
		if (row->verdict != wanted)
			continue;
		/* New errors where there were none have no ratio: nothing is worse. The whole run comes first, and of it
		 * the p95: another row is worth naming only when it is clearly worse. */
		const bool typical = worst && !row->flow && row->figure == COMPARE_P95;
		if (!worst || (isnan(row->ratio) && !row->missing) ||
		    row->ratio > (typical ? 1 / NAMED : NAMED) * worst->ratio)
			worst = row;
	}
	return worst;
}

static void add_worst(const struct run_comparison *c, struct buf *out)
{
	const struct compare_row *row = worst_row(c);
	TEXT(a);
	TEXT(b);
	if (!row)
		return;
	if (row->missing) {
		add_place(row, out);
		buf_add(out, STR(" is in the baseline but has no requests now."));
		return;
	}
	buf_printf(out, "%s of ", compare_figure_text(row->figure));
	add_place(row, out);
	buf_printf(out, ", %s then, %s now", value_text(row, row->base, a), value_text(row, row->now, b));
	if (isfinite(row->ratio))
		buf_printf(out, " (%s)", text_ratio(row->ratio, a));
	buf_add_char(out, '.');
}

static size_t count_rows(const struct run_comparison *c, enum compare_verdict v)
{
	size_t count = 0;
	for (size_t i = 0; i < c->row_count; i++)
		count += c->rows[i].verdict == v;
	return count;
}

/* Also what the word could hide: small proven rises, and what nobody could judge. */
static void write_no_regression(const struct run_comparison *c, const struct report_style *s, struct buf *out)
{
	char worse[128] = "", few[128] = "";
	const size_t count = count_rows(c, COMPARE_WORSE), not_judged = count_rows(c, COMPARE_TOO_FEW);
	if (count)
		snprintf(worse, sizeof(worse), "; %zu of %zu are worse within them", count, c->row_count);
	if (not_judged)
		snprintf(few, sizeof(few), "; %zu of %zu had too few requests to be judged", not_judged, c->row_count);
	style_verdict(s, out, count ? TONE_WARN : TONE_GOOD, "NO REGRESSION", "no figure is worse past the limits%s%s.",
	              worse, few);
}

static void write_verdict(const struct run_comparison *c, const struct report_style *s, struct buf *out)
{
	struct buf worst;
	TEXT(a);
	buf_init(&worst, 1u << 16);
	add_worst(c, &worst);
	if (c->refused)
		style_verdict(s, out, TONE_WARN, "INCONCLUSIVE", "%s. Nothing can be compared.", c->refused);
	else if (c->regression)
		style_verdict(s, out, TONE_BAD, "REGRESSION", "%zu figure%s worse past the limits; the worst: %s",
		              c->regressions, c->regressions == 1 ? " is" : "s are", buf_cstr(&worst));
	else if (c->unclear)
		style_verdict(
			s, out, TONE_WARN, "INCONCLUSIVE",
			"%zu figure%s past the limits or gone, without proof; a longer run would tell. The worst: %s",
			c->unclear, c->unclear == 1 ? " is" : "s are", buf_cstr(&worst));
	else if (c->inconclusive)
		style_verdict(s, out, TONE_WARN, "INCONCLUSIVE",
		              "there are too few requests to bound even the p95 of all: %s now.",
		              text_count((double)c->rows[0].n_now, a));
	else
		write_no_regression(c, s, out);
	buf_finish(&worst);
}

/* Why there is no ratio, in a word. */
static const char *no_ratio_text(const struct compare_row *row)
{
	if (row->figure != COMPARE_ERROR_RATE)
		return "n/a";
	return row->now > 0 ? "new" : "-";
}

static void add_row(struct table *t, const struct compare_row *row, bool first)
{
	struct buf text;
	TEXT(a);
	buf_init(&text, 1u << 16);
	if (first)
		add_place(row, &text);
	table_cell(t, row->step ? TONE_PLAIN : TONE_STRONG, buf_cstr(&text));
	table_cell(t, TONE_PLAIN,
	           row->missing                        ? "n"
	           : row->figure == COMPARE_ERROR_RATE ? "errors"
	                                               : compare_figure_text(row->figure));
	if (row->missing) {
		table_cell(t, TONE_PLAIN, text_count((double)row->n_base, a));
		table_cell(t, TONE_PLAIN, text_count((double)row->n_now, a));
	} else {
		table_cell(t, TONE_PLAIN, value_text(row, row->base, a));
		table_cell(t, TONE_PLAIN, value_text(row, row->now, a));
	}
	table_cell(t, TONE_STRONG,
	           row->missing        ? ""
	           : isnan(row->ratio) ? no_ratio_text(row)
	                               : text_ratio(row->ratio, a));
	buf_clear(&text);
	if (!row->missing)
		add_interval(row, &text);
	table_cell(t, TONE_FAINT, buf_cstr(&text));
	const bool alarming = row->verdict == COMPARE_REGRESSION;
	table_cell(t, tones[row->verdict],
	           row->missing ? row->n_now ? "only now" : "GONE"
	           : alarming   ? "REGRESSION"
	                        : compare_verdict_text(row->verdict));
	buf_finish(&text);
}

static bool same_place(const struct compare_row *a, const struct compare_row *b)
{
	return a->flow == b->flow && a->step == b->step;
}

static bool is_bad(const struct compare_row *row)
{
	return row->verdict == COMPARE_REGRESSION || row->verdict == COMPARE_UNCLEAR || row->verdict == COMPARE_WORSE;
}

static void write_rows(const struct run_comparison *c, const struct report_style *s, bool bad_only, const char *title,
                       struct buf *out)
{
	static const struct column columns[] = { { "flow / step", false, 0 }, { "", false, 0 },
		                                 { "baseline", true, 0 },     { "now", true, 0 },
		                                 { "ratio", true, 0 },        { "95 % interval", true, 1 },
		                                 { "verdict", false, 0 } };
	struct table t;
	const struct compare_row *before = NULL;
	table_init(&t, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < c->row_count; i++) {
		const struct compare_row *row = &c->rows[i];
		if (bad_only && !is_bad(row))
			continue;
		add_row(&t, row, !before || !same_place(row, before));
		before = row;
	}
	/* When most rows are bad, the whole table says it. */
	const bool worth = !table_is_empty(&t) && (!bad_only || t.cell_count / t.column_count <= c->row_count / 2);
	if (worth) {
		style_heading(s, out, "%s", title);
		table_write(&t, s, 2, out);
	}
	table_finish(&t);
}

static void write_run(const char *name, const struct run_record *r, const struct report_style *s, struct buf *out)
{
	TEXT(a);
	TEXT(b);
	TEXT(c);
	TEXT(d);
	style_pair(s, out, 8, name, "%s, %s, %s requests, %s iterations", text_wall(r->started_at, a),
	           text_duration(r->duration, b), text_count((double)r->requests, c), text_rate(r->achieved_rate, d));
	style_pair(s, out, 8, "", "%s", r->id[0] ? r->id : "no id");
}

static void write_method(const struct run_comparison *c, const struct report_style *s, struct buf *out)
{
	TEXT(a);
	TEXT(b);
	style_heading(s, out, "How it was judged");
	style_say(
		s, out, 2,
		"A time is a regression when now/baseline is at least %.3g, surely above %.3g (95 %% interval), and the "
		"difference is %s or more (below it: \"small\"). An error rate: at least %.3g times, surely higher, by %s or "
		"more.",
		c->limits.ratio, COMPARE_PROVEN, text_duration(c->limits.floor, a), c->limits.ratio,
		text_share(c->limits.error_floor, b));
	if (c->design_effect_known)
		style_say(
			s, out, 2,
			"Requests of one moment are alike: for the intervals, their number was divided by %.3g (p50), %.3g "
			"(p95), %.3g (p99), %.3g (errors). Intervals of error rates are those of the difference, in per "
			"cent points.",
			c->design_effect[COMPARE_P50], c->design_effect[COMPARE_P95], c->design_effect[COMPARE_P99],
			c->design_effect[COMPARE_ERROR_RATE]);
	else
		style_say(
			s, out, 2,
			"Intervals take requests for independent, as the runs are too short to know better (50 s): the "
			"truth may be wider. Intervals of error rates are those of the difference, in per cent points.");
}

void report_compare_text(const struct run_comparison *c, const struct run_record *base, const struct run_record *now,
                         const struct report_style *s, struct buf *out)
{
	style_add(s, out, TONE_STRONG, "Compared with the baseline: ", 0);
	style_add(s, out, TONE_STRONG, now->name ? now->name : "unnamed", (size_t)style_width(s) - 28);
	buf_add(out, STR("\n\n"));
	write_verdict(c, s, out);
	buf_add_char(out, '\n');
	write_run("baseline", base, s, out);
	write_run("now", now, s, out);
	if (c->warning_count)
		style_heading(s, out, "CAREFUL: the runs are not alike");
	for (size_t i = 0; i < c->warning_count; i++)
		style_item(s, out, 2, "%s.", c->warnings[i]);
	if (c->refused)
		return;
	write_rows(c, s, true, "What is worse", out);
	write_rows(c, s, false, "All figures (response time)", out);
	write_method(c, s, out);
}

void report_compare(const struct run_record *base, const struct run_record *now, const struct compare_limits *limits,
                    const struct report_style *style, struct run_comparison *ret, struct buf *out)
{
	run_comparison_make(base, now, limits, ret);
	report_compare_text(ret, base, now, style, out);
}
