#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/transport_rig.h"

static const enum transport_kind kind = TRANSPORT_AUTO;

static const struct peer_act zipped[] = {
	PEER_READ_ONE,
	/* gzip of "hello\n" */
	PEER_SEND(
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 26\r\n\r\n"
		"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\xe7\x02\x00\x20\x30\x3a\x36\x06\x00\x00\x00"),
	PEER_READ_ONE, PEER_SEND("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), PEER_CLOSE
};

static void compressed_answers_are_handed_out_decoded(void **state)
{
	static const struct transfer_needs needs = { .compression = true };
	struct rig r;
	struct client c;
	SET_UP(&r, zipped);
	client_init(&r, &c);
	c.x.needs = &needs;
	c.x.needs_curl = needs_curl_only(&needs);
	client_exchange(&r, &c);
	client_assert_error(&c, NET_NONE);
	assert_int_equal(c.x.carried_by, TRANSPORT_CURL);
	assert_true(str_is(buf_str(&c.body), "hello\n"));
	assert_true(rig_was_sent(&r, "Accept-Encoding: "));
	client_finish(&r, &c);
	rig_tear_down(&r);
}

static const struct peer_act digest[] = {
	PEER_READ_ONE,
	PEER_SEND("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n"
	          "Content-Length: 0\r\n\r\n"),
	PEER_READ_ONE, PEER_SEND("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), PEER_AGAIN
};

static void digest_answers_the_challenge(void **state)
{
	static const struct transfer_needs needs = { .user = "ann", .password = "secret" };
	struct rig r;
	struct client c;
	SET_UP(&r, digest);
	client_init(&r, &c);
	c.x.needs = &needs;
	c.x.needs_curl = needs_curl_only(&needs);
	client_exchange(&r, &c);
	client_assert_error(&c, NET_NONE);
	assert_int_equal(c.x.status, 200);
	assert_true(rig_was_sent(&r, "Authorization: Digest username=\"ann\""));
	assert_false(rig_was_sent(&r, "secret"));
	client_finish(&r, &c);
	rig_tear_down(&r);
}

static const struct peer_act hello[] = { PEER_READ_ONE, PEER_SEND("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
	                                 PEER_AGAIN };

/* libcurl 7.88 took the second try of a handle that had been elsewhere before for a redirect to another host. */
static void digest_is_answered_wherever_the_handle_was_before(void **state)
{
	static const struct transfer_needs needs = { .user = "ann", .password = "secret" };
	static const struct peer_act *const elsewhere[] = { hello };
	static const struct peer_act challenge[] = {
		PEER_READ_ONE,
		PEER_SEND(
			"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n"
			"Connection: close\r\nContent-Length: 0\r\n\r\n"),
		PEER_CLOSE
	};
	struct peer *other = peer_start(elsewhere, 1);
	struct rig r;
	struct client c;
	char url[64];
	SET_UP(&r, challenge, hello);
	client_init(&r, &c);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", (unsigned)peer_port(other));
	c.x.url = url;
	c.x.needs_curl = true;
	client_exchange(&r, &c);
	assert_int_equal(c.x.status, 200);
	c.x.url = r.url;
	c.x.needs = &needs;
	client_exchange(&r, &c);
	client_assert_error(&c, NET_NONE);
	assert_int_equal(c.x.status, 200);
	assert_true(rig_was_sent(&r, "Authorization: Digest username=\"ann\""));
	client_finish(&r, &c);
	rig_tear_down(&r);
	peer_stop(other);
}

/* A host that does not exist is asked at the address of the peer; a proxy is given the whole URL. */
static void ask(struct rig *r, const struct transfer_route *route, enum transport_kind carrier)
{
	const struct transport_options options = { .route = *route, .kind = carrier };
	struct err err;
	struct client c;
	transport_destroy(r->transport);
	r->transport = transport_create(&r->loop, &options, &err);
	assert_non_null(r->transport);
	client_init(r, &c);
	c.x.url = "http://nowhere.invalid/x";
	client_exchange(r, &c);
	client_assert_error(&c, NET_NONE);
	assert_int_equal(c.x.carried_by, carrier);
	client_finish(r, &c);
}

static void routes_lead_elsewhere(void **state)
{
	struct transfer_route to_peer = { 0 }, proxy = { 0 };
	char address[64];
	struct rig r;
	SET_UP(&r, hello);
	snprintf(address, sizeof(address), "::127.0.0.1:%u", peer_port(r.peer));
	to_peer.connect_to = address;
	ask(&r, &to_peer, TRANSPORT_CURL);
	ask(&r, &to_peer, TRANSPORT_REPLAY);
	assert_true(rig_was_sent(&r, "GET /x HTTP/1.1\r\nHost: nowhere.invalid\r\n"));
	proxy.proxy = peer_origin(r.peer);
	ask(&r, &proxy, TRANSPORT_CURL);
	assert_true(rig_was_sent(&r, "GET http://nowhere.invalid/x HTTP/1.1\r\n"));
	rig_tear_down(&r);
}

static void what_replay_can_do_needs_no_curl(void **state)
{
	static const struct transfer_needs light[] = { { .http = NEED_HTTP_AUTO },
		                                       { .http = NEED_HTTP_REPLAY },
		                                       { .http = NEED_HTTP_1_1 } };
	static const struct transfer_needs heavy[] = {
		{ .http = NEED_HTTP_CURL }, { .http = NEED_HTTP_2 }, { .compression = true }, { .user = "a" }
	};
	assert_false(needs_curl_only(NULL));
	for (size_t i = 0; i < ARRAY_LEN(light); i++)
		assert_false(needs_curl_only(&light[i]));
	for (size_t i = 0; i < ARRAY_LEN(heavy); i++)
		assert_true(needs_curl_only(&heavy[i]));
}

static int use_kind(void **state)
{
	*state = (void *)(uintptr_t)&kind;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(compressed_answers_are_handed_out_decoded, use_kind),
		cmocka_unit_test_setup(digest_answers_the_challenge, use_kind),
		cmocka_unit_test_setup(digest_is_answered_wherever_the_handle_was_before, use_kind),
		cmocka_unit_test_setup(routes_lead_elsewhere, use_kind),
		cmocka_unit_test(what_replay_can_do_needs_no_curl),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
