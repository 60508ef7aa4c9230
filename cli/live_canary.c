#include "cli/live_canary.h"

#include <math.h>
#include <stdio.h>

#include "base/units.h"
#include "reports/page.h"
#include "reports/style.h"

#define PLAIN_EVERY 10 /* ticks between lines of evidence where there is no terminal */
#define NAME 8         /* columns of what stands in front */
#define CELL 10        /* of a figure, blank included */
#define VERSION 14
#define WIDE 68 /* from here on there is room for more than the least */

enum { RANK_ALWAYS = 1, RANK_EVIDENCE, RANK_STAGE, RANK_RATIO, RANK_BLANK, RANK_EVENTS };

struct view {
	const struct live_canary *live;
	const struct controller_live *v;
	struct report_style style;
	int width;
	struct page page;
};

static void add_cell(struct view *w, enum tone tone, const char *text, int columns, bool right)
{
	const int used = (int)style_columns(str_from(text)), gap = used < columns ? columns - used : 0;
	for (int i = 0; right && i < gap; i++)
		buf_add_char(&w->page.text, ' ');
	style_add(&w->style, &w->page.text, tone, text, (size_t)columns);
	for (int i = 0; !right && i < gap; i++)
		buf_add_char(&w->page.text, ' ');
}

static const char *seconds_text(double seconds, char text[NUMBER_TEXT_BYTES])
{
	return text_duration(isnan(seconds) ? -1 : (dur_ns)(seconds * (double)SECOND), text);
}

/* A sentence, wrapped to the screen. */
static void add_sentence(struct view *w, int rank, const char *text)
{
	struct buf lines;
	buf_init(&lines, REPORT_BYTES_MAX);
	style_say(&w->style, &lines, 0, "%s", text);
	page_add(&w->page, buf_str(&lines), rank);
	buf_finish(&lines);
}

static void add_heading(struct view *w)
{
	char weight[NUMBER_TEXT_BYTES], share[NUMBER_TEXT_BYTES], left[2][NUMBER_TEXT_BYTES], text[512];
	const struct controller_live *v = w->v;
	const struct machine *m = v->machine;
	snprintf(text, sizeof(text), "%.80s/%.80s  %s", v->plan->service, v->plan->environment,
	         rollout_state_text(m->state));
	style_add(&w->style, &w->page.text, TONE_STRONG, text, (size_t)w->width);
	page_end(&w->page, RANK_ALWAYS);
	int n = m->stage < 0 ? 0
	                     : snprintf(text, sizeof(text), "stage %d of %zu, ", m->stage + 1, v->plan->stage_count);
	snprintf(text + n, sizeof(text) - (size_t)n, "asked %s, serving %s", text_weight(m->asked_bp, weight),
	         text_share(v->share, share));
	style_add(&w->style, &w->page.text, TONE_PLAIN, text, (size_t)w->width);
	page_end(&w->page, RANK_ALWAYS);
	if (m->state != ROLLOUT_WATCHING && m->state != ROLLOUT_BAKING)
		return;
	snprintf(text, sizeof(text), "at least %s more, at most %s", text_duration(machine_stage_min_left(m), left[0]),
	         text_duration(machine_stage_max_left(m), left[1]));
	style_add(&w->style, &w->page.text, TONE_FAINT, text, (size_t)w->width);
	page_end(&w->page, RANK_STAGE);
}

static void add_titles(struct view *w)
{
	const bool wide = w->width >= WIDE;
	add_cell(w, TONE_FAINT, "", NAME, false);
	if (wide)
		add_cell(w, TONE_FAINT, "version", VERSION, false);
	add_cell(w, TONE_FAINT, "requests", CELL, true);
	add_cell(w, TONE_FAINT, "errors", CELL, true);
	if (wide)
		add_cell(w, TONE_FAINT, "p50", CELL, true);
	add_cell(w, TONE_FAINT, "p95", CELL, true);
	if (wide)
		add_cell(w, TONE_FAINT, "p99", CELL, true);
	page_end(&w->page, RANK_STAGE);
}

static void add_arm(struct view *w, enum arm arm)
{
	char text[NUMBER_TEXT_BYTES];
	const bool wide = w->width >= WIDE;
	const struct assessment *a = w->v->assessment;
	const char *version = w->v->record->arms[arm].version;
	const double requests = (double)a->stage_requests[arm], errors = (double)a->stage_errors[arm];
	add_cell(w, TONE_STRONG, arm_text(arm), NAME, false);
	if (wide)
		add_cell(w, TONE_PLAIN, version ? version : "", VERSION, false);
	add_cell(w, TONE_PLAIN, text_rate((double)w->v->tick->arms[arm].requests, text), CELL, true);
	add_cell(w, errors > 0 ? TONE_WARN : TONE_PLAIN, text_share(requests > 0 ? errors / requests : NAN, text), CELL,
	         true);
	if (wide)
		add_cell(w, TONE_PLAIN, seconds_text(a->stage_quantiles[arm][0], text), CELL, true);
	add_cell(w, TONE_PLAIN, seconds_text(a->stage_quantiles[arm][1], text), CELL, true);
	if (wide)
		add_cell(w, TONE_PLAIN, seconds_text(a->stage_quantiles[arm][2], text), CELL, true);
	page_end(&w->page, RANK_ALWAYS);
}

static void add_bar(struct view *w, const char *name, double share, const char *note)
{
	const int room = w->width - NAME - 2 - (int)strlen(note), bar = room > 30 ? 30 : room;
	add_cell(w, TONE_PLAIN, name, NAME, false);
	if (bar >= 4) {
		style_bar(&w->style, &w->page.text, isnan(share) ? 0 : share, -1, bar);
		buf_add(&w->page.text, STR("  "));
	}
	style_add(&w->style, &w->page.text, TONE_PLAIN, note, (size_t)(w->width - NAME));
	page_end(&w->page, RANK_EVIDENCE);
}

static void add_evidence(struct view *w)
{
	char note[128];
	const struct assessment *a = w->v->assessment;
	const double harm = fmax(a->harm_errors, fmax(a->harm_latency, isnan(a->harm_slo) ? -INFINITY : a->harm_slo));
	snprintf(note, sizeof(note), "e^%.1f of e^%.1f%s", harm, a->harm_needed,
	         w->width >= WIDE ? " needed to roll back" : "");
	add_bar(w, "harm", a->harm_needed > 0 ? harm / a->harm_needed : 0, note);
	snprintf(note, sizeof(note), "%.0f %%", a->promote_progress * 100);
	add_bar(w, "promote", a->promote_progress, note);
	if (a->metric && a->phi >= 1.1) {
		snprintf(note, sizeof(note), "%s: requests come in bunches: phi %.1f, so 1,000 requests count as %.0f",
		         a->metric, a->phi, 1000 / a->phi);
		add_sentence(w, RANK_RATIO, note);
	}
	if (!isnan(a->error_ratio)) {
		snprintf(note, sizeof(note), "canary has %.2fx stable's errors (%.2f to %.2f)", a->error_ratio,
		         a->error_ratio_low, a->error_ratio_high);
		add_sentence(w, RANK_RATIO, note);
	}
	if (!isnan(a->latency_ratio)) {
		snprintf(note, sizeof(note), "canary has %.2fx stable's p95", a->latency_ratio);
		add_sentence(w, RANK_RATIO, note);
	}
}

static void draw(struct live_canary *l, const struct controller_live *v)
{
	const struct terminal_size size = terminal_size();
	struct view w = { .live = l, .v = v, .style = terminal_screen_style(l->terminal, size) };
	struct buf out;
	w.width = style_width(&w.style);
	buf_init(&out, REPORT_BYTES_MAX);
	page_init(&w.page);
	add_heading(&w);
	page_end(&w.page, RANK_BLANK);
	add_titles(&w);
	add_arm(&w, ARM_STABLE);
	add_arm(&w, ARM_CANARY);
	page_end(&w.page, RANK_BLANK);
	add_evidence(&w);
	add_sentence(&w, RANK_ALWAYS, v->assessment->sentence);
	page_end(&w.page, RANK_BLANK);
	/* The older an event, the sooner it has to make room. */
	for (size_t i = 0; i < l->event_count; i++) {
		style_add(&w.style, &w.page.text, TONE_FAINT, l->events[i], (size_t)w.width);
		page_end(&w.page, RANK_EVENTS + (int)(l->event_count - 1 - i));
	}
	page_write(&w.page, size.rows, &out);
	terminal_show(l->terminal, size, buf_str(&out));
	page_finish(&w.page);
	buf_finish(&out);
}

static void print_line(struct live_canary *l, const struct controller_live *v)
{
	char weight[WEIGHT_TEXT_BYTES];
	if (v->tick->tick < l->next_line)
		return;
	l->next_line = v->tick->tick + PLAIN_EVERY;
	fprintf(stderr, "  %s %s: stable %llu/s, canary %llu/s; %s\n", rollout_state_text(v->machine->state),
	        weight_format(v->machine->asked_bp, weight), (unsigned long long)v->tick->arms[ARM_STABLE].requests,
	        (unsigned long long)v->tick->arms[ARM_CANARY].requests, v->assessment->sentence);
}

void live_canary_tick(struct live_canary *l, const struct controller_live *live)
{
	if (l->quiet)
		return;
	if (l->terminal->err_is_terminal)
		draw(l, live);
	else
		print_line(l, live);
}

static const char *event_text(const struct event_record *e)
{
	const char *text = json_string_value(json_object_get(e->data, "text"));
	return text ? text : "";
}

void live_canary_event(struct live_canary *l, const struct event_record *e)
{
	char line[160];
	if (l->quiet || strcmp(e->type, "evidence") == 0)
		return;
	const double since = (double)mono_since(mono_now(), l->began) / (double)SECOND;
	snprintf(line, sizeof(line), "%6.1f s  %-20s %.120s", since, e->type, event_text(e));
	if (!l->terminal->err_is_terminal) {
		fprintf(stderr, "%s\n", line);
		return;
	}
	if (l->event_count == LIVE_EVENTS) {
		memmove(l->events[0], l->events[1], sizeof(l->events[0]) * (LIVE_EVENTS - 1));
		l->event_count--;
	}
	memcpy(l->events[l->event_count++], line, sizeof(line));
}

void live_canary_end(struct live_canary *l)
{
	terminal_leave();
	if (l->quiet || !l->terminal->err_is_terminal)
		return;
	for (size_t i = 0; i < l->event_count; i++)
		fprintf(stderr, "%s\n", l->events[i]);
}
