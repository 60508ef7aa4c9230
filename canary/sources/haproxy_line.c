#include "canary/sources/haproxy_line.h"

#include "canary/drivers/haproxy_config.h"

/* A cursor over the fields; every reader says false at the first byte that is not what it should be. */
struct cursor {
	const char *p, *end;
};

static bool skip_blank(struct cursor *c)
{
	if (c->p == c->end || *c->p != ' ')
		return false;
	c->p++;
	return true;
}

static bool read_word(struct cursor *c, struct str *ret)
{
	const char *from = c->p;
	while (c->p < c->end && *c->p != ' ')
		c->p++;
	*ret = (struct str){ from, (size_t)(c->p - from) };
	return ret->len > 0;
}

/* Up to 15 digits with an optional minus: fits, so nothing can overflow. */
static bool read_number(struct cursor *c, int64_t *ret)
{
	const bool minus = c->p < c->end && *c->p == '-';
	c->p += minus;
	const char *from = c->p;
	int64_t value = 0;
	while (c->p < c->end && *c->p >= '0' && *c->p <= '9' && c->p - from < 15)
		value = value * 10 + (*c->p++ - '0');
	*ret = minus ? -value : value;
	return c->p > from;
}

/* "-" for what is not there, given as -1. */
static bool read_optional_number(struct cursor *c, int64_t *ret)
{
	if (c->p < c->end && *c->p == '-' && (c->p + 1 == c->end || c->p[1] == ' ')) {
		c->p++;
		*ret = -1;
		return true;
	}
	return read_number(c, ret);
}

static bool read_retries(struct cursor *c, int64_t *ret)
{
	const bool sent_on = c->p < c->end && *c->p == '+';
	c->p += sent_on;
	if (!read_number(c, ret))
		return false;
	*ret += sent_on;
	return true;
}

enum { TIME_REQUEST, TIME_QUEUE, TIME_CONNECT, TIME_ANSWER, TIME_TOTAL, TIMES };

struct fields {
	struct str backend, server, ending;
	int64_t status, times[TIMES], retries, microseconds, user, connection;
};

/* HAProxies that an older weir configured end here. */
static bool read_groups(struct cursor *c, struct fields *f)
{
	f->user = f->connection = -1;
	if (c->p == c->end)
		return true;
	return skip_blank(c) && read_optional_number(c, &f->user) && skip_blank(c) &&
	       read_optional_number(c, &f->connection) && f->user < SOURCE_GROUPS && f->connection < SOURCE_GROUPS;
}

static bool read_fields(struct cursor *c, struct fields *f)
{
	if (!read_word(c, &f->backend) || !skip_blank(c) || !read_word(c, &f->server) || !skip_blank(c) ||
	    !read_number(c, &f->status) || !skip_blank(c))
		return false;
	for (int i = 0; i < TIMES; i++) {
		/* HAProxy puts a "+" in front of a total that was logged before the end. */
		c->p += c->p < c->end && *c->p == '+';
		if (!read_number(c, &f->times[i]) || !skip_blank(c))
			return false;
	}
	return read_word(c, &f->ending) && f->ending.len >= 2 && skip_blank(c) && read_retries(c, &f->retries) &&
	       skip_blank(c) && read_optional_number(c, &f->microseconds) && read_groups(c, f) && c->p == c->end &&
	       f->status >= -1 && f->status <= 999;
}

static dur_ns latency_of(const struct fields *f)
{
	const int64_t total_ms = f->times[TIME_TOTAL];
	/* Both were cut to whole units, hence the slack. */
	if (f->microseconds >= 0 && (total_ms < 0 || f->microseconds <= (total_ms + 2) * 1000))
		return f->microseconds * MICROSECOND;
	return total_ms > 0 ? total_ms * MILLISECOND : 0;
}

static bool is_failure(const struct fields *f)
{
	/* A tunnel (101) ends when somebody ends it: its answer came long before. */
	const bool broken_off = (f->ending.p[0] == 'S' || f->ending.p[0] == 's') && f->status != 101;
	return f->status >= 500 || f->status < 100 || broken_off || f->retries > 0;
}

/* Servers are s1, s2, ... in our configuration; "<NOSRV>" is none. */
static int8_t server_group(struct str name)
{
	unsigned group = 0;
	if (name.p[0] == '<')
		return -1;
	for (size_t i = 1; i < name.len; i++)
		group = group * 10 + (unsigned char)name.p[i] - '0';
	return (int8_t)(group % SOURCE_GROUPS);
}

enum haproxy_line_kind haproxy_line_parse(struct str line, struct haproxy_line *ret)
{
	struct fields f;
	if (!str_starts(line, STR("c1 ")))
		return HAPROXY_LINE_NOTICE;
	struct cursor c = { line.p + 3, line.p + line.len };
	if (!read_fields(&c, &f))
		return HAPROXY_LINE_UNREADABLE;
	if (str_eq(f.backend, STR(HAPROXY_BACKEND_STABLE)))
		ret->arm = ARM_STABLE;
	else if (str_eq(f.backend, STR(HAPROXY_BACKEND_CANARY)))
		ret->arm = ARM_CANARY;
	else
		return HAPROXY_LINE_NO_ARM;
	ret->status = (int32_t)f.status;
	ret->aborted = f.ending.p[0] == 'C' || f.ending.p[0] == 'c';
	ret->failed = !ret->aborted && is_failure(&f);
	ret->latency = latency_of(&f);
	ret->groups[GROUPED_BY_USER] = (int8_t)(f.user < 0 ? -1 : f.user);
	ret->groups[GROUPED_BY_CONNECTION] = (int8_t)(f.connection < 0 ? -1 : f.connection);
	ret->groups[GROUPED_BY_SERVER] = server_group(f.server);
	return HAPROXY_LINE_REQUEST;
}
