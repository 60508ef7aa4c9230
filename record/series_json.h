/* series_json.h: series of the server in JSON, as runs and searches have them. Not for other folders.
 *
 *     [ { "name": "app cpu", "unit": "cores", "limit": 8, "samples": 60, "missing": 0, "why_missing": null,
 *         "mean": 1.5, "max": 2.25, "values": [ 1.25, null, ... ] } ]
 *
 * Threads: one at a time. */
#ifndef WEIR_RECORD_SERIES_JSON_H
#define WEIR_RECORD_SERIES_JSON_H

#include "record/json.h"
#include "record/series.h"

/* The member <key> of <o>: an array of <list>. The figures are about the seconds from <from> on; <values>: with all. */
void series_out(json_t *o, const char *key, const struct sampled_series *list, size_t count, size_t from, bool values);

/* The inverse, of series with values: as many as <seconds>. NULL and a count of 0 when the member is absent, which it is in
 * records from before there were series. Given: sampled_series_destroy. */
struct sampled_series *series_in(const struct in *o, const char *key, size_t seconds, size_t *ret_count);

#endif
