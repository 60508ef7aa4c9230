#include "canary/controller_state.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/must.h"

#define DOWN_OBSERVATIONS 2
#define STALLED_LEAST 5
#define STALLED_SHARE 0.2 /* of what began in the window */
#define STALLED_RATIO 4   /* times stable's: where both arms stall, the canary is not the reason */

bool watch_complains(const struct controller *c)
{
	return c->watch.down_guard || c->watch.stall_guard;
}

static bool canary_serves(const struct controller *c)
{
	return c->machine.asked_bp > 0 && c->machine.verified && machine_running(&c->machine);
}

static void fire(struct controller *c, bool *guard, const char *text)
{
	*guard = true;
	controller_step(c,
	                (struct machine_event){ .kind = MACHINE_GUARD_FIRED, .reason = REASON_HEALTH, .text = text });
}

static void clear(struct controller *c, bool *guard, const char *text)
{
	*guard = false;
	if (!controller_guards_complain(c))
		controller_tell(c, MACHINE_GUARD_CLEARED, 0, text);
}

/* The canary gets traffic and the balancer finds none of its servers alive. */
static void watch_servers(struct controller *c)
{
	struct watch *w = &c->watch;
	w->canary_down = c->drive.got.arm_up[ARM_CANARY] ? 0 : w->canary_down + 1;
	if (!w->down_guard && w->canary_down >= DOWN_OBSERVATIONS && canary_serves(c))
		fire(c, &w->down_guard, "the balancer finds no server of the canary alive");
	if (w->down_guard && w->canary_down == 0)
		clear(c, &w->down_guard, "a server of the canary is in service again");
}

/* A request is logged at its end, so an arm that hangs looks like an arm without traffic. What is in flight and did not
 * begin within the window has been waiting for longer than that: a lower bound, since some of what began in it may have
 * ended. False: no window yet. */
static bool stalled_requests(const struct controller *c, double ret_stalled[ARMS], double ret_begun[ARMS])
{
	const struct watch *w = &c->watch;
	const struct driver_observation *o = &c->drive.got;
	if (w->count < WATCH_WINDOW)
		return false;
	const size_t oldest = w->count % WATCH_WINDOW;
	if (mono_since(mono_now(), w->at[oldest]) < (WATCH_WINDOW * SECOND) - 100 * MILLISECOND)
		return false;
	for (int a = 0; a < ARMS; a++) {
		const uint64_t begun = o->requests[a] - w->requests[oldest][a];
		ret_begun[a] = (double)begun;
		ret_stalled[a] = o->in_flight[a] > begun ? (double)(o->in_flight[a] - begun) : 0;
	}
	return true;
}

static void remember(struct watch *w, const struct driver_observation *o, struct mono now)
{
	if (w->generation != o->generation) {
		w->generation = o->generation;
		w->count = 0;
	}
	/* Verification looks more often than once a second: those looks are no new instants. */
	if (w->count > 0 && mono_since(now, w->at[(w->count - 1) % WATCH_WINDOW]) < 900 * MILLISECOND)
		return;
	const size_t slot = w->count++ % WATCH_WINDOW;
	w->at[slot] = now;
	for (int a = 0; a < ARMS; a++)
		w->requests[slot][a] = o->requests[a];
}

static double share_of(double part, double all)
{
	return part > 0 ? part / (part + all) : 0;
}

static void watch_stalls(struct controller *c)
{
	struct watch *w = &c->watch;
	double stalled[ARMS], begun[ARMS];
	char text[160];
	if (c->drive.got.generation == w->generation && stalled_requests(c, stalled, begun)) {
		const double canary = share_of(stalled[ARM_CANARY], begun[ARM_CANARY]);
		const double stable = share_of(stalled[ARM_STABLE], begun[ARM_STABLE]);
		const bool stalls = stalled[ARM_CANARY] >= STALLED_LEAST && canary >= STALLED_SHARE &&
		                    canary >= STALLED_RATIO * stable;
		snprintf(text, sizeof(text), "%.0f requests have been waiting for the canary for more than %d s",
		         stalled[ARM_CANARY], WATCH_WINDOW);
		if (stalls && !w->stall_guard && canary_serves(c))
			fire(c, &w->stall_guard, text);
		else if (w->stall_guard && stalled[ARM_CANARY] == 0)
			clear(c, &w->stall_guard, "no request waits for the canary any more");
	}
	remember(w, &c->drive.got, mono_now());
}

/* Somebody restarted the data plane, or moved its weight behind our back, or its lease ran out. */
static void watch_drift(struct controller *c)
{
	const struct drive *d = &c->drive;
	const struct machine *m = &c->machine;
	const bool replaced = d->seen_once && d->got.generation != d->seen.generation;
	const bool drifted = m->accepted && m->verified && d->got.weight_bp != m->asked_bp;
	if ((replaced || drifted) && !d->want_set && machine_running(m))
		controller_tell(c, MACHINE_DATA_PLANE_RESTARTED, d->got.weight_bp, NULL);
}

void watch_observation(struct controller *c)
{
	watch_servers(c);
	watch_stalls(c);
	watch_drift(c);
}
