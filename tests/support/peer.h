/* peer.h: a scripted TCP peer on an ephemeral port of 127.0.0.1, in a thread of its own.
 *
 * The test writes down beforehand what each connection does: the n-th connection follows scripts[n], those behind the
 * last script follow the last one. A script is a list of acts; "read" waits for one whole request, so the peer is
 * never ahead of its client. Nothing sleeps: a peer that is to be slow waits for peer_release.
 *
 *     static const struct peer_act hello[] = { PEER_READ_ONE, PEER_SEND("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
 *                                              PEER_AGAIN };
 *
 * Threads: peer_start, peer_stop by the test; the rest [any]. Failures of the peer itself end the test (must). */
#ifndef WEIR_TESTS_SUPPORT_PEER_H
#define WEIR_TESTS_SUPPORT_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum peer_deed {
	PEER_END,        /* close the connection */
	PEER_READ,       /* one whole request: head and Content-Length body; the client's close ends the script */
	PEER_WRITE,      /* the bytes */
	PEER_WAIT,       /* for peer_release, once per call of it */
	PEER_RESET,      /* close with RST */
	PEER_HANG,       /* keep it open and silent until the client closes it or the peer stops */
	PEER_FROM_START, /* go on with the first act */
};

struct peer_act {
	enum peer_deed deed;
	struct str bytes;
};

#define PEER_READ_ONE             \
	{                         \
		.deed = PEER_READ \
	}
#define PEER_SEND(text)                                                  \
	{                                                                \
		.deed = PEER_WRITE, .bytes = {(text), sizeof(text) - 1 } \
	}
#define PEER_AGAIN                      \
	{                               \
		.deed = PEER_FROM_START \
	}
#define PEER_CLOSE               \
	{                        \
		.deed = PEER_END \
	}

struct peer;

/* <scripts> and what they point to are kept; each ends with PEER_END or goes on for ever. Given: peer_stop. */
struct peer *peer_start(const struct peer_act *const *scripts, size_t count);
/* Ends all connections and the thread. */
void peer_stop(struct peer *p);

uint16_t peer_port(const struct peer *p);
/* "http://127.0.0.1:PORT"; lives as long as the peer. */
const char *peer_origin(const struct peer *p);

/* Lets one PEER_WAIT go on, now or when it is reached. */
void peer_release(struct peer *p);

/* Connections accepted and requests read whole so far. */
unsigned peer_connections(struct peer *p);
unsigned peer_requests(struct peer *p);

/* All bytes of all requests in the order in which they came. Given: free. */
char *peer_received(struct peer *p, size_t *ret_len);

#endif
