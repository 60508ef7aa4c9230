/* haproxy_log.h: counts the requests of weir's HAProxy from its log, per arm.
 *
 * Bytes come in as the pipe gives them (net/fifo.h), cut anywhere. Lines are counted where they lie; only the one that
 * was cut in two is copied. A line longer than LINE_BYTES_MAX is none of HAProxy's (`len 1024`) and unreadable.
 *
 * haproxy_intake is the counting alone, without the pipe: for tests, the fuzz target and bench/log_intake.c.
 *
 * Threads: the loop's. */
#ifndef WEIR_CANARY_SOURCES_HAPROXY_LOG_H
#define WEIR_CANARY_SOURCES_HAPROXY_LOG_H

#include "canary/source.h"

#define HAPROXY_LINE_BYTES_MAX 1024

struct haproxy_intake {
	struct source_sample sample;
	char rest[HAPROXY_LINE_BYTES_MAX]; /* the beginning of a line whose end did not come yet */
	size_t rest_len;
	bool skipping; /* inside a line that is too long */
};

void haproxy_intake_init(struct haproxy_intake *i);
void haproxy_intake_finish(struct haproxy_intake *i);
void haproxy_intake_bytes(struct haproxy_intake *i, struct str bytes);

/* sources/table.c's entry. */
struct live_source *haproxy_log_create(struct loop *loop, const struct plan *plan, const char *folder, struct err *err);

#endif
