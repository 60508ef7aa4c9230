/* json_endpoint.c: { "json": URL, "values": { NAME: POINTER or { "at", "unit", "rate" } } }: numbers out of the JSON that
 * an endpoint answers: a queue, a pool, a counter whose growth per second is wanted. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"
#include "observe/answers.h"
#include "observe/http_ask.h"
#include "observe/samplers/kinds.h"

struct json_sampler {
	struct sampler base;
	const struct observe_item *item;
	struct http_ask ask;
	struct counter_rate rates[OBSERVE_VALUES_MAX];
};

static void take_rates(struct json_sampler *j, struct mono now)
{
	for (size_t i = 0; i < j->item->value_count; i++)
		if (j->item->values[i].rate)
			j->base.values[i] = counter_rate_take(&j->rates[i], j->base.values[i], now);
}

/* One reason for each: parsed again for those that are missing, which is rare. */
static void say_missing(struct json_sampler *j, struct str body, const char *const *pointers)
{
	double value;
	struct err why;
	for (size_t i = 0; i < j->item->value_count; i++)
		if (isnan(j->base.values[i]) && answer_json_values(body, &pointers[i], 1, &value, &why) < 0) {
			err_wrap(&why, "%s", j->ask.place);
			sampler_miss(&j->base, i, &why);
		}
}

static void json_answered(struct http_ask *a, struct str body, const struct err *err_or_null)
{
	struct json_sampler *j = container_of(a, struct json_sampler, ask);
	const char *pointers[OBSERVE_VALUES_MAX];
	struct err why;
	for (size_t i = 0; i < j->item->value_count; i++)
		pointers[i] = j->item->values[i].at;
	if (err_or_null)
		j->base.err = *err_or_null;
	else if (answer_json_values(body, pointers, j->item->value_count, j->base.values, &why) < 0)
		say_missing(j, body, pointers);
	/* When the answer came is when it was made, as near as we know. */
	take_rates(j, a->transfer.first_byte.ns ? a->transfer.first_byte : mono_now());
	sampler_end(&j->base);
}

static void json_start(struct sampler *base)
{
	struct json_sampler *j = container_of(base, struct json_sampler, base);
	if (http_ask_start(&j->ask, &base->err) < 0)
		sampler_end(base);
}

static void json_give_up(struct sampler *base)
{
	http_ask_stop(&container_of(base, struct json_sampler, base)->ask);
}

static void json_destroy(struct sampler *base)
{
	struct json_sampler *j = container_of(base, struct json_sampler, base);
	http_ask_finish(&j->ask);
	sampler_finish(base);
	free(j);
}

static const struct sampler_ops json_ops = { .start = json_start, .give_up = json_give_up, .destroy = json_destroy };

static struct sampler *json_create(struct loop *loop, struct transport *transport, const struct observe_item *item,
                                   struct err *err)
{
	struct json_sampler *j = xcalloc(1, sizeof(*j));
	sampler_init(&j->base, &json_ops, loop);
	j->item = item;
	http_ask_init(&j->ask, transport, item->url, item->place, json_answered);
	for (size_t i = 0; i < item->value_count; i++)
		sampler_add(&j->base, item->name, item->values[i].name, item->values[i].unit);
	return &j->base;
}

/* --- the item ---------------------------------------------------------------------------------------------------- */

static const struct field value_fields[] = {
	{ "at", FIELD_STRING, offsetof(struct observe_value, at), .required = true,
	  .help = "A JSON Pointer: \"/pool/used\"." },
	{ "unit", FIELD_STRING, offsetof(struct observe_value, unit), .help = "For people: \"requests\"." },
	{ "rate", FIELD_BOOLEAN, offsetof(struct observe_value, rate), .def = "false",
	  .help = "It is a counter: its growth per second is wanted." },
	{ 0 },
};
static const struct schema_table value_table = { "observe-value", value_fields, NULL };

static void read_value(const struct node *n, struct arena *arena, struct observe_value *into)
{
	static const struct field pointer = { "value", FIELD_STRING, offsetof(struct observe_value, at),
		                              .help = "A JSON Pointer: \"/pool/used\"." };
	into->name = arena_strdup(arena, n->key);
	if (json_is_object(n->value))
		fields_read(n, value_fields, arena, into);
	else
		field_read_value(n, &pointer, arena, into);
	if (into->at && !json_pointer_is_sound(into->at))
		node_error(n, "It starts with '/', and '~' is written ~0.", "this is not a JSON Pointer");
	if (!into->unit)
		into->unit = into->rate ? UNIT_PER_SECOND : "";
}

static void json_read(const struct node *n, const struct observe_inputs *inputs, struct arena *arena,
                      struct observe_item *into)
{
	struct node url, values, value;
	void *iter = NULL;
	if (node_get(n, "json", &url))
		into->url = observe_url(&url, inputs, arena);
	if (!node_get(n, "values", &values) || !node_expect(&values, JSON_OBJECT, "an object of JSON Pointers"))
		return;
	const size_t count = json_object_size(values.value);
	if (count == 0 || count > OBSERVE_VALUES_MAX) {
		node_error(&values, NULL, "\"values\" must name 1 to %d figures", OBSERVE_VALUES_MAX);
		return;
	}
	into->values = arena_array(arena, struct observe_value, count);
	while (node_each(&values, &iter, &value))
		read_value(&value, arena, &into->values[into->value_count++]);
}

static const struct field json_fields[] = {
	{ "json", FIELD_NODE, .required = true, .help = "The URL of an endpoint that answers JSON." },
	{ "values", FIELD_NODE, .required = true, .help = "Which numbers of it, each a name and a JSON Pointer." },
	{ 0 },
};

const struct sampler_kind json_endpoint_kind = {
	.key = "json",
	.fields = json_fields,
	.nodes = (const char *const[]){ "json", "observe-url", "values", "observe-values", NULL },
	.table = &value_table,
	.read = json_read,
	.create = json_create,
};
