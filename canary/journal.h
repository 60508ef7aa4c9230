/* journal.h: remembers what the controller is about to do, what came of it, and the evidence; all of one rollout.
 *
 * intent    a weight we decided on and are going to ask for; kept before the data plane hears of it
 * outcome   what the driver answered
 * snapshot  machine, evidence and bookkeeping as one JSON document: what a restarted controller goes on with
 *
 * The journal holds the lease of (service, environment): every write carries its token, so a controller that was
 * overtaken can write nothing more (ERR_STALE). After journal_intend() returned 0 the intent survives a crash.
 *
 * Opening is recovery: an unfinished rollout of the same plan is gone on with, otherwise a new one begins. ERR_BUSY:
 * somebody else drives, or the unfinished rollout there has another plan.
 *
 * Threads: [main]. */
#ifndef WEIR_CANARY_JOURNAL_H
#define WEIR_CANARY_JOURNAL_H

#include "canary/plan.h"
#include "record/rollout.h"
#include "store/store.h"

#define JOURNAL_SET_WEIGHT "set-weight"

struct journal;

struct journal_options {
	struct store *store;     /* kept */
	const struct plan *plan; /* kept */
	const char *plan_text;   /* as the user wrote it; borrowed */
	const char *actor;       /* borrowed */
	dur_ns lease;
	/* Only to go back to stable: takes the lease even if it is held, and begins nothing: ERR_NOT_FOUND without an
	 * unfinished rollout. */
	bool override;
	/* With override, a rollout that was promoted: opened again to go back to stable, as long as its old version is kept
	 * and no later one moved traffic. Takes no lease that somebody holds. NULL: only an unfinished one. */
	const char *reopen;
};

/* What was found. Finish with journal_found_finish. */
struct journal_found {
	bool resumed;
	struct rollout_record record; /* its head */
	json_t *snapshot;             /* NULL: none */
	int64_t last_tick;            /* -1: none */
	int32_t intent_bp;            /* of an intent without an outcome; -1: none */
	int64_t intent;               /* its number */
	char *overridden;             /* who lost the lease to us, or NULL */
};
void journal_found_finish(struct journal_found *f);

/* Given: journal_destroy. NULL: <ret> needs no finish. */
struct journal *journal_create(const struct journal_options *options, struct journal_found *ret, struct err *err);
/* Gives the lease back. NULL is fine. */
void journal_destroy(struct journal *j);

int64_t journal_token(const struct journal *j);

int journal_renew(struct journal *j, struct err *err);

int journal_intend(struct journal *j, int32_t weight_bp, int64_t *ret_intent, struct err *err);
/* <text>: why it failed; NULL when it did not. */
int journal_outcome(struct journal *j, int64_t intent, bool ok, const char *text, struct err *err);

/* Ticks and snapshot, both or nothing. */
int journal_save(struct journal *j, const struct tick_record *ticks, size_t count, const json_t *snapshot,
                 int64_t snapshot_tick, struct err *err);
int journal_update(struct journal *j, const struct rollout_record *record, struct err *err);
/* Sets seq and id. */
int journal_event(struct journal *j, struct event_record *e, struct err *err);
/* 1 taken, 0 none. */
int journal_take_request(struct journal *j, struct operator_request *ret, struct err *err);
/* The whole record. */
int journal_read(struct journal *j, struct rollout_record *ret, struct err *err);

/* Whether the holder of the plan's unexpired lease was a process of this host that is no more: then there is nobody to
 * wait for. A process that has the dead one's number by now only means that one waits for the lease to end. */
bool journal_holder_is_dead(struct store *store, const struct plan *plan);

#endif
