#include "stats/compare.h"

#include <math.h>

#include "base/must.h"

void risk_ratio_add(struct risk_ratio *r, const struct block *tick)
{
	const double n = tick->n_c + tick->n_s;
	if (n <= 0)
		return;
	r->canary += tick->e_c * tick->n_s / n;
	r->stable += tick->e_s * tick->n_c / n;
	r->total.n_c += tick->n_c;
	r->total.e_c += tick->e_c;
	r->total.n_s += tick->n_s;
	r->total.e_s += tick->e_s;
}

double risk_ratio_get(const struct risk_ratio *r)
{
	if (r->stable > 0)
		return r->canary / r->stable;
	return r->canary > 0 ? INFINITY : NAN;
}

void latency_ratio_add(struct latency_ratio *r, const struct logbins *canary, const struct logbins *stable)
{
	if (canary->total <= 0 || stable->total <= 0)
		return;
	const double weight = (double)stable->total / (double)canary->total;
	for (int i = 0; i < LOGBINS; i++) {
		r->canary[i] += weight * (double)canary->counts[i];
		r->stable[i] += (double)stable->counts[i];
	}
}

double latency_ratio_at(const struct latency_ratio *r, double q, double *ret_canary_ns, double *ret_stable_ns)
{
	const double canary = logbins_weighted_quantile(r->canary, q), stable = logbins_weighted_quantile(r->stable, q);
	if (ret_canary_ns)
		*ret_canary_ns = canary;
	if (ret_stable_ns)
		*ret_stable_ns = stable;
	return stable > 0 ? canary / stable : NAN;
}

/* --- confidence sequence of the error ratio ----------------------------------------------------------------------- */

static const double nested_nulls[RATIO_BOUNDS_NULLS] = { 1, 1.1, 1.25, 1.5, 2, 3, 5 };

void ratio_bounds_init(struct ratio_bounds *b, double alpha, double phi)
{
	must(alpha > 0 && alpha < 1);
	*b = (struct ratio_bounds){ .ln_threshold = log(2 / alpha), .low = 0, .high = INFINITY };
	for (int i = 0; i < RATIO_BOUNDS_NULLS; i++) {
		struct eprocess_plan plan = { .null = { nested_nulls[i], 0 }, .side = EPROCESS_ABORT, .phi = phi };
		eprocess_init(&b->above[i], &plan);
		plan.side = EPROCESS_PROMOTE;
		eprocess_init(&b->below[i], &plan);
	}
}

void ratio_bounds_temper(struct ratio_bounds *b, struct temper t)
{
	for (int i = 0; i < RATIO_BOUNDS_NULLS; i++) {
		eprocess_temper(&b->above[i], t);
		eprocess_temper(&b->below[i], t);
	}
}

void ratio_bounds_tick(struct ratio_bounds *b, const struct block *tick, double theta_s)
{
	for (int i = 0; i < RATIO_BOUNDS_NULLS; i++) {
		eprocess_tick(&b->above[i], tick, theta_s);
		eprocess_tick(&b->below[i], tick, theta_s);
		if (eprocess_ln(&b->above[i]) >= b->ln_threshold)
			b->low = fmax(b->low, nested_nulls[i]);
		if (eprocess_ln(&b->below[i]) >= b->ln_threshold)
			b->high = fmin(b->high, nested_nulls[i]);
	}
}

bool ratio_bounds_get(const struct ratio_bounds *b, double *ret_low, double *ret_high)
{
	*ret_low = b->low;
	*ret_high = b->high;
	return b->low < b->high;
}

size_t ratio_bounds_export(const struct ratio_bounds *b, double *ret_values, size_t room)
{
	must(room >= RATIO_BOUNDS_VALUES);
	ret_values[0] = b->low;
	ret_values[1] = isfinite(b->high) ? b->high : -1;
	size_t at = 2;
	for (int i = 0; i < RATIO_BOUNDS_NULLS; i++)
		at += eprocess_export(&b->above[i], ret_values + at, EPROCESS_VALUES);
	for (int i = 0; i < RATIO_BOUNDS_NULLS; i++)
		at += eprocess_export(&b->below[i], ret_values + at, EPROCESS_VALUES);
	return at;
}

bool ratio_bounds_import(struct ratio_bounds *b, const double *values, size_t count)
{
	struct ratio_bounds read = *b; /* so that a bad value in the middle changes nothing */
	if (count != RATIO_BOUNDS_VALUES || !(values[0] >= 0 && isfinite(values[0])) || !isfinite(values[1]))
		return false;
	read.low = values[0];
	read.high = values[1] < 0 ? INFINITY : values[1];
	for (int i = 0; i < 2 * RATIO_BOUNDS_NULLS; i++) {
		struct eprocess *p = i < RATIO_BOUNDS_NULLS ? &read.above[i] : &read.below[i - RATIO_BOUNDS_NULLS];
		if (!eprocess_import(p, values + 2 + (ptrdiff_t)i * EPROCESS_VALUES, EPROCESS_VALUES))
			return false;
	}
	*b = read;
	return true;
}

/* --- share test --------------------------------------------------------------------------------------------------- */

static double ln_beta(double a, double b)
{
	int sign; /* lgamma would write a global */
	return lgamma_r(a, &sign) + lgamma_r(b, &sign) - lgamma_r(a + b, &sign);
}

static double ln_of_step(const struct share_test *t)
{
	const double s = t->share, n_c = t->n_c, n_s = t->n_s;
	if (!(s > 0 && s < 1) || n_c + n_s <= 0)
		return 0;
	return ln_beta(t->k * s + n_c, t->k * (1 - s) + n_s) - ln_beta(t->k * s, t->k * (1 - s)) - n_c * log(s) -
	       n_s * log1p(-s);
}

void share_test_init(struct share_test *t, double k)
{
	must(k > 0);
	*t = (struct share_test){ .k = k };
}

void share_test_step(struct share_test *t, double share)
{
	must(share >= 0 && share <= 1);
	t->ln_before += ln_of_step(t);
	t->share = share;
	t->n_c = t->n_s = 0;
}

void share_test_add(struct share_test *t, double n_c, double n_s)
{
	must(n_c >= 0 && n_s >= 0);
	t->n_c += n_c;
	t->n_s += n_s;
}

double share_test_ln(const struct share_test *t)
{
	return t->ln_before + ln_of_step(t);
}

/* --- scores ------------------------------------------------------------------------------------------------------- */

static double progress(double ln_e, double level)
{
	must(level > 0 && level < 1);
	const double share = ln_e / log(1 / level);
	return share > 0 ? fmin(share, 1) : 0; /* also for nan */
}

double health_score(double ln_e, double alpha)
{
	return 100 * (1 - progress(ln_e, alpha));
}

double promote_progress(const double *ln_e, size_t count, double beta)
{
	double least = count ? 1 : 0;
	for (size_t i = 0; i < count; i++)
		least = fmin(least, progress(ln_e[i], beta));
	return least;
}
