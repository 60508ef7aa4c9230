/* procfs_host.c: { "host": true }: CPU and memory of the machine that weir runs on, from /proc/stat and /proc/meminfo.
 * In a container these are the figures of the whole machine. */
#include <math.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/must.h"
#include "observe/procfs.h"
#include "observe/samplers/kinds.h"

/* Thousands of cores and interrupts fit. */
#define TEXT_BYTES_MAX (4u << 20)

enum { CPU, STEAL, MEMORY };

struct host_sampler {
	struct sampler base;
	struct procfs_cpu before; /* total 0: none */
	struct buf text;
};

static void take_cpu(struct host_sampler *h)
{
	struct procfs_cpu now;
	const struct procfs_cpu before = h->before;
	h->before = (struct procfs_cpu){ 0 };
	buf_clear(&h->text);
	if (file_read("/proc/stat", &h->text, &h->base.err) < 0)
		return;
	if (!procfs_parse_stat(buf_str(&h->text), &now)) {
		err_set(&h->base.err, ERR_SYNTAX, "/proc/stat cannot be understood");
		return;
	}
	h->before = now;
	h->base.series[CPU].limit = h->base.series[STEAL].limit = (double)now.cores;
	if (!before.total || now.total <= before.total || now.busy < before.busy || now.steal < before.steal)
		return;
	const double per_core = (double)now.cores / (double)(now.total - before.total);
	h->base.values[CPU] = (double)(now.busy - before.busy) * per_core;
	h->base.values[STEAL] = (double)(now.steal - before.steal) * per_core;
}

static void take_memory(struct host_sampler *h)
{
	uint64_t total, available;
	buf_clear(&h->text);
	if (file_read("/proc/meminfo", &h->text, &h->base.err) < 0)
		return;
	if (!procfs_parse_bytes(buf_str(&h->text), "MemTotal", &total) ||
	    !procfs_parse_bytes(buf_str(&h->text), "MemAvailable", &available) || available > total) {
		err_set(&h->base.err, ERR_SYNTAX, "/proc/meminfo cannot be understood");
		return;
	}
	h->base.values[MEMORY] = (double)(total - available);
	h->base.series[MEMORY].limit = (double)total;
}

static void host_start(struct sampler *base)
{
	struct host_sampler *h = container_of(base, struct host_sampler, base);
	take_cpu(h);
	take_memory(h);
	sampler_end(base);
}

static void host_destroy(struct sampler *base)
{
	struct host_sampler *h = container_of(base, struct host_sampler, base);
	sampler_finish(base);
	buf_finish(&h->text);
	free(h);
}

static const struct sampler_ops host_ops = { .start = host_start, .destroy = host_destroy };

static struct sampler *host_create(struct loop *loop, struct transport *transport, const struct observe_item *item,
                                   struct err *err)
{
	struct host_sampler *h = xcalloc(1, sizeof(*h));
	sampler_init(&h->base, &host_ops, loop);
	buf_init(&h->text, TEXT_BYTES_MAX);
	sampler_add(&h->base, item->name, "cpu", UNIT_CORES);
	sampler_add(&h->base, item->name, "stolen", UNIT_CORES);
	sampler_add(&h->base, item->name, "memory", UNIT_BYTES);
	return &h->base;
}

static void host_read(const struct node *n, const struct observe_inputs *inputs, struct arena *arena,
                      struct observe_item *into)
{
	struct node host;
	if (node_get(n, "host", &host) && !json_is_true(host.value))
		node_error(&host, "To observe no host, leave the item out.", "\"host\" can only be true");
}

static const struct field host_fields[] = {
	{ "host", FIELD_NODE, .required = true, .help = "true: CPU and memory of the machine that weir runs on." },
	{ 0 },
};

const struct sampler_kind procfs_host_kind = {
	.key = "host",
	.fields = host_fields,
	.nodes = (const char *const[]){ "host", "observe-this-host", NULL },
	.read = host_read,
	.create = host_create,
};
