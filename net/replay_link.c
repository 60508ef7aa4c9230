#include "net/replay_link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/must.h"

/* What libcurl allocates per handle while it connects, and no more than it needs for that ... */
#define OPENING_BUFFER_BYTES 1024L
/* ... and the most that one curl_easy_recv returns afterwards: above a TLS record. */
#define OPEN_BUFFER_BYTES 65536L

int replay_link_init(struct replay_link *l, struct curl_cells *cells, void *owner, void (*ready)(struct loop_fd *, int),
                     struct err *err)
{
	*l = (struct replay_link){ .fd = -1, .loop = cells->loop, .ready = ready };
	l->cell = curl_cells_join(cells);
	l->easy = l->cell ? curl_easy_init() : NULL;
	if (!l->easy) {
		if (l->cell)
			curl_cell_leave(l->cell);
		return err_set(err, ERR_IO, "libcurl gives no handle; are there descriptors left?");
	}
	curl_bridge_set_up(l->easy, cells, owner, l->detail, &l->socket_errno, &l->connect_to);
	curl_easy_setopt(l->easy, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(l->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	return 0;
}

void replay_link_finish(struct replay_link *l)
{
	if (!l->easy)
		return;
	replay_link_close(l);
	curl_easy_cleanup(l->easy);
	curl_cell_leave(l->cell);
	l->easy = NULL;
}

void replay_link_open(struct replay_link *l, const char *url, bool secure)
{
	must(l->phase == LINK_CLOSED);
	l->phase = LINK_OPENING;
	l->secure = secure;
	l->owned = l->settled = false;
	l->session = NULL;
	l->detail[0] = '\0';
	l->socket_errno = 0;
	curl_easy_setopt(l->easy, CURLOPT_URL, url);
	curl_easy_setopt(l->easy, CURLOPT_BUFFERSIZE, OPENING_BUFFER_BYTES);
	must(curl_multi_add_handle(l->cell->multi, l->easy) == CURLM_OK);
}

int replay_link_take(struct replay_link *l)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	curl_easy_getinfo(l->easy, CURLINFO_ACTIVESOCKET, &fd);
	if (fd == CURL_SOCKET_BAD) {
		snprintf(l->detail, sizeof(l->detail), "the connection was lost as soon as it was made");
		return -1;
	}
	l->phase = LINK_OPEN;
	l->fd = (int)fd;
	curl_easy_setopt(l->easy, CURLOPT_BUFFERSIZE, OPEN_BUFFER_BYTES);
	loop_fd_watch(l->loop, &l->watch, l->fd, LOOP_READ, l->ready);
	return 0;
}

void replay_link_close(struct replay_link *l)
{
	if (l->phase == LINK_CLOSED)
		return;
	loop_fd_stop(l->loop, &l->watch);
	curl_multi_remove_handle(l->cell->multi, l->easy);
	l->phase = LINK_CLOSED;
	l->session = NULL;
	l->fd = -1;
}

bool replay_link_settle(struct replay_link *l)
{
	if (l->session)
		return tls_session_is_quiet(l->session);
	if (l->secure && !l->settled && !l->cell->cells->secure_proxy && tls_library_is_shared())
		l->session = tls_session_take(l->easy, l->fd);
	l->settled = true;
	return true;
}

void replay_link_want_room(struct replay_link *l, bool wanted)
{
	loop_fd_watch(l->loop, &l->watch, l->fd, wanted ? LOOP_READ | LOOP_WRITE : LOOP_READ, l->ready);
}

static ssize_t failed(struct replay_link *l, const char *what, const char *why)
{
	snprintf(l->detail, sizeof(l->detail), "%s: %s", what, why);
	return LINK_FAILED;
}

static ssize_t answer(struct replay_link *l, const char *what, CURLcode code, size_t count)
{
	if (code == CURLE_OK)
		return (ssize_t)count;
	if (code == CURLE_AGAIN)
		return LINK_AGAIN;
	/* libcurl's own words, where it has some, say more: which alert of TLS it was. */
	return l->detail[0] ? LINK_FAILED : failed(l, what, curl_easy_strerror(code));
}

ssize_t replay_link_send(struct replay_link *l, struct str bytes)
{
	if (l->session)
		return tls_session_send(l->session, bytes, l->detail, sizeof(l->detail));
	if (l->secure || !l->owned) {
		/* The first bytes always go through libcurl. From then on it counts the connection as in use; one that
		 * it takes for idle it would close, behind our back, as soon as it finds it dead. */
		size_t sent = 0;
		const CURLcode code = curl_easy_send(l->easy, bytes.p, bytes.len, &sent);
		l->owned = true;
		return answer(l, "send", code, sent);
	}
	const ssize_t n = send(l->fd, bytes.p, bytes.len, MSG_NOSIGNAL);
	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EINTR ? (ssize_t)LINK_AGAIN : failed(l, "send", strerror(errno));
}

ssize_t replay_link_receive(struct replay_link *l, char *to, size_t room)
{
	if (l->session)
		return tls_session_receive(l->session, to, room, l->detail, sizeof(l->detail));
	if (l->secure) {
		size_t received = 0;
		const CURLcode code = curl_easy_recv(l->easy, to, room, &received);
		return answer(l, "receive", code, received);
	}
	const ssize_t n = recv(l->fd, to, room, 0);
	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EINTR ? (ssize_t)LINK_AGAIN : failed(l, "receive", strerror(errno));
}
