/* clock.h: two kinds of time that must never meet.
 *
 * mono   steady clock (CLOCK_MONOTONIC): the only one for anything measured or scheduled
 * wall   calendar: only for records and people
 * dur_ns a length of time in nanoseconds
 *
 * Pure code never reads a clock: it is given `now`. Threads: [any]. */
#ifndef WEIR_BASE_CLOCK_H
#define WEIR_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

typedef int64_t dur_ns;

#define MICROSECOND ((dur_ns)1000)
#define MILLISECOND (1000 * MICROSECOND)
#define SECOND (1000 * MILLISECOND)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

struct mono {
	int64_t ns;
};

struct wall {
	int64_t ns; /* since 1970-01-01T00:00:00Z */
};

struct mono mono_now(void);
struct wall wall_now(void);

static inline dur_ns mono_since(struct mono now, struct mono then)
{
	return now.ns - then.ns;
}

static inline struct mono mono_after(struct mono t, dur_ns d)
{
	return (struct mono){ t.ns + d };
}

/* "2026-01-01T00:00:00.123Z" in UTC; NUL-terminated. */
#define WALL_TEXT_BYTES 32
void wall_format(struct wall t, char ret_text[WALL_TEXT_BYTES]);

#endif
