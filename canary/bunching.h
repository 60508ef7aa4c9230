/* bunching.h: how far stable's failures and slow requests come in bunches: phi per metric, for the coming tick.
 *
 * Evidence takes requests for independent inside of a tick. Retries of one user, a stalled process or a bad server break that: a
 * bunch of B requests is one piece of bad luck and not B. phi >= 1 is the variance inflation (stats/dispersion.h), ln L is
 * divided by it, and n requests count as n/phi (statistics.md section 9).
 *
 * ways     what a bunch may share; the way that shows the largest phi counts
 *              user, connection   20 groups each by hash, over 10 ticks
 *              server             the servers of stable, over a tick
 *              time               pairs of neighbouring ticks; only where stable has one server. A stall of the one server
 *                                 cannot be told from one that hits everybody; taking both for its own is the safe side
 * metrics  errors, "slower than threshold j", the SLO: each has a phi of its own, or a rare stall that the 99.9th percentile sees
 *          would blunt the median, which it does not touch
 *
 * Only stable counts, so that a bad canary cannot weaken the evidence against it. phi of a tick is made of the ticks before it
 * (the open window included): with E[L | past] <= 1 and 1/phi <= 1 known beforehand, E[L^(1/phi) | past] <= 1 by Jensen's
 * inequality, so phi may change with every tick and the product stays an e-process. Windows fade with a half-life of 10
 * minutes. With bunches the guarantee is that of quasi-likelihood: approximate, measured in tests/sim (docs/decisions/0013).
 *
 * Pure, plain data of fixed size; all zero but phi: use bunching_init. Threads: one at a time. */
#ifndef WEIR_CANARY_BUNCHING_H
#define WEIR_CANARY_BUNCHING_H

#include "canary/source.h"
#include "stats/dispersion.h"

#define BUNCHING_LIMITS 8 /* bins: the thresholds of the evidence and the SLO's */
#define BUNCHING_METRICS (1 + BUNCHING_LIMITS)
#define BUNCHING_ERRORS 0
#define BUNCHING_LATENCY(j) (1 + (j))
#define BUNCHING_SLO BUNCHING_LIMITS /* slow or failed */

enum { BUNCHED_BY_USER, BUNCHED_BY_CONNECTION, BUNCHED_BY_SERVER, BUNCHED_BY_TIME, BUNCHING_WAYS };
#define BUNCHING_GROUPED 2 /* the first ways: they have windows of several ticks */

struct bunching_counts {
	double requests[SOURCE_GROUPS], events[BUNCHING_METRICS][SOURCE_GROUPS];
};

struct bunching {
	struct dispersion ways[BUNCHING_WAYS][BUNCHING_METRICS];
	/* The open window. */
	int64_t ticks;
	struct bunching_counts open[BUNCHING_GROUPED];
	/* The first tick of a pair that waits for the second. */
	bool waits;
	double first_requests, first_events[BUNCHING_METRICS];
	int64_t servers; /* that had requests in the last tick which had any */

	double phi[BUNCHING_METRICS]; /* for the coming tick */
};

void bunching_init(struct bunching *b);

/* After the tick was used. "Slow" for metric 1 + i is a bin above <limits>[i]. */
void bunching_tick(struct bunching *b, const struct source_sample *s, const int limits[BUNCHING_LIMITS]);

/* Makes phi from what was gathered; bunching_tick does it by itself. */
void bunching_estimate(struct bunching *b);

/* What a crash must not lose, as numbers. Import is false, and nothing changed, when they are not such numbers. */
#define BUNCHING_VALUES                                                                                         \
	(3 * BUNCHING_WAYS * BUNCHING_METRICS + BUNCHING_GROUPED * SOURCE_GROUPS * (1 + BUNCHING_METRICS) + 4 + \
	 BUNCHING_METRICS)
void bunching_export(const struct bunching *b, double ret_values[BUNCHING_VALUES]);
bool bunching_import(struct bunching *b, const double values[BUNCHING_VALUES]);

#endif
