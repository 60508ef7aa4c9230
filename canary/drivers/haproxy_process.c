#include "canary/drivers/haproxy_driver.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/must.h"
#include "net/fifo.h"

/* prepare, step by step; each waits for the one before in a callback:
 *
 *   ask the runtime API ──► it runs our configuration: adopted, done
 *          │ nobody answers, or another configuration
 *          ▼
 *   write configuration and map (weight 0) ──► haproxy -c ──► haproxy -D [-x socket -sf old] ──► ask until the new
 *   process answers
 */

#define PORT_FILE "port"
#define RETRY_AFTER (20 * MILLISECOND)
#define CHECK_LIMIT (5 * SECOND)
#define STOP_LIMIT (2 * SECOND)
/* More would only cost memory: HAProxy sizes its tables by it. */
#define DESCRIPTORS_MAX 65536

static void write_and_check(struct haproxy_driver *h);

/* --- the port ---------------------------------------------------------------------------------------------------- */

static int32_t read_number(const struct haproxy_driver *h, const char *name)
{
	char *path = haproxy_path(h, name);
	struct buf text;
	struct err absent;
	uint64_t number = 0;
	buf_init(&text, 64);
	if (file_read(path, &text, &absent) != 0 || !str_to_u64(str_trim(buf_str(&text)), &number) ||
	    number > INT32_MAX)
		number = 0;
	buf_finish(&text);
	free(path);
	return (int32_t)number;
}

/* Binds port 0 at the plan's address and looks which one it became. */
static int find_free_port(const struct haproxy_driver *h, int32_t *ret, struct err *err)
{
	const char *host = h->plan->traffic.listen_host;
	const struct addrinfo want = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	char port[16];
	const int why = getaddrinfo(host[0] ? host : NULL, "0", &want, &found);
	if (why != 0)
		return err_set(err, ERR_IO, "cannot listen at '%s': %s", host, gai_strerror(why));
	const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const bool bound = fd >= 0 && bind(fd, found->ai_addr, found->ai_addrlen) == 0 &&
	                   getsockname(fd, (struct sockaddr *)&address, &len) == 0 &&
	                   getnameinfo((struct sockaddr *)&address, len, NULL, 0, port, sizeof(port), NI_NUMERICSERV) ==
	                           0;
	const int reason = errno;
	freeaddrinfo(found);
	if (fd >= 0)
		close(fd);
	if (!bound)
		return err_set_errno(err, reason, "find a free port at '%s'", host);
	*ret = (int32_t)strtol(port, NULL, 10);
	return 0;
}

static int choose_port(struct haproxy_driver *h, struct err *err)
{
	h->port = h->plan->traffic.listen_port;
	if (h->port != 0)
		return 0;
	h->port = read_number(h, PORT_FILE);
	if (h->port != 0)
		return 0;
	if (find_free_port(h, &h->port, err) != 0)
		return -1;
	char *path = haproxy_path(h, PORT_FILE);
	struct buf text;
	buf_init(&text, 64);
	buf_printf(&text, "%" PRId32 "\n", h->port);
	const int answer = file_replace(path, buf_str(&text), false, err);
	buf_finish(&text);
	free(path);
	return answer;
}

/* --- processes --------------------------------------------------------------------------------------------------- */

/* A pid from a file may be anybody's by now: ours is called haproxy and works in our folder. */
static bool is_ours(const struct haproxy_driver *h, int32_t pid)
{
	char link[64], cwd[4096], name[64];
	struct buf text;
	struct err absent;
	snprintf(link, sizeof(link), "/proc/%" PRId32 "/cwd", pid);
	snprintf(name, sizeof(name), "/proc/%" PRId32 "/comm", pid);
	const ssize_t n = readlink(link, cwd, sizeof(cwd) - 1);
	if (n < 0)
		return false;
	cwd[n] = '\0';
	buf_init(&text, 64);
	const bool ours = strcmp(cwd, h->folder) == 0 && file_read(name, &text, &absent) == 0 &&
	                  str_is(str_trim(buf_str(&text)), "haproxy");
	buf_finish(&text);
	return ours;
}

static int32_t silent_process(const struct haproxy_driver *h)
{
	const int32_t pid = read_number(h, HAPROXY_PID_FILE);
	return pid > 0 && is_ours(h, pid) ? pid : 0;
}

/* A connection takes two descriptors, one for each side; listeners, checks and the rest want some too. */
static long connections_max(const struct haproxy_driver *h)
{
	struct rlimit limit = { .rlim_max = 1024 };
	getrlimit(RLIMIT_NOFILE, &limit);
	const long descriptors = limit.rlim_max > DESCRIPTORS_MAX ? DESCRIPTORS_MAX : (long)limit.rlim_max;
	const long servers = (long)(h->plan->arms[ARM_STABLE].server_count + h->plan->arms[ARM_CANARY].server_count);
	const long connections = (descriptors - 100 - 2 * servers) / 2;
	return connections > 50 ? connections : 50;
}

/* Debian puts haproxy where the PATH of ordinary users does not look. WEIR_HAPROXY in the environment names another. */
static int run_haproxy(struct haproxy_driver *h, char **argv, int log_fd, dur_ns limit, program_ended *ended)
{
	static char *const places[] = { "haproxy", "/usr/sbin/haproxy", "/usr/local/sbin/haproxy" };
	const struct program_ask ask = { argv, h->folder, log_fd, HAPROXY_LOG_FD, limit };
	argv[0] = getenv("WEIR_HAPROXY");
	if (argv[0] && argv[0][0])
		return program_start(&h->program, &ask, ended, h, &h->err);
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		argv[0] = places[i];
		if (program_start(&h->program, &ask, ended, h, &h->err) == 0) {
			h->err.kind = ERR_NONE;
			return 0;
		}
		if (h->err.kind != ERR_NOT_FOUND)
			return -1;
	}
	return err_set(&h->err, ERR_NOT_FOUND,
	               "HAProxy is not installed: no program 'haproxy' in PATH or /usr/sbin "
	               "(Debian and Ubuntu: apt install haproxy)");
}

/* --- prepare ----------------------------------------------------------------------------------------------------- */

static void fail(struct haproxy_driver *h)
{
	const struct err err = h->err;
	must(err.kind != ERR_NONE);
	haproxy_end(h, &err);
}

static void ask_new(struct loop_timer *t);

static void on_new_answers(void *arg, struct str answer, const struct err *err_or_null)
{
	struct haproxy_driver *h = arg;
	struct haproxy_state s;
	/* After -sf the old process may answer once more: the hash tells them apart. */
	if (!err_or_null && haproxy_state_parse(answer, &s) && !s.stopping && str_is(s.hash, h->hash)) {
		haproxy_end(h, NULL);
		return;
	}
	if (mono_since(mono_now(), h->give_up) < 0) {
		loop_timer_start(h->loop, &h->timer, RETRY_AFTER, ask_new);
		return;
	}
	err_set(&h->err, ERR_UNREACHABLE, "HAProxy was started but does not answer at %s", h->api.path);
	fail(h);
}

static void ask_new(struct loop_timer *t)
{
	struct haproxy_driver *h = container_of(t, struct haproxy_driver, timer);
	unix_command_start(&h->api, HAPROXY_ASK, HAPROXY_CALL_LIMIT, on_new_answers, h);
}

static bool contains(struct str text, const char *part)
{
	return text.p && memmem(text.p, text.len, part, strlen(part)) != NULL;
}

static void on_started(void *arg, int status, struct str output)
{
	struct haproxy_driver *h = arg;
	const struct plan_traffic *t = &h->plan->traffic;
	if (status == 0) {
		ask_new(&h->timer);
		return;
	}
	const struct str why = haproxy_first_alert(output);
	const char *host = t->listen_host[0] ? t->listen_host : "*";
	if (contains(output, "Address already in use") || contains(output, "cannot bind socket (Address"))
		err_set(&h->err, ERR_BUSY,
		        "port %" PRId32 " at %s is taken by another program (`ss -ltnp` tells which)", h->port, host);
	else if (contains(output, "Permission denied"))
		err_set(&h->err, ERR_IO,
		        "HAProxy may not listen at %s port %" PRId32 ": below 1024 it needs privileges", host, h->port);
	else
		err_set(&h->err, ERR_IO, "HAProxy did not start (status %d): %.*s", status, STR_ARG(why));
	fail(h);
}

static void start_new(struct haproxy_driver *h)
{
	char connections[32], pid[32];
	char *pipe_path = haproxy_path(h, HAPROXY_LOG_PIPE);
	const int log_fd = fifo_open_writer(pipe_path, &h->err);
	free(pipe_path);
	if (log_fd < 0) {
		fail(h);
		return;
	}
	snprintf(connections, sizeof(connections), "%ld", connections_max(h));
	snprintf(pid, sizeof(pid), "%" PRId64, h->old_pid);
	char *argv[16] = { "", "-D", "-p", HAPROXY_PID_FILE, "-n", connections, "-f", HAPROXY_CONFIG };
	size_t n = 8;
	if (h->old_answers) {
		argv[n++] = "-x";
		argv[n++] = HAPROXY_API_SOCKET;
	}
	if (h->old_pid > 0) {
		argv[n++] = "-sf";
		argv[n++] = pid;
	}
	const int answer = run_haproxy(h, argv, log_fd, HAPROXY_PREPARE_LIMIT, on_started);
	close(log_fd);
	if (answer != 0)
		fail(h);
}

static void on_checked(void *arg, int status, struct str output)
{
	struct haproxy_driver *h = arg;
	if (status != 0) {
		const struct str why = haproxy_first_alert(output);
		err_set(&h->err, ERR_IO, "HAProxy refuses its configuration %s/" HAPROXY_CONFIG_NEW ": %.*s", h->folder,
		        STR_ARG(why));
		fail(h);
		return;
	}
	char *from = haproxy_path(h, HAPROXY_CONFIG_NEW), *to = haproxy_path(h, HAPROXY_CONFIG);
	const int renamed = rename(from, to);
	if (renamed != 0)
		err_set_errno(&h->err, errno, "put %s in place", to);
	free(from);
	free(to);
	if (renamed == 0)
		start_new(h);
	else
		fail(h);
}

static void write_and_check(struct haproxy_driver *h)
{
	static char *const arguments[] = { "", "-c", "-f", HAPROXY_CONFIG_NEW, NULL };
	char *argv[ARRAY_LEN(arguments)];
	memcpy(argv, arguments, sizeof(argv));
	char *path = haproxy_path(h, HAPROXY_CONFIG_NEW);
	const int written = file_replace(path, buf_str(&h->config), false, &h->err);
	free(path);
	if (written != 0 || haproxy_save_map(h, 0, false, &h->err) != 0 ||
	    run_haproxy(h, argv, -1, CHECK_LIMIT, on_checked) != 0)
		fail(h);
}

static void on_asked_whether_running(void *arg, struct str answer, const struct err *err_or_null)
{
	struct haproxy_driver *h = arg;
	struct haproxy_state s = { 0 };
	const bool whole = !err_or_null && haproxy_state_parse(answer, &s);
	if (whole && !s.stopping && str_is(s.hash, h->hash)) {
		haproxy_end(h, NULL);
		return;
	}
	h->old_pid = s.pid > 0 ? s.pid : silent_process(h);
	h->old_answers = s.pid > 0;
	write_and_check(h);
}

void haproxy_process_recognise(struct haproxy_driver *h)
{
	h->port = h->plan->traffic.listen_port ? h->plan->traffic.listen_port : read_number(h, PORT_FILE);
	if (h->port == 0)
		return;
	buf_clear(&h->config);
	haproxy_config_write(h->plan, h->port, &h->config, h->hash);
}

void haproxy_prepare(struct driver *d, driver_done *done, void *arg)
{
	struct haproxy_driver *h = haproxy_of(d);
	haproxy_begin(h, done, arg);
	h->give_up = mono_after(mono_now(), HAPROXY_PREPARE_LIMIT);
	char *pipe_path = haproxy_path(h, HAPROXY_LOG_PIPE);
	const int made = fifo_make(pipe_path, &h->err);
	free(pipe_path);
	if (made != 0 || choose_port(h, &h->err) != 0) {
		haproxy_end_later(h);
		return;
	}
	buf_clear(&h->config);
	haproxy_config_write(h->plan, h->port, &h->config, h->hash);
	unix_command_start(&h->api, HAPROXY_ASK, HAPROXY_CALL_LIMIT, on_asked_whether_running, h);
}

/* --- stop -------------------------------------------------------------------------------------------------------- */

void haproxy_process_finish(struct haproxy_driver *h)
{
	if (h->stop_pidfd < 0)
		return;
	loop_fd_stop(h->loop, &h->stop_watch);
	close(h->stop_pidfd);
	h->stop_pidfd = -1;
}

static void on_gone(struct loop_fd *w, int what)
{
	struct haproxy_driver *h = container_of(w, struct haproxy_driver, stop_watch);
	loop_timer_stop(h->loop, &h->timer);
	haproxy_process_finish(h);
	haproxy_end(h, NULL);
}

static void on_still_there(struct loop_timer *t)
{
	struct haproxy_driver *h = container_of(t, struct haproxy_driver, timer);
	/* Its end comes through the same descriptor. */
	pidfd_send_signal(h->stop_pidfd, SIGKILL, NULL, 0);
}

static void on_asked_for_pid(void *arg, struct str answer, const struct err *err_or_null)
{
	struct haproxy_driver *h = arg;
	struct haproxy_state s = { 0 };
	if (!err_or_null)
		haproxy_state_parse(answer, &s);
	const int32_t pid = s.pid > 0 ? (int32_t)s.pid : silent_process(h);
	if (pid == 0) {
		haproxy_end(h, NULL);
		return;
	}
	h->stop_pidfd = pidfd_open(pid, 0);
	if (h->stop_pidfd < 0 && errno == ESRCH) {
		haproxy_end(h, NULL);
		return;
	}
	if (h->stop_pidfd < 0 || pidfd_send_signal(h->stop_pidfd, SIGTERM, NULL, 0) != 0) {
		err_set_errno(&h->err, errno, "stop HAProxy (pid %" PRId32 ")", pid);
		haproxy_process_finish(h);
		fail(h);
		return;
	}
	loop_fd_watch(h->loop, &h->stop_watch, h->stop_pidfd, LOOP_READ, on_gone);
	loop_timer_start(h->loop, &h->timer, STOP_LIMIT, on_still_there);
}

void haproxy_stop(struct driver *d, driver_done *done, void *arg)
{
	struct haproxy_driver *h = haproxy_of(d);
	haproxy_begin(h, done, arg);
	unix_command_start(&h->api, HAPROXY_ASK, HAPROXY_CALL_LIMIT, on_asked_for_pid, h);
}
