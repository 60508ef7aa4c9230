#include "loadgen/verdict.h"

#include <math.h>

#include "base/mem.h"

/* The steps that a threshold is about. */
static bool is_meant(const struct threshold *t, const struct program *p, uint32_t step)
{
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
		break;
	}
	return NAN;
}

static double figure_of_times(const struct threshold *t, const struct meter *m)
{
	struct hist all;
	if (t->metric == METRIC_SEND_LAG) /* is the generator's, of all requests: there is none of a flow or a step */
		return t->flow.len || t->step.len ? NAN : figure_of_hist(t, &m->lag);
	hist_init_latency(&all);
	for (uint32_t i = 0; i < m->program->step_count; i++)
		if (is_meant(t, m->program, i))
			hist_add(&all, t->metric == METRIC_SERVICE_TIME ? &m->steps[i].service : &m->steps[i].response);
	const double figure = figure_of_hist(t, &all);
	hist_finish(&all);
	return figure;
}

double verdict_figure(const struct threshold *t, const struct meter *m, dur_ns measured)
{
	uint64_t requests = 0, failed = 0;
	if (t->figure != FIGURE_ERROR_RATE && t->figure != FIGURE_RATE)
		return figure_of_times(t, m);
	for (uint32_t i = 0; i < m->program->step_count; i++)
		if (is_meant(t, m->program, i)) {
			requests += m->steps[i].requests;
			failed += m->steps[i].failed;
		}
	if (t->figure == FIGURE_RATE)
		return measured > 0 && requests ? (double)requests * (double)SECOND / (double)measured : NAN;
	return requests ? (double)failed / (double)requests : NAN;
}

void verdict_threshold(const struct threshold *t, const struct meter *m, dur_ns measured,
                       struct threshold_record *ret)
{
	const double value = verdict_figure(t, m, measured);
	ret->that = xstrndup(t->that.p, t->that.len);
	ret->has_value = !isnan(value);
	ret->value = ret->has_value ? value : 0;
	ret->met = threshold_holds(t, value);
}
