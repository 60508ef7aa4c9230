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
 *                      │    ├────────► VM_FAILED               the same                   │          │
 *                      │    └────────► VM_STOPPED              no more of this user       │          │
 *                      └──────────────────────────────────────────────────────────────────┴──────────┘
 *
 * After a vm_resume with a reply, vm->outcome says how that request did. It stays until the next such call, whatever
 * that vm_resume returned: a reply is judged, and then the program runs on to its next stop in the same call. A step
 * may take several exchanges, when it is tried again or redirected: outcome.is_final is false for all but the last,
 * nothing was judged then, and the next VM_REQUEST continues the step (request.continues).
 *
 * A check that fails is counted and the iteration goes on. A transport that failed, or an extraction that found
 * nothing, ends the iteration (at the pace of its flow): what follows would be requests with missing values.
 *
 * Nothing of an answer is kept but the values that checks and extractions name, cookies, and, for regular expressions
 * only, the first PROGRAM_WINDOW_BYTES of the body. Buffers are kept between iterations: after the first ones nothing is
 * allocated. An idle user is sizeof(struct vm) and about 64 bytes per variable.
 *
 * Ownership: the program is kept and must outlive the vm. Threads: a vm and its vm_shared belong to one worker. */
#ifndef WEIR_SCENARIOS_VM_H
#define WEIR_SCENARIOS_VM_H

#include "base/rng.h"
#include "scenarios/cookies.h"
#include "scenarios/program.h"

enum vm_stop {
	VM_REQUEST,       /* send vm->request */
	VM_PAUSE,         /* wait vm->pause_ns */
	VM_ITERATION_END, /* the flow is done, or its outcome ended it early */
	VM_FAILED,        /* a template could not be rendered: vm->problem says why. The iteration is over. A VM_PAUSE
	                   * comes first, at the pace of the flow */
	VM_STOPPED,       /* a feed has no more rows: the iteration did not begin, and no other one will */
};

/* Borrowed until the next vm_resume, vm_begin or vm_finish. */
struct vm_request {
	uint32_t step; /* in program.steps */
	const char *method;
	struct str url;  /* absolute; a NUL stands behind it */
	struct str path; /* the part of it that a request line holds: from the first "/" of the path on */
	const struct str_pair *headers; /* Host, Content-Length, Transfer-Encoding, Connection are the transport's */
	uint32_t header_count;
	bool has_body;
	struct str body;
	dur_ns timeout;
	const struct transfer_needs *needs; /* kept by the program; NULL: none */
	bool continues;                     /* the step before it is still the same one: a redirect, or a new attempt */
};

/* What the owner saw. Fill it with a designated initializer: members may be added. */
struct vm_reply {
	bool transport_failed; /* no whole answer: the rest is not looked at; the owner knows the error class */
	int status;
	dur_ns response_time; /* end - intended start of the step */
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
	bool is_final;          /* false: the step goes on with another exchange, and nothing else here is set */
	bool retried;           /* of what is not final: it is tried again, else it was redirected */
	bool checked;           /* false when the transport failed */
	bool ends_iteration;
	char text[VM_TEXT_BYTES]; /* the first failure in words, redacted and cut; "" when there is none */
};

/* What the users of one worker have in common. Of <workers>, worker number <worker> takes the rows worker,
 * worker + workers, ... of a feed, so that the workers need not know of each other. */
struct vm_shared {
	const struct program *program;
	uint32_t worker, workers;
	uint64_t seed;
	uint64_t *taken;         /* per feed: rows taken so far */
	struct buf scratch;      /* for what is rendered and looked at in one call */
	struct matcher *matcher; /* NULL when there are no patterns */
	/* The widest step decides how much room a user needs. */
	uint32_t headers, checks, captures, pointers, depth;
};

/* <program> is kept. */
void vm_shared_init(struct vm_shared *s, const struct program *program, uint32_t worker, uint32_t workers,
                    uint64_t seed);
void vm_shared_finish(struct vm_shared *s);

struct vm_slot {
	struct str value;
	bool is_set;
	struct buf own; /* where value lives when it is no literal of the program */
};

struct vm {
	/* For the owner. */
	struct vm_request request;      /* after VM_REQUEST */
	dur_ns pause_ns;                /* after VM_PAUSE */
	bool pause_in_step;             /* of it: before a new attempt, so that it is part of the step's time */
	struct vm_outcome outcome;      /* after vm_resume with a reply, whatever it returned; else as it was */
	char problem[VM_PROBLEM_BYTES]; /* after VM_FAILED: a sentence without values */
	bool iteration_failed;          /* a request of this iteration failed so far, or could not be made */

	/* For vm*.c. */
	const struct program *program;
	struct vm_shared *shared;
	uint64_t user, iteration;
	struct rng rng;
	struct wall now, began; /* of this call; of the iteration */
	uint32_t at;            /* in program.code */
	uint32_t flow;
	bool waiting; /* for the reply to the request of steps[request.step] */
	bool running;
	bool resends;           /* when the pause is over */
	bool unrendered;        /* VM_FAILED is on its way */
	bool begun_badly;       /* "vars" could not be rendered: the next vm_resume says so */
	bool out_of_rows;       /* the same */
	uint32_t attempt, hops; /* of the step: exchanges before this one */
	enum jsonscan_answer scanned;
	uint64_t needles_found;  /* bit i: the text of check first_check + i was seen */
	uint32_t captured_found; /* bit i: capture first_capture + i was seen */
	uint64_t body_bytes;
	struct vm_slot *slots;        /* per variable */
	uint32_t *rows;               /* per feed: of this iteration */
	uint32_t *rounds;             /* per loop around an instruction: made so far */
	struct str_pair *headers;     /* room for the step with most headers, and a Cookie */
	uint32_t *needle_at;          /* per check of a step: how much of its text the last bytes matched */
	struct buf *captured;         /* per capture of a step: its value */
	struct buf url, values, body; /* of the request */
	struct buf cookie, location;  /* the Cookie header; where a redirect leads */
	struct buf window;            /* of the body */
	struct cookie_jar jar;
	struct jsonscan scan;
};

/* <user>: number from 0 over all executors and workers, ${user.id}; also the number of its random stream. <shared> is
 * kept. */
void vm_init(struct vm *vm, struct vm_shared *shared, uint64_t user);
void vm_finish(struct vm *vm);

/* Starts an iteration of <flow>: variables are forgotten, rows of feeds taken and "vars" rendered. Whatever ran before is
 * dropped. <now>: steady within a run; what ${now} is, cookies expire by, and a pace counts from. */
void vm_begin(struct vm *vm, uint32_t flow, uint64_t iteration, struct wall now);

/* Runs until the world is needed. <reply> exactly when the last stop was VM_REQUEST, else NULL. */
enum vm_stop vm_resume(struct vm *vm, const struct vm_reply *reply, struct wall now);

/* The answer to the request that vm_resume asked for, as it arrives: final response headers (any order, before or after
 * bytes), then bytes of the decoded body, cut anywhere. Borrowed. */
void vm_header(struct vm *vm, struct str name, struct str value);
void vm_body(struct vm *vm, struct str bytes);

/* Forgets the part of an answer that was fed: before the same request is sent again (a kept connection had closed). */
void vm_reply_restart(struct vm *vm);

/* Picks a flow of <plan> by weight with the user's random stream. */
uint32_t vm_pick_flow(struct vm *vm, const struct executor_plan *plan);

#endif
