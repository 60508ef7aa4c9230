/* http1_request.h: the bytes of an HTTP/1.1 request as libcurl would write them, and the parts of a URL that they need.
 *
 * No I/O, no memory of its own. Threads: [any]. */
#ifndef WEIR_NET_HTTP1_REQUEST_H
#define WEIR_NET_HTTP1_REQUEST_H

#include "base/str.h"

/* Slices of the URL. */
struct http1_target {
	struct str origin;    /* "http://127.0.0.1:8080" */
	struct str authority; /* as Host has it: "127.0.0.1:8080", without the port that its scheme has anyway */
	struct str path;      /* "/a?b", "?b" or "": the "/" is to be added when it does not begin with one */
	bool secure;          /* https */
};

/* Takes plain URLs apart: http or https, a name in small letters or an address, visible ASCII. False on all that needs
 * libcurl's parser: user names, dot segments, international names, odd forms of addresses, and what is no URL. */
bool http1_target_from(struct str url, struct http1_target *ret_target);

struct http1_request {
	struct str method;
	const struct http1_target *target;
	const struct str_pair
		*headers; /* a Host, User-Agent, Accept, Content-Type or Content-Length replaces weir's own */
	size_t header_count;
	bool has_body;
	size_t body_len;
};

/* Headers with which libcurl does more than to send them. */
bool http1_headers_are_plain(const struct str_pair *headers, size_t count);

/* Room enough for the head of <r>. */
size_t http1_request_bound(const struct http1_request *r);
/* Writes the head to <to>; returns its length. The body is to follow. */
size_t http1_request_write(const struct http1_request *r, char *to);

#endif
