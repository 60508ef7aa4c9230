#include "record/series.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"

struct sampled_series *sampled_series_make(size_t count, size_t seconds)
{
	must(count <= SERIES_COUNT_MAX);
	struct sampled_series *list = xcalloc(count, sizeof(*list));
	for (size_t i = 0; i < count; i++) {
		list[i].limit = NAN;
		list[i].count = seconds;
		list[i].values = xcalloc(seconds, sizeof(*list[i].values));
		for (size_t k = 0; k < seconds; k++)
			list[i].values[k] = NAN;
	}
	return list;
}

void sampled_series_destroy(struct sampled_series *list, size_t count)
{
	for (size_t i = 0; list && i < count; i++) {
		free(list[i].name);
		free(list[i].unit);
		free(list[i].values);
		free(list[i].why_missing);
	}
	free(list);
}

size_t sampled_series_sum_up(const struct sampled_series *s, size_t from, double *ret_mean, double *ret_max)
{
	double sum = 0, most = NAN;
	size_t there = 0;
	for (size_t i = from; i < s->count; i++) {
		if (!isfinite(s->values[i]))
			continue;
		sum += s->values[i];
		most = fmax(most, s->values[i]);
		there++;
	}
	*ret_mean = there ? sum / (double)there : NAN;
	*ret_max = most;
	return there;
}
