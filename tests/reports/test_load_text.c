#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>

#include "base/mem.h"
#include "base/must.h"
#include "reports/load_tables.h"
#include "reports/load_text.h"
#include "tests/reports/golden.h"

static void render(const void *subject, const struct report_style *style, struct buf *out)
{
	report_load_text(subject, style, out);
}

static void render_summary(const void *subject, const struct report_style *style, struct buf *out)
{
	report_load_summary(subject, style, out);
}

static void good_run(void **state)
{
	struct run_record r;
	golden_run(&r, 1);
	golden_threshold(&r, "p95(response_time) < 500ms", 41e6, true, true);
	golden_threshold(&r, "p99(response_time, flow=auth) < 100ms", 61e6, true, true);
	golden_threshold(&r, "error_rate < 1%", 0.00025, true, true);
	golden_threshold(&r, "rate > 100/s", 400, true, true);
	golden_check("load_good", render, &r);
	golden_check("load_good_summary", render_summary, &r);
	run_record_finish(&r);
}

static void add_failures(struct run_record *r)
{
	r->checks = xcalloc(3, sizeof(r->checks[0]));
	r->check_count = 3;
	r->checks[0] = (struct check_record){ xstrdup("auth"), xstrdup("login"), xstrdup("status 200"), 3590, 10 };
	r->checks[1] = (struct check_record){ xstrdup("auth"), xstrdup("login"), xstrdup("json /token exists"), 3590,
		                              3 };
	r->checks[2] = (struct check_record){ xstrdup("auth"), xstrdup("me"), xstrdup("status 200"), 3600, 0 };
	r->sample_count = 2;
	r->samples[0] = (struct error_sample){ RUN_ERROR_STATUS, xstrdup("auth"), xstrdup("login"),
		                               xstrdup("503: {\"error\":\"pool \033[2Jexhausted\",\n\"retry\":1}"), 8 };
	r->samples[1] = (struct error_sample){ RUN_ERROR_TIMEOUT, xstrdup("messages"), xstrdup("list"),
		                               xstrdup("no answer within 10 s"), 1 };
}

static void failing_run(void **state)
{
	struct run_record r;
	golden_run(&r, 10);
	r.verdict = RUN_NOT_MET;
	r.validity = RUN_SUSPECT;
	r.reasons[r.reason_count++] = xstrdup(
		"a worker used 88 % of its core: the generator itself may have slowed the answers");
	add_failures(&r);
	golden_threshold(&r, "error_rate < 1%", 0.00025, true, true);
	golden_threshold(&r, "p95(response_time) < 250ms", 0.41e9, true, false);
	golden_threshold(&r, "p99(response_time, flow=auth) < 1s", 0.61e9, true, true);
	golden_threshold(&r, "p95(response_time, flow=groups) < 1s", 0, false, false);
	golden_check("load_failing", render, &r);
	golden_check("load_failing_summary", render_summary, &r);
	run_record_finish(&r);
}

static void invalid_run(void **state)
{
	struct run_record r;
	golden_run(&r, 3);
	r.verdict = RUN_INVALID;
	r.validity = RUN_NOT_VALID;
	r.offered_rate = 2000;
	r.arrivals = 120000;
	r.dropped = 1200;
	r.reasons[r.reason_count++] = xstrdup(
		"the generator was the limit: it began 10.0 % of the arrivals with a core at 99 %");
	r.reasons[r.reason_count++] = xstrdup("1.00 % of the arrivals were dropped, because no user was free");
	for (size_t i = 0; i < r.second_count; i++)
		r.seconds[i].cpu = 0.99;
	golden_threshold(&r, "p95(response_time) < 500ms", 123e6, true, true);
	golden_check("load_invalid", render, &r);
	golden_check("load_invalid_summary", render_summary, &r);
	run_record_finish(&r);
}

/* In an invalid run no quantile stands before the heading that says what it is. */
static void invalid_run_shows_nothing_as_verified(void **state)
{
	struct run_record r;
	struct buf out;
	golden_run(&r, 3);
	r.verdict = RUN_INVALID;
	r.validity = RUN_NOT_VALID;
	buf_init(&out, REPORT_BYTES_MAX);
	report_load_text(&r, &REPORT_STYLE_PLAIN, &out);
	const char *unverified = strstr(buf_cstr(&out), "UNVERIFIED"), *times = strstr(buf_cstr(&out), "p95");
	assert_non_null(unverified);
	assert_true(times > unverified);
	buf_clear(&out);
	report_load_summary(&r, &REPORT_STYLE_PLAIN, &out);
	assert_null(strstr(buf_cstr(&out), "p95"));
	buf_finish(&out);
	run_record_finish(&r);
}

static void empty_run(void **state)
{
	struct run_record r;
	run_record_init(&r);
	golden_check("load_empty", render, &r);
	golden_check("load_empty_summary", render_summary, &r);
	run_record_finish(&r);
}

static void small_run(void **state)
{
	struct run_record r;
	golden_run_of(&r, 1, 5, 10);
	golden_check("load_small", render, &r);
	run_record_finish(&r);
}

static void aborted_run(void **state)
{
	struct run_record r;
	struct buf out;
	golden_run_of(&r, 1, 5, 10);
	r.verdict = RUN_ABORTED;
	golden_threshold(&r, "error_rate < 10%", 0.5, true, false);
	buf_init(&out, 4096);
	report_load_sentence(&r, &out);
	assert_string_equal(buf_cstr(&out),
	                    "the run was stopped after 5.00 s; the only threshold is not met: error_rate < 10% was "
	                    "50 % (5.00 times the limit).");
	buf_finish(&out);
	run_record_finish(&r);
}

static void name_series(struct run_record *r, size_t i, const char *name, const char *unit, double limit)
{
	r->resources[i].name = xstrdup(name);
	r->resources[i].unit = xstrdup(unit);
	r->resources[i].limit = limit;
}

/* A load that rises from 20/s to 255/s: 4 ms of CPU and 6 ms of a connection per request, and a queue nobody could see. */
static void observe_rise(struct run_record *r)
{
	run_record_make_resources(r, 6);
	name_series(r, 0, "app cpu", "cores", 1);
	name_series(r, 1, "app memory", "B", NAN);
	name_series(r, 2, "db busy", "connections", 20);
	name_series(r, 3, "db query p95", "ms", NAN);
	name_series(r, 4, "db cache hits", "share", NAN);
	name_series(r, 5, "queue", "", NAN);
	r->resources[5].why_missing = xstrdup("http://127.0.0.1:8081/stats: timeout");
	for (size_t i = 0; i < r->second_count; i++) {
		const double noise = 0.01 * (double)((i * 7) % 5) - 0.02;
		r->seconds[i].completed = (uint32_t)(20 + 2 * i);
		r->resources[0].values[i] = 0.05 + 0.004 * r->seconds[i].completed + noise;
		r->resources[1].values[i] = 2e8 + 1e5 * (double)i;
		r->resources[2].values[i] = 0.5 + 0.006 * r->seconds[i].completed + 3 * noise;
		r->resources[3].values[i] = i % 3 ? 1.25 : NAN;
		r->resources[4].values[i] = 0.99;
	}
}

static void observed_run(void **state)
{
	struct run_record r;
	golden_run(&r, 1);
	observe_rise(&r);
	golden_check("load_observed", render, &r);
	golden_check("load_observed_summary", render_summary, &r);
	run_record_finish(&r);
}

static void resources_of(const struct run_record *r, struct buf *out);

/* The same reason for other seconds is something else; for the same seconds it is the place that was away. */
static void each_reason_is_told_with_its_seconds(void **state)
{
	struct run_record r;
	struct buf out;
	golden_run(&r, 1);
	observe_rise(&r);
	for (size_t i = 0; i < r.second_count; i++) {
		r.resources[4].values[i] = NAN;
		r.resources[3].values[i] = i % 3 ? 1.25 : NAN;
	}
	r.resources[2].values[7] = NAN;
	for (size_t i = 2; i < 5; i++)
		r.resources[i].why_missing = xstrdup(r.resources[5].why_missing);
	resources_of(&r, &out);
	assert_non_null(strstr(buf_cstr(&out), "db busy: 1 of"));
	assert_non_null(strstr(buf_cstr(&out), "db query p95: 20 of"));
	assert_non_null(strstr(buf_cstr(&out), "db cache hits: 60 of"));
	assert_null(strstr(buf_cstr(&out), "queue: 60 of"));
	buf_finish(&out);
	run_record_finish(&r);
}

static void resources_of(const struct run_record *r, struct buf *out)
{
	buf_init(out, REPORT_BYTES_MAX);
	load_resources(r, &REPORT_STYLE_PLAIN, out);
}

/* Saturation bends the line: then no limit is foretold from it. */
static void a_bent_line_is_not_followed(void **state)
{
	struct run_record r;
	struct buf out;
	golden_run(&r, 1);
	observe_rise(&r);
	for (size_t i = 0; i < r.second_count; i++)
		r.resources[0].values[i] = fmin(r.resources[0].values[i] * 2, 0.8);
	resources_of(&r, &out);
	assert_non_null(strstr(buf_cstr(&out), "It is no straight line"));
	assert_null(strstr(buf_cstr(&out), "of the limit is reached"));
	buf_finish(&out);
	run_record_finish(&r);
}

static void a_constant_load_tells_no_demand(void **state)
{
	struct run_record r;
	struct buf out;
	golden_run(&r, 1);
	observe_rise(&r);
	for (size_t i = 0; i < r.second_count; i++)
		r.seconds[i].completed = 100;
	resources_of(&r, &out);
	assert_non_null(strstr(buf_cstr(&out), "What a request costs cannot be told"));
	assert_null(strstr(buf_cstr(&out), "a request takes"));
	buf_finish(&out);
	run_record_finish(&r);
}

static void an_invalid_run_tells_no_demand(void **state)
{
	struct run_record r;
	struct buf out;
	golden_run(&r, 1);
	observe_rise(&r);
	r.validity = RUN_NOT_VALID;
	resources_of(&r, &out);
	assert_non_null(strstr(buf_cstr(&out), "app memory"));
	assert_null(strstr(buf_cstr(&out), "a request"));
	buf_finish(&out);
	run_record_finish(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_run),
		cmocka_unit_test(failing_run),
		cmocka_unit_test(invalid_run),
		cmocka_unit_test(invalid_run_shows_nothing_as_verified),
		cmocka_unit_test(empty_run),
		cmocka_unit_test(small_run),
		cmocka_unit_test(aborted_run),
		cmocka_unit_test(observed_run),
		cmocka_unit_test(each_reason_is_told_with_its_seconds),
		cmocka_unit_test(a_bent_line_is_not_followed),
		cmocka_unit_test(a_constant_load_tells_no_demand),
		cmocka_unit_test(an_invalid_run_tells_no_demand),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
