/* skeleton.h: the sampler that samples nothing; see skeleton.c. */
#ifndef WEIR_OBSERVE_SAMPLERS_SKELETON_H
#define WEIR_OBSERVE_SAMPLERS_SKELETON_H

#include "observe/plan.h"

/* { "skeleton": 10 }: counts up from 10. In no table, so that no user meets it. */
extern const struct sampler_kind skeleton_kind;

#endif
