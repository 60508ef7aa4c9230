#include "demo/listen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

static void addresses_are_listened_on(void **state)
{
	static const struct {
		const char *address, *begins;
	} cases[] = {
		{ "0", "127.0.0.1:" },
		{ "127.0.0.1:0", "127.0.0.1:" },
		{ "0.0.0.0:0", "0.0.0.0:" },
		{ "[127.0.0.1]:0", "127.0.0.1:" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[LISTEN_ADDRESS_BYTES];
		struct err err = { 0 };
		int port = 0;
		const int fd = listen_open(cases[i].address, &port, text, &err);
		assert_string_equal(err.text, "");
		assert_true(fd >= 0);
		assert_in_range(port, 1, 65535);
		assert_int_equal(strncmp(text, cases[i].begins, strlen(cases[i].begins)), 0);
		assert_int_equal(atoi(strrchr(text, ':') + 1), port);
		close(fd);
	}
}

static void wrong_addresses_are_explained(void **state)
{
	static const char *const cases[] = { "", "x", "65536", "-1", ":80", "[]:80", "127.0.0.1:", "127.0.0.1:http" };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[LISTEN_ADDRESS_BYTES];
		struct err err = { 0 };
		int port = -7;
		assert_int_equal(listen_open(cases[i], &port, text, &err), -1);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_non_null(strstr(err.text, "[HOST:]PORT"));
		assert_int_equal(port, -7);
	}
}

static void a_port_that_is_taken_is_said(void **state)
{
	char text[LISTEN_ADDRESS_BYTES], again[LISTEN_ADDRESS_BYTES];
	struct err err = { 0 };
	int port;
	const int fd = listen_open("0", &port, text, &err);
	assert_true(fd >= 0);
	assert_int_equal(listen_open(text, &port, again, &err), -1);
	assert_int_equal(err.kind, ERR_IO);
	assert_non_null(strstr(err.text, text));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_listened_on),
		cmocka_unit_test(wrong_addresses_are_explained),
		cmocka_unit_test(a_port_that_is_taken_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
