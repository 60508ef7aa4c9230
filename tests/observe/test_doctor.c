#include "observe/doctor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static const struct machine_facts good = {
	.descriptors = 1048576,
	.port_first = 32768,
	.port_last = 60999,
	.cores = 8,
	.clock_source = "tsc",
	.memory_bytes = UINT64_C(16) << 30,
	.memory_available_bytes = UINT64_C(8) << 30,
};

static enum finding_state state_of(const struct doctor *d, const char *name)
{
	for (size_t i = 0; i < d->count; i++)
		if (strcmp(d->findings[i].name, name) == 0)
			return d->findings[i].state;
	fail_msg("nothing was found about %s", name);
	return FINDING_OK;
}

static enum finding_state judge(struct machine_facts m, const char *name)
{
	struct doctor d = { .count = 0 };
	doctor_judge_machine(&d, &m);
	return state_of(&d, name);
}

static void a_good_machine_is_good(void **state)
{
	struct doctor d = { .count = 0 };
	doctor_judge_machine(&d, &good);
	assert_int_equal(d.count, 4);
	assert_int_equal(doctor_state(&d), FINDING_OK);
	for (size_t i = 0; i < d.count; i++) {
		assert_true(d.findings[i].found[0]);
		assert_non_null(d.findings[i].why);
		assert_non_null(d.findings[i].advice);
	}
}

static void limits_of_the_machine(void **state)
{
	struct machine_facts m = good;
	m.descriptors = 1024;
	assert_int_equal(judge(m, "descriptors"), FINDING_WARN);
	m.descriptors = 256;
	assert_int_equal(judge(m, "descriptors"), FINDING_FAIL);
	m = good;
	m.port_last = m.port_first + 999;
	assert_int_equal(judge(m, "ports"), FINDING_WARN);
	m = good;
	m.time_wait = 20000;
	assert_int_equal(judge(m, "ports"), FINDING_WARN);
	m.port_first = m.port_last = 0;
	assert_int_equal(judge(m, "ports"), FINDING_WARN);
	m = good;
	m.cores = 1;
	assert_int_equal(judge(m, "processors"), FINDING_WARN);
	m = good;
	m.cpu_quota = 1.5;
	assert_int_equal(judge(m, "processors"), FINDING_WARN);
	m.cpu_quota = 16;
	assert_int_equal(judge(m, "processors"), FINDING_OK);
	snprintf(m.governor, sizeof(m.governor), "powersave");
	assert_int_equal(judge(m, "processors"), FINDING_WARN);
	m = good;
	m.memory_available_bytes = UINT64_C(100) << 20;
	assert_int_equal(judge(m, "memory"), FINDING_WARN);
	m.memory_available_bytes = UINT64_C(10) << 20;
	assert_int_equal(judge(m, "memory"), FINDING_FAIL);
}

static enum finding_state judge_ticks(uint64_t idle, uint64_t steal)
{
	struct doctor d = { .count = 0 };
	const struct cpu_ticks before = { 1000, 500, 10 }, after = { 2000, 500 + idle, 10 + steal };
	doctor_judge_quiet(&d, &before, &after);
	return state_of(&d, "others");
}

static void others_on_the_machine(void **state)
{
	struct doctor d = { .count = 0 };
	const struct cpu_ticks same = { 1000, 500, 10 };
	assert_int_equal(judge_ticks(990, 0), FINDING_OK);
	assert_int_equal(judge_ticks(500, 0), FINDING_WARN);
	assert_int_equal(judge_ticks(900, 50), FINDING_WARN);
	assert_int_equal(judge_ticks(100, 300), FINDING_FAIL);
	doctor_judge_quiet(&d, &same, &same); /* no time went by: nothing is known */
	assert_int_equal(d.count, 0);
}

static enum finding_state judge_clock(dur_ns resolution, dur_ns read, bool backwards, const char *source)
{
	struct doctor d = { .count = 0 };
	struct machine_facts m = good;
	const struct clock_facts c = { resolution, read, backwards };
	snprintf(m.clock_source, sizeof(m.clock_source), "%s", source);
	doctor_judge_clock(&d, &m, &c);
	return state_of(&d, "clock");
}

static void clocks(void **state)
{
	assert_int_equal(judge_clock(1, 25, false, "tsc"), FINDING_OK);
	assert_int_equal(judge_clock(1, 25, false, ""), FINDING_OK);
	assert_int_equal(judge_clock(1, 1500, false, "tsc"), FINDING_WARN);
	assert_int_equal(judge_clock(1, 25, false, "hpet"), FINDING_WARN);
	assert_int_equal(judge_clock(4 * MILLISECOND, 25, false, "tsc"), FINDING_FAIL);
	assert_int_equal(judge_clock(1, 25, true, "tsc"), FINDING_FAIL);
}

static void alarms_and_the_self_test(void **state)
{
	struct doctor d = { .count = 0 };
	doctor_judge_lateness(&d, &(struct lateness){ 500, 50 * MICROSECOND, 200 * MICROSECOND, MILLISECOND });
	assert_int_equal(doctor_state(&d), FINDING_OK);
	doctor_judge_lateness(&d, &(struct lateness){ 500, 50 * MICROSECOND, 3 * MILLISECOND, 9 * MILLISECOND });
	assert_int_equal(doctor_state(&d), FINDING_WARN);
	doctor_judge_lateness(&d, &(struct lateness){ 500, MILLISECOND, 30 * MILLISECOND, SECOND });
	assert_int_equal(doctor_state(&d), FINDING_FAIL);
	d.count = 0;
	doctor_judge_loopback(
		&d, &(struct loopback_facts){ .requests = 10, .connections = 10, .requests_per_core_second = 50000 });
	assert_int_equal(doctor_state(&d), FINDING_OK);
	doctor_judge_loopback(
		&d, &(struct loopback_facts){ .requests = 10, .connections = 10, .requests_per_core_second = 900 });
	assert_int_equal(doctor_state(&d), FINDING_WARN);
	doctor_judge_loopback(
		&d, &(struct loopback_facts){
			    .requests = 10, .connections = 10, .failed = 1, .requests_per_core_second = 50000 });
	assert_int_equal(doctor_state(&d), FINDING_FAIL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_machine_is_good),   cmocka_unit_test(limits_of_the_machine),
		cmocka_unit_test(others_on_the_machine),    cmocka_unit_test(clocks),
		cmocka_unit_test(alarms_and_the_self_test),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
