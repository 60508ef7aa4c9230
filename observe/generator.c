#include "observe/generator.h"

#include <dirent.h>
#include <math.h>

#include "base/file.h"

#define STAT_BYTES_MAX (1u << 20)

static bool read_cpu(struct generator_watch *w, struct procfs_cpu *ret)
{
	buf_clear(&w->text);
	return file_read("/proc/stat", &w->text, NULL) == 0 && procfs_parse_stat(buf_str(&w->text), ret);
}

void generator_watch_init(struct generator_watch *w)
{
	*w = (struct generator_watch){ .known = false };
	buf_init(&w->text, STAT_BYTES_MAX);
	w->known = read_cpu(w, &w->before);
}

void generator_watch_finish(struct generator_watch *w)
{
	buf_finish(&w->text);
}

static uint32_t open_descriptors(void)
{
	uint32_t count = 0;
	DIR *folder = opendir("/proc/self/fd");
	if (!folder)
		return 0;
	for (const struct dirent *entry; (entry = readdir(folder));)
		count += entry->d_name[0] != '.';
	closedir(folder);
	return count - 1; /* the one that looked */
}

struct generator_reading generator_watch_take(struct generator_watch *w)
{
	struct generator_reading r = { .steal = NAN, .descriptors = open_descriptors() };
	struct procfs_cpu now;
	if (!read_cpu(w, &now))
		return r;
	if (w->known && now.total > w->before.total && now.steal >= w->before.steal)
		r.steal = (double)(now.steal - w->before.steal) / (double)(now.total - w->before.total);
	w->before = now;
	w->known = true;
	return r;
}
