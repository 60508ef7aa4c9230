#include "canary/machine_moves.h"

#include <stdio.h>

#include "base/must.h"

#define ANSWER_LIMIT (15 * SECOND) /* a driver answers within 2 s, prepare within 10 s: past this it is asked again */

const struct plan_stage *machine_stage_of(const struct machine *m)
{
	must(m->stage >= 0 && (size_t)m->stage < m->plan->stage_count);
	return &m->plan->stages[m->stage];
}

struct machine_action *machine_act(struct machine_actions *out, enum machine_action_kind kind)
{
	must(out->count < MACHINE_ACTIONS_MAX);
	struct machine_action *a = &out->list[out->count++];
	*a = (struct machine_action){ .kind = kind, .stage = -1 };
	return a;
}

void machine_tell_as(struct machine_actions *out, const char *actor, const char *type, const char *severity,
                     const char *text)
{
	struct machine_action *a = machine_act(out, ACTION_EVENT);
	a->type = type;
	a->severity = severity;
	snprintf(a->actor, sizeof(a->actor), "%s", actor && actor[0] ? actor : "weir");
	snprintf(a->text, sizeof(a->text), "%s", text ? text : "");
}

void machine_tell(struct machine_actions *out, const char *type, const char *severity, const char *text)
{
	machine_tell_as(out, "weir", type, severity, text);
}

void machine_move(struct machine *m, enum rollout_state next)
{
	must(machine_rules[m->state].next & (1u << next));
	m->state = next;
	m->entered = m->now;
	m->state_deadline = machine_rules[next].limit ? mono_after(m->now, machine_rules[next].limit) : NEVER;
	m->stage_deadline = NEVER;
}

void machine_give_finish(const struct machine *m, struct machine_actions *out)
{
	struct machine_action *a = machine_act(out, ACTION_FINISH);
	a->weight_bp = m->asked_bp;
	snprintf(a->text, sizeof(a->text), "%s", m->why);
}

void machine_finish(struct machine *m, enum rollout_state last, struct machine_actions *out)
{
	static const char *const types[ROLLOUT_STATE_COUNT] = {
		[ROLLOUT_PROMOTED] = "rollout.promoted",
		[ROLLOUT_ROLLED_BACK] = "rollback.completed",
		[ROLLOUT_FAILED] = "rollout.failed",
	};
	machine_move(m, last);
	m->state_deadline = NEVER;
	m->retry_at = NEVER;
	m->leaving = true;
	machine_tell(out, types[last], last == ROLLOUT_FAILED ? "critical" : "info", m->why);
	machine_give_finish(m, out);
}

void machine_prepare(struct machine *m, struct machine_actions *out)
{
	machine_act(out, ACTION_PREPARE);
	m->retry_at = mono_after(m->now, ANSWER_LIMIT);
}

void machine_ask(struct machine *m, struct machine_actions *out)
{
	char weight[WEIGHT_TEXT_BYTES], text[64];
	if (m->accepted || m->unsteady_since.ns == NEVER.ns)
		m->unsteady_since = m->now;
	m->accepted = m->verified = m->verifying = false;
	m->setting = m->prepared;
	if (!m->prepared)
		return;
	struct machine_action *a = machine_act(out, ACTION_SET_WEIGHT);
	a->weight_bp = m->asked_bp;
	a->stage = m->stage;
	m->retry_at = mono_after(m->now, ANSWER_LIMIT);
	snprintf(text, sizeof(text), "asked for %s of the traffic", weight_format(m->asked_bp, weight));
	machine_tell(out, "weight.asked", "info", text);
	out->list[out->count - 1].weight_bp = m->asked_bp;
}

void machine_verify(struct machine *m, struct machine_actions *out)
{
	m->verifying = true;
	m->retry_at = mono_after(m->now, ANSWER_LIMIT);
	machine_act(out, ACTION_VERIFY)->weight_bp = m->asked_bp;
}

void machine_roll_back(struct machine *m, enum rollout_reason reason, const char *actor, const char *why,
                       struct machine_actions *out)
{
	if (m->state == ROLLOUT_ROLLING_BACK)
		return;
	machine_move(m, ROLLOUT_ROLLING_BACK);
	m->reason = reason;
	snprintf(m->why, sizeof(m->why), "%s", why ? why : "no reason was given");
	m->asked_bp = 0;
	machine_ask(m, out);
	machine_tell_as(out, actor, "rollback.triggered", "critical", m->why);
}

void machine_fail(struct machine *m, enum rollout_reason reason, const char *why, struct machine_actions *out)
{
	m->reason = reason;
	if (why != m->why)
		snprintf(m->why, sizeof(m->why), "%s", why);
	machine_finish(m, ROLLOUT_FAILED, out);
}

/* --- stages --- */

static bool is_last(const struct machine *m)
{
	return m->stage >= 0 && (size_t)m->stage + 1 == m->plan->stage_count;
}

static bool next_is_everything(const struct machine *m)
{
	const size_t next = (size_t)(m->stage + 1);
	return next + 1 == m->plan->stage_count && m->plan->stages[next].weight_bp == WEIGHT_FULL_BP;
}

bool machine_last_stage(const struct machine *m)
{
	return is_last(m) || next_is_everything(m);
}

/* A hold-back has served its time while it was watched; all of the traffic is a step of its own. */
static dur_ns least_time(const struct machine *m)
{
	const struct plan_stage *s = machine_stage_of(m);
	const bool promoted_hold_back = m->state == ROLLOUT_BAKING && s->weight_bp < WEIGHT_FULL_BP;
	return promoted_hold_back ? 0 : s->min;
}

dur_ns machine_stage_min_left(const struct machine *m)
{
	if (m->stage < 0 || rollout_state_final(m->state))
		return 0;
	if (m->state != ROLLOUT_WATCHING && m->state != ROLLOUT_BAKING && m->state != ROLLOUT_HOLDING)
		return machine_stage_of(m)->min;
	const dur_ns left = least_time(m) - mono_since(m->now, m->watching_since);
	return left > 0 ? left : 0;
}

dur_ns machine_stage_max_left(const struct machine *m)
{
	if (m->stage < 0 || m->stage_deadline.ns == NEVER.ns)
		return 0;
	const dur_ns left = mono_since(m->stage_deadline, m->now);
	return left > 0 ? left : 0;
}

static void enter_stage(struct machine *m, int32_t stage, enum rollout_state state, struct machine_actions *out)
{
	char text[96], weight[WEIGHT_TEXT_BYTES];
	const bool same = stage == m->stage;
	if (m->stage >= 0) {
		snprintf(text, sizeof(text), "stage %d at %s passed", (int)m->stage + 1,
		         weight_format(machine_stage_of(m)->weight_bp, weight));
		machine_tell(out, "stage.passed", "info", text);
		out->list[out->count - 1].stage = m->stage;
	}
	machine_move(m, state);
	m->stage = stage;
	m->asked_bp = machine_stage_of(m)->weight_bp;
	m->shifted = m->shifted || m->asked_bp > 0;
	m->extended = m->held = m->paused = false;
	if (!same) {
		struct machine_action *a = machine_act(out, ACTION_ENTER_STAGE);
		a->stage = stage;
		a->weight_bp = m->asked_bp;
	}
	machine_ask(m, out);
}

void machine_next_stage(struct machine *m, struct machine_actions *out)
{
	if (is_last(m))
		enter_stage(m, m->stage, ROLLOUT_PROMOTING, out);
	else
		enter_stage(m, m->stage + 1, next_is_everything(m) ? ROLLOUT_PROMOTING : ROLLOUT_SHIFTING, out);
}

void machine_promoted(struct machine *m, struct machine_actions *out)
{
	char weight[WEIGHT_TEXT_BYTES];
	snprintf(m->why, sizeof(m->why), "version %s has %s of the traffic", m->plan->arms[ARM_CANARY].version,
	         weight_format(m->asked_bp, weight));
	machine_finish(m, ROLLOUT_PROMOTED, out);
}

void machine_watch(struct machine *m, enum rollout_state state)
{
	machine_move(m, state);
	m->watching_since = m->now;
	m->stage_deadline = mono_after(m->now, machine_stage_of(m)->max);
}

void machine_hold(struct machine *m, const char *actor, const char *why, struct machine_actions *out)
{
	m->back = m->state;
	machine_move(m, ROLLOUT_HOLDING);
	machine_tell_as(out, actor, "rollout.held", "warning", why);
}

void machine_leave_hold(struct machine *m)
{
	m->held = m->paused = false;
	machine_move(m, m->back);
	m->stage_deadline = mono_after(m->now, machine_stage_of(m)->max);
}
