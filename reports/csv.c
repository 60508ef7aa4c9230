#include "reports/csv.h"

#include <math.h>

#include "base/must.h"

#define LATENCIES 6

static void add_number(struct buf *out, double value)
{
	if (isfinite(value))
		buf_printf(out, "%.6g", value);
}

/* 0 is "nothing ended": an empty cell, never a fast answer. */
static void add_time(struct buf *out, dur_ns t)
{
	buf_add_char(out, ',');
	if (t > 0)
		buf_printf(out, "%.3f", (double)t / (double)MICROSECOND);
}

static void add_known(struct buf *out, uint32_t n)
{
	buf_add_char(out, ',');
	if (n)
		buf_printf(out, "%u", n);
}

static void add_row(struct buf *out, const struct second_record *s)
{
	const dur_ns times[LATENCIES] = { s->response_p50, s->response_p95, s->response_p99,
		                          s->service_p50,  s->service_p99,  s->lag_p99 };
	buf_printf(out, "%d,", s->second);
	add_number(out, s->offered);
	buf_printf(out, ",%u,%u,%u,%u,%u,%u", s->started, s->completed, s->failed, s->dropped, s->users, s->in_flight);
	for (int i = 0; i < LATENCIES; i++)
		add_time(out, times[i]);
	buf_add_char(out, ',');
	add_number(out, s->cpu);
	add_time(out, s->turn_max);
	buf_add_char(out, ',');
	add_number(out, s->steal);
	add_known(out, s->descriptors);
	add_known(out, s->ports);
	buf_printf(out, ",%s\n", s->phase == PHASE_UNKNOWN ? "" : second_phase_text(s->phase));
}

void report_run_csv(const struct run_record *r, struct buf *out)
{
	static const char *const names[LATENCIES] = { "response_p50_us", "response_p95_us", "response_p99_us",
		                                      "service_p50_us",  "service_p99_us",  "send_lag_p99_us" };
	const bool sound = r->verdict != RUN_INVALID && r->validity != RUN_NOT_VALID;
	buf_add(out, STR("second,offered_iterations_per_second,started_requests,completed_requests,failed_requests,"
	                 "dropped_iterations,users,in_flight_requests"));
	for (int i = 0; i < LATENCIES; i++)
		buf_printf(out, ",%s%s", sound ? "" : "unverified_", names[i]);
	buf_add(out, STR(",busiest_worker_cpu_share,longest_turn_us,steal_share,open_descriptors,local_ports,phase\n"));
	for (size_t i = 0; i < r->second_count; i++)
		add_row(out, &r->seconds[i]);
}
