#include "observe/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sched.h>

static void ticks_are_those_of_all_processors(void **state)
{
	struct cpu_ticks t;
	assert_true(
		machine_parse_stat(STR("cpu  10 20 30 400 50 6 7 8 900 1000\ncpu0 1 1 1 1 1 1 1 1 1 1\nintr 5\n"), &t));
	assert_int_equal(t.total, 531); /* guest time is part of user */
	assert_int_equal(t.idle, 450);
	assert_int_equal(t.steal, 8);
	/* Linux 2.6.0 had no steal. */
	assert_true(machine_parse_stat(STR("cpu  1 2 3 4\n"), &t));
	assert_int_equal(t.steal, 0);
	assert_false(machine_parse_stat(STR("cpu0 1 2 3 4\n"), &t));
	assert_false(machine_parse_stat(STR("cpu  1 2\n"), &t));
	assert_false(machine_parse_stat(STR("cpu  a b c d\n"), &t));
	assert_false(machine_parse_stat(STR(""), &t));
}

static void the_range_of_ports(void **state)
{
	uint64_t first = 0, last = 0;
	assert_true(machine_parse_port_range(STR("32768\t60999\n"), &first, &last));
	assert_int_equal(first, 32768);
	assert_int_equal(last, 60999);
	assert_false(machine_parse_port_range(STR("60999 32768\n"), &first, &last));
	assert_false(machine_parse_port_range(STR("1 65536\n"), &first, &last));
	assert_false(machine_parse_port_range(STR("1\n"), &first, &last));
}

static void memory_in_bytes(void **state)
{
	uint64_t all = 0, available = 0;
	assert_true(machine_parse_meminfo(STR("MemTotal:  2048 kB\nMemFree: 1 kB\nMemAvailable:  1024 kB\n"), &all,
	                                  &available));
	assert_int_equal(all, 2048 * 1024);
	assert_int_equal(available, 1024 * 1024);
	assert_false(machine_parse_meminfo(STR("MemTotal:  2048 kB\n"), &all, &available));
	assert_false(machine_parse_meminfo(STR("MemTotal: 18446744073709551615 kB\nMemAvailable: 1 kB\n"), &all,
	                                   &available));
}

static void the_limit_of_a_control_group(void **state)
{
	double cores = 0;
	assert_true(machine_parse_cpu_max(STR("150000 100000\n"), &cores));
	assert_true(cores > 1.499 && cores < 1.501);
	assert_false(machine_parse_cpu_max(STR("max 100000\n"), &cores));
	assert_false(machine_parse_cpu_max(STR("1 0\n"), &cores));
}

static void this_machine_can_be_read(void **state)
{
	struct machine_facts m;
	struct cpu_ticks t;
	machine_read(&m);
	assert_true(m.cores >= 1);
	assert_true(m.descriptors > 0);
	assert_true(machine_read_ticks(&t));
	assert_true(t.total >= t.idle);
}

static void only_the_cores_that_it_may_use_count(void **state)
{
	struct machine_facts m;
	cpu_set_t before, one;
	int first = 0;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	while (!CPU_ISSET(first, &before))
		first++;
	CPU_ZERO(&one);
	CPU_SET(first, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	machine_read(&m);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
	assert_int_equal(m.cores, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ticks_are_those_of_all_processors),
		cmocka_unit_test(the_range_of_ports),
		cmocka_unit_test(memory_in_bytes),
		cmocka_unit_test(the_limit_of_a_control_group),
		cmocka_unit_test(this_machine_can_be_read),
		cmocka_unit_test(only_the_cores_that_it_may_use_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
