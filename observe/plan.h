/* plan.h: what to observe while a run goes on, as people write it.
 *
 *     [ { "name": "app", "process": 1234 }               or { "pid_file": "/run/app.pid" } or { "listens": 8080 }
 *       { "host": true }
 *       { "json": "http://127.0.0.1:8081/stats", "values": { "queue": "/queue",
 *                 "requests": { "at": "/requests", "rate": true } } }
 *       { "postgres": "${env.DATABASE_URL}" }
 *       { "prometheus": "http://127.0.0.1:9090", "queries": { "cpu": "sum(rate(...[1m]))" }, "interval": "15s" } ]
 *
 * item  one place to ask, known by the key that names its kind (samplers/table.c); it becomes one sampler
 *
 * Any text may hold ${env.NAME}. Two items may not give the same name to a series, so items of one kind need a "name".
 * URLs may hold secrets: they are never shown (conceal.h). schema.c tells editors the same. Threads: one at a time. */
#ifndef WEIR_OBSERVE_PLAN_H
#define WEIR_OBSERVE_PLAN_H

#include "base/doc.h"
#include "base/schema.h"
#include "observe/sampler.h"

#define OBSERVE_ITEMS_MAX 16
#define OBSERVE_VALUES_MAX SAMPLER_SERIES_MAX
#define OBSERVE_FIELDS_MAX 16 /* of an item, the end included */

/* A figure that the user named: a pointer into an answer, or a query. */
struct observe_value {
	const char *name, *at, *unit; /* unit "": none */
	bool rate;                    /* a counter: its growth per second is wanted */
};

struct observe_item {
	const struct sampler_kind *kind;
	const char *name;
	int64_t pid, port; /* of a process: one of pid, port, pid_file; else 0 */
	const char *pid_file;
	const char *url;
	const char *place;            /* the URL as it may be told; NULL: it is none of HTTP */
	const struct secret *secrets; /* what ${env...} put into the texts, and passwords that stand in them */
	struct observe_value *values;
	size_t value_count;
	dur_ns interval; /* of Prometheus's scrapes */
};

struct observe_plan {
	struct observe_item *items;
	size_t item_count;
};

struct observe_inputs {
	const char *(*get_env)(void *arg, const char *name); /* NULL: not set */
	void *arg;
	struct observe_item *item; /* observe_plan_read's own: the item whose texts are read */
};

/* Reads the array <n> into <arena>. Mistakes become diagnostics of the document; true when there were none. */
bool observe_plan_read(const struct node *n, const struct observe_inputs *inputs, struct arena *arena,
                       struct observe_plan *ret_plan);

/* Adds the definition "observe", which is the shape of a whole plan, and those it refers to, to a JSON Schema's <defs>. */
void observe_plan_schema(json_t *defs);

/* A kind of sampler: its row in samplers/table.c. */
struct sampler_kind {
	const char *key;            /* names the kind in an item, and is the item's name when it has none */
	const struct field *fields; /* of the item, besides those that all have */
	const char *const
		*nodes; /* of the fields that <read> reads: key, definition, ..., NULL (base/schema.h, schema.c) */
	const struct schema_table *table; /* of an object within the item; NULL: there is none */
	/* Reads what the fields do not; <n> is the item. Mistakes become diagnostics. */
	void (*read)(const struct node *n, const struct observe_inputs *inputs, struct arena *arena,
	             struct observe_item *into);
	/* <item> is kept. Given: sampler_destroy. -1, NULL: it can never work as it stands. */
	struct sampler *(*create)(struct loop *loop, struct transport *transport, const struct observe_item *item,
	                          struct err *err);
};
/* Ends with NULL. */
extern const struct sampler_kind *const sampler_kinds[];

/* The sampler of <item>. <loop>, <transport> and <item> are kept. Given: sampler_destroy. */
struct sampler *sampler_create(struct loop *loop, struct transport *transport, const struct observe_item *item,
                               struct err *err);

/* All keys of an item of that kind. */
void observe_item_fields(const struct sampler_kind *kind, struct field ret_fields[OBSERVE_FIELDS_MAX]);

/* For the kinds: the text of <n> with ${env.NAME} put in, in the arena. NULL after a diagnostic. */
const char *observe_text(const struct node *n, const struct observe_inputs *inputs, struct arena *arena);
/* For the kinds: an http or https URL. */
const char *observe_url(const struct node *n, const struct observe_inputs *inputs, struct arena *arena);

#endif
