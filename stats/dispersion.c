#include "stats/dispersion.h"

#include <math.h>

#include "base/must.h"

/* An estimate that is too low costs a false alarm, one that is too high a few seconds (statistics.md section 9). */
#define EXCESS_FACTOR 1.2
#define NOISE_FACTOR 2

/* Degrees of freedom of the sum of squares: (trace)^2/trace of square of the covariance diag(n) - n n'/N. */
static double freedom(const double *requests, size_t count, double all)
{
	double squares = 0, cubes = 0;
	for (size_t i = 0; i < count; i++) {
		const double share = requests[i] / all;
		squares += share * share;
		cubes += share * share * share;
	}
	const double trace = 1 - squares, trace_of_square = squares - 2 * cubes + squares * squares;
	return trace_of_square > 0 ? trace * trace / trace_of_square : 1;
}

void dispersion_add_window(struct dispersion *d, const double *events, const double *requests, size_t count)
{
	double e = 0, n = 0, squares = 0, found = 0;
	for (size_t i = 0; i < count; i++) {
		must(events[i] >= 0 && events[i] <= requests[i]);
		e += events[i];
		n += requests[i];
		squares += requests[i] * requests[i];
	}
	if (e <= 0 || e >= n || squares >= n * n)
		return;
	const double p = e / n, w = e * (1 - p);
	for (size_t i = 0; i < count; i++) {
		const double off = events[i] - requests[i] * p;
		found += off * off;
	}
	const double expected = p * (1 - p) * (n - squares / n) * n / (n - 1);
	d->found += found;
	d->expected += expected;
	d->noise += expected * expected * 2 / freedom(requests, count, n) * fmax(0, 1 - 1 / w);
}

void dispersion_fade(struct dispersion *d, double keep)
{
	d->found *= keep;
	d->expected *= keep;
	d->noise *= keep * keep;
}

double dispersion_ratio(const struct dispersion *d)
{
	return d->expected > 0 ? d->found / d->expected : 1;
}

double dispersion_noise(const struct dispersion *d)
{
	return d->expected > 0 ? sqrt(d->noise) / d->expected : 0;
}

double dispersion_phi(const struct dispersion *d)
{
	const double excess = dispersion_ratio(d) - 1, noise = dispersion_noise(d);
	return excess > NOISE_FACTOR * noise ? 1 + EXCESS_FACTOR * (excess - noise) : 1;
}

bool dispersion_valid(const struct dispersion *d)
{
	return isfinite(d->found) && isfinite(d->expected) && isfinite(d->noise) && d->found >= 0 && d->expected >= 0 &&
	       d->noise >= 0;
}
