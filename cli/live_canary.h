/* live_canary.h: one screen for whoever watches a rollout: what is rolling, what is worse, by how much. A full screen on
 * a terminal; elsewhere a plain line for each event and now and then one for the evidence. */
#ifndef WEIR_CLI_LIVE_CANARY_H
#define WEIR_CLI_LIVE_CANARY_H

#include "canary/controller.h"
#include "cli/terminal.h"

#define LIVE_EVENTS 12

struct live_canary {
	struct terminal *terminal;
	bool quiet;
	struct mono began;
	int64_t next_line;             /* tick at which the next plain line is due */
	char events[LIVE_EVENTS][160]; /* the last ones, oldest first */
	size_t event_count;
};

void live_canary_tick(struct live_canary *l, const struct controller_live *live);
void live_canary_event(struct live_canary *l, const struct event_record *e);
/* The screen goes; the last events stay on the terminal as plain lines. */
void live_canary_end(struct live_canary *l);

#endif
