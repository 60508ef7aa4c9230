/* rollout.h: what one attempt to move traffic from stable to canary leaves behind (weir.rollout-record.v1).
 *
 * arm      stable or canary
 * weight   the canary's share in basis points (1/10,000)
 * tick     one second of evidence, both arms; its number counts seconds since the rollout began and is never used twice
 * event    one line of the story, as in canary.md section 4
 *
 * Evidence is the natural logarithm of an e-value. Latencies are nanoseconds. Ownership: a record owns all that it
 * points to. Threads: one at a time. */
#ifndef WEIR_RECORD_ROLLOUT_H
#define WEIR_RECORD_ROLLOUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"

enum arm { ARM_STABLE, ARM_CANARY, ARMS };
const char *arm_text(enum arm a); /* "stable", "canary" */

/* The states of the machine (canary.md section 3), and their words. */
#define ROLLOUT_STATES(X)               \
	X(PLANNED, "planned")           \
	X(GATING, "gating")             \
	X(SHIFTING, "shifting")         \
	X(WATCHING, "watching")         \
	X(HOLDING, "holding")           \
	X(PROMOTING, "promoting")       \
	X(BAKING, "baking")             \
	X(PROMOTED, "promoted")         \
	X(ROLLING_BACK, "rolling-back") \
	X(ROLLED_BACK, "rolled-back")   \
	X(FAILED, "failed")
enum rollout_state {
#define X(id, text) ROLLOUT_##id,
	ROLLOUT_STATES(X)
#undef X
		ROLLOUT_STATE_COUNT
};
const char *rollout_state_text(enum rollout_state s);
/* False when <text> is no state. */
bool rollout_state_parse(const char *text, enum rollout_state *ret_state);

/* Why traffic went back; the reason code of the record. */
#define ROLLOUT_REASONS(X)                                                                                            \
	X(NONE, "none")                                                                                               \
	X(ERRORS, "error-rate")                                                                                       \
	X(LATENCY, "latency")                                                                                         \
	X(SLO, "absolute-slo")                                                                                        \
	X(HEALTH, "health-check")                                                                                     \
	X(RESOURCE, "resource")                                                                                       \
	X(OPERATOR, "operator")                                                                                       \
	X(LEASE, "lost-lease")                                                                                        \
	X(DEADLINE, "deadline")                                                                                       \
	X(DATAPLANE, "data-plane")                                                                                    \
	X(POWER, "low-power")   /* nothing was moved: the traffic would not show what the plan guards against */      \
	X(BASELINE, "baseline") /* nothing was moved: load-tested by itself, the canary is worse than the baseline */ \
	X(GATE, "gate")         /* nothing was moved: what a gate asks for is not known */
enum rollout_reason {
#define X(id, text) REASON_##id,
	ROLLOUT_REASONS(X)
#undef X
		REASON_COUNT
};
const char *rollout_reason_text(enum rollout_reason r);

struct arm_tick {
	uint64_t requests, errors;
	uint64_t client_aborts; /* not of requests: neither success nor error */
	dur_ns p50, p95, p99;   /* of the tick; 0 when empty */
};

struct tick_record {
	int64_t tick;
	struct wall at;
	int32_t weight_bp; /* asked for during the tick */
	struct arm_tick arms[ARMS];
	double harm_errors, harm_latency;       /* evidence that the canary is worse */
	double promote_errors, promote_latency; /* evidence that it is not worse by more than allowed */
};

struct event_record {
	char id[ID_TEXT_BYTES];
	int64_t seq; /* given by the store */
	struct wall at;
	char *type;                    /* "weight.asked" ... */
	char *severity;                /* "info", "warning", "critical" */
	char *actor;                   /* "weir" or a person */
	json_t *before, *after, *data; /* each may be NULL */
};

struct stage_record {
	int32_t weight_bp;
	struct wall entered, left; /* left 0: still in it or never left by itself */
	uint64_t requests[ARMS], errors[ARMS];
	dur_ns p50[ARMS], p95[ARMS], p99[ARMS]; /* of the whole stage */
	char *verdict;                          /* "passed", "rolled back", "held", "not reached" ... */
};

/* The comparison at the moment of the verdict: the sentence "which metric, both values, the ratio and how sure". */
struct decision_record {
	char *metric;                 /* "error rate" or "latency p95"; NULL: the decision was not about a metric */
	double values[ARMS];          /* a share, or seconds */
	double ratio;                 /* of the effect; NAN when unknown */
	double ratio_low, ratio_high; /* confidence sequence; NAN when unknown */
	double evidence, needed;      /* ln */
	uint64_t requests[ARMS];
	double phi; /* failures or slow requests come in bunches: requests count as requests/phi; 0: not known, older versions */
};

struct version_record {
	char *version, *commit; /* commit may be NULL */
};

struct rollout_record {
	char id[ID_TEXT_BYTES];
	char *service, *environment, *actor;
	struct version_record arms[ARMS];
	enum rollout_state state;
	enum rollout_reason reason;
	char *why;                           /* one sentence, NULL while it runs */
	struct wall started_at, finished_at; /* finished 0: running */
	struct wall kept_until;  /* of a promoted one: so long there is a way back to stable; 0: there is none */
	dur_ns to_decision;      /* from the harmful weight's verification to the decision; 0: none */
	dur_ns to_zero;          /* from the decision to weight 0 accepted by the data plane; 0: none */
	dur_ns to_proof;         /* from the decision to 0 % proven from the balancer's counters; 0: none */
	double exposed_requests; /* canary errors beyond what stable's rate explains */
	struct decision_record decision;
	struct stage_record *stages;
	size_t stage_count;
	struct tick_record *ticks;
	size_t tick_count;
	struct event_record *events;
	size_t event_count;
};

void rollout_record_init(struct rollout_record *r);
void rollout_record_finish(struct rollout_record *r);
void event_record_finish(struct event_record *e);

/* Adds at the end, taken: what <tick> and <event> own belongs to the record from then on. */
void rollout_record_add_tick(struct rollout_record *r, const struct tick_record *tick);
void rollout_record_add_event(struct rollout_record *r, const struct event_record *event);

/* JSON forms. The head leaves ticks and events out: the store keeps them in rows of their own. All given. */
json_t *rollout_record_encode_head(const struct rollout_record *r);
json_t *rollout_record_encode(const struct rollout_record *r);
json_t *event_record_encode(const struct event_record *e, const struct rollout_record *r); /* one line of --events;
                                                                                              <r> NULL: of no rollout */
json_t *tick_record_encode(const struct tick_record *t);
int rollout_record_decode_head(const json_t *json, struct rollout_record *ret, struct err *err);
int tick_record_decode(const json_t *json, struct tick_record *ret, struct err *err);
int event_record_decode(const json_t *json, struct event_record *ret, struct err *err);

#endif
