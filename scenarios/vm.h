/* vm.h: one virtual user: runs a flow until it needs the world, and judges what the world answered.
 *
 * Pure: no socket, no clock, no thread. The owner sends what vm->request says, feeds the answer as it arrives, and
 * resumes:
 *
 *     vm_begin ──► vm_resume(NULL) ──► VM_REQUEST ── send; vm_header*, vm_body*; vm_resume(&reply) ──┐
 *                      ▲    │                                                                        │
 *                      │    ├────────► VM_PAUSE ──── wait vm->pause_ns; vm_resume(NULL) ──┐          │
 *                      │    │                                                             │          │
 *                      │    ├────────► VM_ITERATION_END        vm_begin for the next one  │          │
 *                      │    └────────► VM_FAILED               the same                   │          │
 *                      └──────────────────────────────────────────────────────────────────┴──────────┘
 *
 * After a vm_resume with a reply, vm->outcome says how that request did. It stays until the next such call, whatever
 * that vm_resume returned: a reply is judged, and then the program runs on to its next stop in the same call.
 *
 * A check that fails is counted and the iteration goes on. A transport that failed, or an extraction that found
 * nothing, ends the iteration: what follows would be requests with missing values.
 *
 * Nothing of an answer is kept but the values that checks and extractions name. Buffers are kept between iterations:
 * after the first ones nothing is allocated. An idle user is sizeof(struct vm) and about 64 bytes per variable.
 *
 * Ownership: the program is kept and must outlive the vm. Threads: a vm belongs to one worker. */
#ifndef WEIR_SCENARIOS_VM_H
#define WEIR_SCENARIOS_VM_H

#include "base/rng.h"
#include "scenarios/program.h"

enum vm_stop {
	VM_REQUEST,       /* send vm->request */
	VM_PAUSE,         /* wait vm->pause_ns */
	VM_ITERATION_END, /* the flow is done, or its outcome ended it early */
	VM_FAILED,        /* a template could not be rendered: vm->problem says why. The iteration is over */
};

/* Borrowed until the next vm_resume, vm_begin or vm_finish. */
struct vm_request {
	uint32_t step; /* in program.steps */
	const char *method;
	struct str url;                /* absolute */
	struct str path;               /* the part of it that a request line holds: from the first "/" of the path on */
	const struct str_pair *headers; /* Host, Content-Length, Transfer-Encoding, Connection are the transport's */
	uint32_t header_count;
	bool has_body;
	struct str body;
	dur_ns timeout;
};

/* What the owner saw. Fill it with a designated initializer: members may be added. */
struct vm_reply {
	bool transport_failed; /* no whole answer: the rest is not looked at; the owner knows the error class */
	int status;
	dur_ns response_time; /* end - intended start */
};

enum vm_failure {
	VM_PASSED,
	VM_TRANSPORT_FAILED,
	VM_STATUS_FAILED, /* a status check failed, or the step has none and the status is outside 200..399 */
	VM_CHECK_FAILED,  /* any other check, or an extraction */
};

#define VM_TEXT_BYTES 160
#define VM_PROBLEM_BYTES 96
struct vm_outcome {
	uint32_t step;
	enum vm_failure failure;
	uint64_t failed_checks; /* bit i: check number step.first_check + i failed. Meaningless when transport_failed:
	                          * then no check was made and none counts */
	bool checked;           /* false when the transport failed */
	bool ends_iteration;
	char text[VM_TEXT_BYTES]; /* the first failure in words, redacted and cut; "" when there is none */
};

struct vm_slot {
	struct str value;
	bool is_set;
	struct buf own; /* where value lives when it is no literal of the program */
};

struct vm {
	/* For the owner. */
	struct vm_request request;      /* after VM_REQUEST */
	dur_ns pause_ns;                /* after VM_PAUSE */
	struct vm_outcome outcome;      /* after vm_resume with a reply, whatever it returned; else as it was */
	char problem[VM_PROBLEM_BYTES]; /* after VM_FAILED: a sentence without values */
	bool iteration_failed;          /* a request of this iteration failed so far, or could not be made */

	/* For vm*.c. */
	const struct program *program;
	uint64_t user, iteration;
	struct rng rng;
	uint32_t at; /* in program.code */
	uint32_t flow;
	bool waiting; /* for the reply to the request of steps[request.step] */
	bool running;
	bool begun_badly; /* "vars" could not be rendered: the next vm_resume says so */
	enum jsonscan_answer scanned;
	uint64_t needles_found;       /* bit i: the text of check first_check + i was seen */
	uint32_t captured_found;      /* bit i: the header of extract first_extract + i was seen */
	struct vm_slot *slots;        /* per variable */
	struct str_pair *headers;      /* room for the step with most headers */
	uint32_t *needle_at;          /* per check of a step: how much of its text the last bytes matched */
	struct buf *captured;         /* per extract of a step: the header's value */
	struct buf url, values, body; /* of the request */
	struct jsonscan scan;
};

/* <user>: number from 0, ${user.id}; also the number of its random stream under <seed>. */
void vm_init(struct vm *vm, const struct program *program, uint64_t user, uint64_t seed);
void vm_finish(struct vm *vm);

/* Starts an iteration of <flow>: variables are forgotten and "vars" rendered. Whatever ran before is dropped. */
void vm_begin(struct vm *vm, uint32_t flow, uint64_t iteration);

/* Runs until the world is needed. <reply> exactly when the last stop was VM_REQUEST, else NULL. */
enum vm_stop vm_resume(struct vm *vm, const struct vm_reply *reply);

/* The answer to the request that vm_resume asked for, as it arrives: final response headers (any order, before or after
 * bytes), then bytes of the decoded body, cut anywhere. Borrowed. */
void vm_header(struct vm *vm, struct str name, struct str value);
void vm_body(struct vm *vm, struct str bytes);

/* Forgets the part of an answer that was fed: before the same request is sent again (a kept connection had closed). */
void vm_reply_restart(struct vm *vm);

/* Picks a flow of <plan> by weight with the user's random stream. */
uint32_t vm_pick_flow(struct vm *vm, const struct executor_plan *plan);

#endif
