/* fifo.h: lines from a named pipe, as a stream of pieces on the loop.
 *
 * Why a pipe and not a datagram socket: the queue of a unix datagram socket holds net.unix.max_dgram_qlen messages, 10
 * by default wherever systemd did not raise it (containers!), whatever its buffer size. A writer that may not wait,
 * such as HAProxy's log, then loses lines as soon as the reader is busy for a few milliseconds. A pipe holds bytes: one
 * MiB without any privilege, some 20,000 lines. Measured with HAProxy 2.6.12 at 85,000 requests/s on two cores and a
 * reader that did nothing else: 29 % of the lines lost by datagram, 0.7 % by pipe with two HAProxy threads, none with one
 * thread at 26,000/s while a controller worked on the same loop.
 *
 * writer  keeps the pipe open for reading and writing, so that it neither blocks nor gets SIGPIPE when nobody reads
 * reader  one at a time, held by flock(): a second one is told ERR_BUSY; the lock dies with its process
 *
 * What was in the pipe before the reader came belongs to nobody: it is thrown away. Threads: the loop's. */
#ifndef WEIR_NET_FIFO_H
#define WEIR_NET_FIFO_H

#include "base/err.h"
#include "base/str.h"
#include "net/loop.h"

struct fifo;

/* <bytes>: what came, in order, cut anywhere; borrowed for the call. */
typedef void fifo_received(void *arg, struct str bytes);

/* Makes the pipe at <path> (mode 0600) when there is none. 0 also when it is there already. */
int fifo_make(const char *path, struct err *err);

/* Makes the pipe when there is none and reads it. <loop> is kept. Given: fifo_close. NULL: ERR_IO, ERR_BUSY. */
struct fifo *fifo_open(struct loop *loop, const char *path, fifo_received *received, void *arg, struct err *err);
void fifo_close(struct fifo *f); /* NULL is fine */

/* Reads what is there now without waiting for the loop. */
void fifo_drain(struct fifo *f);

/* The descriptor that a writer is to inherit: open for reading and writing. Given: close(). -1 with <err>. */
int fifo_open_writer(const char *path, struct err *err);

#endif
