/* transport_replay.c: HTTP/1.1 by hand over connections that libcurl opened: one send and one receive per exchange.
 *
 *     start ─► send ─► (the loop says: readable) ─► receive ─► parse ─► done
 *        └──► open ──────┘ when there is no connection, or another origin's
 *
 * state    what a transfer keeps for its life: its link, its deadline, the parser. One connection per transfer, kept
 *          from exchange to exchange.
 * scratch  the buffer in which all requests are written (replay_sending.h)
 * input    one buffer for all: what is received is parsed before the next link is looked at. Only an unfinished header
 *          line is kept, in the state's rest.
 * later    states with something to do that may not happen inside transport_start or transport_cancel.
 *
 * A failed send decides nothing by itself: the answer may be there already. What can be received is received first, and
 * the end of that tells. A kept connection that ends before a byte of the answer came is opened anew once and the
 * request sent again, whatever its method, as libcurl does; the stamp of the first sending stays.
 *
 * An idle link stays in the loop: a peer that closes it is heard at once, so hardly any request meets a dead one. */
#include "net/transport.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/must.h"
#include "net/deadlines.h"
#include "net/http1_response.h"
#include "net/replay_link.h"
#include "net/replay_sending.h"

/* libcurl finds a handle's connection by going through all of its multi. */
#define CELL_TRANSFERS 64
#define INPUT_BYTES (64u << 10)
/* An unfinished line is kept with what comes behind it in one receive. */
#define REST_MAX (HTTP1_LINE_MAX + INPUT_BYTES)
#define REST_KEPT_MAX 4096

struct replay_transport;

struct state {
	struct transfer *transfer;
	struct replay_transport *transport;
	struct replay_link link;
	struct deadline deadline;
	struct buf origin; /* of the link */
	bool active, cancelled;
	bool reused;  /* the link carried an exchange before */
	bool retried; /* this exchange is on its second connection */

	struct replay_sending sending;
	struct http1_response response;
	struct buf rest; /* an unfinished line */
	bool on_later, send_failed;
	struct state *next_later;
};

struct replay_transport {
	struct transport base;
	struct loop *loop;
	struct transport_options options;
	struct curl_cells cells;
	struct deadlines deadlines;
	struct replay_text scratch;
	struct state *later;
	struct loop_timer later_timer;
	char input[INPUT_BYTES];
};

/* --- the end of an exchange --- */

static void on_later(struct loop_timer *timer);

static void do_later(struct state *s)
{
	struct replay_transport *t = s->transport;
	if (s->on_later)
		return;
	s->on_later = true;
	s->next_later = t->later;
	t->later = s;
	loop_timer_start(t->loop, &t->later_timer, 0, on_later);
}

static void forget_later(struct state *gone)
{
	if (!gone->on_later)
		return;
	struct state **s = &gone->transport->later;
	while (*s != gone)
		s = &(*s)->next_later;
	*s = gone->next_later;
	gone->on_later = false;
}

static void drop_request(struct state *s)
{
	replay_sending_drop(&s->sending);
	s->send_failed = false;
}

static void drop_rest(struct state *s)
{
	if (s->rest.room > REST_KEPT_MAX)
		buf_finish(&s->rest);
	else
		buf_clear(&s->rest);
}

/* The exchange is over, this way or that; the link is closed already unless it can be used again. */
static void end_exchange(struct state *s, enum net_error error, const char *detail, struct mono now)
{
	struct transfer *x = s->transfer;
	s->active = false;
	s->reused = true;
	deadlines_clear(&s->deadline);
	if (s->sending.under_way)
		drop_request(s);
	if (s->rest.bytes)
		drop_rest(s);
	x->end = now;
	x->status = s->response.status;
	x->error = error;
	x->bytes_received = s->response.head_bytes + s->response.body_bytes;
	if (error != NET_NONE)
		snprintf(x->detail, sizeof(x->detail), "%.*s", (int)sizeof(x->detail) - 1, detail);
	x->ear->done(x);
}

static void fail_exchange(struct state *s, enum net_error error, const char *detail, struct mono now)
{
	replay_link_close(&s->link);
	end_exchange(s, error, detail, now);
}

static void on_deadline(struct deadlines *all, struct deadline *d)
{
	struct state *s = container_of(d, struct state, deadline);
	struct transfer *x = s->transfer;
	const struct mono now = mono_now();
	char detail[TIMEOUT_TEXT_BYTES];
	if (s->link.phase == LINK_OPENING)
		curl_bridge_set_up_times(s->link.easy, &s->transport->options, x);
	fail_exchange(s, NET_TIMEOUT,
	              timeout_text(mono_since(now, x->sent), s->response.head_bytes + s->response.body_bytes, detail),
	              now);
}

/* --- sending --- */

static void open_link(struct state *s, const struct http1_target *target)
{
	replay_link_close(&s->link);
	buf_clear(&s->origin);
	must(buf_add(&s->origin, target->origin));
	s->reused = false;
	replay_link_open(&s->link, s->transfer->url, target->secure);
}

static void note_send_failure(struct state *s)
{
	s->send_failed = true;
	do_later(s);
}

static void hear_of_sending(struct state *s, enum replay_sent sent)
{
	if (sent == SENT_ALL)
		return;
	replay_link_want_room(&s->link, sent == SENT_PART);
	if (sent == SENT_FAILED)
		note_send_failure(s);
}

/* Goes on with what did not leave at once. */
static void send_rest(struct state *s)
{
	const enum replay_sent sent = replay_sending_go_on(&s->sending, &s->link, s->transfer);
	if (sent == SENT_ALL)
		replay_link_want_room(&s->link, false);
	hear_of_sending(s, sent);
}

/* Sends the request over the open link, at once if it can be. */
static void send_request(struct state *s, const struct http1_target *target)
{
	struct transfer *x = s->transfer;
	http1_response_init(&s->response, strcmp(x->method, "HEAD") == 0, x->ear->header != NULL);
	hear_of_sending(s, replay_sending_begin(&s->sending, &s->transport->scratch, &s->link, x, target));
}

/* --- receiving --- */

/* The connection ended, or failed, before the answer was whole. */
static void lose_link(struct state *s, const char *why, struct mono now)
{
	struct transfer *x = s->transfer;
	struct http1_target target;
	if (s->reused && !s->retried && x->first_byte.ns == 0) {
		s->retried = true;
		drop_request(s);
		must(http1_target_from(str_from(x->url), &target));
		open_link(s, &target);
		return;
	}
	fail_exchange(s, curl_bridge_is_alert(why) ? NET_TLS : NET_RESET, why, now);
}

static void hear_end(struct state *s, struct mono now)
{
	if (http1_response_ends_here(&s->response))
		fail_exchange(s, NET_NONE, "", now);
	else
		lose_link(s, "the connection ended before the answer was whole", now);
}

static void keep_rest(struct state *s, struct str in)
{
	if (in.p == s->rest.bytes && in.len == s->rest.len)
		return;
	if (s->rest.len) {
		memmove(s->rest.bytes, in.p, in.len);
		s->rest.len = in.len;
	} else if (in.len) {
		must(buf_add(&s->rest, in));
	}
}

/* True: the exchange is over. */
static bool hear_bytes(struct state *s, struct str in, struct mono now)
{
	struct transfer *x = s->transfer;
	if (x->first_byte.ns == 0)
		x->first_byte = now;
	if (s->rest.len) {
		must(buf_add(&s->rest, in));
		in = buf_str(&s->rest);
	}
	for (;;) {
		switch (http1_response_next(&s->response, &in)) {
		case HTTP1_HEADER:
			x->ear->header(x, s->response.name, s->response.value);
			continue;
		case HTTP1_BODY:
			if (x->ear->body)
				x->ear->body(x, s->response.body);
			continue;
		case HTTP1_MORE:
			keep_rest(s, in);
			return false;
		case HTTP1_END:
			/* An answer that came before the whole request was sent leaves the connection in between. */
			if (!s->response.keep_alive || in.len || s->sending.under_way || !replay_link_settle(&s->link))
				replay_link_close(&s->link);
			end_exchange(s, NET_NONE, "", now);
			return true;
		case HTTP1_INVALID:
			fail_exchange(s, NET_PROTOCOL, s->response.why, now);
			return true;
		}
	}
}

/* Over TLS a part of what came may wait inside the library, where the loop does not see it: until the answer is whole,
 * it is drained. */
static void receive(struct state *s)
{
	struct replay_transport *t = s->transport;
	for (;;) {
		const ssize_t n = replay_link_receive(&s->link, t->input, sizeof(t->input));
		if (n == LINK_AGAIN)
			return;
		if (!s->active) {
			/* Nothing was asked: its end, or bytes that belong to nothing. */
			replay_link_close(&s->link);
			return;
		}
		const struct mono now = mono_now();
		if (n == 0) {
			hear_end(s, now);
			return;
		}
		if (n == LINK_FAILED) {
			lose_link(s, s->link.detail, now);
			return;
		}
		if (hear_bytes(s, (struct str){ t->input, (size_t)n }, now) || !s->link.secure)
			return;
	}
}

static void on_ready(struct loop_fd *w, int what)
{
	struct state *s = container_of(w, struct state, link.watch);
	if (what & LOOP_WRITE && s->sending.under_way && !s->send_failed)
		send_rest(s);
	if (what & LOOP_READ)
		receive(s);
}

/* --- what waits for the next turn --- */

static void settle(struct state *s)
{
	struct transfer *x = s->transfer;
	if (s->cancelled) {
		s->cancelled = false;
		x->ear->done(x);
	} else if (s->active && s->link.phase == LINK_CLOSED) {
		end_exchange(s, NET_PROTOCOL, "this URL or header is not for the replay transport", mono_now());
	} else if (s->active && s->send_failed) {
		char why[sizeof(s->link.detail)];
		strcpy(why, s->link.detail);
		receive(s);
		/* It may be over, or on a new connection. */
		if (s->active && s->send_failed)
			lose_link(s, why, mono_now());
	}
}

static void on_later(struct loop_timer *timer)
{
	struct replay_transport *t = container_of(timer, struct replay_transport, later_timer);
	/* One by one from the head: done() may detach any of them. */
	for (struct state *s; (s = t->later);) {
		t->later = s->next_later;
		s->on_later = false;
		settle(s);
	}
}

/* libcurl made the connection, or could not. */
static void on_opened(CURL *easy, CURLcode code)
{
	struct state *s = NULL;
	struct http1_target target;
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&s);
	struct transfer *x = s->transfer;
	curl_bridge_set_up_times(easy, &s->transport->options, x);
	if (code == CURLE_OK && replay_link_take(&s->link) < 0)
		code = CURLE_COULDNT_CONNECT;
	if (code != CURLE_OK) {
		const char *why = s->link.detail[0] ? s->link.detail : curl_easy_strerror(code);
		enum net_error error = curl_bridge_error(easy, code, why, s->link.socket_errno);
		fail_exchange(s, error, why, mono_now());
		return;
	}
	must(http1_target_from(str_from(x->url), &target));
	send_request(s, &target);
}

/* --- the interface --- */

/* Through a proxy TLS has a tunnel, which libcurl makes; plain HTTP is written otherwise there. */
static bool takes(const struct replay_transport *t, const struct transfer *x, struct http1_target *ret_target)
{
	return !x->needs_curl && http1_target_from(str_from(x->url), ret_target) &&
	       (ret_target->secure || !t->options.route.proxy) && http1_headers_are_plain(x->headers, x->header_count);
}

static struct state *begin_exchange(struct transfer *x)
{
	struct state *s = x->states[TRANSPORT_REPLAY];
	must(!s->active && !s->cancelled);
	x->carried_by = TRANSPORT_REPLAY;
	x->first_byte = x->end = (struct mono){ 0 };
	x->status = 0;
	x->error = NET_NONE;
	x->detail[0] = '\0';
	x->new_connection = false;
	x->dns = x->connect = x->tls = 0;
	x->bytes_sent = x->bytes_received = 0;
	s->active = true;
	s->retried = false;
	x->sent = mono_now();
	return s;
}

static void start_taken(struct transfer *x, const struct http1_target *target)
{
	struct state *s = begin_exchange(x);
	if (x->timeout)
		deadlines_set(&s->transport->deadlines, &s->deadline, mono_after(x->sent, x->timeout));
	if (s->link.phase == LINK_OPEN && str_eq(buf_str(&s->origin), target->origin)) {
		send_request(s, target);
	} else {
		http1_response_init(&s->response, false, false);
		open_link(s, target);
	}
}

bool transport_replay_try(struct transport *base, struct transfer *x)
{
	struct http1_target target;
	if (!takes(container_of(base, struct replay_transport, base), x, &target))
		return false;
	start_taken(x, &target);
	return true;
}

static void replay_start(struct transport *base, struct transfer *x)
{
	if (transport_replay_try(base, x))
		return;
	struct state *s = begin_exchange(x);
	replay_link_close(&s->link);
	http1_response_init(&s->response, false, false);
	do_later(s);
}

static void replay_cancel(struct transport *base, struct transfer *x)
{
	struct state *s = x->states[TRANSPORT_REPLAY];
	if (!s || !s->active)
		return;
	replay_link_close(&s->link);
	deadlines_clear(&s->deadline);
	drop_request(s);
	drop_rest(s);
	s->active = false;
	s->cancelled = true;
	x->end = mono_now();
	x->bytes_sent = 0;
	x->error = NET_CANCELLED;
	strcpy(x->detail, "given up");
	do_later(s);
}

static int replay_attach(struct transport *base, struct transfer *x, struct err *err)
{
	struct replay_transport *t = container_of(base, struct replay_transport, base);
	struct state *s = xcalloc(1, sizeof(*s));
	if (replay_link_init(&s->link, &t->cells, s, on_ready, err) < 0) {
		free(s);
		return -1;
	}
	s->transfer = x;
	s->transport = t;
	buf_init(&s->origin, HTTP1_LINE_MAX);
	buf_init(&s->rest, REST_MAX);
	x->states[TRANSPORT_REPLAY] = s;
	return 0;
}

static void replay_detach(struct transport *base, struct transfer *x)
{
	struct state *s = x->states[TRANSPORT_REPLAY];
	if (!s)
		return;
	forget_later(s);
	deadlines_forget(&s->transport->deadlines, &s->deadline);
	replay_link_finish(&s->link);
	drop_request(s);
	buf_finish(&s->origin);
	buf_finish(&s->rest);
	free(s);
	x->states[TRANSPORT_REPLAY] = NULL;
}

static void replay_destroy(struct transport *base)
{
	struct replay_transport *t = container_of(base, struct replay_transport, base);
	curl_cells_finish(&t->cells);
	deadlines_finish(&t->deadlines);
	loop_timer_stop(t->loop, &t->later_timer);
	free(t->scratch.bytes);
	free(t);
}

static const struct transport_ops replay_ops = {
	.name = "replay",
	.attach = replay_attach,
	.detach = replay_detach,
	.start = replay_start,
	.cancel = replay_cancel,
	.destroy = replay_destroy,
};

struct transport *transport_replay_create(struct loop *loop, const struct transport_options *options, struct err *err)
{
	struct replay_transport *t = xmalloc(sizeof(*t));
	memset(t, 0, offsetof(struct replay_transport, input));
	t->options = *options;
	if (curl_cells_init(&t->cells, loop, &t->options, CELL_TRANSFERS, on_opened, err) < 0) {
		free(t);
		return NULL;
	}
	t->base.ops = &replay_ops;
	t->loop = loop;
	deadlines_init(&t->deadlines, loop, on_deadline);
	return &t->base;
}
