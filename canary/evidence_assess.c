#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "canary/evidence_state.h"

#define SHARE_ALPHA 0.001
#define SHARE_ODDS 2.0 /* a share off by less than this factor of odds does not spoil a comparison inside ticks */
#define STALE_TICKS 5
#define QUIET_TICKS 10
#define SILENT_REQUESTS 20
#define LOST_SHARE 0.01
#define SHARED_TIMES 3
#define SHARED_ERRORS 0.02
#define SHARED_SLOW 0.1
#define MEASURED_BEYOND 4 /* requests slower than a quantile that make it one */
#define RECENT_LEAST 20   /* requests that a recent share needs to be one */

static double log_needed(double alpha)
{
	return -log(alpha);
}

/* --- effects --- */

struct effect {
	const char *metric;
	enum rollout_reason reason;
	double values[ARMS], ratio;
	double phi;
	bool large;      /* at least the user's limit */
	double evidence; /* ln, weight included */
};

static int leader(const struct eprocess *p)
{
	int best = 0;
	for (int i = 1; i < p->count; i++)
		if (p->ln_m[i] > p->ln_m[best])
			best = i;
	return best;
}

static double ratio_of(double canary, double stable)
{
	return stable > 0 ? canary / stable : canary > 0 ? INFINITY : NAN;
}

static void error_effect(const struct evidence *e, const struct error_window *w, double evidence, struct effect *ret)
{
	const struct plan_compare *c = &e->config.compare;
	const double canary = w->weight > 0 ? w->canary / w->weight : NAN;
	const double stable = w->weight > 0 ? w->stable / w->weight : NAN;
	*ret = (struct effect){
		.metric = "error rate",
		.reason = REASON_ERRORS,
		.values = { [ARM_CANARY] = canary, [ARM_STABLE] = stable },
		.ratio = ratio_of(canary, stable),
		.phi = e->temper[BUNCHING_ERRORS].phi,
		.large = canary >= c->errors_ratio * stable + c->errors_slack,
		.evidence = evidence,
	};
}

static const char *latency_metric(int j)
{
	static const char *const names[THRESHOLDS] = { "latency p50", "latency p75",   "latency p90",  "latency p95",
		                                       "latency p99", "latency p99.5", "latency p99.9" };
	return names[j];
}

/* The threshold with the most evidence among those whose quantile can be measured: p99 of ten requests is not one. */
static int latency_leader(const struct evidence *e)
{
	int best = THRESHOLD_P50;
	double best_ln = -INFINITY;
	for (int j = 0; j < THRESHOLDS; j++) {
		const double ln = eprocess_ln(&e->harm_latency[j]);
		const bool measured = e->latency_windows[j].requests * (1 - threshold_quantiles[j]) >= MEASURED_BEYOND;
		if (measured && ln > best_ln) {
			best = j;
			best_ln = ln;
		}
	}
	return best;
}

static void latency_effect(const struct evidence *e, double evidence, struct effect *ret)
{
	const int best = latency_leader(e);
	double canary = NAN, stable = NAN;
	const double ratio = latency_ratio_at(&e->latency_windows[best].ratio, threshold_quantiles[best], &canary,
	                                      &stable);
	*ret = (struct effect){
		.metric = latency_metric(best),
		.reason = REASON_LATENCY,
		.values = { [ARM_CANARY] = canary / 1e9, [ARM_STABLE] = stable / 1e9 },
		.ratio = ratio,
		.phi = e->temper[BUNCHING_LATENCY(best)].phi,
		/* A quantile is known to its bin; the doubt is the user's. */
		.large = ratio >= e->config.compare.latency_ratio / LOGBINS_RATIO,
		.evidence = evidence,
	};
}

static void slo_effect(const struct evidence *e, double evidence, struct effect *ret)
{
	const struct logbins *bins = e->stage.bins;
	*ret = (struct effect){ .metric = "slow or failed",
		                .reason = REASON_SLO,
		                .phi = e->temper[BUNCHING_SLO].phi,
		                .large = true,
		                .evidence = evidence };
	for (int a = 0; a < ARMS; a++) {
		const double n = (double)e->stage.requests[a];
		const double slow = fmax((double)logbins_above(&bins[a], e->slo_bin), (double)e->stage.errors[a]);
		ret->values[a] = n > 0 ? slow / n : NAN;
	}
	ret->ratio = ratio_of(ret->values[ARM_CANARY], ret->values[ARM_STABLE]);
}

/* --- evidence, weights included --- */

static double harm_latency(const struct evidence *e)
{
	double ln[THRESHOLDS], weights[THRESHOLDS];
	for (int j = 0; j < THRESHOLDS; j++) {
		ln[j] = eprocess_ln(&e->harm_latency[j]);
		weights[j] = e->weight_latency / THRESHOLDS;
	}
	return ln_weighted_mean(ln, weights, THRESHOLDS);
}

static double promote_latency(const struct evidence *e)
{
	double least = INFINITY;
	for (int k = 0; k < PROMOTE_QUANTILES; k++)
		least = fmin(least, eprocess_ln(&e->promote_latency[k]));
	return least;
}

static void fill_evidence(const struct evidence *e, struct assessment *a)
{
	const double errors = log(e->weight_errors) + eprocess_ln(&e->harm_errors);
	const double gross = log(e->weight_gross) + eprocess_ln(&e->harm_gross);
	a->harm_errors = fmax(errors, gross);
	a->harm_latency = harm_latency(e);
	a->harm_slo = e->slo ? log(e->weight_slo) + eprocess_ln(&e->harm_slo) : NAN;
	a->harm_needed = log_needed(e->config.compare.alpha);
	a->promote_errors = eprocess_ln(&e->promote_errors);
	a->promote_latency = promote_latency(e);
	a->promote_slo = e->slo ? eprocess_ln(&e->promote_slo) : NAN;
	a->promote_needed = e->last_stage ? log(100) : log(20);
	double least = fmin(a->promote_errors, a->promote_latency);
	least = e->slo ? fmin(least, a->promote_slo) : least;
	a->promote_progress = fmin(fmax(least / a->promote_needed, 0), 1);
	a->phi_errors = e->temper[BUNCHING_ERRORS].phi;
	a->phi_latency = 1;
	for (int j = 0; j < THRESHOLDS; j++)
		a->phi_latency = fmax(a->phi_latency, e->temper[BUNCHING_LATENCY(j)].phi);
	double harm = fmax(a->harm_errors, a->harm_latency);
	harm = e->slo ? fmax(harm, a->harm_slo) : harm;
	a->health = 1 - fmin(fmax(harm / a->harm_needed, 0), 1);
}

/* --- how far the measurements can be trusted --- */

static double recent(const struct recent_share *r)
{
	return r->requests >= RECENT_LEAST ? r->events / r->requests : 0;
}

/* Stable is far from what is usual, and the canary is alike: a dependency fails, nobody is to blame. */
static bool shared(const struct recent_share arms[ARMS], double usual, double least)
{
	const double stable = recent(&arms[ARM_STABLE]), canary = recent(&arms[ARM_CANARY]);
	return stable > SHARED_TIMES * usual && stable > usual + least && canary >= stable / 2;
}

/* Stable breaks the absolute limit just now as well. */
static bool stable_breaks_slo(const struct evidence *e)
{
	return e->slo && recent(&e->recent_broken[ARM_STABLE]) >= 1 - e->config.compare.slo_quantile;
}

static bool failing_together(const struct evidence *e)
{
	if (stable_breaks_slo(e) && recent(&e->recent_broken[ARM_CANARY]) >= recent(&e->recent_broken[ARM_STABLE]) / 2)
		return true;
	return shared(e->recent_errors, running_rate_get(&e->usual_errors), SHARED_ERRORS) ||
	       shared(e->recent_slow, running_rate_get(&e->usual_slow), SHARED_SLOW);
}

static bool share_is_off(const struct evidence *e)
{
	const double asked = e->weight_bp / (double)WEIGHT_FULL_BP;
	const double n_c = e->share_requests[ARM_CANARY], n_s = e->share_requests[ARM_STABLE];
	if (asked <= 0 || asked >= 1 || share_test_ln(&e->share) < log_needed(SHARE_ALPHA))
		return false;
	const double off = (n_c + 0.5) / (n_s + 0.5) / (asked / (1 - asked));
	return off > SHARE_ODDS || off < 1 / SHARE_ODDS;
}

static enum lack find_lack(const struct evidence *e)
{
	const int64_t now = e->last_tick;
	if (now >= 0 && now - e->sample_tick >= STALE_TICKS)
		return LACK_STALE;
	if (e->lines >= 100 && e->lost > LOST_SHARE * e->lines)
		return LACK_LOST;
	if (now >= 0 && now - e->traffic_tick >= QUIET_TICKS)
		return LACK_NO_TRAFFIC;
	if (!e->frozen)
		return LACK_FREEZING;
	if (e->silent[ARM_CANARY] >= SILENT_REQUESTS && e->silent_ticks[ARM_CANARY] >= STALE_TICKS)
		return LACK_NO_CANARY;
	if (e->silent[ARM_STABLE] >= SILENT_REQUESTS && e->silent_ticks[ARM_STABLE] >= STALE_TICKS)
		return LACK_NO_STABLE;
	if (share_is_off(e))
		return LACK_SHARE;
	return failing_together(e) ? LACK_SHARED : LACK_NONE;
}

/* --- words --- */

static void value_text(const struct effect *f, enum arm arm, char ret[32])
{
	char duration[DURATION_TEXT_BYTES];
	const double v = f->values[arm];
	if (isnan(v))
		snprintf(ret, 32, "unknown");
	else if (f->reason == REASON_LATENCY)
		snprintf(ret, 32, "%s", duration_format((dur_ns)(v * 1e9), duration));
	else
		snprintf(ret, 32, "%.3g %%", v * 100);
}

static void ratio_text(double ratio, char ret[32])
{
	if (isfinite(ratio))
		snprintf(ret, 32, "%.2f x", ratio);
	else
		snprintf(ret, 32, "%s", isnan(ratio) ? "unknown" : "stable has none");
}

static void harm_sentence(const struct evidence *e, const struct effect *f, struct assessment *a)
{
	char canary[32], stable[32], ratio[32];
	const struct plan_compare *c = &e->config.compare;
	value_text(f, ARM_CANARY, canary);
	value_text(f, ARM_STABLE, stable);
	if (f->reason == REASON_SLO) {
		char limit[DURATION_TEXT_BYTES];
		snprintf(a->sentence, sizeof(a->sentence),
		         "%s of the canary's requests are slower than %s or fail, the limit is %.3g %% (stable %s)",
		         canary, duration_format(c->slo_limit, limit), (1 - c->slo_quantile) * 100, stable);
		return;
	}
	ratio_text(f->ratio, ratio);
	const double limit = f->reason == REASON_LATENCY ? c->latency_ratio : c->errors_ratio;
	const char *reached = !f->large           ? "not reached: a person decides"
	                      : f->ratio >= limit ? "reached"
	                                          : "reached within the 4.4 % that latencies are known to";
	snprintf(a->sentence, sizeof(a->sentence),
	         "%s is %s for the canary and %s for stable (%s); this is not chance, and the limit of %.3g x is %s",
	         f->metric, canary, stable, ratio, limit, reached);
}

static void lack_sentence(const struct evidence *e, struct assessment *a)
{
	static const char *const texts[] = {
		[LACK_NONE] = "",
		[LACK_FREEZING] = "stable's latencies are not known yet",
		[LACK_NO_TRAFFIC] = "nobody asks for the service",
		[LACK_NO_CANARY] = "the canary gets no traffic",
		[LACK_NO_STABLE] = "stable gets no traffic",
		[LACK_STALE] = "no measurements arrive",
		[LACK_LOST] = "more than 1 % of the measurements are lost",
		[LACK_SHARE] = "the data plane does not give the share that was asked",
		[LACK_SHARED] = "both arms fail together: not the canary's doing, but nothing moves on",
	};
	snprintf(a->sentence, sizeof(a->sentence), "inconclusive: %s", texts[a->lack]);
	if (a->lack == LACK_SHARE) {
		char weight[WEIGHT_TEXT_BYTES];
		snprintf(a->sentence, sizeof(a->sentence),
		         "inconclusive: the data plane was asked for %s and gives %.3g %%",
		         weight_format(e->weight_bp, weight),
		         100 * e->share_requests[ARM_CANARY] /
		                 (e->share_requests[ARM_CANARY] + e->share_requests[ARM_STABLE]));
	}
}

static void watching_sentence(const struct evidence *e, struct assessment *a)
{
	if (e->weight_bp == 0)
		snprintf(a->sentence, sizeof(a->sentence), "no traffic for the canary yet");
	else if (a->warming)
		snprintf(a->sentence, sizeof(a->sentence), "the canary warms up");
	else if (e->weight_bp == WEIGHT_FULL_BP)
		snprintf(a->sentence, sizeof(a->sentence), "all traffic on the canary, no sign of harm");
	else
		snprintf(a->sentence, sizeof(a->sentence), "gathering evidence: %.0f %% of what a promotion needs",
		         100 * a->promote_progress);
}

/* --- the verdict --- */

/* Below this evidence of harm (ln) there is nothing to point at; e^1 comes and goes with healthy canaries. */
#define SUSPICION 1

static void show_effect(const struct effect *f, struct assessment *a)
{
	a->metric = f->metric;
	memcpy(a->values, f->values, sizeof(a->values));
	a->ratio = f->ratio;
	a->phi = f->phi;
	a->evidence = f->evidence;
	a->needed = a->harm_needed;
}

/* Proof of harm of one metric: abort, or hold when the difference is below the limit. True when there is proof. */
static bool judge_harm(const struct evidence *e, const struct effect *f, struct assessment *a)
{
	if (!(f->evidence >= a->harm_needed) || a->verdict == VERDICT_ABORT)
		return false;
	/* An absolute limit that stable breaks as well is not the canary's doing. */
	if (f->reason == REASON_SLO && stable_breaks_slo(e))
		return false;
	/* Large: abort. Unknown right after a restart, or small: hold. The first metric that holds is the one shown. */
	if (!f->large && a->verdict == VERDICT_HOLD)
		return true;
	a->verdict = f->large ? VERDICT_ABORT : VERDICT_HOLD;
	a->reason = f->reason;
	show_effect(f, a);
	harm_sentence(e, f, a);
	return true;
}

static void judge_after(const struct evidence *e, struct assessment *a)
{
	if (!e->after || a->verdict != VERDICT_WATCHING)
		return;
	const double errors = eprocess_ln(&e->after_errors), slow = eprocess_ln(&e->after_slow);
	if (fmax(errors, slow) + log(0.5) < a->harm_needed)
		return;
	a->verdict = VERDICT_HOLD;
	a->reason = errors >= slow ? REASON_ERRORS : REASON_LATENCY;
	a->evidence = fmax(errors, slow) + log(0.5);
	snprintf(
		a->sentence, sizeof(a->sentence),
		"since the canary has all traffic %s than stable had before; nothing is left to compare with: a person decides",
		errors >= slow ? "more requests fail" : "requests are slower");
}

static bool enough_to_promote(const struct evidence *e, const struct assessment *a)
{
	return !e->warming && e->weight_bp > 0 && a->promote_progress >= 1 &&
	       e->stage.requests[ARM_CANARY] >= e->config.stage_requests;
}

/* Without harm to point at: the metric that is furthest from a promotion, over the whole rollout. */
static void show_whole(const struct evidence *e, struct assessment *a)
{
	const struct block *t = &e->risk.total;
	if (a->promote_latency < a->promote_errors) {
		double canary = NAN, stable = NAN;
		a->metric = latency_metric(THRESHOLD_P95);
		a->phi = e->temper[BUNCHING_LATENCY(THRESHOLD_P95)].phi;
		a->ratio = latency_ratio_at(&e->latency, .95, &canary, &stable);
		a->values[ARM_CANARY] = canary / 1e9;
		a->values[ARM_STABLE] = stable / 1e9;
	} else {
		a->metric = "error rate";
		a->phi = e->temper[BUNCHING_ERRORS].phi;
		a->ratio = risk_ratio_get(&e->risk);
		a->values[ARM_CANARY] = t->n_c > 0 ? t->e_c / t->n_c : NAN;
		a->values[ARM_STABLE] = t->n_s > 0 ? t->e_s / t->n_s : NAN;
	}
}

static void judge(const struct evidence *e, struct assessment *a)
{
	struct effect errors, gross, latency, slo = { .evidence = -INFINITY };
	const double ln_errors = log(e->weight_errors) + eprocess_ln(&e->harm_errors);
	error_effect(e, &e->error_windows[leader(&e->harm_errors)], ln_errors, &errors);
	error_effect(e, &e->gross_window, log(e->weight_gross) + eprocess_ln(&e->harm_gross), &gross);
	latency_effect(e, a->harm_latency, &latency);
	if (e->slo)
		slo_effect(e, a->harm_slo, &slo);
	a->verdict = VERDICT_WATCHING;
	show_effect(errors.evidence >= latency.evidence ? &errors : &latency, a);
	const bool proof_errors = judge_harm(e, &errors, a), proof_gross = judge_harm(e, &gross, a);
	const bool proof_latency = judge_harm(e, &latency, a), proof_slo = judge_harm(e, &slo, a);
	if (proof_errors || proof_gross || proof_latency || proof_slo)
		return;
	judge_after(e, a);
	if (a->verdict == VERDICT_HOLD)
		return;
	a->lack = find_lack(e);
	if (a->lack != LACK_NONE) {
		a->verdict = VERDICT_INCONCLUSIVE;
		lack_sentence(e, a);
	} else if (enough_to_promote(e, a)) {
		a->verdict = VERDICT_PROMOTE;
		show_whole(e, a);
		a->evidence = fmin(a->promote_errors, a->promote_latency);
		a->needed = a->promote_needed;
		snprintf(a->sentence, sizeof(a->sentence), "the canary is proven to be within the limits");
	} else {
		if (fmax(errors.evidence, latency.evidence) < SUSPICION) {
			show_whole(e, a);
			a->evidence = fmin(a->promote_errors, a->promote_latency);
			a->needed = a->promote_needed;
		}
		watching_sentence(e, a);
	}
}

static void fill_stage(const struct evidence *e, struct assessment *a)
{
	static const double shown[3] = { .5, .95, .99 };
	for (int arm = 0; arm < ARMS; arm++) {
		const struct logbins *b = &e->stage.bins[arm];
		a->stage_requests[arm] = e->stage.requests[arm];
		a->stage_errors[arm] = e->stage.errors[arm];
		a->requests[arm] = (uint64_t)e->requests[arm];
		for (int q = 0; q < 3; q++) {
			const int bin = logbins_quantile_bin(b, shown[q]);
			a->stage_quantiles[arm][q] = bin < 0 ? NAN
			                                     : (double)logbins_from(bin) * sqrt(LOGBINS_RATIO) / 1e9;
		}
	}
	const double both = (double)(a->stage_requests[ARM_CANARY] + a->stage_requests[ARM_STABLE]);
	a->share = both > 0 ? (double)a->stage_requests[ARM_CANARY] / both : NAN;
}

void evidence_judge(struct evidence *e)
{
	struct assessment a = { .tick = e->last_tick,
		                .ready = e->frozen,
		                .warming = e->warming && e->weight_bp > 0,
		                .repeated = e->repeated,
		                .ratio_low = NAN,
		                .ratio_high = NAN };
	fill_evidence(e, &a);
	fill_stage(e, &a);
	a.error_ratio = risk_ratio_get(&e->risk);
	if (!ratio_bounds_get(&e->bounds, &a.error_ratio_low, &a.error_ratio_high))
		a.error_ratio_low = a.error_ratio_high = NAN;
	a.latency_ratio = latency_ratio_at(&e->latency, .95, NULL, NULL);
	a.excess_errors = fmax(e->excess_errors, 0);
	judge(e, &a);
	if (a.metric && strcmp(a.metric, "error rate") == 0) {
		a.ratio_low = a.error_ratio_low;
		a.ratio_high = a.error_ratio_high;
	}
	e->last = a;
}
