/* search_run.h: a search on a real target: each trial is a run of the scenario with its load replaced by an open one.
 * Blocks like run_execute. Threads: [main]. */
#ifndef WEIR_LOADGEN_SEARCH_RUN_H
#define WEIR_LOADGEN_SEARCH_RUN_H

#include "loadgen/run.h"
#include "loadgen/search.h"

struct search_listener {
	void (*trial_begins)(void *arg, double rate, dur_ns time, enum trial_phase phase);
	void (*second)(void *arg, const struct run_progress *p);
	/* The trial's run is over; who observed the server puts it into <run> now. */
	void (*trial_ran)(void *arg, struct run_record *run);
	void (*trial_ended)(void *arg, const struct trial_record *t);
	void *arg;
};

struct search_options {
	const json_t *scenario; /* a scenario that compiles; borrowed. Its load, warm-up and thresholds are replaced */
	const struct program_inputs *inputs;
	struct search_limits limits;
	dur_ns warmup;          /* of each trial */
	struct run_options run; /* threads, seed, insecure, watch_signals, command; the rest is set per trial */
	struct search_listener listener;
};

/* Fills <ret_record> (given: search_record_finish; id, slo and name are the caller's to set before or after) and returns
 * 0, also when it was interrupted. -1: the target cannot be reached or the machine refused; the record is still valid
 * and holds the trials so far. The record must be initialised. */
int search_execute(const struct search_options *o, struct search_record *ret_record, struct err *err);

#endif
