/* http1_response.h: an HTTP/1.x response, taken apart as its bytes arrive. Bytes in, slices out, no I/O, no memory.
 *
 * piece   what one call found: a header, a part of the body, the end
 * head    status line and headers, up to the empty line
 *
 *     while ((piece = http1_response_next(&r, &in)) ...)     until HTTP1_MORE, HTTP1_END or HTTP1_INVALID
 *
 * Each call takes what it used off the front of <in>. HTTP1_MORE leaves at most one unfinished line of a head or a
 * trailer there (HTTP1_LINE_MAX bytes): the next bytes have to be given behind it. Body bytes never stay.
 *
 * It takes what libcurl takes, in so far as that is sane (docs/decisions/0010-replay-transport.md lists the rest): lines
 * may end in a bare LF; 1xx answers are passed over, their headers heard; HEAD, 204 and 304 have no body;
 * Transfer-Encoding wins over Content-Length, and without chunks the end of the connection is the body's; a continuation of a header line (obs-fold) is passed over; what follows
 * a chunk's size is, too. Several Content-Lengths must agree. A body without a length ends with the connection.
 * RFC 9112. Threads: one at a time. */
#ifndef WEIR_NET_HTTP1_RESPONSE_H
#define WEIR_NET_HTTP1_RESPONSE_H

#include "base/str.h"

#define HTTP1_LINE_MAX (100u << 10) /* bytes of a line with its end, as libcurl has it */
#define HTTP1_HEAD_MAX (1u << 20)   /* bytes of all lines of heads and trailers */
#define HTTP1_HEADERS_MAX 5000

enum http1_piece {
	HTTP1_MORE,    /* all was used but an unfinished line */
	HTTP1_HEADER,  /* r->name and r->value, of a head or a trailer; only when they are wanted */
	HTTP1_BODY,    /* r->body: at least one byte */
	HTTP1_END,     /* the response is whole; what is left of <in> is not of it */
	HTTP1_INVALID, /* this can never be a response: r->why */
};

struct http1_response {
	/* Slices of <in>, valid until it changes. */
	struct str name, value; /* after HTTP1_HEADER; the value without blanks at its ends */
	struct str body;        /* after HTTP1_BODY */
	const char *why;        /* after HTTP1_INVALID: a literal */

	/* What is known so far. */
	int status;         /* 0: no status line yet; may be that of a 1xx */
	bool head_complete; /* of the final answer */
	bool keep_alive;    /* when head_complete: the connection may carry another exchange after HTTP1_END */
	uint64_t
		head_bytes; /* of whole and valid lines, those of 1xx answers and the empty ones with them, without trailers */
	uint64_t body_bytes; /* as given out: without the framing of chunks */

	/* For http1_response.c. */
	uint8_t state;
	bool to_head, headers_wanted;
	bool http10, said_close, said_keep_alive, chunked, encoded, has_length;
	uint32_t header_count, line_bytes; /* line_bytes: in all lines, against HTTP1_HEAD_MAX */
	uint32_t scanned;                  /* of the unfinished line, known to hold no LF */
	uint32_t digits;                   /* of a chunk's size */
	uint64_t left;                     /* of the body or the chunk; the chunk's size while its digits come */
};

/* <to_head>: the request was a HEAD. <headers_wanted>: false spares the calls for each header. */
void http1_response_init(struct http1_response *r, bool to_head, bool headers_wanted);

enum http1_piece http1_response_next(struct http1_response *r, struct str *in);

/* The connection ended. True when that is the end of the response: a head without a length came before. Not to be
 * asked after HTTP1_END or HTTP1_INVALID. */
bool http1_response_ends_here(const struct http1_response *r);

#endif
