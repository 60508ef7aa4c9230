/* haproxy_line.h: one line of the log that weir's HAProxy configuration writes, understood. Pure: bytes in, figures out.
 *
 *     c1 be_canary s1 200 0 0 0 12 12 ---- 0 11873 7 15
 *     |  |         |  |   |  |  | |  |  |    | |     | group of the connection (address and port), 0 to 19, "-": none
 *     |  |         |  |   |  |  | |  |  |    | |     group of the user (cookie, else address), the same; both missing in
 *     |  |         |  |   |  |  | |  |  |    | |     lines of an older weir's HAProxy
 *     |  |         |  |   |  |  | |  |  |    | microseconds from the request's head to the answer's, "-": no answer
 *     |  |         |  |   |  |  | |  |  |    retries, "+" in front: sent on to another server
 *     |  |         |  |   |  |  | |  |  how the session ended (HAProxy's termination state, 8.5 of its manual)
 *     |  |         |  |   |  |  | |  total active time, ms        (-1: not reached, for all times)
 *     |  |         |  |   |  |  | answer's head, ms
 *     |  |         |  |   |  |  connect, ms
 *     |  |         |  |   |  queue, ms
 *     |  |         |  |   request's head, ms
 *     |  |         |  status, -1 or 0: none
 *     |  |         server
 *     |  backend = arm
 *     version of this format
 *
 * failed    the arm's fault: 5xx, no status, broken off or timed out by the server, or served only after a retry
 * aborted   the client left: neither success nor failure
 *
 * The microseconds are differences of the calendar clock; where they contradict the steady total (the clock was set) the
 * total counts. Threads: [any]. */
#ifndef WEIR_CANARY_SOURCES_HAPROXY_LINE_H
#define WEIR_CANARY_SOURCES_HAPROXY_LINE_H

#include "base/clock.h"
#include "base/str.h"
#include "canary/source.h"
#include "record/rollout.h"

enum haproxy_line_kind {
	HAPROXY_LINE_NOTICE,     /* not about a request: "Server be_canary/s1 is DOWN ..." */
	HAPROXY_LINE_UNREADABLE, /* begins as a request's line and is none */
	HAPROXY_LINE_NO_ARM,     /* a request that never got to an arm: a malformed one */
	HAPROXY_LINE_REQUEST,
};

struct haproxy_line {
	enum arm arm;
	int32_t status;       /* -1, 0: none */
	bool failed, aborted; /* not both */
	dur_ns latency;
	int8_t groups[GROUPINGS]; /* 0 to SOURCE_GROUPS - 1; -1: not known */
};

/* <line> without its newline. <ret> is set for HAPROXY_LINE_REQUEST only. */
enum haproxy_line_kind haproxy_line_parse(struct str line, struct haproxy_line *ret);

#endif
