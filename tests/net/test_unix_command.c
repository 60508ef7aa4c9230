#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/unix_command.h"

/* A peer in a thread: takes one connection, reads one line, answers <reply> <times> times; silent: until we leave. */
struct peer {
	pthread_t thread;
	int listener;
	const char *reply;
	int times;
	bool silent, rude; /* rude: closes without reading */
	char heard[256];
};

struct world {
	struct loop loop;
	struct unix_command command;
	char folder[64], path[300];
	struct peer peer;
	bool came;
	struct err err;
	char *answer;
};

static void *peer_main(void *arg)
{
	struct peer *p = arg;
	const int fd = accept(p->listener, NULL, NULL);
	size_t len = 0;
	while (!p->rude && len < sizeof(p->heard) - 1 && !memchr(p->heard, '\n', len)) {
		const ssize_t n = read(fd, p->heard + len, sizeof(p->heard) - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	char byte;
	if (p->silent)
		(void)!read(fd, &byte, 1);
	for (int i = 0; i < p->times; i++) {
		if (send(fd, p->reply, strlen(p->reply), MSG_NOSIGNAL) < 0)
			break;
	}
	close(fd);
	return NULL;
}

static void start_peer(struct world *w)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	w->peer.listener = socket(AF_UNIX, SOCK_STREAM, 0);
	/* Bound by its short name in the folder, so that the path may be as long as it likes. */
	char before[256];
	assert_non_null(getcwd(before, sizeof(before)));
	char *folder = xstrndup(w->path, (size_t)(strrchr(w->path, '/') - w->path));
	assert_int_equal(chdir(folder), 0);
	strcpy(address.sun_path, "api.sock");
	assert_int_equal(bind(w->peer.listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(w->peer.listener, 4), 0);
	assert_int_equal(chdir(before), 0);
	free(folder);
	assert_int_equal(pthread_create(&w->peer.thread, NULL, peer_main, &w->peer), 0);
}

static void stop_peer(struct world *w)
{
	pthread_join(w->peer.thread, NULL);
	close(w->peer.listener);
}

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	struct err err;
	strcpy(w->folder, "/tmp/weir-unix-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	snprintf(w->path, sizeof(w->path), "%s/api.sock", w->folder);
	assert_int_equal(loop_init(&w->loop, &err), 0);
	w->peer.reply = "done\n\n";
	w->peer.times = 1;
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	char command[128];
	unix_command_finish(&w->command);
	loop_finish(&w->loop);
	snprintf(command, sizeof(command), "rm -rf %s", w->folder);
	assert_int_equal(system(command), 0);
	free(w->answer);
	free(w);
	return 0;
}

static void on_answer(void *arg, struct str answer, const struct err *err_or_null)
{
	struct world *w = arg;
	assert_false(w->came);
	w->came = true;
	w->err = err_or_null ? *err_or_null : (struct err){ .kind = ERR_NONE };
	free(w->answer);
	w->answer = xstrndup(answer.p, answer.len);
}

static void ask(struct world *w, dur_ns limit)
{
	w->came = false;
	unix_command_start(&w->command, "show info", limit, on_answer, w);
	assert_false(w->came);
	while (!w->came)
		loop_turn(&w->loop, LOOP_WAIT);
}

static void answer_comes_whole(void **state)
{
	struct world *w = *state;
	w->peer.times = 5000;
	start_peer(w);
	unix_command_init(&w->command, &w->loop, w->path, 1 << 20);
	ask(w, 10 * SECOND);
	stop_peer(w);
	assert_int_equal(w->err.kind, ERR_NONE);
	assert_int_equal(strlen(w->answer), 5000 * 6);
	assert_string_equal(w->peer.heard, "show info\n");
}

static void nobody_listens(void **state)
{
	struct world *w = *state;
	unix_command_init(&w->command, &w->loop, w->path, 1000);
	ask(w, 10 * SECOND);
	assert_int_equal(w->err.kind, ERR_UNREACHABLE);
	ask(w, 10 * SECOND); /* and again */
	assert_int_equal(w->err.kind, ERR_UNREACHABLE);
}

static void silence_ends_with_the_limit(void **state)
{
	struct world *w = *state;
	w->peer.silent = true;
	w->peer.times = 0;
	start_peer(w);
	unix_command_init(&w->command, &w->loop, w->path, 1000);
	ask(w, 50 * MILLISECOND);
	assert_int_equal(w->err.kind, ERR_UNREACHABLE);
	stop_peer(w);
}

static void long_answer_is_refused(void **state)
{
	struct world *w = *state;
	w->peer.times = 1000;
	start_peer(w);
	unix_command_init(&w->command, &w->loop, w->path, 100);
	ask(w, 10 * SECOND);
	stop_peer(w);
	assert_int_equal(w->err.kind, ERR_LIMIT);
	assert_string_equal(w->answer, "");
}

static void rude_peer_is_an_empty_or_failed_answer(void **state)
{
	struct world *w = *state;
	w->peer.rude = true;
	w->peer.times = 0;
	start_peer(w);
	unix_command_init(&w->command, &w->loop, w->path, 100);
	ask(w, 10 * SECOND);
	stop_peer(w);
	assert_string_equal(w->answer, "");
}

static void path_may_be_longer_than_a_socket_name(void **state)
{
	struct world *w = *state;
	snprintf(w->path, sizeof(w->path), "%s/%0*d", w->folder, 180, 7);
	assert_int_equal(mkdir(w->path, 0700), 0);
	strcat(w->path, "/api.sock");
	start_peer(w);
	unix_command_init(&w->command, &w->loop, w->path, 1000);
	ask(w, 10 * SECOND);
	stop_peer(w);
	assert_int_equal(w->err.kind, ERR_NONE);
	assert_string_equal(w->answer, "done\n\n");
}

static void finished_in_the_middle_tells_nobody(void **state)
{
	struct world *w = *state;
	w->peer.silent = true;
	start_peer(w);
	unix_command_init(&w->command, &w->loop, w->path, 1000);
	unix_command_start(&w->command, "show info", 10 * SECOND, on_answer, w);
	loop_turn(&w->loop, LOOP_POLL);
	unix_command_finish(&w->command);
	stop_peer(w);
	loop_turn(&w->loop, LOOP_POLL);
	assert_false(w->came);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(answer_comes_whole),
		CASE(nobody_listens),
		CASE(silence_ends_with_the_limit),
		CASE(long_answer_is_refused),
		CASE(rude_peer_is_an_empty_or_failed_answer),
		CASE(path_may_be_longer_than_a_socket_name),
		CASE(finished_in_the_middle_tells_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
