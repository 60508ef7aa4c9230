/* controller.h: drives one rollout to its end: it performs what the machine decides, and tells it what happens.
 *
 *     source ── sample ──► evidence ── assessment ──► machine ── actions ──► journal, driver, listener
 *                                                        ▲                        │
 *         guards, operators, deadlines, interruption ────┴──── answers ───────────┘
 *
 * Each action goes the same way: intent into the journal, act through the driver, verify, outcome into the journal.
 * Starting is recovery: what the journal and the data plane say is fed to the machine; there is no other start path. A
 * controller may be killed at any instant: the next one goes on with its evidence, or, when none comes, the data plane
 * returns to stable by itself (plan: on_controller_death).
 *
 * tick      every second on the steady clock: the balancer's counters, then the source's sample, applied once
 * lease     the store's: who may drive. Renewed at a third of its life; taken by somebody else: we leave at once
 * listener  hears every event and every tick; library code prints nothing
 *
 * Threads: all on the loop's thread. controller_interrupt() belongs into a loop_signal callback. */
#ifndef WEIR_CANARY_CONTROLLER_H
#define WEIR_CANARY_CONTROLLER_H

#include "canary/driver.h"
#include "canary/evidence.h"
#include "canary/machine.h"
#include "canary/plan.h"
#include "canary/source.h"
#include "net/transport.h"
#include "record/rollout.h"
#include "store/store.h"

/* How it ended. */
#define CONTROLLER_ENDS(X)                                                                      \
	X(PROMOTED, "promoted")                                                                 \
	X(ROLLED_BACK, "rolled back")                                                           \
	X(HELD, "held")                 /* left while a person's decision was awaited */        \
	X(INCONCLUSIVE, "inconclusive") /* never started: too little traffic */                 \
	X(FAILED, "failed")             /* the data plane or the store did not play its part */ \
	X(REFUSED, "refused")           /* never started: a gate proved that it must not */     \
	X(INTERRUPTED, "interrupted")   /* left; a later run resumes */                         \
	X(TAKEN_OVER, "taken over")     /* somebody else drives it now */
enum controller_end {
#define X(id, text) CONTROLLER_##id,
	CONTROLLER_ENDS(X)
#undef X
};
const char *controller_end_text(enum controller_end e);

/* What a live view shows. Everything is borrowed for the call. */
struct controller_live {
	const struct plan *plan;
	const struct rollout_record *record; /* id, stages so far, reason, why */
	const struct machine *machine; /* state, stage, asked weight; machine_stage_min_left/_max_left: time left */
	const struct assessment *assessment; /* both arms over the stage, ratios with intervals, evidence */
	const struct tick_record *tick;      /* both arms in the last second */
	bool observed;                       /* the data plane answered in this tick */
	struct driver_observation seen;      /* of the last time that it answered */
	double share; /* of the last second by the balancer's own counters; NAN without requests */
};

struct controller_listener {
	/* One line of the story; already stored when its seq is not 0. event_record_encode makes the JSON line. */
	void (*event)(void *arg, const struct event_record *e, const struct rollout_record *r);
	/* Once a tick; tick_record_encode makes its JSON line. */
	void (*tick)(void *arg, const struct controller_live *live);
	void *arg;
};

struct controller_options {
	struct loop *loop; /* kept, as all pointers here */
	struct store *store;
	const struct plan *plan;
	const char *plan_text; /* as the user wrote it */
	const char *actor;     /* who runs it */
	struct driver *driver;
	struct live_source *source;
	struct transport *transport;         /* for the plan's health guards; NULL when it has none */
	struct controller_listener listener; /* members may be NULL */
	dur_ns lease;                        /* of the store; 0: 15 s */
	/* Go back to stable and nothing else: takes the lease from whoever has it. NULL: an ordinary run. */
	const char *abort_reason;
	/* With abort_reason, the id of a rollout that was promoted: it is opened again and goes back, when the data plane
	 * still serves it and a server of stable is in service. NULL: only an unfinished rollout is gone back with. */
	const char *reopen;
};

struct controller;

/* Takes the lease and reads the journal. Given: controller_destroy. ERR_BUSY, ERR_STORE, or what a guard needs. With
 * abort_reason and no unfinished rollout: ERR_NOT_FOUND. */
struct controller *controller_create(const struct controller_options *options, struct err *err);
void controller_destroy(struct controller *c); /* NULL is fine */

/* Was an unfinished rollout found? */
bool controller_resumed(const struct controller *c);

/* Nothing was moved yet: gates are to be asked now, before controller_run. */
bool controller_before_start(const struct controller *c);
/* The answer of the gate; one at most. <reason> NONE: it passed; else nothing will be moved and the rollout fails with it.
 * <text>: one sentence, copied. */
void controller_gate(struct controller *c, enum rollout_reason reason, const char *text);

/* Turns the loop until the rollout is over or left. <ret> is initialised by this and holds the whole record, also when
 * it fails; finished by the caller with rollout_record_finish. -1: the store failed so that the record is not complete,
 * or the rollout of <reopen> cannot go back (ERR_UNREACHABLE): nothing was touched. */
int controller_run(struct controller *c, enum controller_end *ret_end, struct rollout_record *ret, struct err *err);

/* Ctrl-C: leaves; during a rollback only the second one does. */
void controller_interrupt(struct controller *c);

#endif
