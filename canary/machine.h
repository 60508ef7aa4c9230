/* machine.h: the decisions of a rollout. Pure: time, measurements and answers come in as events, what is to be done
 * comes out as actions; nothing else happens. Drawing and table of the states are in machine.c.
 *
 * event    something happened: a tick, an answer of the data plane, a guard, an operator, a deadline
 * action   something the controller is to do, in the order given
 * asked    the weight the data plane is to obey; accepted: it said yes; verified: it was seen to obey
 *
 * How it is driven: machine_init (a new rollout) or machine_import (one that was interrupted), then MACHINE_STARTED, then
 * everything that happens. After each step the controller persists machine_export, then performs the actions. It calls
 * with MACHINE_TIME at machine_deadline at the latest. Answers name the weight they are about: an answer about
 * another weight than the one asked last is ignored, so calls that were overtaken do no harm. A newer SET_WEIGHT
 * replaces one that was not performed yet.
 *
 * Rollback asks for weight 0 first and repeats it until it is accepted, without end; then 0 % has to be verified.
 * Rollback is possible from every state that is not final, and from promoted when a person asks (MACHINE_REVERT).
 *
 * A person who asks to pause, resume or promote is answered with an event: operator.paused, .resumed, .promoted, or .ignored with
 * the reason.
 *
 * Ownership: a plain struct; the plan is kept. Threads: one at a time. */
#ifndef WEIR_CANARY_MACHINE_H
#define WEIR_CANARY_MACHINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "canary/evidence.h"
#include "canary/plan.h"
#include "canary/power.h"
#include "record/rollout.h"

enum machine_event_kind {
	MACHINE_STARTED,        /* first event of every process. intent_bp */
	MACHINE_PREPARED,       /* the data plane serves. weight_bp: that it obeys now */
	MACHINE_PREPARE_FAILED, /* text */
	MACHINE_GATE,     /* a gate that was asked before the start. reason: why it lets nothing pass, or NONE; text */
	MACHINE_TICK,     /* assessment */
	MACHINE_TIME,     /* nothing but <now> */
	MACHINE_ACCEPTED, /* weight_bp */
	MACHINE_REFUSED,  /* weight_bp, text; also when the driver gave no answer in time */
	MACHINE_VERIFIED, /* weight_bp */
	MACHINE_UNVERIFIED,    /* weight_bp, text */
	MACHINE_GUARD_FIRED,   /* reason, text */
	MACHINE_GUARD_CLEARED, /* the last complaining guard is content again */
	MACHINE_REVERT,      /* operator: go back after the promotion. Only a promoted machine hears it; actor, text */
	MACHINE_ABORT,       /* operator; actor, text: the reason given */
	MACHINE_PAUSE,       /* operator */
	MACHINE_RESUME,      /* operator; ends a hold, too */
	MACHINE_PROMOTE,     /* operator: skip the rest of this stage */
	MACHINE_LEASE_LOST,  /* our lease could not be renewed for its whole life: nobody else holds it */
	MACHINE_LEASE_TAKEN, /* somebody else drives this rollout now: never act again */
	MACHINE_DATA_PLANE_RESTARTED, /* its runtime values may be lost. weight_bp: that it obeys now */
	MACHINE_INTERRUPTED,          /* Ctrl-C: leave; a later run resumes */
};

struct machine_event {
	enum machine_event_kind kind;
	struct mono now;
	int32_t weight_bp;
	int32_t intent_bp; /* of STARTED: last weight in the journal's intents; -1: none */
	enum rollout_reason reason;
	const char *text, *actor;            /* borrowed; may be NULL */
	const struct assessment *assessment; /* borrowed; of TICK */
	const struct power *power;           /* borrowed; of TICK before the first shift; NULL: nobody asks about it */
};

enum machine_action_kind {
	ACTION_PREPARE,    /* driver prepare; answer: PREPARED or PREPARE_FAILED */
	ACTION_SET_WEIGHT, /* weight_bp; journal the intent first; answer: ACCEPTED or REFUSED */
	ACTION_VERIFY, /* weight_bp; answer: VERIFIED or UNVERIFIED. Above 0: the data plane says that it obeys it and
	                     * both arms are in service; 0: it also counted no canary request for a second, none in flight */
	ACTION_EVENT,  /* one line of the story: type, severity, actor, text */
	ACTION_ENTER_STAGE, /* stage, weight_bp: its record begins (the one before ends with "passed") */
	ACTION_FINISH,      /* final state reached: state, reason and text; persist the record and leave. Given
	                       * again to a controller that starts in a final state */
	ACTION_LEAVE,       /* stop driving without touching the weight; a later run resumes */
};

#define MACHINE_TEXT_BYTES 320
struct machine_action {
	enum machine_action_kind kind;
	int32_t weight_bp;
	int32_t stage;
	const char *type, *severity; /* literals: "weight.asked", "info" | "warning" | "critical" */
	char actor[64];              /* "weir" or a person */
	char text[MACHINE_TEXT_BYTES];
};

#define MACHINE_ACTIONS_MAX 12
struct machine_actions {
	size_t count;
	struct machine_action list[MACHINE_ACTIONS_MAX];
};

struct machine {
	const struct plan *plan; /* kept */
	enum rollout_state state;
	int32_t stage; /* index of the stage whose weight is asked; -1 before the first */
	int32_t asked_bp;
	bool prepared;           /* the data plane answered in this process */
	bool accepted, verified; /* the weight in asked_bp */
	bool setting, verifying; /* an answer is awaited */
	bool shifted;            /* a weight above 0 was asked once */
	bool paused;             /* by an operator */
	bool held;               /* HOLDING because of evidence or a deadline */
	enum rollout_state back; /* of HOLDING: where it goes on, WATCHING or BAKING */
	bool extended;           /* the stage's max was extended once */
	bool guard;              /* a guard complains */
	bool leaving;            /* LEAVE or FINISH was given; only a second interruption is heard */
	int32_t interruptions;
	bool ready;                 /* evidence is frozen */
	enum lack lack;             /* of the last tick, so that a change is told once */
	enum rollout_reason reason; /* of a rollback or a failure */
	char why[MACHINE_TEXT_BYTES];
	struct mono now;                            /* of the last event */
	struct mono entered;                        /* the state */
	struct mono watching_since;                 /* the stage's weight was verified; the stage's clock */
	struct mono retry_at;                       /* of what was refused; INT64_MAX: nothing to retry */
	struct mono state_deadline, stage_deadline; /* INT64_MAX: none */
	struct mono unsteady_since;                 /* the weight is not accepted since; INT64_MAX: it is */
};

/* <plan> is kept. */
void machine_init(struct machine *m, const struct plan *plan, struct mono now);

void machine_step(struct machine *m, const struct machine_event *ev, struct machine_actions *ret);

/* The latest instant of the next MACHINE_TIME. INT64_MAX after the end. */
struct mono machine_deadline(const struct machine *m);

/* False in a final state and after LEAVE. */
bool machine_running(const struct machine *m);
bool rollout_state_final(enum rollout_state s);

/* Promotion from the present stage hands over all traffic or ends the rollout: for evidence_tick.last. */
bool machine_last_stage(const struct machine *m);

/* Least time left before this stage can be passed, and until its max; 0: reached; for the live view. */
dur_ns machine_stage_min_left(const struct machine *m);
dur_ns machine_stage_max_left(const struct machine *m);

/* The journal's form. Instants are kept as ages, so the time in which nobody drove does not count. */
json_t *machine_export(const struct machine *m);
int machine_import(struct machine *m, const struct plan *plan, const json_t *json, struct mono now, struct err *err);

#endif
