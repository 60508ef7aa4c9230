#include "cli/live_canary.h"

#include <math.h>
#include <stdio.h>

#include "base/units.h"

#define PLAIN_EVERY 10 /* ticks between lines of evidence where there is no terminal */
#define BAR_WIDTH 24

static void add_bar(struct buf *out, double share, bool utf8)
{
	const double s = isnan(share) || share < 0 ? 0 : share > 1 ? 1 : share;
	const int full = (int)(s * BAR_WIDTH);
	for (int i = 0; i < BAR_WIDTH; i++)
		buf_add(out, str_from(i < full ? (utf8 ? "█" : "#") : (utf8 ? "░" : ".")));
}

static const char *seconds_text(double seconds, char text[DURATION_TEXT_BYTES])
{
	return isnan(seconds) ? "n/a" : duration_format((dur_ns)(seconds * (double)SECOND), text);
}

static void add_arm(struct buf *out, const struct controller_live *v, enum arm arm)
{
	char p[3][DURATION_TEXT_BYTES];
	const struct assessment *a = v->assessment;
	const struct version_record *version = &v->record->arms[arm];
	const double requests = (double)a->stage_requests[arm];
	const double errors = requests > 0 ? (double)a->stage_errors[arm] / requests * 100 : NAN;
	buf_printf(out, "  %-7s %-12.12s %5llu/s  ", arm_text(arm), version->version ? version->version : "",
	           (unsigned long long)v->tick->arms[arm].requests);
	if (isnan(errors))
		buf_add(out, STR("errors n/a     "));
	else
		buf_printf(out, "errors %6.2f %% ", errors);
	buf_printf(out, " p50 %-9s p95 %-9s p99 %s\n", seconds_text(a->stage_quantiles[arm][0], p[0]),
	           seconds_text(a->stage_quantiles[arm][1], p[1]), seconds_text(a->stage_quantiles[arm][2], p[2]));
}

static void add_evidence(const struct live_canary *l, struct buf *out, const struct assessment *a)
{
	const double harm = fmax(a->harm_errors, fmax(a->harm_latency, isnan(a->harm_slo) ? -INFINITY : a->harm_slo));
	const double share = a->harm_needed > 0 ? harm / a->harm_needed : 0;
	buf_printf(out, "  harm    %s", terminal_hue(l->terminal, share > 0.5 ? HUE_BAD : HUE_DIM));
	add_bar(out, share, l->terminal->utf8);
	buf_printf(out, "%s  e^%.1f of e^%.1f needed to roll back\n", terminal_hue(l->terminal, HUE_NONE), harm, a->harm_needed);
	buf_printf(out, "  promote %s", terminal_hue(l->terminal, HUE_GOOD));
	add_bar(out, a->promote_progress, l->terminal->utf8);
	buf_printf(out, "%s  %.0f %%\n", terminal_hue(l->terminal, HUE_NONE), a->promote_progress * 100);
	if (!isnan(a->error_ratio))
		buf_printf(out, "  canary has %.2fx stable's errors (%.2f to %.2f)", a->error_ratio, a->error_ratio_low,
		           a->error_ratio_high);
	if (!isnan(a->latency_ratio))
		buf_printf(out, "%s p95 %.2fx", isnan(a->error_ratio) ? "  canary has stable's" : ",", a->latency_ratio);
	if (!isnan(a->error_ratio) || !isnan(a->latency_ratio))
		buf_add_char(out, '\n');
}

static void add_heading(const struct live_canary *l, struct buf *out, const struct controller_live *v)
{
	char weight[WEIGHT_TEXT_BYTES], left[2][DURATION_TEXT_BYTES];
	const struct machine *m = v->machine;
	buf_printf(out, "%s%s/%s%s  %s", terminal_hue(l->terminal, HUE_BOLD), v->plan->service, v->plan->environment,
	           terminal_hue(l->terminal, HUE_NONE), rollout_state_text(m->state));
	if (m->stage >= 0)
		buf_printf(out, "  stage %d of %zu", m->stage + 1, v->plan->stage_count);
	buf_printf(out, "  asked %s", weight_format(m->asked_bp, weight));
	if (!isnan(v->share))
		buf_printf(out, ", serving %.2f %%", v->share * 100);
	buf_add_char(out, '\n');
	if (m->state == ROLLOUT_WATCHING || m->state == ROLLOUT_BAKING)
		buf_printf(out, "  at least %s more, at most %s\n", duration_format(machine_stage_min_left(m), left[0]),
		           duration_format(machine_stage_max_left(m), left[1]));
}

static void draw(struct live_canary *l, const struct controller_live *v)
{
	struct buf out;
	buf_init(&out, 1u << 16);
	add_heading(l, &out, v);
	add_arm(&out, v, ARM_STABLE);
	add_arm(&out, v, ARM_CANARY);
	add_evidence(l, &out, v->assessment);
	buf_printf(&out, "  %s\n", v->assessment->sentence);
	for (size_t i = 0; i < l->event_count; i++)
		buf_printf(&out, "  %s%s%s\n", terminal_hue(l->terminal, HUE_DIM), l->events[i],
		           terminal_hue(l->terminal, HUE_NONE));
	terminal_draw(l->terminal, buf_str(&out));
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
	if (!l->quiet)
		terminal_leave(l->terminal);
}
