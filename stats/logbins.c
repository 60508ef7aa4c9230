#include "stats/logbins.h"

#include <math.h>
#include <string.h>

#include "base/must.h"

/* ceil(2^31 2^(k/16)) */
const uint64_t logbins_edges[LOGBINS_PER_OCTAVE + 1] = {
	0x80000000u, 0x85aac368u, 0x8b95c1e4u, 0x91c3d374u, 0x9837f052u,  0x9ef53261u,
	0xa5fed6aau, 0xad583eebu, 0xb504f334u, 0xbd08a3a0u, 0xc5672a12u,  0xce248c16u,
	0xd744fccbu, 0xe0ccdeedu, 0xeac0c6e8u, 0xf5257d16u, 0x100000000u,
};

/* A cell is narrower than any bin, so at most one edge lies inside of it. */
const uint8_t logbins_cells[64] = {
	0,  0,  0,  1,  1,  1,  2,  2,  2,  3,  3,  3,  3,  4,  4,  4,  5,  5,  5,  6,  6,  6,
	6,  7,  7,  7,  7,  8,  8,  8,  8,  9,  9,  9,  9,  10, 10, 10, 10, 10, 11, 11, 11, 11,
	12, 12, 12, 12, 12, 13, 13, 13, 13, 13, 14, 14, 14, 14, 14, 15, 15, 15, 15, 15,
};

int64_t logbins_from(int bin)
{
	must(bin >= 0 && bin <= LOGBINS);
	if (bin == 0)
		return 0;
	if (bin == LOGBINS)
		return INT64_MAX;
	const int octave = LOGBINS_LOWEST_LOG2 + (bin - 1) / LOGBINS_PER_OCTAVE;
	const uint64_t edge = logbins_edges[(bin - 1) % LOGBINS_PER_OCTAVE];
	if (octave > 31)
		return (int64_t)(edge << (octave - 31));
	return (int64_t)((edge + (UINT64_C(1) << (31 - octave)) - 1) >> (31 - octave));
}

void logbins_reset(struct logbins *b)
{
	memset(b, 0, sizeof(*b));
}

void logbins_add(struct logbins *into, const struct logbins *from)
{
	for (int i = 0; i < LOGBINS; i++)
		into->counts[i] += from->counts[i];
	into->total += from->total;
}

void logbins_add_hist(struct logbins *into, const struct hist *h)
{
	struct hist_bucket b = HIST_BEFORE_FIRST;
	while (hist_next(h, &b)) {
		into->counts[logbins_index(b.from + (b.to - b.from) / 2)] += b.count;
		into->total += b.count;
	}
}

int64_t logbins_above(const struct logbins *b, int bin)
{
	int64_t above = 0;
	for (int i = bin < -1 ? 0 : bin + 1; i < LOGBINS; i++)
		above += b->counts[i];
	return above;
}

void logbins_above_each(const struct logbins *b, const int *thresholds, size_t count, int shift, int64_t *ret_above)
{
	int64_t above[LOGBINS + 1]; /* in bins from i on */
	above[LOGBINS] = 0;
	for (int i = LOGBINS - 1; i >= 0; i--)
		above[i] = above[i + 1] + b->counts[i];
	for (size_t i = 0; i < count; i++) {
		const int64_t from = (int64_t)thresholds[i] + shift + 1;
		ret_above[i] = above[from < 0 ? 0 : from > LOGBINS ? LOGBINS : from];
	}
}

int logbins_shift(double margin)
{
	must(margin >= 0 && margin < 1e6);
	return (int)ceil(LOGBINS_PER_OCTAVE * log2(1 + margin) - 1e-9);
}

int logbins_quantile_bin(const struct logbins *b, double q)
{
	int64_t seen = 0;
	const double rank = ceil(nextafter(q, -1.0) * (double)b->total);
	if (b->total == 0)
		return -1;
	for (int i = 0; i < LOGBINS; i++) {
		seen += b->counts[i];
		if (seen > 0 && (double)seen >= rank)
			return i;
	}
	return LOGBINS - 1;
}

double logbins_weighted_quantile(const double *weights, double q)
{
	double total = 0, seen = 0;
	int bin = -1;
	for (int i = 0; i < LOGBINS; i++)
		total += weights[i];
	for (int i = 0; i < LOGBINS; i++) {
		if (weights[i] <= 0)
			continue;
		bin = i;
		if (seen + weights[i] >= q * total)
			break;
		seen += weights[i];
	}
	if (bin < 0)
		return 0;
	const double share = fmin(fmax((q * total - seen) / weights[bin], 0), 1);
	const double from = bin == 0 ? ldexp(1, LOGBINS_LOWEST_LOG2) / LOGBINS_RATIO : (double)logbins_from(bin);
	return from * pow(LOGBINS_RATIO, share);
}
