/* What only replay does; what it has in common with the others is in tests/conform/test_transport*.c. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/transport_rig.h"

/* Every way to get memory is wrapped by the linker (see net/meson.build) and counted; not that of the peer's threads. */
static _Thread_local unsigned allocations;
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
	allocations++;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	allocations++;
	return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	allocations++;
	return __real_realloc(old, size);
}

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
static const struct peer_act ok_for_ever[] = {
	PEER_READ_ONE,
	PEER_SEND(OK_HEAD "Content-Length: 5\r\nX-Kind: good\r\n\r\nhello"),
	PEER_AGAIN,
};

static void ignore_header(struct transfer *x, struct str name, struct str value)
{
}

static void ignore_body(struct transfer *x, struct str bytes)
{
}

static void nothing_is_allocated_once_it_runs(void **state)
{
	static const struct transfer_ear ear = { ignore_header, ignore_body, client_on_done };
	const struct str_pair headers[] = { { STR("X-A"), STR("b") } };
	struct rig r;
	struct client c;
	SET_UP(&r, ok_for_ever);
	client_init(&r, &c);
	c.x.ear = &ear;
	c.x.headers = headers;
	c.x.header_count = 1;
	c.x.method = "POST";
	c.x.has_body = true;
	c.x.body = STR("a body");
	client_exchange(&r, &c);
	assert_true(allocations > 0); /* the counting works */
	const unsigned before = allocations;
	for (int i = 0; i < 100; i++) {
		c.done = 0;
		transport_start(r.transport, &c.x);
		while (c.done == 0)
			loop_turn(&r.loop, LOOP_WAIT);
	}
	assert_int_equal(allocations, before);
	assert_int_equal(peer_connections(r.peer), 1);
	client_finish(&r, &c);
	rig_tear_down(&r);
}

static void a_connection_with_something_behind_the_answer_is_given_up(void **state)
{
	static const struct peer_act more[] = { PEER_READ_ONE,
		                                PEER_SEND(OK_HEAD "Content-Length: 2\r\n\r\nok" OK_HEAD),
		                                { PEER_HANG, { 0 } } };
	struct rig r;
	struct client c;
	SET_UP(&r, more, ok_for_ever);
	client_init(&r, &c);
	client_exchange(&r, &c);
	client_assert_error(&c, NET_NONE);
	assert_string_equal(buf_cstr(&c.body), "ok");
	client_exchange(&r, &c);
	client_assert_error(&c, NET_NONE);
	assert_string_equal(buf_cstr(&c.body), "hello");
	assert_true(c.x.new_connection);
	client_finish(&r, &c);
	rig_tear_down(&r);
}

static int open_descriptors(void)
{
	int count = 0;
	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void an_idle_connection_that_speaks_or_ends_is_given_up(void **state)
{
	static const struct peer_act speaks[] = { PEER_READ_ONE,
		                                  PEER_SEND(OK_HEAD "Content-Length: 2\r\n\r\nok"),
		                                  { PEER_WAIT, { 0 } },
		                                  PEER_SEND("unasked"),
		                                  { PEER_HANG, { 0 } } };
	static const struct peer_act ends[] = {
		PEER_READ_ONE, PEER_SEND(OK_HEAD "Content-Length: 2\r\n\r\nok"), { PEER_WAIT, { 0 } }, PEER_CLOSE
	};
	const struct peer_act *const both[] = { speaks, ends };
	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		const struct peer_act *const scripts[] = { both[i], ok_for_ever };
		struct rig r;
		struct client c;
		rig_set_up(&r, TRANSPORT_REPLAY, scripts, 2);
		client_init(&r, &c);
		client_exchange(&r, &c);
		const int before = open_descriptors();
		peer_release(r.peer);
		while (open_descriptors() > before - 2) /* both ends are closed */
			loop_turn(&r.loop, LOOP_POLL);
		client_exchange(&r, &c);
		client_assert_error(&c, NET_NONE);
		assert_true(c.x.new_connection);
		assert_int_equal(peer_connections(r.peer), 2);
		assert_int_equal(peer_requests(r.peer), 2);
		client_finish(&r, &c);
		rig_tear_down(&r);
	}
}

static void a_request_is_sent_again_once_only(void **state)
{
	static const struct peer_act first[] = { PEER_READ_ONE, PEER_SEND(OK_HEAD "Content-Length: 2\r\n\r\nok"),
		                                 PEER_READ_ONE, PEER_CLOSE };
	static const struct peer_act never[] = { PEER_READ_ONE, PEER_CLOSE };
	struct rig r;
	struct client c;
	SET_UP(&r, first, never);
	client_init(&r, &c);
	client_exchange(&r, &c);
	client_exchange(&r, &c);
	client_assert_error(&c, NET_RESET);
	assert_int_equal(peer_requests(r.peer), 3);
	client_exchange(&r, &c); /* on a fresh connection: not at all */
	client_assert_error(&c, NET_RESET);
	assert_int_equal(peer_requests(r.peer), 4);
	client_finish(&r, &c);
	rig_tear_down(&r);
}

static void what_is_not_for_replay_is_refused_later(void **state)
{
	struct rig r;
	struct client c;
	SET_UP(&r, ok_for_ever);
	client_init(&r, &c);
	client_exchange(&r, &c);
	c.x.needs_curl = true;
	client_exchange(&r, &c); /* and never inside the call: the rig looks */
	client_assert_error(&c, NET_PROTOCOL);
	assert_int_equal(c.x.bytes_received, 0);
	c.x.needs_curl = false;
	client_exchange(&r, &c);
	client_assert_error(&c, NET_NONE);
	assert_int_equal(peer_requests(r.peer), 2);
	client_finish(&r, &c);
	rig_tear_down(&r);
}

static void an_answer_before_the_request_is_sent_ends_the_exchange(void **state)
{
	enum { SIZE = 16 << 20 };
	/* 200: libcurl would go on sending. */
	static const struct peer_act early[] = { PEER_SEND(OK_HEAD "Content-Length: 5\r\n\r\nenough"),
		                                 { PEER_WAIT, { 0 } },
		                                 PEER_CLOSE };
	struct rig r;
	struct client c;
	SET_UP(&r, early, ok_for_ever);
	client_init(&r, &c);
	c.x.method = "POST";
	c.x.has_body = true;
	c.x.body = (struct str){ calloc(SIZE, 1), SIZE };
	client_exchange(&r, &c);
	client_assert_error(&c, NET_NONE);
	assert_true(c.x.bytes_sent < SIZE);
	peer_release(r.peer);
	free((char *)c.x.body.p);
	c.x.body = STR("small");
	client_exchange(&r, &c);
	client_assert_error(&c, NET_NONE);
	assert_true(c.x.new_connection);
	client_finish(&r, &c);
	rig_tear_down(&r);
}

int main(void)
{
	static enum transport_kind kind = TRANSPORT_REPLAY;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(nothing_is_allocated_once_it_runs, &kind),
		cmocka_unit_test_prestate(a_connection_with_something_behind_the_answer_is_given_up, &kind),
		cmocka_unit_test_prestate(an_idle_connection_that_speaks_or_ends_is_given_up, &kind),
		cmocka_unit_test_prestate(a_request_is_sent_again_once_only, &kind),
		cmocka_unit_test_prestate(what_is_not_for_replay_is_refused_later, &kind),
		cmocka_unit_test_prestate(an_answer_before_the_request_is_sent_ends_the_exchange, &kind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
