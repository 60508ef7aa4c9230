#include "reports/live_text.h"

#include <math.h>
#include <stdlib.h>

#include "base/must.h"
#include "reports/load_tables.h"
#include "reports/page.h"

#define NAME 10 /* columns of what stands in front */
#define CELL 10 /* of a figure, blank included */
#define WIDE 64 /* from here on there is room for more than the least */
#define LAG_WARN MILLISECOND
#define CPU_WARN 0.85
#define TEXT(name) char name[NUMBER_TEXT_BYTES]

enum { RANK_ALWAYS = 1, RANK_FIGURES, RANK_SERVICE, RANK_USERS, RANK_ERRORS, RANK_FLOWS, RANK_HINT, RANK_BLANK };

struct view {
	const struct live_subject *subject;
	const struct run_progress *p;
	const struct report_style *style;
	int width;
	struct page page;
};

void live_history_add(struct live_history *h, const struct second_record *s)
{
	if (h->count == LIVE_HISTORY) {
		memmove(h->seconds, h->seconds + 1, sizeof(h->seconds) - sizeof(h->seconds[0]));
		h->count--;
	}
	h->seconds[h->count++] = *s;
}

bool live_strained(const struct second_record *s)
{
	return s->lag_p99 > LAG_WARN || s->cpu > CPU_WARN || s->dropped > 0;
}

/* --- pieces of lines --- */

static void add_blanks(struct buf *out, int count)
{
	for (int i = 0; i < count; i++)
		buf_add_char(out, ' ');
}

static void add_name(struct view *v, const char *name, int columns)
{
	const size_t used = style_columns(str_from(name));
	style_add(v->style, &v->page.text, TONE_PLAIN, name, (size_t)columns);
	add_blanks(&v->page.text, columns - (int)used);
}

/* Right-aligned in a cell. */
static void add_cell(struct view *v, enum tone tone, const char *text)
{
	add_blanks(&v->page.text, CELL - (int)style_columns(str_from(text)));
	style_add(v->style, &v->page.text, tone, text, CELL);
}

static void add_quantile(struct view *v, const struct hist *h, double q)
{
	TEXT(a);
	add_cell(v, q == 0.95 ? TONE_STRONG : TONE_PLAIN,
	         hist_count(h) ? text_duration(hist_quantile(h, q), a) : "n/a");
}

static double pick_offered(const struct second_record *s)
{
	return s->offered;
}

static double pick_completed(const struct second_record *s)
{
	return s->completed;
}

static double pick_users(const struct second_record *s)
{
	return s->users;
}

static double pick_response(const struct second_record *s)
{
	return s->response_p95 > 0 ? (double)s->response_p95 : NAN;
}

static double pick_service(const struct second_record *s)
{
	return s->service_p99 > 0 ? (double)s->service_p99 : NAN;
}

/* The last seconds in the columns that are left behind <used>; nothing when they are few. */
static void add_history(struct view *v, int used, double (*pick)(const struct second_record *))
{
	double values[LIVE_HISTORY];
	const struct live_history *h = v->subject->history;
	const int room = v->width - used - 2;
	if (!h || room < 5)
		return;
	const size_t count = h->count < (size_t)room ? h->count : (size_t)room;
	for (size_t i = 0; i < count; i++)
		values[i] = pick(&h->seconds[h->count - count + i]);
	add_blanks(&v->page.text, 2);
	style_spark(v->style, &v->page.text, values, count, 0);
}

static void end_blank(struct view *v)
{
	page_end(&v->page, RANK_BLANK);
}

/* --- lines --- */

static void add_title(struct view *v)
{
	struct buf *out = &v->page.text;
	const bool strained = live_strained(v->p->second);
	const char *light = strained ? "STRAINED" : v->p->warming_up ? "warming up" : "sound";
	const enum tone tone = strained ? TONE_WARN : v->p->warming_up ? TONE_FAINT : TONE_GOOD;
	const int light_columns = (int)strlen(light) + (v->style->utf8 ? 2 : 0);
	int room = v->width - light_columns - 1;
	if (v->subject->heading) {
		style_add(v->style, out, TONE_STRONG, v->subject->heading, (size_t)v->width);
		page_end(&v->page, RANK_FIGURES);
	}
	int name = (int)style_columns(str_from(v->subject->name));
	name = name < room ? name : room;
	style_add(v->style, out, TONE_STRONG, v->subject->name, (size_t)room);
	room -= name;
	if (room > 12 && v->subject->target) {
		const int columns = (int)style_columns(str_from(v->subject->target));
		buf_add(out, STR("  "));
		style_add(v->style, out, TONE_FAINT, v->subject->target, (size_t)(room - 2));
		room -= 2 + (columns < room - 2 ? columns : room - 2);
	}
	add_blanks(out, room + 1);
	if (v->style->utf8)
		style_add(v->style, out, tone, strained ? "▲ " : "● ", 0);
	style_add(v->style, out, tone, light, 0);
	page_end(&v->page, RANK_ALWAYS);
}

static void add_progress(struct view *v)
{
	TEXT(done);
	TEXT(left);
	char text[2 * NUMBER_TEXT_BYTES + 32];
	const struct run_progress *p = v->p;
	const dur_ns rest = p->total > p->elapsed ? p->total - p->elapsed : 0;
	const double share = p->total > 0 ? (double)p->elapsed / (double)p->total : 1;
	snprintf(text, sizeof(text), "  %s, %s left", text_duration(p->elapsed, done), text_duration(rest, left));
	int bar = v->width - (int)strlen(text);
	bar = bar > 60 ? 60 : bar;
	if (bar > 4)
		style_bar(v->style, &v->page.text, share, -1, bar);
	style_add(v->style, &v->page.text, TONE_PLAIN, bar > 4 ? text : text + 2, (size_t)v->width);
	page_end(&v->page, RANK_ALWAYS);
}

static void add_rates(struct view *v)
{
	TEXT(a);
	const struct second_record *s = v->p->second;
	add_name(v, "offered", NAME);
	add_cell(v, TONE_PLAIN, text_rate(s->offered, a));
	add_history(v, NAME + CELL, pick_offered);
	page_end(&v->page, RANK_FIGURES);
	add_name(v, "answered", NAME);
	add_cell(v, TONE_STRONG, text_rate(s->completed, a));
	add_history(v, NAME + CELL, pick_completed);
	page_end(&v->page, RANK_FIGURES);
	add_name(v, "users", NAME);
	add_cell(v, TONE_PLAIN, text_count(s->users, a));
	add_history(v, NAME + CELL, pick_users);
	page_end(&v->page, RANK_USERS);
}

static void add_times_of(struct view *v, const char *name, const struct hist *h,
                         double (*pick)(const struct second_record *), int rank)
{
	TEXT(a);
	const bool wide = v->width >= WIDE;
	add_name(v, name, NAME);
	add_quantile(v, h, .5);
	add_quantile(v, h, .95);
	add_quantile(v, h, .99);
	if (wide)
		add_cell(v, TONE_PLAIN, hist_count(h) ? text_duration(hist_max(h), a) : "n/a");
	add_history(v, NAME + (wide ? 4 : 3) * CELL, pick);
	page_end(&v->page, rank);
}

static void add_times(struct view *v)
{
	const bool wide = v->width >= WIDE;
	char head[128];
	snprintf(head, sizeof(head), "%*s%*s%*s%*s%s", NAME, "", CELL, "p50", CELL, "p95", CELL, "p99",
	         wide ? "       max  by second" : "");
	style_add(v->style, &v->page.text, TONE_FAINT, head, (size_t)v->width);
	page_end(&v->page, RANK_FIGURES);
	add_times_of(v, "response", v->p->response, pick_response, RANK_ALWAYS);
	add_times_of(v, "service", v->p->service, pick_service, RANK_SERVICE);
}

static void add_errors(struct view *v)
{
	TEXT(share);
	TEXT(count);
	char text[160];
	const struct run_progress *p = v->p;
	add_name(v, "errors", NAME + 2);
	snprintf(text, sizeof(text), "%s of %s requests",
	         text_share(load_error_rate(p->all_failed, p->all_requests), share),
	         text_count((double)p->all_requests, count));
	style_add(v->style, &v->page.text, p->all_failed ? TONE_BAD : TONE_GOOD, text, (size_t)(v->width - NAME - 2));
	page_end(&v->page, RANK_FIGURES);
	if (!p->all_failed)
		return;
	struct buf classes;
	buf_init(&classes, 4096);
	for (int e = 0; e < RUN_ERROR_KINDS; e++)
		if (p->all_errors[e])
			buf_printf(&classes, "%s%s %s", buf_str(&classes).len ? ", " : "",
			           text_count((double)p->all_errors[e], count), run_error_text((enum run_error)e));
	add_name(v, "", NAME + 2);
	style_add(v->style, &v->page.text, TONE_PLAIN, buf_cstr(&classes), (size_t)(v->width - NAME - 2));
	page_end(&v->page, RANK_ERRORS);
	buf_finish(&classes);
}

static void add_generator(struct view *v)
{
	TEXT(lag);
	char text[200], drops[48] = "";
	const struct second_record *s = v->p->second;
	if (v->p->all_dropped)
		snprintf(drops, sizeof(drops), ", %llu dropped", (unsigned long long)v->p->all_dropped);
	snprintf(text, sizeof(text), "lag %s, cpu %.0f %%%s%s", text_duration(s->lag_p99, lag), s->cpu * 100, drops,
	         v->width >= WIDE ? " (the generator itself, p99)" : "");
	add_name(v, "generator", NAME + 2);
	style_add(v->style, &v->page.text, live_strained(s) ? TONE_WARN : TONE_PLAIN, text,
	          (size_t)(v->width - NAME - 2));
	page_end(&v->page, RANK_FIGURES);
}

static void add_flow(struct view *v, const struct flow_progress *f, int name_columns)
{
	TEXT(a);
	add_name(v, f->name ? f->name : "?", name_columns - 1);
	add_blanks(&v->page.text, 1);
	if (v->width >= WIDE)
		add_cell(v, TONE_PLAIN, text_count((double)f->requests, a));
	add_cell(v, f->failed ? TONE_BAD : TONE_PLAIN, text_share(load_error_rate(f->failed, f->requests), a));
	if (v->width >= WIDE)
		add_quantile(v, f->response, .5);
	add_quantile(v, f->response, .95);
	add_quantile(v, f->response, .99);
	page_end(&v->page, RANK_FLOWS);
}

static void add_flows(struct view *v)
{
	const bool wide = v->width >= WIDE;
	const int cells = wide ? 5 : 3;
	int name = v->width - cells * CELL;
	name = name > 24 ? 24 : name;
	if (v->p->flow_count < 2)
		return;
	end_blank(v);
	style_add(v->style, &v->page.text, TONE_FAINT, "flow", 0);
	add_blanks(&v->page.text, name - 4);
	if (wide)
		add_cell(v, TONE_FAINT, "requests");
	add_cell(v, TONE_FAINT, "failed");
	if (wide)
		add_cell(v, TONE_FAINT, "p50");
	add_cell(v, TONE_FAINT, "p95");
	add_cell(v, TONE_FAINT, "p99");
	page_end(&v->page, RANK_FLOWS);
	for (size_t i = 0; i < v->p->flow_count && i < PAGE_LINES_MAX / 2; i++)
		add_flow(v, &v->p->flows[i], name);
}

void report_live_text(const struct live_subject *subject, const struct run_progress *p,
                      const struct report_style *style, int rows, struct buf *out)
{
	struct view v = { .subject = subject, .p = p, .style = style, .width = style_width(style) };
	page_init(&v.page);
	add_title(&v);
	add_progress(&v);
	end_blank(&v);
	add_rates(&v);
	end_blank(&v);
	add_times(&v);
	end_blank(&v);
	add_errors(&v);
	add_generator(&v);
	add_flows(&v);
	end_blank(&v);
	style_add(style, &v.page.text, TONE_FAINT, "Ctrl-C ends it; the record is kept", (size_t)v.width);
	page_end(&v.page, RANK_HINT);
	page_write(&v.page, rows, out);
	page_finish(&v.page);
}
