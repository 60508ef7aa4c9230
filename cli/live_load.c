#include "cli/live_load.h"

#include <stdio.h>

#include "base/units.h"

#define PLAIN_EVERY 10 /* seconds between lines where there is no terminal */
#define BAR_WIDTH 30
/* A send lag above this (or a core this busy) is worth a warning while there is time to stop. */
#define LAG_WARN MILLISECOND
#define CPU_WARN 0.85

static void add_bar(struct buf *out, double share, bool utf8)
{
	const int full = share >= 1 ? BAR_WIDTH : (int)(share * BAR_WIDTH);
	for (int i = 0; i < BAR_WIDTH; i++)
		buf_add(out, str_from(i < full ? (utf8 ? "█" : "#") : (utf8 ? "░" : ".")));
}

static void add_times(struct buf *out, const char *name, const struct hist *h)
{
	char text[4][DURATION_TEXT_BYTES];
	buf_printf(out, "  %-14s", name);
	if (hist_count(h) == 0) {
		buf_add(out, STR("n/a yet\n"));
		return;
	}
	buf_printf(out, "p50 %-10s p95 %-10s p99 %-10s max %s\n", duration_format(hist_quantile(h, 0.5), text[0]),
	           duration_format(hist_quantile(h, 0.95), text[1]), duration_format(hist_quantile(h, 0.99), text[2]),
	           duration_format(hist_max(h), text[3]));
}

static void add_health(const struct live_load *l, const struct run_progress *p, struct buf *out)
{
	char lag[DURATION_TEXT_BYTES];
	const struct second_record *s = p->second;
	const bool warn = s->lag_p99 > LAG_WARN || s->cpu > CPU_WARN || s->dropped > 0;
	buf_printf(out, "  %-14s%s%s%s  send lag p99 %s, worker cpu %.0f %%", "generator",
	           terminal_hue(l->terminal, warn ? HUE_WARN : HUE_GOOD), warn ? "strained" : "healthy",
	           terminal_hue(l->terminal, HUE_NONE), duration_format(s->lag_p99, lag), s->cpu * 100);
	if (s->dropped)
		buf_printf(out, ", %u dropped", s->dropped);
	buf_add_char(out, '\n');
}

static void draw(struct live_load *l, const struct run_progress *p)
{
	struct buf out;
	char text[2][DURATION_TEXT_BYTES], count[COUNT_TEXT_BYTES];
	const struct second_record *s = p->second;
	const dur_ns left = p->total > p->elapsed ? p->total - p->elapsed : 0;
	const double errors = p->all_requests ? (double)p->all_failed / (double)p->all_requests : 0;
	buf_init(&out, 1u << 16);
	if (l->heading)
		buf_printf(&out, "%s\n", l->heading);
	buf_printf(&out, "%s%s%s  %s%s\n", terminal_hue(l->terminal, HUE_BOLD), l->name, terminal_hue(l->terminal, HUE_NONE),
	           l->target, p->warming_up ? "  (warming up)" : "");
	buf_add(&out, STR("  "));
	add_bar(&out, p->total ? (double)p->elapsed / (double)p->total : 1, l->terminal->utf8);
	buf_printf(&out, "  %s, %s left\n", duration_format(p->elapsed, text[0]), duration_format(left, text[1]));
	buf_printf(&out, "  %-14s%.0f/s offered, %u/s answered, %u users, %u in flight\n", "load", s->offered, s->completed,
	           s->users, s->in_flight);
	add_times(&out, "response time", p->response);
	add_times(&out, "service time", p->service);
	buf_printf(&out, "  %-14s%s%.2f %%%s of %s requests\n", "errors",
	           terminal_hue(l->terminal, p->all_failed ? HUE_BAD : HUE_GOOD), errors * 100,
	           terminal_hue(l->terminal, HUE_NONE), count_format((double)p->all_requests, count));
	add_health(l, p, &out);
	terminal_draw(l->terminal, buf_str(&out));
	buf_finish(&out);
}

static void print_line(struct live_load *l, const struct run_progress *p)
{
	char text[3][DURATION_TEXT_BYTES];
	const struct second_record *s = p->second;
	if (p->elapsed / SECOND < l->next_line)
		return;
	l->next_line = p->elapsed / SECOND + PLAIN_EVERY;
	fprintf(stderr, "%s of %s: %.0f/s offered, %u/s answered, p99 %s, %u failed, %u users\n",
	        duration_format(p->elapsed, text[0]), duration_format(p->total, text[1]), s->offered, s->completed,
	        duration_format(s->response_p99, text[2]), s->failed, s->users);
}

void live_load_second(struct live_load *l, const struct run_progress *p)
{
	if (l->quiet)
		return;
	if (l->terminal->err_is_terminal)
		draw(l, p);
	else
		print_line(l, p);
}

void live_load_end(struct live_load *l)
{
	if (!l->quiet && l->terminal->err_is_terminal)
		terminal_wipe(l->terminal);
}
