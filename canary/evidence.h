/* evidence.h: what the measurements of both arms say about the canary. Pure: no clock, no I/O, memory that never grows.
 *
 * Each tick (one second) both arms' counts go in and an assessment comes out. Both arms are compared inside the tick
 * only, so that load, ramps and shared failures cancel out; the formulas are those of stats/eprocess.h
 * (Turner, Ly, Gruenwald: safe tests on k samples; see docs on statistics).
 *
 * freeze    before the first shift stable's latency quantiles become the thresholds x_j; they never move again
 * warm-up   the first seconds of the canary's traffic, which only the gross test looks at: a cold cache is no regression
 * harm      evidence that the canary is worse: ln of an e-value, weight of the metric included; ln(1/alpha) proves it
 *               errors   null: canary's error share <= 1.1 x stable's
 *               gross    null: ... <= 1.1 x stable's + 10 points; from the canary's first request on
 *               latency  null: at no x_j more canary requests above (1 + margin) x_j than stable requests above x_j
 *               slo      null: the canary's share of slow or failed requests keeps the absolute limit
 * promote   evidence that it is not worse than allowed: ln 20 for a stage, ln 100 for the last, each metric
 * effect    the size of the difference: Mantel-Haenszel for errors, ratio of re-weighted quantiles for latency
 *
 * bunches   failures and slow requests that come in bunches prove less: each metric's ln L is divided by its phi, which is
 *           estimated from stable's earlier ticks (bunching.h)
 *
 * Abort needs proof of harm and an effect of at least the user's limit. Proof with less effect is hold.
 * Evidence survives stages and restarts. A tick number is applied once: a repetition is counted and ignored.
 *
 * Threads: one at a time. */
#ifndef WEIR_CANARY_EVIDENCE_H
#define WEIR_CANARY_EVIDENCE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "canary/plan.h"
#include "record/rollout.h"

struct source_sample;

#define VERDICTS(X)                                                                    \
	X(WATCHING, "watching")         /* gathering evidence, nothing is wrong */     \
	X(PROMOTE, "promote")           /* proven to be within the limits */           \
	X(HOLD, "hold")                 /* proven worse, but by less than the limit */ \
	X(INCONCLUSIVE, "inconclusive") /* cannot be judged now; <lack> says why */    \
	X(ABORT, "abort")               /* proven worse than the limit */
enum verdict {
#define X(id, text) VERDICT_##id,
	VERDICTS(X)
#undef X
};
const char *verdict_text(enum verdict v);

/* What is missing for a judgement, and its word. */
#define LACKS(X)                                                                                 \
	X(NONE, "none")                                                                          \
	X(FREEZING, "freezing")     /* stable's quantiles are not known yet */                   \
	X(NO_TRAFFIC, "no-traffic") /* nobody asks for the service */                            \
	X(NO_CANARY, "no-canary-traffic")                                                        \
	X(NO_STABLE, "no-stable-traffic")                                                        \
	X(STALE, "stale")            /* no measurements for some ticks */                        \
	X(LOST, "lost-measurements") /* more than 1 % of them unreadable or missing */           \
	X(SHARE, "share")            /* the data plane does not give the share that was asked */ \
	X(SHARED, "shared-failure")  /* both arms got worse together: frozen, somebody is paged */
enum lack {
#define X(id, text) LACK_##id,
	LACKS(X)
#undef X
};
const char *lack_text(enum lack l);

struct evidence_config {
	struct plan_compare compare;
	int64_t planned_ticks; /* one "hour" of the restart reserve (stats/eprocess.h); default 3600 */
	int64_t warmup_ticks;
	uint64_t freeze_requests; /* of stable, enough to freeze at once; default 500 */
	uint64_t stage_requests;  /* of the canary, the least for a promotion from a stage; default 50 */
	double phi;               /* the least variance inflation (bunching.h); default 1: requests are independent */
	bool phi_fixed;           /* phi is not estimated: for measuring what the estimate is worth */
};
void evidence_config_init(struct evidence_config *ret, const struct plan *p);

struct evidence;
/* <config> is copied. Given: evidence_destroy. */
struct evidence *evidence_create(const struct evidence_config *config);
void evidence_destroy(struct evidence *e);

struct evidence_tick {
	int64_t tick;      /* strictly growing; gaps are fine */
	int32_t weight_bp; /* that the data plane was asked to obey during the tick */
	int32_t stage;     /* index in the plan; a new one restarts the stage's own counts, not the evidence */
	bool last;         /* promotion from this stage hands over all traffic or ends the rollout */
	uint64_t missing;  /* requests that the balancer counted and the source never reported */
	const struct source_sample *sample; /* borrowed; NULL: nothing was measured */
};

/* What is known after a tick. Texts are literals; it holds no pointers to the evidence. */
struct assessment {
	int64_t tick;
	enum verdict verdict;
	enum rollout_reason reason; /* of abort and hold: errors, latency or SLO; else none */
	enum lack lack;             /* of inconclusive */
	bool ready;                 /* thresholds are frozen: the canary may get its first traffic */
	bool warming;               /* inside the warm-up */

	/* The metric that the verdict is about; while watching the one with most harm,
	 * or, when none points to harm, the one furthest from a promotion, over the whole rollout. */
	const char *metric;           /* "error rate", "latency p95", "slow or failed" */
	double values[ARMS];          /* shares, or seconds when metric begins with "latency"; NAN: unknown */
	double ratio;                 /* effect; NAN when unknown */
	double ratio_low, ratio_high; /* 1-alpha confidence sequence; NAN when unknown */
	double evidence, needed;      /* ln; of harm, or of promotion when no metric points to harm */
	uint64_t requests[ARMS];      /* behind the evidence */
	double phi;                   /* of that metric: <requests> count as requests/phi */

	double harm_errors, harm_latency, harm_slo; /* ln, weights included: compare with harm_needed */
	double harm_needed;
	double promote_errors, promote_latency, promote_slo; /* ln: compare with promote_needed; slo NAN: none asked */
	double promote_needed;
	double phi_errors, phi_latency; /* 1: independent; of latency the largest that is in use */
	double promote_progress;        /* 0..1, of the slowest metric */
	double health;                  /* 1: no evidence of harm, 0: proven */

	/* Both arms over the current stage. */
	uint64_t stage_requests[ARMS], stage_errors[ARMS];
	double stage_quantiles[ARMS][3];                       /* p50, p95, p99 in seconds; NAN without requests */
	double share;                                          /* realised, of this stage; NAN without requests */
	double error_ratio, error_ratio_low, error_ratio_high; /* of the rollout, for the live view */
	double latency_ratio;                                  /* p95, for the live view; NAN when unknown */
	double excess_errors; /* canary errors beyond what stable's rate explains, of the rollout */

	uint64_t repeated;  /* ticks that came twice and were ignored */
	char sentence[320]; /* for people */
};

/* Applies one tick. A tick number that is not above the last one changes nothing but <repeated>. */
void evidence_apply(struct evidence *e, const struct evidence_tick *in, struct assessment *ret);

/* The last assessment again; before the first tick: watching, nothing known. */
void evidence_assess(const struct evidence *e, struct assessment *ret);

/* All that a restarted controller needs to go on with the same evidence. Given: json_decref. */
json_t *evidence_export(const struct evidence *e);
/* NULL: it is not an export, or one made under another configuration (evidence of another alpha is no evidence). */
struct evidence *evidence_import(const struct evidence_config *config, const json_t *json, struct err *err);

#endif
