#include "reports/compare.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "base/str.h"
#include "reports/quantile_text.h"
#include "stats/batch.h"

#define CONFIDENCE 0.95
#define BATCH_SECONDS 10
#define BATCHES_LEAST 5
#define BATCHES_MOST 4096
/* Neighbouring values of a histogram differ by this: no interval is narrower. */
#define RESOLUTION 0.001
/* A difference worth a word when it is proven. */
#define NOTEWORTHY 1.1
/* Loads, lengths: further apart than this is said. */
#define ALIKE 0.2
/* An error rate of fewer requests is not judged: p95's own least. */
#define ERROR_REQUESTS_LEAST 59

static const double quantiles[] = { [COMPARE_P50] = 0.5, [COMPARE_P95] = 0.95, [COMPARE_P99] = 0.99 };

const char *compare_figure_text(enum compare_figure f)
{
	static const char *const texts[] = { "p50", "p95", "p99", "error rate" };
	must((size_t)f < ARRAY_LEN(texts));
	return texts[f];
}

const char *compare_verdict_text(enum compare_verdict v)
{
	static const char *const texts[] = { "same", "better", "worse", "regression", "unclear", "too few", "small" };
	must((size_t)v < ARRAY_LEN(texts));
	return texts[v];
}

/* --- how much the seconds of a run depend on each other --- */

/* Failed requests of the measured seconds, in batches. Returns the number of batches. */
static size_t batch_errors(const struct run_record *r, struct batch *batches)
{
	size_t count = 0;
	for (size_t i = 0; i < r->second_count; i++) {
		const struct second_record *x = &r->seconds[i];
		const size_t k = (size_t)(x->second < 0 ? 0 : x->second) / BATCH_SECONDS;
		if (x->second < 0 || k >= BATCHES_MOST)
			continue;
		batches[k].k += x->failed;
		batches[k].n += x->completed;
		count = k + 1 > count ? k + 1 : count;
	}
	return count;
}

static double error_design_effect(const struct run_record *r)
{
	struct batch *batches = xcalloc(BATCHES_MOST, sizeof(batches[0]));
	const size_t count = batch_errors(r, batches);
	const double deff = count < BATCHES_LEAST ? 1 : share_estimate(batches, count).deff;
	free(batches);
	return isfinite(deff) && deff > 1 ? deff : 1;
}

static dur_ns quantile_of_second(const struct second_record *x, enum compare_figure f)
{
	return f == COMPARE_P50 ? x->response_p50 : f == COMPARE_P95 ? x->response_p95 : x->response_p99;
}

/* The measured second <number>; NULL: there is none. Seconds are in order, but a run may lack some. */
static const struct second_record *find_second(const struct run_record *r, int32_t number, size_t *from)
{
	while (*from < r->second_count && r->seconds[*from].second < number)
		++*from;
	return *from < r->second_count && r->seconds[*from].second == number ? &r->seconds[*from] : NULL;
}

/* Half of the 95 % interval of the mean ln ratio of the same seconds, by batch means. NAN: too few batches. */
static double batch_half_width(const struct run_record *base, const struct run_record *now, enum compare_figure f)
{
	double *sums = xcalloc(BATCHES_MOST, sizeof(sums[0])), *counts = xcalloc(BATCHES_MOST, sizeof(counts[0]));
	size_t from = 0, batches = 0;
	double mean = 0, square = 0;
	for (size_t i = 0; i < base->second_count; i++) {
		const struct second_record *b = &base->seconds[i], *n;
		const size_t k = (size_t)(b->second < 0 ? 0 : b->second) / BATCH_SECONDS;
		if (b->second < 0 || k >= BATCHES_MOST || !(n = find_second(now, b->second, &from)))
			continue;
		if (quantile_of_second(b, f) <= 0 || quantile_of_second(n, f) <= 0)
			continue;
		sums[k] += log((double)quantile_of_second(n, f) / (double)quantile_of_second(b, f));
		counts[k]++;
	}
	for (size_t k = 0; k < BATCHES_MOST; k++)
		if (counts[k] >= BATCH_SECONDS / 2.0)
			sums[batches++] = sums[k] / counts[k];
	for (size_t k = 0; k < batches; k++)
		mean += sums[k] / (double)batches;
	for (size_t k = 0; k < batches; k++)
		square += (sums[k] - mean) * (sums[k] - mean);
	free(sums);
	free(counts);
	if (batches < BATCHES_LEAST)
		return NAN;
	return student_quantile(0.5 + CONFIDENCE / 2, (double)batches - 1) *
	       sqrt(square / (double)(batches - 1) / (double)batches);
}

/* --- intervals --- */

/* Order-statistic interval of a quantile as if there were <n> requests. False: the sample bounds no end or one only. */
static bool quantile_interval(const struct hist *h, double q, int64_t n, double *ret_low, double *ret_high)
{
	int64_t low, high;
	if (n < 1 || !quantile_ranks(n, q, CONFIDENCE, &low, &high) || low < 1 || high > n)
		return false;
	*ret_low = (double)hist_quantile(h, (double)low / (double)n);
	*ret_high = (double)hist_quantile(h, (double)high / (double)n);
	return *ret_low > 0;
}

/* MOVER on the logarithmic scale. */
static bool ratio_interval(const struct hist *base, const struct hist *now, double q, double deff, double *ret_low,
                           double *ret_high)
{
	double bl, bh, nl, nh;
	if (!quantile_interval(base, q, (int64_t)((double)hist_count(base) / deff), &bl, &bh) ||
	    !quantile_interval(now, q, (int64_t)((double)hist_count(now) / deff), &nl, &nh))
		return false;
	const double b = (double)hist_quantile(base, q), n = (double)hist_quantile(now, q);
	const double down = hypot(log(n / nl), log(bh / b)), up = hypot(log(nh / n), log(b / bl));
	*ret_low = n / b * exp(-down);
	*ret_high = n / b * exp(up);
	return true;
}

static double quantile_design_effect(const struct run_record *base, const struct run_record *now, enum compare_figure f,
                                     bool *ret_known)
{
	double low, high;
	const double half = batch_half_width(base, now, f);
	*ret_known = !isnan(half);
	if (isnan(half) || !ratio_interval(&base->response, &now->response, quantiles[f], 1, &low, &high))
		return 1;
	const double independent = fmax(log(high / low) / 2, RESOLUTION);
	return fmax(1, half * half / (independent * independent));
}

/* --- rows --- */

/* Something that both runs have figures of. */
struct place {
	const char *flow, *step;
	uint64_t n, failed;
	const struct hist *response; /* NULL: not in this run */
};

static struct place place_of_run(const struct run_record *r)
{
	return (struct place){ NULL, NULL, r->requests, r->failed, &r->response };
}

static struct place place_of_flow(const struct flow_record *f)
{
	struct place p = { f->name, NULL, 0, 0, &f->response };
	for (size_t i = 0; i < f->step_count; i++) {
		p.n += f->steps[i].requests;
		p.failed += f->steps[i].failed;
	}
	return p;
}

static struct place place_of_step(const struct flow_record *f, const struct step_record *x)
{
	return (struct place){ f->name, x->name, x->requests, x->failed, &x->response };
}

static const struct flow_record *find_flow(const struct run_record *r, const char *name)
{
	for (size_t i = 0; i < r->flow_count; i++)
		if (r->flows[i].name && name && strcmp(r->flows[i].name, name) == 0)
			return &r->flows[i];
	return NULL;
}

static const struct step_record *find_step(const struct flow_record *f, const char *name)
{
	for (size_t i = 0; f && i < f->step_count; i++)
		if (f->steps[i].name && name && strcmp(f->steps[i].name, name) == 0)
			return &f->steps[i];
	return NULL;
}

static enum compare_verdict judge_time(const struct compare_row *row, const struct compare_limits *l)
{
	if (isnan(row->low))
		return COMPARE_TOO_FEW;
	if (row->ratio >= l->ratio)
		return row->low > COMPARE_PROVEN ? COMPARE_REGRESSION : COMPARE_UNCLEAR;
	if (row->low > 1 && row->ratio >= NOTEWORTHY)
		return COMPARE_WORSE;
	return row->high < 1 && row->ratio <= 1 / NOTEWORTHY ? COMPARE_BETTER : COMPARE_SAME;
}

static enum compare_verdict judge_errors(const struct compare_row *row, uint64_t failed, const struct compare_limits *l)
{
	const double difference = row->now - row->base;
	if (row->n_base < ERROR_REQUESTS_LEAST || row->n_now < ERROR_REQUESTS_LEAST)
		return COMPARE_TOO_FEW;
	const bool far = isnan(row->ratio) || row->ratio >= l->ratio;
	if (difference > 0 && far && failed >= COMPARE_ERRORS_LEAST)
		return row->low > 0 ? COMPARE_REGRESSION : COMPARE_UNCLEAR;
	if (row->low > 0)
		return COMPARE_WORSE;
	return row->high < 0 ? COMPARE_BETTER : COMPARE_SAME;
}

static enum compare_verdict above_floor(enum compare_verdict v, const struct compare_row *row, double floor)
{
	if (v == COMPARE_SAME || v == COMPARE_TOO_FEW)
		return v;
	return fabs(row->now - row->base) < floor ? COMPARE_SMALL : v;
}

/* Newcombe's hybrid score interval of the difference of two shares. */
static void compare_errors(const struct place *base, const struct place *now, const double deffs[2],
                           const struct compare_limits *l, struct compare_row *row)
{
	double bl, bh, nl, nh;
	row->base = (double)base->failed / (double)base->n;
	row->now = (double)now->failed / (double)now->n;
	row->ratio = base->failed ? row->now / row->base : NAN;
	wilson_interval((double)base->failed / deffs[0], (double)base->n / deffs[0], CONFIDENCE, &bl, &bh);
	wilson_interval((double)now->failed / deffs[1], (double)now->n / deffs[1], CONFIDENCE, &nl, &nh);
	row->low = row->now - row->base - hypot(row->now - nl, bh - row->base);
	row->high = row->now - row->base + hypot(nh - row->now, row->base - bl);
	row->verdict = above_floor(judge_errors(row, now->failed, l), row, l->error_floor);
}

static void compare_times(const struct place *base, const struct place *now, double deff,
                          const struct compare_limits *l, struct compare_row *row)
{
	const double q = quantiles[row->figure];
	const int64_t least = quantile_least_n(q);
	row->base = hist_count(base->response) < least ? NAN : (double)hist_quantile(base->response, q);
	row->now = hist_count(now->response) < least ? NAN : (double)hist_quantile(now->response, q);
	row->ratio = row->base > 0 ? row->now / row->base : NAN;
	if (isnan(row->ratio) || !ratio_interval(base->response, now->response, q, deff, &row->low, &row->high))
		row->low = row->high = NAN;
	row->verdict = above_floor(judge_time(row, l), row, (double)l->floor);
}

static struct compare_row *add_row(struct run_comparison *c, const struct place *base, const struct place *now)
{
	c->rows = xreallocarray(c->rows, c->row_count + 1, sizeof(c->rows[0]));
	struct compare_row *row = &c->rows[c->row_count++];
	*row = (struct compare_row){ .flow = base->flow,
		                     .step = base->step,
		                     .n_base = base->n,
		                     .n_now = now->n,
		                     .ratio = NAN,
		                     .low = NAN,
		                     .high = NAN,
		                     .base = NAN,
		                     .now = NAN };
	return row;
}

static void compare_place(struct run_comparison *c, const struct place *base, const struct place *now,
                          const double error_deffs[2])
{
	const bool in_base = base->n && hist_count(base->response), in_now = now->n && hist_count(now->response);
	if (!in_base && !in_now)
		return;
	if (!in_base || !in_now) {
		struct compare_row *row = add_row(c, base->flow ? base : now, now);
		row->n_base = in_base ? base->n : 0;
		row->n_now = in_now ? now->n : 0;
		row->figure = COMPARE_P95;
		row->missing = true;
		row->verdict = in_base ? COMPARE_UNCLEAR : COMPARE_TOO_FEW;
		return;
	}
	for (int f = 0; f < COMPARE_FIGURES; f++) {
		struct compare_row *row = add_row(c, base, now);
		row->figure = (enum compare_figure)f;
		if (f == COMPARE_ERROR_RATE)
			compare_errors(base, now, error_deffs, &c->limits, row);
		else
			compare_times(base, now, c->design_effect[f], &c->limits, row);
	}
}

static void compare_flow(struct run_comparison *c, const struct flow_record *base, const struct flow_record *now,
                         const double deffs[2])
{
	static const struct place nothing;
	const struct place b = base ? place_of_flow(base) : nothing, n = now ? place_of_flow(now) : nothing;
	compare_place(c, &b, &n, deffs);
	if (!base || !now)
		return;
	for (size_t i = 0; i < base->step_count; i++) {
		const struct step_record *other = find_step(now, base->steps[i].name);
		const struct place bs = place_of_step(base, &base->steps[i]);
		const struct place ns = other ? place_of_step(now, other) : nothing;
		compare_place(c, &bs, &ns, deffs);
	}
	for (size_t i = 0; i < now->step_count; i++) {
		const struct place ns = place_of_step(now, &now->steps[i]);
		if (!find_step(base, now->steps[i].name))
			compare_place(c, &nothing, &ns, deffs);
	}
}

static void compare_all(struct run_comparison *c, const struct run_record *base, const struct run_record *now)
{
	const double deffs[] = { error_design_effect(base), error_design_effect(now) };
	const struct place b = place_of_run(base), n = place_of_run(now);
	for (int f = 0; f < COMPARE_ERROR_RATE; f++)
		c->design_effect[f] = quantile_design_effect(base, now, (enum compare_figure)f,
		                                             &c->design_effect_known);
	c->design_effect[COMPARE_ERROR_RATE] = fmax(deffs[0], deffs[1]);
	compare_place(c, &b, &n, deffs);
	for (size_t i = 0; i < base->flow_count; i++)
		compare_flow(c, &base->flows[i], find_flow(now, base->flows[i].name), deffs);
	for (size_t i = 0; i < now->flow_count; i++)
		if (!find_flow(base, now->flows[i].name))
			compare_flow(c, NULL, &now->flows[i], deffs);
}

/* --- what makes the runs unlike --- */

__attribute__((format(printf, 2, 3))) static void warn(struct run_comparison *c, const char *format, ...)
{
	va_list args;
	if (c->warning_count == COMPARE_WARNINGS_MAX)
		return;
	va_start(args, format);
	c->warnings[c->warning_count++] = xvasprintf(format, args);
	va_end(args);
}

static void warn_of_manifests(struct run_comparison *c, const json_t *base, const json_t *now)
{
	static const struct {
		const char *key, *what;
	} parts[] = {
		{ "scenario_hash", "the scenarios are not the same" },
		{ "target", "the targets are not the same" },
		{ "threads", "the generators had different numbers of threads" },
		{ "cores", "the generators had different numbers of cores" },
		{ "host", "the generators ran on different hosts" },
		{ "cpu", "the generators ran on different processors" },
		{ "weir", "the runs were made by different versions of weir" },
		{ "libcurl", "the runs were made with different versions of libcurl" },
	};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		json_t *b = json_object_get(base, parts[i].key), *n = json_object_get(now, parts[i].key);
		if (json_equal(b, n) || (!b && !n))
			continue;
		char *was = b ? json_dumps(b, JSON_ENCODE_ANY) : xstrdup("not known");
		char *is = n ? json_dumps(n, JSON_ENCODE_ANY) : xstrdup("not known");
		warn(c, "%s: %s then, %s now", parts[i].what, was ? was : "?", is ? is : "?");
		free(was);
		free(is);
	}
}

/* Share of the requests that replay carried; NAN: none were. */
static double by_replay(const struct run_record *r)
{
	const uint64_t all = r->by_replay + r->by_curl;
	return all ? (double)r->by_replay / (double)all : NAN;
}

/* libcurl needs several times the CPU of replay, which shows in times below a millisecond. */
static void warn_of_transports(struct run_comparison *c, const struct run_record *base, const struct run_record *now)
{
	const double was = by_replay(base), is = by_replay(now);
	if (fabs(was - is) > ALIKE)
		warn(c, "the transports differ: replay carried %.0f %% of the requests then, %.0f %% now", 100 * was,
		     100 * is);
}

static void warn_of_loads(struct run_comparison *c, const struct run_record *base, const struct run_record *now)
{
	const double rates = base->achieved_rate > 0 ? now->achieved_rate / base->achieved_rate : 1;
	const double lengths = base->duration > 0 ? (double)now->duration / (double)base->duration : 1;
	if (rates > 1 + ALIKE || rates < 1 / (1 + ALIKE))
		warn(c, "the loads differ by more than %.0f %%: %.4g iterations per second then, %.4g now", ALIKE * 100,
		     base->achieved_rate, now->achieved_rate);
	if (lengths > 1 + ALIKE || lengths < 1 / (1 + ALIKE))
		warn(c, "the runs are not equally long: %.4g s then, %.4g s now",
		     (double)base->duration / (double)SECOND, (double)now->duration / (double)SECOND);
	if (base->validity == RUN_SUSPECT || now->validity == RUN_SUSPECT)
		warn(c, "the %s is suspect: its generator was near its own limit",
		     base->validity == RUN_SUSPECT ? "baseline" : "present run");
	if (base->verdict == RUN_ABORTED || now->verdict == RUN_ABORTED)
		warn(c, "the %s was stopped before its end", base->verdict == RUN_ABORTED ? "baseline" : "present run");
}

static const char *refusal(const struct run_record *r)
{
	if (r->verdict == RUN_INVALID || r->validity == RUN_NOT_VALID)
		return "is not valid: its generator was itself the limit, its times are not the target's";
	return r->requests && hist_count(&r->response) ? NULL : "has no requests";
}

void run_comparison_make(const struct run_record *base, const struct run_record *now,
                         const struct compare_limits *limits, struct run_comparison *ret)
{
	*ret = (struct run_comparison){ .limits = limits ? *limits : COMPARE_LIMITS_DEFAULT };
	for (int f = 0; f < COMPARE_FIGURES; f++)
		ret->design_effect[f] = 1;
	warn_of_manifests(ret, base->manifest, now->manifest);
	warn_of_transports(ret, base, now);
	warn_of_loads(ret, base, now);
	if (refusal(base) || refusal(now)) {
		ret->refused = xasprintf("the %s %s", refusal(base) ? "baseline" : "present run",
		                         refusal(base) ? refusal(base) : refusal(now));
		ret->inconclusive = true;
		return;
	}
	compare_all(ret, base, now);
	for (size_t i = 0; i < ret->row_count; i++) {
		ret->regressions += ret->rows[i].verdict == COMPARE_REGRESSION;
		ret->unclear += ret->rows[i].verdict == COMPARE_UNCLEAR;
	}
	ret->regression = ret->regressions > 0;
	/* Rows 0 .. COMPARE_FIGURES-1 are those of the whole run. */
	ret->inconclusive = ret->unclear > 0 || ret->rows[COMPARE_P95].verdict == COMPARE_TOO_FEW;
}

void run_comparison_finish(struct run_comparison *c)
{
	for (size_t i = 0; i < c->warning_count; i++)
		free(c->warnings[i]);
	free(c->rows);
	free(c->refused);
	*c = (struct run_comparison){ 0 };
}

static json_t *number_or_null(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

static json_t *encode_row(const struct compare_row *row)
{
	/* Times are microseconds in JSON; the interval of an error rate is one of the difference. */
	const double unit = row->figure == COMPARE_ERROR_RATE ? 1 : (double)MICROSECOND;
	return json_pack("{s:s?, s:s?, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:s, s:b}", "flow", row->flow, "step",
	                 row->step, "figure", compare_figure_text(row->figure), "requests_base",
	                 (json_int_t)row->n_base, "requests_now", (json_int_t)row->n_now, "base",
	                 number_or_null(row->base / unit), "now", number_or_null(row->now / unit), "ratio",
	                 number_or_null(row->ratio), "low", number_or_null(row->low), "high", number_or_null(row->high),
	                 "verdict", compare_verdict_text(row->verdict), "missing", (int)row->missing);
}

json_t *run_comparison_encode(const struct run_comparison *c, const struct run_record *base,
                              const struct run_record *now)
{
	json_t *rows = json_array(), *warnings = json_array();
	for (size_t i = 0; i < c->row_count; i++)
		json_array_append_new(rows, encode_row(&c->rows[i]));
	for (size_t i = 0; i < c->warning_count; i++)
		json_array_append_new(warnings, json_string(c->warnings[i]));
	return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:{s:f, s:f, s:f}, s:o, s:o}", "schema", "weir.comparison.v1",
	                 "base", base->id, "now", now->id, "verdict",
	                 c->regression     ? "regression"
	                 : c->inconclusive ? "inconclusive"
	                                   : "no regression",
	                 "refused", c->refused, "limits", "ratio", c->limits.ratio, "floor_us",
	                 (double)c->limits.floor / (double)MICROSECOND, "error_floor", c->limits.error_floor,
	                 "warnings", warnings, "rows", rows);
}
