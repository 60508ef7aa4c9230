#include "observe/tiny_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/must.h"
#include "net/loop.h"

#define CONNECTIONS_MAX 64
#define CLOSE_PATH "GET /close"

struct connection {
	struct loop_fd watch;
	int fd; /* -1: free */
	struct tiny_server *server;
	char begin[sizeof(CLOSE_PATH) - 1]; /* of the request under way */
	size_t begin_len;
	int ends; /* how much of CR LF CR LF was seen */
};

struct tiny_server {
	struct loop loop;
	struct loop_fd listener;
	struct loop_wake wake;
	int fd;
	uint16_t port;
	bool stopping; /* the thread's own */
	pthread_t thread;
	struct connection connections[CONNECTIONS_MAX];
};

static void drop(struct connection *c)
{
	loop_fd_stop(&c->server->loop, &c->watch);
	close(c->fd);
	c->fd = -1;
}

/* False: the connection is over. */
static bool answer(struct connection *c)
{
	static const char keep[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	static const char last[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
	const bool closes = c->begin_len == sizeof(c->begin) && memcmp(c->begin, CLOSE_PATH, c->begin_len) == 0;
	const char *text = closes ? last : keep;
	c->begin_len = 0;
	c->ends = 0;
	return send(c->fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text) && !closes;
}

/* The end of a head is all that matters: these requests have no bodies. */
static bool take_byte(struct connection *c, char byte)
{
	static const char end[] = "\r\n\r\n";
	if (c->begin_len < sizeof(c->begin))
		c->begin[c->begin_len++] = byte;
	c->ends = byte == end[c->ends] ? c->ends + 1 : byte == '\r';
	return c->ends < 4 || answer(c);
}

static void on_bytes(struct loop_fd *w, int what)
{
	char bytes[4096];
	struct connection *c = container_of(w, struct connection, watch);
	const ssize_t n = recv(c->fd, bytes, sizeof(bytes), 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	bool open = n > 0;
	for (ssize_t i = 0; i < n && open; i++)
		open = take_byte(c, bytes[i]);
	if (!open)
		drop(c);
}

static void on_connection(struct loop_fd *w, int what)
{
	const int one = 1;
	struct tiny_server *s = container_of(w, struct tiny_server, listener);
	const int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &s->connections[i];
		if (c->fd >= 0)
			continue;
		*c = (struct connection){ .fd = fd, .server = s };
		loop_fd_watch(&s->loop, &c->watch, fd, LOOP_READ, on_bytes);
		return;
	}
	close(fd);
}

static void on_stop(struct loop_wake *w)
{
	container_of(w, struct tiny_server, wake)->stopping = true;
}

static void *serve(void *arg)
{
	struct tiny_server *s = arg;
	while (!s->stopping)
		loop_turn(&s->loop, LOOP_WAIT);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (s->connections[i].fd >= 0)
			drop(&s->connections[i]);
	return NULL;
}

static int open_listener(uint16_t *ret_port, struct err *err)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(fd, 1024) == 0 &&
	    getsockname(fd, (struct sockaddr *)&at, &len) == 0) {
		*ret_port = ntohs(at.sin_port);
		return fd;
	}
	err_set_errno(err, errno, "cannot listen on 127.0.0.1");
	if (fd >= 0)
		close(fd);
	return -1;
}

struct tiny_server *tiny_server_start(struct err *err)
{
	sigset_t all, before;
	struct tiny_server *s = xcalloc(1, sizeof(*s));
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		s->connections[i].fd = -1;
	s->fd = open_listener(&s->port, err);
	if (s->fd < 0 || loop_init(&s->loop, err) < 0) {
		if (s->fd >= 0)
			close(s->fd);
		free(s);
		return NULL;
	}
	loop_wake_start(&s->loop, &s->wake, on_stop);
	loop_fd_watch(&s->loop, &s->listener, s->fd, LOOP_READ, on_connection);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	must(pthread_create(&s->thread, NULL, serve, s) == 0);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return s;
}

void tiny_server_stop(struct tiny_server *s)
{
	if (!s)
		return;
	loop_wake_poke(&s->loop, &s->wake);
	pthread_join(s->thread, NULL);
	loop_fd_stop(&s->loop, &s->listener);
	loop_wake_stop(&s->loop, &s->wake);
	loop_finish(&s->loop);
	close(s->fd);
	free(s);
}

uint16_t tiny_server_port(const struct tiny_server *s)
{
	return s->port;
}
