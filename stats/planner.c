#include "stats/planner.h"

#include <math.h>

#include "base/must.h"

static double divergence(double rho, double p_c, double p_s, struct null null)
{
	double q_c, q_s;
	must(rho > 0 && rho < 1);
	p_s = fmin(fmax(p_s, 1e-9), 1 - 1e-9);
	p_c = fmin(fmax(p_c, 1e-9), 1 - 1e-9);
	evariable_project(rho, 1 - rho, (struct alternative){ p_c, p_s }, null, &q_c, &q_s);
	const double about_stable = null.m > 0 ? (1 - rho) * bernoulli_kl(p_s, q_s) : 0;
	return rho * bernoulli_kl(p_c, q_c) + about_stable;
}

double planner_klinf(double rho, double p_c, double p_s, struct null null)
{
	return p_c > null.m * p_s + null.a ? divergence(rho, p_c, p_s, null) : 0;
}

double planner_klinf_promote(double rho, double p_c, double p_s, struct null null)
{
	return p_c < null.m * p_s + null.a ? divergence(rho, p_c, p_s, null) : 0;
}

double planner_klinf_shares(double rho, const double *canary, const double *stable, size_t count)
{
	double sum = 0;
	for (size_t i = 0; i < count; i++) {
		const double mixed = rho * canary[i] + (1 - rho) * stable[i];
		if (canary[i] > 0)
			sum += rho * canary[i] * log(canary[i] / mixed);
		if (stable[i] > 0)
			sum += (1 - rho) * stable[i] * log(stable[i] / mixed);
	}
	return sum;
}

double planner_least_requests(double alpha, double klinf)
{
	must(alpha > 0 && alpha < 1);
	return klinf > 0 ? log(1 / alpha) / klinf : INFINITY;
}

double planner_least_error_ratio(double requests, double rho, double p_s, double alpha, double slack)
{
	const struct null equal = { 1, 0 };
	double low = p_s, high = .98;
	if (!(p_s > 0 && p_s < .98) ||
	    slack * planner_least_requests(alpha, planner_klinf(rho, high, p_s, equal)) > requests)
		return INFINITY;
	for (int i = 0; i < 60; i++) {
		const double mid = sqrt(low * high);
		if (slack * planner_least_requests(alpha, planner_klinf(rho, mid, p_s, equal)) > requests)
			low = mid;
		else
			high = mid;
	}
	return high / p_s;
}

/* Share of stable's latencies above the lower end of bin <at>, a fraction, linear inside of a bin. */
static double share_above(const double *above, double at)
{
	if (at <= 0)
		return 1;
	if (at >= LOGBINS)
		return 0;
	const int bin = (int)at;
	return above[bin] + (at - bin) * (above[bin + 1] - above[bin]);
}

/* The best of the thresholds when all of the canary's latencies lie <bins> higher. */
static double shifted_klinf(const double *above, double rho, double bins)
{
	static const double quantiles[] = { .5, .75, .9, .95, .99, .995, .999 };
	double best = 0;
	for (size_t i = 0; i < ARRAY_LEN(quantiles); i++) {
		int at = 1; /* the first edge with no more than this share above */
		while (at < LOGBINS && above[at] > 1 - quantiles[i])
			at++;
		best = fmax(best, planner_klinf(rho, share_above(above, at - bins), share_above(above, at),
		                                (struct null){ 1, 0 }));
	}
	return best;
}

double planner_least_latency_factor(const struct logbins *stable, double requests, double rho, double alpha,
                                    double slack)
{
	double above[LOGBINS + 1], low = 0, high = 4 * LOGBINS_PER_OCTAVE;
	if (stable->total == 0)
		return INFINITY;
	above[LOGBINS] = 0;
	for (int i = LOGBINS - 1; i >= 0; i--)
		above[i] = above[i + 1] + (double)stable->counts[i] / (double)stable->total;
	if (slack * planner_least_requests(alpha, shifted_klinf(above, rho, high)) > requests)
		return INFINITY;
	for (int i = 0; i < 50; i++) {
		const double mid = (low + high) / 2;
		if (slack * planner_least_requests(alpha, shifted_klinf(above, rho, mid)) > requests)
			low = mid;
		else
			high = mid;
	}
	return pow(LOGBINS_RATIO, high);
}
