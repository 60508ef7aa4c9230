#include "cli/live_load.h"

#include <stdio.h>

#include "base/units.h"

#define PLAIN_EVERY 10 /* seconds between lines where there is no terminal */

static void draw(struct live_load *l, const struct run_progress *p)
{
	const struct terminal_size size = terminal_size();
	const struct report_style style = terminal_screen_style(l->terminal, size);
	const struct live_subject subject = {
		.heading = l->heading, .name = l->name, .target = l->target, .history = &l->history
	};
	struct buf out;
	buf_init(&out, REPORT_BYTES_MAX);
	report_live_text(&subject, p, &style, size.rows, &out);
	terminal_show(l->terminal, size, buf_str(&out));
	buf_finish(&out);
}

static void print_line(struct live_load *l, const struct run_progress *p)
{
	char text[3][DURATION_TEXT_BYTES];
	const struct second_record *s = p->second;
	if (p->elapsed / SECOND < l->next_line)
		return;
	l->next_line = p->elapsed / SECOND + PLAIN_EVERY;
	fprintf(stderr, "%s of %s: %.0f/s offered, %u/s answered, p99 %s, %u failed, %u users%s\n",
	        duration_format(p->elapsed, text[0]), duration_format(p->total, text[1]), s->offered, s->completed,
	        s->response_p99 ? duration_format(s->response_p99, text[2]) : "n/a", s->failed, s->users,
	        live_strained(s) ? "; the generator is strained" : "");
}

void live_load_second(struct live_load *l, const struct run_progress *p)
{
	if (l->quiet)
		return;
	live_history_add(&l->history, p->second);
	if (l->terminal->err_is_terminal)
		draw(l, p);
	else
		print_line(l, p);
}

void live_load_end(struct live_load *l)
{
	terminal_leave();
	l->history.count = 0;
}
