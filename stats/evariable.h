/* evariable.h: how strongly one tick speaks against a null: the block e-variable for two Bernoulli streams.
 *
 * block        the counts of one tick: requests n and events e of the canary and of the stable arm
 * null         "p_canary <= m p_stable + a" (is it worse?) or, with the other sign, "p_canary >= m p_stable + a" (is it
 *              good enough?); the side follows from where the alternative lies. m = 0: the canary against the fixed
 *              rate a, whatever stable does (an absolute SLO)
 * alternative  (theta_c, theta_s), fixed before the tick from the past only, on the other side of the null
 * ln L         evidence of the tick in nats; E[L] <= 1 whenever the null holds, so sums of ln L over ticks may be
 *              looked at as often as one likes (Ville): exp(sum) >= 1/alpha rejects at level alpha
 *
 *     L = (theta_c/p_c)^e_c ((1-theta_c)/(1-p_c))^(n_c-e_c) (theta_s/p_s)^e_s ((1-theta_s)/(1-p_s))^(n_s-e_s)
 *
 * with (p_c, p_s) the point of the line p_c = m p_s + a nearest to the alternative in n_c kl(theta_c||p_c) + n_s
 * kl(theta_s||p_s), the reverse information projection. Both rates may differ freely between ticks. Sources: Turner,
 * Ly, Gruenwald, "Generic E-variables for exact sequential k-sample tests" (arXiv 2106.02693); Turner, Gruenwald (arXiv
 * 2302.11401) for strata; unequal blocks and the linear margin are weir's (statistics.md section 1: proof, and a check
 * by enumeration, which the tests repeat).
 *
 * Counts are doubles so that weighted ones fit. Pure functions. Threads: [any]. */
#ifndef WEIR_STATS_EVARIABLE_H
#define WEIR_STATS_EVARIABLE_H

struct block {
	double n_c, e_c; /* canary: requests; events among them */
	double n_s, e_s; /* stable */
};

struct null {
	double m, a; /* m >= 0, 0 <= a < 1; not both 0 */
};

struct alternative {
	double theta_c, theta_s; /* strictly between 0 and 1 */
};

/* The projection: <ret_p_c> = m p_s + a. For m = 0, p_s is theta_s. */
void evariable_project(double n_c, double n_s, struct alternative alt, struct null null, double *ret_p_c,
                       double *ret_p_s);

/* ln L. 0 when either arm is empty (for m > 0), as then the projection is the alternative. */
double evariable_ln(const struct block *b, struct alternative alt, struct null null);

/* kl(p||q) = p ln(p/q) + (1-p) ln((1-p)/(1-q)), 0 ln 0 = 0; <q> strictly between 0 and 1. */
double bernoulli_kl(double p, double q);

#endif
