/* search.h: what one search for the highest load that keeps an SLO leaves behind (weir.search.v1).
 *
 * trial     one load, held for a while, and what was seen
 * exceeded  a request slower than the limit, failed, or never finished: an SLO "p95(response_time) < T" is the claim
 *           that at most 5 % of requests exceed T
 *
 * Ownership: the record owns all that it points to. Threads: one at a time. */
#ifndef WEIR_RECORD_SEARCH_H
#define WEIR_RECORD_SEARCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "record/run.h"

enum trial_phase { TRIAL_CLIMB, TRIAL_NARROW, TRIAL_CONFIRM };
const char *trial_phase_text(enum trial_phase p); /* "climb", "narrow", "confirm" */

enum trial_verdict { TRIAL_PASS, TRIAL_FAIL, TRIAL_GREY, TRIAL_INVALID };
const char *trial_verdict_text(enum trial_verdict v); /* "pass", "fail", "grey", "invalid" */

struct trial_record {
	enum trial_phase phase;
	double rate; /* arrivals per second that were asked for */
	dur_ns held; /* measured time, warm-up excluded */
	uint64_t requests, exceeded;
	double share;      /* exceeded / requests */
	double share_high; /* upper end of its one-sided 95 % interval by batch means; 1 when there are too few batches */
	dur_ns quantile;   /* the SLO's quantile of the response time, for people */
	double error_rate;
	enum trial_verdict verdict;
	char *why;                  /* a sentence, or NULL */
	char run_id[ID_TEXT_BYTES]; /* the run's own record in the store, or "" */
};

struct search_record {
	char id[ID_TEXT_BYTES];
	char *name, *target;
	char *slo;           /* as written */
	double slo_quantile; /* 0.95 */
	dur_ns slo_limit;
	struct wall started_at;
	dur_ns duration;
	struct trial_record *trials;
	size_t trial_count;
	double verified; /* arrivals per second confirmed; 0: none */
	dur_ns verified_for;
	double highest_pass, lowest_fail; /* 0: none */
	/* "verified", "lower bound only" (no failure was met), "not found" (the first load failed), "generator limited",
	 * "unfinished" (it was ended) */
	char *answer;
	char *stopped_because; /* a sentence */
	/* What was observed of the server; often nothing. values[i] belongs to completed[i]: requests that ended in a second.
	 * The seconds are the whole, measured ones of all trials in which the generator was sound, one trial after the other. */
	double *completed;
	size_t second_count;
	struct sampled_series *resources;
	size_t resource_count;
	json_t *manifest;
};

void search_record_init(struct search_record *s);
void search_record_finish(struct search_record *s);
/* A zeroed trial at the end; valid until the next call. */
struct trial_record *search_record_add_trial(struct search_record *s);

/* Puts the seconds of a trial's run behind those that are there. Every run of a search has the same resources; one without
 * adds nothing. */
void search_record_add_seconds(struct search_record *s, const struct run_record *run);

json_t *search_record_encode(const struct search_record *s); /* given */
int search_record_decode(const json_t *json, struct search_record *ret, struct err *err);

#endif
