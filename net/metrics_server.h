/* metrics_server.h: a small HTTP server that shows one text, replaced from time to time by the thread that makes it.
 *
 *     GET /metrics    the newest text, as Prometheus reads it (text/plain; version=0.0.4)
 *
 * The server has a thread of its own. A new text changes hands through one atomic pointer, as meters do: the maker puts
 * it there (and frees what nobody took), the server takes it when it is next asked. Nobody waits, nothing is locked.
 *
 * Threads: start, offer, stop by one thread; the rest is inside. */
#ifndef WEIR_NET_METRICS_SERVER_H
#define WEIR_NET_METRICS_SERVER_H

#include "base/err.h"
#include "base/str.h"

struct metrics_server;

/* <address>: "127.0.0.1:9464", "[::1]:9464", "localhost:0" (a free port), ":9464" (all addresses). Given:
 * metrics_server_stop. ERR_USAGE: it is none; ERR_IO: it is taken. */
struct metrics_server *metrics_server_start(const char *address, struct err *err);
void metrics_server_stop(struct metrics_server *s); /* NULL is fine */

/* Copies <text>. */
void metrics_server_offer(struct metrics_server *s, struct str text);

/* Where it listens: "http://127.0.0.1:9464/metrics". */
const char *metrics_server_url(const struct metrics_server *s);

#endif
