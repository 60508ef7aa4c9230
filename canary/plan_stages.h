/* plan_stages.h: the part of a plan file that says how the weight grows: a list of stages, or a preset's word.
 * Only for plan.c. Threads: one at a time. */
#ifndef WEIR_CANARY_PLAN_STAGES_H
#define WEIR_CANARY_PLAN_STAGES_H

#include "canary/plan.h"

/* Reads the value <n> of "stages" into <p>, whose arena takes them. Mistakes become diagnostics of the document. */
void plan_stages_read(const struct node *n, struct plan *p);

#endif
