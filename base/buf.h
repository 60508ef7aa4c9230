/* buf.h: a growing buffer with a limit from birth (the idea of curl's dynbuf).
 *
 * What does not fit is refused whole and remembered: the writer checks buf_overflowed() once at the end instead of
 * after each piece. The memory is kept by buf_clear, so a buffer that is used again and again stops allocating.
 * The bytes always end with a NUL that does not count. Threads: one at a time. */
#ifndef WEIR_BASE_BUF_H
#define WEIR_BASE_BUF_H

#include "base/str.h"

struct buf {
	char *bytes; /* NULL until the first piece */
	size_t len, room, limit;
	bool overflowed;
};

/* <limit>: the most bytes it will ever hold. */
void buf_init(struct buf *b, size_t limit);
void buf_finish(struct buf *b);

/* Empties it and forgets an overflow; keeps the memory. */
void buf_clear(struct buf *b);

/* Each returns false, and adds nothing, when the limit would be passed or was passed before. */
bool buf_add(struct buf *b, struct str s);
bool buf_add_char(struct buf *b, char c);
bool buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What is in it now; borrowed until the next change. */
struct str buf_str(const struct buf *b);
/* The same as a C string, never NULL. */
const char *buf_cstr(const struct buf *b);

static inline bool buf_overflowed(const struct buf *b)
{
	return b->overflowed;
}

/* Adds <s> as it has to stand between the quotes of a JSON string. */
bool buf_add_json_escaped(struct buf *b, struct str s);

/* Adds <s> with everything but the unreserved characters of RFC 3986 section 2.3 percent-encoded. */
bool buf_add_url_escaped(struct buf *b, struct str s);

#endif
