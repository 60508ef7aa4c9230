#include "stats/regress.h"

#include <math.h>

#include "base/must.h"
#include "stats/batch.h"

/* Spread below this part of the values' own size is rounding. */
#define ROUNDING 1e-12

/* Weighted sums of squares and products about the means. */
struct moments {
	double weight, x, y; /* sum of weights, means */
	double xx, xy, yy;
};

static struct moments moments_of(const struct regress_point *points, size_t count)
{
	struct moments m = { 0 };
	for (size_t i = 0; i < count; i++) {
		must(points[i].weight > 0);
		m.weight += points[i].weight;
		m.x += points[i].weight * points[i].x;
		m.y += points[i].weight * points[i].y;
	}
	m.x /= m.weight;
	m.y /= m.weight;
	for (size_t i = 0; i < count; i++) {
		const double w = points[i].weight, x = points[i].x - m.x, y = points[i].y - m.y;
		m.xx += w * x * x;
		m.xy += w * x * y;
		m.yy += w * y * y;
	}
	return m;
}

/* P(|T| >= |t|) with <df> degrees of freedom. */
static double two_sided(double t, double df)
{
	return beta_share(df / 2, 0.5, df / (df + t * t));
}

/* What is left of the square when the straight line is taken out of it, against what is left of y. */
static double curvature_p(const struct regress_point *points, size_t count, const struct moments *m, double slope,
                          double left)
{
	double square_mean = 0, x_square = 0, squares = 0, products = 0;
	const double df = (double)count - 3;
	if (count < 4)
		return NAN;
	for (size_t i = 0; i < count; i++) {
		const double x = points[i].x - m->x;
		square_mean += points[i].weight * x * x / m->weight;
		x_square += points[i].weight * x * x * x;
	}
	for (size_t i = 0; i < count; i++) {
		const double x = points[i].x - m->x, y = points[i].y - m->y;
		const double z = x * x - square_mean - x_square / m->xx * x;
		squares += points[i].weight * z * z;
		products += points[i].weight * z * (y - slope * x);
	}
	if (squares <= ROUNDING * m->xx * m->xx / m->weight)
		return NAN; /* only two different x */
	const double still_left = left - products * products / squares;
	if (still_left <= ROUNDING * left)
		return left <= ROUNDING * m->yy ? 1 : 0;
	return two_sided(products / squares / sqrt(still_left / df / squares), df);
}

bool regress_line(const struct regress_point *points, size_t count, struct regression *ret)
{
	if (count < 3)
		return false;
	const struct moments m = moments_of(points, count);
	if (!(m.xx > ROUNDING * m.weight * m.x * m.x) || m.xx == 0)
		return false;
	const double slope = m.xy / m.xx;
	const double left = fmax(m.yy - slope * m.xy, 0);
	const double variance = left / ((double)count - 2);
	*ret = (struct regression){
		.count = count,
		.slope = slope,
		.intercept = m.y - slope * m.x,
		.slope_se = sqrt(variance / m.xx),
		.intercept_se = sqrt(variance * (1 / m.weight + m.x * m.x / m.xx)),
		.covariance = -variance * m.x / m.xx,
		.r2 = m.yy > ROUNDING * m.weight * m.y * m.y ? 1 - left / m.yy : NAN,
		.curvature_p = curvature_p(points, count, &m, slope, left),
	};
	return true;
}

void regress_slope_interval(const struct regression *r, double confidence, double *ret_low, double *ret_high)
{
	const double t = student_quantile(0.5 + confidence / 2, (double)r->count - 2);
	*ret_low = r->slope - t * r->slope_se;
	*ret_high = r->slope + t * r->slope_se;
}

/* Fieller: all x for which (intercept + slope x - y)^2 <= t^2 var(intercept + slope x), a quadratic in x. With the slope
 * above 0 at this confidence its leading coefficient is positive, so they are one closed interval. */
bool regress_reaches(const struct regression *r, double y, double confidence, double *ret_x, double *ret_low,
                     double *ret_high)
{
	const double t = student_quantile(0.5 + confidence / 2, (double)r->count - 2), t2 = t * t;
	const double gap = r->intercept - y;
	const double a = r->slope * r->slope - t2 * r->slope_se * r->slope_se;
	const double b = r->slope * gap - t2 * r->covariance;
	const double c = gap * gap - t2 * r->intercept_se * r->intercept_se;
	if (r->slope <= 0 || a <= 0)
		return false;
	const double root = sqrt(fmax(b * b - a * c, 0));
	*ret_x = -gap / r->slope;
	*ret_low = (-b - root) / a;
	*ret_high = (-b + root) / a;
	return true;
}
