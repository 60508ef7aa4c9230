#include "net/metrics_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#define HOST_BYTES 256
#define CONNECTIONS_MAX 16u
#define IDLE_SECONDS 30u
#define HANDLER_BYTES 16384u

struct sheet {
	size_t len;
	char text[];
};

struct metrics_server {
	struct MHD_Daemon *daemon;
	_Atomic(struct sheet *) offered; /* put by the maker, taken by the server's thread */
	struct sheet *shown;             /* the server's thread's own */
	char url[HOST_BYTES + 32];
};

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, const char *type, struct str text)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(text.len, (void *)(uintptr_t)text.p,
	                                                         MHD_RESPMEM_MUST_COPY);
	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, "Content-Type", type);
	MHD_add_response_header(r, "Cache-Control", "no-store");
	const enum MHD_Result result = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return result;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *path, const char *method,
                                  const char *version, const char *body, size_t *body_len, void **state)
{
	struct metrics_server *s = arg;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return answer(c, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain", STR("only GET\n"));
	if (strcmp(path, "/metrics") != 0)
		return answer(c, MHD_HTTP_NOT_FOUND, "text/plain", STR("weir: see /metrics\n"));
	struct sheet *fresh = atomic_exchange(&s->offered, NULL);
	if (fresh) {
		free(s->shown);
		s->shown = fresh;
	}
	const struct str text = s->shown ? (struct str){ s->shown->text, s->shown->len } : STR("");
	return answer(c, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", text);
}

/* "HOST:PORT" into its parts; the host without brackets. */
static int split(const char *address, char host[HOST_BYTES], const char **ret_port, struct err *err)
{
	const char *colon = strrchr(address, ':');
	uint64_t port;
	if (!colon || !str_to_u64(str_from(colon + 1), &port) || port > 65535 || colon - address >= HOST_BYTES)
		return err_set(err, ERR_USAGE, "'%s' is not HOST:PORT, for example 127.0.0.1:9464", address);
	size_t len = (size_t)(colon - address);
	if (len >= 2 && address[0] == '[' && colon[-1] == ']') {
		address++;
		len -= 2;
	} else if (memchr(address, ':', len)) {
		return err_set(err, ERR_USAGE, "'%s' is not HOST:PORT; an IPv6 address stands in brackets", address);
	}
	memcpy(host, address, len);
	host[len] = '\0';
	*ret_port = colon + 1;
	return 0;
}

static int listen_on(const struct addrinfo *a)
{
	const int one = 1;
	const int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, 16) == 0)
		return fd;
	const int number = errno;
	close(fd);
	errno = number;
	return -1;
}

static int open_socket(const char *address, struct err *err)
{
	char host[HOST_BYTES];
	const char *port = NULL;
	const struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int fd = -1;
	if (split(address, host, &port, err) < 0)
		return -1;
	const int r = getaddrinfo(host[0] ? host : NULL, port, &hints, &found);
	if (r != 0)
		return err_set(err, ERR_USAGE, "'%s' is no address to listen on: %s", address, gai_strerror(r));
	for (const struct addrinfo *a = found; a && fd < 0; a = a->ai_next)
		fd = listen_on(a);
	if (fd < 0)
		err_set_errno(err, errno, "cannot listen on '%s'", address);
	freeaddrinfo(found);
	return fd;
}

static void write_url(struct metrics_server *s, int fd)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);
	char host[NI_MAXHOST] = "localhost", port[NI_MAXSERV] = "";
	if (getsockname(fd, (struct sockaddr *)&at, &len) == 0)
		getnameinfo((struct sockaddr *)&at, len, host, sizeof(host), port, sizeof(port),
		            NI_NUMERICHOST | NI_NUMERICSERV);
	const bool six = strchr(host, ':') != NULL;
	snprintf(s->url, sizeof(s->url), "http://%s%.200s%s:%s/metrics", six ? "[" : "", host, six ? "]" : "", port);
}

struct metrics_server *metrics_server_start(const char *address, struct err *err)
{
	sigset_t all, before;
	const int fd = open_socket(address, err);
	if (fd < 0)
		return NULL;
	struct metrics_server *s = xcalloc(1, sizeof(*s));
	write_url(s, fd);
	/* Signals are for the threads that wait for them. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	s->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO, 0, NULL, NULL, on_request, s,
	                             MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
	                             MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	                             (size_t)HANDLER_BYTES, MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (s->daemon)
		return s;
	err_set_errno(err, errno, "cannot serve on '%s'", address);
	close(fd);
	free(s);
	return NULL;
}

void metrics_server_stop(struct metrics_server *s)
{
	if (!s)
		return;
	MHD_stop_daemon(s->daemon); /* joins its thread, closes its sockets */
	free(atomic_load(&s->offered));
	free(s->shown);
	free(s);
}

void metrics_server_offer(struct metrics_server *s, struct str text)
{
	struct sheet *fresh = xmalloc(sizeof(*fresh) + text.len);
	fresh->len = text.len;
	memcpy(fresh->text, text.p, text.len);
	free(atomic_exchange(&s->offered, fresh));
}

const char *metrics_server_url(const struct metrics_server *s)
{
	return s->url;
}
