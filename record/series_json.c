#include "record/series_json.h"

#include <math.h>

#include "base/mem.h"
#include "base/must.h"

static void encode(json_t *o, const struct sampled_series *s, size_t from, bool with_values)
{
	double mean, most;
	const size_t there = sampled_series_sum_up(s, from, &mean, &most);
	out_text(o, "name", s->name);
	out_text(o, "unit", s->unit);
	out_number(o, "limit", s->limit);
	out_u64(o, "samples", there);
	out_u64(o, "missing", s->count > from ? s->count - from - there : 0);
	out_text(o, "why_missing", s->why_missing);
	out_number(o, "mean", mean);
	out_number(o, "max", most);
	if (!with_values)
		return;
	json_t *values = out_array(o, "values");
	for (size_t i = 0; i < s->count; i++)
		must(json_array_append_new(values, isfinite(s->values[i]) ? json_real(s->values[i]) : json_null()) ==
		     0);
}

void series_out(json_t *o, const char *key, const struct sampled_series *list, size_t count, size_t from, bool values)
{
	json_t *array = out_array(o, key);
	for (size_t i = 0; i < count; i++)
		encode(out_item(array), &list[i], from, values);
}

static void decode_values(const struct in *o, size_t seconds, struct sampled_series *s)
{
	const struct in values = in_array(o, "values", RECORD_ROWS_MAX);
	const size_t count = in_count(&values);
	if (count != seconds)
		in_fail(&values, "as many values as there are seconds");
	if (o->reading->failed)
		return;
	s->count = count;
	s->values = xcalloc(count, sizeof(*s->values));
	for (size_t i = 0; i < count; i++) {
		const struct in value = in_element(&values, i);
		if (!json_is_number(value.value) && !json_is_null(value.value))
			in_fail(&value, "a number or null");
		s->values[i] = json_is_number(value.value) ? json_number_value(value.value) : NAN;
	}
}

struct sampled_series *series_in(const struct in *o, const char *key, size_t seconds, size_t *ret_count)
{
	*ret_count = 0;
	if (o->reading->failed || !in_has(o, key))
		return NULL;
	const struct in array = in_array(o, key, SERIES_COUNT_MAX);
	const size_t count = in_count(&array);
	struct sampled_series *list = xcalloc(count, sizeof(*list));
	for (size_t i = 0; i < count; i++) {
		const struct in item = in_item(&array, i);
		list[i].name = in_text(&item, "name");
		list[i].unit = in_text(&item, "unit");
		list[i].limit = in_number(&item, "limit");
		list[i].why_missing = in_text_optional(&item, "why_missing");
		decode_values(&item, seconds, &list[i]);
	}
	*ret_count = count;
	return list;
}
