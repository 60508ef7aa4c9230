/* authorities.h: whom a server's certificate has to come from, read once for all connections of a transport.
 *
 * libcurl reads the file with the authorities for each multi (before 7.87: for each connection). Of the system's file with
 * its 144 that is 15 ms of CPU and 700 KB each time, and a worker has a multi per 64 connections.
 *
 * Threads: one at a time; each transport has its own. */
#ifndef WEIR_NET_AUTHORITIES_H
#define WEIR_NET_AUTHORITIES_H

#include <curl/curl.h>

struct authorities;

/* <file>: in PEM; NULL: the system's, read when the first TLS connection is made. Given; kept until no handle uses it.
 * NULL: libcurl has to read them itself, because it stands on another TLS library than we do or because there is no
 * file that we could read; what is wrong with it, libcurl will say. */
struct authorities *authorities_create(const char *file);
void authorities_destroy(struct authorities *a); /* NULL is fine */

/* <easy>, and it alone, verifies with them from now on. */
void authorities_use(struct authorities *a, CURL *easy);

#endif
