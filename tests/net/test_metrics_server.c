#include "net/metrics_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <curl/curl.h>

#include "base/buf.h"
#include "base/must.h"

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
	buf_add(arg, (struct str){ bytes, size * count });
	return size * count;
}

/* The status of GET <url>; body into <out>. */
static long fetch(const char *url, const char *method, struct buf *out, char *ret_type, size_t type_bytes)
{
	long status = 0;
	char *type = NULL;
	CURL *curl = curl_easy_init();
	must(curl);
	buf_clear(out);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	assert_int_equal(curl_easy_perform(curl), CURLE_OK);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
	snprintf(ret_type, type_bytes, "%s", type ? type : "");
	curl_easy_cleanup(curl);
	return status;
}

static void the_newest_text_is_served(void **state)
{
	struct err err;
	struct buf out;
	char type[128], other[512];
	struct metrics_server *s = metrics_server_start("127.0.0.1:0", &err);
	assert_non_null(s);
	buf_init(&out, 1u << 20);
	assert_int_equal(fetch(metrics_server_url(s), "GET", &out, type, sizeof(type)), 200);
	assert_string_equal(buf_cstr(&out), "");
	for (int i = 0; i < 100; i++) {
		char text[32];
		snprintf(text, sizeof(text), "weir_x %d\n", i);
		metrics_server_offer(s, str_from(text));
	}
	assert_int_equal(fetch(metrics_server_url(s), "GET", &out, type, sizeof(type)), 200);
	assert_string_equal(buf_cstr(&out), "weir_x 99\n");
	assert_string_equal(type, "text/plain; version=0.0.4; charset=utf-8");
	/* Nothing new: the same again. */
	assert_int_equal(fetch(metrics_server_url(s), "GET", &out, type, sizeof(type)), 200);
	assert_string_equal(buf_cstr(&out), "weir_x 99\n");
	snprintf(other, sizeof(other), "%sx", metrics_server_url(s));
	assert_int_equal(fetch(other, "GET", &out, type, sizeof(type)), 404);
	assert_int_equal(fetch(metrics_server_url(s), "DELETE", &out, type, sizeof(type)), 405);
	metrics_server_offer(s, STR("never asked for\n"));
	metrics_server_stop(s);
	metrics_server_stop(NULL);
	buf_finish(&out);
}

static void a_port_that_is_taken_is_an_error_of_the_world(void **state)
{
	struct err err;
	char address[512];
	struct metrics_server *s = metrics_server_start("127.0.0.1:0", &err);
	assert_non_null(s);
	const char *from = metrics_server_url(s) + strlen("http://");
	snprintf(address, sizeof(address), "%.*s", (int)strcspn(from, "/"), from);
	assert_null(metrics_server_start(address, &err));
	assert_int_equal(err.kind, ERR_IO);
	assert_non_null(strstr(err.text, address));
	metrics_server_stop(s);
}

static void what_is_no_address_is_the_users_mistake(void **state)
{
	static const char *const wrong[] = { "",           "9464",         "127.0.0.1",
		                             "127.0.0.1:", "127.0.0.1:x",  "127.0.0.1:65536",
		                             "::1:9464",   "127.0.0.1:-1", "no such host.invalid:1" };
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct err err = { .kind = ERR_NONE };
		assert_null(metrics_server_start(wrong[i], &err));
		assert_int_equal(err.kind, ERR_USAGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_text_is_served),
		cmocka_unit_test(a_port_that_is_taken_is_an_error_of_the_world),
		cmocka_unit_test(what_is_no_address_is_the_users_mistake),
	};
	curl_global_init(CURL_GLOBAL_DEFAULT);
	const int result = cmocka_run_group_tests(tests, NULL, NULL);
	curl_global_cleanup();
	return result;
}
