/* weir-demo-app: the service that weir's demo and tests measure and roll out.
 *
 * main()             parse the command line, start, wait for a signal, stop
 *  ├─ settings.c     the options; the settings as JSON
 *  ├─ listen.c       sockets
 *  ├─ server.c       libmicrohttpd -> pool.c (thread) -> slots.c (who is served when)
 *  │   └─ routes.c   which requests there are -> flows.c -> world.c (memory), token.c (who asks)
 *  └─ control.c      the control port -> settings.c, traffic.c (counters)
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "demo/control.h"
#include "demo/listen.h"
#include "demo/server.h"
#include "demo/settings.h"

/* The exit statuses of weir (product.md) that can occur here. */
enum { EXIT_USAGE = 2, EXIT_ENVIRONMENT = 3 };

struct app {
	struct settings settings;
	struct traffic traffic;
	struct pool *pool;
	struct server *server;
	struct control *control;
};

static int write_port(const char *path, int port, struct err *err)
{
	char text[16];
	snprintf(text, sizeof(text), "%d\n", port);
	return path ? file_replace(path, str_from(text), false, err) : 0;
}

/* A keep-alive connection is a descriptor, and the usual soft limit is 1,024. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int start_control(struct app *app, struct err *err)
{
	const struct settings *s = &app->settings;
	char address[LISTEN_ADDRESS_BYTES];
	int port;
	if (!s->control)
		return 0;
	const int fd = listen_open(s->control, &port, address, err);
	if (fd < 0)
		return -1;
	app->control = control_start(fd, app->pool, &app->traffic, s->version, s->commit, err);
	if (!app->control)
		return -1;
	if (!s->quiet)
		fprintf(stderr, "weir-demo-app: control port on http://%s\n", address);
	return write_port(s->control_port_file, port, err);
}

static int start(struct app *app, struct err *err)
{
	const struct settings *s = &app->settings;
	const uint64_t seed = s->seed < 0 ? rng_fresh_seed() : (uint64_t)s->seed;
	char address[LISTEN_ADDRESS_BYTES];
	int port;
	const int fd = listen_open(s->listen, &port, address, err);
	if (fd < 0)
		return -1;
	app->pool = pool_create(&s->slots, (size_t)s->queue, seed, &server_pool_ops);
	if (s->freeze > 0)
		pool_freeze(app->pool, s->freeze);
	app->server = server_start(fd, app->pool, &app->traffic, s->version, s->commit, seed, err);
	if (!app->server || start_control(app, err) < 0)
		return -1;
	if (!s->quiet)
		fprintf(stderr, "weir-demo-app: version %s on http://%s\n", s->version, address);
	return write_port(s->port_file, port, err);
}

static void stop(struct app *app)
{
	control_stop(app->control);
	if (app->server)
		server_stop(app->server);
	else if (app->pool)
		pool_close(app->pool);
	pool_destroy(app->pool);
}

static int show_help(void)
{
	struct buf text;
	buf_init(&text, 64u << 10);
	settings_help(&text);
	fputs(buf_cstr(&text), stdout);
	buf_finish(&text);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct app *app = xcalloc(1, sizeof(*app));
	struct err err = { 0 };
	sigset_t ends;
	int signal_number, status = EXIT_SUCCESS;
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	pthread_sigmask(SIG_BLOCK, &ends, NULL); /* before any thread: they inherit it, and main takes the signals */
	signal(SIGPIPE, SIG_IGN);
	if (settings_parse(argc - 1, argv + 1, &app->settings, &err) < 0) {
		fprintf(stderr, "weir-demo-app: %s (see weir-demo-app --help)\n", err.text);
		status = EXIT_USAGE;
	} else if (app->settings.help) {
		status = show_help();
	} else {
		raise_descriptor_limit();
		if (start(app, &err) == 0) {
			sigwait(&ends, &signal_number);
		} else {
			fprintf(stderr, "weir-demo-app: %s\n", err.text);
			status = err.kind == ERR_USAGE ? EXIT_USAGE : EXIT_ENVIRONMENT;
		}
		stop(app);
	}
	free(app);
	return status;
}
