/* draft_text.c: small texts of the language: names, escapes, URLs. */
#include "scenarios/import/draft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "scenarios/target.h"

const char *draft_method_key(struct str method)
{
	static const char *const keys[] = { "get", "post", "put", "patch", "delete", "head", "options" };
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (str_eq_nocase(method, str_from(keys[i])))
			return keys[i];
	return NULL;
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

char *draft_slug(struct str text, const char *otherwise)
{
	struct buf b;
	buf_init(&b, 48);
	for (size_t i = 0; i < text.len && b.len < 40; i++) {
		const char c = text.p[i];
		if (is_alnum(c))
			buf_add_char(&b, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
		else if (b.len && b.bytes[b.len - 1] != '-')
			buf_add_char(&b, '-');
	}
	while (b.len && b.bytes[b.len - 1] == '-')
		b.bytes[--b.len] = '\0';
	char *slug = xstrdup(b.len ? buf_cstr(&b) : otherwise);
	buf_finish(&b);
	return slug;
}

void draft_add_plain(struct buf *b, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == '$' && i + 1 < text.len && text.p[i + 1] == '{')
			buf_add_char(b, '$');
		buf_add_char(b, text.p[i]);
	}
}

json_t *draft_take_string(struct buf *b)
{
	/* jansson's reader, which comes next, takes no NUL. */
	const bool good = !buf_overflowed(b) && !(b->len && memchr(b->bytes, '\0', b->len));
	json_t *string = good ? json_stringn(buf_cstr(b), b->len) : NULL;
	buf_finish(b);
	return string;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool draft_percent_decode(struct str text, bool plus, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];
		if (c == '+' && plus) {
			c = ' ';
		} else if (c == '%' && i + 2 < text.len && hex(text.p[i + 1]) >= 0 && hex(text.p[i + 2]) >= 0) {
			c = (char)(hex(text.p[i + 1]) * 16 + hex(text.p[i + 2]));
			i += 2;
		}
		if (!c)
			return false;
		buf_add_char(out, c);
	}
	return !buf_overflowed(out);
}

static size_t last_at_sign(struct str s)
{
	for (size_t i = s.len; i > 0; i--)
		if (s.p[i - 1] == '@')
			return i - 1;
	return s.len;
}

bool draft_url_parse(struct str url, struct draft_url *ret_url)
{
	struct arena arena;
	struct target target;
	size_t at;
	const char *why;
	url = str_first(url, str_find(url, '#'));
	const size_t path_at = target_path_at(url);
	const size_t scheme = str_starts(url, STR("https://")) ? 8 : str_starts(url, STR("http://")) ? 7 : 0;
	if (scheme == 0 || memchr(url.p, '\0', url.len))
		return false;
	const struct str authority = str_from_at(str_first(url, path_at), scheme);
	const size_t user = last_at_sign(authority);
	const bool has_user = user < authority.len;
	const struct str host = has_user ? str_from_at(authority, user + 1) : authority;
	char *bare = xasprintf("%.*s%.*s", (int)scheme, url.p, STR_ARG(str_first(host, 512)));
	arena_init(&arena);
	const bool good = target_parse(str_from(bare), &arena, &target, &at, &why);
	if (good)
		*ret_url = (struct draft_url){
			.origin = xstrndup(target.origin.p, target.origin.len),
			.path = str_from_at(url, path_at),
			.user = has_user ? str_first(authority, user) : (struct str){ "", 0 },
		};
	arena_finish(&arena);
	free(bare);
	return good;
}
