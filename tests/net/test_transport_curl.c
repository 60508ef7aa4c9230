#include "net/transport.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/must.h"
#include "tests/support/peer.h"

#define DEADLINE (20 * SECOND)
#define BODY_MAX (16u << 20)

/* One user of the transport, and what it heard. */
struct client {
	struct transfer x;
	struct buf headers, body;
	int done;
	bool *calm; /* true while the test is inside start or cancel: nothing may be heard then */
};

struct rig {
	struct loop loop;
	struct transport *transport;
	struct peer *peer;
	bool calm;
	char url[128];
};

static void on_header(struct transfer *x, struct str name, struct str value)
{
	struct client *c = container_of(x, struct client, x);
	must(!*c->calm && c->done == 0);
	buf_add(&c->headers, name);
	buf_add(&c->headers, STR("="));
	buf_add(&c->headers, value);
	buf_add(&c->headers, STR("\n"));
}

static void on_body(struct transfer *x, struct str bytes)
{
	struct client *c = container_of(x, struct client, x);
	must(!*c->calm && c->done == 0);
	must(buf_add(&c->body, bytes));
}

static void on_done(struct transfer *x)
{
	struct client *c = container_of(x, struct client, x);
	must(!*c->calm);
	c->done++;
}

static const struct transfer_ear ear = { on_header, on_body, on_done };

static void set_up(struct rig *r, const struct peer_act *const *scripts, size_t count)
{
	const struct transport_options options = { 0 };
	struct err err;
	*r = (struct rig){ .calm = false };
	assert_int_equal(loop_init(&r->loop, &err), 0);
	r->transport = transport_curl_create(&r->loop, &options, &err);
	assert_non_null(r->transport);
	r->peer = peer_start(scripts, count);
	snprintf(r->url, sizeof(r->url), "%s/path?a=b", peer_origin(r->peer));
}

#define SET_UP(rig, ...)                                                       \
	static const struct peer_act *const scripts_of_it[] = { __VA_ARGS__ }; \
	set_up((rig), scripts_of_it, ARRAY_LEN(scripts_of_it))

static void tear_down(struct rig *r)
{
	transport_destroy(r->transport);
	loop_finish(&r->loop);
	peer_stop(r->peer);
}

static void client_init(struct rig *r, struct client *c)
{
	struct err err;
	*c = (struct client){ .calm = &r->calm };
	buf_init(&c->headers, 65536);
	buf_init(&c->body, BODY_MAX);
	assert_int_equal(transport_attach(r->transport, &c->x, &err), 0);
	c->x.method = "GET";
	c->x.url = r->url;
	c->x.timeout = DEADLINE;
	c->x.ear = &ear;
}

static void client_finish(struct rig *r, struct client *c)
{
	transport_detach(r->transport, &c->x);
	buf_finish(&c->headers);
	buf_finish(&c->body);
}

static void start(struct rig *r, struct client *c)
{
	c->done = 0;
	buf_clear(&c->headers);
	buf_clear(&c->body);
	r->calm = true;
	transport_start(r->transport, &c->x);
	r->calm = false;
}

static void no_alarm(struct loop_alarm *a)
{
}

/* Turns the loop until <*count> is <wanted>. */
static void turn_until(struct rig *r, const int *count, int wanted)
{
	struct loop_alarm alarm;
	struct err err;
	const struct mono until = mono_after(mono_now(), DEADLINE);
	assert_int_equal(loop_alarm_init(&r->loop, &alarm, no_alarm, &err), 0);
	loop_alarm_set(&alarm, until);
	while (*count < wanted && mono_now().ns < until.ns)
		loop_turn(&r->loop, LOOP_WAIT);
	loop_alarm_finish(&r->loop, &alarm);
	assert_int_equal(*count, wanted);
}

static void turn_until_body(struct rig *r, struct client *c, size_t len)
{
	/* The transfer has a timeout: the loop always wakes. */
	while (c->body.len < len && c->done == 0)
		loop_turn(&r->loop, LOOP_WAIT);
	assert_int_equal(c->done, 0);
}

/* Until the peer has read a request. */
static void turn_until_requested(struct rig *r)
{
	const struct mono until = mono_after(mono_now(), DEADLINE);
	while (peer_requests(r->peer) == 0 && mono_now().ns < until.ns)
		loop_turn(&r->loop, LOOP_POLL);
	assert_true(peer_requests(r->peer) > 0);
}

static void exchange(struct rig *r, struct client *c)
{
	start(r, c);
	turn_until(r, &c->done, 1);
}

static void assert_error(const struct client *c, enum net_error error)
{
	if (c->x.error != error)
		print_error("%s instead of %s: %s\n", net_error_text(c->x.error), net_error_text(error), c->x.detail);
	assert_int_equal(c->x.error, error);
	assert_true((c->x.detail[0] != '\0') == (error != NET_NONE));
	assert_true(c->x.end.ns >= c->x.sent.ns && c->x.sent.ns > 0);
}

/* Whether the requests that came hold <text>. */
static bool was_sent(struct rig *r, const char *text)
{
	size_t len;
	char *all = peer_received(r->peer, &len);
	const bool there = memmem(all, len, text, strlen(text)) != NULL;
	free(all);
	return there;
}

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
static const struct peer_act ok_for_ever[] = {
	PEER_READ_ONE,
	PEER_SEND(OK_HEAD "Content-Length: 5\r\nX-Kind:  good \r\nX-None:\r\n\r\nhello"),
	PEER_AGAIN,
};
static const struct peer_act headless_for_ever[] = {
	/* no body: also right after HEAD */
	PEER_READ_ONE,
	PEER_SEND("HTTP/1.1 204 No Content\r\n\r\n"),
	PEER_AGAIN,
};

/* --- requests --- */

static void an_answer_is_heard_whole(void **state)
{
	struct rig r;
	struct client c;
	SET_UP(&r, ok_for_ever);
	client_init(&r, &c);
	exchange(&r, &c);
	assert_error(&c, NET_NONE);
	assert_int_equal(c.x.status, 200);
	assert_string_equal(buf_cstr(&c.body), "hello");
	assert_string_equal(buf_cstr(&c.headers), "Content-Length=5\nX-Kind=good\nX-None=\n");
	assert_true(c.x.new_connection);
	assert_true(c.x.connect > 0 && c.x.tls == 0);
	assert_true(c.x.sent.ns <= c.x.first_byte.ns && c.x.first_byte.ns <= c.x.end.ns);
	assert_true(was_sent(&r, "GET /path?a=b HTTP/1.1\r\n"));
	assert_int_equal(c.x.bytes_received,
	                 strlen(OK_HEAD "Content-Length: 5\r\nX-Kind:  good \r\nX-None:\r\n\r\nhello"));
	client_finish(&r, &c);
	tear_down(&r);
}

static void methods_may_change_from_request_to_request(void **state)
{
	static const struct {
		const char *method, *body;
	} requests[] = {
		{ "GET", NULL },    { "POST", "a=1" },  { "HEAD", NULL },    { "PUT", "put" },     { "GET", NULL },
		{ "DELETE", NULL }, { "PATCH", "{}" },  { "OPTIONS", NULL }, { "DELETE", "why" },  { "HEAD", NULL },
		{ "POST", NULL },   { "POST", "" },     { "GET", "odd" },    { "PROPFIND", NULL }, { "PUT", NULL },
		{ "HEAD", NULL },   { "DELETE", NULL }, { "GET", NULL },
	};
	struct rig r;
	struct client c;
	char method[16]; /* one buffer for all: the text counts, not its address */
	uint64_t sent = 0;
	SET_UP(&r, headless_for_ever);
	client_init(&r, &c);
	c.x.method = method;
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		char head[64];
		size_t before, after;
		strcpy(method, requests[i].method);
		c.x.has_body = requests[i].body != NULL;
		c.x.body = str_from(requests[i].body);
		free(peer_received(r.peer, &before));
		exchange(&r, &c);
		assert_error(&c, NET_NONE);
		assert_int_equal(c.x.status, 204);
		char *all = peer_received(r.peer, &after);
		snprintf(head, sizeof(head), "%s /path?a=b HTTP/1.1\r\n", method);
		assert_memory_equal(all + before, head, strlen(head));
		const char *end = strstr(all + before, "\r\n\r\n") + 4;
		assert_string_equal(end, requests[i].body ? requests[i].body : "");
		assert_true(!strstr(all + before, "Transfer-Encoding") && !strstr(all + before, "Expect"));
		assert_int_equal(c.x.bytes_sent, after - before);
		sent += c.x.bytes_sent;
		free(all);
	}
	assert_int_equal(peer_requests(r.peer), ARRAY_LEN(requests));
	assert_int_equal(peer_connections(r.peer), 1);
	assert_true(sent > 0);
	client_finish(&r, &c);
	tear_down(&r);
}

static void a_head_answer_has_a_length_but_no_body(void **state)
{
	static const struct peer_act head[] = { PEER_READ_ONE, PEER_SEND(OK_HEAD "Content-Length: 100\r\n\r\n"),
		                                PEER_READ_ONE, PEER_SEND(OK_HEAD "Content-Length: 2\r\n\r\nok"),
		                                PEER_CLOSE };
	struct rig r;
	struct client c;
	SET_UP(&r, head);
	client_init(&r, &c);
	c.x.method = "HEAD";
	exchange(&r, &c);
	assert_error(&c, NET_NONE);
	assert_int_equal(c.body.len, 0);
	c.x.method = "GET";
	exchange(&r, &c);
	assert_error(&c, NET_NONE);
	assert_string_equal(buf_cstr(&c.body), "ok");
	assert_false(c.x.new_connection);
	client_finish(&r, &c);
	tear_down(&r);
}

static void headers_are_sent_as_given_also_without_a_value(void **state)
{
	const struct str_pair first[] = {
		{ STR("X-One"), STR("1") },         { STR("X-Empty"), STR("") },        { STR("X-Blank"), STR("  ") },
		{ STR("User-Agent"), STR("mine") }, { STR("X-Colon"), STR("a: b; c") },
	};
	const struct str_pair second[] = { { STR("X-Two"), STR("2") } };
	struct rig r;
	struct client c;
	size_t len, before;
	SET_UP(&r, ok_for_ever);
	client_init(&r, &c);
	c.x.headers = first;
	c.x.header_count = ARRAY_LEN(first);
	exchange(&r, &c);
	assert_true(was_sent(&r, "\r\nX-One: 1\r\n"));
	assert_true(was_sent(&r, "\r\nX-Empty:\r\n"));
	assert_true(was_sent(&r, "\r\nX-Blank:\r\n"));
	assert_true(was_sent(&r, "\r\nUser-Agent: mine\r\n"));
	assert_true(was_sent(&r, "\r\nX-Colon: a: b; c\r\n"));
	free(peer_received(r.peer, &before));
	c.x.headers = second;
	c.x.header_count = 1;
	exchange(&r, &c);
	char *all = peer_received(r.peer, &len);
	assert_non_null(strstr(all + before, "\r\nX-Two: 2\r\n"));
	assert_null(strstr(all + before, "X-One"));
	assert_null(strstr(all + before, "mine"));
	free(all);
	client_finish(&r, &c);
	tear_down(&r);
}

static void sixty_four_headers_and_a_body_fit(void **state)
{
	static char names[64][16];
	struct str_pair headers[64];
	struct rig r;
	struct client c;
	SET_UP(&r, ok_for_ever);
	client_init(&r, &c);
	for (int i = 0; i < 64; i++) {
		snprintf(names[i], sizeof(names[i]), "X-Name-%d", i);
		headers[i] = (struct str_pair){ str_from(names[i]), STR("v") };
	}
	c.x.headers = headers;
	c.x.header_count = 64;
	c.x.method = "POST";
	c.x.has_body = true;
	c.x.body = STR("body");
	exchange(&r, &c);
	assert_error(&c, NET_NONE);
	assert_true(was_sent(&r, "\r\nX-Name-63: v\r\n"));
	assert_false(was_sent(&r, "Expect"));
	client_finish(&r, &c);
	tear_down(&r);
}

/* --- bodies --- */

static void a_large_body_goes_up_whole(void **state)
{
	enum { SIZE = 3 << 20 };
	struct rig r;
	struct client c;
	char *body = xmalloc(SIZE + 1);
	size_t len;
	for (size_t i = 0; i < SIZE; i++)
		body[i] = (char)('a' + i * 7 % 26);
	SET_UP(&r, ok_for_ever);
	client_init(&r, &c);
	c.x.method = "PUT";
	c.x.has_body = true;
	c.x.body = (struct str){ body, SIZE };
	exchange(&r, &c);
	assert_error(&c, NET_NONE);
	char *all = peer_received(r.peer, &len);
	assert_true(len > SIZE);
	assert_memory_equal(all + len - SIZE, body, SIZE);
	assert_false(was_sent(&r, "Expect")); /* waiting for leave to send would be measured as the target's time */
	assert_int_equal(c.x.bytes_sent, len);
	free(all);
	free(body);
	client_finish(&r, &c);
	tear_down(&r);
}

static void bytes_sent_are_what_the_peer_got(void **state)
{
	static const size_t sizes[] = { 0, 1, 1000, 16384, 65535, 65536, 65537, 200000 };
	struct rig r;
	struct client c;
	char *body = xcalloc(200000, 1);
	size_t before, after;
	SET_UP(&r, ok_for_ever);
	client_init(&r, &c);
	c.x.method = "POST";
	c.x.has_body = true;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		c.x.body = (struct str){ body, sizes[i] };
		free(peer_received(r.peer, &before));
		exchange(&r, &c);
		free(peer_received(r.peer, &after));
		assert_int_equal(c.x.bytes_sent, after - before);
	}
	free(body);
	client_finish(&r, &c);
	tear_down(&r);
}

static void a_large_body_comes_down_in_parts(void **state)
{
	enum { SIZE = 2 << 20 };
	static char bytes[SIZE];
	struct peer_act acts[] = { PEER_READ_ONE,
		                   PEER_SEND(OK_HEAD "Content-Length: 4194304\r\n\r\n"),
		                   { PEER_WRITE, { bytes, SIZE } },
		                   { PEER_WAIT, { 0 } },
		                   { PEER_WRITE, { bytes, SIZE } },
		                   PEER_CLOSE };
	const struct peer_act *const scripts[] = { acts };
	struct rig r;
	struct client c;
	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (char)(i * 31);
	set_up(&r, scripts, 1);
	client_init(&r, &c);
	start(&r, &c);
	turn_until_body(&r, &c, SIZE); /* the second half waits for us */
	assert_int_equal(c.body.len, SIZE);
	assert_int_equal(c.done, 0);
	peer_release(r.peer);
	turn_until(&r, &c.done, 1);
	assert_error(&c, NET_NONE);
	assert_int_equal(c.body.len, 2 * SIZE);
	assert_memory_equal(c.body.bytes, bytes, SIZE);
	assert_memory_equal(c.body.bytes + SIZE, bytes, SIZE);
	client_finish(&r, &c);
	tear_down(&r);
}

static void chunks_and_closed_ends_are_bodies_too(void **state)
{
	static const struct peer_act chunked[] = {
		PEER_READ_ONE,
		PEER_SEND(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
		PEER_SEND("a\r\n0123456789\r\n0\r\n\r\n"),
		PEER_READ_ONE,
		PEER_SEND(OK_HEAD "Connection: close\r\n\r\nuntil the end"),
		PEER_CLOSE,
	};
	struct rig r;
	struct client c;
	SET_UP(&r, chunked);
	client_init(&r, &c);
	exchange(&r, &c);
	assert_error(&c, NET_NONE);
	assert_string_equal(buf_cstr(&c.body), "abc0123456789");
	exchange(&r, &c);
	assert_error(&c, NET_NONE);
	assert_string_equal(buf_cstr(&c.body), "until the end");
	assert_int_equal(peer_connections(r.peer), 1);
	client_finish(&r, &c);
	tear_down(&r);
}

static void an_ear_may_want_the_end_only(void **state)
{
	static const struct transfer_ear only_done = { NULL, NULL, on_done };
	struct rig r;
	struct client c;
	SET_UP(&r, ok_for_ever);
	client_init(&r, &c);
	c.x.ear = &only_done;
	exchange(&r, &c);
	assert_error(&c, NET_NONE);
	assert_true(c.x.first_byte.ns >= c.x.sent.ns);
	assert_true(c.x.bytes_received > 5);
	client_finish(&r, &c);
	tear_down(&r);
}

static void a_redirect_is_an_answer_like_any_other(void **state)
{
	static const struct peer_act moved[] = {
		PEER_READ_ONE, PEER_SEND("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"),
		PEER_AGAIN
	};
	struct rig r;
	struct client c;
	SET_UP(&r, moved);
	client_init(&r, &c);
	exchange(&r, &c);
	assert_error(&c, NET_NONE);
	assert_int_equal(c.x.status, 302);
	assert_int_equal(peer_requests(r.peer), 1);
	client_finish(&r, &c);
	tear_down(&r);
}

/* --- connections --- */

static void a_connection_is_kept(void **state)
{
	struct rig r;
	struct client c;
	SET_UP(&r, ok_for_ever);
	client_init(&r, &c);
	for (int i = 0; i < 20; i++) {
		exchange(&r, &c);
		assert_error(&c, NET_NONE);
		assert_true(c.x.new_connection == (i == 0));
		assert_true((c.x.connect > 0) == (i == 0));
	}
	assert_int_equal(peer_connections(r.peer), 1);
	assert_int_equal(peer_requests(r.peer), 20);
	client_finish(&r, &c);
	tear_down(&r);
}

static void a_connection_that_the_peer_closed_is_made_anew(void **state)
{
	static const struct peer_act once[] = { PEER_READ_ONE,
		                                PEER_SEND(OK_HEAD "Connection: close\r\nContent-Length: 2\r\n\r\nok"),
		                                PEER_CLOSE };
	struct rig r;
	struct client c;
	SET_UP(&r, once);
	client_init(&r, &c);
	for (unsigned i = 1; i <= 5; i++) {
		exchange(&r, &c);
		assert_error(&c, NET_NONE);
		assert_true(c.x.new_connection);
		assert_int_equal(peer_connections(r.peer), i);
	}
	client_finish(&r, &c);
	tear_down(&r);
}

/* Known and not to be turned off: libcurl sends a request again, once, when a kept connection ends before the first byte
 * of the answer. It is one transfer, whose time holds both, and it counts a connection. */
static void a_kept_connection_that_ends_under_a_request_is_replaced(void **state)
{
	static const struct peer_act one_and_a_half[] = { PEER_READ_ONE,
		                                          PEER_SEND(OK_HEAD "Content-Length: 5\r\n\r\nfirst"),
		                                          PEER_READ_ONE, PEER_CLOSE };
	struct rig r;
	struct client c;
	SET_UP(&r, one_and_a_half, ok_for_ever);
	client_init(&r, &c);
	exchange(&r, &c);
	assert_string_equal(buf_cstr(&c.body), "first");
	exchange(&r, &c);
	assert_error(&c, NET_NONE);
	assert_string_equal(buf_cstr(&c.body), "hello");
	assert_true(c.x.new_connection);
	assert_int_equal(peer_requests(r.peer), 3);
	client_finish(&r, &c);
	tear_down(&r);
}

static void two_hundred_transfers_share_a_loop(void **state)
{
	enum { CLIENTS = 200, ROUNDS = 5 };
	static struct client clients[CLIENTS];
	struct rig r;
	SET_UP(&r, ok_for_ever);
	for (int i = 0; i < CLIENTS; i++)
		client_init(&r, &clients[i]);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < CLIENTS; i++)
			start(&r, &clients[i]);
		for (int i = 0; i < CLIENTS; i++)
			turn_until(&r, &clients[i].done, 1);
		for (int i = 0; i < CLIENTS; i++) {
			assert_error(&clients[i], NET_NONE);
			assert_string_equal(buf_cstr(&clients[i].body), "hello");
			assert_true(clients[i].x.new_connection == (round == 0));
		}
	}
	assert_int_equal(peer_requests(r.peer), CLIENTS * ROUNDS);
	assert_int_equal(peer_connections(r.peer), CLIENTS);
	for (int i = 0; i < CLIENTS; i++)
		client_finish(&r, &clients[i]);
	tear_down(&r);
}

/* --- what goes wrong --- */

/* One exchange with a peer that follows <script>. */
static void expect_error(const struct peer_act *script, dur_ns timeout, enum net_error error, int status)
{
	const struct peer_act *const scripts[] = { script };
	struct rig r;
	struct client c;
	set_up(&r, scripts, 1);
	client_init(&r, &c);
	c.x.timeout = timeout;
	exchange(&r, &c);
	assert_error(&c, error);
	assert_int_equal(c.x.status, status);
	client_finish(&r, &c);
	tear_down(&r);
}

static void a_peer_that_ends_early_is_a_reset(void **state)
{
	static const struct peer_act silent[] = { PEER_READ_ONE, PEER_CLOSE };
	static const struct peer_act reset[] = { PEER_READ_ONE, { PEER_RESET, { 0 } } };
	static const struct peer_act half[] = { PEER_READ_ONE, PEER_SEND(OK_HEAD "Content-Length: 10\r\n\r\nhalf"),
		                                PEER_CLOSE };
	static const struct peer_act half_reset[] = { PEER_READ_ONE,
		                                      PEER_SEND(OK_HEAD "Content-Length: 10\r\n\r\nhalf"),
		                                      { PEER_WAIT, { 0 } },
		                                      { PEER_RESET, { 0 } } };
	static const struct peer_act half_chunk[] = { PEER_READ_ONE,
		                                      PEER_SEND(OK_HEAD "Transfer-Encoding: chunked\r\n\r\nff\r\nhalf"),
		                                      PEER_CLOSE };
	static const struct peer_act half_head[] = { PEER_READ_ONE, PEER_SEND(OK_HEAD "X-Kind: go"), PEER_CLOSE };
	static const struct peer_act no_blank_line[] = { PEER_READ_ONE, PEER_SEND(OK_HEAD "X-Kind: good\r\n"),
		                                         PEER_CLOSE };
	expect_error(silent, DEADLINE, NET_RESET, 0);
	expect_error(half_head, DEADLINE, NET_RESET, 200);
	expect_error(no_blank_line, DEADLINE, NET_RESET, 200);
	expect_error(reset, DEADLINE, NET_RESET, 0);
	expect_error(half, DEADLINE, NET_RESET, 200);
	expect_error(half_chunk, DEADLINE, NET_RESET, 200);

	const struct peer_act *const scripts[] = { half_reset };
	struct rig r;
	struct client c;
	set_up(&r, scripts, 1);
	client_init(&r, &c);
	start(&r, &c);
	turn_until_body(&r, &c, 4);
	peer_release(r.peer);
	turn_until(&r, &c.done, 1);
	assert_error(&c, NET_RESET);
	assert_string_equal(buf_cstr(&c.body), "half");
	client_finish(&r, &c);
	tear_down(&r);
}

static void bytes_that_are_not_http_are_a_protocol_error(void **state)
{
	static const struct peer_act noise[] = { PEER_READ_ONE, PEER_SEND("SSH-2.0-OpenSSH_9.2\r\n\r\n"), PEER_CLOSE };
	static const struct peer_act chunk[] = { PEER_READ_ONE,
		                                 PEER_SEND(OK_HEAD "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n"),
		                                 PEER_CLOSE };
	static const struct peer_act lengths[] = { PEER_READ_ONE, PEER_SEND(OK_HEAD "Content-Length: many\r\n\r\nabc"),
		                                   PEER_CLOSE };
	expect_error(noise, DEADLINE, NET_PROTOCOL, 0);
	expect_error(chunk, DEADLINE, NET_PROTOCOL, 200);
	expect_error(lengths, DEADLINE, NET_PROTOCOL, 200);
}

static void a_broken_chunk_after_a_reset_is_still_a_protocol_error(void **state)
{
	/* libcurl keeps the number of the last failed system call. */
	static const struct peer_act reset[] = { PEER_READ_ONE, { PEER_RESET, { 0 } } };
	static const struct peer_act chunk[] = { PEER_READ_ONE,
		                                 PEER_SEND(OK_HEAD "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n"),
		                                 PEER_CLOSE };
	struct rig r;
	struct client c;
	SET_UP(&r, reset, chunk, ok_for_ever);
	client_init(&r, &c);
	exchange(&r, &c);
	assert_error(&c, NET_RESET);
	exchange(&r, &c);
	assert_error(&c, NET_PROTOCOL);
	exchange(&r, &c);
	assert_error(&c, NET_NONE);
	assert_int_equal(c.x.status, 200);
	client_finish(&r, &c);
	tear_down(&r);
}

static void a_peer_that_is_silent_times_out(void **state)
{
	static const struct peer_act silent[] = { PEER_READ_ONE, { PEER_HANG, { 0 } } };
	static const struct peer_act slow_head[] = { PEER_READ_ONE,
		                                     PEER_SEND("HTTP/1.1 200 OK\r\nX-"),
		                                     { PEER_HANG, { 0 } } };
	static const struct peer_act slow_body[] = { PEER_READ_ONE,
		                                     PEER_SEND(OK_HEAD "Content-Length: 9\r\n\r\nslow"),
		                                     { PEER_HANG, { 0 } } };
	expect_error(silent, 50 * MILLISECOND, NET_TIMEOUT, 0);
	expect_error(slow_head, 50 * MILLISECOND, NET_TIMEOUT, 200);
	expect_error(slow_body, 50 * MILLISECOND, NET_TIMEOUT, 200);
	expect_error(silent, 10 * MICROSECOND, NET_TIMEOUT, 0);
}

static void a_timeout_is_never_early_and_may_change(void **state)
{
	static const struct peer_act silent[] = { PEER_READ_ONE, { PEER_HANG, { 0 } } };
	static const struct peer_act held[] = {
		PEER_READ_ONE, { PEER_WAIT, { 0 } }, PEER_SEND(OK_HEAD "Content-Length: 0\r\n\r\n"), PEER_AGAIN
	};
	struct rig r;
	struct client c;
	SET_UP(&r, silent, held);
	client_init(&r, &c);
	c.x.timeout = 60 * MILLISECOND;
	exchange(&r, &c);
	assert_error(&c, NET_TIMEOUT);
	assert_true(mono_since(c.x.end, c.x.sent) >= 60 * MILLISECOND);
	c.x.timeout = 0; /* none */
	start(&r, &c);
	peer_release(r.peer);
	turn_until(&r, &c.done, 1);
	assert_error(&c, NET_NONE);
	client_finish(&r, &c);
	tear_down(&r);
}

/* A port on which nobody listens: bound, so that nobody else takes it either. */
static int closed_port(uint16_t *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(address);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	must(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static void nobody_there_is_a_connect_error(void **state)
{
	struct rig r;
	struct client c;
	uint16_t port;
	const int fd = closed_port(&port);
	char url[64];
	SET_UP(&r, ok_for_ever);
	client_init(&r, &c);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", (unsigned)port);
	c.x.url = url;
	exchange(&r, &c);
	assert_error(&c, NET_CONNECT);
	assert_int_equal(c.x.status, 0);
	assert_int_equal(c.x.first_byte.ns, 0);
	c.x.url = r.url; /* the same handle, elsewhere */
	exchange(&r, &c);
	assert_error(&c, NET_NONE);
	client_finish(&r, &c);
	tear_down(&r);
	close(fd);
}

static void a_name_that_cannot_be_is_a_dns_error(void **state)
{
	struct rig r;
	struct client c;
	SET_UP(&r, ok_for_ever);
	client_init(&r, &c);
	/* A label of 64 letters: refused without asking anybody. */
	c.x.url = "http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.invalid/";
	exchange(&r, &c);
	assert_error(&c, NET_DNS);
	client_finish(&r, &c);
	tear_down(&r);
}

static void only_http_is_spoken(void **state)
{
	struct rig r;
	struct client c;
	SET_UP(&r, ok_for_ever);
	client_init(&r, &c);
	c.x.url = "file:///etc/hostname";
	exchange(&r, &c);
	assert_error(&c, NET_PROTOCOL);
	assert_int_equal(c.body.len, 0);
	client_finish(&r, &c);
	tear_down(&r);
}

/* --- giving up --- */

static const struct peer_act silent_then[] = { PEER_READ_ONE, { PEER_HANG, { 0 } } };

static void a_cancelled_transfer_is_done_later_and_once(void **state)
{
	struct rig r;
	struct client c;
	SET_UP(&r, silent_then, ok_for_ever);
	client_init(&r, &c);
	start(&r, &c);
	turn_until_requested(&r);
	r.calm = true;
	transport_cancel(r.transport, &c.x);
	transport_cancel(r.transport, &c.x); /* twice is once */
	r.calm = false;
	assert_int_equal(c.done, 0);
	turn_until(&r, &c.done, 1);
	assert_error(&c, NET_CANCELLED);
	assert_int_equal(c.x.status, 0);
	loop_turn(&r.loop, LOOP_POLL);
	assert_int_equal(c.done, 1);
	exchange(&r, &c);
	assert_error(&c, NET_NONE);
	assert_true(c.x.new_connection);
	transport_cancel(r.transport, &c.x); /* nothing under way */
	loop_turn(&r.loop, LOOP_POLL);
	assert_int_equal(c.done, 1);
	client_finish(&r, &c);
	tear_down(&r);
}

static void a_cancelled_transfer_does_not_wear_old_figures(void **state)
{
	struct rig r;
	struct client c;
	SET_UP(&r, ok_for_ever);
	client_init(&r, &c);
	exchange(&r, &c);
	assert_true(c.x.bytes_received > 0 && c.x.new_connection);
	start(&r, &c);
	transport_cancel(r.transport, &c.x);
	turn_until(&r, &c.done, 1);
	assert_int_equal(c.x.bytes_received, 0);
	assert_int_equal(c.x.bytes_sent, 0);
	assert_int_equal(c.x.status, 0);
	assert_false(c.x.new_connection);
	client_finish(&r, &c);
	tear_down(&r);
}

/* done() of the one that detaches the other. */
static struct transport *detaching;
static struct client *victim;
static void detach_victim(struct transfer *x)
{
	struct client *c = container_of(x, struct client, x);
	c->done++;
	if (victim != c)
		transport_detach(detaching, &victim->x);
}

static void done_may_detach_another_cancelled_transfer(void **state)
{
	static const struct transfer_ear detacher = { NULL, NULL, detach_victim };
	struct rig r;
	struct client a, b;
	SET_UP(&r, silent_then);
	client_init(&r, &a);
	client_init(&r, &b);
	a.x.ear = b.x.ear = &detacher;
	start(&r, &a);
	start(&r, &b);
	transport_cancel(r.transport, &a.x);
	transport_cancel(r.transport, &b.x);
	detaching = r.transport;
	/* Whichever is told first, it takes the other with it. */
	victim = &a;
	turn_until(&r, &b.done, 1);
	loop_turn(&r.loop, LOOP_POLL);
	assert_int_equal(a.done, 0);
	client_finish(&r, &a);
	client_finish(&r, &b);
	tear_down(&r);
}

static void a_detached_transfer_is_never_heard_of_again(void **state)
{
	struct rig r;
	struct client under_way, cancelled, not_begun, never = { 0 };
	SET_UP(&r, silent_then);
	client_init(&r, &under_way);
	client_init(&r, &cancelled);
	client_init(&r, &not_begun);
	start(&r, &under_way);
	turn_until_requested(&r);
	start(&r, &not_begun); /* no turn: not even connected */
	start(&r, &cancelled);
	transport_cancel(r.transport, &cancelled.x);
	client_finish(&r, &under_way);
	client_finish(&r, &cancelled);
	client_finish(&r, &not_begun);
	transport_detach(r.transport, &never.x); /* never attached is fine */
	for (int i = 0; i < 5; i++)
		loop_turn(&r.loop, LOOP_POLL);
	assert_int_equal(under_way.done + cancelled.done + not_begun.done, 0);
	tear_down(&r);
}

static void every_error_has_a_word(void **state)
{
	assert_string_equal(net_error_text(NET_NONE), "none");
	assert_string_equal(net_error_text(NET_DNS), "dns");
	assert_string_equal(net_error_text(NET_CANCELLED), "cancelled");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_heard_whole),
		cmocka_unit_test(methods_may_change_from_request_to_request),
		cmocka_unit_test(a_head_answer_has_a_length_but_no_body),
		cmocka_unit_test(headers_are_sent_as_given_also_without_a_value),
		cmocka_unit_test(sixty_four_headers_and_a_body_fit),
		cmocka_unit_test(a_large_body_goes_up_whole),
		cmocka_unit_test(bytes_sent_are_what_the_peer_got),
		cmocka_unit_test(a_large_body_comes_down_in_parts),
		cmocka_unit_test(chunks_and_closed_ends_are_bodies_too),
		cmocka_unit_test(an_ear_may_want_the_end_only),
		cmocka_unit_test(a_redirect_is_an_answer_like_any_other),
		cmocka_unit_test(a_connection_is_kept),
		cmocka_unit_test(a_connection_that_the_peer_closed_is_made_anew),
		cmocka_unit_test(a_kept_connection_that_ends_under_a_request_is_replaced),
		cmocka_unit_test(two_hundred_transfers_share_a_loop),
		cmocka_unit_test(a_peer_that_ends_early_is_a_reset),
		cmocka_unit_test(bytes_that_are_not_http_are_a_protocol_error),
		cmocka_unit_test(a_broken_chunk_after_a_reset_is_still_a_protocol_error),
		cmocka_unit_test(a_peer_that_is_silent_times_out),
		cmocka_unit_test(a_timeout_is_never_early_and_may_change),
		cmocka_unit_test(nobody_there_is_a_connect_error),
		cmocka_unit_test(a_name_that_cannot_be_is_a_dns_error),
		cmocka_unit_test(only_http_is_spoken),
		cmocka_unit_test(a_cancelled_transfer_is_done_later_and_once),
		cmocka_unit_test(a_cancelled_transfer_does_not_wear_old_figures),
		cmocka_unit_test(done_may_detach_another_cancelled_transfer),
		cmocka_unit_test(a_detached_transfer_is_never_heard_of_again),
		cmocka_unit_test(every_error_has_a_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
