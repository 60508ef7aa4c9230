#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "loadgen/flow_sums.h"
#include "tests/loadgen/program.h"

static void record(struct meter *interval, struct meter *total, uint32_t step, dur_ns response, bool failed)
{
	const struct measurement m = { .step = step, .response = response, .service = response, .failed = failed };
	meter_record(interval, &m);
	meter_record(total, &m);
}

static void steps_are_put_together_by_flow(void **state)
{
	struct flow_sums f;
	struct meter *interval = meter_create(&test_program), *total = meter_create(&test_program);
	flow_sums_init(&f, &test_program);
	record(interval, total, STEP_AUTH_LOGIN, 10 * MILLISECOND, false);
	record(interval, total, STEP_AUTH_ME, 30 * MILLISECOND, true);
	record(interval, total, STEP_SHOP_LOGIN, 50 * MILLISECOND, false);
	flow_sums_take(&f, interval, total);
	assert_string_equal(f.rows[FLOW_AUTH].name, "auth");
	assert_int_equal(f.rows[FLOW_AUTH].requests, 2);
	assert_int_equal(f.rows[FLOW_AUTH].failed, 1);
	assert_int_equal(hist_count(f.rows[FLOW_AUTH].interval), 2);
	assert_int_equal(hist_count(f.rows[FLOW_SHOP].interval), 1);
	assert_in_range(hist_max(f.rows[FLOW_AUTH].interval), 30 * MILLISECOND, 30 * MILLISECOND + 100 * MICROSECOND);
	flow_sums_finish(&f);
	meter_destroy(interval);
	meter_destroy(total);
}

static void intervals_add_up(void **state)
{
	struct flow_sums f;
	struct meter *interval = meter_create(&test_program), *total = meter_create(&test_program);
	flow_sums_init(&f, &test_program);
	for (int second = 0; second < 3; second++) {
		record(interval, total, STEP_AUTH_LOGIN, (second + 1) * MILLISECOND, false);
		flow_sums_take(&f, interval, total);
		assert_int_equal(hist_count(f.rows[FLOW_AUTH].interval), 1);
		assert_int_equal(hist_count(f.rows[FLOW_AUTH].response), second + 1);
		meter_reset(interval);
	}
	/* A second in which nothing ended. */
	flow_sums_take(&f, interval, total);
	assert_int_equal(hist_count(f.rows[FLOW_AUTH].interval), 0);
	assert_int_equal(hist_count(f.rows[FLOW_AUTH].response), 3);
	assert_int_equal(f.rows[FLOW_AUTH].requests, 3);
	assert_int_equal(f.rows[FLOW_SHOP].requests, 0);
	flow_sums_finish(&f);
	meter_destroy(interval);
	meter_destroy(total);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_are_put_together_by_flow),
		cmocka_unit_test(intervals_add_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
