/* run.h: what one execution of a scenario leaves behind.
 *
 * Plain data with a version and a JSON form (weir.run.v1, load.md section 4). loadgen/ makes it; store/, reports/ and
 * cli/ take it. Times are nanoseconds in memory and microseconds in the JSON; shares are 0..1.
 *
 * Three histograms say how a request was: response time (end - intended start, what a client who came on schedule
 * felt), service time (end - actual send), send lag (actual send - intended start, our own lateness).
 *
 * Ownership: a record owns all that it points to; run_record_finish frees it. Threads: one at a time. */
#ifndef WEIR_RECORD_RUN_H
#define WEIR_RECORD_RUN_H

#include <jansson.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "record/series.h"
#include "stats/hist.h"

/* Why a request failed; each request has at most one class. The words are those of the JSON. */
#define RUN_ERRORS(X)                                                                    \
	X(DNS, "dns")                                                                    \
	X(CONNECT, "connect")                                                            \
	X(TLS, "tls")                                                                    \
	X(RESET, "reset") /* the peer ended the connection without a whole answer */     \
	X(TIMEOUT, "timeout")                                                            \
	X(PROTOCOL, "protocol") /* bytes that are not HTTP, or not what they promised */ \
	X(STATUS, "status")     /* a status that no check of the step allows */          \
	X(CHECK, "check")       /* any other check or extraction that failed */

enum run_error {
#define X(id, text) RUN_ERROR_##id,
	RUN_ERRORS(X)
#undef X
		RUN_ERROR_KINDS
};
const char *run_error_text(enum run_error e);

enum run_verdict { RUN_MET, RUN_NOT_MET, RUN_INVALID, RUN_ABORTED };
const char *run_verdict_text(enum run_verdict v); /* "met", "not-met", "invalid", "aborted" */

enum run_validity { RUN_VALID, RUN_SUSPECT, RUN_NOT_VALID };
const char *run_validity_text(enum run_validity v); /* "valid", "suspect", "invalid" */

/* What a new connection needs before a request can be sent. A part that did not happen is in no histogram: dns is for
 * names, tls for TLS. All of it is inside the response time of the request that paid for it, too. */
#define RUN_SET_UP_PARTS(X)   \
	X(DNS, "dns")         \
	X(CONNECT, "connect") \
	X(TLS, "tls")

enum set_up_part {
#define X(id, text) SET_UP_##id,
	RUN_SET_UP_PARTS(X)
#undef X
		SET_UP_PARTS
};
const char *set_up_part_text(enum set_up_part p);

struct step_record {
	char *name;
	uint64_t requests; /* finished or censored */
	uint64_t failed;   /* of requests */
	struct hist response, service;
};

struct flow_record {
	char *name;
	uint64_t iterations;   /* ended */
	uint64_t failed;       /* of iterations: at least one request failed */
	struct hist response;  /* of all requests of the flow */
	struct hist iteration; /* whole iterations, intended start to end, pauses included */
	struct step_record *steps;
	size_t step_count;
};

/* What was asked before the measured phase, by intended start. It is in no other figure of the run but those of the
 * seconds below 0 (and of the one in which the last of them ended), and the counts of connections and bytes. */
struct warmup_record {
	uint64_t requests; /* finished or censored; 0: there was none */
	uint64_t failed;   /* of requests */
	struct hist response, service;
};

struct check_record {
	char *flow, *step, *check; /* "auth", "login", "status 200" */
	uint64_t passed, failed;
};

struct threshold_record {
	char *that;     /* as written */
	bool has_value; /* false: no data, which is never met */
	double value;   /* ns for times, 0..1 for shares, per second for rates; of windows the worst one's */
	bool met;
	bool ended_run; /* the run was ended because it did not hold */
};

/* By the plan: a ramp is where the offered rate or the number of users of an executor changes. */
enum second_phase {
	PHASE_UNKNOWN, /* older records do not tell */
	PHASE_WARMUP,
	PHASE_RAMP,
	PHASE_STEADY,
	PHASES
};
const char *second_phase_text(enum second_phase p); /* "unknown", "warm-up", "ramp", "steady" */

/* One second of the run, by actual time. Quantiles are 0 when nothing ended in it. */
struct second_record {
	int32_t second; /* since the start of the measured phase; negative in the warm-up */
	enum second_phase phase;
	double offered;                               /* arrivals planned in it */
	uint32_t started, completed, failed, dropped; /* requests; dropped: arrivals */
	uint32_t users, in_flight;                    /* at its end */
	dur_ns response_p50, response_p95, response_p99, service_p50, service_p99, lag_p99;
	double cpu;           /* of the busiest worker, 0..1 */
	dur_ns turn_max;      /* longest turn of a worker's loop, sleep excluded */
	double steal;         /* share of the machine's time that another guest had; NAN: unknown */
	uint32_t descriptors; /* open at its end; 0: unknown */
	uint32_t ports;       /* local ports taken at its end, an upper estimate; 0: unknown */
};

struct error_sample {
	enum run_error error;
	const char *flow, *step, *text; /* redacted and cut; of the list, which frees them */
	uint64_t count;                 /* failures that said just this */
};

#define RUN_REASONS_MAX 8
#define RUN_SAMPLES_MAX 20
#define RUN_SAMPLES_ALIKE_MAX 5 /* texts of one class of error at one step */

/* Counts a failure with the one in the list that says the same, else keeps a copy of it if there is room: in all, and among
 * those of its class and step, so that a frequent failure whose text changes does not hide a rare one. */
void error_samples_add(struct error_sample *samples, size_t *count, const struct error_sample *s);
void error_samples_drop(struct error_sample *samples, size_t *count);

struct run_record {
	char id[ID_TEXT_BYTES];
	char *name;
	struct wall started_at;
	dur_ns duration; /* of the measured phase */
	enum run_verdict verdict;

	enum run_validity validity;
	char *reasons[RUN_REASONS_MAX]; /* sentences; why it is not valid */
	size_t reason_count;
	struct hist lag;

	/* Arrivals: iterations that the schedule asked for (open load) or that users began (closed load). */
	double offered_rate, achieved_rate; /* iterations per second: asked for, really begun */
	uint64_t arrivals;
	uint64_t started;   /* of arrivals: began */
	uint64_t completed; /* of started: ended */
	uint64_t dropped;   /* of arrivals: no user was free (or the queue was full) */
	uint64_t censored;  /* requests that timed out or were cut by the end: at least this slow */
	uint32_t users_max;

	uint64_t requests, failed;        /* failed: of requests */
	uint64_t errors[RUN_ERROR_KINDS]; /* sums to failed */
	uint64_t by_replay, by_curl;      /* requests per transport */
	uint64_t bytes_sent, bytes_received;
	uint64_t connections;        /* that were opened, the warm-up's included */
	uint64_t retries, redirects; /* exchanges after which their request went on: none of them is in requests */

	struct hist response, service;    /* of all requests */
	struct hist set_up[SET_UP_PARTS]; /* of the connections that were opened for them */
	struct warmup_record warmup;
	struct flow_record *flows;
	size_t flow_count;
	struct check_record *checks;
	size_t check_count;
	struct threshold_record *thresholds;
	size_t threshold_count;
	struct second_record *seconds;
	size_t second_count;
	/* What was observed of the server; often nothing. values[i] belongs to seconds[i]. */
	struct sampled_series *resources;
	size_t resource_count;
	struct error_sample samples[RUN_SAMPLES_MAX];
	size_t sample_count;
	json_t *manifest; /* object: scenario hash, version, libraries, host, kernel, cpu, seed, command */
};

/* An empty record with its histograms ready. */
void run_record_init(struct run_record *r);
void run_record_finish(struct run_record *r); /* half-built records are fine */

/* Makes <count> flows (named later by the caller) or steps of a flow with their histograms. */
void run_record_make_flows(struct run_record *r, size_t count);
void flow_record_make_steps(struct flow_record *f, size_t count);

/* The most of the measured seconds; 0: unknown. */
uint32_t run_record_most_ports(const struct run_record *r);
uint32_t run_record_most_descriptors(const struct run_record *r);

/* Of the busiest worker, over all seconds: a share of a core. 0 without any. */
double run_record_mean_cpu(const struct run_record *r);
double run_record_most_cpu(const struct run_record *r);

/* Makes <count> series, each with a missing value for every second there is; named later by the caller. */
void run_record_make_resources(struct run_record *r, size_t count);

enum run_json {
	RUN_JSON_SUMMARY,    /* figures only: what --summary writes */
	RUN_JSON_HISTOGRAMS, /* and each histogram as base64, series included: what the store keeps */
};

/* Given: json_decref. The schema is "weir.run.v1". In an invalid run the figures stand under the key "unverified"
 * instead of their own ("response_time_us" ...), so that no program takes them for the target's. */
json_t *run_record_encode(const struct run_record *r, enum run_json form);

/* The inverse of RUN_JSON_HISTOGRAMS. On failure <r> is finished. ERR_SYNTAX names the member that is wrong. */
int run_record_decode(const json_t *json, struct run_record *ret, struct err *err);

#endif
