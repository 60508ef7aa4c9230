#include "record/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "record/series_json.h"

#define SCHEMA "weir.search.v1"

static const char *const phases[] = { "climb", "narrow", "confirm" };
static const char *const verdicts[] = { "pass", "fail", "grey", "invalid" };

const char *trial_phase_text(enum trial_phase p)
{
	must((size_t)p < ARRAY_LEN(phases));
	return phases[p];
}

const char *trial_verdict_text(enum trial_verdict v)
{
	must((size_t)v < ARRAY_LEN(verdicts));
	return verdicts[v];
}

void search_record_init(struct search_record *s)
{
	*s = (struct search_record){ 0 };
}

void search_record_finish(struct search_record *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->trial_count; i++)
		free(s->trials[i].why);
	free(s->trials);
	free(s->name);
	free(s->target);
	free(s->slo);
	free(s->answer);
	free(s->stopped_because);
	free(s->completed);
	sampled_series_destroy(s->resources, s->resource_count);
	json_decref(s->manifest);
	search_record_init(s);
}

struct trial_record *search_record_add_trial(struct search_record *s)
{
	s->trials = xreallocarray(s->trials, s->trial_count + 1, sizeof(*s->trials));
	struct trial_record *t = &s->trials[s->trial_count++];
	*t = (struct trial_record){ 0 };
	return t;
}

/* The names come from the first run, the rest from each. */
static void add_values(struct sampled_series *to, const struct sampled_series *from, size_t first, size_t count)
{
	if (!to->name) {
		to->name = xstrdup(from->name);
		to->unit = xstrdup(from->unit);
	}
	if (isfinite(from->limit))
		to->limit = from->limit;
	if (from->why_missing) {
		free(to->why_missing);
		to->why_missing = xstrdup(from->why_missing);
	}
	to->values = xreallocarray(to->values, to->count + count, sizeof(*to->values));
	memcpy(to->values + to->count, from->values + first, count * sizeof(*to->values));
	to->count += count;
}

void search_record_add_seconds(struct search_record *s, const struct run_record *run)
{
	size_t first = 0;
	while (first < run->second_count && run->seconds[first].second < 0)
		first++;
	/* The last second of a run is not a whole one. */
	const size_t count = run->second_count > first + 1 ? run->second_count - first - 1 : 0;
	if (run->resource_count == 0 || count == 0)
		return;
	if (!s->resources) {
		s->resources = sampled_series_make(run->resource_count, 0);
		s->resource_count = run->resource_count;
	}
	must(s->resource_count == run->resource_count);
	s->completed = xreallocarray(s->completed, s->second_count + count, sizeof(*s->completed));
	for (size_t i = 0; i < count; i++)
		s->completed[s->second_count + i] = run->seconds[first + i].completed;
	s->second_count += count;
	for (size_t i = 0; i < s->resource_count; i++)
		add_values(&s->resources[i], &run->resources[i], first, count);
}

static void encode_trial(const struct trial_record *t, json_t *o)
{
	out_text(o, "phase", trial_phase_text(t->phase));
	out_number(o, "rate", t->rate);
	out_seconds(o, "held_s", t->held);
	out_u64(o, "requests", t->requests);
	out_u64(o, "exceeded", t->exceeded);
	out_number(o, "share", t->share);
	out_number(o, "share_high", t->share_high);
	out_us(o, "quantile_us", t->quantile);
	out_number(o, "error_rate", t->error_rate);
	out_text(o, "verdict", trial_verdict_text(t->verdict));
	out_text(o, "why", t->why);
	out_text(o, "run_id", t->run_id);
}

json_t *search_record_encode(const struct search_record *s)
{
	json_t *o = json_object();
	out_text(o, "schema", SCHEMA);
	out_text(o, "id", s->id);
	out_text(o, "name", s->name);
	out_text(o, "target", s->target);
	json_t *slo = out_object(o, "slo");
	out_text(slo, "that", s->slo);
	out_number(slo, "quantile", s->slo_quantile);
	out_us(slo, "limit_us", s->slo_limit);
	out_wall(o, "started_at", s->started_at);
	out_seconds(o, "duration_s", s->duration);
	out_text(o, "answer", s->answer);
	out_number(o, "verified", s->verified);
	out_seconds(o, "verified_for_s", s->verified_for);
	out_number(o, "highest_pass", s->highest_pass);
	out_number(o, "lowest_fail", s->lowest_fail);
	out_text(o, "stopped_because", s->stopped_because);
	json_t *trials = out_array(o, "trials");
	for (size_t i = 0; i < s->trial_count; i++)
		encode_trial(&s->trials[i], out_item(trials));
	json_t *completed = out_array(o, "completed");
	for (size_t i = 0; i < s->second_count; i++)
		must(json_array_append_new(completed, json_real(s->completed[i])) == 0);
	series_out(o, "resources", s->resources, s->resource_count, 0, true);
	out_any(o, "manifest", s->manifest);
	return o;
}

static void decode_trial(const struct in *o, struct trial_record *t)
{
	t->phase = (enum trial_phase)in_word(o, "phase", phases, ARRAY_LEN(phases));
	t->rate = in_number(o, "rate");
	t->held = in_seconds(o, "held_s");
	t->requests = in_u64(o, "requests");
	t->exceeded = in_u64(o, "exceeded");
	t->share = in_number(o, "share");
	t->share_high = in_number(o, "share_high");
	t->quantile = in_us(o, "quantile_us");
	t->error_rate = in_number(o, "error_rate");
	t->verdict = (enum trial_verdict)in_word(o, "verdict", verdicts, ARRAY_LEN(verdicts));
	t->why = in_text_optional(o, "why");
	in_id(o, "run_id", t->run_id);
}

/* Records from before a search could observe have neither. */
static void decode_seconds(const struct in *o, struct search_record *s)
{
	if (o->reading->failed || !in_has(o, "completed"))
		return;
	const struct in completed = in_array(o, "completed", RECORD_ROWS_MAX);
	const size_t count = in_count(&completed);
	s->completed = xcalloc(count, sizeof(*s->completed));
	s->second_count = count;
	for (size_t i = 0; i < count && !o->reading->failed; i++) {
		const struct in value = in_element(&completed, i);
		if (!json_is_number(value.value))
			in_fail(&value, "a number");
		s->completed[i] = json_number_value(value.value);
	}
	s->resources = series_in(o, "resources", count, &s->resource_count);
}

int search_record_decode(const json_t *json, struct search_record *ret, struct err *err)
{
	struct reading reading;
	const struct in o = in_root(&reading, json, SCHEMA, err);
	search_record_init(ret);
	in_id(&o, "id", ret->id);
	ret->name = in_text_optional(&o, "name");
	ret->target = in_text_optional(&o, "target");
	const struct in slo = in_object(&o, "slo");
	ret->slo = in_text_optional(&slo, "that");
	ret->slo_quantile = in_number(&slo, "quantile");
	ret->slo_limit = in_us(&slo, "limit_us");
	ret->started_at = in_wall(&o, "started_at");
	ret->duration = in_seconds(&o, "duration_s");
	ret->answer = in_text_optional(&o, "answer");
	ret->verified = in_number(&o, "verified");
	ret->verified_for = in_seconds(&o, "verified_for_s");
	ret->highest_pass = in_number(&o, "highest_pass");
	ret->lowest_fail = in_number(&o, "lowest_fail");
	ret->stopped_because = in_text_optional(&o, "stopped_because");
	const struct in trials = in_array(&o, "trials", RECORD_ROWS_MAX);
	for (size_t i = 0, n = in_count(&trials); i < n && !reading.failed; i++) {
		const struct in item = in_item(&trials, i);
		decode_trial(&item, search_record_add_trial(ret));
	}
	decode_seconds(&o, ret);
	ret->manifest = in_any_optional(&o, "manifest");
	if (!reading.failed)
		return 0;
	search_record_finish(ret);
	return -1;
}
