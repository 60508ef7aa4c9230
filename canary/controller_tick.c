#include "canary/controller_state.h"

#include <math.h>

#include "base/must.h"

void tick_take(struct controller *c)
{
	source_sample_reset(&c->sample);
	c->o.source->ops->take(c->o.source, &c->sample);
}

void tick_begin(struct controller *c)
{
	const struct mono now = mono_now();
	const int64_t seconds = mono_since(now, c->tick_start) / SECOND;
	c->tick_at = mono_after(c->tick_start, (seconds + 1) * SECOND);
	/* What came before the data plane answered us belongs to no tick. */
	if (!c->machine.prepared)
		tick_take(c);
	/* One tick at a time when the data plane is slow: the next one then has the requests of both. */
	if (!c->machine.prepared || c->tick_waits || !machine_running(&c->machine))
		return;
	c->tick = c->tick_base + seconds;
	c->tick_waits = true;
	c->drive.want_observe = true;
}

/* --- are the source's lines complete? ---------------------------------------------------------------------------- */

/* Requests that the balancer finished; one that is under way has no line yet. */
static uint64_t finished(const struct driver_observation *o, int arm)
{
	return o->requests[arm] > o->in_flight[arm] ? o->requests[arm] - o->in_flight[arm] : 0;
}

static void restart_count(struct completeness *k, const struct driver_observation *o)
{
	*k = (struct completeness){ .generation = o->generation };
	for (int a = 0; a < ARMS; a++) {
		k->base[a] = finished(o, a);
		k->requests_before[a] = o->requests[a];
	}
}

/* The observation was made before the sample was taken, so every request it counts as finished should have its line: what
 * is not there is lost. Told once, when it becomes more than before. */
static uint64_t missing_lines(struct completeness *k, const struct driver_observation *o, const struct source_sample *s)
{
	if (o->generation != k->generation) {
		restart_count(k, o);
		return 0;
	}
	k->lines += s->lines;
	uint64_t counted = 0;
	for (int a = 0; a < ARMS; a++)
		counted += finished(o, a) > k->base[a] ? finished(o, a) - k->base[a] : 0;
	const uint64_t missing = counted > k->lines ? counted - k->lines : 0;
	const uint64_t news = missing > k->told ? missing - k->told : 0;
	k->told += news;
	return news;
}

static double share_of(struct completeness *k, const struct driver_observation *o)
{
	double requests[ARMS];
	for (int a = 0; a < ARMS; a++) {
		const uint64_t before = k->requests_before[a];
		requests[a] = o->requests[a] > before ? (double)(o->requests[a] - before) : 0;
		k->requests_before[a] = o->requests[a];
	}
	const double all = requests[ARM_CANARY] + requests[ARM_STABLE];
	return all > 0 ? requests[ARM_CANARY] / all : NAN;
}

/* --- the tick ---------------------------------------------------------------------------------------------------- */

static double known(double x)
{
	return isfinite(x) ? x : 0;
}

static void record_tick(struct controller *c)
{
	struct tick_record *t = &c->last_tick;
	const struct assessment *a = &c->assessment;
	*t = (struct tick_record){ .tick = c->tick, .at = wall_now(), .weight_bp = c->machine.asked_bp };
	for (int i = 0; i < ARMS; i++) {
		static const double quantiles[] = { 0.5, 0.95, 0.99 };
		const struct arm_sample *s = &c->sample.arms[i];
		int64_t values[ARRAY_LEN(quantiles)] = { 0 };
		if (s->latency)
			hist_quantiles(s->latency, quantiles, ARRAY_LEN(quantiles), values);
		t->arms[i] = (struct arm_tick){ s->requests, s->errors, s->client_aborts,
			                        values[0],   values[1], values[2] };
	}
	t->harm_errors = known(a->harm_errors);
	t->harm_latency = known(a->harm_latency);
	t->promote_errors = known(a->promote_errors);
	t->promote_latency = known(a->promote_latency);
	if (c->unsaved_count == TICKS_UNSAVED_MAX) {
		glitch("a tick's record was dropped: the store took none for a minute");
		c->unsaved_count--;
	}
	c->unsaved[c->unsaved_count++] = *t;
}

static void show(struct controller *c, bool observed)
{
	const struct controller_live live = {
		.plan = c->o.plan,
		.record = &c->record,
		.machine = &c->machine,
		.assessment = &c->assessment,
		.tick = &c->last_tick,
		.observed = observed,
		.seen = c->drive.seen,
		.share = c->share,
	};
	if (c->o.listener.tick)
		c->o.listener.tick(c->o.listener.arg, &live);
}

/* Can this traffic show what the plan guards against? Asked until the first shift. */
static const struct power *judge_power(struct controller *c)
{
	const struct arm_sample *stable = &c->sample.arms[ARM_STABLE];
	if (c->machine.state != ROLLOUT_GATING)
		return NULL;
	if (stable->requests > 0 || c->power_meter.requests > 0)
		power_meter_add(&c->power_meter, c->tick, stable);
	power_judge(&c->power_meter, c->o.plan, &c->power);
	return &c->power;
}

void tick_end(struct controller *c, const struct driver_observation *seen_or_null)
{
	c->tick_waits = false;
	tick_take(c);
	uint64_t missing = 0;
	c->share = NAN;
	if (seen_or_null) {
		missing = missing_lines(&c->complete, seen_or_null, &c->sample);
		c->share = share_of(&c->complete, seen_or_null);
	}
	const struct evidence_tick in = {
		.tick = c->tick,
		.weight_bp = c->machine.asked_bp,
		.stage = c->machine.stage,
		.last = machine_last_stage(&c->machine),
		.missing = missing,
		.sample = &c->sample,
	};
	evidence_apply(c->evidence, &in, &c->assessment);
	record_tick(c);
	story_tick(c);
	controller_step(c, (struct machine_event){
				   .kind = MACHINE_TICK, .assessment = &c->assessment, .power = judge_power(c) });
	show(c, seen_or_null != NULL);
}
