#include "canary/evidence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "canary/evidence_state.h"
#include "canary/source.h"

const double threshold_quantiles[THRESHOLDS] = { .5, .75, .9, .95, .99, .995, .999 };
const int promote_thresholds[PROMOTE_QUANTILES] = { THRESHOLD_P50, THRESHOLD_P95 };

/* The null of harm is a little worse than equal, so that a noisy neighbour is not a regression (statistics.md, 3). */
#define HARM_RATIO 1.1
#define GROSS_SLACK 0.1
#define WINDOW_EFFECT 1 /* odds 1.5: index into the effects of an abort process */
#define GROSS_EFFECT 2  /* ratio 2 */

#define HOUR_TICKS 3600
#define USUAL_HALF_LIFE 600.0
#define RECENT_KEEP 0.87 /* half-life 5 ticks */
#define LOST_KEEP 0.977  /* half-life 30 ticks */
#define SETTLE_TICKS 3   /* after a change of weight, requests begun before it still arrive */
/* Promotion has to stay earned: evidence beyond this is dropped, so that a bad end is not outvoted by a good begin. */
#define PROMOTE_CAP (log(100) + 3)

const char *verdict_text(enum verdict v)
{
	static const char *const texts[] = {
#define X(id, text) text,
		VERDICTS(X)
#undef X
	};
	return texts[v];
}

const char *lack_text(enum lack l)
{
	static const char *const texts[] = {
#define X(id, text) text,
		LACKS(X)
#undef X
	};
	return texts[l];
}

void evidence_config_init(struct evidence_config *ret, const struct plan *p)
{
	*ret = (struct evidence_config){
		.compare = p->compare,
		.planned_ticks = HOUR_TICKS,
		.warmup_ticks = (p->compare.warmup + SECOND - 1) / SECOND,
		.freeze_requests = 500,
		.stage_requests = 50,
		.phi = 1,
	};
}

/* --- the start --- */

static void start_process(struct eprocess *p, const struct evidence_config *c, enum eprocess_side side,
                          enum eprocess_effects effects, struct null null)
{
	const struct eprocess_plan plan = {
		.null = null,
		.side = side,
		.effects = effects,
		/* A rollout that is extended or held has no planned end, hence the reserve by the hour. */
		.restart = side == EPROCESS_ABORT ? EPROCESS_RESTART_HOURLY : EPROCESS_RESTART_NONE,
		.restart_ticks = (double)c->planned_ticks,
		.phi = c->phi,
	};
	eprocess_init(p, &plan);
}

static void start_plain(struct eprocess *p, const struct evidence_config *c, enum eprocess_effects effects,
                        struct null null)
{
	eprocess_init(
		p, &(struct eprocess_plan){ .null = null, .side = EPROCESS_ABORT, .effects = effects, .phi = c->phi });
}

static void start_processes(struct evidence *e)
{
	const struct evidence_config *c = &e->config;
	const struct null equal = { 1, 0 }, worse = { HARM_RATIO, 0 }, gross = { HARM_RATIO, GROSS_SLACK };
	start_process(&e->harm_errors, c, EPROCESS_ABORT, EPROCESS_RATIO, worse);
	start_process(&e->harm_gross, c, EPROCESS_ABORT, EPROCESS_RATIO, gross);
	start_plain(&e->plain_errors, c, EPROCESS_RATIO, worse);
	start_plain(&e->plain_gross, c, EPROCESS_RATIO, gross);
	for (int j = 0; j < THRESHOLDS; j++) {
		start_process(&e->harm_latency[j], c, EPROCESS_ABORT, EPROCESS_ODDS, equal);
		start_plain(&e->plain_latency[j], c, EPROCESS_ODDS, equal);
	}
	start_process(&e->promote_errors, c, EPROCESS_PROMOTE, EPROCESS_RATIO,
	              (struct null){ c->compare.errors_ratio, c->compare.errors_slack });
	for (int k = 0; k < PROMOTE_QUANTILES; k++)
		start_process(&e->promote_latency[k], c, EPROCESS_PROMOTE, EPROCESS_ODDS, equal);
	if (e->slo) {
		const struct null limit = { 0, 1 - c->compare.slo_quantile };
		start_process(&e->harm_slo, c, EPROCESS_ABORT, EPROCESS_RATIO, limit);
		start_process(&e->promote_slo, c, EPROCESS_PROMOTE, EPROCESS_RATIO, limit);
	}
	ratio_bounds_init(&e->bounds, c->compare.alpha, c->phi);
}

/* The margin in bins, to the nearest: 10 % is 2 bins of 4.4 %, 9 %. Rounding up would make it 14 %. */
static int nearest_shift(double margin)
{
	return (int)lround(LOGBINS_PER_OCTAVE * log2(1 + margin));
}

/* A bunch of very slow requests is also one of requests slower than the median. There it is too small a part to raise
 * phi, but it can fill a tick of the canary: what a tick proves at once is divided by the largest phi from there on up. */
void evidence_temper(struct evidence *e)
{
	double beyond = 1;
	for (int m = BUNCHING_METRICS - 1; m >= 0; m--) {
		const double phi = e->config.phi_fixed ? e->config.phi : fmax(e->config.phi, e->bunching.phi[m]);
		const bool latency = m != BUNCHING_ERRORS && m != BUNCHING_SLO;
		beyond = latency ? fmax(beyond, phi) : beyond;
		e->temper[m] = (struct temper){ phi, latency ? beyond : phi };
	}
}

void evidence_begin(struct evidence *e, const struct evidence_config *config)
{
	must(config->planned_ticks > 0 && config->phi >= 1);
	*e = (struct evidence){
		.config = *config,
		.slo = config->compare.slo_quantile > 0,
		.harm_shift = nearest_shift(config->compare.latency_margin),
		.promote_shift = nearest_shift((config->compare.latency_ratio - 1) / 2),
		.last_tick = -1,
		.first_canary_tick = -1,
		.freeze_since = -1,
		.sample_tick = -1,
		.traffic_tick = -1,
		.warming = true,
		.stage = { .stage = -1 },
	};
	e->weight_slo = e->slo ? 0.1 : 0;
	e->weight_gross = 0.1;
	e->weight_errors = e->slo ? 0.4 : 0.45;
	e->weight_latency = e->slo ? 0.4 : 0.45;
	e->slo_bin = logbins_index(config->compare.slo_limit);
	share_test_init(&e->share, SHARE_TEST_K);
	bunching_init(&e->bunching);
	evidence_temper(e);
	start_processes(e);
	evidence_judge(e);
}

struct evidence *evidence_create(const struct evidence_config *config)
{
	struct evidence *e = xcalloc(1, sizeof(*e));
	evidence_begin(e, config);
	return e;
}

void evidence_destroy(struct evidence *e)
{
	free(e);
}

/* --- freeze --- */

static bool enough_to_freeze(const struct evidence *e, int64_t tick)
{
	const uint64_t n = (uint64_t)e->before.total;
	const int64_t waited = e->freeze_since < 0 ? 0 : tick - e->freeze_since;
	const uint64_t wanted = e->config.freeze_requests;
	return n >= wanted || (waited >= 30 && n * 5 >= wanted * 2) || (waited >= 120 && n * 10 >= wanted);
}

static void freeze(struct evidence *e, int64_t tick)
{
	const double n = (double)e->before.total;
	/* As if the usual rates had been followed for as long as they remember: one bad minute does not become usual. */
	const double usual = n / (double)(tick - e->freeze_since + 1) * USUAL_HALF_LIFE / M_LN2;
	const double errors = ((double)e->before_errors + 0.5) / (n + 1);
	running_rate_init(&e->rate_errors, fmin(errors, .97), RUNNING_RATE_KAPPA, RUNNING_RATE_HALF_LIFE_TICKS);
	running_rate_init(&e->usual_errors, fmin(errors, .97), usual, USUAL_HALF_LIFE);
	for (int j = 0; j < THRESHOLDS; j++) {
		e->thresholds[j] = logbins_quantile_bin(&e->before, threshold_quantiles[j]);
		const double above = ((double)logbins_above(&e->before, e->thresholds[j]) + 0.5) / (n + 1);
		running_rate_init(&e->rate_above[j], above, RUNNING_RATE_KAPPA, RUNNING_RATE_HALF_LIFE_TICKS);
		if (j == THRESHOLD_P95)
			running_rate_init(&e->usual_slow, above, usual, USUAL_HALF_LIFE);
	}
	e->frozen = true;
}

static void gather_before(struct evidence *e, const struct evidence_tick *in)
{
	const struct arm_sample *stable = &in->sample->arms[ARM_STABLE];
	if (stable->bins.total > 0 && e->freeze_since < 0)
		e->freeze_since = in->tick;
	logbins_add(&e->before, &stable->bins);
	e->before_errors += stable->errors;
	if (enough_to_freeze(e, in->tick))
		freeze(e, in->tick);
}

/* --- one tick --- */

/* The counts of a tick as the tests want them. */
struct counts {
	struct block errors;
	struct block above[THRESHOLDS];          /* canary beyond the harm margin */
	struct block promote[PROMOTE_QUANTILES]; /* canary beyond the promotion margin */
	struct block slo;                        /* only the canary */
	double stable_slow, canary_slow;         /* above the p95 threshold itself */
	double stable_broken;                    /* the absolute limit */
};

static void count_latencies(const struct evidence *e, const struct source_sample *s, struct counts *c)
{
	const struct logbins *canary = &s->arms[ARM_CANARY].bins, *stable = &s->arms[ARM_STABLE].bins;
	const double n_c = (double)canary->total, n_s = (double)stable->total;
	int64_t of_stable[THRESHOLDS], of_canary[THRESHOLDS], beyond[THRESHOLDS];
	logbins_above_each(stable, e->thresholds, THRESHOLDS, 0, of_stable);
	logbins_above_each(canary, e->thresholds, THRESHOLDS, e->harm_shift, of_canary);
	logbins_above_each(canary, e->thresholds, THRESHOLDS, e->promote_shift, beyond);
	for (int j = 0; j < THRESHOLDS; j++)
		c->above[j] = (struct block){ n_c, (double)of_canary[j], n_s, (double)of_stable[j] };
	for (int k = 0; k < PROMOTE_QUANTILES; k++) {
		const int j = promote_thresholds[k];
		c->promote[k] = (struct block){ n_c, (double)beyond[j], n_s, (double)of_stable[j] };
	}
	c->stable_slow = (double)of_stable[THRESHOLD_P95];
	c->canary_slow = (double)logbins_above(canary, e->thresholds[THRESHOLD_P95]);
}

/* Requests beyond the absolute limit. A slow failure is in both counts and the sample cannot tell: the larger one is never
 * too much. */
static double broken(const struct evidence *e, const struct arm_sample *s)
{
	const double slow = (double)logbins_above(&s->bins, e->slo_bin);
	return fmin(fmax(slow, (double)s->errors), (double)s->requests);
}

static void count(const struct evidence *e, const struct source_sample *s, struct counts *c)
{
	const struct arm_sample *canary = &s->arms[ARM_CANARY], *stable = &s->arms[ARM_STABLE];
	*c = (struct counts){ 0 };
	c->errors = (struct block){ (double)canary->requests, (double)canary->errors, (double)stable->requests,
		                    (double)stable->errors };
	count_latencies(e, s, c);
	if (e->slo) {
		c->slo = (struct block){ .n_c = (double)canary->requests, .e_c = broken(e, canary) };
		c->stable_broken = broken(e, stable);
	}
}

static bool both(const struct block *b)
{
	return b->n_c > 0 && b->n_s > 0;
}

static void tempered_tick(struct eprocess *p, const struct block *b, double theta_s, struct temper t)
{
	eprocess_temper(p, t);
	eprocess_tick(p, b, theta_s);
}

/* Feeds <plain> and returns ln L that effect <i> had in this tick: its process has no restarts. */
static void plain_tick(struct eprocess *plain, const struct block *b, double theta_s, struct temper t,
                       double ret_ln[EPROCESS_EFFECTS_MAX])
{
	double before[EPROCESS_EFFECTS_MAX];
	memcpy(before, plain->ln_m, sizeof(before));
	tempered_tick(plain, b, theta_s, t);
	for (int i = 0; i < EPROCESS_EFFECTS_MAX; i++)
		ret_ln[i] = plain->ln_m[i] - before[i];
}

static void error_window_add(struct error_window *w, const struct block *b, double ln_l)
{
	w->score += ln_l;
	if (w->score <= 0) {
		*w = (struct error_window){ 0 };
		return;
	}
	const double n = b->n_c + b->n_s;
	w->canary += b->e_c * b->n_s / n;
	w->stable += b->e_s * b->n_c / n;
	w->weight += b->n_c * b->n_s / n;
}

static void latency_window_add(struct latency_window *w, const struct source_sample *s, double ln_l)
{
	w->score += ln_l;
	if (w->score > 0) {
		latency_ratio_add(&w->ratio, &s->arms[ARM_CANARY].bins, &s->arms[ARM_STABLE].bins);
		w->requests += (double)s->arms[ARM_CANARY].bins.total;
		return;
	}
	if (w->requests > 0)
		memset(w, 0, sizeof(*w));
	w->score = 0;
}

static void cap(struct eprocess *p)
{
	const double over = eprocess_ln(p) - PROMOTE_CAP;
	for (int i = 0; over > 0 && i < p->count; i++)
		p->ln_m[i] -= over;
}

/* From the canary's first request on. */
static void tick_early(struct evidence *e, const struct counts *c)
{
	double ln_l[EPROCESS_EFFECTS_MAX];
	if (both(&c->errors)) {
		const double theta = running_rate_get(&e->rate_errors);
		const struct temper t = e->temper[BUNCHING_ERRORS];
		tempered_tick(&e->harm_gross, &c->errors, theta, t);
		plain_tick(&e->plain_gross, &c->errors, theta, t, ln_l);
		error_window_add(&e->gross_window, &c->errors, ln_l[GROSS_EFFECT]);
	}
	if (e->slo && c->slo.n_c > 0)
		tempered_tick(&e->harm_slo, &c->slo, 0.01, e->temper[BUNCHING_SLO]);
}

static void tick_errors(struct evidence *e, const struct block *b)
{
	double ln_l[EPROCESS_EFFECTS_MAX];
	if (!both(b))
		return;
	const double theta = running_rate_get(&e->rate_errors);
	const struct temper t = e->temper[BUNCHING_ERRORS];
	tempered_tick(&e->harm_errors, b, theta, t);
	tempered_tick(&e->promote_errors, b, theta, t);
	cap(&e->promote_errors);
	ratio_bounds_temper(&e->bounds, t);
	ratio_bounds_tick(&e->bounds, b, theta);
	plain_tick(&e->plain_errors, b, theta, t, ln_l);
	for (int i = 0; i < EPROCESS_EFFECTS_MAX; i++)
		error_window_add(&e->error_windows[i], b, ln_l[i]);
	risk_ratio_add(&e->risk, b);
	e->requests[ARM_CANARY] += b->n_c;
	e->requests[ARM_STABLE] += b->n_s;
}

static void tick_latency(struct evidence *e, const struct counts *c, const struct source_sample *s)
{
	double ln_l[EPROCESS_EFFECTS_MAX];
	if (!both(&c->above[0]))
		return;
	for (int j = 0; j < THRESHOLDS; j++) {
		const double theta = running_rate_get(&e->rate_above[j]);
		const struct temper t = e->temper[BUNCHING_LATENCY(j)];
		tempered_tick(&e->harm_latency[j], &c->above[j], theta, t);
		plain_tick(&e->plain_latency[j], &c->above[j], theta, t, ln_l);
		latency_window_add(&e->latency_windows[j], s, ln_l[WINDOW_EFFECT]);
	}
	for (int k = 0; k < PROMOTE_QUANTILES; k++) {
		const int j = promote_thresholds[k];
		tempered_tick(&e->promote_latency[k], &c->promote[k], running_rate_get(&e->rate_above[j]),
		              e->temper[BUNCHING_LATENCY(j)]);
		cap(&e->promote_latency[k]);
	}
	latency_ratio_add(&e->latency, &s->arms[ARM_CANARY].bins, &s->arms[ARM_STABLE].bins);
}

void evidence_begin_after(struct evidence *e)
{
	const struct plan_compare *c = &e->config.compare;
	const double errors = c->errors_ratio * running_rate_get(&e->rate_errors) + c->errors_slack;
	const double slow = running_rate_get(&e->rate_above[THRESHOLD_P95]) + 0.01;
	start_process(&e->after_errors, &e->config, EPROCESS_ABORT, EPROCESS_RATIO,
	              (struct null){ 0, fmin(errors, .9) });
	start_process(&e->after_slow, &e->config, EPROCESS_ABORT, EPROCESS_ODDS, (struct null){ 0, fmin(slow, .9) });
	e->after = true;
}

/* All traffic on the canary: nothing to compare with but what stable did last. */
static void tick_after(struct evidence *e, const struct counts *c, const struct source_sample *s)
{
	const struct logbins *canary = &s->arms[ARM_CANARY].bins;
	if (!e->after)
		evidence_begin_after(e);
	const int limit = e->thresholds[THRESHOLD_P95] + nearest_shift(e->config.compare.latency_ratio - 1);
	if (c->errors.n_c > 0)
		tempered_tick(&e->after_errors, &(struct block){ .n_c = c->errors.n_c, .e_c = c->errors.e_c }, 0.01,
		              e->temper[BUNCHING_ERRORS]);
	if (canary->total > 0)
		tempered_tick(
			&e->after_slow,
			&(struct block){ .n_c = (double)canary->total, .e_c = (double)logbins_above(canary, limit) },
			0.01, e->temper[BUNCHING_LATENCY(THRESHOLD_P95)]);
}

/* After the tick was used, never before: expectations are made from the past only. */
static void learn(struct evidence *e, const struct counts *c)
{
	e->excess_errors += c->errors.e_c - c->errors.n_c * running_rate_get(&e->rate_errors);
	running_rate_add(&e->rate_errors, c->errors.n_s, c->errors.e_s);
	running_rate_add(&e->usual_errors, c->errors.n_s, c->errors.e_s);
	running_rate_add(&e->usual_slow, c->above[0].n_s, c->stable_slow);
	for (int j = 0; j < THRESHOLDS; j++)
		running_rate_add(&e->rate_above[j], c->above[j].n_s, c->above[j].e_s);
}

static void learn_bunches(struct evidence *e, const struct source_sample *s)
{
	int limits[BUNCHING_LIMITS];
	_Static_assert(BUNCHING_LIMITS == THRESHOLDS + 1, "one for each threshold and one for the SLO");
	memcpy(limits, e->thresholds, sizeof(e->thresholds));
	limits[THRESHOLDS] = e->slo ? e->slo_bin : LOGBINS - 1;
	bunching_tick(&e->bunching, s, limits);
	evidence_temper(e);
}

static void recent_add(struct recent_share *r, double requests, double events)
{
	r->requests = r->requests * RECENT_KEEP + requests;
	r->events = r->events * RECENT_KEEP + events;
}

static void compare_arms(struct evidence *e, const struct evidence_tick *in)
{
	struct counts c;
	count(e, in->sample, &c);
	e->warming = e->first_canary_tick < 0 || in->tick - e->first_canary_tick < e->config.warmup_ticks;
	tick_early(e, &c);
	if (!e->warming) {
		tick_errors(e, &c.errors);
		tick_latency(e, &c, in->sample);
		if (e->slo && c.slo.n_c > 0) {
			tempered_tick(&e->promote_slo, &c.slo, 0.01, e->temper[BUNCHING_SLO]);
			cap(&e->promote_slo);
		}
	}
	if (in->weight_bp == WEIGHT_FULL_BP && in->tick - e->weight_tick >= SETTLE_TICKS)
		tick_after(e, &c, in->sample);
	recent_add(&e->recent_errors[ARM_CANARY], c.errors.n_c, c.errors.e_c);
	recent_add(&e->recent_errors[ARM_STABLE], c.errors.n_s, c.errors.e_s);
	recent_add(&e->recent_slow[ARM_CANARY], c.above[0].n_c, c.canary_slow);
	recent_add(&e->recent_slow[ARM_STABLE], c.above[0].n_s, c.stable_slow);
	recent_add(&e->recent_broken[ARM_CANARY], c.slo.n_c, c.slo.e_c);
	recent_add(&e->recent_broken[ARM_STABLE], c.errors.n_s, c.stable_broken);
	learn(e, &c);
	learn_bunches(e, in->sample);
}

static void count_stage(struct evidence *e, const struct evidence_tick *in)
{
	if (in->stage != e->stage.stage)
		e->stage = (struct stage_counts){ .stage = in->stage };
	if (!in->sample)
		return;
	for (int a = 0; a < ARMS; a++) {
		const struct arm_sample *s = &in->sample->arms[a];
		e->stage.requests[a] += s->requests;
		e->stage.errors[a] += s->errors;
		logbins_add(&e->stage.bins[a], &s->bins);
	}
}

static void follow_weight(struct evidence *e, const struct evidence_tick *in)
{
	if (in->weight_bp == e->weight_bp && e->last_tick >= 0)
		return;
	e->weight_bp = in->weight_bp;
	e->weight_tick = in->tick;
	share_test_step(&e->share, in->weight_bp / (double)WEIGHT_FULL_BP);
	memset(e->share_requests, 0, sizeof(e->share_requests));
	memset(e->silent, 0, sizeof(e->silent));
	memset(e->silent_ticks, 0, sizeof(e->silent_ticks));
	if (in->weight_bp != WEIGHT_FULL_BP)
		e->after = false;
}

/* How far the measurements can be trusted: share, silence, losses. */
static void check_measurements(struct evidence *e, const struct evidence_tick *in)
{
	const struct source_sample *s = in->sample;
	e->lines *= LOST_KEEP;
	e->lost *= LOST_KEEP;
	e->lost += (double)in->missing;
	e->lines += (double)in->missing;
	if (!s)
		return;
	e->sample_tick = in->tick;
	e->lines += (double)s->lines;
	e->lost += (double)s->unreadable;
	const double share[ARMS] = { [ARM_CANARY] = e->weight_bp / (double)WEIGHT_FULL_BP,
		                     [ARM_STABLE] = 1 - e->weight_bp / (double)WEIGHT_FULL_BP };
	const double total = (double)(s->arms[ARM_CANARY].requests + s->arms[ARM_STABLE].requests);
	if (total > 0)
		e->traffic_tick = in->tick;
	for (int a = 0; a < ARMS; a++) {
		e->silent[a] = s->arms[a].requests ? 0 : e->silent[a] + total * share[a];
		e->silent_ticks[a] = s->arms[a].requests ? 0 : e->silent_ticks[a] + 1;
	}
	if (s->arms[ARM_CANARY].requests > 0 && e->weight_bp > 0 && e->first_canary_tick < 0)
		e->first_canary_tick = in->tick;
	if (in->tick - e->weight_tick < SETTLE_TICKS)
		return;
	share_test_add(&e->share, (double)s->arms[ARM_CANARY].requests, (double)s->arms[ARM_STABLE].requests);
	for (int a = 0; a < ARMS; a++)
		e->share_requests[a] += (double)s->arms[a].requests;
}

void evidence_apply(struct evidence *e, const struct evidence_tick *in, struct assessment *ret)
{
	must(in->weight_bp >= 0 && in->weight_bp <= WEIGHT_FULL_BP);
	if (in->tick <= e->last_tick) {
		e->last.repeated = ++e->repeated;
		*ret = e->last;
		return;
	}
	follow_weight(e, in);
	e->last_tick = in->tick;
	e->last_stage = in->last;
	count_stage(e, in);
	check_measurements(e, in);
	if (in->sample && e->frozen)
		compare_arms(e, in);
	else if (in->sample)
		gather_before(e, in);
	evidence_judge(e);
	*ret = e->last;
}

void evidence_assess(const struct evidence *e, struct assessment *ret)
{
	*ret = e->last;
}
