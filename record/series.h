/* series.h: figures of the server (CPU, connections, a queue), one for each second that was observed.
 *
 * Plain data. What the seconds are is said by the record that has the series. Ownership: a list is given by
 * sampled_series_make and freed by sampled_series_destroy. Threads: one at a time. */
#ifndef WEIR_RECORD_SERIES_H
#define WEIR_RECORD_SERIES_H

#include <stddef.h>

#define SERIES_COUNT_MAX 512

struct sampled_series {
	char *name, *unit; /* "app cpu", "cores"; unit "": none. Own */
	double *values;    /* NAN: missing */
	size_t count;      /* as many as there are seconds */
	double limit;      /* the most it can be, in its unit; NAN: unknown */
	char *why_missing; /* the last reason, without secrets; NULL: nothing went wrong */
};

/* <count> series without names, each with a missing value for every second. */
struct sampled_series *sampled_series_make(size_t count, size_t seconds);
void sampled_series_destroy(struct sampled_series *list, size_t count); /* NULL and half-built lists are fine */

/* Mean and highest of the values that are there, from <from> on; NAN when there are none. Returns how many. */
size_t sampled_series_sum_up(const struct sampled_series *s, size_t from, double *ret_mean, double *ret_max);

#endif
