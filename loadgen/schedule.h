/* schedule.h: when iterations are meant to begin. Pure arithmetic over a program's load segments.
 *
 * The schedule is absolute: arrival k of an open load is at F^-1(k), where F(t) is the integral of the rate from 0 to
 * t. Nothing that happens during a run moves it. Time is nanoseconds since the executor's start.
 *
 * curve   piecewise linear: users, or iterations per second. A segment of duration 0 is a jump.
 * Threads: [any], curves are immutable. */
#ifndef WEIR_LOADGEN_SCHEDULE_H
#define WEIR_LOADGEN_SCHEDULE_H

#include "base/clock.h"
#include "base/rng.h"
#include "scenarios/program.h"

struct curve {
	const struct load_segment *segments; /* kept */
	uint32_t count;
};

#define SCHEDULE_NEVER INT64_MAX

/* The value at <t>; that of the last segment's end from there on. */
double curve_value(const struct curve *c, dur_ns t);

/* The integral of the value over time (in seconds) from 0 to <t>: for a rate, the arrivals before <t>. */
double curve_integral(const struct curve *c, dur_ns t);

/* The instant (to the nearest ns) at which the integral reaches <area> and goes on: where the rate pauses on the very
 * number, the end of the pause. SCHEDULE_NEVER when it never passes <area>. */
dur_ns curve_when_integral(const struct curve *c, double area);

/* The least t >= <from> at which the value is at least <level>; SCHEDULE_NEVER when it never is again. */
dur_ns curve_when_value(const struct curve *c, dur_ns from, double level);

/* How far a stream of growing areas has come. */
struct curve_cursor {
	uint32_t segment;
	dur_ns start; /* of the segment */
	double area;  /* of all segments before it */
};

/* The planned instants of an open load, one after the other, for one of <stride> workers: every stride-th arrival. All
 * workers walk the same stream, so that together they make exactly the arrivals of the whole. */
struct arrivals {
	struct curve curve;
	bool poisson;
	uint32_t stride;
	uint64_t number; /* of the next arrival for this worker */
	double area;     /* of the integral at which it comes */
	dur_ns at;       /* SCHEDULE_NEVER: there are no more */
	struct curve_cursor cursor;
	struct rng rng;
};

/* <worker> from 0 to stride-1. Poisson: the integral grows by exponential steps of mean 1 (time change of a Poisson
 * process, Cinlar 1975, section 4.7), from a stream that depends on <seed> only. */
void arrivals_init(struct arrivals *a, struct curve curve, bool poisson, uint32_t worker, uint32_t stride,
                   uint64_t seed);

/* Moves on to this worker's next arrival. */
void arrivals_advance(struct arrivals *a);

#endif
