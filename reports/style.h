/* style.h: how a text report is laid out: width, colour, tables, wrapped sentences, sparklines.
 *
 * style    what the reader's terminal can do; decided by cli/, the same for a whole report
 * tone     what a word means; shown as colour where there is colour. A tone never stands alone: the word says it too
 * cell     text of one table cell; all text from outside (names, bodies, reasons) is cleaned: no control characters, no
 *          broken UTF-8, so that a server cannot move the reader's cursor
 * column   right-aligned numbers or left-aligned words. When a table is too wide, long words are cut with an
 *          ellipsis, then columns are left out, the highest `drop` first, then words are cut further; never numbers
 *
 * Numbers that do not exist (NaN, infinite, no requests) are written "n/a", and -0 as 0. One character is taken to be
 * one column wide. Ownership: a table owns its cells. Threads: one at a time. */
#ifndef WEIR_REPORTS_STYLE_H
#define WEIR_REPORTS_STYLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"

struct report_style {
	bool colour; /* ANSI escape sequences are welcome */
	bool utf8;   /* else plain ASCII: the rest is written '?' */
	int width;   /* columns; below STYLE_WIDTH_LEAST is taken as that */
};

#define STYLE_WIDTH 80
#define STYLE_WIDTH_LEAST 40
#define REPORT_STYLE_PLAIN ((struct report_style){ .width = STYLE_WIDTH })

/* The most bytes that a report of text has; a buffer with this limit holds any. */
#define REPORT_BYTES_MAX (4u << 20)

enum tone { TONE_PLAIN, TONE_GOOD, TONE_BAD, TONE_WARN, TONE_STRONG, TONE_FAINT };

/* Width that is really used, and the columns of a text (code points). */
int style_width(const struct report_style *s);
size_t style_columns(struct str text);

/* Adds <text> cleaned, in a tone, cut to <most> columns with an ellipsis when it is longer (0: never cut). */
void style_add(const struct report_style *s, struct buf *out, enum tone tone, const char *text, size_t most);

/* An empty line, then the heading, underlined by its tone only. */
void style_heading(const struct report_style *s, struct buf *out, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A paragraph, wrapped to the width; each line starts with <indent> blanks. */
void style_say(const struct report_style *s, struct buf *out, int indent, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The same as an item of a list: "- " in front, following lines below its first word. */
void style_item(const struct report_style *s, struct buf *out, int indent, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* "WORD  sentence", the word in its tone, the sentence wrapped and indented below itself. */
void style_verdict(const struct report_style *s, struct buf *out, enum tone tone, const char *word, const char *format,
                   ...) __attribute__((format(printf, 5, 6)));

/* "  name      text", the text wrapped behind a column of <name_columns>. */
void style_pair(const struct report_style *s, struct buf *out, int name_columns, const char *name, const char *format,
                ...) __attribute__((format(printf, 5, 6)));

/* --- numbers as text; each returns <ret_text> --- */

#define NUMBER_TEXT_BYTES 48
/* As duration_format ("12.3 ms"; "µs" stays "us"); "n/a" when <d> is negative. */
const char *text_duration(dur_ns d, char ret_text[NUMBER_TEXT_BYTES]);
/* All digits below 1,000,000 with thousands separators ("12,345"), else three significant ("1.23 M"). */
const char *text_count(double count, char ret_text[NUMBER_TEXT_BYTES]);
const char *text_times(uint64_t count, char ret_text[NUMBER_TEXT_BYTES]); /* " (1,234 times)"; "" for once */
/* "0 %", "0.031 %", "1.25 %", "50 %": two significant digits at least, never a small share as 0. */
const char *text_share(double share, char ret_text[NUMBER_TEXT_BYTES]);
/* "348/s", "12.5/s". */
const char *text_rate(double per_second, char ret_text[NUMBER_TEXT_BYTES]);
/* "1.52x". */
const char *text_ratio(double ratio, char ret_text[NUMBER_TEXT_BYTES]);
/* "812 B", "12.3 kB", "4.56 MB" of 1,000,000. */
const char *text_bytes(double bytes, char ret_text[NUMBER_TEXT_BYTES]);
/* Basis points as a weight: "5 %", "0.25 %". */
const char *text_weight(int32_t basis_points, char ret_text[NUMBER_TEXT_BYTES]);
/* "2026-01-01 00:00:00 UTC". */
const char *text_wall(struct wall t, char ret_text[NUMBER_TEXT_BYTES]);
/* Since the beginning: "+0:00", "+12:05", "+1:02:03". */
const char *text_since(dur_ns d, char ret_text[NUMBER_TEXT_BYTES]);

/* --- tables --- */

struct column {
	const char *title; /* kept */
	bool right;
	int drop; /* 0: never left out */
};

#define TABLE_COLUMNS_MAX 12
struct table {
	struct column columns[TABLE_COLUMNS_MAX];
	size_t column_count;
	struct table_cell *cells; /* rows x columns */
	size_t cell_count, room;
};

void table_init(struct table *t, const struct column *columns, size_t count);
void table_finish(struct table *t);

/* The next cell, left to right and row by row; NULL reads as "". */
void table_cell(struct table *t, enum tone tone, const char *text);
void table_cellf(struct table *t, enum tone tone, const char *format, ...) __attribute__((format(printf, 3, 4)));

static inline bool table_is_empty(const struct table *t)
{
	return t->cell_count == 0;
}

/* Titles and rows, each line starting with <indent> blanks. The last row must be whole. Titles only where a column
 * has one. */
void table_write(const struct table *t, const struct report_style *s, int indent, struct buf *out);

/* --- pictures --- */

/* One character per value, 0..<most> (the highest value when 0) in eight heights; negative or NaN: a blank. */
void style_spark(const struct report_style *s, struct buf *out, const double *values, size_t count, double most);

/* A bar of <columns> for <share> of 0..1, with the limit marked by '|' when <limit> is within 0..1. */
void style_bar(const struct report_style *s, struct buf *out, double share, double limit, int columns);

#endif
