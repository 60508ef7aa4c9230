#include "net/unix_command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/must.h"

#define COMMAND_BYTES_MAX (64u << 10)

void unix_command_init(struct unix_command *c, struct loop *loop, const char *path, size_t answer_bytes_max)
{
	*c = (struct unix_command){ .loop = loop, .fd = -1 };
	c->path = xstrdup(path);
	buf_init(&c->command, COMMAND_BYTES_MAX);
	buf_init(&c->answer, answer_bytes_max);
}

static void close_socket(struct unix_command *c)
{
	if (c->fd < 0)
		return;
	loop_fd_stop(c->loop, &c->watch);
	close(c->fd);
	c->fd = -1;
}

void unix_command_finish(struct unix_command *c)
{
	if (!c->path)
		return;
	close_socket(c);
	loop_timer_stop(c->loop, &c->timer);
	buf_finish(&c->command);
	buf_finish(&c->answer);
	free(c->path);
	*c = (struct unix_command){ .fd = -1 };
}

/* Tells the owner, who may start the next command or finish this one from within. */
static void tell(struct unix_command *c, const struct err *err_or_null)
{
	close_socket(c);
	loop_timer_stop(c->loop, &c->timer);
	c->busy = false;
	c->answered(c->arg, err_or_null ? STR("") : buf_str(&c->answer), err_or_null);
}

static void on_failed_start(struct loop_timer *t)
{
	struct unix_command *c = container_of(t, struct unix_command, timer);
	const struct err err = c->failed;
	tell(c, &err);
}

static void on_time_limit(struct loop_timer *t)
{
	struct unix_command *c = container_of(t, struct unix_command, timer);
	struct err err;
	err_set(&err, ERR_UNREACHABLE, "%s accepts connections but does not answer", c->path);
	tell(c, &err);
}

/* Fills <ret> with an address for <path>. A path that is too long is reached through its folder, whose descriptor is
 * given in <ret_folder> (else -1) and must stay open until connect() returned. */
static int unix_address(const char *path, struct sockaddr_un *ret, int *ret_folder, struct err *err)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	*ret_folder = -1;
	if (strlen(path) < sizeof(ret->sun_path)) {
		memcpy(ret->sun_path, path, strlen(path) + 1);
		return 0;
	}
	const char *slash = strrchr(path, '/');
	if (!slash || strlen(slash) > 64)
		return err_set(err, ERR_LIMIT, "the socket's name is too long: %s", path);
	char *folder = xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
	*ret_folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const int why = errno;
	free(folder);
	if (*ret_folder < 0)
		return err_set_errno(err, why, "open the folder of %s", path);
	snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d%s", *ret_folder, slash);
	return 0;
}

static int connect_socket(struct unix_command *c, struct err *err)
{
	struct sockaddr_un address;
	int folder;
	if (unix_address(c->path, &address, &folder, err) != 0)
		return -1;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int why = errno;
	int answer = -1;
	if (c->fd >= 0) {
		answer = connect(c->fd, (const struct sockaddr *)&address, sizeof(address));
		why = errno;
	}
	if (folder >= 0)
		close(folder);
	if (c->fd < 0)
		return err_set_errno(err, why, "make a socket");
	if (answer == 0)
		return 0;
	/* EAGAIN: the listener's queue is full; a unix socket cannot be waited for then. */
	close(c->fd);
	c->fd = -1;
	return err_set(err, ERR_UNREACHABLE, "nobody answers at %s: %s", c->path, strerror(why));
}

static void on_ready(struct loop_fd *w, int what);

static bool send_more(struct unix_command *c, struct err *err)
{
	while (c->sent < c->command.len) {
		const ssize_t n = send(c->fd, c->command.bytes + c->sent, c->command.len - c->sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n < 0) {
			err_set(err, ERR_UNREACHABLE, "%s closed the connection: %s", c->path, strerror(errno));
			return false;
		}
		c->sent += (size_t)n;
	}
	/* No shutdown: HAProxy closes by itself after its answer, and a half-closed peer may count as gone. */
	loop_fd_watch(c->loop, &c->watch, c->fd, LOOP_READ, on_ready);
	return true;
}

/* True: wait for more. False: the end, with <err> ERR_NONE when it is a good one. */
static bool read_more(struct unix_command *c, struct err *err)
{
	char piece[16384];
	for (;;) {
		const ssize_t n = recv(c->fd, piece, sizeof(piece), 0);
		if (n > 0) {
			if (buf_add(&c->answer, (struct str){ piece, (size_t)n }))
				continue;
			err_set(err, ERR_LIMIT, "the answer of %s is longer than %zu bytes", c->path, c->answer.limit);
			return false;
		}
		if (n == 0)
			return false;
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN)
			return true;
		err_set(err, ERR_UNREACHABLE, "%s broke off its answer: %s", c->path, strerror(errno));
		return false;
	}
}

static void on_ready(struct loop_fd *w, int what)
{
	struct unix_command *c = container_of(w, struct unix_command, watch);
	struct err err = { .kind = ERR_NONE };
	bool more = true;
	if (what & LOOP_WRITE)
		more = send_more(c, &err);
	if (more && (what & LOOP_READ))
		more = read_more(c, &err);
	if (!more)
		tell(c, err.kind == ERR_NONE ? NULL : &err);
}

void unix_command_start(struct unix_command *c, const char *command, dur_ns limit, unix_answered *answered, void *arg)
{
	must(!c->busy);
	c->busy = true;
	c->answered = answered;
	c->arg = arg;
	c->sent = 0;
	buf_clear(&c->answer);
	buf_clear(&c->command);
	must(buf_printf(&c->command, "%s\n", command));
	if (connect_socket(c, &c->failed) != 0) {
		/* Told in the next turn: never inside the call. */
		loop_timer_start(c->loop, &c->timer, 0, on_failed_start);
		return;
	}
	loop_timer_start(c->loop, &c->timer, limit, on_time_limit);
	loop_fd_watch(c->loop, &c->watch, c->fd, LOOP_READ | LOOP_WRITE, on_ready);
}
