#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/must.h"
#include "canary/sources/haproxy_line.h"

#define S ARM_STABLE
#define C ARM_CANARY

static const struct {
	const char *line;
	enum haproxy_line_kind kind;
	enum arm arm;
	int32_t status;
	bool failed, aborted;
	dur_ns latency;
} cases[] = {
	/* As HAProxy 2.6.12 wrote them. */
	{ "c1 be_stable s1 200 0 0 0 2 2 ---- 0 2201", HAPROXY_LINE_REQUEST, S, 200, false, false, 2201 * MICROSECOND },
	{ "c1 be_canary s1 200 0 0 0 0 0 ---- 0 640", HAPROXY_LINE_REQUEST, C, 200, false, false, 640 * MICROSECOND },
	{ "c1 be_stable <NOSRV> 503 0 -1 -1 -1 0 SC-- 0 -", HAPROXY_LINE_REQUEST, S, 503, true, false, 0 },
	{ "c1 be_canary s1 504 0 0 0 -1 30001 sH-- 0 -", HAPROXY_LINE_REQUEST, C, 504, true, false,
	  30001 * MILLISECOND },
	{ "c1 be_canary s1 503 0 0 -1 -1 3004 SC-- 2 -", HAPROXY_LINE_REQUEST, C, 503, true, false,
	  3004 * MILLISECOND },
	/* The client left: neither success nor failure. */
	{ "c1 be_canary s1 200 0 0 1 3 2000 CD-- 0 3100", HAPROXY_LINE_REQUEST, C, 200, false, true,
	  3100 * MICROSECOND },
	{ "c1 be_canary s1 -1 0 0 1 -1 500 CH-- 0 -", HAPROXY_LINE_REQUEST, C, -1, false, true, 500 * MILLISECOND },
	{ "c1 be_stable s1 503 0 0 -1 -1 9 CC-- 1 -", HAPROXY_LINE_REQUEST, S, 503, false, true, 9 * MILLISECOND },
	{ "c1 be_stable s1 200 0 0 1 3 2000 cD-- 0 3100", HAPROXY_LINE_REQUEST, S, 200, false, true,
	  3100 * MICROSECOND },
	/* Broken off by the server in the middle of a good answer. */
	{ "c1 be_canary s1 200 0 0 1 3 90 SD-- 0 3100", HAPROXY_LINE_REQUEST, C, 200, true, false, 3100 * MICROSECOND },
	{ "c1 be_canary s1 200 0 0 1 3 90 sD-- 0 3100", HAPROXY_LINE_REQUEST, C, 200, true, false, 3100 * MICROSECOND },
	/* A tunnel that the server ended. */
	{ "c1 be_canary s1 101 0 0 1 3 90 SD-- 0 3100", HAPROXY_LINE_REQUEST, C, 101, false, false,
	  3100 * MICROSECOND },
	/* Served, but only after a retry, or by another server. */
	{ "c1 be_canary s2 200 0 0 1 3 90 ---- 1 3100", HAPROXY_LINE_REQUEST, C, 200, true, false, 3100 * MICROSECOND },
	{ "c1 be_canary s2 200 0 0 1 3 90 ---- +1 3100", HAPROXY_LINE_REQUEST, C, 200, true, false,
	  3100 * MICROSECOND },
	{ "c1 be_canary s2 200 0 0 1 3 +90 ---- 0 3100", HAPROXY_LINE_REQUEST, C, 200, false, false,
	  3100 * MICROSECOND },
	{ "c1 be_stable s1 404 0 0 0 1 1 ---- 0 900", HAPROXY_LINE_REQUEST, S, 404, false, false, 900 * MICROSECOND },
	{ "c1 be_stable s1 500 0 0 0 1 1 ---- 0 900", HAPROXY_LINE_REQUEST, S, 500, true, false, 900 * MICROSECOND },
	{ "c1 be_stable s1 0 0 0 0 -1 1 PH-- 0 -", HAPROXY_LINE_REQUEST, S, 0, true, false, 1 * MILLISECOND },
	/* The calendar clock was set between request and answer: the steady total counts. */
	{ "c1 be_stable s1 200 0 0 0 4 4 ---- 0 3600000000", HAPROXY_LINE_REQUEST, S, 200, false, false,
	  4 * MILLISECOND },
	{ "c1 be_stable s1 200 0 0 0 4 4 ---- 0 -3600000000", HAPROXY_LINE_REQUEST, S, 200, false, false,
	  4 * MILLISECOND },
	{ "c1 fe_weir <NOSRV> 400 -1 -1 -1 -1 0 PR-- 0 -", HAPROXY_LINE_NO_ARM, 0, 0, false, false, 0 },
	{ "c1 be_canary2 s1 200 0 0 0 0 0 ---- 0 640", HAPROXY_LINE_NO_ARM, 0, 0, false, false, 0 },
	{ "Server be_canary/s1 is DOWN, reason: Layer4 timeout", HAPROXY_LINE_NOTICE, 0, 0, false, false, 0 },
	{ "", HAPROXY_LINE_NOTICE, 0, 0, false, false, 0 },
	{ "c1", HAPROXY_LINE_NOTICE, 0, 0, false, false, 0 },
	{ "c2 be_stable s1 200 0 0 0 2 2 ---- 0 2201", HAPROXY_LINE_NOTICE, 0, 0, false, false, 0 },
	{ "c1 ", HAPROXY_LINE_UNREADABLE, 0, 0, false, false, 0 },
	{ "c1 be_stable s1 200 0 0 0 2 2 ---- 0", HAPROXY_LINE_UNREADABLE, 0, 0, false, false, 0 },
	{ "c1 be_stable s1 200 0 0 0 2 2 ---- 0 2201 ", HAPROXY_LINE_UNREADABLE, 0, 0, false, false, 0 },
	{ "c1 be_stable s1 200 0 0 0 2 2 ---- 0 2201 7", HAPROXY_LINE_UNREADABLE, 0, 0, false, false, 0 },
	{ "c1 be_stable s1 200 0 0 0 2 2 ---- 0 2201 7 20", HAPROXY_LINE_UNREADABLE, 0, 0, false, false, 0 },
	{ "c1 be_stable s1 200 0 0 0 2 2 ---- 0 2201 7 3 ", HAPROXY_LINE_UNREADABLE, 0, 0, false, false, 0 },
	{ "c1 be_stable s1 2o0 0 0 0 2 2 ---- 0 2201", HAPROXY_LINE_UNREADABLE, 0, 0, false, false, 0 },
	{ "c1 be_stable s1 200 0 0 0 2 2 - 0 2201", HAPROXY_LINE_UNREADABLE, 0, 0, false, false, 0 },
	{ "c1 be_stable  200 0 0 0 2 2 ---- 0 2201", HAPROXY_LINE_UNREADABLE, 0, 0, false, false, 0 },
	{ "c1 be_stable s1 99999999999999999999 0 0 0 2 2 ---- 0 1", HAPROXY_LINE_UNREADABLE, 0, 0, false, false, 0 },
	{ "c1 be_stable s1 1000 0 0 0 2 2 ---- 0 1", HAPROXY_LINE_UNREADABLE, 0, 0, false, false, 0 },
};

static void lines_are_understood(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct haproxy_line got = { 0 };
		const enum haproxy_line_kind kind = haproxy_line_parse(str_from(cases[i].line), &got);
		const bool same = kind == cases[i].kind &&
		                  (kind != HAPROXY_LINE_REQUEST ||
		                   (got.arm == cases[i].arm && got.status == cases[i].status &&
		                    got.failed == cases[i].failed && got.aborted == cases[i].aborted &&
		                    got.latency == cases[i].latency));
		if (!same)
			fail_msg("'%s': kind %d arm %d status %d failed %d aborted %d latency %lld", cases[i].line,
			         kind, got.arm, (int)got.status, got.failed, got.aborted, (long long)got.latency);
	}
}

static void groups_are_read(void **state)
{
	static const struct {
		const char *line;
		int user, connection, server;
	} of[] = {
		{ "c1 be_stable s1 200 0 0 0 2 2 ---- 0 2201 7 15", 7, 15, 1 },
		{ "c1 be_stable s23 200 0 0 0 2 2 ---- 0 - 0 19", 0, 19, 3 },
		{ "c1 be_stable s4 200 0 0 0 2 2 ---- 0 2201", -1, -1, 4 }, /* an older weir's HAProxy */
		{ "c1 be_stable <NOSRV> 503 0 -1 -1 -1 0 SC-- 0 - - -", -1, -1, -1 },
		{ "c1 be_stable s2 200 0 0 0 2 2 ---- 0 2201 -7 -7", -1, -1, 2 },
	};
	for (size_t i = 0; i < ARRAY_LEN(of); i++) {
		struct haproxy_line got = { 0 };
		assert_int_equal(haproxy_line_parse(str_from(of[i].line), &got), HAPROXY_LINE_REQUEST);
		assert_int_equal(got.groups[GROUPED_BY_USER], of[i].user);
		assert_int_equal(got.groups[GROUPED_BY_CONNECTION], of[i].connection);
		assert_int_equal(got.groups[GROUPED_BY_SERVER], of[i].server);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(lines_are_understood), cmocka_unit_test(groups_are_read) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
