#include "reports/style.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"

static const char *const tone_codes[] = {
	[TONE_PLAIN] = "",        [TONE_GOOD] = "\033[32m",  [TONE_BAD] = "\033[1;31m",
	[TONE_WARN] = "\033[33m", [TONE_STRONG] = "\033[1m", [TONE_FAINT] = "\033[2m",
};

int style_width(const struct report_style *s)
{
	return s->width < STYLE_WIDTH_LEAST ? STYLE_WIDTH_LEAST : s->width;
}

/* Length of the UTF-8 sequence at <p> and its code point; 0 when it is none (RFC 3629: no overlong forms,
 * surrogates). */
static size_t take_char(const char *p, size_t left, uint32_t *ret_code)
{
	const unsigned char *b = (const unsigned char *)p;
	const size_t len = b[0] < 0x80 ? 1 : b[0] >= 0xc2 && b[0] < 0xe0 ? 2 : (b[0] & 0xf0) == 0xe0 ? 3 : 4;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t code = len == 1 ? b[0] : b[0] & (0x7fu >> len);
	if (len > left || (len == 2 && b[0] >= 0xe0) || (len == 4 && (b[0] < 0xf0 || b[0] > 0xf4)))
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (b[i] & 0x3f);
	}
	if (code < least[len] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	*ret_code = code;
	return len;
}

/* What could move the cursor or turn the reading direction. */
static bool is_unsafe(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200b && code <= 0x200f) ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) || code == 0xfeff;
}

size_t style_columns(struct str text)
{
	size_t columns = 0;
	for (size_t i = 0; i < text.len; columns++) {
		uint32_t code;
		const size_t len = take_char(text.p + i, text.len - i, &code);
		i += len ? len : 1;
	}
	return columns;
}

/* Adds <text> without what is unsafe; line breaks and tabs become blanks. At most <most> columns when not 0. */
static void add_clean(const struct report_style *s, struct buf *out, struct str text, size_t most)
{
	const bool cut = most && style_columns(text) > most;
	const char *ellipsis = s->utf8 ? "…" : "..";
	const size_t ellipsis_columns = s->utf8 ? 1 : 2;
	const size_t keep = !cut ? SIZE_MAX : most > ellipsis_columns ? most - ellipsis_columns : 0;
	size_t columns = 0;
	for (size_t i = 0; i < text.len && columns < keep; columns++) {
		uint32_t code;
		const size_t len = take_char(text.p + i, text.len - i, &code);
		if (len && !is_unsafe(code) && (len == 1 || s->utf8))
			buf_add(out, (struct str){ text.p + i, len });
		else
			buf_add_char(out, len && strchr("\n\r\t", (int)(code < 0x80 ? code : 'x')) ? ' ' : '?');
		i += len ? len : 1;
	}
	if (cut)
		buf_add(out, str_first(str_from(ellipsis), most >= ellipsis_columns ? SIZE_MAX : most));
}

void style_add(const struct report_style *s, struct buf *out, enum tone tone, const char *text, size_t most)
{
	const bool coloured = s->colour && tone != TONE_PLAIN && text && *text;
	if (coloured)
		buf_add(out, str_from(tone_codes[tone]));
	add_clean(s, out, str_from(text), most);
	if (coloured)
		buf_add(out, STR("\033[0m"));
}

void style_heading(const struct report_style *s, struct buf *out, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = xvasprintf(format, args);
	va_end(args);
	buf_add_char(out, '\n');
	style_add(s, out, TONE_STRONG, text, (size_t)style_width(s));
	buf_add_char(out, '\n');
	free(text);
}

static void add_blanks(struct buf *out, size_t count)
{
	while (count--)
		buf_add_char(out, ' ');
}

static bool ends_in_digit(struct str s)
{
	return s.len && s.p[s.len - 1] >= '0' && s.p[s.len - 1] <= '9';
}

static bool begins_with_digit(struct str s)
{
	return s.len && s.p[0] >= '0' && s.p[0] <= '9';
}

/* "%", "ms", "s)," and the like: what must not be parted from its number. */
static bool is_unit(struct str word)
{
	static const char *const units[] = { "%", "us", "ms", "s", "m", "h", "k", "M", "G", "B", "kB", "MB", "GB" };
	while (word.len && strchr(").,;:", word.p[word.len - 1]))
		word.len--;
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (str_is(word, units[i]))
			return true;
	return false;
}

/* The next word and what must stay on its line: "6 m 2 s,". False at the end. */
static bool take_word(struct str *rest, struct str *ret_word)
{
	struct str next, after = *rest;
	do
		if (!str_cut(&after, ' ', ret_word))
			return false;
	while (!ret_word->len);
	*rest = after;
	struct str last = *ret_word;
	while (str_cut(&after, ' ', &next)) {
		const bool sum = (str_is(last, "m") || str_is(last, "h")) && begins_with_digit(next) &&
		                 last.p != ret_word->p;
		if (!(ends_in_digit(last) && is_unit(next)) && !sum)
			break;
		ret_word->len = (size_t)(next.p + next.len - ret_word->p);
		last = next;
		*rest = after;
	}
	return true;
}

/* Adds <text> word by word. The cursor stands at <column>; following lines begin at <indent>. A word longer than a line
 * is broken. Ends with a line break. */
static void add_wrapped(const struct report_style *s, struct buf *out, size_t column, size_t indent, const char *text)
{
	const size_t width = (size_t)style_width(s);
	struct str rest = str_from(text), word;
	bool first = true;
	while (take_word(&rest, &word)) {
		const size_t columns = style_columns(word);
		if (!first && column + 1 + columns > width) {
			buf_add_char(out, '\n');
			add_blanks(out, indent);
			column = indent;
		} else if (!first) {
			buf_add_char(out, ' ');
			column++;
		}
		const size_t room = width > indent + 8 ? width - indent : 8;
		add_clean(s, out, word, columns > room ? room : 0);
		column += columns > room ? room : columns;
		first = false;
	}
	buf_add_char(out, '\n');
}

void style_say(const struct report_style *s, struct buf *out, int indent, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = xvasprintf(format, args);
	va_end(args);
	add_blanks(out, (size_t)indent);
	add_wrapped(s, out, (size_t)indent, (size_t)indent, text);
	free(text);
}

void style_item(const struct report_style *s, struct buf *out, int indent, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = xvasprintf(format, args);
	va_end(args);
	add_blanks(out, (size_t)indent);
	buf_add(out, STR("- "));
	add_wrapped(s, out, (size_t)indent + 2, (size_t)indent + 2, text);
	free(text);
}

void style_verdict(const struct report_style *s, struct buf *out, enum tone tone, const char *word, const char *format,
                   ...)
{
	va_list args;
	va_start(args, format);
	char *text = xvasprintf(format, args);
	va_end(args);
	const size_t columns = style_columns(str_from(word)) + 2;
	style_add(s, out, tone, word, 0);
	buf_add(out, STR("  "));
	add_wrapped(s, out, columns, columns > 14 ? 2 : columns, text);
	free(text);
}

void style_pair(const struct report_style *s, struct buf *out, int name_columns, const char *name, const char *format,
                ...)
{
	va_list args;
	va_start(args, format);
	char *text = xvasprintf(format, args);
	va_end(args);
	const size_t indent = 2 + (size_t)name_columns + 1;
	const size_t columns = style_columns(str_from(name));
	add_blanks(out, 2);
	style_add(s, out, TONE_FAINT, name, (size_t)name_columns);
	add_blanks(out, columns < (size_t)name_columns ? (size_t)name_columns - columns + 1 : 1);
	add_wrapped(s, out, indent, indent, text);
	free(text);
}

void style_spark(const struct report_style *s, struct buf *out, const double *values, size_t count, double most)
{
	static const char *const heights[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char ascii[] = "_.:-=+*#";
	double highest = most > 0 ? most : 0;
	for (size_t i = 0; !(most > 0) && i < count; i++)
		if (isfinite(values[i]))
			highest = fmax(highest, values[i]);
	for (size_t i = 0; i < count; i++) {
		if (!isfinite(values[i]) || values[i] < 0) {
			buf_add_char(out, ' ');
			continue;
		}
		int height = highest > 0 ? (int)(values[i] / highest * 7.999) : 0;
		height = height > 7 ? 7 : height;
		if (s->utf8)
			buf_add(out, str_from(heights[height]));
		else
			buf_add_char(out, ascii[height]);
	}
}

void style_bar(const struct report_style *s, struct buf *out, double share, double limit, int columns)
{
	must(columns > 0);
	const int full = !(share > 0) ? 0 : share >= 1 ? columns : (int)ceil(share * columns);
	const int mark = limit >= 0 && limit <= 1 ? (int)(limit * columns) : -1;
	for (int i = 0; i < columns; i++) {
		if (i == mark || (mark == columns && i == columns - 1))
			buf_add_char(out, '|');
		else if (i < full)
			buf_add(out, s->utf8 ? STR("█") : STR("#"));
		else
			buf_add(out, s->utf8 ? STR("·") : STR("."));
	}
}
