#include "canary/controller_state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"

#define SNAPSHOT_SCHEMA "weir.controller.v1"

/* --- events ------------------------------------------------------------------------------------------------------ */

static json_t *text_json(const char *text)
{
	/* Reasons come from people's terminals and from data planes: not always UTF-8. */
	json_t *j = json_string(text);
	return j ? j : json_string("(text that is not UTF-8)");
}

static void set_number(json_t *object, const char *key, double value)
{
	json_object_set_new(object, key, isfinite(value) ? json_real(value) : json_null());
}

/* What was measured at this instant: the evidence behind a decision. */
static json_t *measured_json(const struct assessment *a)
{
	json_t *j = json_object();
	json_object_set_new(j, "verdict", json_string(verdict_text(a->verdict)));
	if (a->metric)
		json_object_set_new(j, "metric", json_string(a->metric));
	set_number(j, "stable", a->values[ARM_STABLE]);
	set_number(j, "canary", a->values[ARM_CANARY]);
	set_number(j, "ratio", a->ratio);
	set_number(j, "ratio_low", a->ratio_low);
	set_number(j, "ratio_high", a->ratio_high);
	set_number(j, "evidence", a->evidence);
	set_number(j, "needed", a->needed);
	json_object_set_new(j, "requests_stable", json_integer((json_int_t)a->requests[ARM_STABLE]));
	json_object_set_new(j, "requests_canary", json_integer((json_int_t)a->requests[ARM_CANARY]));
	set_number(j, "phi", a->phi);
	set_number(j, "share", a->share);
	return j;
}

void story_event(struct controller *c, const char *type, const char *severity, const char *actor, json_t *before,
                 json_t *after, json_t *data)
{
	struct err err;
	struct event_record e = {
		.at = wall_now(),
		.type = xstrdup(type),
		.severity = xstrdup(severity),
		.actor = xstrdup(actor),
		.before = before,
		.after = after,
		.data = data,
	};
	if (journal_event(c->journal, &e, &err) != 0)
		controller_store_failed(c, &err);
	if (c->o.listener.event)
		c->o.listener.event(c->o.listener.arg, &e, &c->record);
	event_record_finish(&e);
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* The gate of power is the one that is asked after traffic was measured. */
static void add_gate(struct controller *c, json_t *data)
{
	const bool power = c->power_meter.requests > 0;
	json_object_set_new(data, "gate", json_string(power ? "power" : "baseline"));
	if (power)
		json_object_set_new(data, "power", power_encode(&c->power, &c->power_meter, c->o.plan));
}

void story_action(struct controller *c, const struct machine_action *a)
{
	json_t *before = NULL, *after = NULL, *data = json_object();
	if (a->text[0])
		json_object_set_new(data, "text", text_json(a->text));
	if (a->stage >= 0)
		json_object_set_new(data, "stage", json_integer(a->stage));
	if (begins(a->type, "weight.")) {
		before = json_pack("{s:i}", "weight_bp", (int)c->drive.seen.weight_bp);
		after = json_pack("{s:i}", "weight_bp", (int)a->weight_bp);
	}
	if (begins(a->type, "rollback.") || begins(a->type, "operator.") || begins(a->type, "stage.") ||
	    begins(a->type, "rollout.held") || begins(a->type, "rollout.promoted") || begins(a->type, "rollout.incon"))
		json_object_set_new(data, "measured", measured_json(&c->assessment));
	if (begins(a->type, "gate."))
		add_gate(c, data);
	if (begins(a->type, "rollback.triggered"))
		json_object_set_new(data, "reason", json_string(rollout_reason_text(c->machine.reason)));
	story_event(c, a->type, a->severity, a->actor, before, after, data);
}

/* --- the record -------------------------------------------------------------------------------------------------- */

static void set_text(char **into, const char *text)
{
	free(*into);
	*into = text ? xstrdup(text) : NULL;
}

static struct stage_record *stage_of(struct controller *c)
{
	const int32_t stage = c->machine.stage;
	return stage >= 0 && (size_t)stage < c->record.stage_count ? &c->record.stages[stage] : NULL;
}

void story_enter_stage(struct controller *c, int32_t stage)
{
	const struct wall now = wall_now();
	must(stage >= 0 && (size_t)stage < c->record.stage_count);
	if (stage > 0) {
		c->record.stages[stage - 1].left = now;
		set_text(&c->record.stages[stage - 1].verdict, "passed");
	}
	c->record.stages[stage].entered = now;
	set_text(&c->record.stages[stage].verdict, "watching");
	story_update(c);
}

static dur_ns to_ns(double seconds)
{
	return isfinite(seconds) && seconds > 0 && seconds < 1e6 ? (dur_ns)(seconds * 1e9) : 0;
}

void story_tick(struct controller *c)
{
	const struct assessment *a = &c->assessment;
	struct stage_record *s = stage_of(c);
	c->record.exposed_requests = a->excess_errors > 0 ? a->excess_errors : 0;
	if (!s)
		return;
	for (int i = 0; i < ARMS; i++) {
		s->requests[i] = a->stage_requests[i];
		s->errors[i] = a->stage_errors[i];
		s->p50[i] = to_ns(a->stage_quantiles[i][0]);
		s->p95[i] = to_ns(a->stage_quantiles[i][1]);
		s->p99[i] = to_ns(a->stage_quantiles[i][2]);
	}
}

static bool is_about_metric(const struct controller *c)
{
	const enum rollout_reason r = c->machine.reason;
	return c->machine.state == ROLLOUT_PROMOTED || c->machine.state == ROLLOUT_HOLDING || r == REASON_ERRORS ||
	       r == REASON_LATENCY || r == REASON_SLO;
}

static void keep_decision(struct controller *c)
{
	const struct assessment *a = &c->assessment;
	struct decision_record *d = &c->record.decision;
	set_text(&d->metric, is_about_metric(c) ? a->metric : NULL);
	for (int i = 0; i < ARMS; i++) {
		d->values[i] = a->values[i];
		d->requests[i] = a->requests[i];
	}
	d->ratio = a->ratio;
	d->ratio_low = a->ratio_low;
	d->ratio_high = a->ratio_high;
	d->evidence = a->evidence;
	d->needed = a->needed;
	d->phi = a->phi;
}

static void end_stage(struct controller *c, const char *verdict)
{
	struct stage_record *s = stage_of(c);
	if (!s)
		return;
	s->left = wall_now();
	set_text(&s->verdict, verdict);
}

void story_moved(struct controller *c, enum rollout_state before)
{
	const enum rollout_state now = c->machine.state;
	if (now == before)
		return;
	c->record.state = now;
	c->record.reason = c->machine.reason;
	if (before == ROLLOUT_PROMOTED)
		c->record.finished_at = c->record.kept_until = (struct wall){ 0 };
	if (now == ROLLOUT_ROLLING_BACK) {
		c->decided_at = mono_now();
		if (c->harmful_since.ns > 0)
			c->record.to_decision = mono_since(c->decided_at, c->harmful_since);
		set_text(&c->record.why, c->machine.why);
		keep_decision(c);
		end_stage(c, "rolled back");
	} else if (now == ROLLOUT_HOLDING) {
		keep_decision(c);
		struct stage_record *s = stage_of(c);
		if (s)
			set_text(&s->verdict, "held");
	} else if (now == ROLLOUT_PROMOTED) {
		keep_decision(c);
		end_stage(c, "passed");
	}
}

void story_finish(struct controller *c)
{
	c->record.state = c->machine.state;
	c->record.reason = c->machine.reason;
	c->record.finished_at = wall_now();
	if (c->record.state == ROLLOUT_PROMOTED && c->o.plan->keep_old > 0)
		c->record.kept_until = (struct wall){ c->record.finished_at.ns + c->o.plan->keep_old };
	set_text(&c->record.why, c->machine.why);
	story_update(c);
}

void story_update(struct controller *c)
{
	struct err err;
	if (journal_update(c->journal, &c->record, &err) != 0)
		controller_store_failed(c, &err);
}

/* --- the snapshot ------------------------------------------------------------------------------------------------ */

/* Instants as ages: the steady clock means nothing to another process. */
static json_t *age_json(struct mono at)
{
	return at.ns > 0 ? json_integer(mono_since(mono_now(), at)) : json_null();
}

static struct mono age_read(const json_t *j)
{
	const dur_ns year = 365 * 24 * HOUR;
	const json_int_t age = json_integer_value(j);
	const struct mono now = mono_now();
	if (!json_is_integer(j) || age < 0 || age > year)
		return (struct mono){ 0 };
	return (struct mono){ now.ns > age ? now.ns - age : 1 };
}

void story_save(struct controller *c)
{
	struct err err;
	json_t *snapshot = json_object();
	json_object_set_new(snapshot, "$schema", json_string(SNAPSHOT_SCHEMA));
	json_object_set_new(snapshot, "machine", machine_export(&c->machine));
	json_object_set_new(snapshot, "evidence", evidence_export(c->evidence));
	json_object_set_new(snapshot, "harmful_age_ns", age_json(c->harmful_since));
	json_object_set_new(snapshot, "decided_age_ns", age_json(c->decided_at));
	if (journal_save(c->journal, c->unsaved, c->unsaved_count, snapshot, c->tick, &err) == 0) {
		c->unsaved_count = 0;
		c->store_complained = false;
	} else {
		controller_store_failed(c, &err);
	}
	json_decref(snapshot);
}

int story_restore(struct controller *c, const json_t *snapshot, struct err *err)
{
	const json_t *schema = json_object_get(snapshot, "$schema");
	if (!json_is_string(schema) || strcmp(json_string_value(schema), SNAPSHOT_SCHEMA) != 0)
		return err_set(err, ERR_SYNTAX, "the rollout's snapshot is of another version of weir");
	if (machine_import(&c->machine, c->o.plan, json_object_get(snapshot, "machine"), mono_now(), err) != 0)
		return -1;
	struct err why;
	c->evidence = evidence_import(&c->evidence_config, json_object_get(snapshot, "evidence"), &why);
	if (!c->evidence)
		c->lost_evidence = xstrdup(why.text);
	c->harmful_since = age_read(json_object_get(snapshot, "harmful_age_ns"));
	c->decided_at = age_read(json_object_get(snapshot, "decided_age_ns"));
	return 0;
}
