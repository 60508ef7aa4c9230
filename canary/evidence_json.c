#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "canary/evidence_state.h"
#include "stats/compare.h"

#define EVIDENCE_SCHEMA "weir.evidence.v1"

/* One walk over all that has to survive, used for writing and for reading, so that the two cannot differ. Windows of
 * the latency effect and the share test begin anew: they size a difference and show it, they do not prove it. */
struct walk {
	json_t *object;   /* writing */
	const json_t *in; /* reading; NULL when writing */
	bool ok;
};

static void walk_numbers(struct walk *w, const char *key, double *values, size_t count)
{
	if (!w->in) {
		json_t *list = json_array();
		for (size_t i = 0; i < count; i++)
			json_array_append_new(list, isfinite(values[i]) ? json_real(values[i]) : json_null());
		json_object_set_new(w->object, key, list);
		return;
	}
	const json_t *list = json_object_get(w->in, key);
	w->ok = w->ok && json_is_array(list) && json_array_size(list) == count;
	for (size_t i = 0; w->ok && i < count; i++) {
		const json_t *v = json_array_get(list, i);
		w->ok = json_is_number(v) && isfinite(json_number_value(v));
		if (w->ok)
			values[i] = json_number_value(v);
	}
}

static void walk_whole(struct walk *w, const char *key, int64_t *value, int64_t least, int64_t most)
{
	if (!w->in) {
		json_object_set_new(w->object, key, json_integer(*value));
		return;
	}
	const json_t *v = json_object_get(w->in, key);
	w->ok = w->ok && json_is_integer(v) && json_integer_value(v) >= least && json_integer_value(v) <= most;
	if (w->ok)
		*value = json_integer_value(v);
}

static void walk_process(struct walk *w, const char *key, struct eprocess *p)
{
	double values[EPROCESS_VALUES];
	const size_t count = eprocess_export(p, values, EPROCESS_VALUES);
	walk_numbers(w, key, values, count);
	if (w->in && w->ok)
		w->ok = eprocess_import(p, values, count);
}

static void walk_processes(struct walk *w, const char *key, struct eprocess *p, int count)
{
	char name[64];
	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%s_%d", key, i);
		walk_process(w, name, &p[i]);
	}
}

static void walk_rate(struct walk *w, const char *key, struct running_rate *r)
{
	double values[] = { r->events, r->requests, r->keep };
	walk_numbers(w, key, values, ARRAY_LEN(values));
	w->ok = w->ok && values[0] >= 0 && values[1] >= 0 && values[2] >= 0 && values[2] <= 1;
	if (w->in && w->ok)
		*r = (struct running_rate){ .events = values[0], .requests = values[1], .keep = values[2] };
}

static void walk_bounds(struct walk *w, struct ratio_bounds *b)
{
	double values[RATIO_BOUNDS_VALUES];
	const size_t count = ratio_bounds_export(b, values, RATIO_BOUNDS_VALUES);
	walk_numbers(w, "bounds", values, count);
	if (w->in && w->ok)
		w->ok = ratio_bounds_import(b, values, count);
}

/* Weights of bins: mostly zeros, so only the others are written, as [bin, weight] pairs in one row. */
static void walk_bins(struct walk *w, const char *key, double *weights)
{
	if (!w->in) {
		json_t *list = json_array();
		for (int i = 0; i < LOGBINS; i++) {
			if (weights[i] <= 0)
				continue;
			json_array_append_new(list, json_integer(i));
			json_array_append_new(list, json_real(weights[i]));
		}
		json_object_set_new(w->object, key, list);
		return;
	}
	const json_t *list = json_object_get(w->in, key);
	const size_t count = json_array_size(list);
	w->ok = w->ok && json_is_array(list) && count % 2 == 0;
	for (size_t i = 0; w->ok && i < count; i += 2) {
		const json_t *bin = json_array_get(list, i), *weight = json_array_get(list, i + 1);
		w->ok = json_is_integer(bin) && json_integer_value(bin) >= 0 && json_integer_value(bin) < LOGBINS &&
		        json_is_number(weight) && json_number_value(weight) >= 0;
		if (w->ok)
			weights[json_integer_value(bin)] = json_number_value(weight);
	}
}

static void walk_counts(struct walk *w, const char *key, struct logbins *b)
{
	double weights[LOGBINS] = { 0 };
	for (int i = 0; i < LOGBINS; i++)
		weights[i] = (double)b->counts[i];
	walk_bins(w, key, weights);
	b->total = 0;
	for (int i = 0; i < LOGBINS; i++) {
		w->ok = w->ok && weights[i] < 1e15;
		b->counts[i] = w->ok ? (int64_t)weights[i] : 0;
		b->total += b->counts[i];
	}
}

static void walk_time(struct walk *w, struct evidence *e)
{
	int64_t weight = e->weight_bp, frozen = e->frozen, last = e->last_stage, after = e->after;
	walk_whole(w, "last_tick", &e->last_tick, -1, INT64_MAX - 1);
	walk_whole(w, "first_canary_tick", &e->first_canary_tick, -1, INT64_MAX - 1);
	walk_whole(w, "weight_tick", &e->weight_tick, 0, INT64_MAX - 1);
	walk_whole(w, "freeze_since", &e->freeze_since, -1, INT64_MAX - 1);
	walk_whole(w, "weight_bp", &weight, 0, WEIGHT_FULL_BP);
	walk_whole(w, "frozen", &frozen, 0, 1);
	walk_whole(w, "last_stage", &last, 0, 1);
	walk_whole(w, "after", &after, 0, 1);
	e->weight_bp = (int32_t)weight;
	e->frozen = frozen;
	e->last_stage = last;
	e->after = after;
}

static void walk_before(struct walk *w, struct evidence *e)
{
	int64_t errors = (int64_t)e->before_errors;
	walk_counts(w, "before", &e->before);
	walk_whole(w, "before_errors", &errors, 0, INT64_MAX);
	e->before_errors = (uint64_t)errors;
	for (int j = 0; j < THRESHOLDS; j++) {
		char name[32];
		int64_t bin = e->thresholds[j];
		snprintf(name, sizeof(name), "threshold_%d", j);
		walk_whole(w, name, &bin, 0, LOGBINS - 1);
		e->thresholds[j] = (int)bin;
	}
}

static void walk_evidence(struct walk *w, struct evidence *e)
{
	walk_process(w, "harm_errors", &e->harm_errors);
	walk_process(w, "harm_gross", &e->harm_gross);
	walk_processes(w, "harm_latency", e->harm_latency, THRESHOLDS);
	walk_process(w, "promote_errors", &e->promote_errors);
	walk_processes(w, "promote_latency", e->promote_latency, PROMOTE_QUANTILES);
	if (e->slo) {
		walk_process(w, "harm_slo", &e->harm_slo);
		walk_process(w, "promote_slo", &e->promote_slo);
	}
	walk_bounds(w, &e->bounds);
}

/* Latency windows are large and fill again within seconds; those of errors are a few sums. */
static void walk_windows(struct walk *w, struct evidence *e)
{
	for (int i = 0; i <= EPROCESS_EFFECTS_MAX; i++) {
		struct error_window *win = i < EPROCESS_EFFECTS_MAX ? &e->error_windows[i] : &e->gross_window;
		double values[] = { win->score, win->canary, win->stable, win->weight };
		char name[32];
		snprintf(name, sizeof(name), "window_%d", i);
		walk_numbers(w, name, values, ARRAY_LEN(values));
		*win = (struct error_window){ values[0], values[1], values[2], values[3] };
	}
}

static void walk_rates(struct walk *w, struct evidence *e)
{
	char name[32];
	walk_rate(w, "rate_errors", &e->rate_errors);
	walk_rate(w, "usual_errors", &e->usual_errors);
	walk_rate(w, "usual_slow", &e->usual_slow);
	for (int j = 0; j < THRESHOLDS; j++) {
		snprintf(name, sizeof(name), "rate_above_%d", j);
		walk_rate(w, name, &e->rate_above[j]);
	}
}

/* The comparison of all traffic has a null of its own, made from stable's last rates: it has to survive with it. */
static void walk_after(struct walk *w, struct evidence *e)
{
	double nulls[2] = { e->after_errors.plan.null.a, e->after_slow.plan.null.a };
	if (!e->after)
		return;
	walk_numbers(w, "after_nulls", nulls, 2);
	if (!w->ok || nulls[0] <= 0 || nulls[0] >= 1 || nulls[1] <= 0 || nulls[1] >= 1) {
		w->ok = false;
		return;
	}
	if (w->in) {
		evidence_begin_after(e);
		e->after_errors.plan.null.a = nulls[0];
		e->after_slow.plan.null.a = nulls[1];
	}
	walk_process(w, "after_errors", &e->after_errors);
	walk_process(w, "after_slow", &e->after_slow);
}

static void walk_shown(struct walk *w, struct evidence *e)
{
	double sums[] = { e->risk.canary, e->risk.stable, e->excess_errors, e->requests[ARM_STABLE],
		          e->requests[ARM_CANARY] };
	walk_numbers(w, "sums", sums, ARRAY_LEN(sums));
	e->risk.canary = sums[0];
	e->risk.stable = sums[1];
	e->excess_errors = sums[2];
	e->requests[ARM_STABLE] = sums[3];
	e->requests[ARM_CANARY] = sums[4];
	walk_bins(w, "latency_canary", e->latency.canary);
	walk_bins(w, "latency_stable", e->latency.stable);
}

static void walk_stage(struct walk *w, struct evidence *e)
{
	static const char *const names[ARMS] = { [ARM_STABLE] = "stage_stable", [ARM_CANARY] = "stage_canary" };
	int64_t stage = e->stage.stage;
	walk_whole(w, "stage", &stage, -1, INT32_MAX);
	e->stage.stage = (int32_t)stage;
	for (int a = 0; a < ARMS; a++) {
		double counts[] = { (double)e->stage.requests[a], (double)e->stage.errors[a] };
		char name[32];
		walk_numbers(w, names[a], counts, ARRAY_LEN(counts));
		w->ok = w->ok && counts[0] >= 0 && counts[0] < 1e15 && counts[1] >= 0 && counts[1] <= counts[0];
		e->stage.requests[a] = w->ok ? (uint64_t)counts[0] : 0;
		e->stage.errors[a] = w->ok ? (uint64_t)counts[1] : 0;
		snprintf(name, sizeof(name), "%s_bins", names[a]);
		walk_counts(w, name, &e->stage.bins[a]);
	}
}

/* Not in what older versions stored: nothing is known of bunches then, phi is 1. */
static void walk_bunching(struct walk *w, struct evidence *e)
{
	double values[BUNCHING_VALUES];
	if (w->in && !json_object_get(w->in, "bunching"))
		return;
	bunching_export(&e->bunching, values);
	walk_numbers(w, "bunching", values, BUNCHING_VALUES);
	if (w->in && w->ok)
		w->ok = bunching_import(&e->bunching, values);
	evidence_temper(e);
}

static void walk_all(struct walk *w, struct evidence *e)
{
	walk_time(w, e);
	walk_before(w, e);
	walk_rates(w, e);
	walk_bunching(w, e);
	walk_evidence(w, e);
	walk_windows(w, e);
	walk_after(w, e);
	walk_shown(w, e);
	walk_stage(w, e);
}

/* What the evidence means depends on these; evidence gathered for another alpha or margin is none. */
#define CONFIG_VALUES 12
static void config_values(const struct evidence_config *c, double ret[CONFIG_VALUES])
{
	const struct plan_compare *p = &c->compare;
	const double values[CONFIG_VALUES] = {
		p->errors_ratio,
		p->errors_slack,
		p->latency_ratio,
		p->latency_margin,
		p->slo_quantile,
		(double)p->slo_limit,
		p->alpha,
		(double)p->warmup,
		(double)c->planned_ticks,
		(double)c->warmup_ticks,
		(double)c->freeze_requests,
		c->phi,
	};
	memcpy(ret, values, sizeof(values));
}

json_t *evidence_export(const struct evidence *e)
{
	struct walk w = { .object = json_object(), .ok = true };
	struct evidence *copy = xmalloc(sizeof(*copy));
	double config[CONFIG_VALUES];
	*copy = *e; /* the walk writes back what it read; on a copy nobody sees it */
	config_values(&e->config, config);
	json_object_set_new(w.object, "$schema", json_string(EVIDENCE_SCHEMA));
	walk_numbers(&w, "config", config, CONFIG_VALUES);
	walk_all(&w, copy);
	free(copy);
	return w.object;
}

static bool same_config(const struct evidence_config *c, const json_t *json)
{
	double ours[CONFIG_VALUES], theirs[CONFIG_VALUES] = { 0 };
	struct walk w = { .in = json, .ok = true };
	config_values(c, ours);
	walk_numbers(&w, "config", theirs, CONFIG_VALUES);
	for (int i = 0; i < CONFIG_VALUES; i++)
		w.ok = w.ok && fabs(ours[i] - theirs[i]) <= 1e-12 * fabs(ours[i]);
	return w.ok;
}

/* Silence is counted from the restart: the time in which nobody measured is not the service's. */
static void settle(struct evidence *e)
{
	e->sample_tick = e->traffic_tick = e->last_tick;
	share_test_step(&e->share, e->weight_bp / (double)WEIGHT_FULL_BP);
	e->warming = e->first_canary_tick < 0 || e->last_tick - e->first_canary_tick < e->config.warmup_ticks;
	evidence_judge(e);
}

struct evidence *evidence_import(const struct evidence_config *config, const json_t *json, struct err *err)
{
	const char *schema = json_string_value(json_object_get(json, "$schema"));
	if (!schema || strcmp(schema, EVIDENCE_SCHEMA) != 0) {
		err_set(err, ERR_SYNTAX, "the stored evidence is not a %s", EVIDENCE_SCHEMA);
		return NULL;
	}
	if (!same_config(config, json)) {
		err_set(err, ERR_USAGE, "the stored evidence was gathered under another configuration");
		return NULL;
	}
	struct evidence *e = evidence_create(config);
	struct walk w = { .in = json, .ok = true };
	walk_all(&w, e);
	if (!w.ok) {
		evidence_destroy(e);
		err_set(err, ERR_SYNTAX, "the stored evidence is damaged");
		return NULL;
	}
	settle(e);
	return e;
}
