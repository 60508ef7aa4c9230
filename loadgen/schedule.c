#include "loadgen/schedule.h"

#include <math.h>

#include "base/must.h"

static double seconds(dur_ns d)
{
	return (double)d / (double)SECOND;
}

double curve_value(const struct curve *c, dur_ns t)
{
	double value = 0;
	for (uint32_t i = 0; i < c->count; i++) {
		const struct load_segment *s = &c->segments[i];
		if (t < s->duration) {
			const double part = t <= 0 ? 0 : (double)t / (double)s->duration;
			return s->from + (s->to - s->from) * part;
		}
		t -= s->duration;
		value = s->to;
	}
	return value;
}

double curve_integral(const struct curve *c, dur_ns t)
{
	double area = 0;
	for (uint32_t i = 0; i < c->count && t > 0; i++) {
		const struct load_segment *s = &c->segments[i];
		const dur_ns part = t < s->duration ? t : s->duration;
		if (part > 0) {
			const double end = s->from + (s->to - s->from) * ((double)part / (double)s->duration);
			area += (s->from + end) / 2 * seconds(part);
		}
		t -= part;
	}
	return area;
}

/* Where in <s> its own integral reaches <area>, which is below the segment's: the root of from x + slope/2 x^2 = area
 * that lies in the segment, in the form that does not cancel when the slope is small. Always before the segment's end:
 * rounding must not move the last arrival of a run behind it. */
static dur_ns when_in_segment(const struct load_segment *s, double area)
{
	if (area <= 0)
		return 0;
	const double slope = (s->to - s->from) / seconds(s->duration);
	const double root = sqrt(fmax(0, s->from * s->from + 2 * slope * area));
	const double x = 2 * area / (s->from + root);
	const dur_ns at = llround(x * (double)SECOND);
	return at < s->duration ? at : s->duration - 1;
}

/* Moves <at> to the segment in which the integral reaches <area>, and says when. Only forwards, so that a stream of
 * growing areas costs each segment once. */
static dur_ns walk_to(struct curve_cursor *at, const struct curve *c, double area)
{
	/* 1.1 x 50 is a hair more than 55: without this, 50 s at 1.1/s would have a 56th arrival just before the end. */
	const double hair = 1e-9 + 1e-14 * area;
	for (; at->segment < c->count; at->segment++) {
		const struct load_segment *s = &c->segments[at->segment];
		const double own = (s->from + s->to) / 2 * seconds(s->duration);
		/* An arrival on the very end belongs to what follows, so that a run of 1 s at 10/s has 10 of them. */
		if (area - at->area < own - hair)
			return at->start + when_in_segment(s, area - at->area);
		at->area += own;
		at->start += s->duration;
	}
	return SCHEDULE_NEVER;
}

dur_ns curve_when_integral(const struct curve *c, double area)
{
	struct curve_cursor at = { 0 };
	return walk_to(&at, c, area);
}

dur_ns curve_when_value(const struct curve *c, dur_ns from, double level)
{
	dur_ns start = 0;
	for (uint32_t i = 0; i < c->count; i++) {
		const struct load_segment *s = &c->segments[i];
		const dur_ns end = start + s->duration;
		if (from < end) {
			const dur_ns inside = from > start ? from - start : 0;
			const double value = curve_value(&(struct curve){ s, 1 }, inside);
			if (value >= level)
				return start + inside;
			if (s->to >= level) {
				const double part = (level - s->from) / (s->to - s->from);
				const dur_ns at = (dur_ns)ceil(part * (double)s->duration);
				return start + (at > inside ? at : inside);
			}
		}
		start = end;
	}
	return SCHEDULE_NEVER;
}

/* <steps> steps of the stream that all workers share. */
static void walk_stream(struct arrivals *a, uint32_t steps)
{
	a->number += steps;
	if (!a->poisson)
		a->area += steps;
	for (uint32_t i = 0; a->poisson && i < steps; i++)
		a->area += rng_exponential(&a->rng, 1);
	a->at = walk_to(&a->cursor, &a->curve, a->area);
}

void arrivals_init(struct arrivals *a, struct curve curve, bool poisson, uint32_t worker, uint32_t stride,
                   uint64_t seed)
{
	must(worker < stride);
	*a = (struct arrivals){ .curve = curve, .poisson = poisson, .stride = stride };
	rng_init(&a->rng, seed, 0x706f6973); /* a stream of its own, the same in all workers */
	if (poisson)
		a->area = rng_exponential(&a->rng, 1);
	walk_stream(a, worker);
}

void arrivals_advance(struct arrivals *a)
{
	walk_stream(a, a->stride);
}
