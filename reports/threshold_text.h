/* threshold_text.h: a threshold's own words, taken apart as far as a report needs: the unit of its value, its limit,
 * and how far the value is from it.
 *
 * share  how much of the limit was used: value/limit for "<", limit/value for ">"; above 1 is not met. NAN: unknown
 *
 * Threads: [any]. */
#ifndef WEIR_REPORTS_THRESHOLD_TEXT_H
#define WEIR_REPORTS_THRESHOLD_TEXT_H

#include "record/run.h"
#include "reports/style.h"

/* The value in its unit: "812 ms", "0.5 %", "348/s"; "no data". */
const char *threshold_value_text(const struct threshold_record *t, char ret_text[NUMBER_TEXT_BYTES]);

double threshold_used(const struct threshold_record *t);

/* The one to tell first: not met with the largest share, then not met without data, then met with the largest share.
 * NULL: there are none. */
const struct threshold_record *threshold_worst(const struct run_record *r);

#endif
