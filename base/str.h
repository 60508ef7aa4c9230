/* str.h: a slice of text that somebody else owns. Pointer and length, no terminating NUL promised.
 *
 * Every parser of weir takes and gives slices: nothing is copied until somebody has to keep it. A slice is borrowed
 * unless a comment says otherwise. Threads: [any]. */
#ifndef WEIR_BASE_STR_H
#define WEIR_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *p;
	size_t len;
};

/* A name and its value: a header, a parameter. */
struct str_pair {
	struct str name, value;
};

/* A slice of a string literal. */
#define STR(literal) ((struct str){ ("" literal), sizeof(literal) - 1 })
/* For printf: "%.*s", STR_ARG(s) */
#define STR_ARG(s) (int)(s).len, (s).p

static inline struct str str_from(const char *s)
{
	return (struct str){ s, s ? strlen(s) : 0 };
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static inline bool str_is(struct str a, const char *b)
{
	return str_eq(a, str_from(b));
}

/* Compares ASCII letters without case, as HTTP header names are compared. */
bool str_eq_nocase(struct str a, struct str b);

bool str_starts(struct str s, struct str prefix);

/* The part from <from> to the end; empty when <from> is past it. */
static inline struct str str_from_at(struct str s, size_t from)
{
	return from >= s.len ? (struct str){ s.p + s.len, 0 } : (struct str){ s.p + from, s.len - from };
}

static inline struct str str_first(struct str s, size_t len)
{
	return (struct str){ s.p, len < s.len ? len : s.len };
}

/* Without blanks (space, tab, CR, LF) at either end. */
struct str str_trim(struct str s);

/* Position of <c>, or s.len when it is not there. */
size_t str_find(struct str s, char c);

/* Takes all up to <separator> off the front of <s> into <ret_part> and drops the separator. False when <s> was empty. */
bool str_cut(struct str *s, char separator, struct str *ret_part);

/* Decimal digits only, no sign. False on anything else or on overflow. */
bool str_to_u64(struct str s, uint64_t *ret_value);

/* A decimal number: sign, digits with a point anywhere, exponent ("+1", ".5", "2e3"). At most 63 bytes. False on anything
 * else, also on inf, nan, hexadecimal and what is too large for a double. */
bool str_to_double(struct str s, double *ret_value);

/* Of <names> (ending with NULL) the one that <word> was probably meant to be, or NULL when none is near. */
const char *str_nearest(struct str word, const char *const *names);

#endif
