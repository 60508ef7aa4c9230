/* id.h: names for runs and rollouts that sort by their birth.
 *
 * ULID: 48 bits of milliseconds and 80 random bits in Crockford base 32, 26 characters. Threads: [any]. */
#ifndef WEIR_BASE_ID_H
#define WEIR_BASE_ID_H

#include "base/clock.h"

#define ID_TEXT_BYTES 27

void id_make(struct wall now, char ret_id[ID_TEXT_BYTES]);

#endif
