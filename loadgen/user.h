/* user.h: a virtual user at work: its program, its connection, and the stamps between them.
 *
 *     idle ── begin ──► sending ──► done ──► (judged, measured) ──► sending | pausing | idle
 *
 * The intended start of the first step is the arrival; that of a later step is the end of the step before it plus the
 * pauses between. Response time counts from there, whatever the generator was late.
 *
 * Threads: [worker]. */
#ifndef WEIR_LOADGEN_USER_H
#define WEIR_LOADGEN_USER_H

#include "loadgen/executor.h"
#include "loadgen/meter.h"
#include "net/transport.h"
#include "scenarios/vm.h"

enum user_state {
	USER_IDLE,    /* no iteration */
	USER_SENDING, /* a transfer is under way */
	USER_DONE,    /* on the ready list: the transfer has its answer */
	USER_PAUSING, /* in the heap of sleepers until wake */
	USER_STOPPED, /* its feed has no more rows: for ever */
};

struct worker;

struct user {
	struct vm vm;
	struct transfer transfer;
	struct worker *worker;
	uint32_t executor, number; /* number: of the executor, over all workers */
	enum user_state state;
	struct mono began;      /* intended start of the iteration */
	struct mono intended;   /* of the current or next request */
	struct mono able;       /* from when on it could have been sent */
	struct mono wake;       /* while pausing */
	struct mono first_sent; /* of the step: it may take several exchanges, when it is redirected or tried again */
	uint64_t bytes_sent, bytes_received; /* of its exchanges before the last */
	bool connected;                      /* one of them made a connection */
	struct user *next_ready;
	size_t heap_at; /* in the worker's heap, while pausing */
};

/* -1: the transport has no handle left. The user is in memory of the caller. */
int user_init(struct user *u, struct worker *w, uint32_t executor, uint32_t number, struct err *err);
void user_finish(struct user *u);

/* Begins an iteration. */
void user_begin(struct user *u, const struct arrival *a);

/* Goes on after the answer came (USER_DONE) or the pause is over (USER_PAUSING). */
void user_resume(struct user *u);

/* The run is over: what is under way counts as censored at its age. Afterwards the user is idle. */
void user_cut(struct user *u, struct mono now);

#endif
