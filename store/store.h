/* store.h: remembers runs, searches, baselines and rollouts, and who may drive a rollout.
 *
 * key       how people name a record: "last", a whole id, its name (the newest of that name), or the beginning of its
 *           id (4 characters or more, when only one record begins so)
 * lease     the right to drive (service, environment), with an expiry by the database's clock
 * token     grows with every lease that is taken; a writer with an older one is stale and can write nothing more
 * intent    a step that is going to be performed; its outcome says what came of it
 * snapshot  the controller's evidence as one JSON document, opaque to the store
 * audit     each event is chained to the one before by its hash, so that nothing can be rewritten unseen
 *
 * Every function that writes is one transaction: it is durable when it returns 0, and when it fails nothing of it is
 * there. Several processes may have the same store open. A writer that waits longer than 5 s for another fails.
 *
 * Results: 0 done, -1 failed; where it is said, 1 found and 0 none. Kinds of failure:
 *   ERR_STORE      the database refused (disk full, no database, newer schema, not writable)
 *   ERR_STALE      <token> is not the newest of the rollout's (service, environment)
 *   ERR_BUSY       somebody else holds the lease, or has an unfinished rollout there
 *   ERR_NOT_FOUND  no such record; the sentence says what was looked for
 *   ERR_USAGE      the key fits several records; an invalid run as baseline; a name that cannot be one
 *
 * Arguments are borrowed. What is returned is given; each says how to free it. Times in the database are whole
 * milliseconds. Threads: a store belongs to one thread: [main]. */
#ifndef WEIR_STORE_STORE_H
#define WEIR_STORE_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "record/rollout.h"
#include "record/run.h"
#include "record/search.h"

struct store;

/* $XDG_STATE_HOME/weir/weir.db, else ~/.local/state/weir/weir.db. Given: free(). NULL: neither is set. */
char *store_default_path(struct err *err);

/* Opens the SQLite file at <path> (NULL: the default path), making it, and its folder, when there is none, and brings
 * its schema up to date. Given: store_close(). NULL: <err> is a sentence that names the file. */
struct store *store_open(const char *path, struct err *err);
void store_close(struct store *s); /* NULL is fine */

/* --- runs and searches ------------------------------------------------------------------------------------------ */

/* What a list shows; the whole record is fetched by its id. */
struct run_row {
	char id[ID_TEXT_BYTES];
	char *name;
	struct wall started_at;
	enum run_verdict verdict;
	enum run_validity validity;
};
struct run_list {
	struct run_row *rows;
	size_t count;
};
void run_list_finish(struct run_list *l);

/* Keeps the record with its histograms. A record with the same id is an error: records are not rewritten. */
int store_run_put(struct store *s, const struct run_record *run, struct err *err);
/* <ret> is finished by the caller with run_record_finish. */
int store_run_get(struct store *s, const char *key, struct run_record *ret, struct err *err);
/* The newest first, at most <limit>. */
int store_run_list(struct store *s, size_t limit, struct run_list *ret, struct err *err);

struct search_row {
	char id[ID_TEXT_BYTES];
	char *name;
	struct wall started_at;
	double verified; /* arrivals per second; 0: none */
	char *answer;
};
struct search_list {
	struct search_row *rows;
	size_t count;
};
void search_list_finish(struct search_list *l);

int store_search_put(struct store *s, const struct search_record *search, struct err *err);
int store_search_get(struct store *s, const char *key, struct search_record *ret, struct err *err);
int store_search_list(struct store *s, size_t limit, struct search_list *ret, struct err *err);

/* --- baselines -------------------------------------------------------------------------------------------------- */

struct baseline_row {
	char *name;
	char run_id[ID_TEXT_BYTES];
	struct wall set_at;
	char *actor;
	char *run_name;
	struct wall run_started_at;
};
struct baseline_list {
	struct baseline_row *rows;
	size_t count;
};
void baseline_list_finish(struct baseline_list *l);

#define BASELINE_NAME_BYTES_MAX 200

/* From now on <name> means the run that <run_key> names. What it meant before stays in the history. A run that is
 * invalid is refused: ERR_USAGE. */
int store_baseline_set(struct store *s, const char *name, const char *run_key, const char *actor, struct err *err);
int store_baseline_get(struct store *s, const char *name, struct run_record *ret, struct err *err);
/* What each name means now, by name; with <name>, everything it ever meant, the newest first. */
int store_baseline_list(struct store *s, const char *name, struct baseline_list *ret, struct err *err);

/* --- the lease -------------------------------------------------------------------------------------------------- */

struct lease_ask {
	const char *service, *environment;
	const char *holder; /* unique to the process (host, pid, something random); the same one may take it again */
	const char *reason;
	dur_ns ttl;
	bool override; /* take it even if it is held: only for going back to stable and for people */
};

struct lease_row {
	char *service, *environment, *holder, *reason; /* holder "": released */
	int64_t token;
	struct wall taken_at, expires_at;
	bool held; /* not released and not expired, by the database's clock */
};
struct lease_list {
	struct lease_row *rows;
	size_t count;
};
void lease_list_finish(struct lease_list *l);

/* ERR_BUSY names holder, reason and age. <ret_overridden> (may be NULL) is the holder that lost an unexpired lease by
 * <override>, given: free(); NULL when nobody did. */
int store_lease_take(struct store *s, const struct lease_ask *ask, int64_t *ret_token, char **ret_overridden,
                     struct err *err);
/* ERR_STALE when it was taken over or released. An expired lease that nobody took is renewed. */
int store_lease_renew(struct store *s, const char *service, const char *environment, int64_t token, dur_ns ttl,
                      struct err *err);
int store_lease_release(struct store *s, const char *service, const char *environment, int64_t token, struct err *err);
int store_lease_list(struct store *s, struct lease_list *ret, struct err *err);

/* --- rollouts: all writes take the token of the lease ----------------------------------------------------------- */

struct rollout_row {
	char id[ID_TEXT_BYTES];
	char *service, *environment, *stable_version, *canary_version, *actor;
	enum rollout_state state;
	enum rollout_reason reason;
	struct wall started_at, finished_at; /* finished 0: running */
};
struct rollout_list {
	struct rollout_row *rows;
	size_t count;
};
void rollout_list_finish(struct rollout_list *l);

/* False for promoted, rolled back and failed. At most one unfinished rollout exists per (service, environment). */
bool store_rollout_unfinished(enum rollout_state s);

/* Keeps the head of <r> and its plan (JSON text). ERR_BUSY when another one is unfinished there. */
int store_rollout_begin(struct store *s, const struct rollout_record *r, const char *plan, int64_t token,
                        struct err *err);
/* Replaces the head; ticks and events of <r> are ignored, they have rows of their own. */
int store_rollout_update(struct store *s, const struct rollout_record *r, int64_t token, struct err *err);
/* The id of the rollout that <key> names: "last", a service (its newest), an id or the beginning of one. */
int store_rollout_find(struct store *s, const char *key, char ret_id[ID_TEXT_BYTES], struct err *err);
/* The unfinished one: 1 found, 0 none. */
int store_rollout_active(struct store *s, const char *service, const char *environment, char ret_id[ID_TEXT_BYTES],
                         struct err *err);
/* The whole record with ticks and events, or only its head. Finished by the caller with rollout_record_finish. */
int store_rollout_get(struct store *s, const char *id, struct rollout_record *ret, struct err *err);
int store_rollout_get_head(struct store *s, const char *id, struct rollout_record *ret, struct err *err);
/* The plan as it was given to begin. Given: free(). */
int store_rollout_get_plan(struct store *s, const char *id, char **ret_plan, struct err *err);
int store_rollout_list(struct store *s, size_t limit, struct rollout_list *ret, struct err *err);

/* --- the journal ------------------------------------------------------------------------------------------------ */

struct journal_intent {
	int64_t intent;
	char *kind;
	json_t *payload; /* may be NULL */
	struct wall at;
};
void journal_intent_finish(struct journal_intent *i);

/* <kind>: one word for the step ("set-weight"). <payload> may be NULL. */
int store_journal_intend(struct store *s, const char *rollout, int64_t token, const char *kind, const json_t *payload,
                         int64_t *ret_intent, struct err *err);
/* Once per intent; the intent must be of <rollout>. */
int store_journal_outcome(struct store *s, const char *rollout, int64_t token, int64_t intent, bool ok,
                          const json_t *payload, struct err *err);
/* The newest intent that has no outcome: 1 found, 0 none. */
int store_journal_open(struct store *s, const char *rollout, struct journal_intent *ret, struct err *err);

/* --- evidence --------------------------------------------------------------------------------------------------- */

/* Adds the ticks and replaces the snapshot, both or nothing. The numbers grow: a tick that is not above all stored
 * ones is an error. <snapshot> may be NULL: the old one stays. <snapshot_tick>: the last tick that is in it. */
int store_evidence_save(struct store *s, const char *rollout, int64_t token, const struct tick_record *ticks,
                        size_t tick_count, const json_t *snapshot, int64_t snapshot_tick, struct err *err);
/* 1 found, 0 none. Given: json_decref(). */
int store_evidence_load(struct store *s, const char *rollout, json_t **ret_snapshot, int64_t *ret_tick,
                        struct err *err);
/* The ticks above <after> (-1: all), the oldest first, at most <limit>. Given: free(). */
int store_tick_list(struct store *s, const char *rollout, int64_t after, size_t limit, struct tick_record **ret_ticks,
                    size_t *ret_count, struct err *err);

/* --- events and the audit chain --------------------------------------------------------------------------------- */

struct event_list {
	struct event_record *rows;
	size_t count;
};
void event_list_finish(struct event_list *l);

/* Appends <e> and sets its seq, and its id when that is "". <rollout> NULL: the event belongs to none. <token> 0: not
 * on behalf of the rollout's driver (a person at another terminal, a finished rollout). */
int store_event_append(struct store *s, const char *rollout, int64_t token, struct event_record *e, struct err *err);
/* Above <after_seq>, the oldest first, at most <limit>; <rollout> NULL: all. */
int store_event_list(struct store *s, const char *rollout, int64_t after_seq, size_t limit, struct event_list *ret,
                     struct err *err);

#define AUDIT_HASH_TEXT_BYTES 65

struct audit_report {
	int64_t count;                         /* events walked */
	int64_t head_seq;                      /* of the last sound one; 0: none */
	char head_hash[AUDIT_HASH_TEXT_BYTES]; /* hex; to be written down outside */
	int64_t bad_seq;                       /* the first that is wrong or missing; 0: all sound */
	char why[160];                         /* "" when sound */
};

/* Walks the whole chain. 0: it could be walked, <ret> tells. With <anchor_hash> (may be NULL) the chain must also have
 * had that hash at <anchor_seq>: this alone detects that the end was cut off or all was rewritten. */
int store_audit_verify(struct store *s, int64_t anchor_seq, const char *anchor_hash, struct audit_report *ret,
                       struct err *err);

/* --- requests of people at another terminal --------------------------------------------------------------------- */

#define OPERATOR_VERBS(X)   \
	X(ABORT, "abort")   \
	X(PAUSE, "pause")   \
	X(RESUME, "resume") \
	X(PROMOTE, "promote")
enum operator_verb {
#define X(id, text) OPERATOR_##id,
	OPERATOR_VERBS(X)
#undef X
		OPERATOR_VERB_COUNT
};
const char *operator_verb_text(enum operator_verb v);

struct operator_request {
	int64_t number; /* grows */
	enum operator_verb verb;
	char *actor, *reason; /* reason may be NULL */
	struct wall at;
};
void operator_request_finish(struct operator_request *r);

/* <reason> may be NULL. <ret_number> may be NULL. */
int store_request_put(struct store *s, const char *rollout, enum operator_verb verb, const char *actor,
                      const char *reason, int64_t *ret_number, struct err *err);
/* Nobody took it in time, and nobody shall do so later: 1 it is gone, 0 it was taken in the meantime. */
int store_request_withdraw(struct store *s, int64_t number, struct err *err);
/* The oldest that was not taken yet, which is taken by this: 1 found, 0 none. */
int store_request_take(struct store *s, const char *rollout, int64_t token, struct operator_request *ret,
                       struct err *err);

#endif
