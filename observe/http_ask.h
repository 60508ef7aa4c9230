/* http_ask.h: one HTTP question at a time, its whole answer in memory; what the samplers over HTTP stand on.
 *
 * It is answered once, in a later turn, within SAMPLER_LIMIT: with the body of a 2xx answer, or with an error. After
 * http_ask_stop the answer does not come. Errors name the place without what may be secret in its URL.
 *
 * Threads: the loop's. */
#ifndef WEIR_OBSERVE_HTTP_ASK_H
#define WEIR_OBSERVE_HTTP_ASK_H

#include "base/buf.h"
#include "net/transport.h"

struct http_ask;
/* <body> is borrowed; NULL, 0 when there is an error. Also other statuses have a body: Prometheus's errors. */
typedef void http_answered(struct http_ask *a, struct str body, const struct err *err_or_null);

struct http_ask {
	struct transport *transport;
	struct transfer transfer;
	bool attached;
	char *url;
	const char *place; /* the URL as it may be shown */
	bool form;         /* POST with a form body */
	bool any_status;   /* an answer with any status is an answer */
	struct buf question, answer;
	http_answered *answered;
};

/* <transport> and <place> are kept; <url> is copied. */
void http_ask_init(struct http_ask *a, struct transport *transport, const char *url, const char *place,
                   http_answered *answered);
void http_ask_finish(struct http_ask *a); /* a zeroed one is fine */

/* GET, or POST of a->question when a->form. Nothing may be under way. -1: it could not begin, and no answer comes. */
int http_ask_start(struct http_ask *a, struct err *err);
void http_ask_stop(struct http_ask *a); /* nothing under way is fine */

#endif
