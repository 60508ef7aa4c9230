/* haproxy_answers.h: what HAProxy's runtime API says, understood. Bytes in, figures out; no I/O.
 *
 * One connection carries several commands joined by ';'; their answers come one after the other, each ended by an empty
 * line. The lines tell by themselves what they belong to, so the answers to HAPROXY_ASK are read as one text:
 *
 *   Pid: 123                                        show info
 *   # pxname,svname,...                             show stat: header, then rows; columns are looked up by name
 *   0x55d0 weight 500                               show map
 *   0x55d0: key=rollout use=0 exp=1234 gpt0=1       show table
 *
 * Anything unknown is skipped. Threads: [any]. */
#ifndef WEIR_CANARY_DRIVERS_HAPROXY_ANSWERS_H
#define WEIR_CANARY_DRIVERS_HAPROXY_ANSWERS_H

#include "base/str.h"
#include "canary/drivers/haproxy_config.h"
#include "record/rollout.h"

#define HAPROXY_ASK "show info;show stat;show map " HAPROXY_MAP ";show table " HAPROXY_LEASE_TABLE

struct haproxy_state {
	int64_t pid;     /* 0: the text had none: it is not HAProxy's */
	struct str hash; /* of its configuration; slice of the text; empty: not one of weir's */
	bool stopping;
	uint64_t logs_dropped;
	bool has_weight; /* the map was shown */
	int32_t weight_bp;
	bool hold;
	bool leased;      /* the lease's entry exists */
	int64_t lease_ms; /* until it expires */
	bool has_arm[ARMS];
	bool arm_up[ARMS];
	uint64_t requests[ARMS], in_flight[ARMS];
};

/* False when it is not a whole answer: no pid, no weight, or an arm is missing. */
bool haproxy_state_parse(struct str text, struct haproxy_state *ret);

/* The weight that is obeyed now: that of the map if it holds or is leased, else 0. */
int32_t haproxy_state_weight(const struct haproxy_state *s);

/* The first line of HAProxy's complaint (`[ALERT] (123) : ...`) without its mark; empty when there is none. */
struct str haproxy_first_alert(struct str output);

#endif
