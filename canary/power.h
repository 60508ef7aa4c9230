/* power.h: before the first shift: can the stages of a plan show, with the traffic that stable has, what the plan guards
 * against? Pure: no clock, no I/O.
 *
 * limit     the least that the plan calls too much: an error rate of ratio x stable's + slack, latencies of ratio x stable's
 * seen      over all stages with both arms, each as long as its max (the warm-up left out), evidence of harm may be
 *           expected to be proof. Evidence is kept from stage to stage, so its information is added up
 *           (statistics.md section 8: requests x klinf). Needed is slack x ln(4/alpha): one factor 2 for errors and latency
 *           having half of the weight each, one for the restart reserve; the slack is measured (stats/planner.h). With the
 *           null of 1.1 x this gives the delays of statistics.md, table G
 * latency   by the best stage alone, which is pessimistic; a margin is paid for in full
 *
 * A stage of 0 % or 100 % has nothing to compare and shows nothing.
 *
 * Plain data. Threads: one at a time. */
#ifndef WEIR_CANARY_POWER_H
#define WEIR_CANARY_POWER_H

#include <jansson.h>
#include <stdbool.h>

#include "canary/plan.h"
#include "canary/source.h"

#define POWER_TICKS 30 /* of traffic, before too little is believed; people may only be coming */
#define POWER_TEXT_BYTES 320

/* Stable's traffic while it has all of it. All zero bytes: nothing yet. */
struct power_meter {
	int64_t first, last; /* ticks with traffic: the first, the last that was added */
	uint64_t requests, errors;
	struct logbins bins;
};

/* Ticks before the first request are not counted. */
void power_meter_add(struct power_meter *m, int64_t tick, const struct arm_sample *stable);

/* What one stage could show by itself, as long as its max. */
struct power_stage {
	double error_rate;     /* the smallest of the canary's that would show; INFINITY: none would */
	double latency_factor; /* the smallest, margin included; INFINITY: none up to 16 would */
	dur_ns promote; /* that a canary like stable needs until it is proven to be within the limits, about; 0: cannot
	                        * be told */
};

struct power {
	double per_second, error_rate; /* stable's */
	double error_limit;            /* of the canary */
	double least_error_rate;       /* that the whole plan would show; INFINITY: none */
	double least_latency_factor;
	double times; /* so many times the requests would show an error rate at the limit; INFINITY: no number would */
	bool enough;  /* both limits are seen */
	bool settled; /* measured for long enough to say no */
	char text[POWER_TEXT_BYTES]; /* one sentence for people */
};

/* Nothing measured yet: not enough, not settled. */
void power_judge(const struct power_meter *m, const struct plan *plan, struct power *ret);
/* Of stage <stage> of the plan. */
void power_judge_stage(const struct power_meter *m, const struct plan *plan, size_t stage, struct power_stage *ret);

/* The figures, for the event that tells of them. Given: json_decref. */
json_t *power_encode(const struct power *p, const struct power_meter *m, const struct plan *plan);

#endif
