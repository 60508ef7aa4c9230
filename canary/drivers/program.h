/* program.h: runs a program to its end without waiting for it, and keeps what it said.
 *
 * For the few programs a driver has to start: `haproxy -c`, `haproxy -D`. No shell. The program gets its own session,
 * so that neither Ctrl-C at weir's terminal nor weir's end reaches what it leaves running. A program that does not end
 * within its time limit is killed (the program itself, not what it left running).
 *
 * The answer comes exactly once, never inside program_start; after program_finish it does not come.
 *
 * Threads: the loop's. */
#ifndef WEIR_CANARY_DRIVERS_PROGRAM_H
#define WEIR_CANARY_DRIVERS_PROGRAM_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "net/loop.h"

/* The beginning of what a program says; the rest is not read. */
#define PROGRAM_OUTPUT_BYTES_MAX (16u << 10)

/* <status>: exit status, or 128 + signal. <output>: stdout and stderr as they came; borrowed for the call. */
typedef void program_ended(void *arg, int status, struct str output);

struct program {
	struct loop *loop;
	pid_t pid;
	int pidfd;     /* -1: none runs */
	int output_fd; /* a file in memory: what a daemon says later is nobody's and blocks nobody */
	struct loop_fd watch;
	struct loop_timer timer;
	program_ended *ended;
	void *arg;
};

/* <loop> is kept. */
void program_init(struct program *p, struct loop *loop);
void program_finish(struct program *p); /* kills what still runs; a zeroed one is fine */

/* Runs argv[0] (looked up in PATH) in <folder>; <inherit_fd> (-1: none) becomes its descriptor <as_fd>. -1: it could not
 * be started: ERR_NOT_FOUND when there is no such program, else ERR_IO. One at a time (must). */
struct program_ask {
	char *const *argv;
	const char *folder;
	int inherit_fd, as_fd;
	dur_ns limit;
};
int program_start(struct program *p, const struct program_ask *ask, program_ended *ended, void *arg, struct err *err);

#endif
