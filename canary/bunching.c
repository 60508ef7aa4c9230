#include "canary/bunching.h"

#include <math.h>
#include <string.h>

#include "base/must.h"

#define WINDOW_TICKS 10
#define FADE 0.98851402035289613 /* 2^(-10/600): half-life 600 ticks, once per window */

void bunching_init(struct bunching *b)
{
	*b = (struct bunching){ 0 };
	bunching_estimate(b);
}

/* --- counting a tick --- */

/* Requests of one group above each limit, and all of them: one pass from the slow end. */
static void count_bins(const uint32_t bins[LOGBINS], const int limits[BUNCHING_LIMITS],
                       double ret_above[BUNCHING_LIMITS], double *ret_all)
{
	uint32_t from[LOGBINS + 1];
	from[LOGBINS] = 0;
	for (int i = LOGBINS - 1; i >= 0; i--)
		from[i] = from[i + 1] + bins[i];
	for (int i = 0; i < BUNCHING_LIMITS; i++)
		ret_above[i] = from[limits[i] < 0 ? 0 : limits[i] >= LOGBINS ? LOGBINS : limits[i] + 1];
	*ret_all = from[0];
}

/* A slow failure is counted twice and cannot be told: the larger count is never too much (as evidence.c's). */
static double broken(double slow, double errors, double requests)
{
	return fmin(fmax(slow, errors), requests);
}

/* False: nothing is known by this grouping. */
static bool count_groups(const struct source_groups *g, const int limits[BUNCHING_LIMITS], struct bunching_counts *ret)
{
	double all = 0;
	for (int i = 0; i < SOURCE_GROUPS; i++) {
		double above[BUNCHING_LIMITS];
		count_bins(g->bins[i], limits, above, &ret->requests[i]);
		const double errors = fmin(g->errors[i], ret->requests[i]);
		ret->events[BUNCHING_ERRORS][i] = errors;
		for (int j = 0; j < BUNCHING_LIMITS; j++)
			ret->events[BUNCHING_LATENCY(j)][i] = above[j];
		ret->events[BUNCHING_SLO][i] = broken(above[BUNCHING_LIMITS - 1], errors, ret->requests[i]);
		all += ret->requests[i];
	}
	return all > 0;
}

static void add_counts(struct bunching_counts *into, const struct bunching_counts *from)
{
	for (int i = 0; i < SOURCE_GROUPS; i++) {
		into->requests[i] += from->requests[i];
		for (int m = 0; m < BUNCHING_METRICS; m++)
			into->events[m][i] += from->events[m][i];
	}
}

static void by_server(struct bunching *b, const struct bunching_counts *servers)
{
	b->servers = 0;
	for (int i = 0; i < SOURCE_GROUPS; i++)
		b->servers += servers->requests[i] > 0;
	for (int m = 0; m < BUNCHING_METRICS; m++)
		dispersion_add_window(&b->ways[BUNCHED_BY_SERVER][m], servers->events[m], servers->requests,
		                      SOURCE_GROUPS);
}

static void by_time(struct bunching *b, const struct arm_sample *stable, const int limits[BUNCHING_LIMITS])
{
	double events[BUNCHING_METRICS];
	int64_t above[BUNCHING_LIMITS];
	const double requests = (double)stable->requests, errors = fmin((double)stable->errors, requests);
	logbins_above_each(&stable->bins, limits, BUNCHING_LIMITS, 0, above);
	events[BUNCHING_ERRORS] = errors;
	for (int j = 0; j < BUNCHING_LIMITS; j++)
		events[BUNCHING_LATENCY(j)] = fmin((double)above[j], requests);
	events[BUNCHING_SLO] = broken((double)above[BUNCHING_LIMITS - 1], errors, requests);
	for (int m = 0; b->waits && m < BUNCHING_METRICS; m++)
		dispersion_add_window(&b->ways[BUNCHED_BY_TIME][m], (double[]){ b->first_events[m], events[m] },
		                      (double[]){ b->first_requests, requests }, 2);
	b->waits = !b->waits;
	b->first_requests = requests;
	memcpy(b->first_events, events, sizeof(events));
}

static void close_window(struct bunching *b)
{
	for (int w = 0; w < BUNCHING_WAYS; w++) {
		for (int m = 0; m < BUNCHING_METRICS; m++) {
			dispersion_fade(&b->ways[w][m], FADE);
			if (w < BUNCHING_GROUPED)
				dispersion_add_window(&b->ways[w][m], b->open[w].events[m], b->open[w].requests,
				                      SOURCE_GROUPS);
		}
	}
	memset(b->open, 0, sizeof(b->open));
	b->ticks = 0;
}

void bunching_tick(struct bunching *b, const struct source_sample *s, const int limits[BUNCHING_LIMITS])
{
	static const enum grouping groupings[BUNCHING_GROUPED] = { GROUPED_BY_USER, GROUPED_BY_CONNECTION };
	struct bunching_counts counts;
	if (s->arms[ARM_STABLE].requests == 0)
		return;
	for (int w = 0; w < BUNCHING_GROUPED; w++) {
		if (count_groups(&s->stable[groupings[w]], limits, &counts))
			add_counts(&b->open[w], &counts);
	}
	if (count_groups(&s->stable[GROUPED_BY_SERVER], limits, &counts))
		by_server(b, &counts);
	by_time(b, &s->arms[ARM_STABLE], limits);
	if (++b->ticks >= WINDOW_TICKS)
		close_window(b);
	bunching_estimate(b);
}

/* --- phi --- */

static double phi_of(const struct bunching *b, int way, int metric)
{
	struct dispersion d = b->ways[way][metric];
	if (way < BUNCHING_GROUPED)
		dispersion_add_window(&d, b->open[way].events[metric], b->open[way].requests, SOURCE_GROUPS);
	return dispersion_phi(&d);
}

void bunching_estimate(struct bunching *b)
{
	for (int m = 0; m < BUNCHING_METRICS; m++) {
		b->phi[m] = 1;
		for (int w = 0; w < BUNCHING_WAYS; w++) {
			if (w != BUNCHED_BY_TIME || b->servers < 2)
				b->phi[m] = fmax(b->phi[m], phi_of(b, w, m));
		}
	}
}

/* --- over a restart --- */

/* One walk for writing and for reading, so that the two cannot differ. */
struct values {
	double *out;      /* writing */
	const double *in; /* reading; NULL when writing */
	size_t at;
	bool ok;
};

static void walk(struct values *v, double *x, size_t count)
{
	for (size_t i = 0; i < count; i++, v->at++) {
		if (!v->in) {
			v->out[v->at] = x[i];
			continue;
		}
		x[i] = v->in[v->at];
		v->ok = v->ok && isfinite(x[i]) && x[i] >= 0 && x[i] < 1e30;
	}
}

static void walk_window(struct values *v, struct bunching *b)
{
	for (int w = 0; w < BUNCHING_GROUPED; w++) {
		struct bunching_counts *c = &b->open[w];
		walk(v, c->requests, SOURCE_GROUPS);
		for (int m = 0; m < BUNCHING_METRICS; m++) {
			walk(v, c->events[m], SOURCE_GROUPS);
			for (int i = 0; i < SOURCE_GROUPS; i++)
				v->ok = v->ok && c->events[m][i] <= c->requests[i];
		}
	}
}

static void walk_all(struct values *v, struct bunching *b)
{
	double whole[] = { (double)b->ticks, b->waits, (double)b->servers, b->first_requests };
	for (int w = 0; w < BUNCHING_WAYS; w++) {
		for (int m = 0; m < BUNCHING_METRICS; m++) {
			struct dispersion *d = &b->ways[w][m];
			walk(v, &d->found, 1);
			walk(v, &d->expected, 1);
			walk(v, &d->noise, 1);
		}
	}
	walk_window(v, b);
	walk(v, whole, ARRAY_LEN(whole));
	walk(v, b->first_events, BUNCHING_METRICS);
	for (int m = 0; m < BUNCHING_METRICS; m++)
		v->ok = v->ok && b->first_events[m] <= whole[3];
	v->ok = v->ok && whole[0] < WINDOW_TICKS && whole[1] <= 1 && whole[2] <= SOURCE_GROUPS;
	if (!v->ok)
		return;
	b->ticks = (int64_t)whole[0];
	b->waits = whole[1] > 0;
	b->servers = (int64_t)whole[2];
	b->first_requests = whole[3];
}

void bunching_export(const struct bunching *b, double ret_values[BUNCHING_VALUES])
{
	struct bunching copy = *b; /* the walk writes to what it reads */
	struct values v = { .out = ret_values, .ok = true };
	walk_all(&v, &copy);
	must(v.at == BUNCHING_VALUES);
}

bool bunching_import(struct bunching *b, const double values[BUNCHING_VALUES])
{
	struct bunching read = { 0 };
	struct values v = { .in = values, .ok = true };
	walk_all(&v, &read);
	if (!v.ok)
		return false;
	bunching_estimate(&read);
	*b = read;
	return true;
}
