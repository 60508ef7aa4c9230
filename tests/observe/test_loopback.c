#include "observe/loopback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <curl/curl.h>

#include "observe/tiny_server.h"

static void the_self_test_answers_on_kept_and_on_new_connections(void **state)
{
	struct loopback_facts f;
	struct err err;
	assert_int_equal(loopback_measure(50 * MILLISECOND, &f, &err), 0);
	assert_int_equal(f.failed, 0);
	assert_true(f.requests > 0);
	assert_true(f.connections > 0);
	assert_true(f.requests_per_core_second >= f.requests_per_second * 0.9);
	/* Again in the same process. */
	assert_int_equal(loopback_measure(20 * MILLISECOND, &f, &err), 0);
	assert_int_equal(f.failed, 0);
}

static size_t drop_body(char *bytes, size_t size, size_t count, void *arg)
{
	return size * count;
}

static long connections_of(const char *path, uint16_t port, int requests)
{
	char url[64];
	long all = 0;
	CURL *curl = curl_easy_init();
	snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", (unsigned)port, path);
	for (int i = 0; i < requests; i++) {
		long status = 0, connects = 0;
		curl_easy_setopt(curl, CURLOPT_URL, url);
		curl_easy_setopt(curl, CURLOPT_PROXY, "");
		curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop_body);
		assert_int_equal(curl_easy_perform(curl), CURLE_OK);
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
		curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connects);
		assert_int_equal(status, 200);
		all += connects;
	}
	curl_easy_cleanup(curl);
	return all;
}

static void the_tiny_server_keeps_and_closes(void **state)
{
	struct err err;
	struct tiny_server *s = tiny_server_start(&err);
	assert_non_null(s);
	assert_int_equal(connections_of("/", tiny_server_port(s), 5), 1);
	assert_int_equal(connections_of("/close", tiny_server_port(s), 5), 5);
	tiny_server_stop(s);
	tiny_server_stop(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_self_test_answers_on_kept_and_on_new_connections),
		cmocka_unit_test(the_tiny_server_keeps_and_closes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
