#include "scenarios/target.h"

#include <stdio.h>

#include "base/must.h"

static bool fails(const char *why, size_t at, size_t *reterr_at, const char **reterr_why)
{
	*reterr_at = at;
	*reterr_why = why;
	return false;
}

static size_t scheme_len(struct str url)
{
	return str_starts(url, STR("http://")) ? 4 : str_starts(url, STR("https://")) ? 5 : 0;
}

size_t target_path_at(struct str url)
{
	size_t at = scheme_len(url) ? scheme_len(url) + 3 : 0;
	while (at < url.len && url.p[at] != '/' && url.p[at] != '?' && url.p[at] != '#')
		at++;
	return at;
}

size_t target_path_span(struct str path)
{
	size_t n = 0;
	/* Bytes of UTF-8 are let through: browsers and servers do. */
	while (n < path.len && (unsigned char)path.p[n] > 0x20 && (unsigned char)path.p[n] != 0x7f && path.p[n] != '#')
		n++;
	return n;
}

static bool is_host_char(char c, bool in_brackets)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (in_brackets ? c == ':' || c == '.' : c == '-' || c == '.' || c == '_');
}

static bool read_port(struct str digits, size_t at, uint16_t *port, size_t *reterr_at, const char **reterr_why)
{
	uint64_t number;
	if (!str_to_u64(digits, &number) || number == 0 || number > 65535)
		return fails("a port is a number from 1 to 65535", at, reterr_at, reterr_why);
	*port = (uint16_t)number;
	return true;
}

/* The host and the port between <from> and <to>. */
static bool read_authority(struct str url, size_t from, size_t to, struct str *ret_host, uint16_t *port,
                           size_t *reterr_at, const char **reterr_why)
{
	const struct str authority = { url.p + from, to - from };
	const size_t user = str_find(authority, '@');
	if (user < authority.len)
		return fails(
			"a user or password does not belong into a URL that is logged: use an Authorization header",
			from, reterr_at, reterr_why);
	const bool brackets = authority.len && authority.p[0] == '[';
	const size_t start = brackets ? 1 : 0;
	size_t end = start;
	while (end < authority.len && is_host_char(authority.p[end], brackets))
		end++;
	*ret_host = (struct str){ authority.p + start, end - start };
	if (end == start)
		return fails("the host is missing", from, reterr_at, reterr_why);
	if (brackets && (end == authority.len || authority.p[end] != ']'))
		return fails("an IPv6 address ends with \"]\"", from + end, reterr_at, reterr_why);
	end += brackets;
	if (end == authority.len)
		return true;
	if (authority.p[end] != ':')
		return fails("this cannot stand in a host name", from + end, reterr_at, reterr_why);
	return read_port(str_from_at(authority, end + 1), from + end + 1, port, reterr_at, reterr_why);
}

bool target_parse(struct str url, struct arena *arena, struct target *ret_target, size_t *reterr_at,
                  const char **reterr_why)
{
	const size_t scheme = scheme_len(url), path_at = target_path_at(url);
	struct str host = { 0 }, base = str_from_at(url, path_at);
	const uint16_t own_port = scheme == 5 ? 443 : 80;
	uint16_t port = own_port;
	if (!scheme)
		return fails("a target is an absolute URL: http://HOST[:PORT][/PATH] or https://...", 0, reterr_at,
		             reterr_why);
	if (!read_authority(url, scheme + 3, path_at, &host, &port, reterr_at, reterr_why))
		return false;
	const size_t query = str_find(base, '?'), good = target_path_span(base);
	if (query < base.len || good < base.len)
		return fails("a target has no query, no fragment and no blanks",
		             path_at + (query < good ? query : good), reterr_at, reterr_why);
	while (base.len && base.p[base.len - 1] == '/')
		base.len--;
	struct target t = { .scheme = arena_strndup(arena, url.p, scheme), .port = port };
	t.host = arena_strndup(arena, host.p, host.len);
	const bool six = strchr(t.host, ':') != NULL;
	char suffix[8] = "";
	if (port != own_port)
		snprintf(suffix, sizeof(suffix), ":%u", port);
	t.authority = str_from(arena_printf(arena, "%s%s%s%s", six ? "[" : "", t.host, six ? "]" : "", suffix));
	t.origin = str_from(arena_printf(arena, "%s://%.*s", t.scheme, STR_ARG(t.authority)));
	t.base_path = (struct str){ arena_strndup(arena, base.p, base.len), base.len };
	t.url = arena_printf(arena, "%.*s%.*s", STR_ARG(t.origin), STR_ARG(t.base_path));
	*ret_target = t;
	return true;
}

void url_split(struct str url, struct url_parts *ret_parts)
{
	const size_t scheme = scheme_len(url), from = scheme ? scheme + 3 : 0, path_at = target_path_at(url);
	struct str host = { url.p + from, path_at - from };
	const struct str rest = str_from_at(url, path_at);
	if (host.len && host.p[0] == '[')
		host = str_first(str_from_at(host, 1), str_find(str_from_at(host, 1), ']'));
	else
		host = str_first(host, str_find(host, ':'));
	ret_parts->secure = scheme == 5;
	ret_parts->origin = str_first(url, path_at);
	ret_parts->host = host;
	ret_parts->path = str_first(rest, str_find(rest, '?'));
	if (ret_parts->path.len == 0)
		ret_parts->path = STR("/");
}

/* Adds a part of a Location. A blank cannot stand in a request, and browsers encode it. */
static void add_reference(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == ' ')
			buf_add(out, STR("%20"));
		else
			buf_add_char(out, s.p[i]);
	}
}

/* RFC 3986 section 5.2.4, in place: of a URL whose path begins with "/" at <root>. */
static void remove_dots(struct buf *url, size_t root)
{
	char *p = url->bytes;
	const size_t end = root + str_find(str_from_at(buf_str(url), root), '?');
	size_t from = root, to = root;
	while (from < end) {
		const struct str rest = { p + from + 1, end - from - 1 },
				 segment = str_first(rest, str_find(rest, '/'));
		const size_t next = from + 1 + segment.len;
		const bool up = str_is(segment, ".."), stays = str_is(segment, ".");
		while (up && to > root && p[--to] != '/')
			;
		if (!up && !stays) {
			memmove(p + to, p + from, next - from);
			to += next - from;
		} else if (next == end) {
			p[to++] = '/';
		}
		from = next;
	}
	memmove(p + to, p + end, url->len - end);
	url->len -= end - to;
}

/* "http://" or "https://", when <where> begins with it in any case; else empty. */
static struct str own_scheme(struct str where)
{
	const struct str schemes[] = { STR("http://"), STR("https://") };
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (str_eq_nocase(str_first(where, schemes[i].len), schemes[i]))
			return schemes[i];
	return STR("");
}

/* A colon makes a scheme of what is before it only in front of the path, the query and the fragment. */
static bool has_scheme(struct str where)
{
	size_t at = 0;
	while (at < where.len && !memchr(":/?", where.p[at], 3))
		at++;
	return at < where.len && where.p[at] == ':';
}

static bool add_absolute(struct buf *out, struct str base, struct str where)
{
	struct url_parts at;
	const struct str scheme = own_scheme(where);
	url_split(base, &at);
	if (scheme.len) {
		buf_add(out, scheme);
		add_reference(out, str_from_at(where, scheme.len));
		return true;
	}
	if (where.len == 0 || has_scheme(where))
		return false;
	if (str_starts(where, STR("//"))) {
		buf_add(out, at.secure ? STR("https:") : STR("http:"));
	} else {
		size_t folder = at.path.len;
		while (folder > 0 && at.path.p[folder - 1] != '/')
			folder--;
		buf_add(out, at.origin);
		if (where.p[0] == '?')
			buf_add(out, at.path);
		else if (where.p[0] != '/')
			buf_add(out, str_first(at.path, folder));
	}
	add_reference(out, where);
	return true;
}

bool url_resolve(struct str base, struct str location, struct buf *out)
{
	struct url_parts result;
	must(out->len == 0);
	if (!add_absolute(out, base, str_trim(str_first(location, str_find(location, '#')))))
		return false;
	/* "http://host" has no path of its own. */
	if (target_path_at(buf_str(out)) == out->len)
		buf_add_char(out, '/');
	if (buf_overflowed(out))
		return false;
	const size_t root = target_path_at(buf_str(out));
	if (out->bytes[root] != '/')
		return false;
	remove_dots(out, root);
	url_split(buf_str(out), &result);
	const struct str path = str_from_at(buf_str(out), root);
	return result.host.len > 0 && target_path_span(path) == path.len;
}
