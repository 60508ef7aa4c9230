#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/must.h"
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
		                               xstrdup("503: {\"error\":\"pool \033[2Jexhausted\",\n\"retry\":1}") };
	r->samples[1] = (struct error_sample){ RUN_ERROR_TIMEOUT, xstrdup("messages"), xstrdup("list"),
		                               xstrdup("no answer within 10 s") };
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_run),    cmocka_unit_test(failing_run),
		cmocka_unit_test(invalid_run), cmocka_unit_test(invalid_run_shows_nothing_as_verified),
		cmocka_unit_test(empty_run),   cmocka_unit_test(small_run),
		cmocka_unit_test(aborted_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
