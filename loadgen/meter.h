/* meter.h: what one worker has measured since it was last asked.
 *
 * meter       counters and histograms of one interval of one worker; a single writer, no locks
 * meter_slot  how it changes hands: the reader offers an empty meter; the worker, at the end of a turn, gives the full
 *             one back and goes on with the empty one; the reader offers again only after it has collected. Nobody
 *             ever waits, nothing is copied.
 *
 * Requests whose intended start lies in the warm-up are in `warmup` only. Everything is in nanoseconds.
 * Threads: a meter belongs to one thread at a time; a slot to its worker and one reader. */
#ifndef WEIR_LOADGEN_METER_H
#define WEIR_LOADGEN_METER_H

#include <stdatomic.h>

#include "loadgen/executor.h"
#include "record/run.h"
#include "scenarios/program.h"

struct step_meter {
	uint64_t requests; /* finished or censored */
	uint64_t failed;   /* of requests */
	struct hist response, service;
};

struct flow_meter {
	uint64_t iterations, failed; /* ended; of iterations: with a failed request */
	struct hist iteration;
};

struct check_meter {
	uint64_t passed, failed;
};

struct meter {
	const struct program *program;    /* kept */
	struct step_meter *steps;         /* as program.steps */
	struct flow_meter *flows;         /* as program.flows */
	struct check_meter *checks;       /* as program.checks */
	struct hist response, service;    /* of all requests */
	struct hist set_up[SET_UP_PARTS]; /* of their new connections */
	struct step_meter warmup;         /* of all steps: the warm-up's requests, which are in none of the others */
	struct hist lag; /* actual send - the first moment at which it could be sent: the generator's own lateness */

	uint64_t started;                 /* requests sent, by actual time, the warm-up's included */
	uint64_t requests;                /* finished or censored */
	uint64_t failed;                  /* of requests */
	uint64_t exceeded;                /* of requests: failed, censored, or slower than the limit of the search */
	uint64_t censored;                /* of requests: at least this slow */
	uint64_t errors[RUN_ERROR_KINDS]; /* sums to failed */
	uint64_t by_replay, by_curl;      /* of requests: who carried them; what was never sent is in neither */
	uint64_t retries, redirects;      /* exchanges after which their step went on; not in requests */
	uint64_t connections, bytes_sent, bytes_received; /* the warm-up's included */
	uint64_t local_failures; /* connections that failed for want of a port or descriptor of ours; the same */

	/* At the moment of the hand-over. */
	struct executor_counts arrivals; /* of all executors since the start, not of the interval */
	uint32_t users, in_flight;
	double cpu;      /* share of a core that the worker used since the last one */
	dur_ns turn_max; /* longest turn of the loop, sleep excluded */

	struct error_sample samples[RUN_SAMPLES_MAX];
	size_t sample_count;
};

struct meter *meter_create(const struct program *program);
void meter_destroy(struct meter *m); /* NULL is fine */
void meter_reset(struct meter *m);

/* Adds counts, histograms and samples of <from>; the figures of the moment become sums and maxima. */
void meter_add(struct meter *into, const struct meter *from);

/* One finished or censored request of <step>. */
struct measurement {
	uint32_t step;
	dur_ns response, service, lag;
	bool failed, censored, by_replay;
	enum run_error error; /* when failed */
	bool exceeded;
};
void meter_record(struct meter *m, const struct measurement *r);

/* The same for one of the warm-up. */
void meter_record_warmup(struct meter *m, const struct measurement *r);

/* A new connection: <parts> are SET_UP_PARTS times; 0: it did not happen. */
void meter_record_set_up(struct meter *m, const dur_ns *parts);

/* Counts what failures said, the first few of it (error_samples_add); <text> is redacted already and copied. */
void meter_sample(struct meter *m, enum run_error error, uint32_t step, const char *text);

struct meter_slot {
	_Atomic(struct meter *) offered; /* empty, by the reader */
	_Atomic(struct meter *) handed;  /* full, by the worker */
};

/* [reader] Both places must be empty. Taken. */
void meter_slot_offer(struct meter_slot *s, struct meter *empty);
/* [worker] Gives <live> away for the empty one, which is returned; <live> itself when none is offered. */
struct meter *meter_slot_swap(struct meter_slot *s, struct meter *live);
/* [worker] Whether an empty one is offered. */
bool meter_slot_wanted(const struct meter_slot *s);
/* [reader] The empty one that nobody will take any more, given; NULL when it was taken. */
struct meter *meter_slot_withdraw(struct meter_slot *s);
/* [reader] The full one, given; NULL when there is none yet. */
struct meter *meter_slot_collect(struct meter_slot *s);

#endif
