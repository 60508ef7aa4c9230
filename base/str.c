#include "base/str.h"

#include <math.h>
#include <stdlib.h>

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool str_eq_nocase(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

bool str_starts(struct str s, struct str prefix)
{
	return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.p, prefix.p, prefix.len) == 0);
}

struct str str_trim(struct str s)
{
	while (s.len && is_blank(s.p[0]))
		s = str_from_at(s, 1);
	while (s.len && is_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

size_t str_find(struct str s, char c)
{
	const char *at = s.len ? memchr(s.p, c, s.len) : NULL;
	return at ? (size_t)(at - s.p) : s.len;
}

bool str_cut(struct str *s, char separator, struct str *ret_part)
{
	if (s->len == 0)
		return false;
	const size_t at = str_find(*s, separator);
	*ret_part = str_first(*s, at);
	*s = str_from_at(*s, at + 1);
	return true;
}

bool str_to_u64(struct str s, uint64_t *ret_value)
{
	uint64_t value = 0;
	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		const uint64_t digit = (uint64_t)(s.p[i] - '0');
		if (value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*ret_value = value;
	return true;
}

bool str_to_double(struct str s, double *ret_value)
{
	char copy[64];
	if (s.len == 0 || s.len >= sizeof(copy))
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!strchr("0123456789+-.eE", s.p[i]) || s.p[i] == '\0')
			return false;
	memcpy(copy, s.p, s.len);
	copy[s.len] = '\0';
	char *end;
	const double value = strtod(copy, &end);
	if (*end != '\0' || !isfinite(value))
		return false;
	*ret_value = value;
	return true;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

#define WORD_MAX 63 /* longer words are never near anything */

/* Letters to put in, take out or change, and neighbours to swap ("nmae"): the optimal string alignment distance. */
static size_t distance(struct str a, struct str b)
{
	size_t rows[3][WORD_MAX + 1], *above = rows[0], *before = rows[1], *row = rows[2];
	if (a.len > WORD_MAX || b.len > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t *const oldest = above;
		above = before;
		before = row;
		row = oldest;
		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			const char x = lower(a.p[i - 1]), y = lower(b.p[j - 1]);
			row[j] = least(before[j - 1] + (x != y), least(before[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && x == lower(b.p[j - 2]) && y == lower(a.p[i - 2]))
				row[j] = least(row[j], above[j - 2] + 1);
		}
	}
	return row[b.len];
}

const char *str_nearest(struct str word, const char *const *names)
{
	const char *nearest = NULL;
	size_t best = word.len;
	for (; *names; names++) {
		const struct str name = str_from(*names);
		const size_t d = distance(word, name), longer = name.len > word.len ? name.len : word.len;
		/* A third of the letters wrong is still a typing mistake; more is another word. */
		if (d <= longer / 3 && d < best) {
			best = d;
			nearest = *names;
		}
	}
	return nearest;
}
