#include "loadgen/verdict.h"

#include <math.h>

#include "base/mem.h"

static bool is_in_group(const struct program *p, uint32_t group, uint32_t wanted)
{
	while (group != PROGRAM_NONE && group != wanted)
		group = p->groups[group].parent;
	return group == wanted;
}

/* The steps that a threshold is about. */
static bool is_meant(const struct threshold *t, const struct program *p, uint32_t step)
{
	if (t->group_index != THRESHOLD_ANY && !is_in_group(p, p->steps[step].group, t->group_index))
		return false;
	if (t->step_index != THRESHOLD_ANY)
		return t->step_index == step;
	/* A step name without a flow means that step of every flow that has one. */
	if (t->step.len && !str_is(t->step, p->steps[step].name))
		return false;
	return t->flow_index == THRESHOLD_ANY || t->flow_index == p->steps[step].flow;
}

static double figure_of_hist(const struct threshold *t, const struct hist *h)
{
	if (t->figure == FIGURE_COUNT)
		return (double)hist_count(h);
	if (hist_count(h) == 0)
		return NAN;
	switch (t->figure) {
	case FIGURE_QUANTILE:
		return (double)hist_quantile(h, t->quantile);
	case FIGURE_MEAN:
		return hist_mean(h);
	case FIGURE_MAX:
		return (double)hist_max(h);
	case FIGURE_MIN:
		return (double)hist_min(h);
	case FIGURE_COUNT:
	case FIGURE_ERROR_RATE:
	case FIGURE_RATE:
	case FIGURE_CHECK_RATE:
		break;
	}
	return NAN;
}

static double figure_of_times(const struct threshold *t, const struct meter *m)
{
	const struct program *p = m->program;
	struct hist all;
	if (t->metric == METRIC_SEND_LAG) /* is the generator's, of all requests: there is none of a flow or a step */
		return t->flow.len || t->step.len || t->group.len ? NAN : figure_of_hist(t, &m->lag);
	hist_init_latency(&all);
	for (uint32_t i = 0; t->metric == METRIC_ITERATION_TIME && i < p->flow_count; i++)
		if (t->flow_index == THRESHOLD_ANY || t->flow_index == i)
			hist_add(&all, &m->flows[i].iteration);
	for (uint32_t i = 0; t->metric != METRIC_ITERATION_TIME && i < p->step_count; i++)
		if (is_meant(t, p, i))
			hist_add(&all, t->metric == METRIC_SERVICE_TIME ? &m->steps[i].service : &m->steps[i].response);
	const double figure = figure_of_hist(t, &all);
	hist_finish(&all);
	return figure;
}

static double figure_of_checks(const struct threshold *t, const struct meter *m)
{
	const struct program *p = m->program;
	uint64_t passed = 0, failed = 0;
	for (uint32_t i = 0; i < p->check_count; i++) {
		if (!is_meant(t, p, p->checks[i].step) || (t->check.len && !str_is(t->check, p->checks[i].text)))
			continue;
		passed += m->checks[i].passed;
		failed += m->checks[i].failed;
	}
	return passed + failed ? (double)passed / (double)(passed + failed) : NAN;
}

static double figure_of_requests(const struct threshold *t, const struct meter *m, dur_ns measured)
{
	uint64_t requests = 0, failed = 0;
	for (uint32_t i = 0; i < m->program->step_count; i++)
		if (is_meant(t, m->program, i)) {
			requests += m->steps[i].requests;
			failed += m->steps[i].failed;
		}
	if (t->figure == FIGURE_RATE)
		return measured > 0 && requests ? (double)requests * (double)SECOND / (double)measured : NAN;
	return requests ? (double)failed / (double)requests : NAN;
}

double verdict_figure(const struct threshold *t, const struct meter *m, dur_ns measured)
{
	if (t->figure == FIGURE_CHECK_RATE)
		return figure_of_checks(t, m);
	if (t->figure == FIGURE_ERROR_RATE || t->figure == FIGURE_RATE)
		return figure_of_requests(t, m, measured);
	return figure_of_times(t, m);
}

void verdict_threshold(const struct threshold *t, const struct meter *m, dur_ns measured, struct threshold_record *ret)
{
	const double value = verdict_figure(t, m, measured);
	ret->that = xstrndup(t->that.p, t->that.len);
	ret->has_value = !isnan(value);
	ret->value = ret->has_value ? value : 0;
	ret->met = threshold_holds(t, value);
}
