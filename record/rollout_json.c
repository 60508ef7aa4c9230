/* The JSON of a rollout, weir.rollout-record.v1. The head and each tick and event are encoded apart, because the store
 * keeps them in rows of their own; the whole is the head with both lists in it. */
#include "record/rollout.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"
#include "record/json.h"

#define SCHEMA "weir.rollout-record.v1"
#define STAGES_MAX 10000 /* a weight is in basis points: there are no more of them */

static const char *const arms[ARMS] = { "stable", "canary" };

static void out_us_unless_0(json_t *o, const char *key, dur_ns d)
{
	if (d)
		out_us(o, key, d);
	else
		out_any(o, key, NULL);
}

static dur_ns in_us_or_0(const struct in *o, const char *key)
{
	return in_has(o, key) ? in_us(o, key) : 0;
}

/* --- ticks ------------------------------------------------------------------------------------------------------ */

json_t *tick_record_encode(const struct tick_record *t)
{
	json_t *o = json_object();
	out_i64(o, "tick", t->tick);
	out_wall(o, "at", t->at);
	out_i64(o, "weight_bp", t->weight_bp);
	for (int a = 0; a < ARMS; a++) {
		json_t *arm = out_object(o, arms[a]);
		out_u64(arm, "requests", t->arms[a].requests);
		out_u64(arm, "errors", t->arms[a].errors);
		out_u64(arm, "client_aborts", t->arms[a].client_aborts);
		json_t *response = out_object(arm, "response_time_us");
		out_us(response, "p50", t->arms[a].p50);
		out_us(response, "p95", t->arms[a].p95);
		out_us(response, "p99", t->arms[a].p99);
	}
	json_t *evidence = out_object(o, "evidence");
	json_t *harm = out_object(evidence, "harm"), *promote = out_object(evidence, "promote");
	out_number(harm, "errors", t->harm_errors);
	out_number(harm, "latency", t->harm_latency);
	out_number(promote, "errors", t->promote_errors);
	out_number(promote, "latency", t->promote_latency);
	return o;
}

static int32_t in_weight(const struct in *o)
{
	const int64_t weight = in_i64(o, "weight_bp");
	if (weight < 0 || weight > 10000)
		in_fail(o, "of a weight from 0 to 10000");
	return o->reading->failed ? 0 : (int32_t)weight;
}

int tick_record_decode(const json_t *json, struct tick_record *ret, struct err *err)
{
	struct reading reading;
	const struct in o = in_root(&reading, json, NULL, err);
	*ret = (struct tick_record){ .tick = in_i64(&o, "tick"), .at = in_wall(&o, "at"), .weight_bp = in_weight(&o) };
	for (int a = 0; a < ARMS; a++) {
		const struct in arm = in_object(&o, arms[a]), response = in_object(&arm, "response_time_us");
		ret->arms[a] = (struct arm_tick){
			.requests = in_u64(&arm, "requests"),
			.errors = in_u64(&arm, "errors"),
			.client_aborts = in_u64(&arm, "client_aborts"),
			.p50 = in_us(&response, "p50"),
			.p95 = in_us(&response, "p95"),
			.p99 = in_us(&response, "p99"),
		};
	}
	const struct in evidence = in_object(&o, "evidence");
	const struct in harm = in_object(&evidence, "harm"), promote = in_object(&evidence, "promote");
	ret->harm_errors = in_number(&harm, "errors");
	ret->harm_latency = in_number(&harm, "latency");
	ret->promote_errors = in_number(&promote, "errors");
	ret->promote_latency = in_number(&promote, "latency");
	return reading.failed ? -1 : 0;
}

/* --- events ----------------------------------------------------------------------------------------------------- */

json_t *event_record_encode(const struct event_record *e, const struct rollout_record *r)
{
	json_t *o = json_object();
	out_i64(o, "seq", e->seq);
	out_text(o, "id", e->id);
	out_wall(o, "at", e->at);
	out_text(o, "type", e->type);
	out_text(o, "severity", e->severity);
	out_text(o, "actor", e->actor);
	if (r) {
		out_text(o, "service", r->service);
		out_text(o, "environment", r->environment);
		out_text(o, "rollout", r->id);
	}
	out_any(o, "before", e->before);
	out_any(o, "after", e->after);
	out_any(o, "data", e->data);
	return o;
}

int event_record_decode(const json_t *json, struct event_record *ret, struct err *err)
{
	struct reading reading;
	const struct in o = in_root(&reading, json, NULL, err);
	*ret = (struct event_record){ .seq = in_i64(&o, "seq"), .at = in_wall(&o, "at") };
	in_id(&o, "id", ret->id);
	ret->type = in_text(&o, "type");
	ret->severity = in_text_optional(&o, "severity");
	ret->actor = in_text_optional(&o, "actor");
	ret->before = in_any_optional(&o, "before");
	ret->after = in_any_optional(&o, "after");
	ret->data = in_any_optional(&o, "data");
	if (!reading.failed)
		return 0;
	event_record_finish(ret);
	return -1;
}

/* --- the head --------------------------------------------------------------------------------------------------- */

static void encode_stage(json_t *o, const struct stage_record *s)
{
	out_i64(o, "weight_bp", s->weight_bp);
	out_wall(o, "entered", s->entered);
	out_wall(o, "left", s->left);
	for (int a = 0; a < ARMS; a++) {
		json_t *arm = out_object(o, arms[a]);
		out_u64(arm, "requests", s->requests[a]);
		out_u64(arm, "errors", s->errors[a]);
		json_t *response = out_object(arm, "response_time_us");
		out_us(response, "p50", s->p50[a]);
		out_us(response, "p95", s->p95[a]);
		out_us(response, "p99", s->p99[a]);
	}
	out_text(o, "verdict", s->verdict);
}

static void decode_stage(const struct in *o, struct stage_record *s)
{
	s->weight_bp = in_weight(o);
	s->entered = in_wall(o, "entered");
	s->left = in_wall(o, "left");
	for (int a = 0; a < ARMS; a++) {
		const struct in arm = in_object(o, arms[a]), response = in_object(&arm, "response_time_us");
		s->requests[a] = in_u64(&arm, "requests");
		s->errors[a] = in_u64(&arm, "errors");
		s->p50[a] = in_us(&response, "p50");
		s->p95[a] = in_us(&response, "p95");
		s->p99[a] = in_us(&response, "p99");
	}
	s->verdict = in_text_optional(o, "verdict");
}

static void encode_decision(json_t *o, const struct decision_record *d)
{
	out_text(o, "metric", d->metric);
	for (int a = 0; a < ARMS; a++) {
		json_t *arm = out_object(o, arms[a]);
		out_number(arm, "value", d->values[a]);
		out_u64(arm, "requests", d->requests[a]);
	}
	out_number(o, "ratio", d->ratio);
	out_number(o, "ratio_low", d->ratio_low);
	out_number(o, "ratio_high", d->ratio_high);
	out_number(o, "evidence", d->evidence);
	out_number(o, "needed", d->needed);
	if (d->phi > 0)
		out_number(o, "phi", d->phi);
}

static void decode_decision(const struct in *o, struct decision_record *d)
{
	d->metric = in_text_optional(o, "metric");
	for (int a = 0; a < ARMS; a++) {
		const struct in arm = in_object(o, arms[a]);
		d->values[a] = in_number(&arm, "value");
		d->requests[a] = in_u64(&arm, "requests");
	}
	d->ratio = in_number(o, "ratio");
	d->ratio_low = in_number(o, "ratio_low");
	d->ratio_high = in_number(o, "ratio_high");
	d->evidence = in_number(o, "evidence");
	d->needed = in_number(o, "needed");
	d->phi = in_has(o, "phi") ? in_number(o, "phi") : 0;
}

json_t *rollout_record_encode_head(const struct rollout_record *r)
{
	json_t *o = json_object();
	out_text(o, "schema", SCHEMA);
	out_text(o, "id", r->id);
	out_text(o, "service", r->service);
	out_text(o, "environment", r->environment);
	out_text(o, "actor", r->actor);
	for (int a = 0; a < ARMS; a++) {
		json_t *arm = out_object(o, arms[a]);
		out_text(arm, "version", r->arms[a].version);
		out_text(arm, "commit", r->arms[a].commit);
	}
	out_text(o, "state", rollout_state_text(r->state));
	out_text(o, "reason", rollout_reason_text(r->reason));
	out_text(o, "why", r->why);
	out_wall(o, "started_at", r->started_at);
	out_wall(o, "finished_at", r->finished_at);
	out_wall(o, "kept_until", r->kept_until);
	json_t *took = out_object(o, "took_us");
	out_us_unless_0(took, "to_decision", r->to_decision);
	out_us_unless_0(took, "to_zero", r->to_zero);
	out_us_unless_0(took, "to_proof", r->to_proof);
	out_number(o, "exposed_requests", r->exposed_requests);
	encode_decision(out_object(o, "decision"), &r->decision);
	json_t *stages = out_array(o, "stages");
	for (size_t i = 0; i < r->stage_count; i++)
		encode_stage(out_item(stages), &r->stages[i]);
	return o;
}

json_t *rollout_record_encode(const struct rollout_record *r)
{
	json_t *o = rollout_record_encode_head(r);
	json_t *ticks = out_array(o, "ticks"), *events = out_array(o, "events");
	for (size_t i = 0; i < r->tick_count; i++)
		must(json_array_append_new(ticks, tick_record_encode(&r->ticks[i])) == 0);
	for (size_t i = 0; i < r->event_count; i++)
		must(json_array_append_new(events, event_record_encode(&r->events[i], r)) == 0);
	return o;
}

static void decode_words(const struct in *o, struct rollout_record *r)
{
	static const char *const states[] = {
#define X(id, text) text,
		ROLLOUT_STATES(X)
#undef X
	};
	static const char *const reasons[] = {
#define X(id, text) text,
		ROLLOUT_REASONS(X)
#undef X
	};
	r->state = (enum rollout_state)in_word(o, "state", states, ARRAY_LEN(states));
	r->reason = (enum rollout_reason)in_word(o, "reason", reasons, ARRAY_LEN(reasons));
	for (int a = 0; a < ARMS; a++) {
		const struct in arm = in_object(o, arms[a]);
		r->arms[a].version = in_text_optional(&arm, "version");
		r->arms[a].commit = in_text_optional(&arm, "commit");
	}
}

int rollout_record_decode_head(const json_t *json, struct rollout_record *ret, struct err *err)
{
	struct reading reading;
	const struct in o = in_root(&reading, json, SCHEMA, err);
	rollout_record_init(ret);
	in_id(&o, "id", ret->id);
	ret->service = in_text(&o, "service");
	ret->environment = in_text(&o, "environment");
	ret->actor = in_text_optional(&o, "actor");
	decode_words(&o, ret);
	ret->why = in_text_optional(&o, "why");
	ret->started_at = in_wall(&o, "started_at");
	ret->finished_at = in_wall(&o, "finished_at");
	if (json_object_get(json, "kept_until")) /* older records have none */
		ret->kept_until = in_wall(&o, "kept_until");
	const struct in took = in_object(&o, "took_us"), decision = in_object(&o, "decision");
	ret->to_decision = in_us_or_0(&took, "to_decision");
	ret->to_zero = in_us_or_0(&took, "to_zero");
	ret->to_proof = in_us_or_0(&took, "to_proof");
	ret->exposed_requests = in_number(&o, "exposed_requests");
	decode_decision(&decision, &ret->decision);
	const struct in stages = in_array(&o, "stages", STAGES_MAX);
	const size_t count = in_count(&stages);
	ret->stages = xcalloc(count, sizeof(*ret->stages));
	for (; ret->stage_count < count && !reading.failed; ret->stage_count++) {
		const struct in stage = in_item(&stages, ret->stage_count);
		decode_stage(&stage, &ret->stages[ret->stage_count]);
	}
	if (!reading.failed)
		return 0;
	rollout_record_finish(ret);
	return -1;
}
