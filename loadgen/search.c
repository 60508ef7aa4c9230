#include "loadgen/search.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"
#include "base/units.h"

/* capacity.md section 6: steps of the climb, and when the bracket is narrow enough. */
#define CLIMB 1.5
#define CLIMB_GREY 1.15
#define NARROW_ENOUGH 1.12
#define CONFIRM_LESS 0.95
#define CONFIRMATIONS_MAX 5
#define CONFIDENCE 0.95
#define CLEAR_PASS 0.5 /* of q */
#define CLEAR_FAIL 3.0 /* times q */
#define CENSORED_MOST 0.05
#define BEGUN_LEAST 0.99
#define RATE_LEAST 0.2
/* A trial that the machine disturbed is made again this often before weir is called the limit. */
#define INVALID_AGAIN 2

void search_init(struct search *s, const struct search_limits *limits)
{
	*s = (struct search){ .limits = *limits, .phase = TRIAL_CLIMB, .next = limits->start_rate };
	if (s->next > limits->most_rate)
		s->next = limits->most_rate;
}

bool search_next(const struct search *s, double *ret_rate, dur_ns *ret_time, enum trial_phase *ret_phase)
{
	if (s->done)
		return false;
	*ret_rate = s->next;
	*ret_time = s->phase == TRIAL_CONFIRM ? s->limits.confirm : s->limits.trial;
	*ret_phase = s->phase;
	return true;
}

/* --- one trial --- */

/* The upper end of the share's interval: by the spread between batches, and never below what as many independent
 * requests could tell (a run without a single exceedance has no spread, but is no proof of 0 either). */
static double share_high(const struct trial_figures *f, const struct share_estimate *share)
{
	double low, high;
	wilson_interval(share->p * share->n, share->n, 2 * CONFIDENCE - 1, &low, &high);
	const double by_batches = share_upper(share, CONFIDENCE);
	if (f->batch_count < 2 || !isfinite(by_batches))
		return 1;
	return fmin(1, fmax(high, by_batches));
}

__attribute__((format(printf, 2, 3))) static void explain(struct trial_record *t, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	free(t->why);
	t->why = xvasprintf(format, args);
	va_end(args);
}

static enum trial_verdict judge(const struct search *s, const struct trial_figures *f, struct trial_record *t)
{
	const double q = 1 - s->limits.quantile;
	const double censored = f->requests ? (double)f->censored / (double)f->requests : 1;
	if (f->invalid) {
		explain(t, "%s", f->reason ? f->reason : "the generator was the limit");
		return TRIAL_INVALID;
	}
	if (f->requests == 0) {
		explain(t, "no request ended");
		return TRIAL_FAIL;
	}
	if (f->begun < BEGUN_LEAST || censored > CENSORED_MOST) {
		explain(t, "the target fell behind: %.1f %% of the requests never finished", censored * 100);
		return TRIAL_FAIL;
	}
	if (s->phase == TRIAL_CONFIRM)
		return t->share_high <= q ? TRIAL_PASS : TRIAL_FAIL;
	if (t->share <= CLEAR_PASS * q)
		return TRIAL_PASS;
	if (t->share > CLEAR_FAIL * q)
		return TRIAL_FAIL;
	/* Between the two a trial of the climb says nothing. A narrow one that is above q is not worth confirming. */
	return t->share > q && s->phase == TRIAL_NARROW ? TRIAL_FAIL : TRIAL_GREY;
}

/* --- what comes next --- */

static void finish(struct search *s, struct search_record *record, const char *answer, const char *why)
{
	s->done = true;
	record->answer = xstrdup(answer);
	record->stopped_because = xstrdup(why);
}

static void start_confirm(struct search *s)
{
	s->phase = TRIAL_CONFIRM;
	s->next = s->low;
}

/* After a clear or unclear answer of a short trial. */
static void narrow_or_confirm(struct search *s)
{
	if (s->high / s->low <= NARROW_ENOUGH) {
		start_confirm(s);
		return;
	}
	s->phase = TRIAL_NARROW;
	s->next = sqrt(s->low * s->high);
}

static void after_fail(struct search *s, double rate, struct search_record *record)
{
	if (s->high == 0 || rate < s->high)
		s->high = rate;
	if (s->low > 0 && s->low < s->high) {
		narrow_or_confirm(s);
		return;
	}
	s->low = 0;
	s->next = rate / 2;
	if (s->next < RATE_LEAST)
		finish(s, record, "not found", "the SLO does not hold even at the lowest load that was tried");
}

static void after_hold(struct search *s, double rate, enum trial_verdict verdict)
{
	if (rate > s->low)
		s->low = rate;
	if (s->high > 0) {
		narrow_or_confirm(s);
	} else if (rate >= s->limits.most_rate) {
		start_confirm(s);
	} else {
		s->next = fmin(s->limits.most_rate, rate * (verdict == TRIAL_PASS ? CLIMB : CLIMB_GREY));
	}
}

static void after_confirm(struct search *s, double rate, const struct trial_record *t, struct search_record *record)
{
	if (t->verdict == TRIAL_PASS) {
		record->verified = rate;
		record->verified_for = t->held;
		finish(s, record, s->high > 0 ? "verified" : "lower bound only",
		       s->high > 0 ? "a longer run held the SLO just below a load that did not"
		                   : "the highest load that was allowed still holds the SLO");
		return;
	}
	if (s->high == 0 || rate < s->high)
		s->high = rate;
	s->next = rate * CONFIRM_LESS;
	if (++s->confirmations == CONFIRMATIONS_MAX)
		finish(s, record, "not found", "no load near the edge held the SLO for the whole confirmation");
}

/* The highest load that passed and the lowest that failed. A confirmation is longer than a trial, so when a load passed
 * the one and failed the other, it failed. */
static void note_bounds(struct search_record *record)
{
	record->highest_pass = record->lowest_fail = 0;
	for (size_t i = 0; i < record->trial_count; i++) {
		const struct trial_record *t = &record->trials[i];
		if (t->verdict == TRIAL_FAIL && (record->lowest_fail == 0 || t->rate < record->lowest_fail))
			record->lowest_fail = t->rate;
	}
	for (size_t i = 0; i < record->trial_count; i++) {
		const struct trial_record *t = &record->trials[i];
		if (t->verdict == TRIAL_PASS && t->rate > record->highest_pass &&
		    (record->lowest_fail == 0 || t->rate < record->lowest_fail))
			record->highest_pass = t->rate;
	}
}

void search_take(struct search *s, const struct trial_figures *figures, struct search_record *record)
{
	must(!s->done);
	struct trial_record *t = search_record_add_trial(record);
	const struct share_estimate share = share_estimate(figures->batches, figures->batch_count);
	t->phase = s->phase;
	t->rate = s->next;
	t->held = s->phase == TRIAL_CONFIRM ? s->limits.confirm : s->limits.trial;
	t->requests = figures->requests;
	t->exceeded = (uint64_t)llround(share.p * share.n);
	t->share = share.p;
	t->share_high = share_high(figures, &share);
	t->quantile = figures->quantile;
	t->error_rate = figures->requests ? (double)figures->failed / (double)figures->requests : 0;
	t->verdict = judge(s, figures, t);
	note_bounds(record);
	if (t->verdict == TRIAL_INVALID) {
		if (++s->invalid > INVALID_AGAIN)
			finish(s, record, "generator limited",
			       "weir itself was the limit, so the target was not measured any further");
		return;
	}
	s->invalid = 0;
	if (s->phase == TRIAL_CONFIRM)
		after_confirm(s, t->rate, t, record);
	else if (t->verdict == TRIAL_FAIL)
		after_fail(s, t->rate, record);
	else
		after_hold(s, t->rate, t->verdict);
}

void search_stop(struct search *s, const char *why, struct search_record *record)
{
	if (!s->done)
		finish(s, record, "unfinished", why);
}
