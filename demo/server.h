/* server.h: the application's HTTP side: libmicrohttpd reads requests, the pool decides when they are answered.
 *
 * One thread of libmicrohttpd turns an epoll loop over all connections and runs the flows. A request that has to wait
 * for its service time is suspended, costs nothing meanwhile, and is resumed by the pool's thread:
 *
 *     connection -> body complete -> pool_submit -> suspended ... released -> flow answers
 *                                        |-> full: 503 at once      |-> drawn to fail: 500
 *
 * Threads: server_start and server_stop [main]. */
#ifndef WEIR_DEMO_SERVER_H
#define WEIR_DEMO_SERVER_H

#include "base/err.h"
#include "demo/pool.h"
#include "demo/traffic.h"

#define SERVER_BODY_MAX ((size_t)64 << 10)

struct server;

/* What the pool of a server has to be created with. */
extern const struct pool_ops server_pool_ops;

/* <socket> listens and is taken. <pool>, <traffic> and the texts are kept. Given: server_stop. */
struct server *server_start(int socket, struct pool *pool, struct traffic *traffic, const char *version,
                            const char *commit, uint64_t seed, struct err *err);

/* Closes the pool (what is held is answered 503 or cut off), then all connections. NULL is fine. */
void server_stop(struct server *s);

#endif
