#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "canary/sources/haproxy_log.h"

static const char text[] = "c1 be_stable s1 200 0 0 0 2 2 ---- 0 2201\n"
			   "Server be_canary/s1 is DOWN\n"
			   "c1 be_canary s1 500 0 0 0 2 2 ---- 0 1500\n"
			   "c1 be_canary s1 200 0 0 0 2 2 CD-- 0 1500\n"
			   "c1 be_canary s1 nonsense\n"
			   "c1 fe_weir <NOSRV> 400 -1 -1 -1 -1 0 PR-- 0 -\n"
			   "\n"
			   "c1 be_stable s1 200 0 0 0 2 2 ---- 0 2201\n";

static void assert_counted(const struct source_sample *s)
{
	assert_int_equal(s->lines, 5);
	assert_int_equal(s->unreadable, 1);
	assert_int_equal(s->arms[ARM_STABLE].requests, 2);
	assert_int_equal(s->arms[ARM_STABLE].errors, 0);
	assert_int_equal(s->arms[ARM_STABLE].bins.total, 2);
	assert_int_equal(hist_count(s->arms[ARM_STABLE].latency), 2);
	assert_int_equal(s->arms[ARM_CANARY].requests, 1);
	assert_int_equal(s->arms[ARM_CANARY].errors, 1);
	assert_int_equal(s->arms[ARM_CANARY].client_aborts, 1);
	assert_int_equal(s->arms[ARM_CANARY].bins.total, 1);
}

/* However the pipe cuts them, the same lines are counted. */
static void pieces_do_not_matter(void **state)
{
	static struct haproxy_intake i;
	for (size_t step = 1; step <= sizeof(text); step++) {
		haproxy_intake_init(&i);
		for (size_t at = 0; at < strlen(text); at += step)
			haproxy_intake_bytes(&i, str_first(str_from_at(str_from(text), at), step));
		assert_counted(&i.sample);
		haproxy_intake_finish(&i);
	}
}

static uint32_t in_group(const struct source_groups *g, int group)
{
	uint32_t requests = 0;
	for (int bin = 0; bin < LOGBINS; bin++)
		requests += g->bins[group][bin];
	return requests;
}

/* Only stable's, and not those whose client left. */
static void stable_is_counted_in_groups(void **state)
{
	static struct haproxy_intake i;
	haproxy_intake_init(&i);
	haproxy_intake_bytes(&i, STR("c1 be_stable s1 200 0 0 0 2 2 ---- 0 2201 3 4\n"
	                             "c1 be_stable s2 500 0 0 0 2 2 ---- 0 99 3 5\n"
	                             "c1 be_stable s1 200 0 0 0 2 2 CD-- 0 2201 3 4\n"
	                             "c1 be_canary s1 500 0 0 0 2 2 ---- 0 2201 3 4\n"
	                             "c1 be_stable <NOSRV> 503 0 -1 -1 -1 0 SC-- 0 - - -\n"));
	const struct source_groups *users = &i.sample.stable[GROUPED_BY_USER];
	assert_int_equal(i.sample.lines - i.sample.unreadable, 5);
	assert_int_equal(in_group(users, 3), 2);
	assert_int_equal(users->errors[3], 1);
	assert_int_equal(users->bins[3][logbins_index(2201 * MICROSECOND)], 1);
	assert_int_equal(in_group(&i.sample.stable[GROUPED_BY_CONNECTION], 4), 1);
	assert_int_equal(i.sample.stable[GROUPED_BY_CONNECTION].errors[5], 1);
	assert_int_equal(in_group(&i.sample.stable[GROUPED_BY_SERVER], 1), 1);
	assert_int_equal(in_group(&i.sample.stable[GROUPED_BY_SERVER], 2), 1);
	source_sample_reset(&i.sample);
	assert_int_equal(in_group(users, 3) + users->errors[3], 0);
	haproxy_intake_finish(&i);
}

static void too_long_a_line_is_one_unreadable_line(void **state)
{
	static struct haproxy_intake i;
	char longer[5000];
	memset(longer, 'x', sizeof(longer));
	haproxy_intake_init(&i);
	haproxy_intake_bytes(&i, STR("c1 be_stable "));
	for (int k = 0; k < 3; k++)
		haproxy_intake_bytes(&i, (struct str){ longer, sizeof(longer) });
	haproxy_intake_bytes(&i, STR("\n"));
	haproxy_intake_bytes(&i, str_from(text));
	assert_int_equal(i.sample.unreadable, 2);
	i.sample.lines--;
	i.sample.unreadable--;
	assert_counted(&i.sample);
	haproxy_intake_finish(&i);
}

static void sample_resets(void **state)
{
	static struct haproxy_intake i;
	haproxy_intake_init(&i);
	haproxy_intake_bytes(&i, str_from(text));
	source_sample_reset(&i.sample);
	assert_int_equal(i.sample.lines + i.sample.arms[ARM_STABLE].requests, 0);
	assert_int_equal(hist_count(i.sample.arms[ARM_STABLE].latency), 0);
	haproxy_intake_bytes(&i, str_from(text));
	assert_counted(&i.sample);
	haproxy_intake_finish(&i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_do_not_matter),
		cmocka_unit_test(stable_is_counted_in_groups),
		cmocka_unit_test(too_long_a_line_is_one_unreadable_line),
		cmocka_unit_test(sample_resets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
