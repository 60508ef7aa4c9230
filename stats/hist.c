#include "stats/hist.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"

static int ceil_log2(int64_t v)
{
	return v <= 1 ? 0 : 64 - __builtin_clzll((uint64_t)(v - 1));
}

static int half_log2_of(int digits)
{
	int64_t single_unit = 2; /* largest value that still has a slot of its own: 2 x 10^digits */
	for (int i = 0; i < digits; i++)
		single_unit *= 10;
	const int log2 = ceil_log2(single_unit);
	return (log2 > 1 ? log2 : 1) - 1;
}

int32_t hist_layout_len(int64_t lowest, int64_t highest, int digits)
{
	if (digits < 0 || digits > 5 || lowest < 1 || lowest > highest / 2)
		return 0;
	const int unit = 63 - __builtin_clzll((uint64_t)lowest), half_log2 = half_log2_of(digits);
	if (unit + half_log2 > 61)
		return 0;
	int64_t buckets = 1, untrackable = (int64_t)1 << (unit + half_log2 + 1);
	for (; untrackable <= highest; buckets++) {
		if (untrackable > INT64_MAX / 2) {
			buckets++;
			break;
		}
		untrackable *= 2;
	}
	const int64_t len = (buckets + 1) << half_log2;
	return len <= HIST_COUNTS_MAX ? (int32_t)len : 0;
}

void hist_init(struct hist *h, int64_t lowest, int64_t highest, int digits)
{
	const int32_t len = hist_layout_len(lowest, highest, digits);
	must(len > 0);
	*h = (struct hist){ .lowest = lowest, .highest = highest, .digits = digits, .min = INT64_MAX, .max = -1 };
	h->unit = 63 - __builtin_clzll((uint64_t)lowest);
	h->half_log2 = half_log2_of(digits);
	h->half = 1 << h->half_log2;
	h->mask = ((uint64_t)2 * (uint64_t)h->half - 1) << h->unit;
	h->counts_len = len;
	h->counts = xcalloc((size_t)len, sizeof(*h->counts));
}

void hist_init_latency(struct hist *h)
{
	hist_init(h, HIST_LATENCY_LOWEST, HIST_LATENCY_HIGHEST, HIST_LATENCY_DIGITS);
}

void hist_finish(struct hist *h)
{
	free(h->counts);
	h->counts = NULL;
}

void hist_reset(struct hist *h)
{
	if (h->total > 0) {
		const int32_t first = hist_index(h, h->min), last = hist_index(h, h->max);
		memset(h->counts + first, 0, (size_t)(last - first + 1) * sizeof(*h->counts));
	}
	h->total = h->clamped = 0;
	h->min = INT64_MAX;
	h->max = -1;
	h->sum = 0;
}

bool hist_same_layout(const struct hist *a, const struct hist *b)
{
	return a->lowest == b->lowest && a->highest == b->highest && a->digits == b->digits;
}

/* Bucket and slot of a count: value = slot << (bucket + unit). */
static int bucket_of(const struct hist *h, int32_t index, int32_t *ret_slot)
{
	const int bucket = (index >> h->half_log2) - 1;
	*ret_slot = bucket < 0 ? index : (index & (h->half - 1)) + h->half;
	return bucket < 0 ? 0 : bucket;
}

int64_t hist_value_from(const struct hist *h, int32_t index)
{
	int32_t slot;
	const int bucket = bucket_of(h, index, &slot);
	return (int64_t)slot << (bucket + h->unit);
}

int64_t hist_value_to(const struct hist *h, int32_t index)
{
	int32_t slot;
	const int bucket = bucket_of(h, index, &slot);
	return ((int64_t)slot << (bucket + h->unit)) + (((int64_t)1 << (bucket + h->unit)) - 1);
}

void hist_add(struct hist *into, const struct hist *from)
{
	must(hist_same_layout(into, from));
	if (from->total == 0)
		return;
	const int32_t last = hist_index(from, from->max);
	for (int32_t i = hist_index(from, from->min); i <= last; i++)
		into->counts[i] += from->counts[i];
	into->total += from->total;
	into->clamped += from->clamped;
	into->sum += from->sum;
	if (from->min < into->min)
		into->min = from->min;
	if (from->max > into->max)
		into->max = from->max;
}

int64_t hist_min(const struct hist *h)
{
	return h->total ? h->min : 0;
}

int64_t hist_max(const struct hist *h)
{
	return h->total ? h->max : 0;
}

double hist_mean(const struct hist *h)
{
	return h->total ? h->sum / (double)h->total : 0;
}

double hist_deviation(const struct hist *h)
{
	struct hist_bucket b = HIST_BEFORE_FIRST;
	const double mean = hist_mean(h);
	double squares = 0;
	while (hist_next(h, &b)) {
		const double off = (double)b.from + (double)(b.to - b.from) / 2 - mean;
		squares += off * off * (double)b.count;
	}
	return h->total ? sqrt(squares / (double)h->total) : 0;
}

static int64_t rank_of(const struct hist *h, double q)
{
	const double rank = ceil(nextafter(q, -1.0) * (double)h->total);
	if (!(rank > 1))
		return 1;
	return rank >= (double)h->total ? h->total : (int64_t)rank;
}

void hist_quantiles(const struct hist *h, const double *qs, size_t count, int64_t *ret_values)
{
	int32_t at = h->total ? hist_index(h, h->min) : 0;
	int64_t seen = h->total ? h->counts[at] : 0;
	for (size_t i = 0; i < count; i++) {
		must(i == 0 || qs[i] >= qs[i - 1]);
		for (const int64_t rank = rank_of(h, qs[i]); seen < rank && h->total; seen += h->counts[at])
			at++;
		const int64_t to = hist_value_to(h, at);
		ret_values[i] = h->total == 0 ? 0 : to < h->max ? to : h->max;
	}
}

int64_t hist_quantile(const struct hist *h, double q)
{
	int64_t value;
	hist_quantiles(h, &q, 1, &value);
	return value;
}

int64_t hist_count_above(const struct hist *h, int64_t value)
{
	if (h->total == 0 || value >= h->max)
		return 0;
	if (value < 0)
		return h->total;
	int64_t above = 0;
	const int32_t last = hist_index(h, h->max);
	for (int32_t i = hist_index(h, value) + 1; i <= last; i++)
		above += h->counts[i];
	return above;
}

bool hist_next(const struct hist *h, struct hist_bucket *b)
{
	if (h->total == 0)
		return false;
	const int32_t last = hist_index(h, h->max);
	int32_t i = b->index < 0 ? hist_index(h, h->min) : b->index + 1;
	while (i <= last && h->counts[i] == 0)
		i++;
	if (i > last)
		return false;
	b->index = i;
	b->from = hist_value_from(h, i);
	b->to = hist_value_to(h, i);
	b->count = h->counts[i];
	b->cumulative += b->count;
	return true;
}

bool hist_add_at(struct hist *h, int32_t index, int64_t n)
{
	must(index >= 0 && index < h->counts_len && n >= 0);
	int64_t total;
	if (__builtin_add_overflow(h->total, n, &total))
		return false;
	if (n == 0)
		return true;
	const int64_t from = hist_value_from(h, index), to = hist_value_to(h, index);
	h->counts[index] += n;
	h->total = total;
	h->sum += ((double)from + (double)(to - from) / 2) * (double)n;
	if (from < h->min)
		h->min = from;
	if (to > h->max)
		h->max = to;
	return true;
}
