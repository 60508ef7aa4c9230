#include "canary/machine.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "canary/machine_moves.h"

#define BIT(state) (1u << ROLLOUT_##state)

#define PREPARE_RETRY (1 * SECOND)
#define WEIGHT_RETRY (1 * SECOND)
#define ROLLBACK_RETRY (200 * MILLISECOND)
#define VERIFY_RETRY (500 * MILLISECOND)
#define UNSTEADY_LIMIT (30 * SECOND)
#define HOLD_LIMIT (24 * HOUR)
#define PROOF_LIMIT (60 * SECOND)

/*                                        ┌───── next stage ─────┐
 *                                        ▼                      │
 *   planned ───► gating ───────────► shifting ─────────────► watching ─────► promoting ───► baking ───► promoted
 *      │            │                    │                    ▲    │             │           │  ▲
 *      │            │                    │                    │    ▼             │           ▼  │
 *      │            │                    │                   holding             │         holding
 *      ├────────────┤                    │                      │                │             │
 *      ▼            └────────┬───────────┴──────────────────────┴────────────────┴─────────────┘
 *   failed                   ▼     abort, guard, operator, data plane, lost lease, deadline
 *      ▲                rolling-back ───► rolled-back
 *      └── not proven ───────┘                  (and from promoted, when a person asks in time)
 *
 * <limit> is the longest stay; 0 where the plan's stage or nothing but a proof sets one. on_state_time() and
 * on_stage_time() have what follows. */
const struct state_rule machine_rules[ROLLOUT_STATE_COUNT] = {
	[ROLLOUT_PLANNED] = { BIT(GATING) | BIT(ROLLING_BACK) | BIT(FAILED), 0, 60 * SECOND },
	[ROLLOUT_GATING] = { BIT(SHIFTING) | BIT(ROLLING_BACK) | BIT(FAILED), 0, 5 * MINUTE },
	[ROLLOUT_SHIFTING] = { BIT(WATCHING) | BIT(ROLLING_BACK), STATE_LIVE, 30 * SECOND },
	[ROLLOUT_WATCHING] = { BIT(SHIFTING) | BIT(HOLDING) | BIT(PROMOTING) | BIT(ROLLING_BACK), STATE_LIVE, 0 },
	[ROLLOUT_HOLDING] = { BIT(WATCHING) | BIT(BAKING) | BIT(SHIFTING) | BIT(PROMOTING) | BIT(PROMOTED) |
	                              BIT(ROLLING_BACK),
	                      STATE_LIVE, HOLD_LIMIT },
	[ROLLOUT_PROMOTING] = { BIT(BAKING) | BIT(ROLLING_BACK), STATE_LIVE, 30 * SECOND },
	[ROLLOUT_BAKING] = { BIT(PROMOTED) | BIT(HOLDING) | BIT(ROLLING_BACK), STATE_LIVE, 0 },
	[ROLLOUT_PROMOTED] = { BIT(ROLLING_BACK), STATE_LIVE | STATE_FINAL, 0 },
	[ROLLOUT_ROLLING_BACK] = { BIT(ROLLED_BACK) | BIT(FAILED), 0, 0 },
	[ROLLOUT_ROLLED_BACK] = { 0, STATE_FINAL, 0 },
	[ROLLOUT_FAILED] = { 0, STATE_FINAL, 0 },
};

bool rollout_state_final(enum rollout_state s)
{
	return (machine_rules[s].flags & STATE_FINAL) != 0;
}

bool machine_running(const struct machine *m)
{
	return !rollout_state_final(m->state) && !m->leaving;
}

static bool sound(const struct machine *m)
{
	const bool live = (machine_rules[m->state].flags & STATE_LIVE) != 0;
	if (live && (m->stage < 0 || m->asked_bp != machine_stage_of(m)->weight_bp))
		return false;
	if (!live && m->asked_bp != 0)
		return false;
	if (m->verified && !m->accepted)
		return false;
	if (m->asked_bp > 0 && !m->shifted)
		return false;
	if (m->state == ROLLOUT_ROLLED_BACK && !m->verified)
		return false;
	if (m->state == ROLLOUT_PROMOTED && ((size_t)m->stage + 1 != m->plan->stage_count || !m->verified))
		return false;
	return m->state != ROLLOUT_HOLDING || m->back == ROLLOUT_WATCHING || m->back == ROLLOUT_BAKING;
}

/* --- events --- */

static void on_started(struct machine *m, const struct machine_event *ev, struct machine_actions *out)
{
	const bool fresh = m->state == ROLLOUT_PLANNED;
	machine_prepare(m, out);
	machine_tell(out, fresh ? "rollout.planned" : "rollout.resumed", "info", fresh ? m->plan->service : m->why);
	/* The journal holds a newer intent than the state: weight 0 is only ever asked to go back. */
	if (ev->intent_bp == 0 && m->asked_bp > 0)
		machine_roll_back(m, REASON_NONE, "weir", "a rollback had begun when the controller ended", out);
}

static void on_prepared(struct machine *m, const struct machine_event *ev, struct machine_actions *out)
{
	if (m->prepared)
		return;
	m->prepared = true;
	m->retry_at = NEVER;
	if (m->state == ROLLOUT_PLANNED) {
		machine_move(m, ROLLOUT_GATING);
		machine_tell(out, "rollout.started", "info", "the data plane serves, all traffic on stable");
	}
	if (ev->weight_bp != m->asked_bp || m->state == ROLLOUT_ROLLING_BACK) {
		machine_ask(m, out);
		return;
	}
	m->accepted = true;
	m->unsteady_since = NEVER;
	machine_verify(m, out);
}

static void on_prepare_failed(struct machine *m, const struct machine_event *ev, struct machine_actions *out)
{
	if (m->prepared)
		return;
	m->retry_at = mono_after(m->now, PREPARE_RETRY);
	if (m->state == ROLLOUT_PLANNED)
		machine_fail(m, REASON_DATAPLANE, ev->text ? ev->text : "the data plane could not be prepared", out);
	else if (m->state == ROLLOUT_ROLLING_BACK && !m->shifted)
		machine_fail(m, m->reason, m->why, out);
}

static void on_accepted(struct machine *m, const struct machine_event *ev, struct machine_actions *out)
{
	if (ev->weight_bp != m->asked_bp || !m->setting)
		return;
	m->setting = false;
	m->accepted = true;
	m->unsteady_since = NEVER;
	if (m->state == ROLLOUT_ROLLING_BACK)
		m->state_deadline = mono_after(m->now, PROOF_LIMIT);
	machine_tell(out, "weight.accepted", "info", NULL);
	out->list[out->count - 1].weight_bp = m->asked_bp;
	machine_verify(m, out);
}

static void on_refused(struct machine *m, const struct machine_event *ev, struct machine_actions *out)
{
	if (ev->weight_bp != m->asked_bp || !m->setting)
		return;
	m->setting = false;
	m->retry_at = mono_after(m->now, m->state == ROLLOUT_ROLLING_BACK ? ROLLBACK_RETRY : WEIGHT_RETRY);
	machine_tell(out, "weight.refused", m->state == ROLLOUT_ROLLING_BACK ? "critical" : "warning", ev->text);
	out->list[out->count - 1].weight_bp = m->asked_bp;
}

static void on_verified(struct machine *m, const struct machine_event *ev, struct machine_actions *out)
{
	if (ev->weight_bp != m->asked_bp || !m->accepted || !m->verifying)
		return;
	m->verifying = false;
	m->verified = true;
	m->retry_at = NEVER;
	machine_tell(out, "weight.verified", "info", NULL);
	out->list[out->count - 1].weight_bp = m->asked_bp;
	if (m->state == ROLLOUT_SHIFTING)
		machine_watch(m, ROLLOUT_WATCHING);
	else if (m->state == ROLLOUT_PROMOTING)
		machine_watch(m, ROLLOUT_BAKING);
	else if (m->state == ROLLOUT_ROLLING_BACK)
		machine_finish(m, ROLLOUT_ROLLED_BACK, out);
	if (m->paused && (m->state == ROLLOUT_WATCHING || m->state == ROLLOUT_BAKING))
		machine_hold(m, "weir", "paused", out);
}

static void on_unverified(struct machine *m, const struct machine_event *ev)
{
	if (ev->weight_bp != m->asked_bp || !m->accepted || !m->verifying)
		return;
	m->verifying = false;
	m->retry_at = mono_after(m->now, VERIFY_RETRY);
}

/* Each change of what is missing is told once; a failure of both arms pages somebody. */
static void tell_lack(struct machine *m, const struct assessment *a, struct machine_actions *out)
{
	const enum lack lack = a->verdict == VERDICT_INCONCLUSIVE ? a->lack : LACK_NONE;
	if (lack == m->lack)
		return;
	m->lack = lack;
	if (lack != LACK_NONE && lack != LACK_FREEZING)
		machine_tell(out, "rollout.inconclusive", lack == LACK_SHARED ? "critical" : "warning", a->sentence);
}

/* Asked of every process that finds the rollout before its first shift. */
static void on_gate(struct machine *m, const struct machine_event *ev, struct machine_actions *out)
{
	const bool passed = ev->reason == REASON_NONE;
	if (m->state != ROLLOUT_PLANNED && m->state != ROLLOUT_GATING)
		return;
	machine_tell(out, passed ? "gate.passed" : "gate.failed", passed ? "info" : "critical", ev->text);
	if (!passed)
		machine_fail(m, ev->reason, ev->text, out);
}

static bool may_pass(const struct machine *m, const struct assessment *a)
{
	if (m->paused || m->guard || !m->verified || machine_stage_min_left(m) > 0)
		return false;
	/* With no canary traffic there is nothing to prove; with all of it there is nothing to compare. */
	const int32_t weight = machine_stage_of(m)->weight_bp;
	if (weight == 0 || m->state == ROLLOUT_BAKING)
		return a->verdict == VERDICT_PROMOTE || a->verdict == VERDICT_WATCHING;
	return a->verdict == VERDICT_PROMOTE;
}

static void on_live_tick(struct machine *m, const struct assessment *a, struct machine_actions *out)
{
	if (a->verdict == VERDICT_ABORT) {
		machine_roll_back(m, a->reason, "weir", a->sentence, out);
		return;
	}
	tell_lack(m, a, out);
	if (m->state == ROLLOUT_HOLDING) {
		if (m->held && !m->paused && a->verdict == VERDICT_PROMOTE)
			machine_leave_hold(m);
		return;
	}
	if (m->state != ROLLOUT_WATCHING && m->state != ROLLOUT_BAKING)
		return;
	if (a->verdict == VERDICT_HOLD) {
		machine_hold(m, "weir", a->sentence, out);
		m->held = true;
	} else if (may_pass(m, a)) {
		if (m->state == ROLLOUT_BAKING)
			machine_promoted(m, out);
		else
			machine_next_stage(m, out);
	}
}

/* Low power is believed only when it was measured for a while; enough of it at once. */
static void on_gating_tick(struct machine *m, const struct power *power, struct machine_actions *out)
{
	const bool enough = !power || power->enough;
	if (!m->ready || !m->accepted || m->guard || m->paused || (!enough && !power->settled))
		return;
	if (!enough && !m->plan->accept_low_power) {
		machine_tell(out, "gate.failed", "critical", power->text);
		machine_fail(m, REASON_POWER, power->text, out);
		return;
	}
	if (power)
		machine_tell(out, enough ? "gate.passed" : "gate.overridden", enough ? "info" : "warning", power->text);
	machine_next_stage(m, out);
}

static void on_tick(struct machine *m, const struct machine_event *ev, struct machine_actions *out)
{
	must(ev->assessment);
	m->ready = ev->assessment->ready;
	if (machine_rules[m->state].flags & STATE_LIVE)
		on_live_tick(m, ev->assessment, out);
	else if (m->state == ROLLOUT_GATING)
		on_gating_tick(m, ev->power, out);
}

static void on_guard(struct machine *m, const struct machine_event *ev, struct machine_actions *out)
{
	m->guard = ev->kind == MACHINE_GUARD_FIRED;
	if (m->guard && (machine_rules[m->state].flags & STATE_LIVE))
		machine_roll_back(m, ev->reason == REASON_NONE ? REASON_HEALTH : ev->reason, "weir", ev->text, out);
	machine_tell(out, m->guard ? "guard.fired" : "guard.cleared", m->guard ? "critical" : "info", ev->text);
}

/* Whoever asked waits for an answer, also when nothing comes of it. */
static void ignore(const struct machine_event *ev, const char *why, struct machine_actions *out)
{
	machine_tell_as(out, ev->actor, "operator.ignored", "warning", why);
}

static void on_pause(struct machine *m, const struct machine_event *ev, struct machine_actions *out)
{
	if (m->state == ROLLOUT_ROLLING_BACK || m->paused) {
		ignore(ev, m->paused ? "it is paused already" : "it is rolling back", out);
		return;
	}
	m->paused = true;
	machine_tell_as(out, ev->actor, "operator.paused", "info", ev->text);
	if (m->state == ROLLOUT_WATCHING || m->state == ROLLOUT_BAKING)
		machine_hold(m, ev->actor, ev->text ? ev->text : "paused", out);
	else if (m->state == ROLLOUT_GATING)
		m->state_deadline = mono_after(m->now, HOLD_LIMIT);
}

static void on_resume(struct machine *m, const struct machine_event *ev, struct machine_actions *out)
{
	const bool rolling_back = m->state == ROLLOUT_ROLLING_BACK;
	if (rolling_back || (!m->paused && m->state != ROLLOUT_HOLDING)) {
		ignore(ev, rolling_back ? "it is rolling back" : "it is neither paused nor held", out);
		return;
	}
	machine_tell_as(out, ev->actor, "operator.resumed", "info", ev->text);
	m->paused = false;
	if (m->state == ROLLOUT_HOLDING)
		machine_leave_hold(m);
	else if (m->state == ROLLOUT_GATING)
		m->state_deadline = mono_after(m->now, machine_rules[ROLLOUT_GATING].limit);
}

static void on_promote(struct machine *m, const struct machine_event *ev, struct machine_actions *out)
{
	const enum rollout_state at = m->state == ROLLOUT_HOLDING ? m->back : m->state;
	if ((at == ROLLOUT_BAKING && !m->verified) || (at != ROLLOUT_WATCHING && at != ROLLOUT_BAKING)) {
		ignore(ev, "there is no stage to skip now", out);
		return;
	}
	machine_tell_as(out, ev->actor, "operator.promoted", "warning", ev->text);
	if (at == ROLLOUT_BAKING)
		machine_promoted(m, out);
	else
		machine_next_stage(m, out);
}

static void on_lease_taken(struct machine *m, struct machine_actions *out)
{
	m->leaving = true;
	machine_tell(out, "lease.lost", "warning", "another controller drives this rollout now");
	machine_act(out, ACTION_LEAVE);
}

static void on_restarted(struct machine *m, const struct machine_event *ev, struct machine_actions *out)
{
	if (!m->prepared)
		return;
	machine_tell(out, "config.drift", "warning", "the data plane was restarted; its weight is asked again");
	machine_ask(m, out);
}

/* A rollback is finished first; whoever presses twice means it. */
static void on_interrupted(struct machine *m, struct machine_actions *out)
{
	m->interruptions++;
	if (m->state == ROLLOUT_ROLLING_BACK && m->interruptions == 1) {
		machine_tell(out, "operator.interrupted", "warning",
		             "the rollback is finished first; once more leaves at once");
		return;
	}
	m->leaving = true;
	machine_tell(out, "operator.interrupted", "warning", "left as it is; a later run resumes");
	machine_act(out, ACTION_LEAVE);
}

static void on_event(struct machine *m, const struct machine_event *ev, struct machine_actions *out)
{
	switch (ev->kind) {
	case MACHINE_STARTED:
		on_started(m, ev, out);
		break;
	case MACHINE_PREPARED:
		on_prepared(m, ev, out);
		break;
	case MACHINE_PREPARE_FAILED:
		on_prepare_failed(m, ev, out);
		break;
	case MACHINE_GATE:
		on_gate(m, ev, out);
		break;
	case MACHINE_TICK:
		on_tick(m, ev, out);
		break;
	case MACHINE_TIME:
		break;
	case MACHINE_ACCEPTED:
		on_accepted(m, ev, out);
		break;
	case MACHINE_REFUSED:
		on_refused(m, ev, out);
		break;
	case MACHINE_VERIFIED:
		on_verified(m, ev, out);
		break;
	case MACHINE_UNVERIFIED:
		on_unverified(m, ev);
		break;
	case MACHINE_GUARD_FIRED:
	case MACHINE_GUARD_CLEARED:
		on_guard(m, ev, out);
		break;
	case MACHINE_ABORT:
		machine_roll_back(m, REASON_OPERATOR, ev->actor, ev->text, out);
		break;
	case MACHINE_REVERT: /* only after the promotion */
		break;
	case MACHINE_PAUSE:
		on_pause(m, ev, out);
		break;
	case MACHINE_RESUME:
		on_resume(m, ev, out);
		break;
	case MACHINE_PROMOTE:
		on_promote(m, ev, out);
		break;
	case MACHINE_LEASE_LOST:
		machine_roll_back(m, REASON_LEASE, "weir", "the lease could not be renewed: nobody may drive on", out);
		break;
	case MACHINE_LEASE_TAKEN:
		on_lease_taken(m, out);
		break;
	case MACHINE_DATA_PLANE_RESTARTED:
		on_restarted(m, ev, out);
		break;
	case MACHINE_INTERRUPTED:
		on_interrupted(m, out);
		break;
	}
}

/* --- time --- */

static void on_stage_time(struct machine *m, struct machine_actions *out)
{
	static const char why[] = "no verdict within the stage's longest time";
	switch (m->plan->on_inconclusive) {
	case INCONCLUSIVE_ABORT:
		machine_roll_back(m, REASON_DEADLINE, "weir", why, out);
		return;
	case INCONCLUSIVE_EXTEND:
		if (m->extended)
			break;
		m->extended = true;
		m->stage_deadline = mono_after(m->now, machine_stage_of(m)->max);
		machine_tell(out, "rollout.inconclusive", "warning",
		             "no verdict within the stage's longest time: extended once");
		return;
	case INCONCLUSIVE_HOLD:
		break;
	}
	machine_hold(m, "weir", why, out);
	m->held = true;
}

static void on_state_time(struct machine *m, struct machine_actions *out)
{
	m->state_deadline = NEVER;
	if (m->state == ROLLOUT_PLANNED) {
		machine_fail(m, REASON_DATAPLANE, "the data plane could not be prepared in time", out);
	} else if (m->state == ROLLOUT_GATING && m->accepted) {
		machine_fail(m, REASON_DEADLINE,
		             m->guard ? "a guard complained before the start"
		                      : "stable has too little traffic to compare with",
		             out);
	} else if (m->state == ROLLOUT_ROLLING_BACK) {
		machine_fail(m, REASON_DATAPLANE, "weight 0 was accepted, but 0 % could not be proven", out);
	} else {
		const bool held = m->state == ROLLOUT_HOLDING;
		machine_roll_back(m, held ? REASON_DEADLINE : REASON_DATAPLANE, "weir",
		                  held ? "nobody decided within 24 hours"
		                       : "the data plane did not take the weight in time",
		                  out);
	}
}

static void retry(struct machine *m, struct machine_actions *out)
{
	m->retry_at = NEVER;
	if (!m->prepared)
		machine_prepare(m, out);
	else if (!m->accepted)
		machine_ask(m, out);
	else if (!m->verified)
		machine_verify(m, out);
}

static bool due(const struct machine *m, struct mono at)
{
	return at.ns != NEVER.ns && m->now.ns >= at.ns;
}

static void on_time(struct machine *m, struct machine_actions *out)
{
	if (due(m, m->state_deadline))
		on_state_time(m, out);
	else if (due(m, m->stage_deadline))
		on_stage_time(m, out);
	else if (m->unsteady_since.ns != NEVER.ns && (machine_rules[m->state].flags & STATE_LIVE) &&
	         mono_since(m->now, m->unsteady_since) >= UNSTEADY_LIMIT)
		machine_roll_back(m, REASON_DATAPLANE, "weir",
		                  "the data plane lost its weight and did not take it again", out);
	if (machine_running(m) && due(m, m->retry_at))
		retry(m, out);
}

static struct mono earlier(struct mono a, struct mono b)
{
	return a.ns < b.ns ? a : b;
}

struct mono machine_deadline(const struct machine *m)
{
	if (!machine_running(m))
		return NEVER;
	struct mono at = earlier(earlier(m->state_deadline, m->stage_deadline), m->retry_at);
	if (m->unsteady_since.ns != NEVER.ns && (machine_rules[m->state].flags & STATE_LIVE))
		at = earlier(at, mono_after(m->unsteady_since, UNSTEADY_LIMIT));
	return at;
}

/* The rollout lives again: the data plane is found as after any start, then asked for 0. */
static void on_revert(struct machine *m, const struct machine_event *ev, struct machine_actions *out)
{
	m->leaving = m->prepared = false;
	m->interruptions = 0;
	machine_prepare(m, out);
	machine_roll_back(m, REASON_OPERATOR, ev->actor, ev->text, out);
}

void machine_step(struct machine *m, const struct machine_event *ev, struct machine_actions *ret)
{
	ret->count = 0;
	must(sound(m));
	if (ev->now.ns > m->now.ns)
		m->now = ev->now;
	if (machine_running(m))
		on_event(m, ev, ret);
	else if (ev->kind == MACHINE_STARTED && rollout_state_final(m->state))
		machine_give_finish(m, ret); /* the controller may have died between the decision and its end */
	else if (ev->kind == MACHINE_REVERT && m->state == ROLLOUT_PROMOTED)
		on_revert(m, ev, ret);
	if (machine_running(m))
		on_time(m, ret);
	must(sound(m));
}

void machine_init(struct machine *m, const struct plan *plan, struct mono now)
{
	*m = (struct machine){
		.plan = plan,
		.state = ROLLOUT_PLANNED,
		.stage = -1,
		.back = ROLLOUT_WATCHING,
		.now = now,
		.entered = now,
		.watching_since = now,
		.retry_at = NEVER,
		.state_deadline = mono_after(now, machine_rules[ROLLOUT_PLANNED].limit),
		.stage_deadline = NEVER,
		.unsteady_since = NEVER,
	};
}
