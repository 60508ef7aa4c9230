/* diag.h: mistakes in a user's text, all of them at once, each with its place.
 *
 *     shop.json:2:11: error: "rate" must be a number of requests per second
 *         "rate": "fast"
 *                 ^~~~~~
 *         hint: for example 50 or 12.5
 *
 * source  a text and the name people know it by
 * diag    one mistake: offset and length in the source, what is wrong, and what was expected
 *
 * Only offsets are kept; line and column are counted when a mistake is printed. At most DIAGS_MAX are kept, the rest
 * is counted. Threads: one at a time. */
#ifndef WEIR_BASE_DIAG_H
#define WEIR_BASE_DIAG_H

#include <stdarg.h>

#include "base/buf.h"
#include "base/str.h"

#define DIAGS_MAX 50

struct source {
	const char *name; /* kept */
	struct str text;  /* kept */
};

struct diag {
	size_t at, len;
	char *message;
	char *hint; /* NULL when there is none */
};

struct diags {
	const struct source *source; /* kept */
	struct diag *list;
	size_t count;   /* in <list>, ordered as found */
	size_t dropped; /* found past DIAGS_MAX */
};

void diags_init(struct diags *d, const struct source *source);
void diags_finish(struct diags *d);

/* Adds a mistake at [at, at+len). <hint> may be NULL; it is copied. */
void diags_add(struct diags *d, size_t at, size_t len, const char *hint, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void diags_vadd(struct diags *d, size_t at, size_t len, const char *hint, const char *format, va_list args)
	__attribute__((format(printf, 5, 0)));

/* Line and column, both from 1, of an offset; columns count bytes. */
void source_place(const struct source *s, size_t at, size_t *ret_line, size_t *ret_column);

/* Writes all mistakes, ordered by their place, as shown above. */
void diags_write(const struct diags *d, struct buf *out);

#endif
