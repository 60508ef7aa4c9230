#include "reports/capacity_text.h"

#include <math.h>
#include <stdio.h>

#include "base/must.h"
#include "reports/load_tables.h"

#define NAMES 14
#define BAR 12
#define TEXT(name) char name[NUMBER_TEXT_BYTES]

enum answer { ANSWER_VERIFIED, ANSWER_LOWER_BOUND, ANSWER_NOT_FOUND, ANSWER_GENERATOR, ANSWER_NONE };

static enum answer answer_of(const struct search_record *s)
{
	const char *a = s->answer ? s->answer : "";
	if (strcmp(a, "verified") == 0)
		/* A figure without its confirmation is no capacity, whatever the record calls it. */
		return s->verified > 0 ? ANSWER_VERIFIED : ANSWER_NONE;
	if (strcmp(a, "lower bound only") == 0)
		return ANSWER_LOWER_BOUND;
	if (strcmp(a, "not found") == 0)
		return ANSWER_NOT_FOUND;
	return strcmp(a, "generator limited") == 0 ? ANSWER_GENERATOR : ANSWER_NONE;
}

static const struct {
	const char *word;
	enum tone tone;
} words[] = {
	[ANSWER_VERIFIED] = { "VERIFIED", TONE_GOOD },  [ANSWER_LOWER_BOUND] = { "LOWER BOUND ONLY", TONE_WARN },
	[ANSWER_NOT_FOUND] = { "NOT FOUND", TONE_BAD }, [ANSWER_GENERATOR] = { "GENERATOR LIMITED", TONE_WARN },
	[ANSWER_NONE] = { "UNFINISHED", TONE_WARN },
};

/* The last confirmation that passed: what the verified rate stands on. NULL: none. */
static const struct trial_record *confirmation(const struct search_record *s)
{
	const struct trial_record *found = NULL;
	for (size_t i = 0; i < s->trial_count; i++)
		if (s->trials[i].phase == TRIAL_CONFIRM && s->trials[i].verdict == TRIAL_PASS)
			found = &s->trials[i];
	return found;
}

static double best_pass(const struct search_record *s)
{
	return fmax(s->verified, s->highest_pass);
}

/* "348 iterations/s": what the load of a search counts. */
static const char *text_load(double per_second, char ret_text[NUMBER_TEXT_BYTES])
{
	TEXT(rate);
	text_rate(per_second, rate);
	snprintf(ret_text, NUMBER_TEXT_BYTES, "%.*s iterations/s", (int)strcspn(rate, "/"), rate);
	return ret_text;
}

static void say_verified(const struct search_record *s, const struct report_style *style, struct buf *out)
{
	TEXT(a);
	TEXT(b);
	style_verdict(style, out, TONE_GOOD, "VERIFIED", "the target sustains %s with %s, confirmed for %s.",
	              text_load(s->verified, a), s->slo ? s->slo : "the SLO", text_duration(s->verified_for, b));
}

static void say_bound(const struct search_record *s, const struct report_style *style, struct buf *out)
{
	TEXT(a);
	const char *slo = s->slo ? s->slo : "the SLO";
	const enum answer answer = answer_of(s);
	if (best_pass(s) > 0)
		style_verdict(style, out, words[answer].tone, words[answer].word,
		              "at least %s keep %s; %s The target's limit was not found: this is an observed load, "
		              "not its capacity.",
		              text_load(best_pass(s), a), slo,
		              answer == ANSWER_GENERATOR ? "beyond it the generator, not the target, was the limit."
		              : answer == ANSWER_NONE    ? "then the search ended before an answer."
		                                         : "no load that was tried failed.");
	else
		style_verdict(style, out, words[answer].tone, words[answer].word,
		              "no load was seen to keep %s, and nothing is known about the target's limit: %s", slo,
		              answer == ANSWER_GENERATOR ? "the generator itself was the limit."
		                                         : "the search ended before an answer.");
}

static void write_answer(const struct search_record *s, const struct report_style *style, struct buf *out)
{
	TEXT(a);
	switch (answer_of(s)) {
	case ANSWER_VERIFIED:
		say_verified(s, style, out);
		break;
	case ANSWER_NOT_FOUND:
		style_verdict(style, out, TONE_BAD, "NOT FOUND", "no load that was tried keeps %s%s%s.",
		              s->slo ? s->slo : "the SLO", s->lowest_fail > 0 ? "; even this one failed: " : "",
		              s->lowest_fail > 0 ? text_load(s->lowest_fail, a) : "");
		break;
	case ANSWER_LOWER_BOUND:
	case ANSWER_GENERATOR:
	case ANSWER_NONE:
		say_bound(s, style, out);
		break;
	}
}

static void write_confirmation(const struct search_record *s, const struct report_style *style, struct buf *out)
{
	const struct trial_record *c = confirmation(s);
	TEXT(a);
	TEXT(b);
	TEXT(d);
	TEXT(e);
	if (!c || answer_of(s) != ANSWER_VERIFIED)
		return;
	style_pair(style, out, NAMES, "confirmed by", "%s requests at %s over %s", text_count((double)c->requests, a),
	           text_rate(c->rate, b), text_duration(c->held, d));
	style_pair(style, out, NAMES, "over the limit", "%s of them, at most %s with 95 %% confidence (allowed: %s)",
	           text_share(c->share, a), text_share(c->share_high, b), text_share(1 - s->slo_quantile, d));
	style_pair(style, out, NAMES, "seen", "p%.4g of the response time %s, error rate %s", s->slo_quantile * 100,
	           text_duration(c->quantile, a), text_share(c->error_rate, e));
}

static void write_bracket(const struct search_record *s, const struct report_style *style, struct buf *out)
{
	TEXT(a);
	if (s->highest_pass > 0)
		style_pair(style, out, NAMES, "highest pass", "%s", text_rate(s->highest_pass, a));
	else
		style_pair(style, out, NAMES, "highest pass", "none");
	if (s->lowest_fail > 0)
		style_pair(style, out, NAMES, "lowest fail", "%s", text_rate(s->lowest_fail, a));
	else
		style_pair(style, out, NAMES, "lowest fail", "none: no load that was tried failed");
	if (s->stopped_because)
		style_pair(style, out, NAMES, "stopped", "%s", s->stopped_because);
}

static void add_trial(struct table *t, const struct search_record *s, const struct report_style *style,
                      const struct trial_record *x)
{
	static const enum tone tones[] = { TONE_GOOD, TONE_BAD, TONE_WARN, TONE_WARN };
	/* The bar ends at three times what is allowed, so that the limit stands at a third. */
	const double allowed = fmax(1 - s->slo_quantile, 1e-9);
	const bool known = x->verdict != TRIAL_INVALID && x->requests > 0;
	struct buf bar;
	TEXT(a);
	buf_init(&bar, 1024);
	table_cell(t, TONE_STRONG, text_rate(x->rate, a));
	table_cell(t, TONE_PLAIN, trial_phase_text(x->phase));
	table_cell(t, TONE_PLAIN, text_duration(x->held, a));
	table_cell(t, TONE_PLAIN, text_count((double)x->requests, a));
	table_cell(t, TONE_PLAIN, known ? text_share(x->share, a) : "n/a");
	table_cell(t, TONE_FAINT, known && x->share_high < 1 ? text_share(x->share_high, a) : "n/a");
	if (known)
		style_bar(style, &bar, x->share / (3 * allowed), 1.0 / 3, BAR);
	table_cell(t, tones[x->verdict], buf_cstr(&bar));
	table_cell(t, TONE_PLAIN, known ? text_duration(x->quantile, a) : "n/a");
	table_cell(t, tones[x->verdict], trial_verdict_text(x->verdict));
	buf_finish(&bar);
}

static void write_trials(const struct search_record *s, const struct report_style *style, struct buf *out)
{
	char quantile[16];
	const struct column columns[] = { { "load", true, 0 },        { "phase", false, 3 }, { "held", true, 4 },
		                          { "requests", true, 5 },    { "over", true, 0 },   { "at most", true, 1 },
		                          { "allowed: |", false, 2 }, { quantile, true, 0 }, { "verdict", false, 0 } };
	struct table t;
	snprintf(quantile, sizeof(quantile), "p%.4g", s->slo_quantile * 100);
	style_heading(style, out, "All loads that were tried (share of requests over the limit, or failed)");
	if (!s->trial_count) {
		style_say(style, out, 2, "none");
		return;
	}
	table_init(&t, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < s->trial_count; i++)
		add_trial(&t, s, style, &s->trials[i]);
	table_write(&t, style, 2, out);
	table_finish(&t);
	for (size_t i = 0; i < s->trial_count; i++)
		if (s->trials[i].why && s->trials[i].verdict != TRIAL_PASS) {
			TEXT(a);
			style_say(style, out, 2, "%s: %s", text_rate(s->trials[i].rate, a), s->trials[i].why);
		}
}

static void write_server(const struct search_record *s, const struct report_style *style, struct buf *out)
{
	const struct server_use u = {
		.series = s->resources,
		.count = s->resource_count,
		.to = s->second_count,
		.completed = s->completed,
	};
	load_server_use(&u, style, out);
}

static void write_unknown(const struct search_record *s, const struct report_style *style, struct buf *out)
{
	TEXT(a);
	style_heading(style, out, "What this does not say");
	style_item(style, out, 2,
	           "another mix of flows, other pauses, other data volumes: the figure is for this scenario.");
	style_item(style, out, 2, "other machines or numbers of instances: only what ran here was measured.");
	if (s->verified > 0)
		style_item(style, out, 2, "longer than %s: leaks, full disks and cold caches need a soak run.",
		           text_duration(s->verified_for, a));
	style_item(style, out, 2, "recovery after an overload. Traffic in production comes in bursts: keep headroom.");
}

static void write_rule(const struct search_record *s, const struct report_style *style, struct buf *out)
{
	const char *host = json_string_value(json_object_get(s->manifest, "host"));
	const char *version = json_string_value(json_object_get(s->manifest, "weir"));
	const char *command = json_string_value(json_object_get(s->manifest, "command"));
	const char *hash = json_string_value(json_object_get(s->manifest, "scenario_hash"));
	TEXT(a);
	style_heading(style, out, "How to quote it");
	if (answer_of(s) == ANSWER_VERIFIED)
		style_say(
			style, out, 2,
			"Only together: the rate, the SLO with its percentile, how long it was confirmed, the highest "
			"pass and lowest fail, and the scenario. Alone it is an observed peak, not capacity.");
	else
		style_say(style, out, 2,
		          "Not as capacity: no load was verified. \"Observed load\" is what may be said.");
	style_heading(style, out, "This search");
	style_pair(style, out, NAMES, "id", "%s", s->id[0] ? s->id : "none");
	style_pair(style, out, NAMES, "scenario", "%s%s%s", s->name ? s->name : "?", hash ? ", hash " : "",
	           hash ? hash : "");
	style_pair(style, out, NAMES, "started", "%s", text_wall(s->started_at, a));
	if (host || version)
		style_pair(style, out, NAMES, "made by", "weir %s on %s", version ? version : "?", host ? host : "?");
	if (command)
		style_pair(style, out, NAMES, "command", "%s", command);
}

static void write_head(const struct search_record *s, const struct report_style *style, struct buf *out)
{
	write_answer(s, style, out);
	write_confirmation(s, style, out);
	write_bracket(s, style, out);
}

void report_capacity_summary(const struct search_record *s, const struct report_style *style, struct buf *out)
{
	write_head(s, style, out);
	write_server(s, style, out);
}

void report_capacity_text(const struct search_record *s, const struct report_style *style, struct buf *out)
{
	TEXT(a);
	TEXT(b);
	style_add(style, out, TONE_STRONG, "Capacity report: ", 0);
	style_add(style, out, TONE_STRONG, s->name ? s->name : "unnamed", (size_t)style_width(style) - 17);
	buf_add_char(out, '\n');
	style_say(style, out, 0, "%s, searched for %s%s%s", text_wall(s->started_at, a), text_duration(s->duration, b),
	          s->target ? ", against " : "", s->target ? s->target : "");
	buf_add_char(out, '\n');
	write_head(s, style, out);
	write_trials(s, style, out);
	write_server(s, style, out);
	write_unknown(s, style, out);
	write_rule(s, style, out);
}
