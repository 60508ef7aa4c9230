/* pause.h: how long a user waits between steps, as people write it.
 *
 *     "1s"        always one second
 *     "1s..3s"    uniform between the two
 *     "exp:2s"    exponential with a mean of 2 s, cut at 20 times the mean
 *
 * Pure. Threads: [any]. */
#ifndef WEIR_SCENARIOS_PAUSE_H
#define WEIR_SCENARIOS_PAUSE_H

#include "base/rng.h"
#include "scenarios/program.h"

/* On failure <reterr_at> is the offset of the byte that is wrong and <reterr_why> a static sentence. */
bool pause_parse(struct str text, struct pause *ret_pause, size_t *reterr_at, const char **reterr_why);

/* One pause of that kind, never negative. */
dur_ns pause_draw(const struct pause *p, struct rng *rng);

/* Adds it as it was written. */
void pause_write(const struct pause *p, struct buf *out);

#endif
