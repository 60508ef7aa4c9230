#include "net/transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/must.h"

static void every_error_has_a_word(void **state)
{
	assert_string_equal(net_error_text(NET_NONE), "none");
	assert_string_equal(net_error_text(NET_DNS), "dns");
	assert_string_equal(net_error_text(NET_CANCELLED), "cancelled");
}

static void kinds_are_known_by_their_words(void **state)
{
	enum transport_kind kind = TRANSPORT_KINDS;
	assert_true(transport_kind_from(STR("auto"), &kind));
	assert_int_equal(kind, TRANSPORT_AUTO);
	assert_true(transport_kind_from(STR("replay"), &kind));
	assert_int_equal(kind, TRANSPORT_REPLAY);
	assert_true(transport_kind_from(STR("curl"), &kind));
	assert_int_equal(kind, TRANSPORT_CURL);
	assert_false(transport_kind_from(STR("Curl"), &kind));
	assert_false(transport_kind_from(STR(""), &kind));
	assert_int_equal(kind, TRANSPORT_CURL);
}

static void each_kind_bears_its_name(void **state)
{
	static const char *const names[] = { "auto", "replay", "curl" };
	struct loop loop;
	struct err err;
	assert_int_equal(loop_init(&loop, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct transport_options options = { 0 };
		assert_true(transport_kind_from(str_from(names[i]), &options.kind));
		struct transport *t = transport_create(&loop, &options, &err);
		assert_non_null(t);
		assert_string_equal(t->ops->name, names[i]);
		transport_destroy(t);
	}
	loop_finish(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_error_has_a_word),
		cmocka_unit_test(kinds_are_known_by_their_words),
		cmocka_unit_test(each_kind_bears_its_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
