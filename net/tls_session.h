/* tls_session.h: the TLS of a connection that libcurl made and verified, used without libcurl in between.
 *
 * libcurl looks a handle's connection up in its multi for each call, and lets OpenSSL take each record with two receives. A
 * tenth of the CPU of a small request goes there. So once the first exchange is over, OpenSSL gets the socket itself, and
 * reads ahead; libcurl still owns all of it and closes it. Not earlier: the session tickets that come with the first answer
 * are for libcurl to keep, so that the next connection of its multi can resume.
 *
 * Only where libcurl and we mean the same OpenSSL and the socket carries this TLS and nothing around it (no proxy that
 * speaks TLS itself). A write to a connection that is gone raises SIGPIPE, which whoever uses this ignores.
 *
 * Threads: everything on the loop's thread. */
#ifndef WEIR_NET_TLS_SESSION_H
#define WEIR_NET_TLS_SESSION_H

#include <curl/curl.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/str.h"

/* Whether libcurl stands on the OpenSSL that we are linked with: only then what it lends is ours to touch. */
bool tls_library_is_shared(void);

struct tls_session;

/* The session of the connection that <easy> used last, over its socket <fd>. Borrowed from libcurl as long as the connection
 * lives. NULL: it cannot be had, and everything is as it was. */
struct tls_session *tls_session_take(CURL *easy, int fd);

enum { TLS_AGAIN = -1, TLS_FAILED = -2 };
/* Bytes sent or received, 0 at the end of the connection, or one of the above. After TLS_AGAIN the same bytes have to
 * be offered again, from the same place. Of a failure, <detail> gets OpenSSL's words. */
ssize_t tls_session_send(struct tls_session *t, struct str bytes, char *detail, size_t detail_bytes);
ssize_t tls_session_receive(struct tls_session *t, char *to, size_t room, char *detail, size_t detail_bytes);

/* Whether nothing was read ahead that the loop does not see and that belongs to no answer: bytes, the end, an alert. */
bool tls_session_is_quiet(struct tls_session *t);

#endif
