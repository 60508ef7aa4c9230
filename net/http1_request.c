#include "net/http1_request.h"

#define OWN_HEADERS_BYTES 256 /* all that weir adds of itself, without Host */

/* --- the URL --- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "127.0.0.1": four numbers without leading zeros. Other forms are made anew by libcurl. */
static bool is_address(struct str host)
{
	struct str part;
	int parts = 0;
	while (str_cut(&host, '.', &part)) {
		uint64_t number;
		if (++parts > 4 || part.len > 3 || !str_to_u64(part, &number) || number > 255 ||
		    (part.len > 1 && part.p[0] == '0'))
			return false;
	}
	return parts == 4;
}

static bool is_plain_name(struct str host)
{
	size_t label = 0; /* start of the last one */
	for (size_t i = 0; i < host.len; i++) {
		const char c = host.p[i];
		if (c == '.')
			label = i + 1;
		else if (!(c >= 'a' && c <= 'z') && !is_digit(c) && c != '-' && c != '_')
			return false;
	}
	if (label >= host.len || host.p[0] == '.')
		return false;
	return !is_digit(host.p[label]) || is_address(host);
}

/* "[::1]" */
static bool is_bracketed(struct str host)
{
	if (host.len < 4 || host.p[0] != '[' || host.p[host.len - 1] != ']')
		return false;
	for (size_t i = 1; i + 1 < host.len; i++)
		if (!is_digit(host.p[i]) && !(host.p[i] >= 'a' && host.p[i] <= 'f') && host.p[i] != ':')
			return false;
	return true;
}

/* <rest>: ":8080" or nothing. */
static bool read_port(struct str rest, bool secure, bool *ret_is_default)
{
	uint64_t port;
	*ret_is_default = true;
	if (rest.len == 0)
		return true;
	if (rest.p[0] != ':' || rest.len < 2 || rest.len > 6 || rest.p[1] == '0' ||
	    !str_to_u64(str_from_at(rest, 1), &port) || port > 65535)
		return false;
	*ret_is_default = port == (secure ? 443 : 80);
	return true;
}

static bool read_authority(struct str all, struct http1_target *t)
{
	bool is_default;
	const char *bracket = all.len && all.p[0] == '[' ? memchr(all.p, ']', all.len) : NULL;
	const size_t host = bracket ? (size_t)(bracket - all.p) + 1 : str_find(all, ':');
	const struct str name = str_first(all, host);
	if (!is_plain_name(name) && !is_bracketed(name))
		return false;
	if (!read_port(str_from_at(all, host), t->secure, &is_default))
		return false;
	t->authority = is_default ? name : all;
	return true;
}

/* What libcurl would shorten: "/./", "/../", also when the dots are escaped. <at> is a "/". */
static bool is_dot_segment(struct str path, size_t at)
{
	const char first = at + 1 < path.len ? path.p[at + 1] : '\0';
	if (first == '%')
		return true;
	if (first != '.')
		return false;
	const char second = at + 2 < path.len ? path.p[at + 2] : '/';
	return second == '/' || second == '.' || second == '?' || second == '#' || second == '%';
}

/* Visible ASCII up to a fragment, which is cut off. */
static bool read_path(struct str path, struct http1_target *t)
{
	bool in_query = false;
	size_t i = 0;
	for (; i < path.len && path.p[i] != '#'; i++) {
		const unsigned char c = (unsigned char)path.p[i];
		if (c <= ' ' || c >= 0x7f)
			return false;
		if (c == '/' && !in_query && is_dot_segment(path, i))
			return false;
		in_query |= c == '?';
	}
	t->path = str_first(path, i);
	return true;
}

bool http1_target_from(struct str url, struct http1_target *ret_target)
{
	struct http1_target t = { 0 };
	t.secure = str_starts(url, STR("https://"));
	if (!t.secure && !str_starts(url, STR("http://")))
		return false;
	const size_t scheme = t.secure ? sizeof("https://") - 1 : sizeof("http://") - 1;
	size_t end = scheme;
	while (end < url.len && url.p[end] != '/' && url.p[end] != '?' && url.p[end] != '#')
		end++;
	t.origin = str_first(url, end);
	if (!read_authority(str_from_at(t.origin, scheme), &t) || !read_path(str_from_at(url, end), &t))
		return false;
	*ret_target = t;
	return true;
}

/* --- the head --- */

enum own_header {
	OWN_HOST = 1,
	OWN_ACCEPT = 2,
	OWN_AGENT = 4,
	OWN_TYPE = 8,
	OWN_LENGTH = 16,
	NOT_PLAIN = 32,
};

static unsigned meaning(struct str name)
{
	/* By length first: most names are none of these. */
	switch (name.len) {
	case sizeof("Host") - 1:
		return str_eq_nocase(name, STR("Host")) ? OWN_HOST : 0;
	case sizeof("Accept") - 1:
		return str_eq_nocase(name, STR("Accept"))   ? OWN_ACCEPT
		       : str_eq_nocase(name, STR("Expect")) ? NOT_PLAIN
		                                            : 0;
	case sizeof("Connection") - 1:
		return str_eq_nocase(name, STR("User-Agent"))   ? OWN_AGENT
		       : str_eq_nocase(name, STR("Connection")) ? NOT_PLAIN
		                                                : 0;
	case sizeof("Content-Type") - 1:
		return str_eq_nocase(name, STR("Content-Type")) ? OWN_TYPE : 0;
	case sizeof("Content-Length") - 1:
		return str_eq_nocase(name, STR("Content-Length")) ? OWN_LENGTH : 0;
	case sizeof("Transfer-Encoding") - 1:
		return str_eq_nocase(name, STR("Transfer-Encoding")) ? NOT_PLAIN : 0;
	default:
		return 0;
	}
}

bool http1_headers_are_plain(const struct str_pair *headers, size_t count)
{
	unsigned given = 0;
	for (size_t i = 0; i < count; i++)
		given |= meaning(headers[i].name);
	return !(given & NOT_PLAIN);
}

size_t http1_request_bound(const struct http1_request *r)
{
	size_t bytes = r->method.len + r->target->path.len + r->target->authority.len + OWN_HEADERS_BYTES;
	for (size_t i = 0; i < r->header_count; i++)
		bytes += r->headers[i].name.len + r->headers[i].value.len + sizeof(": \r\n");
	return bytes;
}

static char *add(char *to, struct str s)
{
	memcpy(to, s.p, s.len);
	return to + s.len;
}
#define ADD(to, literal) add((to), STR(literal))

static char *add_header(char *to, const struct str_pair *h)
{
	const struct str value = str_trim(h->value);
	to = add(to, h->name);
	to = value.len ? ADD(to, ": ") : ADD(to, ":");
	if (value.len)
		to = add(to, value);
	return ADD(to, "\r\n");
}

static char *add_number(char *to, size_t n)
{
	char digits[24];
	size_t at = sizeof(digits);
	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	return add(to, (struct str){ digits + at, sizeof(digits) - at });
}

size_t http1_request_write(const struct http1_request *r, char *start)
{
	char *to = start;
	unsigned given = 0;
	struct str host = r->target->authority;
	for (size_t i = 0; i < r->header_count; i++) {
		const unsigned m = meaning(r->headers[i].name);
		given |= m;
		if (m == OWN_HOST)
			host = str_trim(r->headers[i].value);
	}
	to = add(to, r->method);
	to = ADD(to, " ");
	if (r->target->path.len == 0 || r->target->path.p[0] != '/')
		to = ADD(to, "/");
	to = add(to, r->target->path);
	to = ADD(to, " HTTP/1.1\r\n");
	to = ADD(to, "Host: ");
	to = add(to, host);
	to = ADD(to, "\r\n");
	if (!(given & OWN_AGENT))
		to = ADD(to, "User-Agent: weir/" WEIR_VERSION "\r\n");
	if (!(given & OWN_ACCEPT))
		to = ADD(to, "Accept: */*\r\n");
	for (size_t i = 0; i < r->header_count; i++)
		if (!(given & OWN_HOST) || meaning(r->headers[i].name) != OWN_HOST)
			to = add_header(to, &r->headers[i]);
	if (r->has_body && !(given & OWN_LENGTH)) {
		to = ADD(to, "Content-Length: ");
		to = add_number(to, r->body_len);
		to = ADD(to, "\r\n");
	}
	if (r->has_body && !(given & OWN_TYPE))
		to = ADD(to, "Content-Type: application/x-www-form-urlencoded\r\n");
	to = ADD(to, "\r\n");
	return (size_t)(to - start);
}
