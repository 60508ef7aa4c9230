/* baseline_gate.h: the gate that a plan's "baseline" puts before the start: the canary has to have been load-tested by
 * itself, with the scenario of the baseline, and not be worse than it.
 *
 * Looked for is the newest run of the last 24 hours that has the name of the baseline's run and one of the canary's
 * servers as its target. Its times may be latency.ratio times the baseline's, with the intervals of `weir baseline
 * compare`, and its error rate errors.slack above it. Threads: [main]. */
#ifndef WEIR_CLI_BASELINE_GATE_H
#define WEIR_CLI_BASELINE_GATE_H

#include "canary/controller.h"
#include "store/store.h"

/* Asks, and hands the answer to <c>. Nothing when the plan names no baseline or traffic was moved already. */
void baseline_gate_ask(struct store *store, const struct plan *plan, struct controller *c);

#endif
