#include "observe/statements.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

#define QUANTILE 0.95

struct share {
	double mean_ms, calls;
};

void statements_finish(struct statements *s)
{
	free(s->rows);
	*s = (struct statements){ 0 };
}

static int by_mean(const void *a, const void *b)
{
	const struct share *x = a, *y = b;
	return x->mean_ms < y->mean_ms ? -1 : x->mean_ms > y->mean_ms;
}

/* The differences, without those that were not called. SIZE_MAX: a counter went back. */
static size_t differences(const struct statements *before, const struct statements *after, struct share *ret)
{
	size_t count = 0, old = 0;
	for (size_t i = 0; i < after->count; i++) {
		const struct statement *now = &after->rows[i];
		struct statement then = { 0 };
		while (old < before->count && before->rows[old].id < now->id)
			old++;
		if (old < before->count && before->rows[old].id == now->id)
			then = before->rows[old];
		const double calls = now->calls - then.calls, time = now->total_ms - then.total_ms;
		if (!(calls >= 0) || !(time >= 0))
			return SIZE_MAX;
		if (calls > 0)
			ret[count++] = (struct share){ time / calls, calls };
	}
	return count;
}

bool statements_between(const struct statements *before, const struct statements *after, struct statement_times *ret)
{
	double calls = 0, time = 0, passed = 0;
	struct share *shares = xcalloc(after->count, sizeof(*shares));
	const size_t count = differences(before, after, shares);
	if (count == SIZE_MAX) {
		free(shares);
		return false;
	}
	*ret = (struct statement_times){ 0, NAN, NAN };
	for (size_t i = 0; i < count; i++) {
		calls += shares[i].calls;
		time += shares[i].calls * shares[i].mean_ms;
	}
	qsort(shares, count, sizeof(*shares), by_mean);
	for (size_t i = 0; i < count && isnan(ret->p95_ms); i++) {
		passed += shares[i].calls;
		if (passed >= QUANTILE * calls)
			ret->p95_ms = shares[i].mean_ms;
	}
	ret->calls = calls;
	if (calls > 0)
		ret->mean_ms = time / calls;
	free(shares);
	return true;
}
