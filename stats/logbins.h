/* logbins.h: latencies in coarse logarithmic bins, as the evidence of a canary needs them.
 *
 * bin        16 to the octave: neighbours differ by the factor G = 2^(1/16) = 1.0443. From 2^13 ns = 8.2 us to 2^37 ns
 *            = 137 s; bin 0 is everything below, the last bin everything above
 * threshold  a bin, frozen before the rollout; "slower than the threshold" is a latency in any bin above it
 * shift      a margin on the latency axis in bins: the canary is compared at threshold + shift, which tests "slower by
 *            more than the margin" (statistics.md section 2)
 *
 * Powers of two make the index three instructions and a compare, exact in integers: no logarithm, the same on every
 * machine. One tick of one arm is 3 KiB. Plain data. Threads: one at a time. */
#ifndef WEIR_STATS_LOGBINS_H
#define WEIR_STATS_LOGBINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stats/hist.h"

#define LOGBINS_PER_OCTAVE 16
#define LOGBINS_LOWEST_LOG2 13
#define LOGBINS_HIGHEST_LOG2 37
#define LOGBINS (2 + LOGBINS_PER_OCTAVE * (LOGBINS_HIGHEST_LOG2 - LOGBINS_LOWEST_LOG2))
#define LOGBINS_RATIO 1.0442737824274138 /* G */

/* All zero bytes: empty. */
struct logbins {
	int64_t counts[LOGBINS];
	int64_t total;
};

/* For logbins_index: 2^(k/16) in 31 bits of fraction, and the k of the lower end of each 1/64 of an octave. */
extern const uint64_t logbins_edges[LOGBINS_PER_OCTAVE + 1];
extern const uint8_t logbins_cells[64];

/* Bin of a latency; 0 for what is negative. */
static inline int logbins_index(int64_t ns)
{
	if (ns < (INT64_C(1) << LOGBINS_LOWEST_LOG2))
		return 0;
	if (ns >= (INT64_C(1) << LOGBINS_HIGHEST_LOG2))
		return LOGBINS - 1;
	const int zeros = __builtin_clzll((uint64_t)ns);
	const uint64_t mantissa = (uint64_t)ns << zeros >> 32; /* 1.x with 31 bits of fraction */
	const int cell = logbins_cells[mantissa >> 25 & 63];
	return 1 + (63 - zeros - LOGBINS_LOWEST_LOG2) * LOGBINS_PER_OCTAVE + cell +
	       (mantissa >= logbins_edges[cell + 1]);
}

/* Least latency in <bin>; 0 for bin 0. <bin> == LOGBINS: INT64_MAX. */
int64_t logbins_from(int bin);

static inline void logbins_record(struct logbins *b, int64_t ns)
{
	b->counts[logbins_index(ns)]++;
	b->total++;
}

void logbins_reset(struct logbins *b);
void logbins_add(struct logbins *into, const struct logbins *from);
/* Every bucket of <h> (ns) counted at its middle. */
void logbins_add_hist(struct logbins *into, const struct hist *h);

/* Recordings in bins above <bin>. */
int64_t logbins_above(const struct logbins *b, int bin);
/* The same above each <thresholds>[i] + <shift>, in one pass. */
void logbins_above_each(const struct logbins *b, const int *thresholds, size_t count, int shift, int64_t *ret_above);

/* Bins that make up a margin: ceil(ln(1 + margin)/ln G); <margin> >= 0, 0.1 = 10 %. */
int logbins_shift(double margin);

/* Bin of the <q>-quantile by the rank rule of hist_quantile; -1 when empty. */
int logbins_quantile_bin(const struct logbins *b, double q);

/* The <q>-quantile in ns of LOGBINS weights >= 0, geometric between the ends of its bin; 0 when all are 0. */
double logbins_weighted_quantile(const double *weights, double q);

#endif
