#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "reports/quantile_text.h"

static char text[NUMBER_TEXT_BYTES];

/* capacity.md section 7. */
static void least_requests(void **state)
{
	assert_int_equal(quantile_least_n(0.5), 5);
	assert_int_equal(quantile_least_n(0.95), 59);
	assert_int_equal(quantile_least_n(0.99), 299);
	assert_int_equal(quantile_least_n(0.999), 2995);
}

static void shown_from_the_least_on(void **state)
{
	struct hist h;
	hist_init_latency(&h);
	assert_string_equal(text_quantile(&h, 0.95, text), "n/a");
	assert_string_equal(text_quantile_interval(&h, 0.95, text), "");
	hist_record_n(&h, MILLISECOND, 58);
	assert_string_equal(text_quantile(&h, 0.95, text), "n/a (<59)");
	assert_string_equal(text_quantile_interval(&h, 0.95, text), "");
	hist_record_n(&h, MILLISECOND, 1);
	assert_string_equal(text_quantile(&h, 0.95, text), "1.00 ms");
	hist_finish(&h);
}

/* n=200, p95: x(184) .. x(197); n=60, p95: no upper end (capacity.md section 7). */
static void intervals(void **state)
{
	struct hist h;
	hist_init_latency(&h);
	for (int i = 1; i <= 200; i++)
		hist_record(&h, i * MILLISECOND);
	assert_string_equal(text_quantile_interval(&h, 0.95, text), "184 ms .. 197 ms");
	hist_reset(&h);
	for (int i = 1; i <= 60; i++)
		hist_record(&h, i * MILLISECOND);
	assert_non_null(strstr(text_quantile_interval(&h, 0.95, text), " .. ?"));
	hist_finish(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(least_requests),
		cmocka_unit_test(shown_from_the_least_on),
		cmocka_unit_test(intervals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
