/* progress.h: what a run tells while it goes on, once a second and once more at its end.
 *
 * interval   from the last telling to this one: about a second; the last one includes the time of grace
 * so far     since the start of the measured phase; requests of the warm-up are in neither, but in interval_warmup
 *
 * loadgen/ makes it; reports/ and cli/ show it, and write the histogram log from it: the intervals of all tellings add
 * up to the histograms of the record. Everything is borrowed for the call. Threads: [main]. */
#ifndef WEIR_RECORD_PROGRESS_H
#define WEIR_RECORD_PROGRESS_H

#include "record/run.h"

struct flow_progress {
	const char *name;
	uint64_t requests, failed;   /* so far */
	const struct hist *interval; /* response times of the interval */
	const struct hist *response; /* and so far */
};

struct run_progress {
	const char *run_id;
	struct wall started_at; /* of the run; it is the zero of <from> */
	dur_ns from, length;    /* the interval */
	const struct second_record *second;
	uint64_t exceeded, requests; /* of the interval: for the search's batches */
	bool warming_up;
	dur_ns elapsed, total;
	uint64_t all_arrivals, all_dropped; /* since the start of the run: asked for; of these, nobody was free */
	uint64_t all_requests, all_failed;  /* so far */
	const uint64_t *all_errors;         /* RUN_ERROR_KINDS of them, sum to all_failed */
	const struct hist *interval;        /* response times of all requests of the interval */
	const struct hist *response, *service, *lag; /* so far */
	const struct hist *interval_warmup; /* response times of the warm-up's requests that ended in the interval */
	const struct hist *interval_set_up, *set_up; /* SET_UP_PARTS each: of the interval, so far */
	const struct flow_progress *flows;
	size_t flow_count;
};

#endif
