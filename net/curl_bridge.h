/* curl_bridge.h: libcurl's multi interface on our loop, and its answers in our words. For the transports.
 *
 * cell   one multi with a few easy handles. libcurl looks connections up linearly (and 7.88 polls each idle candidate),
 *        so a worker with thousands of users spreads them over many small multis.
 * cells  all of one transport
 *
 * Threads: everything on the loop's thread. */
#ifndef WEIR_NET_CURL_BRIDGE_H
#define WEIR_NET_CURL_BRIDGE_H

#include <curl/curl.h>

#include "net/authorities.h"
#include "net/transport.h"

struct curl_cells;

struct curl_cell {
	struct curl_cells *cells;
	CURLM *multi;
	struct loop_timer timer;
	int members; /* counted by the transport that puts its handles here */
};

struct curl_cells {
	struct loop *loop;
	const struct transport_options *options;
	struct authorities *authorities; /* NULL: libcurl reads them */
	bool secure_proxy;               /* TLS to a proxy lies around all else */
	struct curl_cell **cells;
	size_t count;
	int members_max; /* per cell */
	void (*finished)(CURL *easy, CURLcode code);
};

/* <loop> and <options> are kept. finished() is told of each handle that is done, in a turn of the loop and never inside libcurl; the
 * handle is still in its multi. -1: libcurl cannot start. */
int curl_cells_init(struct curl_cells *c, struct loop *loop, const struct transport_options *options, int members_max,
                    void (*finished)(CURL *, CURLcode), struct err *err);
void curl_cells_finish(struct curl_cells *c); /* no cell may have members */

/* One with room, its member counted. NULL: there are no descriptors left for another. */
struct curl_cell *curl_cells_join(struct curl_cells *c);
void curl_cell_leave(struct curl_cell *c);

/* What every handle of the cells has: no signals, no proxy of the environment, http and https only; and the route.
 * <detail>: room for CURL_ERROR_SIZE, kept. <socket_errno>: kept; is set when this machine gives no socket, which libcurl
 * does not tell. <connect_to>: as below. */
void curl_bridge_set_up(CURL *easy, const struct curl_cells *cells, void *owner, char *detail, int *socket_errno,
                        struct curl_slist *connect_to);

/* Proxy, certificates and the address that is connected to. <authorities>: NULL: libcurl reads them itself.
 * <connect_to>: room that lives as long as the handle. */
void curl_bridge_set_route(CURL *easy, const struct transport_options *options, struct authorities *authorities,
                           struct curl_slist *connect_to);

/* The class of a failure; <detail> and <socket_errno> as they were filled, 0 when they were not. */
enum net_error curl_bridge_error(CURL *easy, CURLcode code, const char *detail, int socket_errno);

/* Whether the peer ended the connection with an alert of TLS: with version 1.3 it tells only after the handshake that it does
 * not like the client's certificate. */
bool curl_bridge_is_alert(const char *detail);

/* Whether <easy> made a connection, and how long its parts took, into <x>. Only for a handle that did not go on over a
 * kept one. Of one that failed on the way (a handshake, a timeout) not all versions of libcurl tell. */
void curl_bridge_set_up_times(CURL *easy, const struct transport_options *options, struct transfer *x);

#endif
