/* live_load.h: what a person sees while a run goes on: a full screen on a terminal, a plain line now and then elsewhere.
 * The picture itself is reports/live_text.h. */
#ifndef WEIR_CLI_LIVE_LOAD_H
#define WEIR_CLI_LIVE_LOAD_H

#include "cli/terminal.h"
#include "record/progress.h"
#include "reports/live_text.h"

struct live_load {
	struct terminal *terminal;
	const char *name; /* of the run, and of what is hit */
	const char *target;
	const char *heading; /* of the whole view, may be NULL: the trial of a search */
	bool quiet;
	int64_t next_line; /* elapsed seconds at which the next plain line is due */
	struct live_history history;
};

void live_load_second(struct live_load *l, const struct run_progress *p);
/* After the last second, and between the trials of a search: the screen goes, so that normal lines follow. */
void live_load_end(struct live_load *l);

#endif
