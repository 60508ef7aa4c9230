#include "loadgen/result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/loadgen/program.h"

static void record(struct meter *m, uint32_t step, dur_ns response, bool failed)
{
	const struct measurement r = { .step = step,
		                       .response = response,
		                       .service = response / 2,
		                       .lag = response / 4,
		                       .failed = failed,
		                       .error = RUN_ERROR_RESET,
		                       .censored = failed,
		                       .exceeded = failed };
	meter_record(m, &r);
}

static struct meter *measured(void)
{
	struct meter *m = meter_create(&test_program);
	record(m, STEP_AUTH_LOGIN, 10 * MILLISECOND, false);
	record(m, STEP_AUTH_ME, 20 * MILLISECOND, false);
	record(m, STEP_SHOP_LOGIN, 40 * MILLISECOND, true);
	m->flows[FLOW_AUTH].iterations = 5;
	m->flows[FLOW_AUTH].failed = 2;
	hist_record(&m->flows[FLOW_AUTH].iteration, 30 * MILLISECOND);
	m->checks[0] = (struct check_meter){ 3, 1 };
	m->checks[1] = (struct check_meter){ 0, 7 };
	m->connections = 11;
	m->bytes_sent = 12;
	m->warmup.requests = 4;
	m->warmup.failed = 2;
	hist_record(&m->warmup.response, 70 * MILLISECOND);
	hist_record(&m->warmup.service, 60 * MILLISECOND);
	meter_record_set_up(m, (const dur_ns[SET_UP_PARTS]){ 0, 80 * MICROSECOND, MILLISECOND });
	m->bytes_received = 13;
	meter_sample(m, RUN_ERROR_RESET, STEP_SHOP_LOGIN, "gone");
	return m;
}

static void a_record_holds_what_was_measured(void **state)
{
	struct meter *m = measured();
	struct run_record r;
	run_record_init(&r);
	result_fill(&r, m, 10 * SECOND);
	meter_destroy(m); /* nothing is borrowed */
	assert_int_equal(r.duration, 10 * SECOND);
	assert_int_equal(r.requests, 3);
	assert_int_equal(r.failed, 1);
	assert_int_equal(r.censored, 1);
	assert_int_equal(r.errors[RUN_ERROR_RESET], 1);
	assert_int_equal(r.by_curl + r.by_replay, 3);
	assert_int_equal(r.connections, 11);
	assert_int_equal(r.bytes_sent, 12);
	assert_int_equal(r.bytes_received, 13);
	assert_int_equal(hist_count(&r.response), 3);
	assert_int_equal(r.warmup.requests, 4);
	assert_int_equal(r.warmup.failed, 2);
	assert_int_equal(hist_max(&r.warmup.response), 70 * MILLISECOND);
	assert_int_equal(hist_max(&r.warmup.service), 60 * MILLISECOND);
	assert_int_equal(hist_count(&r.set_up[SET_UP_DNS]), 0);
	assert_int_equal(hist_max(&r.set_up[SET_UP_CONNECT]), 80 * MICROSECOND);
	assert_int_equal(hist_max(&r.set_up[SET_UP_TLS]), MILLISECOND);
	assert_int_equal(hist_max(&r.service), 20 * MILLISECOND);
	assert_int_equal(hist_max(&r.lag), 10 * MILLISECOND);
	assert_int_equal(r.sample_count, 1);
	assert_string_equal(r.samples[0].text, "gone");
	assert_string_equal(r.samples[0].flow, "shop");
	run_record_finish(&r);
}

static void flows_steps_and_checks_have_their_own(void **state)
{
	struct meter *m = measured();
	struct run_record r;
	run_record_init(&r);
	result_fill(&r, m, 10 * SECOND);
	assert_int_equal(r.flow_count, 2);
	const struct flow_record *auth = &r.flows[0], *shop = &r.flows[1];
	assert_string_equal(auth->name, "auth");
	assert_int_equal(auth->iterations, 5);
	assert_int_equal(auth->failed, 2);
	assert_int_equal(hist_count(&auth->iteration), 1);
	assert_int_equal(hist_count(&auth->response), 2); /* of both steps */
	assert_int_equal(hist_max(&auth->response), 20 * MILLISECOND);
	assert_int_equal(auth->step_count, 2);
	assert_string_equal(auth->steps[1].name, "me");
	assert_int_equal(auth->steps[1].requests, 1);
	assert_int_equal(hist_max(&auth->steps[1].service), 10 * MILLISECOND);
	assert_string_equal(shop->name, "shop");
	assert_int_equal(shop->step_count, 1);
	assert_int_equal(shop->steps[0].failed, 1);
	assert_int_equal(hist_max(&shop->steps[0].response), 40 * MILLISECOND);
	assert_int_equal(r.check_count, 2);
	assert_string_equal(r.checks[0].flow, "auth");
	assert_string_equal(r.checks[0].step, "login");
	assert_string_equal(r.checks[0].check, "status 200");
	assert_int_equal(r.checks[0].passed, 3);
	assert_int_equal(r.checks[0].failed, 1);
	assert_string_equal(r.checks[1].flow, "shop");
	assert_int_equal(r.checks[1].failed, 7);
	run_record_finish(&r);
	meter_destroy(m);
}

static void a_second_has_rates_over_its_true_length(void **state)
{
	struct meter *m = measured();
	const struct executor_counts before = { .planned = 100, .dropped = 4 };
	m->arrivals = (struct executor_counts){ .planned = 160, .dropped = 9 };
	m->started = 8;
	m->warmup.requests = 2;
	m->warmup.failed = 1;
	m->users = 30;
	m->in_flight = 6;
	m->cpu = 0.25;
	const struct second_record s = result_second(m, &before, -3, 1200 * MILLISECOND);
	assert_int_equal(s.second, -3);
	assert_true(s.offered == 50);
	assert_int_equal(s.started, 8);
	assert_int_equal(s.completed, 5); /* warm-up included: by actual time */
	assert_int_equal(s.failed, 2);
	assert_int_equal(s.dropped, 5);
	assert_int_equal(s.users, 30);
	assert_int_equal(s.in_flight, 6);
	assert_true(s.cpu == 0.25);
	assert_int_equal(s.response_p50, hist_quantile(&m->response, 0.5));
	assert_int_equal(s.response_p99, 40 * MILLISECOND);
	assert_int_equal(s.service_p99, 20 * MILLISECOND);
	assert_int_equal(s.lag_p99, 10 * MILLISECOND);
	meter_destroy(m);
}

static void a_second_in_which_nothing_happened_is_all_zero(void **state)
{
	struct meter *m = meter_create(&test_program);
	const struct executor_counts before = { 0 };
	const struct second_record s = result_second(m, &before, 0, 0); /* no length: no division */
	assert_true(s.offered == 0);
	assert_int_equal(s.completed, 0);
	assert_int_equal(s.response_p99, 0);
	assert_int_equal(s.lag_p99, 0);
	meter_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_holds_what_was_measured),
		cmocka_unit_test(flows_steps_and_checks_have_their_own),
		cmocka_unit_test(a_second_has_rates_over_its_true_length),
		cmocka_unit_test(a_second_in_which_nothing_happened_is_all_zero),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
