#include "observe/sampler.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"

static void forget_reasons(struct sampler *s)
{
	s->err.kind = ERR_NONE;
	s->err.text[0] = '\0';
	s->partial = false;
	for (size_t i = 0; i < s->series_count; i++)
		s->whys[i].kind = ERR_NONE;
}

static void answer(struct loop_timer *t)
{
	struct sampler *s = container_of(t, struct sampler, timer);
	if (!s->ended) {
		if (s->ops->give_up)
			s->ops->give_up(s);
		for (size_t i = 0; i < s->series_count; i++)
			s->values[i] = NAN;
		forget_reasons(s);
		err_set(&s->err, ERR_UNREACHABLE, "no answer within %d ms", (int)(SAMPLER_LIMIT / MILLISECOND));
	}
	conceal_all(s->secrets, s->err.text, sizeof(s->err.text));
	for (size_t i = 0; i < s->series_count; i++)
		if (s->whys[i].kind != ERR_NONE)
			conceal_all(s->secrets, s->whys[i].text, sizeof(s->whys[i].text));
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
	forget_reasons(s);
	for (size_t i = 0; i < s->series_count; i++)
		s->values[i] = NAN;
	loop_timer_start(s->loop, &s->timer, SAMPLER_LIMIT, answer);
	s->ops->start(s);
}

void sampler_miss(struct sampler *s, size_t number, const struct err *why)
{
	must(number < s->series_count);
	s->whys[number] = *why;
	if (s->err.kind != ERR_NONE)
		return;
	s->err = *why;
	s->partial = true;
}

const struct err *sampler_why(const struct sampler *s, size_t number)
{
	must(number < s->series_count);
	if (s->whys[number].kind != ERR_NONE)
		return &s->whys[number];
	return s->partial || s->err.kind == ERR_NONE ? NULL : &s->err;
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
