/* search.h: the highest open load that keeps an SLO. Pure decisions: a trial's figures in, the next load out.
 *
 *     climb ──fail──► narrow ──close enough──► confirm ──pass──► verified
 *       │ no fail up to the most                  │ fail: a little less, again
 *       └──► confirm there: lower bound only ◄────┘
 *
 * An SLO "p95(response_time) < T" is the claim that at most q = 5 % of the requests are slower than T, failed or never
 * finished (capacity.md section 6); that share, not the percentile, is decided upon. Climbing and narrowing only take
 * clear answers; near the edge the share's error is far larger than a binomial one (batch means), so the only figure
 * that is stated is one that a longer confirmation held. A trial in which the generator was the limit says nothing; it is
 * made again, and the third in a row ends the search.
 *
 * Threads: [any]. */
#ifndef WEIR_LOADGEN_SEARCH_H
#define WEIR_LOADGEN_SEARCH_H

#include "record/search.h"
#include "stats/batch.h"

struct search_limits {
	double quantile;       /* of the SLO: 0.95 */
	dur_ns limit;          /* of the SLO */
	double start_rate;     /* arrivals per second of the first trial */
	double most_rate;      /* never more than this */
	dur_ns trial, confirm; /* measured time of a trial of the climb, and of the confirmation */
};

#define SEARCH_BATCHES_MAX 1024

/* What one trial showed. */
struct trial_figures {
	struct batch batches[SEARCH_BATCHES_MAX]; /* k exceedances among n requests per second of the trial */
	size_t batch_count;
	double begun; /* share of the arrivals that began in time enough to begin at all */
	uint64_t censored, requests, failed;
	dur_ns quantile;
	bool invalid;       /* the generator was the limit */
	const char *reason; /* borrowed; why it is invalid */
};

struct search {
	struct search_limits limits;
	enum trial_phase phase;
	double low;  /* highest load that did not fail; 0: none yet */
	double high; /* lowest load that failed; 0: none yet */
	double next;
	int confirmations;
	int invalid; /* trials in a row */
	bool done;
};

void search_init(struct search *s, const struct search_limits *limits);

/* The next trial, or false when the search is over. */
bool search_next(const struct search *s, double *ret_rate, dur_ns *ret_time, enum trial_phase *ret_phase);

/* Judges the trial that search_next asked for, adds it to <record>, and decides what comes next. When the search is over
 * the record's answer is filled. */
void search_take(struct search *s, const struct trial_figures *figures, struct search_record *record);

/* Ends the search early, with <why> as the reason: the answer is what is known so far. */
void search_stop(struct search *s, const char *why, struct search_record *record);

#endif
