#include "reports/style.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"

/* Between two columns. */
#define GAP 2
/* A column of words is cut to the first before any column is left out, and to the second when that was not enough. */
#define WORDS_ENOUGH 22
#define WORDS_LEAST 8

struct table_cell {
	char *text;
	enum tone tone;
};

void table_init(struct table *t, const struct column *columns, size_t count)
{
	must(count > 0 && count <= TABLE_COLUMNS_MAX);
	*t = (struct table){ .column_count = count };
	memcpy(t->columns, columns, count * sizeof(columns[0]));
}

void table_finish(struct table *t)
{
	for (size_t i = 0; i < t->cell_count; i++)
		free(t->cells[i].text);
	free(t->cells);
	*t = (struct table){ 0 };
}

void table_cell(struct table *t, enum tone tone, const char *text)
{
	if (t->cell_count == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		t->cells = xreallocarray(t->cells, t->room, sizeof(t->cells[0]));
	}
	t->cells[t->cell_count++] = (struct table_cell){ xstrdup(text ? text : ""), tone };
}

void table_cellf(struct table *t, enum tone tone, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = xvasprintf(format, args);
	va_end(args);
	table_cell(t, tone, text);
	free(text);
}

struct layout {
	size_t widths[TABLE_COLUMNS_MAX]; /* 0: left out */
	size_t total;
};

static void measure(const struct table *t, struct layout *l)
{
	for (size_t c = 0; c < t->column_count; c++) {
		l->widths[c] = style_columns(str_from(t->columns[c].title));
		for (size_t i = c; i < t->cell_count; i += t->column_count) {
			const size_t columns = style_columns(str_from(t->cells[i].text));
			l->widths[c] = columns > l->widths[c] ? columns : l->widths[c];
		}
	}
}

static void add_up(const struct table *t, struct layout *l)
{
	l->total = 0;
	for (size_t c = 0; c < t->column_count; c++)
		l->total += l->widths[c] ? l->widths[c] + (l->total ? GAP : 0) : 0;
}

/* The column to leave out next: the highest `drop`, of those the rightmost; -1: none. */
static int next_to_drop(const struct table *t, const struct layout *l)
{
	int found = -1;
	for (size_t c = 0; c < t->column_count; c++)
		if (l->widths[c] && t->columns[c].drop && (found < 0 || t->columns[c].drop >= t->columns[found].drop))
			found = (int)c;
	return found;
}

/* Cuts the widest columns of words, none below <least>, until the table fits or there is nothing to cut. */
static void cut_words(const struct table *t, size_t room, size_t least, struct layout *l)
{
	while (l->total > room) {
		int widest = -1;
		for (size_t c = 0; c < t->column_count; c++)
			if (!t->columns[c].right && l->widths[c] > least &&
			    (widest < 0 || l->widths[c] > l->widths[widest]))
				widest = (int)c;
		if (widest < 0)
			return;
		l->widths[widest]--;
		l->total--;
	}
}

static void fit(const struct table *t, size_t room, struct layout *l)
{
	int column;
	measure(t, l);
	add_up(t, l);
	cut_words(t, room, WORDS_ENOUGH, l);
	while (l->total > room && (column = next_to_drop(t, l)) >= 0) {
		l->widths[column] = 0;
		add_up(t, l);
	}
	cut_words(t, room, WORDS_LEAST, l);
}

struct line {
	struct buf *out;
	size_t pending; /* blanks that are written only when something follows */
	bool begun;
};

static void line_cell(struct line *line, const struct report_style *s, const struct column *column, size_t width,
                      enum tone tone, const char *text)
{
	const size_t columns = style_columns(str_from(text));
	const size_t blanks = columns < width ? width - columns : 0;
	if (!width)
		return;
	line->pending += (line->begun ? GAP : 0) + (column->right ? blanks : 0);
	line->begun = true;
	if (columns) {
		for (; line->pending; line->pending--)
			buf_add_char(line->out, ' ');
		style_add(s, line->out, tone, text, width);
	}
	line->pending += column->right ? 0 : blanks;
}

void table_write(const struct table *t, const struct report_style *s, int indent, struct buf *out)
{
	struct layout l = { .total = 0 };
	bool titled = false;
	must(t->cell_count % t->column_count == 0);
	fit(t, (size_t)(style_width(s) - indent), &l);
	for (size_t c = 0; c < t->column_count; c++)
		titled = titled || (t->columns[c].title && *t->columns[c].title);
	if (titled) {
		struct line line = { .out = out, .pending = (size_t)indent };
		for (size_t c = 0; c < t->column_count; c++)
			line_cell(&line, s, &t->columns[c], l.widths[c], TONE_FAINT,
			          t->columns[c].title ? t->columns[c].title : "");
		buf_add_char(out, '\n');
	}
	for (size_t row = 0; row < t->cell_count; row += t->column_count) {
		struct line line = { .out = out, .pending = (size_t)indent };
		for (size_t c = 0; c < t->column_count; c++)
			line_cell(&line, s, &t->columns[c], l.widths[c], t->cells[row + c].tone,
			          t->cells[row + c].text);
		buf_add_char(out, '\n');
	}
}
