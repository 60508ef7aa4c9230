/* dispersion.h: do events come in bunches? Variance inflation of counts between groups of requests, from stable traffic.
 *
 * group    requests that may share a fate: those of some users, of some connections, of one server, of one second
 * window   a stretch of time in which all groups are counted; they are compared with the rate p of their own window, so
 *          that load and shared failures cancel out as long as they last longer than a window or hit all groups alike
 * ratio    sum of squares found over the sum that independent requests would give, both added up over windows:
 *
 *              sum (e_g - n_g p)^2  /  p (1-p) (N - sum n_g^2/N) N/(N-1)        p = E/N of the window
 *
 *          The lower line is the exact expectation, given E and all n_g (hypergeometric), so that few events and unequal groups
 *          do no harm; bunches of B requests that share their fate give E[B^2]/E[B]
 * noise    standard error that the ratio would have if requests were independent, from the same counts
 * phi      1 + 1.2 (ratio - 1 - noise) where the ratio is above 1 + 2 noise, else 1: what evidence is divided by (L^(1/phi),
 *          eprocess.h); n_eff = n/phi
 *
 * Statistics.md section 9 has the mean over windows of the Pearson sum and 1.2 times all of it. Sums before dividing weigh a
 * window by its events: one with a single event has the ratio 1 whatever the truth is, and a mean would be drowned in such
 * windows. The factor is on the excess, and the excess begins beyond the noise, so that independent requests cost nothing while
 * windows are few: after two windows phi is 1.01 in the mean. Variance of the noise: 2/df (1 - 1/w) per window, df by Satterthwaite (1946)
 * from the n_g, w = N p (1-p).
 *
 * Plain data, all zero: empty. Threads: one at a time. */
#ifndef WEIR_STATS_DISPERSION_H
#define WEIR_STATS_DISPERSION_H

#include <stdbool.h>
#include <stddef.h>

struct dispersion {
	double found, expected; /* sums of squares */
	double noise;           /* variance of <found> if requests were independent */
};

/* A window: <events>[i] of <requests>[i] in each group. One that cannot tell (no events, only events, fewer than two
 * groups with requests) changes nothing. */
void dispersion_add_window(struct dispersion *d, const double *events, const double *requests, size_t count);

/* Old windows count less: all so far by the factor <keep>. */
void dispersion_fade(struct dispersion *d, double keep);

/* 1 when no window could tell. */
double dispersion_ratio(const struct dispersion *d);
double dispersion_noise(const struct dispersion *d); /* 0 then */
double dispersion_phi(const struct dispersion *d);

/* Are these sums? Finite and not negative, for what was stored. */
bool dispersion_valid(const struct dispersion *d);

#endif
