/* replay_link.h: a connection that libcurl opens (names, proxies, TLS, verification) and that is ours from then on.
 *
 *     closed ── replay_link_open ──► opening ── libcurl tells ──► open ── replay_link_close ──► closed
 *
 * Over plain HTTP the socket itself is used; over TLS curl_easy_send and curl_easy_recv until the first exchange is over, and
 * OpenSSL's own functions from then on (tls_session.h). The handle stays in its multi as long as the connection lives: to
 * take it out closes the connection.
 *
 * Threads: everything on the loop's thread. */
#ifndef WEIR_NET_REPLAY_LINK_H
#define WEIR_NET_REPLAY_LINK_H

#include <sys/types.h>

#include "net/curl_bridge.h"
#include "net/tls_session.h"

enum replay_link_phase { LINK_CLOSED, LINK_OPENING, LINK_OPEN };

struct replay_link {
	enum replay_link_phase phase;
	bool secure;
	bool owned;                  /* libcurl knows that the connection is in use: it may not tidy it away */
	bool settled;                /* an exchange was whole */
	struct tls_session *session; /* NULL: not ours, or not yet */
	int fd;
	struct loop *loop;
	struct loop_fd watch;
	void (*ready)(struct loop_fd *w, int what);
	struct curl_cell *cell;
	CURL *easy;
	char detail[CURL_ERROR_SIZE]; /* why it could not be opened, or failed */
	int socket_errno;             /* why there was no socket for it */
	struct curl_slist connect_to; /* as libcurl wants it */
};

/* <owner> is what CURLINFO_PRIVATE of its handle gives; ready() is told when the open link can be read (always) or
 * written (when wanted). -1: no handle or no descriptors left. */
int replay_link_init(struct replay_link *l, struct curl_cells *cells, void *owner, void (*ready)(struct loop_fd *, int),
                     struct err *err);
void replay_link_finish(struct replay_link *l);

/* Begins; the cells' finished() will tell. */
void replay_link_open(struct replay_link *l, const char *url, bool secure);
/* After finished() said CURLE_OK. -1: there is no connection after all, detail says so. */
int replay_link_take(struct replay_link *l);
void replay_link_close(struct replay_link *l); /* closed already is fine */

/* Whether ready() is to be told of room for more bytes, too. */
void replay_link_want_room(struct replay_link *l, bool wanted);

/* An exchange is over and the link is kept. False: something came behind the answer; it cannot be used again. */
bool replay_link_settle(struct replay_link *l);

enum { LINK_AGAIN = TLS_AGAIN, LINK_FAILED = TLS_FAILED };
/* Bytes sent, or one of the above. After LINK_AGAIN the same bytes have to be offered again, from the same place:
 * TLS may have taken them already. */
ssize_t replay_link_send(struct replay_link *l, struct str bytes);
/* Bytes received, 0 at the end of the connection, or one of the above. */
ssize_t replay_link_receive(struct replay_link *l, char *to, size_t room);

#endif
