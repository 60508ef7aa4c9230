#include "net/fifo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/must.h"

/* The largest that a process without privileges may ask for (fs.pipe-max-size). */
#define PIPE_BYTES (1 << 20)
#define PIECE_BYTES (64u << 10)
/* Per turn of the loop, so that a flood of lines never starves timers: one full pipe. */
#define PIECES_PER_TURN 16

struct fifo {
	struct loop *loop;
	int fd;
	struct loop_fd watch;
	fifo_received *received;
	void *arg;
	char piece[PIECE_BYTES];
};

int fifo_make(const char *path, struct err *err)
{
	if (mkfifo(path, 0600) == 0)
		return 0;
	const int why = errno;
	struct stat st;
	if (why == EEXIST && stat(path, &st) == 0 && S_ISFIFO(st.st_mode))
		return 0;
	if (why == EEXIST)
		return err_set(err, ERR_IO, "%s is in the way: a named pipe has to be there", path);
	return err_set_errno(err, why, "make the named pipe %s", path);
}

/* O_RDWR, so that the pipe never reads "end of file" while HAProxy is replaced, and opening never waits. */
static int open_pipe(const char *path, struct err *err)
{
	const int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_set_errno(err, errno, "open the named pipe %s", path);
	/* Refused when the user's pipes take too much already: smaller is only more likely to overflow. */
	(void)fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
	return fd;
}

int fifo_open_writer(const char *path, struct err *err)
{
	if (fifo_make(path, err) != 0)
		return -1;
	return open_pipe(path, err);
}

/* False when the pipe is empty. */
static bool read_piece(struct fifo *f, bool deliver)
{
	const ssize_t n = read(f->fd, f->piece, sizeof(f->piece));
	if (n > 0 && deliver)
		f->received(f->arg, (struct str){ f->piece, (size_t)n });
	return n > 0 || (n < 0 && errno == EINTR);
}

static void on_readable(struct loop_fd *w, int what)
{
	fifo_drain(container_of(w, struct fifo, watch));
}

void fifo_drain(struct fifo *f)
{
	for (int i = 0; i < PIECES_PER_TURN && read_piece(f, true); i++)
		;
}

struct fifo *fifo_open(struct loop *loop, const char *path, fifo_received *received, void *arg, struct err *err)
{
	if (fifo_make(path, err) != 0)
		return NULL;
	const int fd = open_pipe(path, err);
	if (fd < 0)
		return NULL;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		err_set(err, ERR_BUSY, "another process reads %s: is a controller of this rollout running?", path);
		close(fd);
		return NULL;
	}
	struct fifo *f = xcalloc(1, sizeof(*f));
	f->loop = loop;
	f->fd = fd;
	f->received = received;
	f->arg = arg;
	/* Old news. Bounded: a writer may be faster than we throw away. */
	for (int i = 0; i < PIECES_PER_TURN && read_piece(f, false); i++)
		;
	loop_fd_watch(loop, &f->watch, fd, LOOP_READ, on_readable);
	return f;
}

void fifo_close(struct fifo *f)
{
	if (!f)
		return;
	loop_fd_stop(f->loop, &f->watch);
	close(f->fd);
	free(f);
}
