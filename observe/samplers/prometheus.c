/* prometheus.c: { "prometheus": URL, "queries": { NAME: QUERY }, "interval": "15s" }: instant queries, each of which must
 * give one number.
 *
 * Prometheus answers with what it scraped last: with an interval of 15 s the figure changes every 15 s, and a rate over
 * a minute lags behind by half of that. An answer that says it is older than two intervals is missing (dataplanes.md
 * section 5); so is one with warnings, an empty one, NaN. The queries of one second go out together and are answered
 * together. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"
#include "observe/answers.h"
#include "observe/http_ask.h"
#include "observe/samplers/kinds.h"

#define PATH "/api/v1/query"

struct prometheus_sampler;
struct one_query {
	struct http_ask ask; /* first: its callback finds the query by it */
	struct prometheus_sampler *owner;
	size_t number;
};

struct prometheus_sampler {
	struct sampler base;
	const struct observe_item *item;
	struct one_query *queries;
	size_t open; /* not answered yet */
};

static void keep_error(struct prometheus_sampler *p, const struct one_query *q, const struct err *err)
{
	const bool first = p->base.err.kind == ERR_NONE;
	sampler_miss(&p->base, q->number, err);
	/* The series is called after its query; where one reason stands for all, the query has to be named. */
	if (first)
		err_wrap(&p->base.err, "query '%s'", p->item->values[q->number].name);
}

static void query_answered(struct http_ask *a, struct str body, const struct err *err_or_null)
{
	struct one_query *q = container_of(a, struct one_query, ask);
	struct prometheus_sampler *p = q->owner;
	struct err err;
	const double now = (double)wall_now().ns / 1e9, oldest = 2 * (double)p->item->interval / 1e9;
	if (err_or_null)
		keep_error(p, q, err_or_null);
	else if (answer_prometheus(body, now, oldest, &p->base.values[q->number], &err) < 0)
		keep_error(p, q, &err);
	if (--p->open == 0)
		sampler_end(&p->base);
}

static void prometheus_start(struct sampler *base)
{
	struct prometheus_sampler *p = container_of(base, struct prometheus_sampler, base);
	struct err err;
	/* One more than there are, so that no answer ends it before all are under way. */
	p->open = p->item->value_count + 1;
	for (size_t i = 0; i < p->item->value_count; i++) {
		if (http_ask_start(&p->queries[i].ask, &err) == 0)
			continue;
		keep_error(p, &p->queries[i], &err);
		p->open--;
	}
	if (--p->open == 0)
		sampler_end(base);
}

static void prometheus_give_up(struct sampler *base)
{
	struct prometheus_sampler *p = container_of(base, struct prometheus_sampler, base);
	for (size_t i = 0; i < p->item->value_count; i++)
		http_ask_stop(&p->queries[i].ask);
}

static void prometheus_destroy(struct sampler *base)
{
	struct prometheus_sampler *p = container_of(base, struct prometheus_sampler, base);
	for (size_t i = 0; i < p->item->value_count; i++)
		http_ask_finish(&p->queries[i].ask);
	sampler_finish(base);
	free(p->queries);
	free(p);
}

static const struct sampler_ops prometheus_ops = { .start = prometheus_start,
	                                           .give_up = prometheus_give_up,
	                                           .destroy = prometheus_destroy };

/* "http://host:9090/prefix/" and "http://host:9090/prefix" are the same. */
static char *query_url(const char *base)
{
	size_t len = strlen(base);
	while (len && base[len - 1] == '/')
		len--;
	return xasprintf("%.*s" PATH, (int)len, base);
}

static struct sampler *prometheus_create(struct loop *loop, struct transport *transport,
                                         const struct observe_item *item, struct err *err)
{
	struct prometheus_sampler *p = xcalloc(1, sizeof(*p));
	char *url = query_url(item->url);
	sampler_init(&p->base, &prometheus_ops, loop);
	p->item = item;
	p->queries = xcalloc(item->value_count, sizeof(*p->queries));
	for (size_t i = 0; i < item->value_count; i++) {
		struct one_query *q = &p->queries[i];
		q->owner = p;
		q->number = i;
		http_ask_init(&q->ask, transport, url, item->place, query_answered);
		q->ask.form = q->ask.any_status = true;
		buf_printf(&q->ask.question, "timeout=%dms&query=", (int)(SAMPLER_LIMIT / MILLISECOND) - 100);
		buf_add_url_escaped(&q->ask.question, str_from(item->values[i].at));
		sampler_add(&p->base, item->name, item->values[i].name, item->values[i].unit);
	}
	free(url);
	return &p->base;
}

/* --- the item ---------------------------------------------------------------------------------------------------- */

static const struct field query_fields[] = {
	{ "query", FIELD_STRING, offsetof(struct observe_value, at), .required = true, .help = "A PromQL query." },
	{ "unit", FIELD_STRING, offsetof(struct observe_value, unit), .help = "For example \"cores\"." },
	{ 0 },
};
static const struct schema_table query_table = { "observe-query", query_fields, NULL };

static void prometheus_read(const struct node *n, const struct observe_inputs *inputs, struct arena *arena,
                            struct observe_item *into)
{
	static const struct field text = { "query", FIELD_STRING, offsetof(struct observe_value, at),
		                           .help = "A PromQL query." };
	struct node url, queries, query;
	void *iter = NULL;
	if (node_get(n, "prometheus", &url))
		into->url = observe_url(&url, inputs, arena);
	if (!node_get(n, "queries", &queries) || !node_expect(&queries, JSON_OBJECT, "an object of PromQL queries"))
		return;
	const size_t count = json_object_size(queries.value);
	if (count == 0 || count > OBSERVE_VALUES_MAX) {
		node_error(&queries, NULL, "\"queries\" must name 1 to %d queries", OBSERVE_VALUES_MAX);
		return;
	}
	into->values = arena_array(arena, struct observe_value, count);
	while (node_each(&queries, &iter, &query)) {
		struct observe_value *v = &into->values[into->value_count++];
		v->name = arena_strdup(arena, query.key);
		v->unit = "";
		if (json_is_object(query.value))
			fields_read(&query, query_fields, arena, v);
		else
			field_read_value(&query, &text, arena, v);
	}
}

static const struct field prometheus_fields[] = {
	{ "prometheus", FIELD_NODE, .required = true, .help = "The URL of Prometheus, without /api." },
	{ "queries", FIELD_NODE, .required = true, .help = "Each a name and an instant query that gives one number." },
	{ "interval", FIELD_DURATION, offsetof(struct observe_item, interval), .min = SECOND, .max = HOUR, .def = "15s",
	  .help = "How often it scrapes: an answer older than two of these is missing." },
	{ 0 },
};

const struct sampler_kind prometheus_kind = {
	.key = "prometheus",
	.fields = prometheus_fields,
	.nodes = (const char *const[]){ "prometheus", "observe-url", "queries", "observe-queries", NULL },
	.table = &query_table,
	.read = prometheus_read,
	.create = prometheus_create,
};
