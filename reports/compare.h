/* compare.h: is this run slower or more often wrong than the baseline, and how sure is that?
 *
 * row      one figure of one place (all, a flow, a step) in both runs
 * ratio    now / base
 * limits   what counts as a regression: point ratio >= `ratio` (1.5), lower bound of the ratio > COMPARE_PROVEN
 *          (1.1), and a difference of at least `floor` (5 ms; error rates: `error_floor`, 0.1 %, and
 *          COMPARE_ERRORS_LEAST failures)
 *
 * Quantiles (p50, p95, p99 of the response time): each run's two-sided 95 % order-statistic interval, joined on the
 * logarithmic scale by MOVER (Donner and Zou, Stat. Methods Med. Res. 2012): ln r -+ sqrt(half widths squared).
 * Requests of one second are not independent, so n is divided by the design effect first: the square of (half width
 * of the mean ln ratio of the same seconds of both runs, by batch means of at least 10 s, at least 5 batches) over
 * (half width as if independent), at least 1. Same seconds are compared with each other, so that a ramp, which both
 * runs have, is no noise. Runs too short for 5 batches have a design effect of 1; `design_effect_known` says so.
 *
 * Error rates: Newcombe's interval (1998, method 10) of the difference, from Wilson intervals with n divided by the
 * design effect of 10 s batches. A ratio explodes at 0 errors, so the lower bound of the difference decides
 * (capacity.md 13).
 *
 * A row whose point is past the limit without proof is "unclear": more requests are needed. So is a place that the
 * baseline has and this run has not. Unclear rows make the comparison inconclusive, and so do invalid runs.
 *
 * Ownership: a comparison owns its rows; names are borrowed from the records, which must outlive it. Threads: [any]. */
#ifndef WEIR_REPORTS_COMPARE_H
#define WEIR_REPORTS_COMPARE_H

#include <jansson.h>

#include "record/run.h"

#define COMPARE_PROVEN 1.1
#define COMPARE_ERRORS_LEAST 5

struct compare_limits {
	double ratio;       /* > 1 */
	dur_ns floor;       /* smaller differences of a time are ignored */
	double error_floor; /* smaller differences of a share are ignored */
};
#define COMPARE_LIMITS_DEFAULT ((struct compare_limits){ .ratio = 1.5, .floor = 5 * MILLISECOND, .error_floor = 0.001 })

enum compare_figure { COMPARE_P50, COMPARE_P95, COMPARE_P99, COMPARE_ERROR_RATE, COMPARE_FIGURES };
const char *compare_figure_text(enum compare_figure f); /* "p50", ..., "error rate" */

enum compare_verdict {
	COMPARE_SAME,   /* no difference of note is proven */
	COMPARE_BETTER, /* proven, and by 10 % at least */
	COMPARE_WORSE,  /* the same the other way, but within the limits */
	COMPARE_REGRESSION,
	COMPARE_UNCLEAR, /* past the limit, not proven; or gone */
	COMPARE_TOO_FEW, /* no interval */
	COMPARE_SMALL,   /* would be another, but the difference is below the floor: ignored */
};
const char *compare_verdict_text(enum compare_verdict v); /* "same", ..., "too few", "small" */

struct compare_row {
	const char *flow, *step; /* NULL, NULL: all; step NULL: the whole flow */
	enum compare_figure figure;
	uint64_t n_base, n_now; /* requests */
	double base, now;       /* ns or a share; NAN: too few requests for this quantile, or missing */
	double ratio;           /* NAN: unknown */
	double low, high;       /* 95 % interval of the ratio (error rate: of the difference); NAN: unknown */
	enum compare_verdict verdict;
	bool missing; /* in one of the runs only: which one has n = 0 */
};

#define COMPARE_WARNINGS_MAX 16
struct run_comparison {
	struct compare_limits limits;
	struct compare_row *rows;
	size_t row_count;
	size_t regressions, unclear;
	bool regression;   /* exit status 1 */
	bool inconclusive; /* exit status 6, when there is no regression */
	char *refused;     /* a sentence: the runs cannot be compared at all, there are no rows; else NULL */
	char *warnings[COMPARE_WARNINGS_MAX]; /* sentences: manifests differ in what matters, loads differ ... */
	size_t warning_count;
	double design_effect[COMPARE_FIGURES]; /* >= 1 */
	bool design_effect_known;
};

/* <limits> NULL: the defaults. Finish with run_comparison_finish. */
void run_comparison_make(const struct run_record *base, const struct run_record *now,
                         const struct compare_limits *limits, struct run_comparison *ret);
void run_comparison_finish(struct run_comparison *c);

/* For --json: given. Schema "weir.comparison.v1", times in microseconds. */
json_t *run_comparison_encode(const struct run_comparison *c, const struct run_record *base,
                              const struct run_record *now);

#endif
