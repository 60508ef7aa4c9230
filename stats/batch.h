/* batch.h: how sure are we of a share: batch means, intervals, guarantees, and the load at which a share is reached.
 *
 * batch       exceedances k among n requests of one stretch of time; stretches long enough that neighbours hardly
 *             depend on each other. Requests within one do: near saturation their variance is 100 times the binomial
 *             one, so intervals for load tests come from the spread between batches, never from binomial formulas
 * deff        design effect: variance of the share over its binomial variance; n_eff = n/deff
 * guarantee   "the exceedance is at most q with confidence c", one-sided, for independent requests
 *
 * Sources: capacity.md sections 6 and 7; ratio estimator: Cochran, "Sampling Techniques" (1977) 6.3; incomplete beta by
 * Lentz' continued fraction: Numerical Recipes 6.4; Wilson 1927; pool adjacent violators: Ayer et al. 1955.
 * Pure functions; chance comes from the caller's stream. Threads: [any]. */
#ifndef WEIR_STATS_BATCH_H
#define WEIR_STATS_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"

/* --- distributions --- */

/* Regularised incomplete beta I_x(a, b); a, b > 0, 0 <= x <= 1. */
double beta_share(double a, double b, double x);
/* P(Bin(n, p) <= k); 1 for k >= n, 0 for k < 0. */
double binomial_below(int64_t n, double p, int64_t k);
/* Quantiles, 0 < p < 1. <df> > 0. */
double normal_quantile(double p);
double student_quantile(double p, double df);

/* --- shares --- */

struct batch {
	double k, n;
};

struct share_estimate {
	double p;    /* sum k / sum n; 0 without requests */
	double se;   /* of p, from the spread of batches; INFINITY with fewer than two batches */
	double n;    /* sum n */
	double df;   /* batches - 1 */
	double deff; /* at least 1; 1 when it cannot be known */
};

/* p = sum k/sum n; s^2 = sum (k_i - p n_i)^2/(K-1); se = sqrt(s^2/K)/mean(n). Batches without requests count. */
struct share_estimate share_estimate(const struct batch *batches, size_t count);

/* Two-sided interval p -+ t se, within 0..1. */
void share_interval(const struct share_estimate *s, double confidence, double *ret_low, double *ret_high);
/* One-sided upper limit p + t se; the pass rule of a confirmation is "limit <= q". */
double share_upper(const struct share_estimate *s, double confidence);

/* Wilson interval for k of n independent requests; 0..1 for n = 0. */
void wilson_interval(double k, double n, double confidence, double *ret_low, double *ret_high);

/* Smallest n with P(Bin(n, q) <= k) <= 1 - c: with at most <k> exceedances in n, "exceedance <= q" holds with
 * confidence c. 0 when it would be more than 2^53. */
int64_t guarantee_least_n(double q, double confidence, int64_t k);

/* Ranks (from 1) of the sorted sample between which the p-quantile lies with at least <confidence>, independent
 * requests. False: the sample is too small for that end, *ret_low is 0 or *ret_high is n + 1 ("n/a"). */
bool quantile_ranks(int64_t n, double p, double confidence, int64_t *ret_low, int64_t *ret_high);

/* --- the load at which a share is reached --- */

struct load_point {
	double load;      /* ascending */
	struct batch sum; /* exceedances and requests at this load */
};

enum load_crossing {
	LOAD_CROSSED,
	LOAD_ALL_BELOW, /* the share stays at most q: the answer is at least the highest load */
	LOAD_ALL_ABOVE, /* the share is above q everywhere: below the lowest load */
};

/* Pools adjacent violators: the non-decreasing shares that fit best, weighted by requests, to <ret_fitted>[count]. */
void isotonic_shares(const struct load_point *points, size_t count, double *ret_fitted);

/* The load at which the isotonic share passes <q>: linear in load, logarithmic in share, between the last fitted point
 * at most q and the first above; a share of 0 counts as half an exceedance. <ret_load> is the highest or lowest load
 * when there is no crossing. At most LOAD_POINTS_MAX points. */
#define LOAD_POINTS_MAX 64
enum load_crossing isotonic_load_at(const struct load_point *points, size_t count, double q, double *ret_load);

/* Where that load lies with about <confidence>: isotonic_load_at over <draws> resamples of the batches inside each load
 * (at most LOAD_DRAWS_MAX; 200 are enough). A resample without crossing counts as the highest or lowest load. Measured
 * coverage is 65 to 80 % for a nominal 90 %: an interval to plan with, not a promise; the promise is a confirmation
 * run. */
struct load_trial {
	double load;                 /* ascending */
	const struct batch *batches; /* borrowed; some requests among them */
	size_t count;
};
#define LOAD_DRAWS_MAX 1000
void isotonic_load_interval(const struct load_trial *trials, size_t count, double q, double confidence, size_t draws,
                            struct rng *rng, double *ret_low, double *ret_high);

#endif
