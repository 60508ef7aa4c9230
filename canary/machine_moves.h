/* machine_moves.h: what the machine does when it goes from one state to another; shared by machine.c (table, events, time)
 * and machine_moves.c only. The actions go to <out> in the order in which they are to be done. Threads: one at a time. */
#ifndef WEIR_CANARY_MACHINE_MOVES_H
#define WEIR_CANARY_MACHINE_MOVES_H

#include "canary/machine.h"

#define NEVER ((struct mono){ INT64_MAX })

/* LIVE: the stage's weight is asked for. FINAL: the end. */
enum { STATE_LIVE = 1, STATE_FINAL = 2 };

struct state_rule {
	unsigned next; /* bits of the states that may follow */
	unsigned flags;
	dur_ns limit;
};
extern const struct state_rule machine_rules[ROLLOUT_STATE_COUNT];

const struct plan_stage *machine_stage_of(const struct machine *m);

struct machine_action *machine_act(struct machine_actions *out, enum machine_action_kind kind);
void machine_tell(struct machine_actions *out, const char *type, const char *severity, const char *text);
void machine_tell_as(struct machine_actions *out, const char *actor, const char *type, const char *severity,
                     const char *text);

/* Only along the table (must). */
void machine_move(struct machine *m, enum rollout_state next);

void machine_give_finish(const struct machine *m, struct machine_actions *out);
/* The last state: tells it and gives FINISH. */
void machine_finish(struct machine *m, enum rollout_state last, struct machine_actions *out);
void machine_fail(struct machine *m, enum rollout_reason reason, const char *why, struct machine_actions *out);
void machine_promoted(struct machine *m, struct machine_actions *out);

void machine_prepare(struct machine *m, struct machine_actions *out);
/* Asks (again) for the weight in asked_bp. Before the data plane is prepared it waits for that: on_prepared asks. */
void machine_ask(struct machine *m, struct machine_actions *out);
void machine_verify(struct machine *m, struct machine_actions *out);

/* Weight 0 goes out before anything is told. Nothing new when it is under way already. */
void machine_roll_back(struct machine *m, enum rollout_reason reason, const char *actor, const char *why,
                       struct machine_actions *out);

/* From a passed stage to the next; the last step hands over all traffic or, with a hold-back, confirms the last weight. */
void machine_next_stage(struct machine *m, struct machine_actions *out);
/* The stage's clock begins: its weight was verified. <state>: WATCHING or BAKING. */
void machine_watch(struct machine *m, enum rollout_state state);
void machine_hold(struct machine *m, const char *actor, const char *why, struct machine_actions *out);
/* The stage gets its whole max again: the time in which a person thought is not the canary's. */
void machine_leave_hold(struct machine *m);

#endif
