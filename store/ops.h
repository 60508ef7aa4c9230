/* ops.h: what a back-end has to do. Not for other folders.
 *
 * store.c turns records into rows and texts and back, checks arguments, and makes the canonical text of events; a
 * back-end only keeps rows, in transactions, and knows SQL. Contracts are those of store.h; here is only what differs:
 * records are JSON texts, and a text that is returned is given: free(). Threads: one. */
#ifndef WEIR_STORE_OPS_H
#define WEIR_STORE_OPS_H

#include "store/audit.h"
#include "store/store.h"

/* Numbered texts: ticks and events as they are stored. */
struct text_rows {
	int64_t *numbers;
	char **texts;
	size_t count;
};
void text_rows_add(struct text_rows *t, int64_t number, const char *text);
void text_rows_finish(struct text_rows *t);

struct intent_row {
	int64_t intent, at_ms;
	char *kind, *payload; /* payload may be NULL */
};

struct store_ops {
	void (*close)(struct store *s);

	int (*run_put)(struct store *s, const struct run_record *run, const char *json, struct err *err);
	int (*run_get)(struct store *s, const char *key, char **ret_json, struct err *err);
	int (*run_list)(struct store *s, size_t limit, struct run_list *ret, struct err *err);
	int (*search_put)(struct store *s, const struct search_record *search, const char *json, struct err *err);
	int (*search_get)(struct store *s, const char *key, char **ret_json, struct err *err);
	int (*search_list)(struct store *s, size_t limit, struct search_list *ret, struct err *err);
	int (*baseline_set)(struct store *s, const char *name, const char *run_key, const char *actor, struct err *err);
	int (*baseline_get)(struct store *s, const char *name, char **ret_json, struct err *err);
	int (*baseline_list)(struct store *s, const char *name, struct baseline_list *ret, struct err *err);

	int (*lease_take)(struct store *s, const struct lease_ask *ask, int64_t *ret_token, char **ret_overridden,
	                  struct err *err);
	int (*lease_renew)(struct store *s, const char *service, const char *environment, int64_t token, dur_ns ttl,
	                   struct err *err);
	int (*lease_release)(struct store *s, const char *service, const char *environment, int64_t token,
	                     struct err *err);
	int (*lease_list)(struct store *s, struct lease_list *ret, struct err *err);

	int (*rollout_begin)(struct store *s, const struct rollout_record *r, const char *head, const char *plan,
	                     int64_t token, struct err *err);
	int (*rollout_update)(struct store *s, const struct rollout_record *r, const char *head, int64_t token,
	                      struct err *err);
	int (*rollout_find)(struct store *s, const char *key, char ret_id[ID_TEXT_BYTES], struct err *err);
	int (*rollout_active)(struct store *s, const char *service, const char *environment, char ret_id[ID_TEXT_BYTES],
	                      struct err *err);
	/* Either may be NULL. ERR_NOT_FOUND when there is no such rollout. */
	int (*rollout_get)(struct store *s, const char *id, char **ret_head, char **ret_plan, struct err *err);
	int (*rollout_list)(struct store *s, size_t limit, struct rollout_list *ret, struct err *err);

	int (*journal_intend)(struct store *s, const char *rollout, int64_t token, const char *kind,
	                      const char *payload, int64_t *ret_intent, struct err *err);
	int (*journal_outcome)(struct store *s, const char *rollout, int64_t token, int64_t intent, bool ok,
	                       const char *payload, struct err *err);
	int (*journal_open)(struct store *s, const char *rollout, struct intent_row *ret, struct err *err);

	int (*evidence_save)(struct store *s, const char *rollout, int64_t token, const struct text_rows *ticks,
	                     const char *snapshot, int64_t snapshot_tick, struct err *err);
	int (*evidence_load)(struct store *s, const char *rollout, char **ret_snapshot, int64_t *ret_tick,
	                     struct err *err);
	int (*tick_list)(struct store *s, const char *rollout, int64_t after, size_t limit, struct text_rows *ret,
	                 struct err *err);

	/* <row> has all but seq and the hashes. */
	int (*event_append)(struct store *s, int64_t token, const struct audit_row *row, int64_t *ret_seq,
	                    struct err *err);
	int (*event_list)(struct store *s, const char *rollout, int64_t after_seq, size_t limit, struct text_rows *ret,
	                  struct err *err);
	/* Gives every event in order of seq to <look> until it says false. */
	int (*event_walk)(struct store *s, bool (*look)(const struct audit_row *row, void *arg), void *arg,
	                  struct err *err);

	int (*request_put)(struct store *s, const char *rollout, const char *verb, const char *actor,
	                   const char *reason, int64_t *ret_number, struct err *err);
	int (*request_withdraw)(struct store *s, int64_t number, struct err *err);
	int (*request_take)(struct store *s, const char *rollout, int64_t token, struct operator_request *ret,
	                    struct err *err);
};

struct store {
	const struct store_ops *ops;
};

/* The back-ends. Given: store_close(). */
struct store *sqlite_store_open(const char *path, struct err *err);

static inline int64_t wall_ms(struct wall t)
{
	return t.ns / MILLISECOND;
}

static inline struct wall wall_from_ms(int64_t ms)
{
	return (struct wall){ ms * MILLISECOND };
}

#endif
