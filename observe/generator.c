#include "observe/generator.h"

#include <math.h>

#include "base/file.h"
#include "observe/machine.h"

#define STAT_BYTES_MAX (1u << 20)
#define SOCKSTAT_BYTES_MAX 4096u

static bool read_cpu(struct generator_watch *w, struct procfs_cpu *ret)
{
	buf_clear(&w->text);
	return file_read("/proc/stat", &w->text, NULL) == 0 && procfs_parse_stat(buf_str(&w->text), ret);
}

static struct str read_text(struct buf *text, const char *path)
{
	buf_clear(text);
	if (file_read(path, text, NULL) < 0)
		buf_clear(text);
	return buf_str(text);
}

static uint32_t port_range(struct buf *text)
{
	uint64_t first, last;
	if (!machine_parse_port_range(read_text(text, "/proc/sys/net/ipv4/ip_local_port_range"), &first, &last))
		return 0;
	return (uint32_t)(last - first + 1);
}

void generator_watch_init(struct generator_watch *w)
{
	*w = (struct generator_watch){ .own = opendir("/proc/self/fd") };
	buf_init(&w->text, STAT_BYTES_MAX);
	w->port_range = port_range(&w->text);
	w->known = read_cpu(w, &w->before);
}

void generator_watch_finish(struct generator_watch *w)
{
	buf_finish(&w->text);
	if (w->own)
		closedir(w->own);
}

static uint32_t open_descriptors(const struct generator_watch *w)
{
	uint32_t count = 0;
	if (!w->own)
		return 0;
	rewinddir(w->own);
	for (const struct dirent *entry; (entry = readdir(w->own));)
		count += entry->d_name[0] != '.';
	return count;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint32_t generator_ports(struct str sockstat, struct str sockstat6, uint32_t descriptors, uint64_t opened_lately)
{
	uint64_t used = 0, used6 = 0, waiting = 0;
	if (!procfs_parse_sockstat(sockstat, "TCP", "inuse", &used) ||
	    !procfs_parse_sockstat(sockstat, "TCP", "tw", &waiting))
		return 0;
	procfs_parse_sockstat(sockstat6, "TCP6", "inuse", &used6); /* there may be no IPv6 */
	/* One by one: no sum of what is read can wrap. */
	used = smaller(used, UINT32_MAX) + smaller(used6, UINT32_MAX);
	if (descriptors)
		used = smaller(used, descriptors);
	waiting = smaller(waiting, smaller(opened_lately, UINT32_MAX));
	return (uint32_t)smaller(used + waiting, UINT32_MAX);
}

static uint64_t count_lately(struct generator_watch *w, uint64_t opened)
{
	uint64_t sum = 0;
	w->opened[w->readings++ % GENERATOR_WAIT_SECONDS] = opened;
	for (size_t i = 0; i < GENERATOR_WAIT_SECONDS; i++)
		sum += w->opened[i];
	return sum;
}

static uint32_t read_ports(struct generator_watch *w, uint32_t descriptors, uint64_t lately)
{
	struct buf six;
	buf_init(&six, SOCKSTAT_BYTES_MAX);
	const struct str text6 = read_text(&six, "/proc/net/sockstat6");
	const uint32_t ports = generator_ports(read_text(&w->text, "/proc/net/sockstat"), text6, descriptors, lately);
	buf_finish(&six);
	return w->port_range && ports > w->port_range ? w->port_range : ports;
}

struct generator_reading generator_watch_take(struct generator_watch *w, uint64_t opened)
{
	struct generator_reading r = { .steal = NAN, .descriptors = open_descriptors(w) };
	struct procfs_cpu now;
	r.ports = read_ports(w, r.descriptors, count_lately(w, opened));
	if (!read_cpu(w, &now))
		return r;
	if (w->known && now.total > w->before.total && now.steal >= w->before.steal)
		r.steal = (double)(now.steal - w->before.steal) / (double)(now.total - w->before.total);
	w->before = now;
	w->known = true;
	return r;
}
