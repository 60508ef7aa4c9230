/* machine_rig.h: a machine with a plan of three stages in time of its own, and short words for what happens to it.
 *
 * The plan: 5 % -> 50 % -> <last>, min 10 s, max 60 s, bake 20 s. */
#ifndef WEIR_TESTS_CANARY_MACHINE_RIG_H
#define WEIR_TESTS_CANARY_MACHINE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "canary/machine.h"

struct rig {
	struct plan *plan;
	struct machine m;
	struct machine_actions out;
	struct mono now;
};

/* Ended with rig_end. */
void rig_start(struct rig *r, const char *on_inconclusive, const char *last);
void rig_end(struct rig *r);
void step(struct rig *r, struct machine_event ev);
void pass(struct rig *r, dur_ns d);
/* A second passes, with this verdict. */
void tick(struct rig *r, enum verdict v);
void lacking_tick(struct rig *r, enum lack lack);
/* Of the last step; NULL: there was none. */
const struct machine_action *action(const struct rig *r, enum machine_action_kind kind);
bool told(const struct rig *r, const char *type);
void answer(struct rig *r, enum machine_event_kind kind, int32_t weight);
/* The data plane takes the weight that was asked for, and proves it. */
void obey(struct rig *r);
void start_and_prepare(struct rig *r);
/* Into the first stage, watched at 5 %. */
void into_first(struct rig *r);
void ticks(struct rig *r, enum verdict v, int count);
/* To the end of the last stage's shift. */
void into_bake(struct rig *r);
void expect_rolling_back(struct rig *r, enum rollout_reason reason);

#endif
