#include "demo/traffic.h"

#include <stdio.h>

#include "base/must.h"

static const unsigned statuses[TRAFFIC_STATUSES] = { 200, 201, 400, 401, 403, 404, 405, 409, 413, 500, 502, 503 };

static size_t column(unsigned status)
{
	size_t at = 0;
	while (at < TRAFFIC_STATUSES && statuses[at] != status)
		at++;
	return at;
}

void traffic_count(struct traffic *t, const struct route *route, unsigned status)
{
	const size_t row = route ? (size_t)(route - routes) : ROUTES_MAX;
	must(row <= ROUTES_MAX);
	atomic_fetch_add_explicit(&t->answered[row][column(status)], 1, memory_order_relaxed);
}

void traffic_reset(struct traffic *t)
{
	for (size_t row = 0; row <= ROUTES_MAX; row++)
		for (size_t at = 0; at <= TRAFFIC_STATUSES; at++)
			atomic_store_explicit(&t->answered[row][at], 0, memory_order_relaxed);
}

static void add(json_t *object, const char *key, uint64_t count)
{
	const json_int_t so_far = json_integer_value(json_object_get(object, key));
	json_object_set_new(object, key, json_integer(so_far + (json_int_t)count));
}

/* The row's counts by status that are not zero; adds them to <totals>. */
static json_t *row_json(const struct traffic *t, size_t row, json_t *totals)
{
	json_t *object = json_object();
	for (size_t at = 0; at <= TRAFFIC_STATUSES; at++) {
		char key[16] = "other";
		const uint64_t count = atomic_load_explicit(&t->answered[row][at], memory_order_relaxed);
		if (count == 0)
			continue;
		if (at < TRAFFIC_STATUSES)
			snprintf(key, sizeof(key), "%u", statuses[at]);
		add(object, key, count);
		add(totals, key, count);
	}
	return object;
}

json_t *traffic_json(const struct traffic *t)
{
	json_t *by_status = json_object(), *by_path = json_object(), *count;
	const char *status;
	json_int_t requests = 0;
	for (size_t row = 0; row <= ROUTES_MAX; row++) {
		char name[96] = "elsewhere";
		json_t *counts = row_json(t, row, by_status);
		if (json_object_size(counts) == 0) {
			json_decref(counts);
			continue;
		}
		if (row < ROUTES_MAX)
			snprintf(name, sizeof(name), "%s %s", routes[row].method, routes[row].path);
		json_object_set_new(by_path, name, counts);
	}
	json_object_foreach(by_status, status, count) requests += json_integer_value(count);
	return json_pack("{s:I, s:o, s:o}", "requests", requests, "by_status", by_status, "by_path", by_path);
}
