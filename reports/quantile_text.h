/* quantile_text.h: a quantile is shown when it was earned, and with its interval.
 *
 * earned  there are enough requests that "at most 1-q exceed it" could be claimed at all with 95 % confidence: zero
 *         exceedances in n (p95 59, p99 299, p99.9 2,995; capacity.md section 7). The median and below: from 5 on
 *
 * Intervals are order-statistic ones for independent requests. Threads: [any]. */
#ifndef WEIR_REPORTS_QUANTILE_TEXT_H
#define WEIR_REPORTS_QUANTILE_TEXT_H

#include "reports/style.h"
#include "stats/hist.h"

/* Requests from which on the quantile is shown. */
int64_t quantile_least_n(double q);

/* The value, or "n/a (<59)": fewer than 59 requests. */
const char *text_quantile(const struct hist *h, double q, char ret_text[NUMBER_TEXT_BYTES]);

/* "11.9 ms .. 12.4 ms"; an end that the sample cannot bound is "?"; "" when the quantile was not earned. */
const char *text_quantile_interval(const struct hist *h, double q, char ret_text[NUMBER_TEXT_BYTES]);

#endif
