/* phase.h: which part of the plan a second belongs to. From the plan, not from what became of it. Pure. Threads: [any].
 *
 * A second is a ramp when the plan changes within it: some executor's rate or number of users slopes, jumps, begins (but
 * at the very start of the run) or ends (but at its very end). An executor of counted iterations ends when they are done,
 * which is not planned. */
#ifndef WEIR_LOADGEN_PHASE_H
#define WEIR_LOADGEN_PHASE_H

#include "base/clock.h"
#include "record/run.h"
#include "scenarios/program.h"

/* Whether the load of <p> changes from <from> until before <to>, both since the start of the run. */
bool phase_changes(const struct program *p, dur_ns from, dur_ns to);

/* The phase of row <second> (below 0: the warm-up), which is from <from> to <to> since the start of the run. Rows are a
 * little late each time: bounds that are near a whole second are taken for it. */
enum second_phase phase_of(const struct program *p, int32_t second, dur_ns from, dur_ns to);

#endif
