#include "reports/load_text.h"

#include <math.h>

#include "reports/load_tables.h"
#include "reports/threshold_text.h"

#define SUMMARY_FLOWS 6
#define SUMMARY_THRESHOLDS 6

/* The word that stands first. A run that saw nothing, or that nothing was asked of, was not "met". */
struct word {
	const char *text;
	enum tone tone;
};

static struct word word_of(const struct run_record *r)
{
	switch (r->verdict) {
	case RUN_INVALID:
		return (struct word){ "INVALID TEST", TONE_BAD };
	case RUN_ABORTED:
		return (struct word){ "ABORTED", TONE_BAD };
	case RUN_NOT_MET:
		return (struct word){ "NOT MET", TONE_BAD };
	case RUN_MET:
		break;
	}
	if (!r->requests)
		return (struct word){ "NO DATA", TONE_WARN };
	if (!r->threshold_count)
		return (struct word){ "MEASURED", TONE_STRONG };
	return (struct word){ "MET", TONE_GOOD };
}

const char *report_load_word(const struct run_record *r)
{
	return word_of(r).text;
}

static size_t count_not_met(const struct run_record *r)
{
	size_t count = 0;
	for (size_t i = 0; i < r->threshold_count; i++)
		count += !r->thresholds[i].met;
	return count;
}

/* "p95(response_time) < 500ms was 812 ms, 1.62 times the limit" */
static void add_criterion(const struct threshold_record *t, struct buf *out)
{
	char value[NUMBER_TEXT_BYTES];
	const double used = threshold_used(t);
	if (!t->has_value) {
		buf_printf(out, "%s had no data", t->that);
		return;
	}
	buf_printf(out, "%s was %s", t->that, threshold_value_text(t, value));
	if (isnan(used))
		return;
	if (t->met)
		buf_printf(out, " (%.0f %% of the limit)", used * 100);
	else if (used < 1000)
		buf_printf(out, " (%.2f times the limit)", used);
}

static void add_not_met(const struct run_record *r, struct buf *out)
{
	const size_t count = count_not_met(r);
	const struct threshold_record *worst = threshold_worst(r);
	if (!count) {
		buf_add(out, STR("the criteria were not met."));
		return;
	}
	if (r->threshold_count == 1)
		buf_add(out, STR("the only threshold is not met: "));
	else
		buf_printf(out, "%zu of %zu thresholds %s not met%s: ", count, r->threshold_count,
		           count == 1 ? "is" : "are", count == 1 ? "" : "; the worst");
	add_criterion(worst, out);
	buf_add_char(out, '.');
}

static void add_met(const struct run_record *r, struct buf *out)
{
	const struct threshold_record *worst = threshold_worst(r);
	if (!r->requests) {
		buf_add(out, STR("no request ended, so nothing is known about the target."));
		return;
	}
	if (!worst) {
		buf_add(out, STR("no threshold was set: these are figures, not a verdict."));
		return;
	}
	if (r->threshold_count == 1)
		buf_add(out, STR("the only threshold is met: "));
	else
		buf_printf(out, "all %zu thresholds are met; the closest: ", r->threshold_count);
	add_criterion(worst, out);
	buf_add_char(out, '.');
}

void report_load_sentence(const struct run_record *r, struct buf *out)
{
	char a[NUMBER_TEXT_BYTES];
	switch (r->verdict) {
	case RUN_INVALID:
		buf_printf(out, "the generator was not sound, so this says nothing about the target: %s.",
		           r->reason_count ? r->reasons[0] : "no reason was recorded");
		return;
	case RUN_ABORTED:
		buf_printf(out, "the run was stopped after %s", text_duration(r->duration, a));
		if (count_not_met(r)) {
			buf_add(out, STR("; "));
			add_not_met(r, out);
		} else {
			buf_add(out, STR(" by hand or by a signal; what it measured until then is no verdict."));
		}
		return;
	case RUN_NOT_MET:
		add_not_met(r, out);
		break;
	case RUN_MET:
		add_met(r, out);
		break;
	}
	if (r->validity == RUN_SUSPECT)
		buf_printf(out, " The measurement is suspect: %s.", r->reason_count ? r->reasons[0] : "see below");
}

static void write_verdict(const struct run_record *r, const struct report_style *s, struct buf *out)
{
	const struct word word = word_of(r);
	struct buf sentence;
	buf_init(&sentence, REPORT_BYTES_MAX);
	report_load_sentence(r, &sentence);
	style_verdict(s, out, word.tone, word.text, "%s", buf_cstr(&sentence));
	buf_finish(&sentence);
}

/* What to change so that the next run is one. Named by what was seen. */
static void write_advice(const struct run_record *r, const struct report_style *s, struct buf *out)
{
	double cpu = 0;
	for (size_t i = 0; i < r->second_count; i++)
		cpu = fmax(cpu, r->seconds[i].cpu);
	style_heading(s, out, "What to do");
	if (r->dropped)
		style_item(s, out, 2, "Allow more users: %u were not enough to begin every iteration on time.",
		           r->users_max);
	if (cpu > 0.85)
		style_item(s, out, 2,
		           "The generator's core was at %.0f %%: ask for less, give it more --threads, or use a larger "
		           "or a second machine.",
		           cpu * 100);
	else
		style_item(s, out, 2,
		           "The generator had CPU left: look for other work on its machine (also the target itself), "
		           "a throttled container, or too few file descriptors or ports.");
	style_item(s, out, 2,
	           "`weir doctor` says what this machine can measure. Then run it again: nothing of this run is "
	           "kept as a baseline.");
}

static void write_unverified(const struct run_record *r, const struct report_style *s, struct buf *out)
{
	char a[NUMBER_TEXT_BYTES], b[NUMBER_TEXT_BYTES];
	style_heading(s, out, "UNVERIFIED: what the generator saw, not what the target does");
	style_say(s, out, 2,
	          "%s requests, %s failed. Do not quote these times: they contain the generator's own delay.",
	          text_count((double)r->requests, a), text_count((double)r->failed, b));
	load_times(r, s, true, out);
	load_set_up(r, s, out);
	load_warmup(r, s, out);
}

static void write_title(const struct run_record *r, const struct report_style *s, struct buf *out)
{
	char a[NUMBER_TEXT_BYTES], b[NUMBER_TEXT_BYTES];
	const char *target = json_string_value(json_object_get(r->manifest, "target"));
	style_add(s, out, TONE_STRONG, "Load report: ", 0);
	style_add(s, out, TONE_STRONG, r->name ? r->name : "unnamed", (size_t)style_width(s) - 13);
	buf_add_char(out, '\n');
	style_say(s, out, 0, "%s, %s measured%s%s", text_wall(r->started_at, a), text_duration(r->duration, b),
	          target ? ", against " : "", target ? target : "");
	buf_add_char(out, '\n');
}

void report_load_text(const struct run_record *r, const struct report_style *s, struct buf *out)
{
	const bool sound = r->verdict != RUN_INVALID && r->validity != RUN_NOT_VALID;
	write_title(r, s, out);
	write_verdict(r, s, out);
	if (sound)
		load_thresholds(r, s, 0, out);
	load_soundness(r, s, out);
	if (!sound) {
		write_advice(r, s, out);
		write_unverified(r, s, out);
		load_resources(r, s, out);
		load_samples(r, s, out);
		load_manifest(r, s, out);
		return;
	}
	load_requests(r, s, out);
	if (r->requests) {
		style_heading(s, out, "Times");
		load_times(r, s, false, out);
		load_set_up(r, s, out);
		load_warmup(r, s, out);
		load_flows(r, s, true, 0, out);
		load_checks(r, s, out);
		load_timeline(r, s, out);
	}
	load_resources(r, s, out);
	load_samples(r, s, out);
	load_manifest(r, s, out);
}

void report_load_summary(const struct run_record *r, const struct report_style *s, struct buf *out)
{
	char a[NUMBER_TEXT_BYTES], b[NUMBER_TEXT_BYTES], c[NUMBER_TEXT_BYTES], d[NUMBER_TEXT_BYTES];
	const bool sound = r->verdict != RUN_INVALID && r->validity != RUN_NOT_VALID;
	const double seconds = (double)r->duration / (double)SECOND;
	write_verdict(r, s, out);
	if (!sound) {
		for (size_t i = 1; i < r->reason_count; i++)
			style_item(s, out, 2, "%s", r->reasons[i]);
		write_advice(r, s, out);
		load_resources(r, s, out);
		return;
	}
	if (!r->requests)
		return;
	style_heading(s, out, "%s requests in %s (%s), %s failed%s", text_count((double)r->requests, a),
	              text_duration(r->duration, b), text_rate(seconds > 0 ? (double)r->requests / seconds : NAN, c),
	              text_share(load_error_rate(r->failed, r->requests), d),
	              r->validity == RUN_SUSPECT ? "; SUSPECT" : "");
	load_times(r, s, true, out);
	load_set_up(r, s, out);
	load_warmup(r, s, out);
	if (r->flow_count > 1)
		load_flows(r, s, false, SUMMARY_FLOWS, out);
	load_thresholds(r, s, SUMMARY_THRESHOLDS, out);
	load_resources(r, s, out);
}
