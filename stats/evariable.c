#include "stats/evariable.h"

#include <math.h>

#define EDGE 1e-12 /* rates stay this far from 0 and 1 */

/* a = 0: clearing the denominators of the stationarity condition leaves n m p^2 - b p + C = 0, of which the smaller
 * root lies inside; written so that nothing cancels. */
static double project_ray(double n_c, double n_s, struct alternative alt, double m)
{
	const double b = n_c * (m + alt.theta_c) + n_s * (1 + m * alt.theta_s);
	const double c = n_c * alt.theta_c + n_s * alt.theta_s;
	const double under_root = b * b - 4 * m * (n_c + n_s) * c;
	return 2 * c / (b + (under_root > 0 ? sqrt(under_root) : 0));
}

/* For rare events 1-q and 1-p hardly move: with them fixed, the condition below is a quadratic again. */
static double poisson_guess(double n_c, double n_s, struct alternative alt, struct null null)
{
	const double a2 = 2 * null.m * (n_c * null.m + n_s);
	const double b = n_c * null.m * (alt.theta_c - null.a) + n_s * (null.m * alt.theta_s - null.a);
	return (b + sqrt(b * b + 2 * a2 * n_s * alt.theta_s * null.a)) / a2;
}

/* a > 0: root of the increasing f(p) = n_c m kl'(q) + n_s kl'(p), q = m p + a, kl'(q) = (q-theta)/(q(1-q)). It lies
 * between the two points where either term vanishes. Newton from the Poisson guess, kept inside of that bracket by
 * bisection; it converges quadratically, so a last step of 1e-7 leaves an error at the level of rounding. */
static double project_line(double n_c, double n_s, struct alternative alt, struct null null)
{
	const double m = null.m, a = null.a, tc = alt.theta_c, ts = alt.theta_s;
	const double highest = fmin(1 - EDGE, (1 - EDGE - a) / m), at_c = (tc - a) / m;
	double low = fmax(fmin(ts, at_c), EDGE), high = fmin(fmax(ts, at_c), highest);
	double p = poisson_guess(n_c / (1 - tc), n_s / (1 - ts), alt, null);
	for (int i = 0; i < 80; i++) {
		if (!(p > low && p < high))
			p = low + (high - low) / 2;
		const double q = m * p + a, over_q = 1 / (q * (1 - q)), over_p = 1 / (p * (1 - p));
		const double slope_c = (q - tc) * over_q, slope_s = (p - ts) * over_p;
		const double f = n_c * m * slope_c + n_s * slope_s;
		/* kl'' = t/q^2 + (1-t)/(1-q)^2 = (1 - kl' (1-2q)) / (q(1-q)) */
		const double df = n_c * m * m * (1 - slope_c * (1 - 2 * q)) * over_q +
		                  n_s * (1 - slope_s * (1 - 2 * p)) * over_p;
		if (f < 0)
			low = p;
		else
			high = p;
		const double step = f / df;
		p -= step;
		if (fabs(step) <= 1e-7 * p || high - low <= 1e-15 * high)
			break;
	}
	return fmin(fmax(p, low), high);
}

void evariable_project(double n_c, double n_s, struct alternative alt, struct null null, double *ret_p_c,
                       double *ret_p_s)
{
	double p = alt.theta_s;
	if (null.m > 0 && null.a > 0)
		p = project_line(n_c, n_s, alt, null);
	else if (null.m > 0)
		p = project_ray(n_c, n_s, alt, null.m);
	*ret_p_s = p;
	*ret_p_c = null.m * p + null.a;
}

/* The share of one arm in ln L. Most ticks have no events: then one logarithm is saved. */
static double arm_ln(double n, double e, double theta, double p)
{
	const double rest = n - e;
	return (e > 0 ? e * log(theta / p) : 0) + (rest > 0 ? rest * log((1 - theta) / (1 - p)) : 0);
}

double evariable_ln(const struct block *b, struct alternative alt, struct null null)
{
	double p_c, p_s;
	if (null.m <= 0)
		return arm_ln(b->n_c, b->e_c, alt.theta_c, null.a);
	if (b->n_c <= 0 || b->n_s <= 0)
		return 0;
	evariable_project(b->n_c, b->n_s, alt, null, &p_c, &p_s);
	return arm_ln(b->n_c, b->e_c, alt.theta_c, p_c) + arm_ln(b->n_s, b->e_s, alt.theta_s, p_s);
}

double bernoulli_kl(double p, double q)
{
	return (p > 0 ? p * log(p / q) : 0) + (p < 1 ? (1 - p) * log((1 - p) / (1 - q)) : 0);
}
