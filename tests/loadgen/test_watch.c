/* Thresholds over windows, and thresholds that end a run. */
#include "loadgen/watch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/must.h"
#include "tests/loadgen/program.h"

static struct threshold parse(const char *text, dur_ns over, bool aborts, dur_ns grace)
{
	struct threshold t;
	struct threshold_mistake mistake;
	assert_true(threshold_parse(str_from(text), &t, &mistake));
	t.over = over;
	t.aborts = aborts;
	t.grace = grace;
	return t;
}

/* One second with so many requests of the first step, so many of them failed, each with that response time. */
static bool second(struct watch *w, uint64_t requests, uint64_t failed, dur_ns response)
{
	struct meter *m = meter_create(&test_program);
	for (uint64_t i = 0; i < requests; i++) {
		const struct measurement r = { .response = response, .failed = i < failed, .error = RUN_ERROR_STATUS };
		meter_record(m, &r);
	}
	const bool ends = watch_interval(w, m, SECOND);
	meter_destroy(m);
	return ends;
}

static void what_is_judged_at_the_end_needs_no_watch(void **state)
{
	const struct threshold t = parse("error_rate < 1%", 0, false, 0);
	assert_null(watch_create(&t));
	assert_false(watch_has_window(NULL));
	assert_false(watch_ended_run(NULL));
	watch_destroy(NULL);
}

static void what_is_left_at_the_end_is_no_window(void **state)
{
	const struct threshold t = parse("count(response_time) > 5", SECOND, false, 0);
	struct watch *w = watch_create(&t);
	struct threshold_record r = { 0 };
	assert_false(second(w, 10, 0, MILLISECOND));
	struct meter *m = meter_create(&test_program);
	assert_false(watch_interval(w, m, 5 * MILLISECOND));
	meter_destroy(m);
	watch_verdict(w, &r);
	assert_true(r.met && r.value == 10);
	free(r.that);
	watch_destroy(w);
}

static void nothing_in_a_window_is_a_rate_of_nothing(void **state)
{
	const struct threshold t = parse("rate > 5/s", SECOND, true, 0);
	struct watch *w = watch_create(&t);
	struct threshold_record r = { 0 };
	assert_false(second(w, 10, 0, MILLISECOND));
	assert_true(second(w, 0, 0, 0)); /* the target stands still: that ends it */
	watch_verdict(w, &r);
	assert_true(r.has_value && r.value == 0 && !r.met);
	free(r.that);
	watch_destroy(w);
}

static void the_worst_window_is_the_verdict(void **state)
{
	const struct threshold t = parse("error_rate < 10%", 3 * SECOND, false, 0);
	struct watch *w = watch_create(&t);
	struct threshold_record r = { 0 };
	assert_true(watch_has_window(w));
	/* 6 of 30 in the worst three seconds; 6 of 100 over all, which would be met. */
	static const uint64_t failed[] = { 0, 0, 0, 2, 2, 2, 0, 0, 0, 0 };
	for (size_t i = 0; i < ARRAY_LEN(failed); i++)
		assert_false(second(w, 10, failed[i], MILLISECOND));
	watch_verdict(w, &r);
	assert_true(r.has_value);
	assert_true(fabs(r.value - 0.2) < 1e-12);
	assert_false(r.met);
	free(r.that);
	watch_destroy(w);
}

static void for_a_lower_limit_the_worst_is_the_least(void **state)
{
	const struct threshold t = parse("rate > 5/s", 2 * SECOND, false, 0);
	struct watch *w = watch_create(&t);
	struct threshold_record r = { 0 };
	static const uint64_t requests[] = { 20, 20, 4, 8, 20 };
	for (size_t i = 0; i < ARRAY_LEN(requests); i++)
		second(w, requests[i], 0, MILLISECOND);
	watch_verdict(w, &r);
	assert_true(fabs(r.value - 6) < 1e-12);
	assert_true(r.met);
	free(r.that);
	watch_destroy(w);
}

static void a_window_is_judged_only_when_it_is_full(void **state)
{
	const struct threshold t = parse("error_rate < 10%", 3 * SECOND, true, 0);
	struct watch *w = watch_create(&t);
	assert_false(second(w, 10, 10, MILLISECOND));
	assert_false(second(w, 10, 0, MILLISECOND));
	assert_true(second(w, 10, 0, MILLISECOND));
	assert_true(watch_ended_run(w));
	watch_destroy(w);
}

static void a_run_shorter_than_the_window_is_one_window(void **state)
{
	const struct threshold t = parse("p50(response_time) < 5ms", 10 * SECOND, false, 0);
	struct watch *w = watch_create(&t);
	struct threshold_record r = { 0 };
	second(w, 10, 0, 20 * MILLISECOND);
	second(w, 10, 0, 20 * MILLISECOND);
	watch_verdict(w, &r);
	assert_true(r.has_value);
	assert_false(r.met);
	free(r.that);
	watch_destroy(w);
}

static void without_a_window_it_is_the_run_so_far_and_grace_is_waited_for(void **state)
{
	const struct threshold t = parse("error_rate < 10%", 0, true, 3 * SECOND);
	struct watch *w = watch_create(&t);
	assert_false(watch_has_window(w));
	assert_false(second(w, 10, 10, MILLISECOND));
	assert_false(second(w, 10, 0, MILLISECOND));
	assert_true(second(w, 10, 0, MILLISECOND)); /* 10 of 30 */
	assert_true(watch_ended_run(w));
	watch_destroy(w);
}

static void no_data_is_not_met_but_ends_nothing(void **state)
{
	const struct threshold t = parse("p95(response_time) < 1s", 2 * SECOND, true, 0);
	struct watch *w = watch_create(&t);
	struct threshold_record r = { 0 };
	for (int i = 0; i < 5; i++)
		assert_false(second(w, 0, 0, 0));
	watch_verdict(w, &r);
	assert_false(r.has_value);
	assert_false(r.met);
	free(r.that);
	watch_destroy(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_judged_at_the_end_needs_no_watch),
		cmocka_unit_test(what_is_left_at_the_end_is_no_window),
		cmocka_unit_test(nothing_in_a_window_is_a_rate_of_nothing),
		cmocka_unit_test(the_worst_window_is_the_verdict),
		cmocka_unit_test(for_a_lower_limit_the_worst_is_the_least),
		cmocka_unit_test(a_window_is_judged_only_when_it_is_full),
		cmocka_unit_test(a_run_shorter_than_the_window_is_one_window),
		cmocka_unit_test(without_a_window_it_is_the_run_so_far_and_grace_is_waited_for),
		cmocka_unit_test(no_data_is_not_met_but_ends_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
