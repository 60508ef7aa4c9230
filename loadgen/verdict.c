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

void verdict_sums_init(struct verdict_sums *s)
{
	*s = (struct verdict_sums){ .requests = 0 };
	hist_init_latency(&s->times);
}

void verdict_sums_finish(struct verdict_sums *s)
{
	hist_finish(&s->times);
}

void verdict_sums_reset(struct verdict_sums *s)
{
	hist_reset(&s->times);
	s->requests = s->failed = s->checks = s->passed = 0;
	s->measured = 0;
}

void verdict_sums_add(struct verdict_sums *into, const struct verdict_sums *from)
{
	hist_add(&into->times, &from->times);
	into->requests += from->requests;
	into->failed += from->failed;
	into->checks += from->checks;
	into->passed += from->passed;
	into->measured += from->measured;
}

static void gather_times(const struct threshold *t, const struct meter *m, struct hist *into)
{
	const struct program *p = m->program;
	switch (t->metric) {
	case METRIC_NONE:
		return;
	case METRIC_SEND_LAG: /* is the generator's, of all requests: there is none of a flow or a step */
		if (t->flow.len + t->step.len + t->group.len == 0)
			hist_add(into, &m->lag);
		return;
	case METRIC_ITERATION_TIME:
		for (uint32_t i = 0; i < p->flow_count; i++)
			if (t->flow_index == THRESHOLD_ANY || t->flow_index == i)
				hist_add(into, &m->flows[i].iteration);
		return;
	case METRIC_RESPONSE_TIME:
	case METRIC_SERVICE_TIME:
		for (uint32_t i = 0; i < p->step_count; i++)
			if (is_meant(t, p, i))
				hist_add(into, t->metric == METRIC_SERVICE_TIME ? &m->steps[i].service
				                                                : &m->steps[i].response);
		return;
	}
}

void verdict_gather(const struct threshold *t, const struct meter *m, dur_ns measured, struct verdict_sums *into)
{
	const struct program *p = m->program;
	gather_times(t, m, &into->times);
	for (uint32_t i = 0; i < p->step_count; i++) {
		if (!is_meant(t, p, i))
			continue;
		into->requests += m->steps[i].requests;
		into->failed += m->steps[i].failed;
	}
	for (uint32_t i = 0; i < p->check_count; i++) {
		if (!is_meant(t, p, p->checks[i].step) || (t->check.len && !str_is(t->check, p->checks[i].text)))
			continue;
		into->checks += m->checks[i].passed + m->checks[i].failed;
		into->passed += m->checks[i].passed;
	}
	into->measured += measured;
}

double verdict_value(const struct threshold *t, const struct verdict_sums *s)
{
	switch (t->figure) {
	case FIGURE_CHECK_RATE:
		return s->checks ? (double)s->passed / (double)s->checks : NAN;
	case FIGURE_ERROR_RATE:
		return s->requests ? (double)s->failed / (double)s->requests : NAN;
	case FIGURE_RATE:
		return s->measured > 0 && s->requests ? (double)s->requests * (double)SECOND / (double)s->measured
		                                      : NAN;
	case FIGURE_QUANTILE:
	case FIGURE_MEAN:
	case FIGURE_MAX:
	case FIGURE_MIN:
	case FIGURE_COUNT:
		break;
	}
	/* A lag that is asked of a flow, a step or a group does not exist, not even as a count. */
	if (t->metric == METRIC_SEND_LAG && t->flow.len + t->step.len + t->group.len > 0)
		return NAN;
	return figure_of_hist(t, &s->times);
}

double verdict_figure(const struct threshold *t, const struct meter *m, dur_ns measured)
{
	struct verdict_sums s;
	verdict_sums_init(&s);
	verdict_gather(t, m, measured, &s);
	const double value = verdict_value(t, &s);
	verdict_sums_finish(&s);
	return value;
}

void verdict_threshold(const struct threshold *t, const struct meter *m, dur_ns measured, struct threshold_record *ret)
{
	const double value = verdict_figure(t, m, measured);
	ret->that = xstrndup(t->that.p, t->that.len);
	ret->has_value = !isnan(value);
	ret->value = ret->has_value ? value : 0;
	ret->met = threshold_holds(t, value);
}
