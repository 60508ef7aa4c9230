#include "loadgen/watch.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

/* A window of a day has as many seconds; the compiler of scenarios allows no more. */
#define WINDOW_SECONDS_MAX 86400

struct watch {
	const struct threshold *threshold;
	struct verdict_sums *ring; /* the last intervals; NULL without a window */
	size_t room, at, filled;
	struct verdict_sums all; /* of the window, or since the start */
	dur_ns elapsed;
	bool has_value, broken, ended;
	double worst;
};

struct watch *watch_create(const struct threshold *t)
{
	if (t->over == 0 && !t->aborts)
		return NULL;
	struct watch *w = xcalloc(1, sizeof(*w));
	w->threshold = t;
	verdict_sums_init(&w->all);
	if (t->over > 0) {
		w->room = (size_t)((t->over + SECOND - 1) / SECOND);
		if (w->room > WINDOW_SECONDS_MAX)
			w->room = WINDOW_SECONDS_MAX;
		w->ring = xcalloc(w->room, sizeof(*w->ring));
		for (size_t i = 0; i < w->room; i++)
			verdict_sums_init(&w->ring[i]);
	}
	return w;
}

void watch_destroy(struct watch *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->room; i++)
		verdict_sums_finish(&w->ring[i]);
	verdict_sums_finish(&w->all);
	free(w->ring);
	free(w);
}

/* Takes the interval into the window, from which the oldest falls out. What is left of a run behind its last whole second is
 * no window: it belongs to that second. */
static void slide(struct watch *w, const struct meter *m, dur_ns length)
{
	const bool belongs = length < SECOND / 2 && w->filled > 0;
	struct verdict_sums *newest = &w->ring[belongs ? (w->at + w->room - 1) % w->room : w->at];
	if (!belongs) {
		verdict_sums_reset(newest);
		w->at = (w->at + 1) % w->room;
		w->filled += w->filled < w->room;
	}
	verdict_gather(w->threshold, m, length, newest);
	/* Added up anew: a histogram cannot be subtracted from without knowing its extremes again. */
	verdict_sums_reset(&w->all);
	for (size_t i = 0; i < w->filled; i++)
		verdict_sums_add(&w->all, &w->ring[i]);
}

static bool is_worse(const struct threshold *t, double a, double b)
{
	const bool upper = t->comparison == COMPARISON_LESS || t->comparison == COMPARISON_LESS_EQUAL;
	return upper ? a > b : a < b;
}

static void note(struct watch *w, double value)
{
	if (isnan(value))
		return;
	if (!w->has_value || is_worse(w->threshold, value, w->worst))
		w->worst = value;
	w->has_value = true;
	w->broken = w->broken || !threshold_holds(w->threshold, value);
}

bool watch_interval(struct watch *w, const struct meter *m, dur_ns length)
{
	if (w->ring)
		slide(w, m, length);
	else
		verdict_gather(w->threshold, m, length, &w->all);
	w->elapsed += length;
	if (w->ring && w->filled < w->room)
		return false;
	double value = verdict_value(w->threshold, &w->all);
	/* A target that stands still answers at a rate, of nothing. */
	if (w->ring && w->threshold->figure == FIGURE_RATE && isnan(value) && w->all.measured > 0)
		value = 0;
	note(w, value);
	w->ended = w->threshold->aborts && w->elapsed >= w->threshold->grace && !isnan(value) &&
	           !threshold_holds(w->threshold, value);
	return w->ended;
}

bool watch_has_window(const struct watch *w)
{
	return w && w->ring;
}

void watch_verdict(const struct watch *w, struct threshold_record *ret)
{
	const struct threshold *t = w->threshold;
	/* A run that was shorter than the window is one window. */
	const double value = w->has_value ? w->worst : verdict_value(t, &w->all);
	ret->that = xstrndup(t->that.p, t->that.len);
	ret->has_value = !isnan(value);
	ret->value = ret->has_value ? value : 0;
	ret->met = w->has_value ? !w->broken : threshold_holds(t, value);
}

bool watch_ended_run(const struct watch *w)
{
	return w && w->ended;
}
