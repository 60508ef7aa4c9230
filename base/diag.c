#include "base/diag.h"

#include <stdlib.h>

#include "base/mem.h"

/* The widest piece of a line that is quoted: a file of one long line must not flood a terminal. */
#define QUOTE_MAX 100

void diags_init(struct diags *d, const struct source *source)
{
	*d = (struct diags){ .source = source };
}

void diags_finish(struct diags *d)
{
	for (size_t i = 0; i < d->count; i++) {
		free(d->list[i].message);
		free(d->list[i].hint);
	}
	free(d->list);
	*d = (struct diags){ .source = d->source };
}

void diags_vadd(struct diags *d, size_t at, size_t len, const char *hint, const char *format, va_list args)
{
	if (d->count == DIAGS_MAX) {
		d->dropped++;
		return;
	}
	if (!d->list)
		d->list = xcalloc(DIAGS_MAX, sizeof(*d->list));
	const size_t end = d->source->text.len;
	struct diag *g = &d->list[d->count++];
	g->at = at < end ? at : end;
	g->len = len < end - g->at ? len : end - g->at;
	g->message = xvasprintf(format, args);
	g->hint = hint ? xstrdup(hint) : NULL;
}

void diags_add(struct diags *d, size_t at, size_t len, const char *hint, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	diags_vadd(d, at, len, hint, format, args);
	va_end(args);
}

static size_t line_start(struct str text, size_t at)
{
	while (at > 0 && text.p[at - 1] != '\n')
		at--;
	return at;
}

void source_place(const struct source *s, size_t at, size_t *ret_line, size_t *ret_column)
{
	size_t line = 1;
	if (at > s->text.len)
		at = s->text.len;
	for (size_t i = 0; i < at; i++)
		line += s->text.p[i] == '\n';
	*ret_line = line;
	*ret_column = at - line_start(s->text, at) + 1;
}

/* Control bytes of a hostile file must not reach the terminal. */
static char printable(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f ? ' ' : c;
}

static void write_quote(const struct source *s, const struct diag *g, struct buf *out)
{
	size_t start = line_start(s->text, g->at);
	const size_t end = start + str_find(str_from_at(s->text, start), '\n');
	if (g->at - start > QUOTE_MAX / 2 && end - start > QUOTE_MAX)
		start = g->at - QUOTE_MAX / 2;
	const size_t stop = end - start > QUOTE_MAX ? start + QUOTE_MAX : end;
	buf_add(out, STR("    "));
	for (size_t i = start; i < stop; i++)
		buf_add_char(out, printable(s->text.p[i]));
	buf_add(out, STR("\n    "));
	for (size_t i = start; i < g->at; i++)
		buf_add_char(out, ' ');
	buf_add_char(out, '^');
	for (size_t i = g->at + 1; i < g->at + g->len && i < stop; i++)
		buf_add_char(out, '~');
	buf_add_char(out, '\n');
}

static int by_place(const void *a, const void *b)
{
	const struct diag *x = *(const struct diag *const *)a, *y = *(const struct diag *const *)b;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x < y ? -1 : x > y; /* as found */
}

void diags_write(const struct diags *d, struct buf *out)
{
	const struct diag *order[DIAGS_MAX];
	for (size_t i = 0; i < d->count; i++)
		order[i] = &d->list[i];
	qsort(order, d->count, sizeof(order[0]), by_place);
	for (size_t i = 0; i < d->count; i++) {
		size_t line, column;
		source_place(d->source, order[i]->at, &line, &column);
		buf_printf(out, "%s:%zu:%zu: error: %s\n", d->source->name, line, column, order[i]->message);
		write_quote(d->source, order[i], out);
		if (order[i]->hint)
			buf_printf(out, "    hint: %s\n", order[i]->hint);
	}
	if (d->dropped)
		buf_printf(out, "%s: and %zu more\n", d->source->name, d->dropped);
}
