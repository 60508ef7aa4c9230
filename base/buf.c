#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"

void buf_init(struct buf *b, size_t limit)
{
	must(limit < SIZE_MAX / 4);
	*b = (struct buf){ .limit = limit };
}

void buf_finish(struct buf *b)
{
	free(b->bytes);
	*b = (struct buf){ .limit = b->limit };
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->overflowed = false;
	if (b->bytes)
		b->bytes[0] = '\0';
}

/* Makes room for <more> bytes and the NUL, or remembers that the limit was met. */
static bool make_room(struct buf *b, size_t more)
{
	if (b->overflowed || more > b->limit - b->len) {
		b->overflowed = true;
		return false;
	}
	const size_t need = b->len + more + 1;
	if (need > b->room) {
		size_t room = b->room ? b->room : 64;
		while (room < need)
			room *= 2;
		b->room = room > b->limit + 1 ? b->limit + 1 : room;
		b->bytes = xrealloc(b->bytes, b->room);
	}
	return true;
}

bool buf_add(struct buf *b, struct str s)
{
	if (!make_room(b, s.len))
		return false;
	if (s.len)
		memcpy(b->bytes + b->len, s.p, s.len);
	b->len += s.len;
	b->bytes[b->len] = '\0';
	return true;
}

bool buf_add_char(struct buf *b, char c)
{
	return buf_add(b, (struct str){ &c, 1 });
}

bool buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = xvasprintf(format, args);
	va_end(args);
	const bool added = buf_add(b, str_from(text));
	free(text);
	return added;
}

struct str buf_str(const struct buf *b)
{
	return (struct str){ buf_cstr(b), b->len };
}

const char *buf_cstr(const struct buf *b)
{
	return b->bytes ? b->bytes : "";
}

bool buf_add_json_escaped(struct buf *b, struct str s)
{
	bool fits = true;
	for (size_t i = 0; i < s.len && fits; i++) {
		const unsigned char c = (unsigned char)s.p[i];
		char escaped[8];
		if (c == '"' || c == '\\') {
			fits = buf_add_char(b, '\\') && buf_add_char(b, (char)c);
		} else if (c < 0x20) {
			snprintf(escaped, sizeof(escaped), "\\u%04x", c);
			fits = buf_add(b, str_from(escaped));
		} else {
			fits = buf_add_char(b, (char)c);
		}
	}
	return fits;
}

static bool is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
	       c == '_' || c == '~';
}

bool buf_add_url_escaped(struct buf *b, struct str s)
{
	bool fits = true;
	for (size_t i = 0; i < s.len && fits; i++) {
		const unsigned char c = (unsigned char)s.p[i];
		char escaped[4];
		if (is_unreserved(c)) {
			fits = buf_add_char(b, (char)c);
		} else {
			snprintf(escaped, sizeof(escaped), "%%%02X", c);
			fits = buf_add(b, str_from(escaped));
		}
	}
	return fits;
}
