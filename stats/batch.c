#include "stats/batch.h"

#include <math.h>
#include <stdlib.h>

#include "base/must.h"

/* --- distributions ------------------------------------------------------------------------------------------------ */

/* Lentz' method for the continued fraction of I_x(a, b); converges fast for x < (a+1)/(a+b+2). */
static double beta_fraction(double a, double b, double x)
{
	const double tiny = 1e-300;
	double c = 1, d = 1 - (a + b) * x / (a + 1);
	d = 1 / (fabs(d) < tiny ? tiny : d);
	double h = d;
	for (int m = 1; m <= 100000; m++) {
		for (int odd = 0; odd < 2; odd++) {
			const double term = odd ? -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
			                        : m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
			d = 1 + term * d;
			c = 1 + term / c;
			d = 1 / (fabs(d) < tiny ? tiny : d);
			c = fabs(c) < tiny ? tiny : c;
			h *= d * c;
		}
		if (fabs(d * c - 1) < 1e-15)
			break;
	}
	return h;
}

static double ln_gamma(double x)
{
	int sign; /* lgamma would write a global */
	return lgamma_r(x, &sign);
}

double beta_share(double a, double b, double x)
{
	must(a > 0 && b > 0);
	if (x <= 0)
		return 0;
	if (x >= 1)
		return 1;
	const double front = exp(ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * log(x) + b * log1p(-x));
	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(a, b, x) / a;
	return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double binomial_below(int64_t n, double p, int64_t k)
{
	if (k < 0)
		return 0;
	if (k >= n)
		return 1;
	return beta_share((double)(n - k), (double)k + 1, 1 - p);
}

/* Root of an increasing function by bisection, down to neighbouring doubles. */
static double bisect(double (*below)(double x, double df), double df, double p, double low, double high)
{
	for (int i = 0; i < 200; i++) {
		const double mid = low + (high - low) / 2;
		if (mid <= low || mid >= high)
			break;
		if (below(mid, df) < p)
			low = mid;
		else
			high = mid;
	}
	return low + (high - low) / 2;
}

/* Upper halves, on which both are accurate far out; p is 1 - the tail. */
static double minus_normal_tail(double x, double df)
{
	(void)df;
	return -0.5 * erfc(x / sqrt(2));
}

static double minus_student_tail(double t, double df)
{
	return -0.5 * beta_share(df / 2, 0.5, df / (df + t * t));
}

double normal_quantile(double p)
{
	must(p > 0 && p < 1);
	const double tail = fmin(p, 1 - p);
	const double x = tail == 0.5 ? 0 : bisect(minus_normal_tail, 0, -tail, 0, 40);
	return p < 0.5 ? -x : x;
}

double student_quantile(double p, double df)
{
	must(p > 0 && p < 1 && df > 0);
	const double tail = fmin(p, 1 - p);
	double high = 2;
	while (-minus_student_tail(high, df) > tail && high < 1e300)
		high *= 2;
	const double t = tail == 0.5 ? 0 : bisect(minus_student_tail, df, -tail, 0, high);
	return p < 0.5 ? -t : t;
}

/* --- shares ------------------------------------------------------------------------------------------------------- */

struct share_estimate share_estimate(const struct batch *batches, size_t count)
{
	struct share_estimate s = { .se = INFINITY, .df = (double)count - 1, .deff = 1 };
	double k = 0, squares = 0;
	for (size_t i = 0; i < count; i++) {
		k += batches[i].k;
		s.n += batches[i].n;
	}
	if (s.n <= 0)
		return s;
	s.p = k / s.n;
	if (count < 2)
		return s;
	for (size_t i = 0; i < count; i++) {
		const double off = batches[i].k - s.p * batches[i].n;
		squares += off * off;
	}
	s.se = sqrt(squares / s.df / (double)count) / (s.n / (double)count);
	const double binomial = s.p * (1 - s.p) / s.n;
	if (binomial > 0)
		s.deff = fmax(1, s.se * s.se / binomial); /* luck must not make more of n than it is */
	return s;
}

void share_interval(const struct share_estimate *s, double confidence, double *ret_low, double *ret_high)
{
	const double off = isfinite(s->se) ? student_quantile(0.5 + confidence / 2, s->df) * s->se : INFINITY;
	*ret_low = fmax(s->p - off, 0);
	*ret_high = fmin(s->p + off, 1);
}

double share_upper(const struct share_estimate *s, double confidence)
{
	return isfinite(s->se) ? fmin(s->p + student_quantile(confidence, s->df) * s->se, 1) : 1;
}

void wilson_interval(double k, double n, double confidence, double *ret_low, double *ret_high)
{
	*ret_low = 0;
	*ret_high = 1;
	if (n <= 0)
		return;
	const double z = normal_quantile(0.5 + confidence / 2), p = k / n, widen = 1 + z * z / n;
	const double centre = (p + z * z / (2 * n)) / widen;
	const double off = z / widen * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
	if (k > 0)
		*ret_low = fmax(centre - off, 0);
	if (k < n)
		*ret_high = fmin(centre + off, 1);
}

int64_t guarantee_least_n(double q, double confidence, int64_t k)
{
	must(q > 0 && q < 1 && confidence > 0 && confidence < 1 && k >= 0);
	int64_t low = k, high = k + 1; /* P(Bin(n, q) <= k) falls with n; it is 1 at n = k */
	while (binomial_below(high, q, k) > 1 - confidence) {
		low = high;
		high *= 2;
		if (high > INT64_C(1) << 53)
			return 0;
	}
	while (high - low > 1) {
		const int64_t mid = low + (high - low) / 2;
		if (binomial_below(mid, q, k) > 1 - confidence)
			low = mid;
		else
			high = mid;
	}
	return high;
}

/* Smallest k in 0..n with P(Bin(n, p) <= k) >= <share>. */
static int64_t binomial_quantile(int64_t n, double p, double share)
{
	int64_t low = -1, high = n;
	while (high - low > 1) {
		const int64_t mid = low + (high - low) / 2;
		if (binomial_below(n, p, mid) >= share)
			high = mid;
		else
			low = mid;
	}
	return high;
}

bool quantile_ranks(int64_t n, double p, double confidence, int64_t *ret_low, int64_t *ret_high)
{
	must(n >= 0 && p > 0 && p < 1 && confidence > 0 && confidence < 1);
	const double miss = (1 - confidence) / 2;
	/* Largest l with P(Bin < l) = P(Bin <= l-1) <= miss; smallest u with P(Bin <= u-1) >= 1 - miss. */
	int64_t low = binomial_quantile(n, p, miss);
	if (low < n && binomial_below(n, p, low) <= miss)
		low++;
	*ret_low = low;
	*ret_high = binomial_quantile(n, p, 1 - miss) + 1;
	return *ret_low >= 1 && *ret_high <= n;
}

/* --- the load at which a share is reached ------------------------------------------------------------------------- */

void isotonic_shares(const struct load_point *points, size_t count, double *ret_fitted)
{
	struct batch pools[LOAD_POINTS_MAX];
	size_t sizes[LOAD_POINTS_MAX], used = 0;
	must(count <= LOAD_POINTS_MAX);
	for (size_t i = 0; i < count; i++) {
		must(points[i].sum.n > 0 && (i == 0 || points[i].load > points[i - 1].load));
		pools[used] = points[i].sum;
		sizes[used++] = 1;
		while (used > 1 && pools[used - 2].k * pools[used - 1].n >= pools[used - 1].k * pools[used - 2].n) {
			pools[used - 2].k += pools[used - 1].k;
			pools[used - 2].n += pools[used - 1].n;
			sizes[used - 2] += sizes[used - 1];
			used--;
		}
	}
	for (size_t pool = 0, i = 0; pool < used; pool++)
		for (size_t j = 0; j < sizes[pool]; j++)
			ret_fitted[i++] = pools[pool].k / pools[pool].n;
}

enum load_crossing isotonic_load_at(const struct load_point *points, size_t count, double q, double *ret_load)
{
	double fitted[LOAD_POINTS_MAX];
	must(count > 0 && q > 0 && q < 1);
	isotonic_shares(points, count, fitted);
	size_t above = 0;
	while (above < count && fitted[above] <= q)
		above++;
	if (above == 0 || above == count) {
		*ret_load = points[above == 0 ? 0 : count - 1].load;
		return above == 0 ? LOAD_ALL_ABOVE : LOAD_ALL_BELOW;
	}
	const struct load_point *from = &points[above - 1], *to = &points[above];
	const double half_event = fmin(0.5 / from->sum.n, q);
	const double ln_from = log(fmax(fitted[above - 1], half_event)), ln_to = log(fitted[above]);
	*ret_load = from->load + (to->load - from->load) * (log(q) - ln_from) / (ln_to - ln_from);
	return LOAD_CROSSED;
}

static struct batch resample(const struct load_trial *t, struct rng *rng)
{
	struct batch sum = { 0, 0 };
	for (size_t i = 0; i < t->count; i++) {
		const struct batch *drawn = &t->batches[rng_below(rng, t->count)];
		sum.k += drawn->k;
		sum.n += drawn->n;
	}
	if (sum.n > 0)
		return sum;
	for (size_t i = 0; i < t->count; i++) { /* only empty batches were drawn */
		sum.k += t->batches[i].k;
		sum.n += t->batches[i].n;
	}
	return sum;
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

void isotonic_load_interval(const struct load_trial *trials, size_t count, double q, double confidence, size_t draws,
                            struct rng *rng, double *ret_low, double *ret_high)
{
	struct load_point points[LOAD_POINTS_MAX];
	double loads[LOAD_DRAWS_MAX];
	must(count > 0 && count <= LOAD_POINTS_MAX && draws > 0 && draws <= LOAD_DRAWS_MAX);
	for (size_t draw = 0; draw < draws; draw++) {
		for (size_t i = 0; i < count; i++)
			points[i] = (struct load_point){ trials[i].load, resample(&trials[i], rng) };
		isotonic_load_at(points, count, q, &loads[draw]);
	}
	qsort(loads, draws, sizeof(loads[0]), by_size);
	const size_t cut = (size_t)((1 - confidence) / 2 * (double)draws);
	*ret_low = loads[cut];
	*ret_high = loads[draws - 1 - cut];
}
