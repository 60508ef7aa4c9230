#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>

#include "base/must.h"
#include "reports/threshold_text.h"

static struct threshold_record make(const char *that, double value, bool has_value, bool met)
{
	return (struct threshold_record){
		.that = (char *)(uintptr_t)that, .value = value, .has_value = has_value, .met = met
	};
}

static void units_and_use(void **state)
{
	static const struct {
		const char *that;
		double value;
		const char *text;
		double used;
	} cases[] = {
		{ "p95(response_time) < 500ms", 250e6, "250 ms", 0.5 },
		{ "max(send_lag) <= 1s", 2e9, "2.00 s", 2 },
		{ "error_rate < 1%", 0.005, "0.5 %", 0.5 },
		{ "error_rate(flow=auth) < 1%", 0.02, "2 %", 2 },
		{ "rate > 100/s", 400, "400/s", 0.25 },
		{ "count(response_time) >= 1000", 500, "500", 2 },
		{ "p95(response_time) > 0", 1e6, "1.00 ms", 0 },
		{ "something else", 12.5, "12.5", NAN },
	};
	char text[NUMBER_TEXT_BYTES];
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct threshold_record t = make(cases[i].that, cases[i].value, true, true);
		assert_string_equal(threshold_value_text(&t, text), cases[i].text);
		if (isnan(cases[i].used))
			assert_true(isnan(threshold_used(&t)));
		else
			assert_true(fabs(threshold_used(&t) - cases[i].used) < 1e-9);
	}
	const struct threshold_record none = make("error_rate < 1%", 0, false, false);
	assert_string_equal(threshold_value_text(&none, text), "no data");
	assert_true(isnan(threshold_used(&none)));
}

static void the_worst(void **state)
{
	struct threshold_record list[] = {
		make("error_rate < 1%", 0.0099, true, true),
		make("rate > 100/s", 0, false, false),
		make("p95(response_time) < 1s", 1.1e9, true, false),
		make("p99(response_time) < 1s", 1.2e9, true, false),
	};
	struct run_record r = { .thresholds = list, .threshold_count = 4 };
	assert_ptr_equal(threshold_worst(&r), &list[3]);
	r.threshold_count = 2;
	assert_ptr_equal(threshold_worst(&r), &list[1]);
	r.threshold_count = 1;
	assert_ptr_equal(threshold_worst(&r), &list[0]);
	r.threshold_count = 0;
	assert_null(threshold_worst(&r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_and_use),
		cmocka_unit_test(the_worst),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
