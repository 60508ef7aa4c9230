/* csv.h: a run as one row per second, for spreadsheets and plots.
 *
 * RFC 4180 with a header row and line feeds. Units stand in the names: times in microseconds, rates per second, cpu as a
 * share. A cell is empty when nothing ended in that second. In an invalid run the names of all measured times begin with
 * "unverified_", so that nobody's script takes them for the target's.
 *
 * Renders only; the record is borrowed. Threads: [any]. */
#ifndef WEIR_REPORTS_CSV_H
#define WEIR_REPORTS_CSV_H

#include "base/buf.h"
#include "record/run.h"

/* A day of seconds. */
#define CSV_BYTES_MAX (32u << 20)

void report_run_csv(const struct run_record *r, struct buf *out);

#endif
