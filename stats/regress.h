/* regress.h: a straight line through measurements, and how sure we are of it.
 *
 * What it is for: the service demand of a resource. Utilisation is U = U0 + D X at throughput X (the utilisation law,
 * capacity.md sections 1 and 5), so the slope of U over X is what one request costs, and where the line reaches the
 * limit is where the resource ends.
 *
 * weight     how much a point says: 1 / variance up to a factor, for means of n seconds n
 * curvature  whether a parabola fits better than the line: contention, or work that is not proportional to requests
 *
 * Weighted least squares with the residual variance estimated from n - 2 degrees of freedom; curvature by the t test of
 * an added square (Frisch-Waugh). Sources: Draper, Smith, "Applied Regression Analysis" (1998), 1.4 and 9.2; limits of
 * the crossing by Fieller (ibid. 3.2). Points are taken for independent: neighbours in time are not quite, so put seconds
 * together before. Pure. Threads: [any]. */
#ifndef WEIR_STATS_REGRESS_H
#define WEIR_STATS_REGRESS_H

#include <stdbool.h>
#include <stddef.h>

struct regress_point {
	double x, y, weight; /* weight > 0 */
};

struct regression {
	size_t count;
	double slope, intercept;
	double slope_se, intercept_se;
	double covariance;  /* of slope and intercept */
	double r2;          /* share of the spread of y that the line explains; NAN when y is constant */
	double curvature_p; /* of "it is a straight line"; NAN with fewer than four points, or three different x */
};

/* False, and nothing set, with fewer than three points or fewer than two different x. */
bool regress_line(const struct regress_point *points, size_t count, struct regression *ret);

/* Two-sided interval of the slope. */
void regress_slope_interval(const struct regression *r, double confidence, double *ret_low, double *ret_high);

/* Where the line reaches <y>: (y - intercept)/slope, and Fieller's interval. False when the slope is not above 0 with that
 * confidence: then nobody knows of such a place. */
bool regress_reaches(const struct regression *r, double y, double confidence, double *ret_x, double *ret_low,
                     double *ret_high);

#endif
