/* hlog_file.h: --hlog: the histograms of a run as an HdrHistogram log, written while the run goes on.
 *
 * An interval is a second, or ten in runs of more than ten minutes. Each has an untagged line of all requests, which
 * every reader shows, one line per flow, one per part of setting connections up (tags set-up-dns, set-up-connect,
 * set-up-tls), and one of the warm-up's requests (tag warmup), which are in none of the others; what did not happen in
 * an interval has no line in it. The untagged lines add up to
 * the histogram of the record. Memory does not grow with the run.
 *
 * When the run turns out not to be valid, FILE becomes FILE.unverified: nothing of it is the target's. "-" is stdout,
 * written at the end.
 *
 * Threads: [main]. */
#ifndef WEIR_CLI_HLOG_FILE_H
#define WEIR_CLI_HLOG_FILE_H

#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "record/progress.h"

struct tagged {
	char *tag; /* own */
	struct hist hist;
};

struct hlog_file {
	const char *path; /* kept; NULL: there is none */
	FILE *file;
	bool made, regular;    /* by us; a file and no device or pipe */
	struct hist all;       /* of the interval under way */
	struct tagged *tagged; /* and its parts: the flows, then weir's own */
	size_t tagged_count;
	dur_ns from, length, every;
	bool begun;
	int trouble; /* errno of the first write that failed; 0: none */
};

/* Before any load is sent. <path> NULL: nothing is written. Finish with hlog_file_close in either case. */
int hlog_file_open(struct hlog_file *h, const char *path, struct err *err);
void hlog_file_second(struct hlog_file *h, const struct run_progress *p);

/* <valid>: the figures are the target's. -1: some of it could not be written. */
int hlog_file_close(struct hlog_file *h, bool valid, struct err *err);

#endif
