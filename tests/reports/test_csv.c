#include "reports/csv.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>

static void a_row_per_second_with_units_in_the_names(void **state)
{
	struct second_record seconds[2] = {
		{ .second = -1, .offered = 10, .started = 9, .completed = 8, .users = 3, .cpu = .25, .steal = NAN },
		{ .second = 0,
		  .offered = 10.5,
		  .started = 11,
		  .completed = 10,
		  .failed = 1,
		  .dropped = 2,
		  .users = 4,
		  .in_flight = 1,
		  .response_p50 = 1500,
		  .response_p95 = 2 * MILLISECOND,
		  .response_p99 = 3 * MILLISECOND,
		  .service_p50 = 1400,
		  .service_p99 = MILLISECOND,
		  .lag_p99 = 70 * MICROSECOND,
		  .cpu = .5,
		  .turn_max = 250 * MICROSECOND,
		  .steal = .02,
		  .descriptors = 14,
		  .ports = 321,
		  .phase = PHASE_RAMP },
	};
	const struct run_record r = { .seconds = seconds, .second_count = 2 };
	struct buf out;
	buf_init(&out, CSV_BYTES_MAX);
	report_run_csv(&r, &out);
	assert_string_equal(
		buf_cstr(&out),
		"second,offered_iterations_per_second,started_requests,completed_requests,failed_requests,"
		"dropped_iterations,users,in_flight_requests,response_p50_us,response_p95_us,response_p99_us,"
		"service_p50_us,service_p99_us,send_lag_p99_us,busiest_worker_cpu_share,"
		"longest_turn_us,steal_share,open_descriptors,local_ports,phase\n"
		"-1,10,9,8,0,0,3,0,,,,,,,0.25,,,,,\n"
		"0,10.5,11,10,1,2,4,1,1.500,2000.000,3000.000,1.400,1000.000,70.000,0.5,250.000,0.02,14,321,ramp\n");
	buf_finish(&out);
}

static void an_invalid_run_has_no_column_of_the_target(void **state)
{
	const struct run_record r = { .verdict = RUN_INVALID, .validity = RUN_NOT_VALID };
	struct buf out;
	buf_init(&out, CSV_BYTES_MAX);
	report_run_csv(&r, &out);
	assert_non_null(strstr(buf_cstr(&out), ",unverified_response_p99_us,"));
	assert_null(strstr(buf_cstr(&out), ",response_p99_us"));
	buf_finish(&out);
}

static void a_day_of_seconds_fits(void **state)
{
	struct run_record r = { .second_count = 90000 };
	struct buf out;
	r.seconds = calloc(r.second_count, sizeof(*r.seconds));
	for (size_t i = 0; i < r.second_count; i++)
		r.seconds[i] = (struct second_record){ .second = (int32_t)i,
			                               .offered = 123456.789,
			                               .started = 4000000000u,
			                               .completed = 4000000000u,
			                               .failed = 4000000000u,
			                               .users = 1000000,
			                               .response_p50 = HOUR,
			                               .response_p95 = HOUR,
			                               .response_p99 = HOUR,
			                               .service_p50 = HOUR,
			                               .service_p99 = HOUR,
			                               .lag_p99 = HOUR,
			                               .cpu = 0.987654 };
	buf_init(&out, CSV_BYTES_MAX);
	report_run_csv(&r, &out);
	assert_false(buf_overflowed(&out));
	buf_finish(&out);
	free(r.seconds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_per_second_with_units_in_the_names),
		cmocka_unit_test(an_invalid_run_has_no_column_of_the_target),
		cmocka_unit_test(a_day_of_seconds_fits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
