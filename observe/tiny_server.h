/* tiny_server.h: the least HTTP server: what weir measures itself against.
 *
 * Answers every request that has no body with 200 and two bytes; one whose path begins with /close with
 * "Connection: close". On an ephemeral port of 127.0.0.1, in a thread of its own.
 *
 * Threads: start and stop by one thread. */
#ifndef WEIR_OBSERVE_TINY_SERVER_H
#define WEIR_OBSERVE_TINY_SERVER_H

#include <stdint.h>

#include "base/err.h"

struct tiny_server;

/* Given: tiny_server_stop. */
struct tiny_server *tiny_server_start(struct err *err);
void tiny_server_stop(struct tiny_server *s); /* NULL is fine */
uint16_t tiny_server_port(const struct tiny_server *s);

#endif
