#include "net/replay_sending.h"

#include <stdlib.h>

#include "base/mem.h"

/* A smaller body is copied behind the head and leaves with it in one send. */
#define BODY_WITH_HEAD_MAX (16u << 10)

static void write_request(struct replay_sending *s, struct replay_text *text, const struct transfer *x,
                          const struct http1_target *target)
{
	const struct http1_request r = {
		.method = str_from(x->method),
		.target = target,
		.headers = x->headers,
		.header_count = x->header_count,
		.has_body = x->has_body,
		.body_len = x->body.len,
	};
	const size_t body = x->has_body && x->body.len <= BODY_WITH_HEAD_MAX ? x->body.len : 0;
	const size_t need = http1_request_bound(&r) + body;
	if (need > text->room) {
		text->room = need * 2;
		text->bytes = xrealloc(text->bytes, text->room);
	}
	text->len = http1_request_write(&r, text->bytes);
	if (body)
		memcpy(text->bytes + text->len, x->body.p, body);
	text->len += body;
	s->body_sent = body;
}

enum replay_sent replay_sending_begin(struct replay_sending *s, struct replay_text *scratch, struct replay_link *link,
                                      struct transfer *x, const struct http1_target *target)
{
	write_request(s, scratch, x, target);
	const ssize_t n = replay_link_send(link, (struct str){ scratch->bytes, scratch->len });
	x->bytes_sent = n > 0 ? (uint64_t)n : 0;
	if (n == (ssize_t)scratch->len && (!x->has_body || s->body_sent == x->body.len))
		return SENT_ALL;
	s->under_way = true;
	s->text = *scratch;
	*scratch = (struct replay_text){ 0 };
	s->text_sent = (size_t)x->bytes_sent;
	return n == LINK_FAILED ? SENT_FAILED : replay_sending_go_on(s, link, x);
}

enum replay_sent replay_sending_go_on(struct replay_sending *s, struct replay_link *link, struct transfer *x)
{
	const size_t body_len = x->has_body ? x->body.len : 0;
	while (s->text_sent < s->text.len || s->body_sent < body_len) {
		const bool of_text = s->text_sent < s->text.len;
		const struct str text = { s->text.bytes, s->text.len };
		const ssize_t n = replay_link_send(link, of_text ? str_from_at(text, s->text_sent)
		                                                 : str_from_at(x->body, s->body_sent));
		if (n < 0)
			return n == LINK_AGAIN ? SENT_PART : SENT_FAILED;
		x->bytes_sent += (uint64_t)n;
		*(of_text ? &s->text_sent : &s->body_sent) += (size_t)n;
	}
	replay_sending_drop(s);
	return SENT_ALL;
}

void replay_sending_drop(struct replay_sending *s)
{
	free(s->text.bytes);
	s->text = (struct replay_text){ 0 };
	s->under_way = false;
}
