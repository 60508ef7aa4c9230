/* The texts of /proc: whatever they hold, a refusal sets nothing and an answer is within its bounds. */
#include <stdint.h>

#include "base/must.h"
#include "observe/procfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const struct str s = { (const char *)bytes, size };
	struct procfs_cpu cpu = { .total = 42 };
	struct procfs_process process = { .pid = 42 };
	uint64_t number = 42, inodes[4];
	if (procfs_parse_stat(s, &cpu))
		must(cpu.cores >= 1 && cpu.busy <= cpu.total && cpu.steal <= cpu.total - cpu.busy);
	else
		must(cpu.total == 42 && cpu.cores == 0);
	if (!procfs_parse_process(s, &process))
		must(process.pid == 42 && process.cpu == 0);
	if (procfs_parse_pid(s, &number))
		must(number >= 1 && number <= 1 << 22);
	number = 42;
	if (procfs_parse_bytes(s, "VmRSS", &number))
		must(number % 1024 == 0);
	else
		must(number == 42);
	number = 42;
	if (!procfs_parse_sockstat(s, "TCP", "tw", &number))
		must(number == 42);
	must(procfs_parse_listeners(s, 8080, inodes, 4) <= 4);
	procfs_parse_socket(s, &number);
	return 0;
}
