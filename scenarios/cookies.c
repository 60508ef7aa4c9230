#include "scenarios/cookies.h"

#include "base/must.h"

/* In front of name, value, domain and path, packed; read and written with memcpy. */
struct entry {
	int64_t expires;                    /* ns since 1970; INT64_MAX: with the user */
	uint16_t name, value, domain, path; /* lengths */
	bool host_only, secure;
};

struct cookie {
	struct entry e;
	struct str name, value, domain, path;
};

/* What the attributes of a header say. */
struct attributes {
	struct str domain, path;
	bool secure, has_max_age, has_expires;
	int64_t max_age; /* seconds */
	struct wall expires;
};

void cookie_jar_init(struct cookie_jar *jar)
{
	*jar = (struct cookie_jar){ 0 };
	buf_init(&jar->entries, COOKIE_JAR_BYTES);
}

void cookie_jar_finish(struct cookie_jar *jar)
{
	buf_finish(&jar->entries);
	jar->count = 0;
}

static size_t size_of(const struct entry *e)
{
	return sizeof(*e) + e->name + e->value + e->domain + e->path;
}

static struct cookie read_entry(const struct cookie_jar *jar, size_t at)
{
	struct cookie c;
	memcpy(&c.e, jar->entries.bytes + at, sizeof(c.e));
	const char *p = jar->entries.bytes + at + sizeof(c.e);
	c.name = (struct str){ p, c.e.name };
	c.value = (struct str){ p += c.e.name, c.e.value };
	c.domain = (struct str){ p += c.e.value, c.e.domain };
	c.path = (struct str){ p + c.e.domain, c.e.path };
	return c;
}

static void remove_entry(struct cookie_jar *jar, size_t at, size_t size)
{
	memmove(jar->entries.bytes + at, jar->entries.bytes + at + size, jar->entries.len - at - size);
	jar->entries.len -= size;
	jar->count--;
}

/* Behind those with paths as long; what came first is sent first. */
static size_t find_place(const struct cookie_jar *jar, const struct cookie *c)
{
	size_t at = 0;
	while (at < jar->entries.len) {
		const struct cookie other = read_entry(jar, at);
		if (other.path.len < c->path.len)
			break;
		at += size_of(&other.e);
	}
	return at;
}

static void insert_entry(struct cookie_jar *jar, const struct cookie *c, size_t at)
{
	const size_t size = size_of(&c->e);
	const size_t behind = jar->entries.len - at;
	const struct str parts[] = { { (const char *)&c->e, sizeof(c->e) }, c->name, c->value, c->domain, c->path };
	if (jar->count == COOKIES_MAX || jar->entries.len + size > COOKIE_JAR_BYTES)
		return;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		buf_add(&jar->entries, parts[i]);
	if (behind > 0) {
		/* It stands at the end: turned into its place. The largest cookie bounds the room. */
		char moved[sizeof(struct entry) + 2 * COOKIE_BYTES_MAX];
		char *bytes = jar->entries.bytes;
		must(size <= sizeof(moved));
		memcpy(moved, bytes + at + behind, size);
		memmove(bytes + at + size, bytes + at, behind);
		memcpy(bytes + at, moved, size);
	}
	jar->count++;
}

bool cookie_read_pair(struct str header, struct str_pair *ret_pair)
{
	const struct str pair = str_first(header, str_find(header, ';'));
	const size_t equals = str_find(pair, '=');
	ret_pair->name = str_trim(str_first(pair, equals));
	ret_pair->value = str_trim(str_from_at(pair, equals + 1));
	return equals < pair.len && ret_pair->name.len > 0;
}

/* --- dates --- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits at the front, <least> to <most> of them. */
static bool read_digits(struct str *s, size_t least, size_t most, int *ret)
{
	size_t n = 0;
	*ret = 0;
	while (n < s->len && n < most && is_digit(s->p[n]))
		*ret = *ret * 10 + (s->p[n++] - '0');
	*s = str_from_at(*s, n);
	return n >= least && (s->len == 0 || !is_digit(s->p[0]));
}

struct date {
	int day, month, year, hour, minute, second; /* -1: not seen */
};

static bool read_time(struct str token, struct date *d)
{
	struct date t;
	if (d->hour >= 0 || !read_digits(&token, 1, 2, &t.hour) || token.len == 0 || token.p[0] != ':')
		return false;
	token = str_from_at(token, 1);
	if (!read_digits(&token, 1, 2, &t.minute) || token.len == 0 || token.p[0] != ':')
		return false;
	token = str_from_at(token, 1);
	if (!read_digits(&token, 1, 2, &t.second))
		return false;
	d->hour = t.hour;
	d->minute = t.minute;
	d->second = t.second;
	return true;
}

static bool read_month(struct str token, struct date *d)
{
	static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
	for (int m = 0; d->month < 0 && token.len >= 3 && m < 12; m++) {
		if (!str_eq_nocase(str_first(token, 3), (struct str){ names + (size_t)m * 3, 3 }))
			continue;
		d->month = m + 1;
		return true;
	}
	return false;
}

static void read_token(struct str token, struct date *d)
{
	struct str rest = token;
	int number;
	if (read_time(token, d))
		return;
	if (d->day < 0 && read_digits(&rest, 1, 2, &number)) {
		d->day = number;
		return;
	}
	if (read_month(token, d))
		return;
	rest = token;
	if (d->year < 0 && read_digits(&rest, 2, 4, &number))
		d->year = number >= 70 && number <= 99 ? number + 1900 : number <= 69 ? number + 2000 : number;
}

/* Days since 1970-01-01 (Howard Hinnant, "days_from_civil"). */
static int64_t days_of(int year, int month, int day)
{
	const int64_t y = month <= 2 ? year - 1 : year;
	const int64_t era = y / 400, of_era = y - era * 400;
	const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool is_delimiter(char c)
{
	const unsigned char u = (unsigned char)c;
	return u == 0x09 || (u >= 0x20 && u <= 0x2f) || (u >= 0x3b && u <= 0x40) || (u >= 0x5b && u <= 0x60) ||
	       (u >= 0x7b && u <= 0x7e);
}

bool cookie_date(struct str s, struct wall *ret_time)
{
	struct date d = { -1, -1, -1, -1, -1, -1 };
	for (size_t at = 0; at < s.len;) {
		size_t end = at;
		while (end < s.len && !is_delimiter(s.p[end]))
			end++;
		if (end > at)
			read_token((struct str){ s.p + at, end - at }, &d);
		at = end + 1;
	}
	if (d.day < 1 || d.day > 31 || d.month < 1 || d.year < 1601 || d.hour < 0 || d.hour > 23 || d.minute > 59 ||
	    d.second > 59)
		return false;
	const int64_t seconds = days_of(d.year, d.month, d.day) * 86400 + d.hour * 3600 + d.minute * 60 + d.second;
	/* Nanoseconds reach to 2262: what is later never expires here. */
	ret_time->ns = seconds > INT64_MAX / SECOND   ? INT64_MAX
	               : seconds < INT64_MIN / SECOND ? INT64_MIN
	                                              : seconds * SECOND;
	return true;
}

/* --- taking and sending --- */

static void read_attribute(struct str part, struct attributes *a)
{
	const size_t equals = str_find(part, '=');
	const struct str name = str_trim(str_first(part, equals));
	struct str value = str_trim(str_from_at(part, equals + 1));
	if (str_eq_nocase(name, STR("domain"))) {
		a->domain = value.len && value.p[0] == '.' ? str_from_at(value, 1) : value;
	} else if (str_eq_nocase(name, STR("path"))) {
		a->path = value;
	} else if (str_eq_nocase(name, STR("secure"))) {
		a->secure = true;
	} else if (str_eq_nocase(name, STR("expires"))) {
		a->has_expires = cookie_date(value, &a->expires) || a->has_expires;
	} else if (str_eq_nocase(name, STR("max-age"))) {
		const bool minus = value.len && value.p[0] == '-';
		uint64_t seconds = 0;
		if (!str_to_u64(str_from_at(value, minus), &seconds))
			return;
		a->has_max_age = true;
		a->max_age = minus ? 0 : seconds > 1u << 30 ? 1 << 30 : (int64_t)seconds;
	}
}

static bool is_address(struct str host)
{
	bool digits = host.len > 0;
	for (size_t i = 0; i < host.len; i++) {
		if (host.p[i] == ':')
			return true;
		digits = digits && (is_digit(host.p[i]) || host.p[i] == '.');
	}
	return digits;
}

/* Whether <host> is <domain> or under it (section 5.1.3). */
static bool domain_fits(struct str host, struct str domain)
{
	if (str_eq_nocase(host, domain))
		return true;
	if (host.len <= domain.len || is_address(host))
		return false;
	const size_t at = host.len - domain.len;
	return host.p[at - 1] == '.' && str_eq_nocase(str_from_at(host, at), domain);
}

/* Section 5.1.4. */
static bool path_fits(struct str path, struct str cookie)
{
	if (!str_starts(path, cookie))
		return false;
	return path.len == cookie.len || cookie.p[cookie.len - 1] == '/' || path.p[cookie.len] == '/';
}

static struct str default_path(struct str path)
{
	size_t end = path.len;
	while (end > 0 && path.p[end - 1] != '/')
		end--;
	return end <= 1 ? STR("/") : str_first(path, end - 1);
}

static int64_t expiry(const struct attributes *a, struct wall now)
{
	if (a->has_max_age)
		return a->max_age <= 0 ? INT64_MIN : now.ns + a->max_age * SECOND;
	return a->has_expires ? a->expires.ns : INT64_MAX;
}

/* Returns where it stood: what replaces it counts as created when it was (section 5.3, step 11). SIZE_MAX: nowhere. */
static size_t forget(struct cookie_jar *jar, const struct cookie *c)
{
	for (size_t at = 0; at < jar->entries.len;) {
		const struct cookie old = read_entry(jar, at);
		if (str_eq(old.name, c->name) && str_eq_nocase(old.domain, c->domain) && str_eq(old.path, c->path)) {
			remove_entry(jar, at, size_of(&old.e));
			return at;
		}
		at += size_of(&old.e);
	}
	return SIZE_MAX;
}

void cookie_jar_take(struct cookie_jar *jar, struct str header, const struct cookie_place *from, struct wall now)
{
	struct attributes a = { 0 };
	struct str_pair pair;
	struct str part, rest = str_from_at(header, str_find(header, ';') + 1);
	if (header.len > COOKIE_BYTES_MAX || from->host.len > 255 || from->path.len > COOKIE_BYTES_MAX / 2 ||
	    !cookie_read_pair(header, &pair))
		return;
	while (str_cut(&rest, ';', &part))
		read_attribute(part, &a);
	if (a.domain.len && !domain_fits(from->host, a.domain))
		return;
	if (a.secure && !from->secure)
		return;
	/* A domain without a dot would be one for a whole country. */
	const bool host_only = a.domain.len == 0 || str_find(a.domain, '.') == a.domain.len;
	struct cookie c = {
		.name = pair.name,
		.value = pair.value,
		.domain = host_only ? from->host : a.domain,
		.path = a.path.len && a.path.p[0] == '/' ? a.path : default_path(from->path),
	};
	c.e = (struct entry){ expiry(&a, now),
		              (uint16_t)c.name.len,
		              (uint16_t)c.value.len,
		              (uint16_t)c.domain.len,
		              (uint16_t)c.path.len,
		              host_only,
		              a.secure };
	const size_t before = forget(jar, &c);
	if (c.e.expires > now.ns)
		insert_entry(jar, &c, before != SIZE_MAX ? before : find_place(jar, &c));
}

bool cookie_jar_write(struct cookie_jar *jar, const struct cookie_place *to, struct wall now, struct buf *out)
{
	bool any = false, fits = true;
	for (size_t at = 0; at < jar->entries.len;) {
		const struct cookie c = read_entry(jar, at);
		const size_t size = size_of(&c.e);
		if (c.e.expires <= now.ns) {
			remove_entry(jar, at, size);
			continue;
		}
		at += size;
		const bool meant = c.e.host_only ? str_eq_nocase(to->host, c.domain) : domain_fits(to->host, c.domain);
		if (!meant || !path_fits(to->path, c.path) || (c.e.secure && !to->secure))
			continue;
		fits = fits && (!any || buf_add(out, STR("; "))) && buf_add(out, c.name) && buf_add_char(out, '=') &&
		       buf_add(out, c.value);
		any = true;
	}
	return any && fits;
}
