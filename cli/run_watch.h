/* run_watch.h: everybody who follows a run while it goes on: the live view, the histogram log, the metrics, and who
 * observes the server.
 *
 * open before any load, second as the run's listener, end when the load is over (the screen goes, the metrics stop),
 * close when the record is known. Threads: [main]. */
#ifndef WEIR_CLI_RUN_WATCH_H
#define WEIR_CLI_RUN_WATCH_H

#include "cli/hlog_file.h"
#include "cli/live_load.h"
#include "cli/observing.h"
#include "net/metrics_server.h"

struct run_watch_options { /* all kept */
	struct terminal *terminal;
	const char *name, *target;
	bool quiet;
	const char *hlog, *metrics; /* path, HOST:PORT; may be NULL */
};

struct run_watch {
	struct live_load live;
	struct hlog_file hlog;
	struct metrics_server *metrics; /* NULL: none */
	struct observing *observing;    /* kept; NULL: none. Set by the caller after run_watch_open */
};

/* -1: the file cannot be written, or the port is taken; nothing is left open then. */
int run_watch_open(struct run_watch *w, const struct run_watch_options *o, struct err *err);
/* For struct run_listener; <arg> is the struct run_watch. */
void run_watch_second(void *arg, const struct run_progress *p);
void run_watch_end(struct run_watch *w);
/* <r> NULL: there was no run. */
int run_watch_close(struct run_watch *w, const struct run_record *r, struct err *err);

#endif
