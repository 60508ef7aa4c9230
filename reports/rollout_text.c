#include "reports/rollout_text.h"

#include <ctype.h>
#include <math.h>

#include "reports/rollout_tables.h"

#define NAMES 14
#define TEXT(name) char name[NUMBER_TEXT_BYTES]

static const struct {
	const char *word;
	enum tone tone;
} words[ROLLOUT_STATE_COUNT] = {
	[ROLLOUT_PLANNED] = { "PLANNED", TONE_STRONG },
	[ROLLOUT_GATING] = { "IN PROGRESS", TONE_STRONG },
	[ROLLOUT_SHIFTING] = { "IN PROGRESS", TONE_STRONG },
	[ROLLOUT_WATCHING] = { "IN PROGRESS", TONE_STRONG },
	[ROLLOUT_HOLDING] = { "HELD", TONE_WARN },
	[ROLLOUT_PROMOTING] = { "IN PROGRESS", TONE_STRONG },
	[ROLLOUT_BAKING] = { "IN PROGRESS", TONE_STRONG },
	[ROLLOUT_PROMOTED] = { "PROMOTED", TONE_GOOD },
	[ROLLOUT_ROLLING_BACK] = { "ROLLING BACK", TONE_BAD },
	[ROLLOUT_ROLLED_BACK] = { "ROLLED BACK", TONE_BAD },
	[ROLLOUT_FAILED] = { "FAILED", TONE_BAD },
};

const char *report_rollout_word(const struct rollout_record *r)
{
	return words[r->state].word;
}

/* The stage that traffic is in or was in last; NULL: none was entered. */
static const struct stage_record *last_stage(const struct rollout_record *r, size_t *ret_number)
{
	const struct stage_record *found = NULL;
	for (size_t i = 0; i < r->stage_count; i++)
		if (r->stages[i].entered.ns) {
			found = &r->stages[i];
			*ret_number = i + 1;
		}
	return found;
}

static void add_where(const struct rollout_record *r, struct buf *out)
{
	static const char *const doing[ROLLOUT_STATE_COUNT] = {
		[ROLLOUT_PLANNED] = "nothing was moved yet",
		[ROLLOUT_GATING] = "waiting for a gate",
		[ROLLOUT_SHIFTING] = "moving traffic",
		[ROLLOUT_WATCHING] = "gathering evidence",
		[ROLLOUT_HOLDING] = "held: a person has to decide",
		[ROLLOUT_PROMOTING] = "making the canary the new stable",
		[ROLLOUT_BAKING] = "all traffic is on the canary, watched for a last time",
		[ROLLOUT_PROMOTED] = "the canary has all traffic",
		[ROLLOUT_ROLLING_BACK] = "traffic goes back to stable",
		[ROLLOUT_ROLLED_BACK] = "stable has all traffic again",
		[ROLLOUT_FAILED] = "weir could not finish it: look at the traffic yourself",
	};
	size_t number = 0;
	const struct stage_record *stage = last_stage(r, &number);
	TEXT(a);
	TEXT(b);
	buf_add(out, str_from(doing[r->state]));
	if (stage && !r->finished_at.ns)
		buf_printf(out, ", stage %zu of %zu (%s) for %s", number, r->stage_count,
		           text_weight(stage->weight_bp, a),
		           text_duration(rollout_last_instant(r).ns - stage->entered.ns, b));
	buf_add_char(out, '.');
}

void report_rollout_sentence(const struct rollout_record *r, struct buf *out)
{
	if (r->why && *r->why) {
		struct str why = str_trim(str_from(r->why));
		buf_add(out, why);
		if (why.len && !strchr(".!?", why.p[why.len - 1]))
			buf_add_char(out, '.');
	}
	if (r->finished_at.ns && out->len)
		return;
	if (!out->len) {
		add_where(r, out);
		return;
	}
	buf_add_char(out, ' ');
	const size_t at = out->len;
	add_where(r, out);
	if (at < out->len)
		out->bytes[at] = (char)toupper((unsigned char)out->bytes[at]);
}

static void write_verdict(const struct rollout_record *r, const struct report_style *s, struct buf *out)
{
	struct buf sentence;
	buf_init(&sentence, REPORT_BYTES_MAX);
	report_rollout_sentence(r, &sentence);
	style_verdict(s, out, words[r->state].tone, words[r->state].word, "%s", buf_cstr(&sentence));
	buf_finish(&sentence);
}

static const char *value_text(const struct decision_record *d, enum arm arm, char ret_text[NUMBER_TEXT_BYTES])
{
	if (strstr(d->metric, "latency") && d->values[arm] >= 0 && d->values[arm] < 1e6)
		return text_duration((dur_ns)llround(d->values[arm] * (double)SECOND), ret_text);
	return text_share(d->values[arm], ret_text);
}

static void write_ratio(const struct decision_record *d, const struct report_style *s, struct buf *out)
{
	TEXT(a);
	TEXT(b);
	TEXT(c);
	if (!isfinite(d->ratio)) {
		style_pair(s, out, NAMES, "ratio", "n/a: the stable arm gave nothing to divide by");
		return;
	}
	if (isfinite(d->ratio_low) && isfinite(d->ratio_high))
		style_pair(s, out, NAMES, "ratio",
		           "%s, surely between %s and %s (valid at every look, not only the last)",
		           text_ratio(d->ratio, a), text_ratio(d->ratio_low, b), text_ratio(d->ratio_high, c));
	else if (isfinite(d->ratio_low))
		style_pair(s, out, NAMES, "ratio", "%s, surely above %s (valid at every look, not only the last)",
		           text_ratio(d->ratio, a), text_ratio(d->ratio_low, b));
	else
		style_pair(s, out, NAMES, "ratio", "%s (no interval)", text_ratio(d->ratio, a));
}

static void write_decision(const struct rollout_record *r, const struct report_style *s, struct buf *out)
{
	const struct decision_record *d = &r->decision;
	TEXT(a);
	TEXT(b);
	if (!d->metric)
		return;
	const bool decided = r->finished_at.ns || r->state == ROLLOUT_HOLDING || r->state == ROLLOUT_ROLLING_BACK;
	style_heading(s, out, decided ? "The comparison that decided" : "The comparison as it stands");
	style_pair(s, out, NAMES, "metric", "%s", d->metric);
	for (int arm = ARMS - 1; arm >= 0; arm--)
		style_pair(s, out, NAMES, arm_text((enum arm)arm), "%s of %s requests (version %s)",
		           value_text(d, (enum arm)arm, a), text_count((double)d->requests[arm], b),
		           r->arms[arm].version ? r->arms[arm].version : "?");
	write_ratio(d, s, out);
	/* Below it is noise, and nobody's business. */
	if (d->phi >= 1.1)
		style_pair(s, out, NAMES, "bunches", "phi %.1f: 1,000 requests count as %.0f", d->phi, 1000 / d->phi);
	if (isfinite(d->evidence) && d->needed > 0)
		style_pair(s, out, NAMES, "evidence", "%.1f where %.1f is needed (chance of a false alarm: at most %s)",
		           fmax(d->evidence, 0), d->needed, text_share(exp(-d->needed), a));
}

static void write_exposure(const struct rollout_record *r, const struct report_style *s, struct buf *out)
{
	uint64_t canary = 0, both = 0;
	TEXT(a);
	TEXT(b);
	for (size_t i = 0; i < r->stage_count; i++) {
		canary += r->stages[i].requests[ARM_CANARY];
		both += r->stages[i].requests[ARM_CANARY] + r->stages[i].requests[ARM_STABLE];
	}
	style_heading(s, out, "Who felt it");
	style_pair(s, out, NAMES, "canary served", "%s requests (%s of the traffic)", text_count((double)canary, a),
	           text_share(both ? (double)canary / (double)both : NAN, b));
	if (isfinite(r->exposed_requests) && r->exposed_requests >= 0.5)
		style_pair(s, out, NAMES, "excess errors",
		           "about %s requests failed that stable would have served (%s of all)",
		           text_count(r->exposed_requests, a),
		           text_share(both ? r->exposed_requests / (double)both : NAN, b));
	else if (canary)
		style_pair(s, out, NAMES, "excess errors", "none beyond what stable's own rate explains");
}

static void write_rollback(const struct rollout_record *r, const struct report_style *s, struct buf *out)
{
	TEXT(a);
	if (r->state != ROLLOUT_ROLLED_BACK && r->state != ROLLOUT_ROLLING_BACK)
		return;
	style_heading(s, out, "The way back (reason: %s)", rollout_reason_text(r->reason));
	if (r->to_decision)
		style_pair(s, out, NAMES, "decided", "%s after the harmful weight was verified",
		           text_duration(r->to_decision, a));
	if (r->to_zero)
		style_pair(s, out, NAMES, "weight 0", "accepted by the data plane %s after the decision",
		           text_duration(r->to_zero, a));
	else
		style_pair(s, out, NAMES, "weight 0", "NOT accepted by the data plane as far as this record knows");
	if (r->to_proof)
		style_pair(s, out, NAMES, "0 % proven", "by the balancer's own counters, %s after the decision",
		           text_duration(r->to_proof, a));
	else
		style_pair(s, out, NAMES, "0 % proven", "NOT proven from the balancer's counters: look yourself");
}

static void write_kept(const struct rollout_record *r, const struct report_style *s, struct buf *out)
{
	TEXT(a);
	if (r->state != ROLLOUT_PROMOTED || !r->kept_until.ns)
		return;
	style_heading(s, out, "The way back");
	style_pair(s, out, NAMES, "until", "%s: `weir canary abort %s` sends all traffic back to %s",
	           text_wall(r->kept_until, a), r->id,
	           r->arms[ARM_STABLE].version ? r->arms[ARM_STABLE].version : "stable");
}

static void write_title(const struct rollout_record *r, const struct report_style *s, struct buf *out)
{
	TEXT(a);
	TEXT(b);
	const char *const versions[] = { r->arms[ARM_STABLE].version, r->arms[ARM_CANARY].version };
	style_add(s, out, TONE_STRONG, "Rollout report: ", 0);
	style_add(s, out, TONE_STRONG, r->service ? r->service : "?", (size_t)style_width(s) - 16);
	buf_add_char(out, '\n');
	style_say(s, out, 0, "%s -> %s in %s, begun %s by %s, %s %s", versions[0] ? versions[0] : "?",
	          versions[1] ? versions[1] : "?", r->environment ? r->environment : "?", text_wall(r->started_at, a),
	          r->actor ? r->actor : "?", r->finished_at.ns ? "took" : "running for",
	          text_duration(rollout_last_instant(r).ns - r->started_at.ns, b));
	buf_add_char(out, '\n');
}

static void write_audit(const struct rollout_record *r, const struct report_style *s, struct buf *out)
{
	TEXT(a);
	style_heading(s, out, "This record");
	style_pair(s, out, NAMES, "id", "%s", r->id[0] ? r->id : "none");
	style_pair(s, out, NAMES, "begun", "%s", text_wall(r->started_at, a));
	for (int arm = 0; arm < ARMS; arm++)
		if (r->arms[arm].commit)
			style_pair(s, out, NAMES, arm_text((enum arm)arm), "%s, commit %s",
			           r->arms[arm].version ? r->arms[arm].version : "?", r->arms[arm].commit);
	if (r->event_count)
		style_pair(s, out, NAMES, "audit",
		           "%zu events, the last is number %lld of the log; check it with `weir audit verify`",
		           r->event_count, (long long)r->events[r->event_count - 1].seq);
	else
		style_pair(s, out, NAMES, "audit", "no events were loaded with this record");
	if (!r->tick_count)
		style_pair(s, out, NAMES, "ticks", "none were loaded with this record: no picture of the evidence");
}

void report_rollout_text(const struct rollout_record *r, const struct report_style *s, struct buf *out)
{
	write_title(r, s, out);
	write_verdict(r, s, out);
	write_decision(r, s, out);
	write_rollback(r, s, out);
	write_kept(r, s, out);
	write_exposure(r, s, out);
	rollout_stages(r, s, out);
	rollout_evidence(r, s, out);
	rollout_power(r, s, out);
	rollout_events(r, s, 0, out);
	write_audit(r, s, out);
}

/* How the arms do in the present stage, for one who asks while it runs. */
static void write_present(const struct rollout_record *r, const struct report_style *s, struct buf *out)
{
	size_t number = 0;
	const struct stage_record *x = last_stage(r, &number);
	TEXT(a);
	TEXT(b);
	TEXT(c);
	if (r->finished_at.ns || !x)
		return;
	style_heading(s, out, "This stage");
	for (int arm = ARMS - 1; arm >= 0; arm--) {
		const double n = (double)x->requests[arm];
		style_pair(s, out, NAMES, arm_text((enum arm)arm), "%s requests, %s errors, p95 %s", text_count(n, a),
		           text_share(n > 0 ? (double)x->errors[arm] / n : NAN, b),
		           n > 0 && x->p95[arm] > 0 ? text_duration(x->p95[arm], c) : "n/a");
	}
	if (!r->tick_count)
		return;
	const struct tick_record *t = &r->ticks[r->tick_count - 1];
	style_pair(s, out, NAMES, "worse?", "errors %.1f, latency %.1f of the %.1f that prove it",
	           fmax(t->harm_errors, 0), fmax(t->harm_latency, 0), rollout_needed(r));
	style_pair(s, out, NAMES, "good enough?", "errors %.1f, latency %.1f of the %.1f that prove it",
	           fmax(t->promote_errors, 0), fmax(t->promote_latency, 0), rollout_needed(r));
}

void report_rollout_summary(const struct rollout_record *r, const struct report_style *s, struct buf *out)
{
	write_verdict(r, s, out);
	write_decision(r, s, out);
	write_present(r, s, out);
	write_rollback(r, s, out);
	write_kept(r, s, out);
	rollout_events(r, s, 3, out);
}
