#include "canary/controller_state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"

#define LEASE_DEFAULT (15 * SECOND)
#define POLL_EVERY (200 * MILLISECOND)
#define RETRY_AFTER (1 * SECOND)
#define FINISH_LIMIT (10 * SECOND)

#define NEVER ((struct mono){ NEVER_NS })

const char *controller_end_text(enum controller_end e)
{
	static const char *const texts[] = {
#define X(id, text) [CONTROLLER_##id] = text,
		CONTROLLER_ENDS(X)
#undef X
	};
	return texts[e];
}

/* --- the machine: events in, actions out ------------------------------------------------------------------------- */

/* Times of the record that an answer decides. */
static void note_answer(struct controller *c, const struct machine_event *ev)
{
	if (ev->weight_bp != c->machine.asked_bp)
		return;
	if (ev->kind == MACHINE_VERIFIED && ev->weight_bp > 0)
		c->harmful_since = ev->now;
	if (c->decided_at.ns == 0 || ev->weight_bp != 0)
		return;
	if (ev->kind == MACHINE_ACCEPTED && c->record.to_zero == 0)
		c->record.to_zero = mono_since(ev->now, c->decided_at);
	if (ev->kind == MACHINE_VERIFIED)
		c->record.to_proof = mono_since(ev->now, c->decided_at);
}

static void finish(struct controller *c)
{
	c->finishing = true;
	c->finish_limit = mono_after(mono_now(), FINISH_LIMIT);
	/* A last stage below 100 % would fall back to stable when the lease runs out. */
	c->drive.keep_at = c->machine.state == ROLLOUT_PROMOTED ? mono_now() : NEVER;
	c->drive.want_observe = c->drive.want_renew = c->drive.verifying = false;
}

static void perform(struct controller *c, const struct machine_action *a)
{
	switch (a->kind) {
	case ACTION_SET_WEIGHT: /* went ahead: see controller_step */
		break;
	case ACTION_PREPARE:
		c->drive.want_prepare = true;
		break;
	case ACTION_VERIFY:
		drive_verify(c, a->weight_bp);
		break;
	case ACTION_EVENT:
		story_action(c, a);
		break;
	case ACTION_ENTER_STAGE:
		story_enter_stage(c, a->stage);
		break;
	case ACTION_FINISH:
		finish(c);
		break;
	case ACTION_LEAVE:
		c->left = true;
		break;
	}
}

/* The order is what a crash between any two lines may leave behind. A weight is sent first: its intent is enough for a
 * successor, and a rollback should wait for the disk once only. Then comes the story, then the machine's new state: a
 * successor may tell a line twice, but none is lost. The end of a rollout is written last of all, by controller_run, when
 * the data plane has confirmed that it keeps its weight. */
void controller_step(struct controller *c, struct machine_event ev)
{
	struct machine_actions actions;
	const enum rollout_state before = c->machine.state;
	ev.now = mono_now();
	ev.intent_bp = ev.kind == MACHINE_STARTED ? c->found_intent_bp : -1;
	note_answer(c, &ev);
	machine_step(&c->machine, &ev, &actions);
	story_moved(c, before);
	for (size_t i = 0; i < actions.count; i++) {
		if (actions.list[i].kind != ACTION_SET_WEIGHT)
			continue;
		drive_set(c, actions.list[i].weight_bp);
		drive_next(c);
		/* Out with it. Callbacks only keep answers, so turning the loop here is safe. */
		loop_turn(c->o.loop, LOOP_POLL);
	}
	for (size_t i = 0; i < actions.count; i++)
		perform(c, &actions.list[i]);
	if (c->finishing)
		return;
	if (actions.count > 0 || ev.kind == MACHINE_TICK)
		story_save(c);
	if (c->machine.state != before)
		story_update(c);
}

void controller_store_failed(struct controller *c, const struct err *err)
{
	if (err->kind == ERR_STALE) {
		c->taken_over = true;
		return;
	}
	if (c->store_complained)
		return;
	c->store_complained = true;
	/* It cannot be stored, so only the listener hears of it. */
	struct event_record e = {
		.at = wall_now(),
		.type = xstrdup("store.failed"),
		.severity = xstrdup("critical"),
		.actor = xstrdup("weir"),
		.data = json_pack("{s:s}", "text", err->text),
	};
	if (c->o.listener.event)
		c->o.listener.event(c->o.listener.arg, &e, &c->record);
	event_record_finish(&e);
}

/* --- what a turn takes in ---------------------------------------------------------------------------------------- */

bool controller_guards_complain(const struct controller *c)
{
	bool complains = watch_complains(c);
	for (size_t i = 0; i < c->guard_count; i++)
		complains = complains || c->guards[i].complains;
	return complains;
}

static void take_guards(struct controller *c)
{
	for (size_t i = 0; i < c->guard_count; i++) {
		struct guard_watch *g = &c->guards[i];
		if (!g->changed)
			continue;
		g->changed = false;
		if (g->complains)
			controller_step(c, (struct machine_event){ .kind = MACHINE_GUARD_FIRED,
			                                           .reason = REASON_HEALTH,
			                                           .text = g->text });
		else if (!controller_guards_complain(c))
			controller_tell(c, MACHINE_GUARD_CLEARED, 0, g->text);
	}
}

static void take_interruption(struct controller *c)
{
	while (c->interrupts > 0) {
		c->interrupts--;
		controller_tell(c, MACHINE_INTERRUPTED, 0, NULL);
	}
}

static void take_requests(struct controller *c)
{
	static const enum machine_event_kind kinds[OPERATOR_VERB_COUNT] = {
		[OPERATOR_ABORT] = MACHINE_ABORT,
		[OPERATOR_PAUSE] = MACHINE_PAUSE,
		[OPERATOR_RESUME] = MACHINE_RESUME,
		[OPERATOR_PROMOTE] = MACHINE_PROMOTE,
	};
	struct operator_request r;
	struct err err;
	int found;
	while (!c->taken_over && (found = journal_take_request(c->journal, &r, &err)) != 0) {
		if (found < 0) {
			controller_store_failed(c, &err);
			return;
		}
		controller_step(c, (struct machine_event){ .kind = kinds[r.verb], .actor = r.actor, .text = r.reason });
		operator_request_finish(&r);
	}
}

static void renew_lease(struct controller *c, struct mono now)
{
	struct err err;
	const dur_ns lease = c->o.lease;
	if (journal_renew(c->journal, &err) == 0) {
		c->lease_ends = mono_after(now, lease);
		c->lease_at = mono_after(now, lease / 3);
		return;
	}
	controller_store_failed(c, &err);
	c->lease_at = mono_after(now, RETRY_AFTER);
	if (!c->taken_over && now.ns >= c->lease_ends.ns) {
		c->lease_ends = NEVER; /* told once */
		controller_tell(c, MACHINE_LEASE_LOST, 0, NULL);
	}
}

static void renew_data_plane(struct controller *c, struct mono now)
{
	c->renew_at = mono_after(now, c->o.plan->traffic.lease / 3);
	c->drive.want_renew = c->machine.accepted && c->machine.asked_bp > 0;
}

static void take_time(struct controller *c)
{
	const struct mono now = mono_now();
	if (now.ns >= c->lease_at.ns)
		renew_lease(c, now);
	if (now.ns >= c->renew_at.ns)
		renew_data_plane(c, now);
	if (now.ns >= c->poll_at.ns) {
		c->poll_at = mono_after(now, POLL_EVERY);
		take_requests(c);
	}
	if (now.ns >= c->tick_at.ns)
		tick_begin(c);
	drive_time(c, now);
	if (now.ns >= machine_deadline(&c->machine).ns)
		controller_tell(c, MACHINE_TIME, 0, NULL);
}

static void look_for_end(struct controller *c)
{
	struct drive *d = &c->drive;
	if (c->taken_over && machine_running(&c->machine))
		controller_tell(c, MACHINE_LEASE_TAKEN, 0, NULL);
	if (c->left)
		c->ended = true;
	if (!c->finishing)
		return;
	const struct mono now = mono_now();
	if (d->call == DRIVE_NONE && now.ns >= d->keep_at.ns)
		d->want_keep = true;
	const bool idle = d->call == DRIVE_NONE && d->keep_at.ns == NEVER_NS && !d->want_set;
	if (!idle && now.ns >= c->finish_limit.ns)
		story_event(
			c, "weight.not-kept", "critical", "weir", NULL, NULL,
			json_pack("{s:s}", "text", "the data plane did not confirm that its weight stays without us"));
	c->ended = c->ended || idle || now.ns >= c->finish_limit.ns;
}

static struct mono earlier(struct mono a, struct mono b)
{
	return a.ns < b.ns ? a : b;
}

static struct mono next_instant(const struct controller *c)
{
	if (c->finishing)
		return c->drive.call == DRIVE_NONE ? earlier(c->drive.keep_at, c->finish_limit) : c->finish_limit;
	const struct mono own = earlier(earlier(c->tick_at, c->poll_at), earlier(c->renew_at, c->lease_at));
	return earlier(own, earlier(drive_due(c), machine_deadline(&c->machine)));
}

/* One turn: what came in, what is due, what to ask the driver, when to look again. */
static void controller_turn(struct controller *c)
{
	drive_answered(c);
	if (!c->finishing) {
		take_interruption(c);
		take_guards(c);
		take_time(c);
	}
	look_for_end(c);
	if (c->ended)
		return;
	drive_next(c);
	loop_alarm_set(&c->alarm, next_instant(c));
}

/* --- birth and death --------------------------------------------------------------------------------------------- */

static void on_alarm(struct loop_alarm *a)
{
	/* It only wakes the loop: controller_turn looks what is due. */
}

static void on_health(void *arg, bool complains, const char *text)
{
	struct guard_watch *g = arg;
	g->changed = true;
	g->complains = complains;
	snprintf(g->text, sizeof(g->text), "%s", text);
}

static int start_guards(struct controller *c, struct err *err)
{
	const struct plan *plan = c->o.plan;
	c->guards = xcalloc(plan->guard_count, sizeof(*c->guards));
	for (size_t i = 0; i < plan->guard_count; i++) {
		const struct plan_guard *g = &plan->guards[i];
		const struct health_options options = { g->url, g->every, g->fails };
		must(c->o.transport);
		c->guards[i].guard = health_guard_create(c->o.loop, c->o.transport, &options, on_health, &c->guards[i],
		                                         err);
		if (!c->guards[i].guard)
			return err_wrap(err, "guard %s", g->url);
		c->guard_count++;
	}
	return 0;
}

/* What an earlier controller left is gone on with. */
static int recover(struct controller *c, struct journal_found *found, struct err *err)
{
	machine_init(&c->machine, c->o.plan, mono_now());
	c->resumed = found->resumed;
	c->found_intent_bp = found->intent_bp;
	c->tick = found->last_tick;
	c->overridden = found->overridden;
	found->overridden = NULL;
	c->record = found->record;
	rollout_record_init(&found->record);
	if (found->snapshot && story_restore(c, found->snapshot, err) != 0)
		return -1;
	if (!c->evidence)
		c->evidence = evidence_create(&c->evidence_config);
	evidence_assess(c->evidence, &c->assessment);
	/* The old intent is spent: the machine now knows of it and will ask again. */
	if (found->intent_bp >= 0 &&
	    journal_outcome(c->journal, found->intent, false, "the controller ended before it knew", err) != 0)
		return -1;
	return 0;
}

static void set_clocks(struct controller *c)
{
	const struct mono now = mono_now();
	c->tick_base = c->tick + 1;
	c->tick_start = now;
	c->tick_at = mono_after(now, SECOND);
	c->poll_at = now;
	c->lease_at = mono_after(now, c->o.lease / 3);
	c->lease_ends = mono_after(now, c->o.lease);
	c->renew_at = mono_after(now, c->o.plan->traffic.lease / 3);
	c->finish_limit = NEVER;
}

struct controller *controller_create(const struct controller_options *options, struct err *err)
{
	struct controller *c = xcalloc(1, sizeof(*c));
	struct journal_found found = { 0 };
	c->o = *options;
	c->o.lease = c->o.lease > 0 ? c->o.lease : LEASE_DEFAULT;
	c->share = NAN;
	rollout_record_init(&c->record);
	source_sample_init(&c->sample);
	evidence_config_init(&c->evidence_config, c->o.plan);
	if (loop_alarm_init(c->o.loop, &c->alarm, on_alarm, err) != 0)
		goto fail;
	const struct journal_options journal = {
		.store = c->o.store,
		.plan = c->o.plan,
		.plan_text = c->o.plan_text,
		.actor = c->o.actor,
		.lease = c->o.lease,
		.override = c->o.abort_reason != NULL,
		.reopen = c->o.reopen,
	};
	c->journal = journal_create(&journal, &found, err);
	if (!c->journal || recover(c, &found, err) != 0 || start_guards(c, err) != 0)
		goto fail;
	journal_found_finish(&found);
	set_clocks(c);
	return c;
fail:
	journal_found_finish(&found);
	controller_destroy(c);
	return NULL;
}

void controller_destroy(struct controller *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->guard_count; i++)
		health_guard_destroy(c->guards[i].guard);
	free(c->guards);
	journal_destroy(c->journal);
	evidence_destroy(c->evidence);
	source_sample_finish(&c->sample);
	rollout_record_finish(&c->record);
	loop_alarm_finish(c->o.loop, &c->alarm);
	free(c->overridden);
	free(c->lost_evidence);
	free(c->gate_text);
	free(c->no_way_back);
	free(c);
}

bool controller_resumed(const struct controller *c)
{
	return c->resumed;
}

bool controller_before_start(const struct controller *c)
{
	return c->machine.state == ROLLOUT_PLANNED || c->machine.state == ROLLOUT_GATING;
}

void controller_gate(struct controller *c, enum rollout_reason reason, const char *text)
{
	must(!c->gate_text && controller_before_start(c));
	c->gate_reason = reason;
	c->gate_text = xstrdup(text);
}

void controller_interrupt(struct controller *c)
{
	c->interrupts++;
}

/* --- the run ----------------------------------------------------------------------------------------------------- */

static enum controller_end end_of_failure(const struct machine *m)
{
	if (m->reason == REASON_BASELINE)
		return CONTROLLER_REFUSED;
	const bool unknown = m->reason == REASON_POWER || m->reason == REASON_GATE ||
	                     (m->reason == REASON_DEADLINE && !m->guard);
	return unknown ? CONTROLLER_INCONCLUSIVE : CONTROLLER_FAILED;
}

static enum controller_end end_of(const struct controller *c)
{
	const struct machine *m = &c->machine;
	if (c->taken_over)
		return CONTROLLER_TAKEN_OVER;
	if (m->state == ROLLOUT_PROMOTED)
		return CONTROLLER_PROMOTED;
	if (m->state == ROLLOUT_ROLLED_BACK)
		return CONTROLLER_ROLLED_BACK;
	if (m->state == ROLLOUT_FAILED)
		return end_of_failure(m);
	return m->state == ROLLOUT_HOLDING ? CONTROLLER_HELD : CONTROLLER_INTERRUPTED;
}

/* Nobody watched the old version since the promotion: it may be gone, or the balancer may serve something else. */
void controller_look_back(struct controller *c, bool seen)
{
	const struct driver_observation *o = &c->drive.got;
	c->looking_back = false;
	if (!seen)
		c->no_way_back = xasprintf("the data plane does not answer: %s", c->drive.err.text);
	else if (!o->running || !o->ours)
		c->no_way_back = xstrdup("the data plane does not serve its plan any more");
	else if (!o->arm_up[ARM_STABLE])
		c->no_way_back = xasprintf("no server of the old version %s is in service",
		                           c->o.plan->arms[ARM_STABLE].version);
	if (c->no_way_back) {
		story_event(c, "rollback.refused", "critical", c->o.actor, NULL, NULL,
		            json_pack("{s:s}", "text", c->no_way_back));
		c->left = true;
		return;
	}
	c->harmful_since = (struct mono){ 0 }; /* hours ago: no decision is measured from there */
	controller_step(
		c, (struct machine_event){ .kind = MACHINE_REVERT, .actor = c->o.actor, .text = c->o.abort_reason });
}

static void start(struct controller *c)
{
	tick_take(c); /* and drop: nobody watched meanwhile */
	/* The one before died between the last two lines of its life. */
	if (c->machine.state == ROLLOUT_PROMOTED && c->o.reopen) {
		c->looking_back = c->drive.want_observe = true;
		return;
	}
	if (rollout_state_final(c->machine.state)) {
		finish(c);
		return;
	}
	/* Whoever opened it again died before the record said so. */
	if (c->record.state == ROLLOUT_PROMOTED) {
		story_moved(c, ROLLOUT_PROMOTED);
		story_update(c);
	}
	controller_tell(c, MACHINE_STARTED, 0, NULL);
	if (c->overridden)
		story_event(c, "lease.overridden", "warning", c->o.actor, NULL, NULL,
		            json_pack("{s:s}", "holder", c->overridden));
	if (c->lost_evidence)
		story_event(c, "evidence.lost", "warning", "weir", NULL, NULL,
		            json_pack("{s:s}", "text", c->lost_evidence));
	if (c->gate_text && !c->o.abort_reason)
		controller_step(c, (struct machine_event){
					   .kind = MACHINE_GATE, .reason = c->gate_reason, .text = c->gate_text });
	if (c->o.abort_reason)
		controller_step(c, (struct machine_event){
					   .kind = MACHINE_ABORT, .actor = c->o.actor, .text = c->o.abort_reason });
}

int controller_run(struct controller *c, enum controller_end *ret_end, struct rollout_record *ret, struct err *err)
{
	start(c);
	for (;;) {
		controller_turn(c);
		if (c->ended)
			break;
		loop_turn(c->o.loop, LOOP_WAIT);
	}
	/* The driver keeps us as the one to answer; it answers within its time limit. */
	while (c->drive.call != DRIVE_NONE && !c->drive.answered)
		loop_turn(c->o.loop, LOOP_WAIT);
	if (c->finishing)
		story_finish(c);
	if (!c->taken_over && !c->no_way_back)
		story_save(c);
	*ret_end = end_of(c);
	if (journal_read(c->journal, ret, err) == 0)
		return c->no_way_back ? err_set(err, ERR_UNREACHABLE, "nothing was switched: %s", c->no_way_back) : 0;
	/* At least what we know ourselves. */
	*ret = c->record;
	rollout_record_init(&c->record);
	return err_wrap(err, "read the record of rollout %s", ret->id);
}
