/* tables.h: the SQLite back-end's functions by the file they are in. Contracts are those of store.h and ops.h. */
#ifndef WEIR_STORE_SQLITE_TABLES_H
#define WEIR_STORE_SQLITE_TABLES_H

#include "store/ops.h"
#include "store/sqlite/db.h"

struct sqlite_store {
	struct store base;
	struct db *db;
};

/* The connection of a store that is known to be of this back-end. */
struct db *db_of(struct store *s);

/* For lists: a copy of a column's text, "" for NULL. Given: free(). */
char *query_copy(struct query *q, int column);
/* For lists: rows[count], grown by one zeroed row. */
void *rows_grow(void *rows, size_t count, size_t size);
/* SQLite's LIMIT is signed. */
int64_t limit_of(size_t limit);

/* find.c: what a person's key means. <table> has id, started_at and the column <name>. */
int find_id(struct db *db, const char *table, const char *name, const char *what, const char *key,
            char ret_id[ID_TEXT_BYTES], struct err *err);

/* runs.c */
int sqlite_run_put(struct store *s, const struct run_record *run, const char *json, struct err *err);
int sqlite_run_get(struct store *s, const char *key, char **ret_json, struct err *err);
int sqlite_run_list(struct store *s, size_t limit, struct run_list *ret, struct err *err);
int sqlite_search_put(struct store *s, const struct search_record *search, const char *json, struct err *err);
int sqlite_search_get(struct store *s, const char *key, char **ret_json, struct err *err);
int sqlite_search_list(struct store *s, size_t limit, struct search_list *ret, struct err *err);

/* baselines.c */
int sqlite_baseline_set(struct store *s, const char *name, const char *run_key, const char *actor, struct err *err);
int sqlite_baseline_get(struct store *s, const char *name, char **ret_json, struct err *err);
int sqlite_baseline_list(struct store *s, const char *name, struct baseline_list *ret, struct err *err);

/* leases.c */
int sqlite_lease_take(struct store *s, const struct lease_ask *ask, int64_t *ret_token, char **ret_overridden,
                      struct err *err);
int sqlite_lease_renew(struct store *s, const char *service, const char *environment, int64_t token, dur_ns ttl,
                       struct err *err);
int sqlite_lease_release(struct store *s, const char *service, const char *environment, int64_t token, struct err *err);
int sqlite_lease_list(struct store *s, struct lease_list *ret, struct err *err);
/* Inside a transaction: 0 when <token> is the newest of the place; else ERR_STALE with a sentence. */
int lease_check(struct db *db, const char *service, const char *environment, int64_t token, struct err *err);
/* The same for the place of a rollout; ERR_NOT_FOUND when there is no such rollout. */
int lease_check_rollout(struct db *db, const char *rollout, int64_t token, struct err *err);

/* rollouts.c */
int sqlite_rollout_begin(struct store *s, const struct rollout_record *r, const char *head, const char *plan,
                         int64_t token, struct err *err);
int sqlite_rollout_update(struct store *s, const struct rollout_record *r, const char *head, int64_t token,
                          struct err *err);
int sqlite_rollout_find(struct store *s, const char *key, char ret_id[ID_TEXT_BYTES], struct err *err);
int sqlite_rollout_active(struct store *s, const char *service, const char *environment, char ret_id[ID_TEXT_BYTES],
                          struct err *err);
int sqlite_rollout_get(struct store *s, const char *id, char **ret_head, char **ret_plan, struct err *err);
int sqlite_rollout_list(struct store *s, size_t limit, struct rollout_list *ret, struct err *err);

/* journal.c: intents, and the requests of people */
int sqlite_journal_intend(struct store *s, const char *rollout, int64_t token, const char *kind, const char *payload,
                          int64_t *ret_intent, struct err *err);
int sqlite_journal_outcome(struct store *s, const char *rollout, int64_t token, int64_t intent, bool ok,
                           const char *payload, struct err *err);
int sqlite_journal_open(struct store *s, const char *rollout, struct intent_row *ret, struct err *err);
int sqlite_request_put(struct store *s, const char *rollout, const char *verb, const char *actor, const char *reason,
                       int64_t *ret_number, struct err *err);
int sqlite_request_withdraw(struct store *s, int64_t number, struct err *err);
int sqlite_request_take(struct store *s, const char *rollout, int64_t token, struct operator_request *ret,
                        struct err *err);

/* evidence.c: ticks, snapshots, events */
int sqlite_evidence_save(struct store *s, const char *rollout, int64_t token, const struct text_rows *ticks,
                         const char *snapshot, int64_t snapshot_tick, struct err *err);
int sqlite_evidence_load(struct store *s, const char *rollout, char **ret_snapshot, int64_t *ret_tick, struct err *err);
int sqlite_tick_list(struct store *s, const char *rollout, int64_t after, size_t limit, struct text_rows *ret,
                     struct err *err);
int sqlite_event_append(struct store *s, int64_t token, const struct audit_row *row, int64_t *ret_seq, struct err *err);
int sqlite_event_list(struct store *s, const char *rollout, int64_t after_seq, size_t limit, struct text_rows *ret,
                      struct err *err);
int sqlite_event_walk(struct store *s, bool (*look)(const struct audit_row *row, void *arg), void *arg,
                      struct err *err);

#endif
