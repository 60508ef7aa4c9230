#include "net/probe.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/must.h"
#include "tests/support/peer.h"

static const struct transport_options options = { 0 };
static const struct peer_act listens[] = { PEER_READ_ONE, PEER_CLOSE };
static const struct peer_act *const scripts[] = { listens };

static const struct probe_limits limits = { .timeout = 10 * SECOND };

static void a_target_that_listens_is_reached_without_a_request(void **state)
{
	struct peer *p = peer_start(scripts, 1);
	struct err err = { .kind = ERR_NONE };
	assert_int_equal(net_probe(peer_origin(p), &options, &limits, &err), 0);
	assert_int_equal(err.kind, ERR_NONE);
	assert_int_equal(peer_requests(p), 0);
	peer_stop(p);
}

static void a_target_that_does_not_listen_is_named_with_the_reason(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(address);
	struct err err = { .kind = ERR_NONE };
	char url[64];
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* bound, but it does not listen */
	must(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	must(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
	assert_int_equal(net_probe(url, &options, &limits, &err), -1);
	assert_int_equal(err.kind, ERR_UNREACHABLE);
	assert_non_null(strstr(err.text, url));
	assert_true(strlen(err.text) > strlen(url) + strlen("cannot reach : "));
	assert_int_equal(net_probe(url, &options, &limits, NULL), -1);
	close(fd);
}

static void a_name_that_cannot_be_is_unreachable(void **state)
{
	struct err err = { .kind = ERR_NONE };
	assert_int_equal(net_probe("http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.invalid",
	                           &options, &limits, &err),
	                 -1);
	assert_int_equal(err.kind, ERR_UNREACHABLE);
}

static void only_http_is_probed(void **state)
{
	struct err err = { .kind = ERR_NONE };
	assert_int_equal(net_probe("ftp://127.0.0.1", &options, &limits, &err), -1);
	assert_int_equal(err.kind, ERR_UNREACHABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_target_that_listens_is_reached_without_a_request),
		cmocka_unit_test(a_target_that_does_not_listen_is_named_with_the_reason),
		cmocka_unit_test(a_name_that_cannot_be_is_unreachable),
		cmocka_unit_test(only_http_is_probed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
