#include "observe/sampler.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"

static void answer(struct loop_timer *t)
{
	struct sampler *s = container_of(t, struct sampler, timer);
	if (!s->ended) {
		if (s->ops->give_up)
			s->ops->give_up(s);
		for (size_t i = 0; i < s->series_count; i++)
			s->values[i] = NAN;
		err_set(&s->err, ERR_UNREACHABLE, "no answer within %d ms", (int)(SAMPLER_LIMIT / MILLISECOND));
	}
	conceal_all(s->secrets, s->err.text, sizeof(s->err.text));
	/* Copies: the callback may ask again. */
	const struct err err = s->err;
	double values[SAMPLER_SERIES_MAX];
	for (size_t i = 0; i < s->series_count; i++)
		values[i] = s->values[i];
	s->busy = false;
	s->done(s->arg, values, err.kind == ERR_NONE ? NULL : &err);
}

void sampler_sample(struct sampler *s, sampler_answered *done, void *arg)
{
	must(!s->busy);
	s->busy = true;
	s->ended = false;
	s->done = done;
	s->arg = arg;
	s->err = (struct err){ .kind = ERR_NONE };
	for (size_t i = 0; i < s->series_count; i++)
		s->values[i] = NAN;
	loop_timer_start(s->loop, &s->timer, SAMPLER_LIMIT, answer);
	s->ops->start(s);
}

void sampler_end(struct sampler *s)
{
	must(s->busy && !s->ended);
	s->ended = true;
	loop_timer_start(s->loop, &s->timer, 0, answer);
}

void sampler_init(struct sampler *s, const struct sampler_ops *ops, struct loop *loop)
{
	s->ops = ops;
	s->loop = loop;
}

void sampler_finish(struct sampler *s)
{
	loop_timer_stop(s->loop, &s->timer);
	for (size_t i = 0; i < s->series_count; i++) {
		free(s->series[i].name);
		free(s->series[i].unit);
	}
	s->series_count = 0;
}

void sampler_destroy(struct sampler *s)
{
	if (s)
		s->ops->destroy(s);
}

size_t sampler_add(struct sampler *s, const char *name, const char *series, const char *unit)
{
	must(s->series_count < SAMPLER_SERIES_MAX);
	s->series[s->series_count] = (struct sampler_series){ xasprintf("%s %s", name, series), xstrdup(unit), NAN };
	return s->series_count++;
}

double counter_rate_take(struct counter_rate *c, double value, struct mono now)
{
	const struct counter_rate before = *c;
	*c = isnan(value) ? (struct counter_rate){ 0 } : (struct counter_rate){ value, now };
	if (isnan(value) || before.at.ns == 0 || value < before.last || now.ns <= before.at.ns)
		return NAN;
	return (value - before.last) / ((double)mono_since(now, before.at) / (double)SECOND);
}
