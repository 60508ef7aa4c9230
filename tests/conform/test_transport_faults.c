/* For every kind of transport: what goes wrong, and giving up. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tests/support/transport_rig.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
static const struct peer_act ok_for_ever[] = {
	PEER_READ_ONE,
	PEER_SEND(OK_HEAD "Content-Length: 5\r\nX-Kind:  good \r\nX-None:\r\n\r\nhello"),
	PEER_AGAIN,
};
/* --- what goes wrong --- */

/* One exchange with a peer that follows <script>. */
static void expect_error(void **state, const struct peer_act *script, dur_ns timeout, enum net_error error, int status)
{
	const struct peer_act *const scripts[] = { script };
	struct rig r;
	struct client c;
	rig_set_up(&r, *(const enum transport_kind *)*state, scripts, 1);
	client_init(&r, &c);
	c.x.timeout = timeout;
	client_exchange(&r, &c);
	client_assert_error(&c, error);
	assert_int_equal(c.x.status, status);
	client_finish(&r, &c);
	rig_tear_down(&r);
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
	expect_error(state, silent, DEADLINE, NET_RESET, 0);
	expect_error(state, half_head, DEADLINE, NET_RESET, 200);
	expect_error(state, no_blank_line, DEADLINE, NET_RESET, 200);
	expect_error(state, reset, DEADLINE, NET_RESET, 0);
	expect_error(state, half, DEADLINE, NET_RESET, 200);
	expect_error(state, half_chunk, DEADLINE, NET_RESET, 200);

	const struct peer_act *const scripts[] = { half_reset };
	struct rig r;
	struct client c;
	rig_set_up(&r, *(const enum transport_kind *)*state, scripts, 1);
	client_init(&r, &c);
	client_start(&r, &c);
	client_turn_until_body(&r, &c, 4);
	peer_release(r.peer);
	rig_turn_until(&r, &c.done, 1);
	client_assert_error(&c, NET_RESET);
	assert_string_equal(buf_cstr(&c.body), "half");
	client_finish(&r, &c);
	rig_tear_down(&r);
}

static void bytes_that_are_not_http_are_a_protocol_error(void **state)
{
	static const struct peer_act noise[] = { PEER_READ_ONE, PEER_SEND("SSH-2.0-OpenSSH_9.2\r\n\r\n"), PEER_CLOSE };
	static const struct peer_act chunk[] = { PEER_READ_ONE,
		                                 PEER_SEND(OK_HEAD "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n"),
		                                 PEER_CLOSE };
	static const struct peer_act lengths[] = { PEER_READ_ONE, PEER_SEND(OK_HEAD "Content-Length: many\r\n\r\nabc"),
		                                   PEER_CLOSE };
	expect_error(state, noise, DEADLINE, NET_PROTOCOL, 0);
	expect_error(state, chunk, DEADLINE, NET_PROTOCOL, 200);
	expect_error(state, lengths, DEADLINE, NET_PROTOCOL, 200);
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
	client_exchange(&r, &c);
	client_assert_error(&c, NET_RESET);
	client_exchange(&r, &c);
	client_assert_error(&c, NET_PROTOCOL);
	client_exchange(&r, &c);
	client_assert_error(&c, NET_NONE);
	assert_int_equal(c.x.status, 200);
	client_finish(&r, &c);
	rig_tear_down(&r);
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
	expect_error(state, silent, 50 * MILLISECOND, NET_TIMEOUT, 0);
	expect_error(state, slow_head, 50 * MILLISECOND, NET_TIMEOUT, 200);
	expect_error(state, slow_body, 50 * MILLISECOND, NET_TIMEOUT, 200);
	expect_error(state, silent, 10 * MICROSECOND, NET_TIMEOUT, 0);
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
	client_exchange(&r, &c);
	client_assert_error(&c, NET_TIMEOUT);
	assert_true(mono_since(c.x.end, c.x.sent) >= 60 * MILLISECOND);
	c.x.timeout = 0; /* none */
	client_start(&r, &c);
	peer_release(r.peer);
	rig_turn_until(&r, &c.done, 1);
	client_assert_error(&c, NET_NONE);
	client_finish(&r, &c);
	rig_tear_down(&r);
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
	client_exchange(&r, &c);
	client_assert_error(&c, NET_CONNECT);
	assert_false(c.x.new_connection);
	assert_int_equal(c.x.status, 0);
	assert_int_equal(c.x.first_byte.ns, 0);
	c.x.url = r.url; /* the same handle, elsewhere */
	client_exchange(&r, &c);
	client_assert_error(&c, NET_NONE);
	client_finish(&r, &c);
	rig_tear_down(&r);
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
	client_exchange(&r, &c);
	client_assert_error(&c, NET_DNS);
	client_finish(&r, &c);
	rig_tear_down(&r);
}

static void a_handshake_that_fails_has_no_time(void **state)
{
	static const struct peer_act no_tls[] = { PEER_SEND("HTTP/1.1 400 No\r\n\r\n"), { PEER_HANG, { 0 } } };
	static const struct peer_act silent[] = { { PEER_HANG, { 0 } } };
	struct rig r;
	struct client c;
	SET_UP(&r, no_tls, silent, ok_for_ever);
	client_init(&r, &c);
	char *url = xasprintf("https%s/", peer_origin(r.peer) + strlen("http"));
	c.x.url = url;
	client_exchange(&r, &c);
	client_assert_error(&c, NET_TLS);
	assert_true(c.x.new_connection == (c.x.connect > 0)); /* not all versions of libcurl know */
	assert_int_equal(c.x.tls, 0);
	assert_int_equal(c.x.dns, 0);
	c.x.timeout = 300 * MILLISECOND;
	client_exchange(&r, &c);
	client_assert_error(&c, NET_TIMEOUT);
	assert_true(c.x.new_connection == (c.x.connect > 0));
	assert_int_equal(c.x.tls, 0);
	c.x.timeout = DEADLINE;
	c.x.url = r.url;
	client_exchange(&r, &c);
	client_assert_error(&c, NET_NONE);
	client_finish(&r, &c);
	rig_tear_down(&r);
	free(url);
}

static void only_http_is_spoken(void **state)
{
	struct rig r;
	struct client c;
	SET_UP(&r, ok_for_ever);
	client_init(&r, &c);
	c.x.url = "file:///etc/hostname";
	client_exchange(&r, &c);
	client_assert_error(&c, NET_PROTOCOL);
	assert_int_equal(c.body.len, 0);
	client_finish(&r, &c);
	rig_tear_down(&r);
}

/* --- giving up --- */

static const struct peer_act silent_then[] = { PEER_READ_ONE, { PEER_HANG, { 0 } } };

static void a_cancelled_transfer_is_done_later_and_once(void **state)
{
	struct rig r;
	struct client c;
	SET_UP(&r, silent_then, ok_for_ever);
	client_init(&r, &c);
	client_start(&r, &c);
	rig_turn_until_requested(&r);
	r.calm = true;
	transport_cancel(r.transport, &c.x);
	transport_cancel(r.transport, &c.x); /* twice is once */
	r.calm = false;
	assert_int_equal(c.done, 0);
	rig_turn_until(&r, &c.done, 1);
	client_assert_error(&c, NET_CANCELLED);
	assert_int_equal(c.x.status, 0);
	loop_turn(&r.loop, LOOP_POLL);
	assert_int_equal(c.done, 1);
	client_exchange(&r, &c);
	client_assert_error(&c, NET_NONE);
	assert_true(c.x.new_connection);
	transport_cancel(r.transport, &c.x); /* nothing under way */
	loop_turn(&r.loop, LOOP_POLL);
	assert_int_equal(c.done, 1);
	client_finish(&r, &c);
	rig_tear_down(&r);
}

static void a_cancelled_transfer_does_not_wear_old_figures(void **state)
{
	struct rig r;
	struct client c;
	SET_UP(&r, ok_for_ever);
	client_init(&r, &c);
	client_exchange(&r, &c);
	assert_true(c.x.bytes_received > 0 && c.x.new_connection);
	client_start(&r, &c);
	transport_cancel(r.transport, &c.x);
	rig_turn_until(&r, &c.done, 1);
	assert_int_equal(c.x.bytes_received, 0);
	assert_int_equal(c.x.bytes_sent, 0);
	assert_int_equal(c.x.status, 0);
	assert_false(c.x.new_connection);
	client_finish(&r, &c);
	rig_tear_down(&r);
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
	client_start(&r, &a);
	client_start(&r, &b);
	transport_cancel(r.transport, &a.x);
	transport_cancel(r.transport, &b.x);
	detaching = r.transport;
	/* Whichever is told first, it takes the other with it. */
	victim = &a;
	rig_turn_until(&r, &b.done, 1);
	loop_turn(&r.loop, LOOP_POLL);
	assert_int_equal(a.done, 0);
	client_finish(&r, &a);
	client_finish(&r, &b);
	rig_tear_down(&r);
}

static void a_detached_transfer_is_never_heard_of_again(void **state)
{
	struct rig r;
	struct client under_way, cancelled, not_begun, never = { 0 };
	SET_UP(&r, silent_then);
	client_init(&r, &under_way);
	client_init(&r, &cancelled);
	client_init(&r, &not_begun);
	client_start(&r, &under_way);
	rig_turn_until_requested(&r);
	client_start(&r, &not_begun); /* no turn: not even connected */
	client_start(&r, &cancelled);
	transport_cancel(r.transport, &cancelled.x);
	client_finish(&r, &under_way);
	client_finish(&r, &cancelled);
	client_finish(&r, &not_begun);
	transport_detach(r.transport, &never.x); /* never attached is fine */
	for (int i = 0; i < 5; i++)
		loop_turn(&r.loop, LOOP_POLL);
	assert_int_equal(under_way.done + cancelled.done + not_begun.done, 0);
	rig_tear_down(&r);
}

int main(void)
{
	static const struct rig_case cases[] = {
		RIG_CASE(a_peer_that_ends_early_is_a_reset),
		RIG_CASE(bytes_that_are_not_http_are_a_protocol_error),
		RIG_CASE(a_broken_chunk_after_a_reset_is_still_a_protocol_error),
		RIG_CASE(a_peer_that_is_silent_times_out),
		RIG_CASE(a_timeout_is_never_early_and_may_change),
		RIG_CASE(nobody_there_is_a_connect_error),
		RIG_CASE(a_name_that_cannot_be_is_a_dns_error),
		RIG_CASE(a_handshake_that_fails_has_no_time),
		RIG_CASE(only_http_is_spoken),
		RIG_CASE(a_cancelled_transfer_is_done_later_and_once),
		RIG_CASE(a_cancelled_transfer_does_not_wear_old_figures),
		RIG_CASE(done_may_detach_another_cancelled_transfer),
		RIG_CASE(a_detached_transfer_is_never_heard_of_again),
	};
	return rig_run(cases, ARRAY_LEN(cases));
}
