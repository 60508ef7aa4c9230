/* run.h: one execution of a program: workers, seconds, verdict, record.
 *
 * run_execute blocks its thread until the run is over, runs a loop of its own there, and may be ended early by SIGINT
 * or SIGTERM (when asked to watch for them); the record is complete in either case.
 *
 * Threads: [main]. */
#ifndef WEIR_LOADGEN_RUN_H
#define WEIR_LOADGEN_RUN_H

#include "net/transport.h"
#include "record/progress.h"
#include "scenarios/program.h"

/* Hears each second, and once more at the end; not during the connections of the beginning. */
struct run_listener {
	void (*second)(void *arg, const struct run_progress *p); /* [main] */
	void *arg;
};

struct run_options {
	const struct program *program;      /* kept until run_execute returns */
	const struct threshold *thresholds; /* in addition to the program's */
	size_t threshold_count;
	uint32_t threads;    /* 0: cores - 1, at least 1 */
	uint64_t seed;       /* of all random choices */
	dur_ns grace;        /* after the end, for requests under way; then they are censored */
	dur_ns exceed_limit; /* for the search: what counts as exceeded; 0: none */
	bool insecure;
	enum transport_kind http; /* who carries the requests; zero: whoever fits */
	bool watch_signals;
	const char *command;          /* for the manifest, without secrets; may be NULL */
	struct run_listener listener; /* may be zero */
};

#define RUN_GRACE_DEFAULT SECOND

/* Fills <ret_record> (given: run_record_finish) and returns 0 also when the run was interrupted (verdict "aborted"),
 * not met or invalid. -1: it could not be made (ERR_UNREACHABLE: nothing was sent; ERR_IO: the machine refused). */
int run_execute(const struct run_options *o, struct run_record *ret_record, struct err *err);

/* Raises the limit of open descriptors as far as the system lets us; returns what it is then. */
uint64_t run_raise_descriptors(void);

#endif
