/* procfs_process.c: { "process": PID | {"pid_file": PATH} | {"listens": PORT} }: CPU, memory and threads of a process of
 * this machine, from /proc/PID/stat and status.
 *
 * Which process it is is looked up at first, and again when it is gone. With "listens" they are all that hold a listening
 * socket of that port: a server with worker processes is their sum. Workers come and go, so they are looked up each time,
 * and more than fit are an error, not a part of the sum. A process is known by number and start time, so that another with
 * the same number is never taken for it; in the second in which the processes change, CPU is missing.
 *
 * Memory is VmRSS of status. smaps_rollup would share common pages out fairly, but walks the page tables under the
 * process's lock: it would slow down what it looks at. */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/must.h"
#include "observe/procfs.h"
#include "observe/samplers/kinds.h"

#define PROCESSES_MAX 64
#define SOCKETS_MAX 64
#define TEXT_BYTES_MAX (16u << 20) /* of /proc/net/tcp: 150 bytes per connection */

enum { CPU, MEMORY, THREADS };

struct one_process {
	uint64_t pid, started;
};

struct process_sampler {
	struct sampler base;
	const struct observe_item *item;
	struct one_process all[PROCESSES_MAX];
	size_t count;     /* 0: to be looked up */
	bool changed;     /* since the last sample: the counter of CPU begins anew */
	uint64_t started; /* of the process that was asked for by number; 0: not seen yet */
	struct counter_rate cpu;
	struct buf text;
};

static bool read_file(struct process_sampler *p, const char *path)
{
	buf_clear(&p->text);
	return file_read(path, &p->text, NULL) == 0;
}

static bool read_process(struct process_sampler *p, uint64_t pid, struct procfs_process *ret)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%llu/stat", (unsigned long long)pid);
	return read_file(p, path) && procfs_parse_process(buf_str(&p->text), ret) && ret->state != 'Z' &&
	       ret->state != 'X';
}

/* --- which ------------------------------------------------------------------------------------------------------- */

static int add_process(struct process_sampler *p, uint64_t pid, struct err *err)
{
	struct procfs_process found;
	if (!read_process(p, pid, &found))
		return err_set(err, ERR_NOT_FOUND, "there is no process %llu", (unsigned long long)pid);
	if (p->count == PROCESSES_MAX)
		return err_set(err, ERR_LIMIT, "more than %d processes listen on port %d", PROCESSES_MAX,
		               (int)p->item->port);
	p->all[p->count++] = (struct one_process){ pid, found.started };
	return 0;
}

static int find_by_pid_file(struct process_sampler *p, struct err *err)
{
	uint64_t pid;
	buf_clear(&p->text);
	if (file_read(p->item->pid_file, &p->text, err) < 0)
		return -1;
	if (!procfs_parse_pid(buf_str(&p->text), &pid))
		return err_set(err, ERR_SYNTAX, "%s does not hold the number of a process", p->item->pid_file);
	return add_process(p, pid, err);
}

/* Whether one of the process's descriptors is one of the sockets. */
static bool holds_socket(const char *pid, const uint64_t *sockets, size_t count)
{
	char path[64], link[64];
	const struct dirent *entry;
	uint64_t inode;
	bool found = false;
	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	DIR *folder = opendir(path);
	while (folder && !found && (entry = readdir(folder))) {
		const ssize_t len = readlinkat(dirfd(folder), entry->d_name, link, sizeof(link));
		if (len <= 0 || !procfs_parse_socket((struct str){ link, (size_t)len }, &inode))
			continue;
		for (size_t i = 0; i < count; i++)
			found = found || sockets[i] == inode;
	}
	if (folder)
		closedir(folder);
	return found;
}

/* The listening sockets of the port: their number, or -1. */
static int find_sockets(struct process_sampler *p, uint64_t ret_sockets[SOCKETS_MAX + 1], struct err *err)
{
	static const char *const tables[] = { "/proc/net/tcp", "/proc/net/tcp6" };
	const int port = (int)p->item->port;
	size_t count = 0;
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		if (read_file(p, tables[i]))
			count += procfs_parse_listeners(buf_str(&p->text), (uint16_t)port, ret_sockets + count,
			                                SOCKETS_MAX + 1 - count);
	if (count == 0)
		return err_set(err, ERR_NOT_FOUND, "nobody listens on port %d of this machine", port);
	if (count > SOCKETS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d sockets listen on port %d", SOCKETS_MAX, port);
	return (int)count;
}

static int find_by_port(struct process_sampler *p, struct err *err)
{
	uint64_t sockets[SOCKETS_MAX + 1], pid;
	const struct dirent *entry;
	struct err why = { .kind = ERR_NONE };
	const int count = find_sockets(p, sockets, err);
	if (count < 0)
		return -1;
	DIR *proc = opendir("/proc");
	if (!proc)
		return err_set_errno(err, errno, "read /proc");
	/* One that ended meanwhile is none. */
	while (why.kind != ERR_LIMIT && (entry = readdir(proc)))
		if (procfs_parse_pid(str_from(entry->d_name), &pid) &&
		    holds_socket(entry->d_name, sockets, (size_t)count))
			add_process(p, pid, &why);
	closedir(proc);
	if (why.kind == ERR_LIMIT) {
		p->count = 0;
		*err = why;
		return -1;
	}
	if (p->count == 0)
		return err_set(err, ERR_NOT_FOUND,
		               "the process that listens on port %d cannot be seen: it runs as another user",
		               (int)p->item->port);
	return 0;
}

/* The number was meant for the process that had it when the run began. */
static int find_by_number(struct process_sampler *p, struct err *err)
{
	if (add_process(p, (uint64_t)p->item->pid, err) < 0)
		return -1;
	if (p->started && p->all[0].started != p->started) {
		p->count = 0;
		return err_set(err, ERR_NOT_FOUND, "process %d ended, and another has its number now",
		               (int)p->item->pid);
	}
	p->started = p->all[0].started;
	return 0;
}

static int find_processes(struct process_sampler *p, struct err *err)
{
	const size_t count = p->count;
	struct one_process before[PROCESSES_MAX];
	memcpy(before, p->all, sizeof(before));
	p->count = 0;
	const int result = p->item->pid_file ? find_by_pid_file(p, err)
	                   : p->item->port   ? find_by_port(p, err)
	                                     : find_by_number(p, err);
	/* /proc is in the order of the numbers. */
	if (p->count != count || memcmp(before, p->all, count * sizeof(*before)) != 0)
		p->changed = true;
	return result;
}

/* --- how much ---------------------------------------------------------------------------------------------------- */

struct sums {
	double ticks, memory, threads;
};

static bool add_up(struct process_sampler *p, const struct one_process *one, struct sums *sums)
{
	char path[64];
	struct procfs_process now;
	uint64_t memory;
	if (!read_process(p, one->pid, &now) || now.started != one->started)
		return false;
	sums->ticks += (double)now.cpu;
	sums->threads += (double)now.threads;
	snprintf(path, sizeof(path), "/proc/%llu/status", (unsigned long long)one->pid);
	if (!read_file(p, path) || !procfs_parse_bytes(buf_str(&p->text), "VmRSS", &memory))
		return false;
	sums->memory += (double)memory;
	return true;
}

static bool add_all_up(struct process_sampler *p, struct sums *ret)
{
	*ret = (struct sums){ 0 };
	for (size_t i = 0; i < p->count; i++)
		if (!add_up(p, &p->all[i], ret))
			return false;
	return p->count > 0;
}

static void process_start(struct sampler *base)
{
	struct process_sampler *p = container_of(base, struct process_sampler, base);
	struct sums sums;
	bool there = !p->item->port && add_all_up(p, &sums);
	if (!there && find_processes(p, &base->err) == 0) {
		there = add_all_up(p, &sums);
		if (!there)
			err_set(&base->err, ERR_NOT_FOUND, "the process ended");
	}
	const struct mono now = mono_now();
	if (p->changed)
		p->cpu = (struct counter_rate){ 0 };
	p->changed = false;
	if (there) {
		base->values[CPU] = counter_rate_take(&p->cpu, sums.ticks / (double)sysconf(_SC_CLK_TCK), now);
		base->values[MEMORY] = sums.memory;
		base->values[THREADS] = sums.threads;
	}
	sampler_end(base);
}

static void process_destroy(struct sampler *base)
{
	struct process_sampler *p = container_of(base, struct process_sampler, base);
	sampler_finish(base);
	buf_finish(&p->text);
	free(p);
}

static const struct sampler_ops process_ops = { .start = process_start, .destroy = process_destroy };

static struct sampler *process_create(struct loop *loop, struct transport *transport, const struct observe_item *item,
                                      struct err *err)
{
	struct process_sampler *p = xcalloc(1, sizeof(*p));
	sampler_init(&p->base, &process_ops, loop);
	buf_init(&p->text, TEXT_BYTES_MAX);
	p->item = item;
	sampler_add(&p->base, item->name, "cpu", UNIT_CORES);
	sampler_add(&p->base, item->name, "memory", UNIT_BYTES);
	sampler_add(&p->base, item->name, "threads", "");
	p->base.series[CPU].limit = (double)sysconf(_SC_NPROCESSORS_ONLN);
	return &p->base;
}

/* --- the item ---------------------------------------------------------------------------------------------------- */

static const struct field pid_field = { "process", FIELD_INTEGER,  offsetof(struct observe_item, pid),
	                                .min = 1,  .max = 1 << 22, .help = "The number of the process." };

static const struct field place_fields[] = {
	{ "pid_file", FIELD_NODE, .help = "A file that holds the number of the process." },
	{ "listens", FIELD_INTEGER, offsetof(struct observe_item, port), .min = 1, .max = 65535,
	  .help = "The port on which it listens." },
	{ 0 },
};
static const struct schema_table place_table = { "observe-place", place_fields,
	                                         (const char *const[]){ "pid_file", "observe-text", NULL } };

static void read_place(const struct node *place, const struct observe_inputs *inputs, struct arena *arena,
                       struct observe_item *into)
{
	struct node file;
	if (!fields_read(place, place_fields, arena, into))
		return;
	if (node_get(place, "pid_file", &file))
		into->pid_file = observe_text(&file, inputs, arena);
	if ((json_object_get(place->value, "pid_file") != NULL) == (json_object_get(place->value, "listens") != NULL))
		node_error(place, NULL, "give either \"pid_file\" or \"listens\"");
}

static void process_read(const struct node *n, const struct observe_inputs *inputs, struct arena *arena,
                         struct observe_item *into)
{
	struct node place;
	if (!node_get(n, "process", &place))
		return;
	if (json_is_object(place.value))
		read_place(&place, inputs, arena, into);
	else
		field_read_value(&place, &pid_field, arena, into);
}

static const struct field process_fields[] = {
	{ "process", FIELD_NODE, .required = true,
	  .help = "A process of this machine: its number, {\"pid_file\": PATH} or {\"listens\": PORT}." },
	{ 0 },
};

const struct sampler_kind procfs_process_kind = {
	.key = "process",
	.fields = process_fields,
	.nodes = (const char *const[]){ "process", "observe-a-process", NULL },
	.table = &place_table,
	.read = process_read,
	.create = process_create,
};
