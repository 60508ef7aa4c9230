/* Which kind carries what; that it is carried well is in tests/conform/test_transport*.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/transport_rig.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
static const struct peer_act ok_for_ever[] = {
	PEER_READ_ONE,
	PEER_SEND(OK_HEAD "Content-Length: 5\r\n\r\nhello"),
	PEER_AGAIN,
};
static const struct peer_act silent[] = { PEER_READ_ONE, { PEER_HANG, { 0 } } };

static void each_transfer_goes_to_the_kind_that_fits(void **state)
{
	static const struct str_pair expect = { STR("Expect"), STR("100-continue") };
	struct rig r;
	struct client c;
	char dots[160];
	SET_UP(&r, ok_for_ever);
	snprintf(dots, sizeof(dots), "%s/a/../b", peer_origin(r.peer));
	client_init(&r, &c);
	for (int i = 0; i < 3; i++) { /* to and fro */
		client_exchange(&r, &c);
		client_assert_error(&c, NET_NONE);
		assert_int_equal(c.x.carried_by, TRANSPORT_REPLAY);
		c.x.needs_curl = true;
		client_exchange(&r, &c);
		client_assert_error(&c, NET_NONE);
		assert_int_equal(c.x.carried_by, TRANSPORT_CURL);
		c.x.needs_curl = false;
	}
	assert_int_equal(peer_connections(r.peer), 2); /* each keeps its own */
	c.x.url = dots;
	client_exchange(&r, &c);
	client_assert_error(&c, NET_NONE);
	assert_int_equal(c.x.carried_by, TRANSPORT_CURL);
	assert_true(rig_was_sent(&r, "GET /b HTTP/1.1"));
	c.x.url = r.url;
	c.x.headers = &expect;
	c.x.header_count = 1;
	client_exchange(&r, &c);
	assert_int_equal(c.x.carried_by, TRANSPORT_CURL);
	client_finish(&r, &c);
	rig_tear_down(&r);
}

static void whoever_carries_it_can_be_told_to_stop(void **state)
{
	for (int needs_curl = 0; needs_curl < 2; needs_curl++) {
		struct rig r;
		struct client c;
		SET_UP(&r, silent, ok_for_ever);
		client_init(&r, &c);
		c.x.needs_curl = needs_curl;
		client_start(&r, &c);
		rig_turn_until_requested(&r);
		transport_cancel(r.transport, &c.x);
		rig_turn_until(&r, &c.done, 1);
		client_assert_error(&c, NET_CANCELLED);
		client_exchange(&r, &c);
		client_assert_error(&c, NET_NONE);
		client_finish(&r, &c);
		rig_tear_down(&r);
	}
}

int main(void)
{
	static enum transport_kind kind = TRANSPORT_AUTO;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(each_transfer_goes_to_the_kind_that_fits, &kind),
		cmocka_unit_test_prestate(whoever_carries_it_can_be_told_to_stop, &kind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
