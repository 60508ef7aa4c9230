/* live_load.h: what a person sees while a run goes on. In place on a terminal, a plain line now and then elsewhere. */
#ifndef WEIR_CLI_LIVE_LOAD_H
#define WEIR_CLI_LIVE_LOAD_H

#include "cli/terminal.h"
#include "loadgen/run.h"

struct live_load {
	struct terminal *terminal;
	const char *name; /* of the run, and of what is hit */
	const char *target;
	const char *heading; /* of the whole view, may be NULL: the trial of a search */
	bool quiet;
	int64_t next_line; /* elapsed seconds at which the next plain line is due */
};

void live_load_second(struct live_load *l, const struct run_progress *p);
/* After the last second: wipes the view, so that the summary takes its place. */
void live_load_end(struct live_load *l);

#endif
