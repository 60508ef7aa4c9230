#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

struct mono mono_now(void)
{
	return (struct mono){ read_clock(CLOCK_MONOTONIC) };
}

struct wall wall_now(void)
{
	return (struct wall){ read_clock(CLOCK_REALTIME) };
}

void wall_format(struct wall t, char ret_text[WALL_TEXT_BYTES])
{
	int64_t ns = t.ns % SECOND, seconds = t.ns / SECOND;
	if (ns < 0) {
		ns += SECOND;
		seconds--;
	}
	const time_t s = (time_t)seconds;
	struct tm tm;
	char day[24];
	gmtime_r(&s, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(ret_text, WALL_TEXT_BYTES, "%s.%03dZ", day, (int)(ns / MILLISECOND));
}
