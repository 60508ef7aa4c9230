/* target.h: "http://host:port/base" taken apart.
 *
 * Pure. Threads: [any]. */
#ifndef WEIR_SCENARIOS_TARGET_H
#define WEIR_SCENARIOS_TARGET_H

#include "scenarios/program.h"

/* Takes an absolute http or https URL without user, query and fragment; copies what it keeps to <arena>. On failure
 * <reterr_at> is the offset of what is wrong and <reterr_why> a static sentence. */
bool target_parse(struct str url, struct arena *arena, struct target *ret_target, size_t *reterr_at,
                  const char **reterr_why);

/* The offset of the path in an absolute URL: where the authority ends. url.len when there is none. */
size_t target_path_at(struct str url);

/* The first byte of <path> that cannot stand in a request line, or path.len. */
size_t target_path_span(struct str path);

/* An absolute URL as requests and cookies see it; the slices borrow from it. */
struct url_parts {
	bool secure;
	struct str origin; /* scheme, host, port */
	struct str host;   /* without port and brackets */
	struct str path;   /* without query; "/" when there is none */
};
void url_split(struct str url, struct url_parts *ret_parts);

/* Writes to the empty <out> the absolute URL that <location> means, seen from <base> (RFC 3986 section 5.2), without its
 * fragment and with its blanks as %20. False when it is no http or https URL, or cannot stand in a request. */
bool url_resolve(struct str base, struct str location, struct buf *out);

#endif
