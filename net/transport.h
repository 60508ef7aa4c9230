/* transport.h: one HTTP exchange, whoever carries it.
 *
 * transfer   one exchange: the request that is borrowed from the caller, the ear that hears the answer as it streams
 *            by, and what came of it. It lives in its owner (a user) and is used again and again.
 * transport  a kind that carries transfers. `curl` can do everything that libcurl can; `replay` speaks plain HTTP/1.1
 *            itself, at less than half the cost; `auto` has both and chooses for each transfer.
 *
 * After transport_start the answer comes exactly once: header() and body() as bytes arrive, then done(). None of them
 * is ever called inside transport_start or transport_cancel; all run inside loop_turn. done() may not start the next
 * transfer itself: it puts its owner on a ready list.
 *
 * Stamps are CLOCK_MONOTONIC, read by us at the event. Threads: everything on the loop's thread. */
#ifndef WEIR_NET_TRANSPORT_H
#define WEIR_NET_TRANSPORT_H

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "net/loop.h"
#include "net/needs.h"

/* Why there was no whole answer. */
#define NET_ERRORS(X)                                                                       \
	X(NONE, "none")                                                                     \
	X(DNS, "dns")                                                                       \
	X(CONNECT, "connect")                                                               \
	X(LOCAL, "local") /* this machine had no port or descriptor left to connect with */ \
	X(TLS, "tls")                                                                       \
	X(RESET, "reset")                                                                   \
	X(TIMEOUT, "timeout")                                                               \
	X(PROTOCOL, "protocol")                                                             \
	X(CANCELLED, "cancelled")
enum net_error {
#define X(id, text) NET_##id,
	NET_ERRORS(X)
#undef X
};
const char *net_error_text(enum net_error e);

#define TIMEOUT_TEXT_BYTES 96
/* The detail of a timeout, the same from all kinds. Returns <ret_text>. */
const char *timeout_text(dur_ns after, uint64_t bytes_received, char ret_text[TIMEOUT_TEXT_BYTES]);

enum transport_kind {
	TRANSPORT_AUTO,
	TRANSPORT_REPLAY,
	TRANSPORT_CURL,
	TRANSPORT_KINDS,
};
/* "auto", "replay", "curl". False: no such kind. */
bool transport_kind_from(struct str text, enum transport_kind *ret_kind);

struct transfer;

struct transfer_ear {
	void (*header)(struct transfer *x, struct str name, struct str value); /* NULL: not wanted */
	void (*body)(struct transfer *x, struct str bytes);                    /* NULL: not wanted */
	void (*done)(struct transfer *x);
};

struct transfer {
	/* The request. Borrowed until done. */
	const char *method; /* "GET" ... */
	const char *url;    /* absolute */
	const struct str_pair *headers;
	size_t header_count;
	struct str body;
	bool has_body;
	dur_ns timeout;                     /* whole exchange; 0: none */
	const struct transfer_needs *needs; /* kept; NULL: none */
	bool needs_curl;                    /* more than replay offers: HTTP/2, compression ... */
	const struct transfer_ear *ear;     /* kept */

	/* The answer. status 0: none came. */
	struct mono sent, first_byte, end; /* first_byte 0: none */
	int status;
	enum net_error error;
	char detail[160];         /* of the error, in words; "" without one */
	bool new_connection;      /* one was made for it */
	dur_ns dns, connect, tls; /* of a new connection, end to end; each 0 when it did not happen: dns is for names
	                           * only (libcurl's own short memory of them included), tls for a handshake that ended */
	uint64_t bytes_sent, bytes_received;

	enum transport_kind carried_by; /* replay or curl; from transport_start on */

	void *states[TRANSPORT_KINDS]; /* of the transports, from attach to detach */
};

struct transport;
struct transport_ops {
	const char *name;
	int (*attach)(struct transport *t, struct transfer *x, struct err *err);
	void (*detach)(struct transport *t, struct transfer *x);
	void (*start)(struct transport *t, struct transfer *x);
	void (*cancel)(struct transport *t, struct transfer *x);
	void (*destroy)(struct transport *t);
};
struct transport {
	const struct transport_ops *ops;
};

/* Gives <x> what it needs for its life (an easy handle); the fields above must be zero. Once per user. */
static inline int transport_attach(struct transport *t, struct transfer *x, struct err *err)
{
	return t->ops->attach(t, x, err);
}

/* Ends that; a transfer under way is dropped without done(). A transfer that was never attached is fine. */
static inline void transport_detach(struct transport *t, struct transfer *x)
{
	t->ops->detach(t, x);
}

static inline void transport_start(struct transport *t, struct transfer *x)
{
	t->ops->start(t, x);
}

/* Gives up on a transfer under way: done() comes with NET_CANCELLED in a later turn. */
static inline void transport_cancel(struct transport *t, struct transfer *x)
{
	t->ops->cancel(t, x);
}

static inline void transport_destroy(struct transport *t) /* NULL is fine */
{
	if (t)
		t->ops->destroy(t);
}

struct transport_options {
	bool insecure; /* TLS certificates are not verified; only when the user wrote so */
	struct transfer_route route;
	enum transport_kind kind; /* for transport_create */
};

/* The kind that <options> name. <loop> is kept. Given: transport_destroy. */
struct transport *transport_create(struct loop *loop, const struct transport_options *options, struct err *err);

/* curl: libcurl multi on the loop. <loop> is kept. Given: transport_destroy. */
struct transport *transport_curl_create(struct loop *loop, const struct transport_options *options, struct err *err);

/* replay: libcurl opens the connections, the rest is done here. */
struct transport *transport_replay_create(struct loop *loop, const struct transport_options *options, struct err *err);
/* Starts <x> if replay can carry it. False: nothing happened, it is for curl. */
bool transport_replay_try(struct transport *t, struct transfer *x);

/* auto: replay for what it takes, else curl. */
struct transport *transport_auto_create(struct loop *loop, const struct transport_options *options, struct err *err);

#endif
