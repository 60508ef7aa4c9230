#include "observe/machine.h"

#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "observe/procfs.h"

#define FILE_BYTES_MAX (4u << 20)

/* Takes the next word off the front of <s>. False: there is none. */
static bool take_word(struct str *s, struct str *ret_word)
{
	size_t from = 0, to;
	while (from < s->len && (s->p[from] == ' ' || s->p[from] == '\t'))
		from++;
	for (to = from; to < s->len && s->p[to] != ' ' && s->p[to] != '\t' && s->p[to] != '\n'; to++)
		;
	*ret_word = (struct str){ s->p + from, to - from };
	*s = str_from_at(*s, to);
	return to > from;
}

static bool take_u64(struct str *s, uint64_t *ret_value)
{
	struct str word;
	return take_word(s, &word) && str_to_u64(word, ret_value);
}

/* The rest of the line that begins with <name>. */
static bool find_line(struct str text, struct str name, struct str *ret_rest)
{
	struct str line;
	while (str_cut(&text, '\n', &line))
		if (str_starts(line, name)) {
			*ret_rest = str_from_at(line, name.len);
			return true;
		}
	return false;
}

bool machine_parse_stat(struct str text, struct cpu_ticks *ret)
{
	/* user nice system idle iowait irq softirq steal; guest time is part of user already */
	uint64_t ticks[8] = { 0 }, total = 0;
	struct str rest;
	size_t count = 0;
	if (!find_line(text, STR("cpu "), &rest))
		return false;
	while (count < 8 && take_u64(&rest, &ticks[count]))
		total += ticks[count++];
	if (count < 4)
		return false;
	*ret = (struct cpu_ticks){ .total = total, .idle = ticks[3] + ticks[4], .steal = ticks[7] };
	return true;
}

bool machine_parse_port_range(struct str text, uint64_t *ret_first, uint64_t *ret_last)
{
	uint64_t first, last;
	if (!take_u64(&text, &first) || !take_u64(&text, &last) || last < first || last > 65535)
		return false;
	*ret_first = first;
	*ret_last = last;
	return true;
}

static bool find_kilobytes(struct str text, struct str name, uint64_t *ret_bytes)
{
	struct str rest;
	uint64_t kilobytes;
	if (!find_line(text, name, &rest) || !take_u64(&rest, &kilobytes) || kilobytes > UINT64_MAX / 1024)
		return false;
	*ret_bytes = kilobytes * 1024;
	return true;
}

bool machine_parse_meminfo(struct str text, uint64_t *ret_bytes, uint64_t *ret_available_bytes)
{
	uint64_t bytes, available;
	if (!find_kilobytes(text, STR("MemTotal:"), &bytes) || !find_kilobytes(text, STR("MemAvailable:"), &available))
		return false;
	*ret_bytes = bytes;
	*ret_available_bytes = available;
	return true;
}

bool machine_parse_cpu_max(struct str text, double *ret_cores)
{
	uint64_t quota, period;
	if (!take_u64(&text, &quota) || !take_u64(&text, &period) || period == 0)
		return false;
	*ret_cores = (double)quota / (double)period;
	return true;
}

/* The file into <buf>; empty when there is none. */
static struct str read_file(struct buf *buf, const char *path)
{
	buf_clear(buf);
	if (file_read(path, buf, NULL) < 0)
		buf_clear(buf);
	return buf_str(buf);
}

static void read_word(struct buf *buf, const char *path, char ret_word[MACHINE_WORD_BYTES])
{
	const struct str word = str_trim(read_file(buf, path));
	snprintf(ret_word, MACHINE_WORD_BYTES, "%.*s", STR_ARG(word));
}

bool machine_read_ticks(struct cpu_ticks *ret)
{
	struct buf buf;
	buf_init(&buf, FILE_BYTES_MAX);
	const bool found = machine_parse_stat(read_file(&buf, "/proc/stat"), ret);
	buf_finish(&buf);
	return found;
}

static uint64_t raise_descriptors(void)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return 0;
	const struct rlimit most = { files.rlim_max, files.rlim_max };
	return setrlimit(RLIMIT_NOFILE, &most) == 0 ? files.rlim_max : files.rlim_cur;
}

/* Those that this process may run on: fewer than the machine has under taskset and in many containers. */
static int64_t own_cores(void)
{
	cpu_set_t set;
	/* Refused where the kernel has room for more than fit into the set. */
	return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : sysconf(_SC_NPROCESSORS_ONLN);
}

void machine_read(struct machine_facts *ret)
{
	struct buf buf;
	struct str model;
	*ret = (struct machine_facts){ .descriptors = raise_descriptors(), .cores = own_cores() };
	buf_init(&buf, FILE_BYTES_MAX);
	machine_parse_port_range(read_file(&buf, "/proc/sys/net/ipv4/ip_local_port_range"), &ret->port_first,
	                         &ret->port_last);
	procfs_parse_sockstat(read_file(&buf, "/proc/net/sockstat"), "TCP", "tw", &ret->time_wait);
	machine_parse_meminfo(read_file(&buf, "/proc/meminfo"), &ret->memory_bytes, &ret->memory_available_bytes);
	machine_parse_cpu_max(read_file(&buf, "/sys/fs/cgroup/cpu.max"), &ret->cpu_quota);
	read_word(&buf, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", ret->governor);
	read_word(&buf, "/sys/devices/system/clocksource/clocksource0/current_clocksource", ret->clock_source);
	if (find_line(read_file(&buf, "/proc/cpuinfo"), STR("model name"), &model)) {
		model = str_trim(str_from_at(model, str_find(model, ':') + 1));
		snprintf(ret->cpu, sizeof(ret->cpu), "%.*s", STR_ARG(model));
	}
	buf_finish(&buf);
}
