#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "canary/drivers/haproxy_answers.h"

#define INFO                                                                                                    \
	"Name: HAProxy\nVersion: 2.6.12\nPid: 10609\nUptime: 0d 0h00m12s\ndescription: weir 0123456789abcdef\n" \
	"Stopping: 0\nDroppedLogs: 7\n\n"
#define STAT                                                                                                         \
	"# pxname,svname,qcur,qmax,scur,smax,slim,stot,status,req_tot,\nst_lease,BACKEND,0,0,0,0,1,0,UP,0,\n"        \
	"fe_weir,FRONTEND,,,1,2,3,12,OPEN,12,\nbe_stable,s1,0,0,3,1,,9,UP,9,\nbe_stable,BACKEND,0,0,3,1,1,9,UP,9,\n" \
	"be_canary,s1,0,0,2,1,,3,DOWN,3,\nbe_canary,BACKEND,0,0,2,1,1,3,DOWN,3,\n\n"
#define MAP(weight, hold) "0x564183a01660 weight " #weight "\n0x564183a016f0 hold " #hold "\n\n"
#define NO_LEASE "# table: st_lease, type: string, size:16, used:0\n\n"
#define LEASE "# table: st_lease, type: string, size:16, used:1\n0x7f92240460b8: key=rollout use=0 exp=946 gpt0=1\n\n"

static void whole_answer_is_understood(void **state)
{
	struct haproxy_state s;
	assert_true(haproxy_state_parse(STR(INFO STAT MAP(500, 0) LEASE), &s));
	assert_int_equal(s.pid, 10609);
	assert_true(str_is(s.hash, "0123456789abcdef"));
	assert_false(s.stopping);
	assert_int_equal(s.logs_dropped, 7);
	assert_int_equal(s.requests[ARM_STABLE], 9);
	assert_int_equal(s.requests[ARM_CANARY], 3);
	assert_int_equal(s.in_flight[ARM_STABLE], 3);
	assert_int_equal(s.in_flight[ARM_CANARY], 2);
	assert_true(s.arm_up[ARM_STABLE]);
	assert_false(s.arm_up[ARM_CANARY]);
	assert_true(s.leased);
	assert_int_equal(s.lease_ms, 946);
	assert_int_equal(haproxy_state_weight(&s), 500);
}

static void weight_needs_lease_or_hold(void **state)
{
	struct haproxy_state s;
	assert_true(haproxy_state_parse(STR(INFO STAT MAP(500, 0) NO_LEASE), &s));
	assert_int_equal(s.weight_bp, 500);
	assert_int_equal(haproxy_state_weight(&s), 0);
	assert_true(haproxy_state_parse(STR(INFO STAT MAP(10000, 1) NO_LEASE), &s));
	assert_int_equal(haproxy_state_weight(&s), 10000);
}

static void incomplete_answers_are_refused(void **state)
{
	static const char whole[] = INFO STAT MAP(500, 0);
	struct haproxy_state s;
	assert_true(haproxy_state_parse(str_from(whole), &s));
	assert_false(haproxy_state_parse(STR(""), &s));
	assert_false(haproxy_state_parse(STR(STAT MAP(500, 0)), &s));
	assert_false(haproxy_state_parse(STR(INFO MAP(500, 0)), &s));
	assert_false(haproxy_state_parse(STR(INFO STAT), &s));
	assert_false(haproxy_state_parse(STR(INFO STAT MAP(10001, 0)), &s));
	assert_false(haproxy_state_parse(STR(INFO STAT "Unknown map identifier.\n\n"), &s));
	/* Another HAProxy: columns elsewhere or not there. */
	assert_false(haproxy_state_parse(
		STR(INFO "# pxname,svname\nbe_stable,BACKEND\nbe_canary,BACKEND\n\n" MAP(1, 0)), &s));
}

static void alerts_are_found(void **state)
{
	static const char said[] =
		"[NOTICE]   (12) : haproxy version is 2.6.12\n[WARNING]  (12) : odd : but fine\n"
		"[ALERT]    (12) : config : [haproxy.cfg:3] : unknown keyword 'x'\n[ALERT] (12) : more\n";
	assert_true(str_is(haproxy_first_alert(str_from(said)), "config : [haproxy.cfg:3] : unknown keyword 'x'"));
	assert_int_equal(haproxy_first_alert(STR("[NOTICE] (1) : nothing\n")).len, 0);
	assert_int_equal(haproxy_first_alert(STR("[ALERT]")).len, 0);
}

static void map_is_written_as_it_is_read(void **state)
{
	struct buf b;
	buf_init(&b, 100);
	haproxy_map_write(750, true, &b);
	assert_string_equal(buf_cstr(&b), "weight 750\nhold 1\n");
	buf_finish(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_answer_is_understood),     cmocka_unit_test(weight_needs_lease_or_hold),
		cmocka_unit_test(incomplete_answers_are_refused), cmocka_unit_test(alerts_are_found),
		cmocka_unit_test(map_is_written_as_it_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
