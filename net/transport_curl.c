/* transport_curl.c: transfers over libcurl's multi interface, driven by the loop's sockets and timers.
 *
 * cell   one multi with up to CELL_TRANSFERS easy handles. libcurl looks connections up linearly (and 7.88 polls each
 *        idle candidate), so a worker with thousands of users spreads them over many small multis.
 * state  what a transfer keeps for its life: its easy handle, its header list and the text of its headers. Easy
 *        handles are never reset; only what changed since the last request is set again.
 *
 * libcurl asks for a timeout of 0 when a handle is added. It must not be driven from inside its own callback, so the
 * request leaves in the next turn through a timer of 0; libev then does not sleep, and many starts share one turn. */
#include "net/transport.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/must.h"

#define CELL_TRANSFERS 64
#define HEADERS_MAX 64
/* Before libcurl 8.7: a smaller body leaves together with the head. */
#define BODY_WITH_HEAD_MAX (64u << 10)
#define HEADER_TEXT_MAX (256u << 10)

struct curl_transport;

struct cell {
	struct curl_transport *transport;
	CURLM *multi;
	struct loop_timer timer;
	int transfers; /* attached */
};

struct cell_socket {
	struct loop_fd watch;
	struct cell *cell;
	curl_socket_t fd;
};

enum request_kind { KIND_NONE, KIND_GET, KIND_HEAD, KIND_BODY, KIND_CUSTOM };

struct state {
	struct transfer *transfer;
	struct cell *cell;
	CURL *easy;
	bool active; /* in the multi */
	bool head_complete;
	bool cancelled;
	struct state *next_cancelled;
	enum request_kind kind;
	struct buf method, url, header_text; /* as libcurl was told last */
	struct curl_slist headers[HEADERS_MAX + 2];
	dur_ns timeout;
	char error[CURL_ERROR_SIZE];
};

struct curl_transport {
	struct transport base;
	struct loop *loop;
	bool insecure;
	bool counts_bodies; /* libcurl 8.7 and later: see sent_bytes */
	struct cell **cells;
	size_t cell_count;
	struct state *cancelled;
	struct loop_timer cancel_timer;
};

static void finish_transfer(struct state *s, CURLcode code);

static void drain(struct cell *c)
{
	int left;
	for (CURLMsg *m; (m = curl_multi_info_read(c->multi, &left));) {
		struct state *s = NULL;
		const CURLcode code = m->data.result;
		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&s);
		finish_transfer(s, code);
	}
}

static void drive(struct cell *c, curl_socket_t fd, int what)
{
	int running;
	curl_multi_socket_action(c->multi, fd, what, &running);
	drain(c);
}

static void on_ready(struct loop_fd *w, int what)
{
	struct cell_socket *k = container_of(w, struct cell_socket, watch);
	/* <k> may be gone when drive returns. */
	drive(k->cell, k->fd, (what & LOOP_READ ? CURL_CSELECT_IN : 0) | (what & LOOP_WRITE ? CURL_CSELECT_OUT : 0));
}

static void on_timer(struct loop_timer *t)
{
	drive(container_of(t, struct cell, timer), CURL_SOCKET_TIMEOUT, 0);
}

/* libcurl tells which socket to watch for what. */
static int socket_wanted(CURL *easy, curl_socket_t fd, int what, void *cell, void *socket)
{
	struct cell *c = cell;
	struct cell_socket *k = socket;
	if (what == CURL_POLL_REMOVE) {
		if (k) {
			loop_fd_stop(c->transport->loop, &k->watch);
			free(k);
			curl_multi_assign(c->multi, fd, NULL);
		}
		return 0;
	}
	if (!k) {
		k = xcalloc(1, sizeof(*k));
		k->cell = c;
		k->fd = fd;
		curl_multi_assign(c->multi, fd, k);
	}
	loop_fd_watch(c->transport->loop, &k->watch, fd,
	              (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0), on_ready);
	return 0;
}

static int timer_wanted(CURLM *multi, long timeout_ms, void *cell)
{
	struct cell *c = cell;
	if (timeout_ms < 0)
		loop_timer_stop(c->transport->loop, &c->timer);
	else
		loop_timer_start(c->transport->loop, &c->timer, timeout_ms * MILLISECOND, on_timer);
	return 0;
}

static enum net_error error_of(CURLcode code, long os_errno, const char *text)
{
	/* Not an enum switch over all of libcurl's codes: what is not named here is a protocol error. */
	switch ((int)code) {
	case CURLE_OK:
		return NET_NONE;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return NET_DNS;
	case CURLE_COULDNT_CONNECT:
		return NET_CONNECT;
	case CURLE_OPERATION_TIMEDOUT:
		return NET_TIMEOUT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CRL_BADFILE:
	case CURLE_SSL_SHUTDOWN_FAILED:
	case CURLE_SSL_INVALIDCERTSTATUS:
	case CURLE_USE_SSL_FAILED:
		return NET_TLS;
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_SEND_ERROR:
		return NET_RESET;
	case CURLE_RECV_ERROR:
		/* libcurl says "receive error" to a broken chunk, too; only a failed system call is a reset. The number of
		 * an earlier one stays with the handle, so the text has to tell. */
		return os_errno && !strstr(text, "chunk") ? NET_RESET : NET_PROTOCOL;
	default:
		return NET_PROTOCOL;
	}
}

static dur_ns curl_time(CURL *easy, CURLINFO info)
{
	curl_off_t us = 0;
	curl_easy_getinfo(easy, info, &us);
	return us * MICROSECOND;
}

/* libcurl counts a body that it sends together with the head as part of the request, too, and from 8.7 on any. */
static uint64_t sent_bytes(const struct state *s, const struct transfer *x, uint64_t request, uint64_t body)
{
	const bool counted = s->cell->transport->counts_bodies || x->body.len < BODY_WITH_HEAD_MAX;
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
	x->new_connection = connects > 0;
	if (connects > 0) {
		const dur_ns dns = curl_time(s->easy, CURLINFO_NAMELOOKUP_TIME_T);
		const dur_ns connected = curl_time(s->easy, CURLINFO_CONNECT_TIME_T);
		const dur_ns secured = curl_time(s->easy, CURLINFO_APPCONNECT_TIME_T);
		x->dns = dns;
		x->connect = connected > dns ? connected - dns : 0;
		x->tls = secured > connected ? secured - connected : 0;
	}
}

static void finish_transfer(struct state *s, CURLcode code)
{
	struct transfer *x = s->transfer;
	long os_errno = 0;
	x->end = mono_now();
	curl_easy_getinfo(s->easy, CURLINFO_OS_ERRNO, &os_errno);
	x->error = error_of(code, os_errno, s->error);
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
	curl_multi_remove_handle(s->cell->multi, s->easy);
	s->active = false;
	x->ear->done(x);
}

static size_t on_header(char *bytes, size_t size, size_t count, void *state)
{
	struct state *s = state;
	struct transfer *x = s->transfer;
	const struct str line = str_trim((struct str){ bytes, size * count });
	if (x->first_byte.ns == 0)
		x->first_byte = mono_now();
	if (line.len == 0)
		s->head_complete = true;
	if (x->ear->header) {
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
	const enum request_kind kind = x->has_body                        ? KIND_BODY
	                               : strcmp(x->method, "GET") == 0    ? KIND_GET
	                               : strcmp(x->method, "HEAD") == 0   ? KIND_HEAD
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

static void curl_start(struct transport *t, struct transfer *x)
{
	struct state *s = x->state;
	must(!s->active && !s->cancelled);
	if (!str_is(buf_str(&s->url), x->url)) {
		buf_clear(&s->url);
		buf_add(&s->url, str_from(x->url));
		curl_easy_setopt(s->easy, CURLOPT_URL, x->url);
	}
	set_method(s, x);
	set_headers(s, x);
	if (x->timeout != s->timeout) {
		/* At least 1 ms: 0 would mean none. */
		const long ms = (long)(x->timeout / MILLISECOND);
		curl_easy_setopt(s->easy, CURLOPT_TIMEOUT_MS, x->timeout && ms == 0 ? 1L : ms);
		curl_easy_setopt(s->easy, CURLOPT_CONNECTTIMEOUT_MS, x->timeout && ms == 0 ? 1L : ms);
		s->timeout = x->timeout;
	}
	x->first_byte = x->end = (struct mono){ 0 };
	x->status = 0;
	x->error = NET_NONE;
	x->detail[0] = '\0';
	x->new_connection = false;
	x->dns = x->connect = x->tls = 0;
	x->bytes_sent = x->bytes_received = 0;
	s->error[0] = '\0';
	s->head_complete = false;
	s->active = true;
	x->sent = mono_now();
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
	struct state *s = x->state;
	if (!s || !s->active)
		return;
	curl_multi_remove_handle(s->cell->multi, s->easy);
	s->active = false;
	x->end = mono_now();
	x->error = NET_CANCELLED;
	strcpy(x->detail, "given up");
	s->cancelled = true;
	s->next_cancelled = t->cancelled;
	t->cancelled = s;
	loop_timer_start(t->loop, &t->cancel_timer, 0, on_cancel_timer);
}

/* --- birth and death --- */

static struct cell *cell_create(struct curl_transport *t)
{
	struct cell *c = xcalloc(1, sizeof(*c));
	c->transport = t;
	c->multi = curl_multi_init();
	if (!c->multi) {
		free(c);
		return NULL;
	}
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)CELL_TRANSFERS);
	t->cells = xreallocarray(t->cells, t->cell_count + 1, sizeof(struct cell *));
	t->cells[t->cell_count++] = c;
	return c;
}

static struct cell *cell_with_room(struct curl_transport *t)
{
	for (size_t i = t->cell_count; i > 0; i--)
		if (t->cells[i - 1]->transfers < CELL_TRANSFERS)
			return t->cells[i - 1];
	return cell_create(t);
}

static int curl_attach(struct transport *base, struct transfer *x, struct err *err)
{
	struct curl_transport *t = container_of(base, struct curl_transport, base);
	struct cell *c = cell_with_room(t);
	CURL *easy = c ? curl_easy_init() : NULL;
	if (!easy)
		return err_set(err, ERR_IO, "libcurl gives no handle; are there descriptors left?");
	struct state *s = xcalloc(1, sizeof(*s));
	s->transfer = x;
	s->cell = c;
	s->easy = easy;
	buf_init(&s->method, HEADER_TEXT_MAX);
	buf_init(&s->url, HEADER_TEXT_MAX);
	buf_init(&s->header_text, HEADER_TEXT_MAX);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, s);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "weir/" WEIR_VERSION);
	/* A proxy in the environment would be measured instead of the target. */
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, s);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, s);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, s->error);
	if (t->insecure) {
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	c->transfers++;
	x->state = s;
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
	struct state *s = x->state;
	if (!s)
		return;
	if (s->cancelled)
		forget_cancelled(t, s);
	if (s->active)
		curl_multi_remove_handle(s->cell->multi, s->easy);
	curl_easy_cleanup(s->easy);
	s->cell->transfers--;
	buf_finish(&s->method);
	buf_finish(&s->url);
	buf_finish(&s->header_text);
	free(s);
	x->state = NULL;
}

static void curl_destroy(struct transport *base)
{
	struct curl_transport *t = container_of(base, struct curl_transport, base);
	for (size_t i = 0; i < t->cell_count; i++) {
		must(t->cells[i]->transfers == 0);
		curl_multi_cleanup(t->cells[i]->multi);
		loop_timer_stop(t->loop, &t->cells[i]->timer);
		free(t->cells[i]);
	}
	loop_timer_stop(t->loop, &t->cancel_timer);
	free(t->cells);
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
	/* Thread-safe since libcurl 7.84, and counted: never undone, it lives as long as the process. */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		err_set(err, ERR_IO, "libcurl cannot start");
		return NULL;
	}
	struct curl_transport *t = xcalloc(1, sizeof(*t));
	t->base.ops = &curl_ops;
	t->loop = loop;
	t->insecure = options->insecure;
	t->counts_bodies = curl_version_info(CURLVERSION_NOW)->version_num >= 0x080700;
	return &t->base;
}
