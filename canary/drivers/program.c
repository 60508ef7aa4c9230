#include "canary/drivers/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/must.h"

void program_init(struct program *p, struct loop *loop)
{
	*p = (struct program){ .loop = loop, .pidfd = -1, .output_fd = -1 };
}

static void close_both(struct program *p)
{
	if (p->pidfd >= 0) {
		loop_fd_stop(p->loop, &p->watch);
		close(p->pidfd);
	}
	if (p->output_fd >= 0)
		close(p->output_fd);
	p->pidfd = p->output_fd = -1;
}

void program_finish(struct program *p)
{
	if (!p->loop)
		return;
	loop_timer_stop(p->loop, &p->timer);
	if (p->pidfd >= 0) {
		kill(p->pid, SIGKILL);
		while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close_both(p);
}

static void read_output(int fd, struct buf *out)
{
	char piece[4096];
	off_t at = 0;
	for (;;) {
		const ssize_t n = pread(fd, piece, sizeof(piece), at);
		if (n <= 0 || !buf_add(out, (struct str){ piece, (size_t)n }))
			return;
		at += n;
	}
}

static void on_ended(struct loop_fd *w, int what)
{
	struct program *p = container_of(w, struct program, watch);
	int how = 0;
	if (waitpid(p->pid, &how, WNOHANG) != p->pid)
		return;
	loop_timer_stop(p->loop, &p->timer);
	struct buf output;
	buf_init(&output, PROGRAM_OUTPUT_BYTES_MAX);
	read_output(p->output_fd, &output);
	close_both(p);
	p->ended(p->arg, WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how), buf_str(&output));
	buf_finish(&output);
}

static void on_time_limit(struct loop_timer *t)
{
	struct program *p = container_of(t, struct program, timer);
	/* Its end is then told as any other, with status 128 + SIGKILL. */
	kill(p->pid, SIGKILL);
}

/* The fixed descriptors are filled in an order that overwrites none that is still needed: 0, 1, 2 are never sources,
 * and <as_fd> comes last. */
static int spawn(struct program *p, const struct program_ask *ask)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&how);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, p->output_fd, 1);
	posix_spawn_file_actions_adddup2(&files, p->output_fd, 2);
	if (ask->inherit_fd >= 0)
		posix_spawn_file_actions_adddup2(&files, ask->inherit_fd, ask->as_fd);
	posix_spawn_file_actions_addchdir_np(&files, ask->folder);
	posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&how, &none);
	posix_spawnattr_setsigdefault(&how, &all);
	const int why = posix_spawnp(&p->pid, ask->argv[0], &files, &how, ask->argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&how);
	return why;
}

int program_start(struct program *p, const struct program_ask *ask, program_ended *ended, void *arg, struct err *err)
{
	must(p->pidfd < 0);
	p->ended = ended;
	p->arg = arg;
	p->output_fd = memfd_create("weir-program", MFD_CLOEXEC);
	if (p->output_fd < 0)
		return err_set_errno(err, errno, "start %s", ask->argv[0]);
	const int why = spawn(p, ask);
	if (why != 0) {
		close_both(p);
		if (why == ENOENT)
			return err_set(err, ERR_NOT_FOUND, "there is no program '%s' on this machine", ask->argv[0]);
		return err_set_errno(err, why, "start %s", ask->argv[0]);
	}
	p->pidfd = pidfd_open(p->pid, 0);
	if (p->pidfd < 0) {
		const int reason = errno;
		kill(p->pid, SIGKILL);
		while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
			;
		close_both(p);
		return err_set_errno(err, reason, "watch %s", ask->argv[0]);
	}
	loop_fd_watch(p->loop, &p->watch, p->pidfd, LOOP_READ, on_ended);
	loop_timer_start(p->loop, &p->timer, ask->limit, on_time_limit);
	return 0;
}
