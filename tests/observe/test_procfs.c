#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/must.h"
#include "observe/procfs.h"

static void cpu_of_a_machine(void **state)
{
	struct procfs_cpu cpu;
	assert_true(procfs_parse_stat(STR("cpu  100 20 30 4000 50 6 7 8 9 1\ncpu0 50 10 15 2000 25 3 3 4 0 0\n"
	                                  "cpu1 50 10 15 2000 25 3 4 4 0 0\nintr 1 2 3\n"),
	                              &cpu));
	assert_int_equal(cpu.busy, 100 + 20 + 30 + 6 + 7);
	assert_int_equal(cpu.steal, 8);
	/* Guest time is part of user already. */
	assert_int_equal(cpu.total, 100 + 20 + 30 + 4000 + 50 + 6 + 7 + 8);
	assert_int_equal(cpu.cores, 2);
}

static void what_is_no_stat_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"cpu",
		"cpu  1 2 3 4 5 6 7\ncpu0 1\n",
		"cpu  1 2 3 4 5 6 7 8\n",
		"cpu0 1 2 3 4 5 6 7 8\n",
		"cpu  1 2 3 -4 5 6 7 8\ncpu0 1\n",
		"cpu  18446744073709551615 1 1 1 1 1 1 1\ncpu0 1\n",
	};
	struct procfs_cpu cpu = { .total = 42 };
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_false(procfs_parse_stat(str_from(wrong[i]), &cpu));
	assert_int_equal(cpu.total, 42);
}

#define REST " S 1 1 1 0 -1 4194560 1 2 3 4 250 50 7 8 20 0 12 0 98765 1000 200 18446744073709551615 1 1\n"

static void names_of_programs_may_hold_anything(void **state)
{
	static const char *const texts[] = {
		"1234 (weir)" REST, "1234 (a b)" REST, "1234 (x) R 1 2 (y)" REST,
		"1234 ())" REST,    "1234 (\n)" REST,  "1234 ()" REST,
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct procfs_process p;
		assert_true(procfs_parse_process(str_from(texts[i]), &p));
		assert_int_equal(p.pid, 1234);
		assert_int_equal(p.state, 'S');
		assert_int_equal(p.cpu, 300);
		assert_int_equal(p.threads, 12);
		assert_int_equal(p.started, 98765);
	}
}

static void what_is_no_process_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"1234",
		"1234 (weir",
		"x (weir)" REST,
		"1234 (weir) S 1 1 1",
		"1234 (weir) SS" REST,
		"1234 (weir) S 1 1 1 0 -1 4194560 1 2 3 4 -250 50 7 8 20 0 12 0 98765",
	};
	struct procfs_process p = { .pid = 42 };
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_false(procfs_parse_process(str_from(wrong[i]), &p));
	assert_int_equal(p.pid, 42);
}

static void sizes_are_in_bytes(void **state)
{
	static const char status[] =
		"Name:\tx\nVmHWM:\t  900 kB\nVmRSS:\t  123 kB\nThreads:\t3\nBad:\t1 MB\nHuge:\t18446744073709551615 kB\n";
	uint64_t bytes = 42;
	assert_false(procfs_parse_bytes(str_from(status), "VmSwap", &bytes));
	assert_false(procfs_parse_bytes(str_from(status), "Threads", &bytes));
	assert_false(procfs_parse_bytes(str_from(status), "Bad", &bytes));
	assert_false(procfs_parse_bytes(str_from(status), "Huge", &bytes));
	assert_int_equal(bytes, 42);
	assert_true(procfs_parse_bytes(str_from(status), "VmRSS", &bytes));
	assert_int_equal(bytes, 123 * 1024);
}

static void sockets_by_protocol(void **state)
{
	static const char text[] =
		"sockets: used 23\nTCP: inuse 6 orphan 0 tw 4433 alloc 6 mem 115\nUDP: inuse 7 mem 0\n";
	static const char *const wrong[] = { "TCP: inuse 6 tw",
		                             "UDP: inuse 6 tw 3\n",
		                             "TCP: inuse x tw 3",
		                             "TCP tw 3",
		                             "TCP:",
		                             "TCP: tw -1",
		                             "TCP: tw 99999999999999999999",
		                             "" };
	uint64_t n = 42;
	assert_true(procfs_parse_sockstat(str_from(text), "TCP", "tw", &n));
	assert_int_equal(n, 4433);
	assert_true(procfs_parse_sockstat(str_from(text), "TCP", "inuse", &n));
	assert_int_equal(n, 6);
	assert_true(procfs_parse_sockstat(STR("TCP6: inuse 9\n"), "TCP6", "inuse", &n));
	assert_int_equal(n, 9);
	n = 42;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_false(procfs_parse_sockstat(str_from(wrong[i]), "TCP", "tw", &n));
	assert_false(procfs_parse_sockstat(str_from(text), "UDP", "tw", &n));
	assert_int_equal(n, 42);
}

static void pid_files(void **state)
{
	uint64_t pid = 42;
	assert_true(procfs_parse_pid(STR(" 77\n"), &pid));
	assert_int_equal(pid, 77);
	assert_false(procfs_parse_pid(STR(""), &pid));
	assert_false(procfs_parse_pid(STR("0"), &pid));
	assert_false(procfs_parse_pid(STR("77 78"), &pid));
	assert_false(procfs_parse_pid(STR("-1"), &pid));
	assert_false(procfs_parse_pid(STR("99999999"), &pid));
}

static void only_listeners_of_the_port(void **state)
{
	static const char tcp[] =
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
		"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 5001 1 0 100\n"
		"   1: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 5002 1 0 20\n"
		"   2: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 5003 1 0 100\n"
		"   3: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 5004 1 0 100\n"
		"   4: cut\n"
		"   5: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 5005 1\n";
	uint64_t inodes[8];
	assert_int_equal(procfs_parse_listeners(str_from(tcp), 8080, inodes, 8), 3);
	assert_int_equal(inodes[0], 5001);
	assert_int_equal(inodes[1], 5004);
	assert_int_equal(inodes[2], 5005);
	assert_int_equal(procfs_parse_listeners(str_from(tcp), 8080, inodes, 1), 1);
	assert_int_equal(procfs_parse_listeners(str_from(tcp), 80, inodes, 8), 0);
}

static void sockets_of_descriptors(void **state)
{
	uint64_t inode = 42;
	assert_true(procfs_parse_socket(STR("socket:[5001]"), &inode));
	assert_int_equal(inode, 5001);
	assert_false(procfs_parse_socket(STR("socket:["), &inode));
	assert_false(procfs_parse_socket(STR("socket:[]"), &inode));
	assert_false(procfs_parse_socket(STR("pipe:[5001]"), &inode));
	assert_false(procfs_parse_socket(STR(""), &inode));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpu_of_a_machine),
		cmocka_unit_test(what_is_no_stat_is_refused),
		cmocka_unit_test(names_of_programs_may_hold_anything),
		cmocka_unit_test(what_is_no_process_is_refused),
		cmocka_unit_test(sizes_are_in_bytes),
		cmocka_unit_test(sockets_by_protocol),
		cmocka_unit_test(pid_files),
		cmocka_unit_test(only_listeners_of_the_port),
		cmocka_unit_test(sockets_of_descriptors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
