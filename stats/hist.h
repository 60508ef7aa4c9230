/* hist.h: HDR histogram: every value kept to a fixed number of significant digits, in constant memory.
 *
 * layout      lowest, highest, digits: they alone decide which value counts where. Weir measures everything in one
 *             layout, hist_init_latency: nanoseconds, 1 us to 1 hour, 3 digits; 24,576 counts, 192 KiB
 * equivalent  values that share a bucket; they differ by less than 1 in 10^digits
 * clamped     recorded values above the highest; they count as the highest, so they are never lost, only understated
 *
 * The arithmetic is that of HdrHistogram (Gil Tene; no formal specification, read from HdrHistogram_c 0.11.10 and
 * HdrHistogram Java 2.2.3), so that counts travel between tools: hist_codec.h. A bucket holds `half` equally wide
 * slots and each bucket is twice as wide as the one before; the first bucket has 2 x half slots:
 *
 *     unit = floor(log2 lowest), sub = smallest power of two >= 2 x 10^digits, half = sub/2
 *     bucket(v) = bitlen(v | (sub-1) << unit) - unit - log2(sub)
 *     index(v)  = (bucket+1) x half + (v >> (bucket+unit)) - half
 *
 * A quantile is the smallest recorded value with at least ceil(q n) recordings at or below it, given as the highest
 * equivalent: a latency is never understated. Never average quantiles: hist_add, then ask.
 *
 * Memory: the counts are allocated once, by hist_init. Threads: one at a time. */
#ifndef WEIR_STATS_HIST_H
#define WEIR_STATS_HIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HIST_LATENCY_LOWEST INT64_C(1000)
#define HIST_LATENCY_HIGHEST INT64_C(3600000000000)
#define HIST_LATENCY_DIGITS 3

/* No histogram has more counts than this; a decoder refuses what claims to. */
#define HIST_COUNTS_MAX (1 << 20)

struct hist {
	int64_t lowest, highest; /* layout */
	int digits;
	int unit, half_log2; /* derived: unit magnitude, log2(half) */
	int32_t half, counts_len;
	uint64_t mask; /* (sub-1) << unit */

	int64_t *counts;  /* own; counts_len of them */
	int64_t total;    /* sum of counts */
	int64_t clamped;  /* part of total */
	int64_t min, max; /* as recorded, after clamping; INT64_MAX and -1 when empty */
	double sum;       /* of the recorded values */
};

/* Number of counts that a layout needs, 0 when there is no such layout (digits 0..5, 1 <= lowest <= highest/2, at most
 * HIST_COUNTS_MAX counts). */
int32_t hist_layout_len(int64_t lowest, int64_t highest, int digits);

/* The layout must be one. Finish with hist_finish. */
void hist_init(struct hist *h, int64_t lowest, int64_t highest, int digits);
void hist_init_latency(struct hist *h);
void hist_finish(struct hist *h);

/* Forgets all values; keeps layout and memory. Touches only the range that was used. */
void hist_reset(struct hist *h);

bool hist_same_layout(const struct hist *a, const struct hist *b);

/* The count that <value> belongs to; 0 <= value <= highest. */
static inline int32_t hist_index(const struct hist *h, int64_t value)
{
	const int bucket = 63 - __builtin_clzll((uint64_t)value | h->mask) - h->unit - h->half_log2;
	return ((bucket + 1) << h->half_log2) + (int32_t)(value >> (bucket + h->unit)) - h->half;
}

/* Lowest and highest value that count <index> stands for. */
int64_t hist_value_from(const struct hist *h, int32_t index);
int64_t hist_value_to(const struct hist *h, int32_t index);

/* Highest value equivalent to <value>; 0 <= value <= highest. */
static inline int64_t hist_highest_equivalent(const struct hist *h, int64_t value)
{
	return hist_value_to(h, hist_index(h, value));
}

/* Records <value> <n> >= 0 times. Below 0 counts as 0; values below the lowest go to the lowest buckets, which are
 * `1 << unit` wide; above the highest counts as the highest and in <clamped>. */
static inline void hist_record_n(struct hist *h, int64_t value, int64_t n)
{
	if (__builtin_expect(value > h->highest, 0)) {
		value = h->highest;
		h->clamped += n;
	}
	if (__builtin_expect(value < 0, 0))
		value = 0;
	if (__builtin_expect(n <= 0, 0))
		return;
	h->counts[hist_index(h, value)] += n;
	h->total += n;
	h->sum += (double)value * (double)n;
	if (value > h->max)
		h->max = value;
	if (value < h->min)
		h->min = value;
}

static inline void hist_record(struct hist *h, int64_t value)
{
	hist_record_n(h, value, 1);
}

/* Adds all of <from>, which must have the same layout. Costs the used range of <from>. */
void hist_add(struct hist *into, const struct hist *from);

static inline int64_t hist_count(const struct hist *h)
{
	return h->total;
}

/* All 0 when empty. */
int64_t hist_min(const struct hist *h);
int64_t hist_max(const struct hist *h);
double hist_mean(const struct hist *h);
/* Of the population, from the middles of the buckets. */
double hist_deviation(const struct hist *h);

/* <q> in 0..1. Highest equivalent of the value of rank max(1, ceil(nextDown(q) n)), never above the recorded maximum;
 * 0 when empty. nextDown is Java's rule: 0.99 x 100 must not become 99.00000001 and then 100. */
int64_t hist_quantile(const struct hist *h, double q);

/* The same for <count> ascending <qs> in one pass. */
void hist_quantiles(const struct hist *h, const double *qs, size_t count, int64_t *ret_values);

/* Recordings in buckets strictly above the bucket of <value>. */
int64_t hist_count_above(const struct hist *h, int64_t value);

/* Walks the buckets that are not empty, lowest first:
 *
 *     struct hist_bucket b = HIST_BEFORE_FIRST;
 *     while (hist_next(h, &b))
 *         ...                                                                                                    */
struct hist_bucket {
	int32_t index;
	int64_t from, to; /* both inclusive */
	int64_t count;
	int64_t cumulative; /* of this and all lower buckets */
};
#define HIST_BEFORE_FIRST ((struct hist_bucket){ .index = -1 })
bool hist_next(const struct hist *h, struct hist_bucket *b);

/* For decoders: adds <n> >= 0 to count <index> and sets min, max and sum as well as equivalents allow (lowest,
 * highest and middle value of the bucket). False, and nothing added, when the total would overflow. */
bool hist_add_at(struct hist *h, int32_t index, int64_t n);

#endif
