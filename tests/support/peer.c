#include "tests/support/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/must.h"

#define CONNECTIONS_MAX 1024
#define RECEIVED_MAX (64u << 20)

/* One thread per connection: a script then reads like one. */
struct talk {
	struct peer *peer;
	pthread_t thread;
	int fd;
	const struct peer_act *script;
	struct buf in; /* what came and was not yet taken as a request */
};

struct peer {
	int listener, stop; /* stop: an eventfd that stays readable */
	uint16_t port;
	char origin[40];
	const struct peer_act *const *scripts;
	size_t script_count;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	/* Under the mutex. */
	struct talk *talks[CONNECTIONS_MAX];
	unsigned connections, requests, released;
	bool stopping;
	struct buf received;
};

/* Waits until <fd> is ready for <events>. False when the peer stops. */
static bool wait_for(struct peer *p, int fd, short events)
{
	struct pollfd fds[2] = { { fd, events, 0 }, { p->stop, POLLIN, 0 } };
	while (poll(fds, 2, -1) < 0)
		must(errno == EINTR);
	return !(fds[1].revents & POLLIN);
}

/* Takes more bytes from the client. False at its end. */
static bool take_bytes(struct talk *t)
{
	char piece[65536];
	if (!wait_for(t->peer, t->fd, POLLIN))
		return false;
	const ssize_t n = recv(t->fd, piece, sizeof(piece), 0);
	if (n <= 0)
		return false;
	must(buf_add(&t->in, (struct str){ piece, (size_t)n }));
	return true;
}

/* The length of the first request in <in>, 0 while it is not whole. */
static size_t whole_request(struct str in)
{
	const char *end = in.len ? memmem(in.p, in.len, "\r\n\r\n", 4) : NULL;
	if (!end)
		return 0;
	const size_t head = (size_t)(end - in.p) + 4;
	char *text = xstrndup(in.p, head);
	const char *length = strcasestr(text, "\r\nContent-Length:");
	const size_t body = length ? strtoul(length + 17, NULL, 10) : 0;
	free(text);
	return in.len >= head + body ? head + body : 0;
}

static bool read_request(struct talk *t)
{
	struct peer *p = t->peer;
	size_t len;
	while ((len = whole_request(buf_str(&t->in))) == 0)
		if (!take_bytes(t))
			return false;
	pthread_mutex_lock(&p->mutex);
	must(buf_add(&p->received, str_first(buf_str(&t->in), len)));
	p->requests++;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->mutex);
	char *rest = xstrndup(t->in.bytes + len, t->in.len - len);
	const size_t rest_len = t->in.len - len;
	buf_clear(&t->in);
	buf_add(&t->in, (struct str){ rest, rest_len });
	free(rest);
	return true;
}

static bool write_bytes(struct talk *t, struct str bytes)
{
	while (bytes.len) {
		if (!wait_for(t->peer, t->fd, POLLOUT))
			return false;
		const ssize_t n = send(t->fd, bytes.p, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (n > 0)
			bytes = str_from_at(bytes, (size_t)n);
	}
	return true;
}

static bool wait_release(struct peer *p)
{
	pthread_mutex_lock(&p->mutex);
	while (p->released == 0 && !p->stopping)
		pthread_cond_wait(&p->changed, &p->mutex);
	const bool go_on = !p->stopping;
	if (go_on)
		p->released--;
	pthread_mutex_unlock(&p->mutex);
	return go_on;
}

/* False: the script is over. */
static bool act(struct talk *t, const struct peer_act *a)
{
	static const struct linger at_once = { 1, 0 };
	switch (a->deed) {
	case PEER_READ:
		return read_request(t);
	case PEER_WRITE:
		return write_bytes(t, a->bytes);
	case PEER_WAIT:
		return wait_release(t->peer);
	case PEER_RESET:
		setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		return false;
	case PEER_HANG:
		while (take_bytes(t))
			;
		return false;
	case PEER_FROM_START:
	case PEER_END:
		break;
	}
	return false;
}

static void *talk_main(void *arg)
{
	struct talk *t = arg;
	const struct peer_act *a = t->script;
	while (a->deed == PEER_FROM_START || act(t, a))
		a = a->deed == PEER_FROM_START ? t->script : a + 1;
	close(t->fd);
	return NULL;
}

static void begin_talk(struct peer *p, int fd)
{
	struct talk *t = xcalloc(1, sizeof(*t));
	must(p->connections < CONNECTIONS_MAX);
	const size_t script = p->connections < p->script_count ? p->connections : p->script_count - 1;
	*t = (struct talk){ .peer = p, .fd = fd, .script = p->scripts[script] };
	buf_init(&t->in, RECEIVED_MAX);
	pthread_mutex_lock(&p->mutex);
	p->talks[p->connections++] = t;
	pthread_mutex_unlock(&p->mutex);
	must(pthread_create(&t->thread, NULL, talk_main, t) == 0);
}

static void *peer_main(void *arg)
{
	struct peer *p = arg;
	while (wait_for(p, p->listener, POLLIN)) {
		const int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			begin_talk(p, fd);
	}
	return NULL;
}

struct peer *peer_start(const struct peer_act *const *scripts, size_t count)
{
	struct peer *p = xcalloc(1, sizeof(*p));
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(address);
	must(count > 0);
	p->scripts = scripts;
	p->script_count = count;
	buf_init(&p->received, RECEIVED_MAX);
	pthread_mutex_init(&p->mutex, NULL);
	pthread_cond_init(&p->changed, NULL);
	p->stop = eventfd(0, EFD_CLOEXEC);
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(p->stop >= 0 && p->listener >= 0);
	must(bind(p->listener, (struct sockaddr *)&address, sizeof(address)) == 0);
	must(listen(p->listener, 1024) == 0);
	must(getsockname(p->listener, (struct sockaddr *)&address, &len) == 0);
	p->port = ntohs(address.sin_port);
	snprintf(p->origin, sizeof(p->origin), "http://127.0.0.1:%u", (unsigned)p->port);
	must(pthread_create(&p->thread, NULL, peer_main, p) == 0);
	return p;
}

void peer_stop(struct peer *p)
{
	pthread_mutex_lock(&p->mutex);
	p->stopping = true;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->mutex);
	must(eventfd_write(p->stop, 1) == 0);
	pthread_join(p->thread, NULL);
	for (unsigned i = 0; i < p->connections; i++) {
		pthread_join(p->talks[i]->thread, NULL);
		buf_finish(&p->talks[i]->in);
		free(p->talks[i]);
	}
	close(p->listener);
	close(p->stop);
	buf_finish(&p->received);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->mutex);
	free(p);
}

uint16_t peer_port(const struct peer *p)
{
	return p->port;
}

const char *peer_origin(const struct peer *p)
{
	return p->origin;
}

void peer_release(struct peer *p)
{
	pthread_mutex_lock(&p->mutex);
	p->released++;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->mutex);
}

static unsigned read_count(struct peer *p, const unsigned *count)
{
	pthread_mutex_lock(&p->mutex);
	const unsigned n = *count;
	pthread_mutex_unlock(&p->mutex);
	return n;
}

unsigned peer_connections(struct peer *p)
{
	return read_count(p, &p->connections);
}

unsigned peer_requests(struct peer *p)
{
	return read_count(p, &p->requests);
}

char *peer_received(struct peer *p, size_t *ret_len)
{
	pthread_mutex_lock(&p->mutex);
	char *copy = xstrndup(buf_cstr(&p->received), p->received.len);
	*ret_len = p->received.len;
	pthread_mutex_unlock(&p->mutex);
	return copy;
}
