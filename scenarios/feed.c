#include "scenarios/feed.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "scenarios/number.h"

/* A CSV text that is read field by field; the fields of all rows stand one behind the other. */
struct reader {
	struct str text;
	size_t at, line;
	struct arena *arena;
	struct str *fields;
	size_t count, room;
	struct feed_mistake *mistake;
};

__attribute__((format(printf, 3, 4))) static bool wrong(struct feed_mistake *m, size_t line, const char *format, ...)
{
	va_list args;
	m->line = line;
	va_start(args, format);
	vsnprintf(m->text, sizeof(m->text), format, args);
	va_end(args);
	return false;
}

static void keep(struct reader *r, struct str field)
{
	if (r->count == r->room) {
		r->room = r->room ? r->room * 2 : 256;
		r->fields = xreallocarray(r->fields, r->room, sizeof(*r->fields));
	}
	r->fields[r->count++] = field;
}

static char next_char(const struct reader *r)
{
	return r->at < r->text.len ? r->text.p[r->at] : '\n';
}

/* Behind the opening quote. What is between the quotes is copied without the doubling. */
static bool read_quoted(struct reader *r, struct str *ret_field)
{
	const size_t from = r->at, line = r->line;
	size_t len = 0;
	for (size_t i = from;
	     i < r->text.len && (r->text.p[i] != '"' || (i + 1 < r->text.len && r->text.p[i + 1] == '"'));
	     i += r->text.p[i] == '"' ? 2 : 1)
		len++;
	char *field = arena_alloc(r->arena, len + 1);
	for (size_t i = 0; i < len; i++) {
		const char c = r->text.p[r->at++];
		field[i] = c;
		r->at += c == '"';
		r->line += c == '\n';
	}
	if (r->at >= r->text.len)
		return wrong(r->mistake, line, "the quote that begins here is never closed");
	r->at++;
	*ret_field = (struct str){ field, len };
	const char c = next_char(r);
	if (c != ',' && c != '\n' && c != '\r')
		return wrong(r->mistake, r->line,
		             "behind the closing quote stands neither a comma nor the end of the line");
	return true;
}

static bool read_plain(struct reader *r, struct str *ret_field)
{
	const size_t from = r->at;
	while (r->at < r->text.len && !memchr(",\r\n", r->text.p[r->at], 3)) {
		if (r->text.p[r->at] == '"')
			return wrong(r->mistake, r->line,
			             "a field that holds a quote is put in quotes, and the quote is doubled");
		r->at++;
	}
	*ret_field = (struct str){ r->text.p + from, r->at - from };
	return true;
}

/* One line. <ret_count> 0: it was blank; a quoted empty field is a row. */
static bool read_row(struct reader *r, size_t *ret_count)
{
	const size_t line = r->line, before = r->count;
	bool any_quoted = false;
	for (bool more = true; more;) {
		struct str field = { 0 };
		const bool quoted = next_char(r) == '"' && r->at < r->text.len;
		r->at += quoted;
		any_quoted = any_quoted || quoted;
		if (!(quoted ? read_quoted(r, &field) : read_plain(r, &field)))
			return false;
		if (field.len > FEED_CELL_BYTES)
			return wrong(r->mistake, line, "a field is longer than %d bytes", FEED_CELL_BYTES);
		if (field.len && memchr(field.p, '\0', field.len))
			return wrong(r->mistake, line, "a field holds a NUL byte");
		keep(r, field);
		more = r->at < r->text.len && next_char(r) == ',';
		r->at += more;
		if (r->count - before > FEED_COLUMNS_MAX)
			return wrong(r->mistake, line, "more than %d columns", FEED_COLUMNS_MAX);
	}
	if (r->at < r->text.len && r->text.p[r->at] == '\r')
		r->at++;
	if (next_char(r) != '\n')
		return wrong(r->mistake, r->line, "a carriage return stands alone");
	r->at++;
	r->line++;
	*ret_count = r->count - before;
	if (*ret_count == 1 && r->fields[before].len == 0 && !any_quoted) {
		r->count = before;
		*ret_count = 0;
	}
	return true;
}

static bool check_columns(const struct str *columns, size_t count, struct feed_mistake *m, size_t line)
{
	for (size_t i = 0; i < count; i++) {
		if (columns[i].len == 0 || columns[i].len > 64)
			return wrong(m, line, "column %zu has no name, or one longer than 64 bytes", i + 1);
		for (size_t k = 0; k < columns[i].len; k++)
			if (strchr("{}$,()", columns[i].p[k]) || (unsigned char)columns[i].p[k] < 0x20)
				return wrong(m, line, "the name of column %zu holds a character that ${...} cannot",
				             i + 1);
		for (size_t k = 0; k < i; k++)
			if (str_eq(columns[i], columns[k]))
				return wrong(m, line, "two columns are called \"%.*s\"", STR_ARG(columns[i]));
	}
	return true;
}

/* The fields point into <text> where they could; the copy keeps them. */
static bool read_csv(struct reader *r, struct feed *feed)
{
	size_t columns = 0, count = 0;
	while (r->at < r->text.len) {
		const size_t line = r->line;
		if (!read_row(r, &count))
			return false;
		if (count == 0)
			continue;
		if (columns == 0) {
			columns = count;
			if (!check_columns(r->fields, count, r->mistake, line))
				return false;
		}
		if (count != columns)
			return wrong(r->mistake, line, "%zu fields where the first line names %zu columns", count,
			             columns);
		if (r->count / columns > FEED_ROWS_MAX)
			return wrong(r->mistake, line, "more than %d rows", FEED_ROWS_MAX);
	}
	if (columns == 0)
		return wrong(r->mistake, 0, "the file is empty: its first line names the columns");
	if (r->count == columns)
		return wrong(r->mistake, 0, "there are no rows behind the names of the columns");
	struct str *kept = arena_array(r->arena, struct str, r->count);
	memcpy(kept, r->fields, r->count * sizeof(*kept));
	feed->columns = kept;
	feed->cells = kept + columns;
	feed->column_count = (uint32_t)columns;
	feed->row_count = (uint32_t)(r->count / columns - 1);
	return true;
}

bool feed_parse_csv(struct str text, struct arena *arena, struct feed *feed, struct feed_mistake *reterr_mistake)
{
	struct reader r = { .line = 1, .arena = arena, .mistake = reterr_mistake };
	/* Spreadsheets put a byte order mark in front. */
	if (str_starts(text, STR("\xef\xbb\xbf")))
		text = str_from_at(text, 3);
	r.text = (struct str){ text.len ? arena_strndup(arena, text.p, text.len) : "", text.len };
	const bool good = read_csv(&r, feed);
	free(r.fields);
	return good;
}

/* --- JSON --- */

static bool keep_value(struct arena *arena, const json_t *value, size_t item, struct str *ret_cell,
                       struct feed_mistake *m)
{
	if (!json_is_string(value) && !json_is_number(value) && !json_is_boolean(value))
		return wrong(m, 0, "item %zu: a value is a string, a number, true or false", item);
	char *text = json_is_string(value) ? NULL : number_text(value);
	const struct str s = text ? str_from(text)
	                          : (struct str){ json_string_value(value), json_string_length(value) };
	const bool fits = s.len <= FEED_CELL_BYTES;
	*ret_cell = (struct str){ arena_strndup(arena, s.p, s.len), s.len };
	free(text);
	return fits || wrong(m, 0, "item %zu: a value is longer than %d bytes", item, FEED_CELL_BYTES);
}

static struct str *name_columns(const json_t *first, struct arena *arena, uint32_t *ret_count)
{
	const size_t count = json_is_object(first) ? json_object_size(first) : 1;
	struct str *columns = arena_array(arena, struct str, count);
	size_t i = 0;
	const char *key;
	json_t *value, *object = (json_t *)(uintptr_t)first; /* the macro wants it writable and does not write */
	columns[0] = STR("value");
	json_object_foreach(object, key, value) columns[i++] = str_from(arena_strdup(arena, key));
	*ret_count = (uint32_t)count;
	return columns;
}

/* <objects>: what the first item is. */
static bool keep_item(struct arena *arena, const struct feed *feed, const json_t *item, size_t number, bool objects,
                      struct str *cells, struct feed_mistake *m)
{
	if (!objects)
		return keep_value(arena, item, number, cells, m);
	if (!json_is_object(item) || json_object_size(item) != feed->column_count)
		return wrong(m, 0, "item %zu does not have the same members as the first one", number);
	for (uint32_t i = 0; i < feed->column_count; i++) {
		const json_t *value = json_object_get(item, feed->columns[i].p);
		if (!value)
			return wrong(m, 0, "item %zu has no member \"%.*s\"", number, STR_ARG(feed->columns[i]));
		if (!keep_value(arena, value, number, &cells[i], m))
			return false;
	}
	return true;
}

static bool read_json(const json_t *root, struct arena *arena, struct feed *feed, struct feed_mistake *m)
{
	const size_t rows = json_array_size(root); /* 0 when it is none */
	if (!json_is_array(root) || rows == 0)
		return wrong(m, 0, json_is_array(root) ? "the list is empty" : "the file is no list");
	const json_t *first = json_array_get(root, 0);
	if (rows > FEED_ROWS_MAX ||
	    (json_is_object(first) && (json_object_size(first) == 0 || json_object_size(first) > FEED_COLUMNS_MAX)))
		return wrong(m, 0, "at most %d rows and from 1 to %d columns", FEED_ROWS_MAX, FEED_COLUMNS_MAX);
	feed->columns = name_columns(first, arena, &feed->column_count);
	feed->row_count = (uint32_t)rows;
	if (!check_columns(feed->columns, feed->column_count, m, 0))
		return false;
	struct str *cells = arena_array(arena, struct str, rows * feed->column_count);
	feed->cells = cells;
	for (size_t i = 0; i < rows; i++)
		if (!keep_item(arena, feed, json_array_get(root, i), i + 1, json_is_object(first),
		               cells + i * feed->column_count, m))
			return false;
	return true;
}

bool feed_parse_json(struct str text, struct arena *arena, struct feed *feed, struct feed_mistake *reterr_mistake)
{
	json_error_t e;
	json_t *root = json_loadb(text.p ? text.p : "", text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
	if (!root)
		return wrong(reterr_mistake, e.line > 0 ? (size_t)e.line : 1, "%.100s", e.text);
	const bool good = read_json(root, arena, feed, reterr_mistake);
	json_decref(root);
	return good;
}
