#include "reports/metrics_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"

static struct second_record second = {
	.offered = 100, .completed = 99, .users = 4, .lag_p99 = 2 * MILLISECOND, .cpu = .5
};

struct scene {
	struct hist *hists;
	struct flow_progress *flows;
	struct hist set_up[SET_UP_PARTS];
	uint64_t errors[RUN_ERROR_KINDS];
	struct run_progress p;
};

static void make(struct scene *s, size_t flows)
{
	*s = (struct scene){ .hists = xcalloc(flows, sizeof(struct hist)),
		             .flows = xcalloc(flows, sizeof(struct flow_progress)) };
	for (size_t i = 0; i < flows; i++) {
		hist_init_latency(&s->hists[i]);
		s->flows[i] = (struct flow_progress){ xasprintf("flow \"%zu\" \\", i), 10 + i, i, &s->hists[i],
			                              &s->hists[i] };
	}
	for (int i = 0; i < SET_UP_PARTS; i++)
		hist_init_latency(&s->set_up[i]);
	hist_record(&s->set_up[SET_UP_TLS], 3 * MILLISECOND);
	s->p = (struct run_progress){ .run_id = "01X",
		                      .set_up = s->set_up,
		                      .second = &second,
		                      .elapsed = 3 * SECOND,
		                      .total = 10 * SECOND,
		                      .all_arrivals = 300,
		                      .all_dropped = 2,
		                      .all_errors = s->errors,
		                      .service = &s->hists[0],
		                      .flows = s->flows,
		                      .flow_count = flows };
}

static void drop(struct scene *s)
{
	for (size_t i = 0; i < s->p.flow_count; i++) {
		hist_finish(&s->hists[i]);
		free((char *)(uintptr_t)s->flows[i].name);
	}
	for (int i = 0; i < SET_UP_PARTS; i++)
		hist_finish(&s->set_up[i]);
	free(s->hists);
	free(s->flows);
}

static void has(const struct buf *out, const char *line)
{
	if (!strstr(buf_cstr(out), line))
		fail_msg("no '%s' in:\n%s", line, buf_cstr(out));
}

static void buckets_are_cumulative_and_bounds_belong_to_them(void **state)
{
	struct scene s;
	struct buf out;
	make(&s, 1);
	hist_record(&s.hists[0], 5 * MILLISECOND);
	hist_record(&s.hists[0], 7 * MILLISECOND);
	hist_record(&s.hists[0], 100 * SECOND);
	s.errors[RUN_ERROR_TIMEOUT] = 1;
	buf_init(&out, METRICS_BYTES_MAX);
	report_metrics_text("shop", &s.p, &out);
	has(&out, "weir_run_info{name=\"shop\",id=\"01X\",version=\"");
	has(&out, "# TYPE weir_response_time_seconds histogram\n");
	has(&out, "weir_response_time_seconds_bucket{flow=\"flow \\\"0\\\" \\\\\",le=\"0.0025\"} 0\n");
	has(&out, "le=\"0.005\"} 1\n");
	has(&out, "le=\"0.01\"} 2\n");
	has(&out, "le=\"60\"} 2\n");
	has(&out, "le=\"+Inf\"} 3\n");
	has(&out, "weir_response_time_seconds_sum{flow=\"flow \\\"0\\\" \\\\\"} 100.012\n");
	has(&out, "weir_service_time_seconds_count 3\n");
	has(&out, "weir_connection_set_up_seconds_count{part=\"dns\"} 0\n");
	has(&out, "weir_connection_set_up_seconds_sum{part=\"tls\"} 0.003\n");
	has(&out, "weir_errors_total{class=\"timeout\"} 1\n");
	has(&out, "weir_iterations_dropped_total 2\n");
	has(&out, "weir_send_lag_p99_seconds 0.002\n");
	buf_finish(&out);
	drop(&s);
}

static void labels_are_bounded_and_nothing_is_lost(void **state)
{
	struct scene s;
	struct buf out;
	size_t labels = 0;
	uint64_t sum = 0, others = 0;
	make(&s, 100);
	for (size_t i = 0; i < 100; i++) {
		hist_record(&s.hists[i], MILLISECOND);
		sum += i >= METRICS_FLOWS_MAX - 1 ? s.flows[i].requests : 0;
	}
	buf_init(&out, METRICS_BYTES_MAX);
	report_metrics_text("many", &s.p, &out);
	assert_false(buf_overflowed(&out));
	for (const char *at = buf_cstr(&out); (at = strstr(at, "weir_requests_total{")); at++)
		labels++;
	assert_int_equal(labels, METRICS_FLOWS_MAX);
	const char *at = strstr(buf_cstr(&out), "weir_requests_total{flow=\"(others)\"} ");
	assert_non_null(at);
	assert_int_equal(sscanf(strchr(at, '}') + 1, "%lu", &others), 1);
	assert_int_equal(others, sum);
	has(&out, "weir_response_time_seconds_count{flow=\"(others)\"} 69\n");
	buf_finish(&out);
	drop(&s);
}

static void before_the_first_second_only_the_run_is_known(void **state)
{
	struct buf out;
	buf_init(&out, METRICS_BYTES_MAX);
	report_metrics_text("shop\nx 1", NULL, &out);
	has(&out, "weir_run_info{name=\"shop x 1\",id=\"\"");
	assert_null(strstr(buf_cstr(&out), "weir_requests_total"));
	buf_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_are_cumulative_and_bounds_belong_to_them),
		cmocka_unit_test(labels_are_bounded_and_nothing_is_lost),
		cmocka_unit_test(before_the_first_second_only_the_run_is_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
