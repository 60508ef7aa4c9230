/* unix_command.h: one command to a unix stream socket, one bounded answer, asynchronously and within a time limit.
 *
 * For runtime interfaces such as HAProxy's: connect, send the text, read until the peer closes. A command object is
 * used again and again, one command at a time (must).
 *
 * The path may be longer than the 107 bytes that the kernel takes for a unix socket: a longer one is reached through a
 * descriptor of its folder (/proc/self/fd/N/name), so nobody has to find a short folder.
 *
 * The answer comes exactly once, never inside unix_command_start; after unix_command_finish it does not come. Kinds of
 * failure: ERR_UNREACHABLE (nobody listens, no answer in time), ERR_LIMIT (a longer answer than was allowed), ERR_IO.
 *
 * Threads: the loop's. */
#ifndef WEIR_NET_UNIX_COMMAND_H
#define WEIR_NET_UNIX_COMMAND_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "net/loop.h"

/* <answer> is borrowed for the call, and empty when there is an error. The callback may start the next command. */
typedef void unix_answered(void *arg, struct str answer, const struct err *err_or_null);

struct unix_command {
	struct loop *loop;
	char *path;
	int fd; /* -1: none under way */
	struct loop_fd watch;
	struct loop_timer timer;
	bool busy;
	struct buf command, answer;
	size_t sent;
	struct err failed; /* kind not ERR_NONE: to be told in the next turn */
	unix_answered *answered;
	void *arg;
};

/* <loop> is kept, <path> copied. <answer_bytes_max>: the longest answer that is taken. */
void unix_command_init(struct unix_command *c, struct loop *loop, const char *path, size_t answer_bytes_max);
void unix_command_finish(struct unix_command *c); /* a zeroed one is fine */

/* Sends <command> (copied, a newline is added). */
void unix_command_start(struct unix_command *c, const char *command, dur_ns limit, unix_answered *answered, void *arg);

#endif
