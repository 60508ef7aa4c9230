#include "loadgen/meter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>

#include "base/must.h"
#include "loadgen/verdict.h"
#include "tests/loadgen/program.h"

static struct measurement ok(uint32_t step, dur_ns response)
{
	return (struct measurement){ .step = step, .response = response, .service = response / 2, .lag = response / 4 };
}

static void a_measurement_counts_for_its_step_and_the_whole(void **state)
{
	struct meter *m = meter_create(&test_program);
	const struct measurement good = ok(STEP_AUTH_ME, 40 * MILLISECOND);
	struct measurement bad = ok(STEP_SHOP_LOGIN, 80 * MILLISECOND);
	bad.failed = bad.exceeded = true;
	bad.error = RUN_ERROR_STATUS;
	struct measurement cut = ok(STEP_AUTH_ME, SECOND);
	cut.censored = cut.exceeded = true;
	meter_record(m, &good);
	meter_record(m, &bad);
	meter_record(m, &cut);
	assert_int_equal(m->requests, 3);
	assert_int_equal(m->failed, 1);
	assert_int_equal(m->exceeded, 2);
	assert_int_equal(m->censored, 1);
	assert_int_equal(m->errors[RUN_ERROR_STATUS], 1);
	assert_int_equal(m->steps[STEP_AUTH_LOGIN].requests, 0);
	assert_int_equal(m->steps[STEP_AUTH_ME].requests, 2);
	assert_int_equal(m->steps[STEP_AUTH_ME].failed, 0);
	assert_int_equal(m->steps[STEP_SHOP_LOGIN].failed, 1);
	assert_int_equal(hist_max(&m->steps[STEP_SHOP_LOGIN].response), 80 * MILLISECOND);
	assert_int_equal(hist_max(&m->steps[STEP_SHOP_LOGIN].service), 40 * MILLISECOND);
	assert_int_equal(hist_max(&m->response), SECOND);
	assert_int_equal(hist_max(&m->service), SECOND / 2);
	assert_int_equal(hist_max(&m->lag), SECOND / 4);
	assert_int_equal(hist_count(&m->lag), 3);
	meter_destroy(m);
	meter_destroy(NULL);
}

static void the_warmup_is_in_nothing_else(void **state)
{
	struct meter *m = meter_create(&test_program);
	const struct threshold all = { .figure = FIGURE_COUNT,
		                       .metric = METRIC_RESPONSE_TIME,
		                       .flow_index = THRESHOLD_ANY,
		                       .step_index = THRESHOLD_ANY,
		                       .group_index = THRESHOLD_ANY };
	struct measurement r = ok(STEP_AUTH_ME, 40 * MILLISECOND);
	meter_record_warmup(m, &r);
	r.failed = r.censored = r.exceeded = true;
	meter_record_warmup(m, &r);
	assert_int_equal(m->warmup.requests, 2);
	assert_int_equal(m->warmup.failed, 1);
	assert_int_equal(hist_count(&m->warmup.response), 2);
	assert_int_equal(hist_max(&m->warmup.service), 20 * MILLISECOND);
	assert_int_equal(m->requests + m->failed + m->exceeded + m->censored + m->by_curl, 0);
	assert_int_equal(m->steps[STEP_AUTH_ME].requests + m->steps[STEP_AUTH_ME].failed, 0);
	assert_int_equal(hist_count(&m->steps[STEP_AUTH_ME].response), 0);
	assert_int_equal(hist_count(&m->response) + hist_count(&m->service) + hist_count(&m->lag), 0);
	assert_true(verdict_figure(&all, m, SECOND) == 0);
	meter_destroy(m);
}

/* Every member that counts, set to something of its own. */
static void fill(struct meter *m, uint64_t by)
{
	const struct measurement r = ok(STEP_AUTH_LOGIN, (dur_ns)by * MILLISECOND);
	meter_record(m, &r);
	m->started = by;
	meter_record_warmup(m, &r);
	m->warmup.requests = by + 1;
	m->warmup.failed = by + 2;
	m->connections = by + 2;
	m->bytes_sent = by + 3;
	m->bytes_received = by + 4;
	m->errors[RUN_ERROR_DNS] = by + 5;
	m->users = (uint32_t)by + 6;
	m->in_flight = (uint32_t)by + 7;
	m->cpu = (double)by / 10;
	m->turn_max = (dur_ns)by;
	m->flows[FLOW_SHOP].iterations = by + 8;
	m->flows[FLOW_SHOP].failed = by + 9;
	hist_record(&m->flows[FLOW_SHOP].iteration, (dur_ns)by * SECOND);
	m->checks[1] = (struct check_meter){ by + 10, by + 11 };
	m->arrivals.planned = by;
	const dur_ns parts[SET_UP_PARTS] = { 0, (dur_ns)by * MICROSECOND, SECOND };
	meter_record_set_up(m, parts);
	meter_sample(m, RUN_ERROR_DNS, STEP_SHOP_LOGIN, "no such host");
}

static void meters_add_up(void **state)
{
	struct meter *a = meter_create(&test_program), *b = meter_create(&test_program);
	fill(a, 2);
	fill(b, 5);
	meter_sample(b, RUN_ERROR_DNS, STEP_SHOP_LOGIN, "only b");
	meter_add(a, b);
	assert_int_equal(a->requests, 2);
	assert_int_equal(a->started, 7);
	assert_int_equal(a->warmup.requests, 9);
	assert_int_equal(a->warmup.failed, 11);
	assert_int_equal(hist_count(&a->warmup.service), 2);
	assert_int_equal(hist_max(&a->warmup.response), 5 * MILLISECOND);
	assert_int_equal(a->connections, 11);
	assert_int_equal(a->bytes_sent, 13);
	assert_int_equal(a->bytes_received, 15);
	assert_int_equal(a->errors[RUN_ERROR_DNS], 17);
	assert_int_equal(a->users, 19);
	assert_int_equal(a->in_flight, 21);
	assert_true(a->cpu == 0.5); /* the busiest worker */
	assert_int_equal(a->turn_max, 5);
	assert_int_equal(a->flows[FLOW_SHOP].iterations, 23);
	assert_int_equal(a->flows[FLOW_SHOP].failed, 25);
	assert_int_equal(hist_count(&a->flows[FLOW_SHOP].iteration), 2);
	assert_int_equal(a->checks[1].passed, 27);
	assert_int_equal(a->checks[1].failed, 29);
	assert_int_equal(a->steps[STEP_AUTH_LOGIN].requests, 2);
	assert_int_equal(hist_count(&a->response), 2);
	assert_int_equal(hist_max(&a->steps[STEP_AUTH_LOGIN].response), 5 * MILLISECOND);
	assert_int_equal(hist_count(&a->set_up[SET_UP_DNS]), 0); /* what takes no time did not happen */
	assert_int_equal(hist_count(&a->set_up[SET_UP_CONNECT]), 2);
	assert_int_equal(hist_max(&a->set_up[SET_UP_CONNECT]), 5 * MICROSECOND);
	assert_int_equal(hist_min(&a->set_up[SET_UP_TLS]), SECOND);
	assert_int_equal(a->sample_count, 2); /* what both say is counted, not kept twice */
	meter_destroy(b);                     /* a sample is a copy */
	assert_int_equal(a->samples[0].count, 2);
	assert_string_equal(a->samples[1].text, "only b");
	assert_string_equal(a->samples[1].flow, "shop");
	assert_string_equal(a->samples[1].step, "login");
	assert_int_equal(a->samples[1].count, 1);
	meter_destroy(a);
}

static void a_reset_meter_is_like_a_new_one(void **state)
{
	struct meter *m = meter_create(&test_program), *sum = meter_create(&test_program);
	fill(m, 3);
	m->checks[0].passed = 4;
	meter_reset(m);
	assert_int_equal(m->arrivals.planned, 0);
	assert_int_equal(m->checks[0].passed, 0);
	meter_add(sum, m);
	fill(sum, 0); /* all sums are what fill alone gives */
	assert_int_equal(sum->requests, 1);
	assert_int_equal(sum->exceeded + sum->censored + sum->failed, 0);
	assert_int_equal(sum->sample_count, 1);
	assert_int_equal(hist_count(&sum->response), 1);
	assert_int_equal(hist_count(&sum->lag), 1);
	assert_int_equal(hist_count(&sum->set_up[SET_UP_TLS]), 1);
	assert_int_equal(hist_count(&sum->flows[FLOW_SHOP].iteration), 1);
	assert_int_equal(sum->steps[STEP_AUTH_LOGIN].requests, 1);
	assert_int_equal(sum->warmup.requests, 1);
	assert_int_equal(sum->warmup.failed, 2);
	assert_int_equal(hist_count(&sum->warmup.response), 1);
	meter_destroy(m);
	meter_destroy(sum);
}

static void a_frequent_failure_does_not_hide_a_rare_one(void **state)
{
	struct meter *m = meter_create(&test_program), *sum = meter_create(&test_program);
	char text[] = "a";
	for (int i = 0; i < 1000; i++)
		meter_sample(m, RUN_ERROR_STATUS, STEP_AUTH_ME, "got 500");
	for (int i = 0; i < RUN_SAMPLES_ALIKE_MAX + 3; i++, text[0]++)
		meter_sample(m, RUN_ERROR_TIMEOUT, STEP_AUTH_ME, text);
	meter_sample(m, RUN_ERROR_STATUS, STEP_SHOP_LOGIN, "got 500");
	assert_int_equal(m->sample_count, 1 + RUN_SAMPLES_ALIKE_MAX + 1);
	assert_int_equal(m->samples[0].count, 1000);
	assert_string_equal(m->samples[RUN_SAMPLES_ALIKE_MAX].text, "e");
	assert_string_equal(m->samples[RUN_SAMPLES_ALIKE_MAX + 1].flow, "shop");
	meter_add(sum, m);
	meter_add(sum, m);
	assert_int_equal(sum->sample_count, m->sample_count);
	assert_int_equal(sum->samples[0].count, 2000);
	meter_destroy(m);
	meter_destroy(sum);
}

/* --- changing hands --- */

static void a_meter_changes_hands_once(void **state)
{
	struct meter_slot slot = { NULL, NULL };
	struct meter *live = meter_create(&test_program), *empty = meter_create(&test_program);
	assert_false(meter_slot_wanted(&slot));
	assert_ptr_equal(meter_slot_swap(&slot, live), live);
	assert_null(meter_slot_collect(&slot));
	meter_slot_offer(&slot, empty);
	assert_true(meter_slot_wanted(&slot));
	assert_null(meter_slot_collect(&slot));
	assert_ptr_equal(meter_slot_swap(&slot, live), empty);
	assert_false(meter_slot_wanted(&slot));
	assert_ptr_equal(meter_slot_swap(&slot, empty), empty);
	assert_ptr_equal(meter_slot_collect(&slot), live);
	assert_null(meter_slot_collect(&slot));
	meter_destroy(live);
	meter_destroy(empty);
}

struct writer {
	struct meter_slot slot;
	struct meter *live;
	uint64_t records;
	atomic_bool ended;
};

static void *write_records(void *arg)
{
	struct writer *w = arg;
	for (uint64_t i = 0; i < w->records; i++) {
		const struct measurement r = ok((uint32_t)(i % 3), (dur_ns)(1 + i % 1000) * MILLISECOND);
		meter_record(w->live, &r);
		w->live->checks[i % 2].passed++;
		if (i % 64 == 0)
			w->live = meter_slot_swap(&w->slot, w->live);
	}
	atomic_store(&w->ended, true);
	return NULL;
}

static void every_record_arrives_once_over_two_threads(void **state)
{
	struct writer w = { .live = meter_create(&test_program), .records = 200000 };
	struct meter *total = meter_create(&test_program), *spare = meter_create(&test_program);
	unsigned hand_overs = 0;
	pthread_t thread;
	must(pthread_create(&thread, NULL, write_records, &w) == 0);
	while (!atomic_load(&w.ended)) {
		if (spare) {
			meter_slot_offer(&w.slot, spare);
			spare = NULL;
		}
		struct meter *full = meter_slot_collect(&w.slot);
		if (full) {
			meter_add(total, full);
			meter_reset(full);
			spare = full;
			hand_overs++;
		} else {
			sched_yield();
		}
	}
	pthread_join(thread, NULL);
	struct meter *left = meter_slot_collect(&w.slot);
	if (left)
		meter_add(total, left);
	meter_add(total, w.live);
	assert_int_equal(total->requests, w.records);
	assert_int_equal(hist_count(&total->response), w.records);
	assert_int_equal(total->checks[0].passed + total->checks[1].passed, w.records);
	for (int i = 0; i < 3; i++)
		assert_in_range(total->steps[i].requests, w.records / 3, w.records / 3 + 1);
	assert_true(hand_overs > 0 || left);
	meter_destroy(left);
	meter_destroy(atomic_exchange(&w.slot.offered, NULL));
	meter_destroy(w.live);
	meter_destroy(spare);
	meter_destroy(total);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_measurement_counts_for_its_step_and_the_whole),
		cmocka_unit_test(the_warmup_is_in_nothing_else),
		cmocka_unit_test(meters_add_up),
		cmocka_unit_test(a_reset_meter_is_like_a_new_one),
		cmocka_unit_test(a_frequent_failure_does_not_hide_a_rare_one),
		cmocka_unit_test(a_meter_changes_hands_once),
		cmocka_unit_test(every_record_arrives_once_over_two_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
