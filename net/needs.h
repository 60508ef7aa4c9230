/* needs.h: what requests ask of a transport beyond plain HTTP. Plain data: written by whoever makes requests, read by
 * whoever carries them.
 *
 * route  how connections are made: the same for all of a run
 * needs  what one request asks: equal needs are one object, so that a pointer tells whether they changed
 *
 * Strings are kept by their owner for as long as any transfer may use them. Threads: immutable, [any]. */
#ifndef WEIR_NET_NEEDS_H
#define WEIR_NET_NEEDS_H

#include <stdbool.h>

struct transfer_route {
	const char *proxy;           /* URL; NULL: none, also none from the environment */
	const char *connect_to;      /* "::HOST:PORT" is connected to in place of any URL's host; NULL: the URL's */
	const char *ca, *cert, *key; /* files in PEM form; NULL: the system's authorities, no client certificate */
	bool insecure;               /* certificates are not verified: only when the user wrote so */
	bool shared; /* HTTP/2: requests of several users are streams of one connection; else each has one to itself */
};

enum need_http {
	NEED_HTTP_AUTO,   /* the fastest transport that can do the rest of the needs */
	NEED_HTTP_REPLAY, /* HTTP/1.1, the replay transport */
	NEED_HTTP_CURL,   /* whatever libcurl negotiates */
	NEED_HTTP_1_1,
	NEED_HTTP_2, /* over TLS by ALPN, over plain HTTP with prior knowledge */
};

struct transfer_needs {
	enum need_http http;
	bool compression;            /* ask for compressed answers and hand them out decoded */
	const char *user, *password; /* for digest authentication; NULL: none */
};

/* Whether only the curl transport can meet them. NULL: no. */
static inline bool needs_curl_only(const struct transfer_needs *n)
{
	return n && (n->http == NEED_HTTP_CURL || n->http == NEED_HTTP_2 || n->compression || n->user);
}

#endif
