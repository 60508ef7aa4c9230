#include "loadgen/schedule.h"

#include <math.h>

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

/* Where in <s> its own integral reaches <area> (at most the segment's): the root of from x + slope/2 x^2 = area that
 * lies in the segment, in the form that does not cancel when the slope is small. */
static dur_ns when_in_segment(const struct load_segment *s, double area)
{
	if (area <= 0)
		return 0;
	const double slope = (s->to - s->from) / seconds(s->duration);
	const double root = sqrt(fmax(0, s->from * s->from + 2 * slope * area));
	const double x = 2 * area / (s->from + root);
	const dur_ns at = (dur_ns)(x * (double)SECOND);
	return at < s->duration ? at : s->duration;
}

dur_ns curve_when_integral(const struct curve *c, double area)
{
	dur_ns start = 0;
	for (uint32_t i = 0; i < c->count; i++) {
		const struct load_segment *s = &c->segments[i];
		const double own = (s->from + s->to) / 2 * seconds(s->duration);
		/* An arrival on the very end belongs to what follows, so that a run of 1 s at 10/s has 10 of them. */
		if (area < own)
			return start + when_in_segment(s, area);
		area -= own;
		start += s->duration;
	}
	return SCHEDULE_NEVER;
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

/* One step of the stream that all workers share. */
static void next_in_stream(struct arrivals *a)
{
	a->area += a->poisson ? rng_exponential(&a->rng, 1) : 1;
	a->number++;
}

void arrivals_init(struct arrivals *a, struct curve curve, bool poisson, uint32_t worker, uint32_t stride,
                   uint64_t seed)
{
	*a = (struct arrivals){ .curve = curve, .poisson = poisson, .stride = stride };
	rng_init(&a->rng, seed, 0x706f6973); /* a stream of its own, the same in all workers */
	if (poisson)
		a->area = rng_exponential(&a->rng, 1);
	for (uint32_t i = 0; i < worker; i++)
		next_in_stream(a);
	a->at = curve_when_integral(&a->curve, a->area);
}

void arrivals_advance(struct arrivals *a)
{
	for (uint32_t i = 0; i < a->stride; i++)
		next_in_stream(a);
	a->at = curve_when_integral(&a->curve, a->area);
}
