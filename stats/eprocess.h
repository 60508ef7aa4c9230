/* eprocess.h: evidence gathered over ticks: a mixture of block e-variables over effect sizes, with restarts.
 *
 * e-process   M with E[M at any stopping time] <= 1 while its null holds: M >= 1/alpha, at any time, is proof at level
 *             alpha (Ville's inequality). Kept as ln M; never exponentiate it alone, it can be 10,000
 * side        ABORT: the null is "canary not worse than m x stable + a"; evidence is evidence of harm.
 *             PROMOTE: the null is "canary at least as bad as m x stable + a"; evidence says it is good enough.
 *             Evidence for one never counts as evidence against the other
 * effects     the sizes that are bet on, each with the same weight. RATIO: theta_c = r (m theta_s + a), for error
 *             rates. ODDS: odds of theta_c = o x odds of (m theta_s + a), for shares slower than a threshold
 * restart     so that a regression which begins in the middle is not buried under the quiet time before it: half of the
 *             weight bets from the first tick, the other half is spread over the coming ticks,
 *             M_k = (M_(k-1) + w_k) L_k with sum of w_k <= 1 (Shin, Ramdas, Rinaldo: e-detectors, arXiv 2203.03532)
 * phi         variance inflation >= 1 because requests come in bunches; every ln L is divided by it. It may change from tick to
 *             tick as long as it is known before the tick: E[L | past] <= 1 and a concave power 1/phi <= 1 give
 *             E[L^(1/phi) | past] <= 1 (Jensen)
 * beyond      phi >= phi for the part of a tick's tempered ln L above 1 nat (less than L^(1/phi), so as valid). A variance says
 *             nothing of large deviations: where few of many events come in bunches, phi is near 1, yet one bunch that
 *             fills a canary's tick would be worth 10 nats. Real harm is in every tick and proves itself below the knee
 *
 * Source: statistics.md sections 1, 2, 6, 9; its reference program agrees to rounding. All structs are plain and of
 * fixed size: copy them freely; eprocess_export gives what has to survive a crash. theta_s, phi and the plan must be
 * known before the tick is (predictable), or the guarantee is gone. Threads: one at a time. */
#ifndef WEIR_STATS_EPROCESS_H
#define WEIR_STATS_EPROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "stats/evariable.h"

enum eprocess_side { EPROCESS_ABORT, EPROCESS_PROMOTE };
enum eprocess_effects { EPROCESS_RATIO, EPROCESS_ODDS };

enum eprocess_restart {
	EPROCESS_RESTART_NONE,
	EPROCESS_RESTART_PLANNED, /* evenly over restart_ticks; after them no more */
	EPROCESS_RESTART_HOURLY,  /* of unknown length: hour j, of restart_ticks ticks, gets the share (6/pi^2)/j^2 */
};

struct eprocess_plan {
	struct null null;
	enum eprocess_side side;
	enum eprocess_effects effects;
	enum eprocess_restart restart;
	double restart_ticks; /* > 0 unless RESTART_NONE */
	double phi;           /* >= 1; 0 stands for 1 */
	double beyond;        /* >= phi; 0 stands for phi */
};

#define EPROCESS_EFFECTS_MAX 7

struct eprocess {
	struct eprocess_plan plan;
	int count;                         /* of effects: 7 for ABORT, 5 for PROMOTE */
	double ticks;                      /* that held requests */
	double ln_m[EPROCESS_EFFECTS_MAX]; /* per effect, its weight included */
};

void eprocess_init(struct eprocess *p, const struct eprocess_plan *plan);

/* Takes in one tick. <theta_s>: the expected rate of stable, from earlier ticks only; clamped to 1e-7 .. 0.98. A tick
 * without requests changes nothing. */
void eprocess_tick(struct eprocess *p, const struct block *tick, double theta_s);

/* For the next ticks, from the past only: 1 <= phi <= beyond. What was gathered stays. */
struct temper {
	double phi, beyond;
};
void eprocess_temper(struct eprocess *p, struct temper t);

/* ln M. */
double eprocess_ln(const struct eprocess *p);

/* What a crash must not lose, in this order: ticks, ln_m[0] .. ln_m[6] (unused ones 0). Import needs a process that was
 * initialised with the same plan; false, and nothing changed, when a value is missing or not a finite number. */
#define EPROCESS_VALUES (1 + EPROCESS_EFFECTS_MAX)
size_t eprocess_export(const struct eprocess *p, double *ret_values, size_t room);
bool eprocess_import(struct eprocess *p, const double *values, size_t count);

/* ln of the weighted mean of e-values given as logarithms: a valid e-value however the parts depend on each other.
 * Weights are >= 0 and their sum is at most 1 (the rest bets on nothing). */
double ln_weighted_mean(const double *ln_values, const double *weights, size_t count);

/* ln(exp(a) + exp(b)) */
double ln_add(double a, double b);

/* Running rate of stable, known before the tick: counts that fade with a half-life, on top of <kappa> imagined requests
 * at the rate <p0> of the stored baseline. A wrong rate costs power, never validity. */
struct running_rate {
	double events, requests;
	double keep; /* factor per tick */
};
void running_rate_init(struct running_rate *r, double p0, double kappa, double half_life_ticks);
/* The expectation for the coming tick, within 1e-7 .. 0.98. */
double running_rate_get(const struct running_rate *r);
/* After the tick was used. */
void running_rate_add(struct running_rate *r, double requests, double events);

/* The values that statistics.md recommends, with ticks of one second. */
#define RUNNING_RATE_KAPPA 200.0
#define RUNNING_RATE_HALF_LIFE_TICKS 120.0

#endif
