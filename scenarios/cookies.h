/* cookies.h: the cookies of one user, after RFC 6265: what a browser would keep and send back.
 *
 * Kept: name, value, domain (or host-only), path, expiry from Max-Age or Expires, Secure. Not known: the list of public
 * suffixes (a cookie for a domain without a dot is kept for its host only), SameSite, and priorities: when the jar is
 * full, the cookie is not kept.
 *
 * All cookies stand packed in one buffer, longer paths first, so that a jar that is used again and again allocates
 * nothing. An empty jar owns no memory. Pure: `now` is given. Threads: a jar belongs to one user. */
#ifndef WEIR_SCENARIOS_COOKIES_H
#define WEIR_SCENARIOS_COOKIES_H

#include "base/buf.h"
#include "base/clock.h"

#define COOKIES_MAX 64
#define COOKIE_BYTES_MAX 4096  /* one Set-Cookie header; longer ones are not kept */
#define COOKIE_JAR_BYTES 16384 /* all of them */

struct cookie_jar {
	struct buf entries;
	uint32_t count;
};

/* Where a request goes, as cookies see it. */
struct cookie_place {
	struct str host; /* without port; in any case */
	struct str path; /* without query; begins with "/" */
	bool secure;     /* https */
};

void cookie_jar_init(struct cookie_jar *jar);
void cookie_jar_finish(struct cookie_jar *jar);

/* Name and value of a Set-Cookie header, without looking further. False when it is none. */
bool cookie_read_pair(struct str header, struct str_pair *ret_pair);

/* Takes the value of a Set-Cookie header. What RFC 6265 says to ignore is ignored. */
void cookie_jar_take(struct cookie_jar *jar, struct str header, const struct cookie_place *from, struct wall now);

/* Adds "a=1; b=2" for a request to <to>. Returns false when there is nothing to send, or when it does not fit. */
bool cookie_jar_write(struct cookie_jar *jar, const struct cookie_place *to, struct wall now, struct buf *out);

/* A date of an Expires attribute (RFC 6265 section 5.1.1). False when it is none. */
bool cookie_date(struct str s, struct wall *ret_time);

#endif
