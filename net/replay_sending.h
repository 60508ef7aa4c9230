/* replay_sending.h: the bytes of a request on their way out.
 *
 * text     a head, and a body that is small enough to leave with it
 * scratch  the text that all requests of a transport share: a request is written into it and sent from there. Only what
 *          does not leave at once takes the buffer over, at its address: TLS insists on being offered the same bytes
 *          from the same place again. The next request finds a new one.
 *
 * Threads: the loop's. */
#ifndef WEIR_NET_REPLAY_SENDING_H
#define WEIR_NET_REPLAY_SENDING_H

#include "net/http1_request.h"
#include "net/replay_link.h"

struct replay_text {
	char *bytes; /* NULL: none yet; free() */
	size_t len, room;
};

struct replay_sending {
	bool under_way;          /* not all was sent */
	struct replay_text text; /* taken from the scratch while that is so */
	size_t text_sent, body_sent;
};

enum replay_sent {
	SENT_ALL,
	SENT_PART,   /* the link has no room: go on when it has */
	SENT_FAILED, /* the link says why */
};

/* Writes the request of <x> and sends what can be sent, counted in x->bytes_sent. <x> and its body stay as they are until
 * all is sent or dropped. */
enum replay_sent replay_sending_begin(struct replay_sending *s, struct replay_text *scratch, struct replay_link *link,
                                      struct transfer *x, const struct http1_target *target);
enum replay_sent replay_sending_go_on(struct replay_sending *s, struct replay_link *link, struct transfer *x);
void replay_sending_drop(struct replay_sending *s);

#endif
