/* load_resources.c: what the server used while it was under load, and what one request costs of it.
 *
 * Demand: utilisation is U = U0 + D X at throughput X (the utilisation law), so the slope of a resource's use over the
 * requests per second is what one request costs (capacity.md section 5). Seconds are put together first (BIN), for
 * neighbours depend on each other. A demand is only told where the load moved enough to see it, and a limit only where the
 * line is a line (R^2) and was seen far enough up. */
#include "reports/load_tables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"
#include "stats/regress.h"

#define TEXT(name) char name[NUMBER_TEXT_BYTES]

/* Slices of a line over time. */
#define SLICES 16

#define BIN_MOST ((size_t)10) /* seconds */
#define BINS_WANTED ((size_t)12)
#define BINS_LEAST ((size_t)8)
#define CONFIDENCE 0.95
/* The highest load is at least so many times the lowest, or there is nothing to see a slope in. */
#define LOAD_SPREAD 1.5
/* capacity.md section 5: when the line may be followed upwards, and how far. */
#define R2_LEAST 0.98
#define SEEN_LEAST 0.4
#define TARGET 0.8
#define CURVED 0.01

static bool is_unit(const struct sampled_series *x, const char *unit)
{
	return strcmp(x->unit, unit) == 0;
}

/* A use that is proportional to requests as long as nothing is saturated: what D can be told of. */
static bool has_demand(const struct sampled_series *x)
{
	return is_unit(x, "cores") || is_unit(x, "connections");
}

static const char *text_of(const struct sampled_series *x, double value, char ret_text[NUMBER_TEXT_BYTES])
{
	if (!isfinite(value))
		snprintf(ret_text, NUMBER_TEXT_BYTES, "n/a");
	else if (is_unit(x, "B"))
		text_bytes(value, ret_text);
	else if (is_unit(x, "ms"))
		text_duration((dur_ns)(value * 1e6), ret_text);
	else if (is_unit(x, "share"))
		text_share(value, ret_text);
	else if (is_unit(x, "/s"))
		text_rate(value, ret_text);
	else if (fabs(value) >= 1000)
		text_count(value, ret_text);
	else
		snprintf(ret_text, NUMBER_TEXT_BYTES, "%.3g", value);
	return ret_text;
}

static size_t measured_from(const struct run_record *r)
{
	size_t from = 0;
	while (from < r->second_count && r->seconds[from].second < 0)
		from++;
	return from;
}

/* --- how much ---------------------------------------------------------------------------------------------------- */

/* One character per slice, the highest value of it; a blank where nothing is known. */
static void add_spark(const struct sampled_series *x, size_t from, const struct report_style *s, struct buf *out)
{
	double slices[SLICES] = { 0 };
	if (x->count <= from)
		return;
	const size_t seconds = x->count - from, each = (seconds + SLICES - 1) / SLICES;
	const size_t count = (seconds + each - 1) / each;
	for (size_t i = 0; i < count; i++)
		slices[i] = NAN;
	for (size_t i = from; i < x->count; i++)
		slices[(i - from) / each] = fmax(slices[(i - from) / each], x->values[i]);
	style_spark(s, out, slices, count, 0);
}

static void add_row(const struct sampled_series *x, size_t from, const struct report_style *s, struct table *t)
{
	TEXT(a);
	double mean, most;
	struct buf spark;
	const size_t there = sampled_series_sum_up(x, from, &mean, &most);
	const bool known = !is_unit(x, "B") && !is_unit(x, "ms") && !is_unit(x, "share") && !is_unit(x, "/s");
	table_cell(t, TONE_PLAIN, x->name);
	table_cell(t, TONE_PLAIN, text_of(x, mean, a));
	table_cell(t, TONE_PLAIN, text_of(x, most, a));
	table_cell(t, TONE_PLAIN, known ? x->unit : "");
	table_cell(t, TONE_PLAIN, isfinite(x->limit) ? text_of(x, x->limit, a) : "");
	buf_init(&spark, 1024);
	if (there && x->count > from + 1)
		add_spark(x, from, s, &spark);
	table_cell(t, TONE_PLAIN, buf_cstr(&spark));
	buf_finish(&spark);
}

static size_t wanted_of(const struct server_use *u, const struct sampled_series *x)
{
	return x->count > u->from ? x->count - u->from : 0;
}

static size_t missing_of(const struct server_use *u, const struct sampled_series *x)
{
	double mean, most;
	return wanted_of(u, x) - sampled_series_sum_up(x, u->from, &mean, &most);
}

/* A place that is away takes all its figures along: the same seconds and the same reason are told once. */
static bool was_told(const struct server_use *u, size_t number)
{
	const struct sampled_series *x = &u->series[number];
	for (size_t i = 0; i < number; i++) {
		const struct sampled_series *y = &u->series[i];
		if (y->why_missing && strcmp(x->why_missing, y->why_missing) == 0 &&
		    missing_of(u, x) == missing_of(u, y))
			return true;
	}
	return false;
}

static void say_missing(const struct server_use *u, const struct report_style *s, struct buf *out)
{
	for (size_t i = 0; i < u->count; i++) {
		const struct sampled_series *x = &u->series[i];
		const size_t wanted = wanted_of(u, x), missing = missing_of(u, x);
		if (missing && x->why_missing && !was_told(u, i))
			style_item(s, out, 2, "%s: %zu of %zu seconds are missing: %s", x->name, missing, wanted,
			           x->why_missing);
	}
}

/* --- what a request costs ---------------------------------------------------------------------------------------- */

struct bins {
	struct regress_point points[4096];
	size_t count;
	double x_least, x_most;
};

/* Pairs of load and use. */
static void make_bins(const struct server_use *all, const struct sampled_series *u, struct bins *ret)
{
	const size_t seconds = all->to - all->from;
	const size_t fair = seconds / BINS_WANTED, least = seconds / ARRAY_LEN(ret->points) + 1;
	size_t each = fair > BIN_MOST ? BIN_MOST : fair ? fair : 1;
	each = each > least ? each : least;
	ret->count = 0;
	ret->x_least = INFINITY;
	ret->x_most = 0;
	for (size_t at = all->from; at + each <= all->to; at += each) {
		struct regress_point p = { 0 };
		for (size_t i = at; i < at + each; i++) {
			if (!isfinite(u->values[i]))
				continue;
			p.x += all->completed[i];
			p.y += u->values[i];
			p.weight += 1;
		}
		if (p.weight == 0)
			continue;
		p.x /= p.weight;
		p.y /= p.weight;
		ret->x_least = fmin(ret->x_least, p.x);
		ret->x_most = fmax(ret->x_most, p.x);
		ret->points[ret->count++] = p;
	}
}

/* CPU as time per request, connections as the time that one is held: both are seconds of use per request. */
static void add_demand(const struct sampled_series *u, const struct regression *line, struct buf *out)
{
	TEXT(a);
	TEXT(b);
	TEXT(c);
	TEXT(d);
	double low, high;
	regress_slope_interval(line, CONFIDENCE, &low, &high);
	buf_printf(out, "%s: a request takes %s of %s (%s to %s)", u->name,
	           text_duration((dur_ns)(line->slope * 1e9), a), is_unit(u, "cores") ? "CPU" : "a connection",
	           text_duration((dur_ns)(low * 1e9), b), text_duration((dur_ns)(high * 1e9), c));
	buf_printf(out, "; without load %s %s; R^2 %.3f", text_of(u, line->intercept, d), u->unit, line->r2);
}

static void add_limit(const struct sampled_series *u, const struct regression *line, struct buf *out)
{
	TEXT(a);
	TEXT(b);
	TEXT(c);
	TEXT(d);
	double mean, most, x, low, high;
	sampled_series_sum_up(u, 0, &mean, &most);
	if (line->curvature_p < CURVED) {
		buf_add(out, STR(". It is no straight line: contention, collection of garbage, or saturation."));
		return;
	}
	if (!isfinite(u->limit) || !(line->r2 >= R2_LEAST) || most < SEEN_LEAST * u->limit ||
	    !regress_reaches(line, TARGET * u->limit, CONFIDENCE, &x, &low, &high)) {
		buf_add(out, STR("."));
		return;
	}
	buf_printf(out, ". %s of the limit is reached at %s (%s to %s).", text_share(TARGET, a), text_rate(x, b),
	           text_rate(low, c), text_rate(high, d));
}

/* False: nothing can be said. */
static bool say_demand(const struct server_use *all, const struct sampled_series *u, struct bins *bins,
                       const struct report_style *s, struct buf *out)
{
	struct regression line;
	struct buf text;
	double low, high;
	make_bins(all, u, bins);
	if (bins->count < BINS_LEAST || bins->x_most < LOAD_SPREAD * bins->x_least ||
	    !regress_line(bins->points, bins->count, &line))
		return false;
	regress_slope_interval(&line, CONFIDENCE, &low, &high);
	if (!(low > 0))
		return false;
	buf_init(&text, REPORT_BYTES_MAX);
	add_demand(u, &line, &text);
	add_limit(u, &line, &text);
	style_item(s, out, 2, "%s", buf_cstr(&text));
	buf_finish(&text);
	return true;
}

static void say_demands(const struct server_use *u, const struct report_style *s, struct buf *out)
{
	struct bins *bins = xcalloc(1, sizeof(*bins));
	bool any = false, told = false;
	for (size_t i = 0; i < u->count; i++) {
		if (!has_demand(&u->series[i]))
			continue;
		any = true;
		told = say_demand(u, &u->series[i], bins, s, out) || told;
	}
	if (any && !told)
		style_say(s, out, 2,
		          "What a request costs cannot be told: that takes a load that rises or falls, for %zu seconds "
		          "or more, and figures that follow it.",
		          BINS_LEAST + 1);
	free(bins);
}

void load_server_use(const struct server_use *u, const struct report_style *s, struct buf *out)
{
	static const struct column columns[] = {
		{ "", false, 0 }, { "mean", true, 0 },  { "max", true, 0 },
		{ "", false, 2 }, { "limit", true, 3 }, { "over time", false, 1 },
	};
	struct table t;
	if (u->count == 0)
		return;
	style_heading(s, out, "Server side");
	table_init(&t, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < u->count; i++)
		add_row(&u->series[i], u->from, s, &t);
	table_write(&t, s, 2, out);
	table_finish(&t);
	say_missing(u, s, out);
	if (u->completed)
		say_demands(u, s, out);
}

void load_resources(const struct run_record *r, const struct report_style *s, struct buf *out)
{
	const size_t from = measured_from(r);
	double *completed = xcalloc(r->second_count, sizeof(*completed));
	for (size_t i = 0; i < r->second_count; i++)
		completed[i] = r->seconds[i].completed;
	const struct server_use u = {
		.series = r->resources,
		.count = r->resource_count,
		.from = from,
		/* The last second of a run is not a whole one. */
		.to = r->second_count > from + 1 ? r->second_count - 1 : from,
		/* Throughput that the generator could not make is no scale to measure a server with. */
		.completed = r->validity != RUN_NOT_VALID ? completed : NULL,
	};
	load_server_use(&u, s, out);
	free(completed);
}
