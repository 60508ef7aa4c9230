/* doctor.h: what is found about a machine, and whether it is able to measure. Pure: facts in, findings out.
 *
 * finding  one thing that was looked at: what is so, why it matters, and what to do when it is not well
 * warn     measurements are possible, with the limit that is named
 * fail     nothing that weir measures or drives here is to be trusted, or it cannot work at all
 *
 * Threads: [any]. */
#ifndef WEIR_OBSERVE_DOCTOR_H
#define WEIR_OBSERVE_DOCTOR_H

#include "observe/loopback.h"
#include "observe/machine.h"
#include "observe/punctuality.h"

enum finding_state { FINDING_OK, FINDING_WARN, FINDING_FAIL };
const char *finding_state_text(enum finding_state s); /* "ok", "warn", "fail" */

struct finding {
	const char *name; /* static, as the next two */
	enum finding_state state;
	char found[256];
	const char *why;    /* it matters */
	const char *advice; /* what to do when it is not ok */
};

#define DOCTOR_FINDINGS_MAX 32
struct doctor {
	struct finding findings[DOCTOR_FINDINGS_MAX];
	size_t count;
};

void doctor_find(struct doctor *d, enum finding_state state, const char *name, const char *why, const char *advice,
                 const char *format, ...) __attribute__((format(printf, 6, 7)));

void doctor_judge_machine(struct doctor *d, const struct machine_facts *m);
/* What others did while weir slept: ticks before and after. */
void doctor_judge_quiet(struct doctor *d, const struct cpu_ticks *before, const struct cpu_ticks *after);
void doctor_judge_clock(struct doctor *d, const struct machine_facts *m, const struct clock_facts *c);
void doctor_judge_lateness(struct doctor *d, const struct lateness *l);
void doctor_judge_loopback(struct doctor *d, const struct loopback_facts *f);

/* The worst of all. */
enum finding_state doctor_state(const struct doctor *d);

#endif
