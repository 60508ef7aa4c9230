#include "canary/power.h"

#include <math.h>
#include <stdio.h>

#include "base/must.h"
#include "base/units.h"
#include "stats/planner.h"

#define HARM_RATIO 1.1 /* the null of the evidence of harm, evidence.h */
#define ERROR_RATE_MOST .98
#define PROMOTE_ODDS 20
#define PROMOTE_LAST_ODDS 100

void power_meter_add(struct power_meter *m, int64_t tick, const struct arm_sample *stable)
{
	if (m->requests == 0)
		m->first = tick;
	m->last = tick;
	m->requests += stable->requests;
	m->errors += stable->errors;
	logbins_add(&m->bins, &stable->bins);
}

static double ticks_of(const struct power_meter *m)
{
	return m->requests > 0 ? (double)(m->last - m->first + 1) : 0;
}

static double per_second_of(const struct power_meter *m)
{
	return m->requests > 0 ? (double)m->requests / ticks_of(m) : 0;
}

/* Where no request failed yet, one may be about to. */
static double error_rate_of(const struct power_meter *m)
{
	return ((double)m->errors + .5) / ((double)m->requests + 1);
}

static double share_of(const struct plan_stage *s)
{
	return s->weight_bp / (double)WEIGHT_FULL_BP;
}

static bool compares(const struct plan_stage *s)
{
	return s->weight_bp > 0 && s->weight_bp < WEIGHT_FULL_BP;
}

/* Requests of both arms in the stage. The warm-up falls into the first stage with canary traffic. */
static double requests_in(const struct power_meter *m, const struct plan *plan, size_t stage)
{
	size_t first = 0;
	while (first < plan->stage_count && plan->stages[first].weight_bp == 0)
		first++;
	dur_ns time = plan->stages[stage].max;
	if (stage == first)
		time -= plan->compare.warmup < time ? plan->compare.warmup : time;
	return per_second_of(m) * (double)time / (double)SECOND;
}

static double needed(const struct plan *plan)
{
	return PLANNER_SLACK_ERRORS * log(4 / plan->compare.alpha);
}

/* That stages from..until-1 give about a canary with the error rate <p_c>, in nats. */
static double information(const struct power_meter *m, const struct plan *plan, double p_c, size_t from, size_t until)
{
	const struct null worse = { HARM_RATIO, 0 };
	double sum = 0;
	for (size_t i = from; i < until; i++) {
		const struct plan_stage *s = &plan->stages[i];
		if (compares(s))
			sum += requests_in(m, plan, i) * planner_klinf(share_of(s), p_c, error_rate_of(m), worse);
	}
	return sum;
}

static double least_error_rate(const struct power_meter *m, const struct plan *plan, size_t from, size_t until)
{
	double low = error_rate_of(m), high = ERROR_RATE_MOST;
	if (low >= high || information(m, plan, high, from, until) < needed(plan))
		return INFINITY;
	for (int i = 0; i < 50; i++) {
		const double mid = sqrt(low * high);
		if (information(m, plan, mid, from, until) < needed(plan))
			low = mid;
		else
			high = mid;
	}
	return high;
}

static double least_latency_factor(const struct power_meter *m, const struct plan *plan, size_t stage)
{
	const struct plan_stage *s = &plan->stages[stage];
	if (!compares(s))
		return INFINITY;
	return (1 + plan->compare.latency_margin) * planner_least_latency_factor(&m->bins, requests_in(m, plan, stage),
	                                                                         share_of(s), plan->compare.alpha / 4,
	                                                                         PLANNER_SLACK_LATENCY);
}

/* Only error rates: they are what takes long. */
static dur_ns time_to_promote(const struct power_meter *m, const struct plan *plan, size_t stage)
{
	const struct plan_stage *s = &plan->stages[stage];
	const struct null limit = { plan->compare.errors_ratio, plan->compare.errors_slack };
	const double rate = error_rate_of(m);
	const bool last = stage + 1 == plan->stage_count || plan->stages[stage + 1].weight_bp == WEIGHT_FULL_BP;
	if (!compares(s) || m->requests == 0)
		return 0;
	const double each = planner_klinf_promote(share_of(s), rate, rate, limit) * per_second_of(m);
	const double seconds = PLANNER_SLACK_ERRORS * log(last ? PROMOTE_LAST_ODDS : PROMOTE_ODDS) / each;
	return seconds < 1e9 ? (dur_ns)(seconds * (double)SECOND) : 0;
}

void power_judge_stage(const struct power_meter *m, const struct plan *plan, size_t stage, struct power_stage *ret)
{
	must(stage < plan->stage_count);
	ret->error_rate = least_error_rate(m, plan, stage, stage + 1);
	ret->latency_factor = least_latency_factor(m, plan, stage);
	ret->promote = time_to_promote(m, plan, stage);
}

/* --- words --- */

#define NUMBER_BYTES 48

/* <value> with <unit>, or "none". */
static void least_text(double value, const char *unit, char ret[NUMBER_BYTES])
{
	if (isfinite(value))
		snprintf(ret, NUMBER_BYTES, "%.3g%s", value, unit);
	else
		snprintf(ret, NUMBER_BYTES, "none");
}

static void write_text(const struct plan *plan, struct power *p)
{
	char errors[NUMBER_BYTES], latency[NUMBER_BYTES], times[NUMBER_BYTES] = "";
	least_text(p->least_error_rate * 100, " %", errors);
	least_text(p->least_latency_factor, " x", latency);
	if (p->times > 1 && p->times < 1e6)
		snprintf(times, sizeof(times), "; it takes %.2g times the traffic or time", ceil(p->times * 10) / 10);
	if (p->enough)
		snprintf(p->text, sizeof(p->text),
		         "%.3g requests/s, %.2g %% errors: the stages can show an error rate of %s (limit %.3g %%) and "
		         "latencies of %s (limit %.3g x)",
		         p->per_second, p->error_rate * 100, errors, p->error_limit * 100, latency,
		         plan->compare.latency_ratio);
	else
		snprintf(
			p->text, sizeof(p->text),
			"%.3g requests/s are too little to see what the plan guards against: an error rate of %.3g %% (the "
			"smallest that the stages could show: %s) and latencies of %.3g x (%s)%s",
			p->per_second, p->error_limit * 100, errors, plan->compare.latency_ratio, latency, times);
}

void power_judge(const struct power_meter *m, const struct plan *plan, struct power *ret)
{
	const double rate = error_rate_of(m);
	const double limit = fmin(plan->compare.errors_ratio * rate + plan->compare.errors_slack, ERROR_RATE_MOST);
	const double shown = information(m, plan, limit, 0, plan->stage_count);
	*ret = (struct power){
		.per_second = per_second_of(m),
		.error_rate = rate,
		.error_limit = limit,
		.least_error_rate = least_error_rate(m, plan, 0, plan->stage_count),
		.least_latency_factor = INFINITY,
		.times = shown > 0 ? needed(plan) / shown : INFINITY,
		.settled = ticks_of(m) >= POWER_TICKS,
	};
	for (size_t i = 0; i < plan->stage_count; i++)
		ret->least_latency_factor = fmin(ret->least_latency_factor, least_latency_factor(m, plan, i));
	ret->enough = m->requests > 0 && ret->times <= 1 && ret->least_latency_factor <= plan->compare.latency_ratio;
	write_text(plan, ret);
}

static void set_number(json_t *object, const char *key, double value)
{
	json_object_set_new(object, key, isfinite(value) ? json_real(value) : json_null());
}

json_t *power_encode(const struct power *p, const struct power_meter *m, const struct plan *plan)
{
	json_t *j = json_object(), *stages = json_array();
	set_number(j, "requests_per_second", p->per_second);
	set_number(j, "error_rate", p->error_rate);
	set_number(j, "error_limit", p->error_limit);
	set_number(j, "least_error_rate", p->least_error_rate);
	set_number(j, "latency_limit", plan->compare.latency_ratio);
	set_number(j, "least_latency_factor", p->least_latency_factor);
	for (size_t i = 0; i < plan->stage_count; i++) {
		json_t *stage = json_object();
		struct power_stage s;
		power_judge_stage(m, plan, i, &s);
		json_object_set_new(stage, "weight_bp", json_integer(plan->stages[i].weight_bp));
		set_number(stage, "least_error_rate", s.error_rate);
		set_number(stage, "least_latency_factor", s.latency_factor);
		set_number(stage, "seconds_to_promote", s.promote > 0 ? (double)s.promote / (double)SECOND : NAN);
		json_array_append_new(stages, stage);
	}
	json_object_set_new(j, "stages", stages);
	return j;
}
