/* transport_curl.c: transfers over libcurl's multi interface, driven by the loop's sockets and timers.
 *
 * state  what a transfer keeps for its life: its easy handle, its header list and the text of its headers. Easy
 *        handles are never reset; only what changed since the last request is set again.
 *
 * libcurl gets as little to do as can be, for each thing is done anew in every transfer: the URL comes in parts, since a text
 * is taken apart, and put together again, each time (a seventh of all instructions); timeouts are ours (deadlines.h), since
 * libcurl's own read the clock and move timers. */
#include "net/transport.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/must.h"
#include "net/curl_bridge.h"
#include "net/deadlines.h"

#define CELL_TRANSFERS 64
#define HEADERS_MAX 72
/* Before libcurl 8.7: a smaller body leaves together with the head. */
#define BODY_WITH_HEAD_MAX (64u << 10)
#define HEADER_TEXT_MAX (256u << 10)
/* libcurl gives a connection this long unless it is told otherwise. */
#define CONNECT_TIMEOUT (300 * SECOND)

struct curl_transport;

enum request_kind { KIND_NONE, KIND_GET, KIND_HEAD, KIND_BODY, KIND_CUSTOM };

struct state {
	struct transfer *transfer;
	struct curl_transport *transport;
	struct curl_cell *cell;
	CURL *easy;
	CURLU *parts; /* of the URL */
	struct deadline deadline;
	bool active; /* in the multi */
	bool head_complete;
	bool restarted; /* see restart */
	bool cancelled;
	struct state *next_cancelled;
	enum request_kind kind;
	/* As libcurl was told last. */
	struct buf method, url, header_text;
	bool as_text; /* the URL, not in parts */
	struct curl_slist headers[HEADERS_MAX + 2], connect_to;
	dur_ns timeout;
	const struct transfer_needs *needs;
	bool secure; /* of the URL */
	char error[CURL_ERROR_SIZE];
	int socket_errno;
};

struct curl_transport {
	struct transport base;
	struct loop *loop;
	struct transport_options options;
	bool counts_bodies; /* libcurl 8.7 and later: see sent_bytes */
	bool breaks_h2c;    /* libcurl 7.88: see set_needs */
	struct curl_cells cells;
	struct deadlines deadlines;
	struct state *cancelled;
	struct loop_timer cancel_timer;
};

/* libcurl counts a body that it sends together with the head as part of the request, too, and from 8.7 on any. */
static uint64_t sent_bytes(const struct state *s, const struct transfer *x, uint64_t request, uint64_t body)
{
	const bool counted = s->transport->counts_bodies || x->body.len < BODY_WITH_HEAD_MAX;
	return counted ? request : request + body;
}

static void read_figures(struct state *s, struct transfer *x)
{
	long status = 0, header_bytes = 0, request_bytes = 0, connects = 0;
	curl_off_t up = 0, down = 0;
	curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(s->easy, CURLINFO_HEADER_SIZE, &header_bytes);
	curl_easy_getinfo(s->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
	curl_easy_getinfo(s->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	curl_easy_getinfo(s->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
	curl_easy_getinfo(s->easy, CURLINFO_NUM_CONNECTS, &connects);
	x->status = (int)status;
	x->bytes_sent = sent_bytes(s, x, (uint64_t)request_bytes, (uint64_t)up);
	x->bytes_received = (uint64_t)header_bytes + (uint64_t)down;
	if (connects > 0)
		curl_bridge_set_up_times(s->easy, &s->transport->options, x);
}

static void leave_multi(struct state *s)
{
	curl_multi_remove_handle(s->cell->multi, s->easy);
	deadlines_clear(&s->deadline);
	s->active = false;
}

/* A request on a kept connection that turns out to be dead is sent again on a new one, by libcurl. Before 8.17 it counts that
 * over all transfers of a handle, and every sixth time it gives up instead (its pull request 19066). */
static bool restart(struct state *s, CURLcode code)
{
	if (s->restarted || code != CURLE_SEND_ERROR || !strstr(s->error, "Connection died"))
		return false;
	s->restarted = true;
	s->error[0] = '\0';
	curl_multi_remove_handle(s->cell->multi, s->easy);
	must(curl_multi_add_handle(s->cell->multi, s->easy) == CURLM_OK);
	return true;
}

static void on_finished(CURL *easy, CURLcode code)
{
	struct state *s = NULL;
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&s);
	struct transfer *x = s->transfer;
	if (restart(s, code))
		return;
	x->end = mono_now();
	x->error = curl_bridge_error(s->easy, code, s->error, s->socket_errno);
	x->detail[0] = '\0';
	if (x->error == NET_NONE && !s->head_complete) {
		/* To libcurl a connection that ends among the headers is an answer without a body. */
		x->error = NET_RESET;
		snprintf(s->error, sizeof(s->error), "the connection ended within the headers");
	}
	if (x->error != NET_NONE) {
		const char *text = s->error[0] ? s->error : curl_easy_strerror(code);
		snprintf(x->detail, sizeof(x->detail), "%.*s", (int)sizeof(x->detail) - 1, text);
	}
	read_figures(s, x);
	leave_multi(s);
	x->ear->done(x);
}

static void on_deadline(struct deadlines *all, struct deadline *d)
{
	struct state *s = container_of(d, struct state, deadline);
	struct transfer *x = s->transfer;
	x->end = mono_now();
	x->error = NET_TIMEOUT;
	read_figures(s, x);
	timeout_text(mono_since(x->end, x->sent), x->bytes_received, x->detail);
	leave_multi(s);
	x->ear->done(x);
}

static size_t on_header(char *bytes, size_t size, size_t count, void *state)
{
	struct state *s = state;
	struct transfer *x = s->transfer;
	const struct str line = str_trim((struct str){ bytes, size * count });
	if (x->first_byte.ns == 0)
		x->first_byte = mono_now();
	/* The blank line of "100 Continue" is not the last one's. */
	if (line.len == 0)
		s->head_complete = true;
	else if (line.p == bytes && str_starts(line, STR("HTTP/")))
		s->head_complete = false;
	/* The status line comes this way, too, and so does what continues a header on the next line. */
	if (x->ear->header && line.p == bytes && !str_starts(line, STR("HTTP/"))) {
		const size_t colon = str_find(line, ':');
		if (colon < line.len)
			x->ear->header(x, str_first(line, colon), str_trim(str_from_at(line, colon + 1)));
	}
	return size * count;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *state)
{
	struct transfer *x = ((struct state *)state)->transfer;
	if (x->ear->body)
		x->ear->body(x, (struct str){ bytes, size * count });
	return size * count;
}

/* --- starting --- */

static void set_method(struct state *s, const struct transfer *x)
{
	const bool is_post = strcmp(x->method, "POST") == 0;
	const enum request_kind kind = x->has_body                      ? KIND_BODY
	                               : strcmp(x->method, "GET") == 0  ? KIND_GET
	                               : strcmp(x->method, "HEAD") == 0 ? KIND_HEAD
	                                                                : KIND_CUSTOM;
	if (kind == KIND_BODY || kind != s->kind || !str_is(buf_str(&s->method), x->method)) {
		if (s->kind == KIND_HEAD && kind != KIND_HEAD)
			curl_easy_setopt(s->easy, CURLOPT_NOBODY, 0L);
		if (kind == KIND_HEAD) {
			curl_easy_setopt(s->easy, CURLOPT_NOBODY, 1L);
		} else if (kind == KIND_BODY) {
			curl_easy_setopt(s->easy, CURLOPT_POST, 1L);
		} else {
			curl_easy_setopt(s->easy, CURLOPT_HTTPGET, 1L);
		}
		const bool own_word = kind == KIND_CUSTOM || (kind == KIND_BODY && !is_post);
		curl_easy_setopt(s->easy, CURLOPT_CUSTOMREQUEST, own_word ? x->method : NULL);
		s->kind = kind;
		buf_clear(&s->method);
		buf_add(&s->method, str_from(x->method));
	}
	if (kind == KIND_BODY) {
		curl_easy_setopt(s->easy, CURLOPT_POSTFIELDS, x->body.len ? x->body.p : "");
		curl_easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->body.len);
	}
}

/* libcurl keeps the list by pointer, so its nodes and text live in the state; nothing is allocated per request. */
static void set_headers(struct state *s, const struct transfer *x)
{
	size_t at[HEADERS_MAX + 1], count = 0;
	must(x->header_count <= HEADERS_MAX);
	buf_clear(&s->header_text);
	for (size_t i = 0; i < x->header_count; i++) {
		at[count++] = s->header_text.len;
		buf_add(&s->header_text, x->headers[i].name);
		/* "Name;" is libcurl's way to send an empty value; one of blanks would take the header out. */
		const struct str value = str_trim(x->headers[i].value);
		buf_add(&s->header_text, value.len ? STR(": ") : STR(";"));
		buf_add(&s->header_text, value);
		buf_add_char(&s->header_text, '\0');
	}
	if (x->has_body) {
		/* A large body is sent at once: waiting for "100 Continue" would be measured as the server's time. */
		at[count++] = s->header_text.len;
		buf_add(&s->header_text, STR("Expect:\0"));
	}
	must(!buf_overflowed(&s->header_text));
	for (size_t i = 0; i < count; i++) {
		s->headers[i].data = s->header_text.bytes + at[i];
		s->headers[i].next = i + 1 < count ? &s->headers[i + 1] : NULL;
	}
	curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, count ? s->headers : NULL);
}

static void set_needs(struct state *s, const struct transfer *x)
{
	static const struct transfer_needs none;
	const struct transfer_needs *n = x->needs ? x->needs : &none;
	const bool secure = strncmp(x->url, "https:", 6) == 0;
	if (x->needs == s->needs && secure == s->secure)
		return;
	const long version = n->http == NEED_HTTP_1_1           ? CURL_HTTP_VERSION_1_1
	                     : n->http != NEED_HTTP_2 || secure ? CURL_HTTP_VERSION_2TLS
	                                                        : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
	/* On a kept connection libcurl 7.88 greets the server a second time, which ends it (its issue 10634). */
	const long alone = s->transport->breaks_h2c && version == CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
	curl_easy_setopt(s->easy, CURLOPT_FRESH_CONNECT, alone);
	curl_easy_setopt(s->easy, CURLOPT_FORBID_REUSE, alone);
	curl_easy_setopt(s->easy, CURLOPT_HTTP_VERSION, version);
	curl_easy_setopt(s->easy, CURLOPT_ACCEPT_ENCODING, n->compression ? "" : NULL);
	curl_easy_setopt(s->easy, CURLOPT_HTTPAUTH, n->user ? CURLAUTH_DIGEST : CURLAUTH_BASIC);
	curl_easy_setopt(s->easy, CURLOPT_USERNAME, n->user);
	curl_easy_setopt(s->easy, CURLOPT_PASSWORD, n->password);
	s->needs = x->needs;
	s->secure = secure;
}

static void set_url(struct state *s, const struct transfer *x)
{
	/* When libcurl asks again with credentials, 7.88 goes by the text that it was given last, and would take one of
	 * another host for a redirect. */
	const bool as_text = x->needs && x->needs->user;
	if (as_text == s->as_text && str_is(buf_str(&s->url), x->url))
		return;
	buf_clear(&s->url);
	buf_add(&s->url, str_from(x->url));
	s->as_text = as_text;
	/* What cannot be taken apart is for libcurl to refuse, in its own time and words. */
	const bool in_parts = !as_text && curl_url_set(s->parts, CURLUPART_URL, x->url, 0) == CURLUE_OK;
	curl_easy_setopt(s->easy, CURLOPT_CURLU, in_parts ? s->parts : NULL);
	if (!in_parts)
		curl_easy_setopt(s->easy, CURLOPT_URL, x->url);
}

/* libcurl's limit of connecting must not be the shorter one. */
static void set_timeout(struct state *s, const struct transfer *x)
{
	if (x->timeout == s->timeout)
		return;
	const long ms = x->timeout > CONNECT_TIMEOUT ? (long)(x->timeout / MILLISECOND) + 1000 : 0;
	curl_easy_setopt(s->easy, CURLOPT_CONNECTTIMEOUT_MS, ms);
	s->timeout = x->timeout;
}

static void curl_start(struct transport *base, struct transfer *x)
{
	struct curl_transport *t = container_of(base, struct curl_transport, base);
	struct state *s = x->states[TRANSPORT_CURL];
	must(!s->active && !s->cancelled);
	set_url(s, x);
	set_needs(s, x);
	set_method(s, x);
	set_headers(s, x);
	set_timeout(s, x);
	x->carried_by = TRANSPORT_CURL;
	x->first_byte = x->end = (struct mono){ 0 };
	x->status = 0;
	x->error = NET_NONE;
	x->detail[0] = '\0';
	x->new_connection = false;
	x->dns = x->connect = x->tls = 0;
	x->bytes_sent = x->bytes_received = 0;
	s->error[0] = '\0';
	s->socket_errno = 0;
	s->head_complete = s->restarted = false;
	s->active = true;
	x->sent = mono_now();
	if (x->timeout)
		deadlines_set(&t->deadlines, &s->deadline, mono_after(x->sent, x->timeout));
	must(curl_multi_add_handle(s->cell->multi, s->easy) == CURLM_OK);
}

static void on_cancel_timer(struct loop_timer *timer)
{
	struct curl_transport *t = container_of(timer, struct curl_transport, cancel_timer);
	/* One by one from the head: done() may detach any of them. */
	for (struct state *s; (s = t->cancelled);) {
		t->cancelled = s->next_cancelled;
		s->cancelled = false;
		s->transfer->ear->done(s->transfer);
	}
}

static void curl_cancel(struct transport *base, struct transfer *x)
{
	struct curl_transport *t = container_of(base, struct curl_transport, base);
	struct state *s = x->states[TRANSPORT_CURL];
	if (!s || !s->active)
		return;
	leave_multi(s);
	x->end = mono_now();
	x->error = NET_CANCELLED;
	strcpy(x->detail, "given up");
	s->cancelled = true;
	s->next_cancelled = t->cancelled;
	t->cancelled = s;
	loop_timer_start(t->loop, &t->cancel_timer, 0, on_cancel_timer);
}

/* --- birth and death --- */

static int curl_attach(struct transport *base, struct transfer *x, struct err *err)
{
	struct curl_transport *t = container_of(base, struct curl_transport, base);
	struct curl_cell *c = curl_cells_join(&t->cells);
	CURL *easy = c ? curl_easy_init() : NULL;
	CURLU *parts = easy ? curl_url() : NULL;
	if (!parts) {
		curl_easy_cleanup(easy);
		if (c)
			curl_cell_leave(c);
		return err_set(err, ERR_IO, "libcurl gives no handle; are there descriptors left?");
	}
	struct state *s = xcalloc(1, sizeof(*s));
	s->transfer = x;
	s->transport = t;
	s->cell = c;
	s->easy = easy;
	s->parts = parts;
	buf_init(&s->method, HEADER_TEXT_MAX);
	buf_init(&s->url, HEADER_TEXT_MAX);
	buf_init(&s->header_text, HEADER_TEXT_MAX);
	curl_bridge_set_up(easy, &t->cells, s, s->error, &s->socket_errno, &s->connect_to);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "weir/" WEIR_VERSION);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, s);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, s);
	x->states[TRANSPORT_CURL] = s;
	return 0;
}

static void forget_cancelled(struct curl_transport *t, struct state *gone)
{
	for (struct state **s = &t->cancelled; *s; s = &(*s)->next_cancelled)
		if (*s == gone) {
			*s = gone->next_cancelled;
			return;
		}
}

static void curl_detach(struct transport *base, struct transfer *x)
{
	struct curl_transport *t = container_of(base, struct curl_transport, base);
	struct state *s = x->states[TRANSPORT_CURL];
	if (!s)
		return;
	if (s->cancelled)
		forget_cancelled(t, s);
	if (s->active)
		leave_multi(s);
	deadlines_forget(&t->deadlines, &s->deadline);
	curl_easy_cleanup(s->easy);
	curl_url_cleanup(s->parts);
	curl_cell_leave(s->cell);
	buf_finish(&s->method);
	buf_finish(&s->url);
	buf_finish(&s->header_text);
	free(s);
	x->states[TRANSPORT_CURL] = NULL;
}

static void curl_destroy(struct transport *base)
{
	struct curl_transport *t = container_of(base, struct curl_transport, base);
	curl_cells_finish(&t->cells);
	deadlines_finish(&t->deadlines);
	loop_timer_stop(t->loop, &t->cancel_timer);
	free(t);
}

static const struct transport_ops curl_ops = {
	.name = "curl",
	.attach = curl_attach,
	.detach = curl_detach,
	.start = curl_start,
	.cancel = curl_cancel,
	.destroy = curl_destroy,
};

struct transport *transport_curl_create(struct loop *loop, const struct transport_options *options, struct err *err)
{
	struct curl_transport *t = xcalloc(1, sizeof(*t));
	t->options = *options;
	if (curl_cells_init(&t->cells, loop, &t->options, CELL_TRANSFERS, on_finished, err) < 0) {
		free(t);
		return NULL;
	}
	t->base.ops = &curl_ops;
	t->loop = loop;
	deadlines_init(&t->deadlines, loop, on_deadline);
	const unsigned version = curl_version_info(CURLVERSION_NOW)->version_num;
	t->counts_bodies = version >= 0x080700;
	t->breaks_h2c = version >= 0x075800 && version < 0x080000;
	return &t->base;
}
