/* threshold.h: "p95(response_time, flow=auth) < 500ms": a claim about a run that is either met or not.
 *
 *     threshold  = figure comparison value
 *     figure     = ( "p" NUMBER | "mean" | "max" | "min" | "count" ) "(" metric { "," scope } ")"
 *                | ( "error_rate" | "rate" | "check_rate" ) [ "(" scope { "," scope } ")" ]
 *     metric     = "response_time" | "service_time" | "send_lag" | "iteration_time"
 *     scope      = ( "flow" | "step" | "group" | "check" ) "=" NAME         NAME up to "," or ")", or within '...'
 *     comparison = "<" | "<=" | ">" | ">="
 *     value      = a duration for p..., mean, max and min; a share for error_rate and
 *                  check_rate; N/s, N/m or N/h for rate; else N
 *
 * Pure. Threads: [any]. */
#ifndef WEIR_SCENARIOS_THRESHOLD_H
#define WEIR_SCENARIOS_THRESHOLD_H

#include "base/buf.h"
#include "base/str.h"

enum threshold_figure {
	FIGURE_QUANTILE,
	FIGURE_MEAN,
	FIGURE_MAX,
	FIGURE_MIN,
	FIGURE_COUNT,      /* requests that the histogram of the metric holds */
	FIGURE_ERROR_RATE, /* failed / requests, 0..1 */
	FIGURE_RATE,       /* requests per second of the measured phase */
	FIGURE_CHECK_RATE, /* checks passed / made, 0..1 */
};

enum threshold_metric {
	METRIC_NONE,
	METRIC_RESPONSE_TIME,
	METRIC_SERVICE_TIME,
	METRIC_SEND_LAG,
	METRIC_ITERATION_TIME
};

enum comparison { COMPARISON_LESS, COMPARISON_LESS_EQUAL, COMPARISON_GREATER, COMPARISON_GREATER_EQUAL };

#define THRESHOLD_ANY UINT32_MAX

struct threshold {
	struct str that; /* as written, without blanks at the ends */
	enum threshold_figure figure;
	double quantile; /* of FIGURE_QUANTILE, above 0 and at most 1: 0.95 */
	enum threshold_metric metric;
	struct str flow, step, group, check; /* len 0: all */
	enum comparison comparison;
	double value; /* ns for times, 0..1 for shares, per second for rates, else a count */

	/* Which entries of program.flows, .steps and .groups are meant; THRESHOLD_ANY after threshold_parse alone. */
	uint32_t flow_index, step_index, group_index;

	/* Not of the text: how the file wants it to be judged. */
	int64_t over;  /* ns: in each window of this length; 0: over the whole measured phase */
	bool aborts;   /* the run ends when it does not hold */
	int64_t grace; /* ns after the start of the measured phase, before which it does not abort */
};

/* Where a threshold is wrong: <len> bytes from <at> (len 0: something is missing there), and what is wrong. */
struct threshold_mistake {
	size_t at, len;
	const char *text; /* a sentence, static */
	const char *hint; /* what was expected, static */
};

/* Parses <text>; the slices of the result borrow from it. On failure sets <reterr_mistake>. */
bool threshold_parse(struct str text, struct threshold *ret_threshold, struct threshold_mistake *reterr_mistake);

/* Whether the figure <value>, in the unit of threshold.value, is what the threshold claims. NaN never is. */
bool threshold_holds(const struct threshold *t, double value);

/* "response_time", "service_time", "send_lag", "iteration_time"; "" for METRIC_NONE. */
const char *threshold_metric_text(enum threshold_metric m);
/* "<", "<=", ">", ">=". */
const char *comparison_text(enum comparison c);
bool comparison_holds(enum comparison c, double left, double right);

#endif
