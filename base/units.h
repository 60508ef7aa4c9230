/* units.h: how people write lengths of time, shares and sizes, both ways.
 *
 * duration  "250ms", "1.5s", "2m", "1h", "800us", "10ns", and sums of them: "1m30s". No bare numbers but "0".
 * share     "5%" or "0.05": a number from 0 to 1. Traffic weights are whole basis points (1/10,000).
 *
 * Parsers are pure: on failure <reterr_at> is the offset of the byte that is wrong (s.len: something is missing).
 * Threads: [any]. */
#ifndef WEIR_BASE_UNITS_H
#define WEIR_BASE_UNITS_H

#include "base/clock.h"
#include "base/str.h"

/* Not negative, at most 365 days. */
bool duration_parse(struct str s, dur_ns *ret_duration, size_t *reterr_at);

/* 0 to 1. */
bool share_parse(struct str s, double *ret_share, size_t *reterr_at);

/* Human form with three significant digits: "1.23 ms", "250 us", "12.3 s", "4 m 10 s". */
#define DURATION_TEXT_BYTES 32
const char *duration_format(dur_ns d, char ret_text[DURATION_TEXT_BYTES]);

/* Human form of a count: "812", "12.3 k", "4.56 M". */
#define COUNT_TEXT_BYTES 32
const char *count_format(double count, char ret_text[COUNT_TEXT_BYTES]);

#endif
