#include "canary/controller_state.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/must.h"

#define VERIFY_LIMIT (5 * SECOND)
#define PROOF_LIMIT (10 * SECOND) /* below the machine's ANSWER_LIMIT; it asks again for as long as it wants */
#define CUT_AFTER (3 * SECOND)
#define QUIET_TIME (1 * SECOND)
#define LOOK_AGAIN (100 * MILLISECOND)
#define UNSEEN_BEFORE_RESTART 2

/* --- callbacks of the driver: only keep the answer --------------------------------------------------------------- */

static void on_done(void *arg, const struct err *err_or_null)
{
	struct drive *d = &((struct controller *)arg)->drive;
	d->answered = true;
	d->ok = !err_or_null;
	d->err = err_or_null ? *err_or_null : (struct err){ .kind = ERR_NONE };
}

static void on_observed(void *arg, const struct driver_observation *o_or_null, const struct err *err_or_null)
{
	if (o_or_null)
		((struct controller *)arg)->drive.got = *o_or_null;
	on_done(arg, err_or_null);
}

/* --- wishes ------------------------------------------------------------------------------------------------------ */

static void close_intent(struct controller *c, int64_t intent, bool ok, const char *text)
{
	struct err err;
	if (intent > 0 && journal_outcome(c->journal, intent, ok, text, &err) != 0)
		controller_store_failed(c, &err);
}

/* The intent goes to the journal first. Weight 0 is asked for even when the store refuses (a full disk must not keep
 * users on a bad canary), but never against somebody else's lease. */
void drive_set(struct controller *c, int32_t weight_bp)
{
	struct drive *d = &c->drive;
	struct err err;
	int64_t intent = 0;
	if (journal_intend(c->journal, weight_bp, &intent, &err) != 0) {
		controller_store_failed(c, &err);
		if (c->taken_over)
			return;
		/* The machine hears no answer and asks again; by then the store may work. */
		if (weight_bp > 0)
			return;
	}
	if (d->want_set)
		close_intent(c, d->intent, false, "replaced before it was asked");
	d->want_set = true;
	d->set_bp = weight_bp;
	d->intent = intent;
	d->verifying = false;
}

void drive_verify(struct controller *c, int32_t weight_bp)
{
	struct drive *d = &c->drive;
	const struct mono now = mono_now();
	d->verifying = true;
	d->verify_bp = weight_bp;
	d->verify_limit = mono_after(now, weight_bp > 0 ? VERIFY_LIMIT : PROOF_LIMIT);
	d->observe_at = now;
	d->quiet_since = (struct mono){ NEVER_NS };
	/* A canary that does not answer would keep its users for as long as the balancer waits. Where it only was wrong or
	 * slow, what it began may end by itself. */
	const bool hangs = weight_bp == 0 && c->machine.state == ROLLOUT_ROLLING_BACK &&
	                   c->machine.reason == REASON_HEALTH;
	d->cut_at = hangs ? mono_after(now, CUT_AFTER) : (struct mono){ NEVER_NS };
}

struct mono drive_due(const struct controller *c)
{
	const struct drive *d = &c->drive;
	/* With a call under way its answer wakes us. */
	const bool waits = d->verifying && d->call == DRIVE_NONE && !d->want_observe;
	return waits ? d->observe_at : (struct mono){ NEVER_NS };
}

void drive_time(struct controller *c, struct mono now)
{
	if (c->drive.verifying && now.ns >= c->drive.observe_at.ns)
		c->drive.want_observe = true;
}

static enum drive_call take_wish(struct drive *d)
{
	const struct {
		bool *want;
		enum drive_call call;
	} wishes[] = {
		{ &d->want_set, DRIVE_SET }, { &d->want_prepare, DRIVE_PREPARE }, { &d->want_keep, DRIVE_KEEP },
		{ &d->want_cut, DRIVE_CUT }, { &d->want_renew, DRIVE_RENEW },     { &d->want_observe, DRIVE_OBSERVE },
	};
	for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
		if (*wishes[i].want) {
			*wishes[i].want = false;
			return wishes[i].call;
		}
	}
	return DRIVE_NONE;
}

void drive_next(struct controller *c)
{
	struct drive *d = &c->drive;
	struct driver *driver = c->o.driver;
	if (d->call != DRIVE_NONE)
		return;
	d->call = take_wish(d);
	d->answered = false;
	switch (d->call) {
	case DRIVE_NONE:
		break;
	case DRIVE_PREPARE:
		driver->ops->prepare(driver, on_done, c);
		break;
	case DRIVE_SET:
		d->calling_bp = d->set_bp;
		d->calling_intent = d->intent;
		d->intent = 0;
		driver->ops->set_weight(driver, d->calling_bp, journal_token(c->journal), on_done, c);
		break;
	case DRIVE_OBSERVE:
		driver->ops->observe(driver, on_observed, c);
		break;
	case DRIVE_RENEW:
		driver->ops->renew(driver, on_done, c);
		break;
	case DRIVE_CUT:
		driver->ops->cut(driver, on_done, c);
		break;
	case DRIVE_KEEP:
		driver->ops->keep(driver, on_done, c);
		break;
	}
}

/* --- answers ----------------------------------------------------------------------------------------------------- */

static void end_verify(struct controller *c, enum machine_event_kind kind, const char *text)
{
	c->drive.verifying = false;
	controller_tell(c, kind, c->drive.verify_bp, text);
}

/* No request for the canary, and none under way, for a whole second. */
static bool is_quiet(struct drive *d, const struct driver_observation *o, struct mono now)
{
	if (o->weight_bp != 0 || o->in_flight[ARM_CANARY] > 0) {
		d->quiet_since = (struct mono){ NEVER_NS };
		return false;
	}
	if (d->quiet_since.ns == NEVER_NS || d->quiet_requests != o->requests[ARM_CANARY]) {
		d->quiet_since = now;
		d->quiet_requests = o->requests[ARM_CANARY];
		return false;
	}
	return mono_since(now, d->quiet_since) >= QUIET_TIME;
}

static void describe_unverified(const struct drive *d, bool seen, char *text, size_t size)
{
	const struct driver_observation *o = &d->got;
	if (!seen)
		snprintf(text, size, "the data plane does not answer: %s", d->err.text);
	else if (o->weight_bp != d->verify_bp)
		snprintf(text, size, "the data plane obeys weight %" PRId32 ", not %" PRId32, o->weight_bp,
		         d->verify_bp);
	else if (d->verify_bp == 0)
		snprintf(text, size, "%" PRIu64 " requests are still with the canary", o->in_flight[ARM_CANARY]);
	else
		snprintf(text, size, "no server of %s is in service", o->arm_up[ARM_STABLE] ? "the canary" : "stable");
}

static void look_whether_verified(struct controller *c, bool seen)
{
	struct drive *d = &c->drive;
	const struct driver_observation *o = &d->got;
	const struct mono now = mono_now();
	bool yes = false;
	if (seen && d->verify_bp == 0)
		yes = is_quiet(d, o, now);
	else if (seen)
		yes = o->running && o->weight_bp == d->verify_bp && o->arm_up[ARM_STABLE] && o->arm_up[ARM_CANARY];
	if (yes) {
		end_verify(c, MACHINE_VERIFIED, NULL);
	} else if (now.ns >= d->verify_limit.ns) {
		char text[sizeof(d->err.text) + 64];
		describe_unverified(d, seen, text, sizeof(text));
		end_verify(c, MACHINE_UNVERIFIED, text);
	} else {
		d->observe_at = mono_after(now, LOOK_AGAIN);
		if (now.ns >= d->cut_at.ns) {
			d->cut_at = (struct mono){ NEVER_NS };
			d->want_cut = true;
		}
	}
}

static void answered_observation(struct controller *c)
{
	struct drive *d = &c->drive;
	const bool seen = d->ok;
	if (c->looking_back) {
		controller_look_back(c, seen);
		return;
	}
	if (seen && d->announced) {
		d->announced = false;
		d->seen_once = false; /* a new process is no surprise now */
		controller_tell(c, d->restarting ? MACHINE_DATA_PLANE_RESTARTED : MACHINE_PREPARED, d->got.weight_bp,
		                NULL);
		d->restarting = false;
	} else if (d->announced) {
		d->announced = false;
		if (!d->restarting)
			controller_tell(c, MACHINE_PREPARE_FAILED, 0, d->err.text);
		d->restarting = false;
	}
	if (seen) {
		d->unseen = 0;
		watch_observation(c);
		d->seen = d->got;
		d->seen_once = true;
	} else if (++d->unseen >= UNSEEN_BEFORE_RESTART && c->machine.prepared && !d->restarting) {
		/* Without it nobody is served: bring it back first, then see what it obeys. */
		d->restarting = true;
		d->want_prepare = true;
	}
	if (d->verifying)
		look_whether_verified(c, seen);
	if (c->tick_waits)
		tick_end(c, seen ? &d->got : NULL);
}

static void answered_prepare(struct controller *c)
{
	struct drive *d = &c->drive;
	if (d->ok) {
		d->announced = true;
		d->want_observe = true;
	} else if (d->restarting) {
		d->restarting = false;
		d->unseen = 0; /* counted anew, then tried again */
	} else {
		controller_tell(c, MACHINE_PREPARE_FAILED, 0, d->err.text);
	}
}

static void answered_set(struct controller *c)
{
	struct drive *d = &c->drive;
	const char *why = d->ok ? NULL : d->err.text;
	const int64_t intent = d->calling_intent;
	controller_tell(c, d->ok ? MACHINE_ACCEPTED : MACHINE_REFUSED, d->calling_bp, why);
	close_intent(c, intent, d->ok, why);
	/* The fence in the data plane is above ours. */
	if (!d->ok && d->err.kind == ERR_STALE)
		c->taken_over = true;
}

void drive_answered(struct controller *c)
{
	struct drive *d = &c->drive;
	if (d->call == DRIVE_NONE || !d->answered)
		return;
	const enum drive_call call = d->call;
	d->call = DRIVE_NONE;
	d->answered = false;
	switch (call) {
	case DRIVE_NONE:
		break;
	case DRIVE_PREPARE:
		answered_prepare(c);
		break;
	case DRIVE_SET:
		answered_set(c);
		break;
	case DRIVE_OBSERVE:
		answered_observation(c);
		break;
	case DRIVE_RENEW:
		if (!d->ok && d->err.kind == ERR_STALE && machine_running(&c->machine))
			controller_tell(c, MACHINE_DATA_PLANE_RESTARTED, 0, d->err.text);
		else if (!d->ok)
			c->renew_at = mono_after(mono_now(), SECOND);
		break;
	case DRIVE_CUT:
		/* Not needed for safety, and tried again with the next verification. */
		break;
	case DRIVE_KEEP:
		/* Tried again until it works or the time for finishing is over. */
		d->keep_at = d->ok ? (struct mono){ NEVER_NS } : mono_after(mono_now(), LOOK_AGAIN);
		break;
	}
}
