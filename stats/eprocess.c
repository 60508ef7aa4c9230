#include "stats/eprocess.h"

#include <math.h>

#include "base/must.h"

static const double abort_effects[] = { 1.25, 1.5, 2, 3, 5, 10, 30 };
static const double promote_effects[] = { .9, .75, .5, .25, .05 };

#define THETA_LEAST 1e-7
#define THETA_MOST .98
/* 6/pi^2 = 1 / (1 + 1/4 + 1/9 + ...) */
#define SHARE_OF_FIRST_HOUR 0.60792710185402663
/* exp(-37) is below half a unit in the last place of 1 */
#define LN_NEGLIGIBLE 37.0
#define KNEE 1.0 /* nats of a tick */

double ln_add(double a, double b)
{
	const double high = a > b ? a : b, low = a > b ? b : a;
	return high - low > LN_NEGLIGIBLE ? high : high + log1p(exp(low - high));
}

static double clamp_theta(double theta)
{
	return theta > THETA_LEAST ? fmin(theta, THETA_MOST) : THETA_LEAST; /* also for nan */
}

void eprocess_init(struct eprocess *p, const struct eprocess_plan *plan)
{
	must(plan->null.m >= 0 && plan->null.a >= 0 && plan->null.a < 1 && plan->null.m + plan->null.a > 0);
	must(plan->restart == EPROCESS_RESTART_NONE || plan->restart_ticks > 0);
	must(plan->phi == 0 || plan->phi >= 1);
	*p = (struct eprocess){ .plan = *plan };
	if (p->plan.phi == 0)
		p->plan.phi = 1;
	if (p->plan.beyond == 0)
		p->plan.beyond = p->plan.phi;
	must(p->plan.beyond >= p->plan.phi);
	p->count = plan->side == EPROCESS_ABORT ? (int)ARRAY_LEN(abort_effects) : (int)ARRAY_LEN(promote_effects);
	const double first = plan->restart == EPROCESS_RESTART_NONE ? 1.0 : 0.5;
	for (int i = 0; i < p->count; i++)
		p->ln_m[i] = log(first / p->count);
}

/* w_k of tick number <k>, the first being 0, for all effects together. */
static double restart_weight(const struct eprocess_plan *plan, double k)
{
	if (plan->restart == EPROCESS_RESTART_NONE || k < 1)
		return 0;
	if (plan->restart == EPROCESS_RESTART_PLANNED)
		return k <= plan->restart_ticks ? 0.5 / plan->restart_ticks : 0;
	const double hour = 1 + floor((k - 1) / plan->restart_ticks);
	return 0.5 * SHARE_OF_FIRST_HOUR / (hour * hour * plan->restart_ticks);
}

/* theta_c of effect <i>, or 0 when there is none on the right side of the border. */
static double effect_theta(const struct eprocess_plan *plan, int i, double border)
{
	const bool abort = plan->side == EPROCESS_ABORT;
	const double effect = abort ? abort_effects[i] : promote_effects[i];
	double theta = effect * border;
	if (plan->effects == EPROCESS_ODDS)
		theta = border < 1 ? theta / (1 - border + theta) : 1;
	if (theta >= .97)
		theta = border < .97 ? border + (1 - border) * .5 : .995;
	return (abort ? theta > border : theta < border) ? theta : 0;
}

static double tempered(const struct eprocess_plan *plan, double ln_l)
{
	const double ln = ln_l / plan->phi;
	return ln <= KNEE ? ln : KNEE + (ln - KNEE) * plan->phi / plan->beyond;
}

void eprocess_tick(struct eprocess *p, const struct block *tick, double theta_s)
{
	must(tick->e_c >= 0 && tick->e_c <= tick->n_c && tick->e_s >= 0 && tick->e_s <= tick->n_s);
	if (tick->n_c + tick->n_s <= 0)
		return;
	theta_s = clamp_theta(theta_s);
	const double border = p->plan.null.m * theta_s + p->plan.null.a;
	const double weight = restart_weight(&p->plan, p->ticks), ln_weight = weight > 0 ? log(weight / p->count) : 0;
	for (int i = 0; i < p->count; i++) {
		const double theta_c = effect_theta(&p->plan, i, border);
		if (weight > 0)
			p->ln_m[i] = ln_add(p->ln_m[i], ln_weight);
		if (theta_c > 0)
			p->ln_m[i] += tempered(
				&p->plan, evariable_ln(tick, (struct alternative){ theta_c, theta_s }, p->plan.null));
	}
	p->ticks++;
}

void eprocess_temper(struct eprocess *p, struct temper t)
{
	must(t.phi >= 1 && t.beyond >= t.phi);
	p->plan.phi = t.phi;
	p->plan.beyond = t.beyond;
}

double eprocess_ln(const struct eprocess *p)
{
	double most = p->ln_m[0], sum = 0;
	for (int i = 1; i < p->count; i++)
		most = fmax(most, p->ln_m[i]);
	for (int i = 0; i < p->count; i++)
		sum += exp(p->ln_m[i] - most);
	return most + log(sum);
}

size_t eprocess_export(const struct eprocess *p, double *ret_values, size_t room)
{
	must(room >= EPROCESS_VALUES);
	ret_values[0] = p->ticks;
	for (int i = 0; i < EPROCESS_EFFECTS_MAX; i++)
		ret_values[1 + i] = p->ln_m[i];
	return EPROCESS_VALUES;
}

bool eprocess_import(struct eprocess *p, const double *values, size_t count)
{
	if (count != EPROCESS_VALUES || !(values[0] >= 0))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!isfinite(values[i]))
			return false;
	p->ticks = values[0];
	for (int i = 0; i < EPROCESS_EFFECTS_MAX; i++)
		p->ln_m[i] = values[1 + i];
	return true;
}

double ln_weighted_mean(const double *ln_values, const double *weights, size_t count)
{
	double sum = -INFINITY, total = 0;
	for (size_t i = 0; i < count; i++) {
		must(weights[i] >= 0);
		total += weights[i];
		if (weights[i] > 0)
			sum = sum == -INFINITY ? ln_values[i] + log(weights[i])
			                       : ln_add(sum, ln_values[i] + log(weights[i]));
	}
	must(total <= 1 + 1e-9);
	return sum;
}

void running_rate_init(struct running_rate *r, double p0, double kappa, double half_life_ticks)
{
	must(p0 >= 0 && p0 <= 1 && kappa > 0 && half_life_ticks > 0);
	*r = (struct running_rate){ p0 * kappa, kappa, exp2(-1 / half_life_ticks) };
}

double running_rate_get(const struct running_rate *r)
{
	return clamp_theta(r->events / r->requests);
}

void running_rate_add(struct running_rate *r, double requests, double events)
{
	r->events = r->events * r->keep + events;
	r->requests = r->requests * r->keep + requests;
}
