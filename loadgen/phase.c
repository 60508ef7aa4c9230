#include "loadgen/phase.h"

#define NEAR (SECOND / 4)

struct span {
	dur_ns from, to; /* of the run; <to> is not in it */
};

static bool has_instant(struct span s, dur_ns at)
{
	return at > 0 && at >= s.from && at < s.to;
}

static bool overlaps(struct span s, dur_ns from, dur_ns to)
{
	return from < s.to && to > s.from;
}

static bool differs(double a, double b)
{
	return a < b || a > b;
}

static bool counts_iterations(const struct executor_plan *x)
{
	return x->kind == EXECUTOR_PER_USER || x->kind == EXECUTOR_SHARED;
}

static bool executor_changes(const struct executor_plan *x, struct span s)
{
	double level = 0;
	dur_ns at = x->start;
	if (counts_iterations(x))
		return has_instant(s, at);
	for (uint32_t i = 0; i < x->segment_count; i++) {
		const struct load_segment *part = &x->segments[i];
		if (differs(part->from, level) && has_instant(s, at))
			return true;
		if (differs(part->from, part->to) && overlaps(s, at, at + part->duration))
			return true;
		level = part->to;
		at += part->duration;
	}
	return level > 0 && has_instant(s, at);
}

bool phase_changes(const struct program *p, dur_ns from, dur_ns to)
{
	const struct span s = { from, to < p->duration ? to : p->duration };
	for (uint32_t i = 0; i < p->executor_count; i++)
		if (executor_changes(&p->executors[i], s))
			return true;
	return false;
}

static dur_ns snap(dur_ns t)
{
	const dur_ns whole = (t + SECOND / 2) / SECOND * SECOND, off = t > whole ? t - whole : whole - t;
	return off < NEAR ? whole : t;
}

enum second_phase phase_of(const struct program *p, int32_t second, dur_ns from, dur_ns to)
{
	if (second < 0)
		return PHASE_WARMUP;
	return phase_changes(p, snap(from), snap(to)) ? PHASE_RAMP : PHASE_STEADY;
}
