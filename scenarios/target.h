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

#endif
