#include "reports/live_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define FLOWS 8

struct scene {
	struct hist response, service, lag, flow[FLOWS];
	struct flow_progress flows[FLOWS];
	uint64_t errors[RUN_ERROR_KINDS];
	struct second_record second;
	struct live_history history;
	struct run_progress p;
};
static struct scene s;

static void record_all(int count)
{
	for (int i = 0; i < count; i++) {
		hist_record(&s.response, (i + 1) * MILLISECOND);
		hist_record(&s.service, (i + 1) * 900 * MICROSECOND);
		hist_record(&s.flow[i % FLOWS], (i + 1) * MILLISECOND);
	}
}

static int setup(void **state)
{
	static const char *const names[FLOWS] = { "auth", "messages",  "a name much longer than any column for it",
		                                  "d",    "e\033[2Jf", "größe",
		                                  "g",    "h" };
	s = (struct scene){ .second = { .second = 3,
		                        .offered = 158,
		                        .started = 158,
		                        .completed = 157,
		                        .users = 12,
		                        .response_p95 = 20 * MILLISECOND,
		                        .service_p99 = 30 * MILLISECOND,
		                        .lag_p99 = 50 * MICROSECOND,
		                        .cpu = 0.2 } };
	hist_init_latency(&s.response);
	hist_init_latency(&s.service);
	hist_init_latency(&s.lag);
	for (int i = 0; i < FLOWS; i++) {
		hist_init_latency(&s.flow[i]);
		s.flows[i] = (struct flow_progress){ names[i], 100, i == 1 ? 5 : 0, &s.flow[i], &s.flow[i] };
	}
	s.p = (struct run_progress){ .run_id = "01X",
		                     .second = &s.second,
		                     .elapsed = 12 * SECOND,
		                     .total = 60 * SECOND,
		                     .all_errors = s.errors,
		                     .interval = &s.response,
		                     .response = &s.response,
		                     .service = &s.service,
		                     .lag = &s.lag,
		                     .flows = s.flows,
		                     .flow_count = FLOWS };
	return 0;
}

static int teardown(void **state)
{
	hist_finish(&s.response);
	hist_finish(&s.service);
	hist_finish(&s.lag);
	for (int i = 0; i < FLOWS; i++)
		hist_finish(&s.flow[i]);
	return 0;
}

static void render(int columns, int rows, bool utf8, bool colour, struct buf *out)
{
	const struct live_subject subject = { .name = "five-flows",
		                              .target = "http://127.0.0.1:8080",
		                              .history = &s.history };
	const struct report_style style = { .colour = colour, .utf8 = utf8, .width = columns };
	buf_clear(out);
	report_live_text(&subject, &s.p, &style, rows, out);
}

/* Columns of a line without its colours. */
static size_t columns_of(struct str line)
{
	struct buf bare;
	buf_init(&bare, 4096);
	for (size_t i = 0; i < line.len; i++) {
		if (line.p[i] == '\033')
			while (line.p[i] != 'm')
				i++;
		else
			buf_add_char(&bare, line.p[i]);
	}
	const size_t columns = style_columns(buf_str(&bare));
	buf_finish(&bare);
	return columns;
}

static void every_size_is_kept(void **state)
{
	static const int widths[] = { 40, 41, 47, 60, 63, 64, 65, 80, 120, 300 };
	struct buf out;
	struct str rest, line;
	buf_init(&out, REPORT_BYTES_MAX);
	record_all(1000);
	s.p.all_requests = 1000;
	s.p.all_failed = 5;
	s.errors[RUN_ERROR_STATUS] = 5;
	for (int i = 0; i < 300; i++)
		live_history_add(&s.history, &s.second);
	for (size_t w = 0; w < sizeof(widths) / sizeof(widths[0]); w++)
		for (int rows = 1; rows < 40; rows += rows < 12 ? 1 : 9)
			for (int how = 0; how < 4; how++) {
				int lines = 0;
				render(widths[w], rows, how & 1, how & 2, &out);
				for (rest = buf_str(&out); str_cut(&rest, '\n', &line); lines++)
					assert_true(columns_of(line) <= (size_t)widths[w]);
				assert_in_range(lines, 1, rows);
				assert_null(strstr(buf_cstr(&out), "\033[2J"));
			}
	buf_finish(&out);
}

static void ten_rows_of_forty_columns_have_what_matters(void **state)
{
	struct buf out;
	buf_init(&out, REPORT_BYTES_MAX);
	record_all(1000);
	s.p.all_requests = 1000;
	render(40, 10, false, false, &out);
	const char *text = buf_cstr(&out);
	assert_non_null(strstr(text, "five-flows"));
	assert_non_null(strstr(text, "sound"));
	assert_non_null(strstr(text, "48.0 s left"));
	assert_non_null(strstr(text, "158/s"));
	assert_non_null(strstr(text, "157/s"));
	assert_non_null(strstr(text, "response"));
	assert_non_null(strstr(text, "errors"));
	assert_non_null(strstr(text, "generator"));
	buf_finish(&out);
}

static void nothing_measured_is_not_zero(void **state)
{
	struct buf out;
	buf_init(&out, REPORT_BYTES_MAX);
	s.p.warming_up = true;
	render(80, 40, true, false, &out);
	const char *text = buf_cstr(&out);
	assert_non_null(strstr(text, "warming up"));
	assert_non_null(strstr(text, "n/a"));
	assert_null(strstr(text, "nan"));
	assert_null(strstr(text, " 0 us"));
	buf_finish(&out);
}

static void a_strained_generator_is_a_word(void **state)
{
	struct buf out;
	buf_init(&out, REPORT_BYTES_MAX);
	s.second.cpu = 0.95;
	assert_true(live_strained(&s.second));
	render(60, 10, false, false, &out);
	assert_non_null(strstr(buf_cstr(&out), "STRAINED"));
	s.second.cpu = 0.5;
	assert_false(live_strained(&s.second));
	s.second.dropped = 1;
	assert_true(live_strained(&s.second));
	buf_finish(&out);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(every_size_is_kept),
		CASE(ten_rows_of_forty_columns_have_what_matters),
		CASE(nothing_measured_is_not_zero),
		CASE(a_strained_generator_is_a_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
