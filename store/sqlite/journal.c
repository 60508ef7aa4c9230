/* Tables journal and requests: what the controller is about to do, and what people ask it to do. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/sqlite/tables.h"

/* --- journal ---------------------------------------------------------------------------------------------------- */

static int intend(struct db *db, const char *rollout, int64_t token, const char *kind, const char *payload,
                  int64_t *ret_intent, struct err *err)
{
	if (lease_check_rollout(db, rollout, token, err) < 0)
		return -1;
	return db_get_int(db,
	                  "INSERT INTO journal (rollout, token, kind, payload, at)"
	                  " VALUES (?1, ?2, ?3, ?4, " DB_NOW_MS ") RETURNING intent",
	                  ARGS(TEXT(rollout), INT(token), TEXT(kind), TEXT(payload)), ret_intent, err) > 0
	               ? 0
	               : -1;
}

int sqlite_journal_intend(struct store *s, const char *rollout, int64_t token, const char *kind, const char *payload,
                          int64_t *ret_intent, struct err *err)
{
	struct db *db = db_of(s);
	if (db_begin(db, err) < 0)
		return -1;
	return db_end(db, intend(db, rollout, token, kind, payload, ret_intent, err), err);
}

static int outcome(struct db *db, const char *rollout, int64_t token, int64_t intent, bool ok, const char *payload,
                   struct err *err)
{
	if (lease_check_rollout(db, rollout, token, err) < 0)
		return -1;
	if (db_run(db,
	           "UPDATE journal SET ok = ?3, outcome = ?4, outcome_at = " DB_NOW_MS ", outcome_token = ?5"
	           " WHERE intent = ?1 AND rollout = ?2 AND ok IS NULL",
	           ARGS(INT(intent), TEXT(rollout), INT(ok), TEXT(payload), INT(token)), err) < 0)
		return -1;
	if (db_changes(db) == 1)
		return 0;
	return err_set(err, ERR_STORE, "intent %" PRId64 " of rollout %s does not wait for an outcome", intent,
	               rollout);
}

int sqlite_journal_outcome(struct store *s, const char *rollout, int64_t token, int64_t intent, bool ok,
                           const char *payload, struct err *err)
{
	struct db *db = db_of(s);
	if (db_begin(db, err) < 0)
		return -1;
	return db_end(db, outcome(db, rollout, token, intent, ok, payload, err), err);
}

int sqlite_journal_open(struct store *s, const char *rollout, struct intent_row *ret, struct err *err)
{
	struct query *q = db_query(db_of(s),
	                           "SELECT intent, kind, payload, at FROM journal WHERE rollout = ?1 AND ok IS NULL"
	                           " ORDER BY intent DESC LIMIT 1",
	                           ARGS(TEXT(rollout)), err);
	const int r = query_next(q, err);
	if (r > 0)
		*ret = (struct intent_row){
			.intent = query_int(q, 0),
			.kind = query_copy(q, 1),
			.payload = query_text(q, 2) ? query_copy(q, 2) : NULL,
			.at_ms = query_int(q, 3),
		};
	query_finish(q);
	return r;
}

/* --- requests --------------------------------------------------------------------------------------------------- */

int sqlite_request_put(struct store *s, const char *rollout, const char *verb, const char *actor, const char *reason,
                       int64_t *ret_number, struct err *err)
{
	const int found = db_get_int(db_of(s),
	                             "INSERT INTO requests (rollout, verb, actor, reason, at)"
	                             " SELECT id, ?2, ?3, ?4, " DB_NOW_MS
	                             " FROM rollouts WHERE id = ?1 RETURNING number",
	                             ARGS(TEXT(rollout), TEXT(verb), TEXT(actor), TEXT(reason)), ret_number, err);
	if (found < 0)
		return -1;
	return found ? 0 : err_set(err, ERR_NOT_FOUND, "no rollout '%s' in the store", rollout);
}

int sqlite_request_withdraw(struct store *s, int64_t number, struct err *err)
{
	struct db *db = db_of(s);
	if (db_run(db, "DELETE FROM requests WHERE number = ?1 AND seen_at IS NULL", ARGS(INT(number)), err) < 0)
		return -1;
	return db_changes(db) == 1 ? 1 : 0;
}

static int verb_of(const char *text, enum operator_verb *ret)
{
	for (int v = 0; v < OPERATOR_VERB_COUNT; v++)
		if (strcmp(operator_verb_text((enum operator_verb)v), text) == 0) {
			*ret = (enum operator_verb)v;
			return 0;
		}
	return -1;
}

static int take(struct db *db, const char *rollout, int64_t token, struct operator_request *ret, struct err *err)
{
	if (lease_check_rollout(db, rollout, token, err) < 0)
		return -1;
	struct query *q = db_query(db,
	                           "UPDATE requests SET seen_at = " DB_NOW_MS " WHERE number ="
	                           " (SELECT min(number) FROM requests WHERE rollout = ?1 AND seen_at IS NULL)"
	                           " RETURNING number, verb, actor, reason, at",
	                           ARGS(TEXT(rollout)), err);
	int r = query_next(q, err);
	if (r > 0) {
		*ret = (struct operator_request){
			.number = query_int(q, 0),
			.actor = query_copy(q, 2),
			.reason = query_text(q, 3) ? query_copy(q, 3) : NULL,
			.at = wall_from_ms(query_int(q, 4)),
		};
		if (verb_of(query_text(q, 1), &ret->verb) < 0)
			r = err_set(err, ERR_STORE, "request %" PRId64 " is one that weir does not know: %s",
			            ret->number, query_text(q, 1));
	}
	query_finish(q);
	if (r < 0)
		operator_request_finish(ret);
	return r;
}

/* The usual answer is "none", each second: it is found without the write lock. */
int sqlite_request_take(struct store *s, const char *rollout, int64_t token, struct operator_request *ret,
                        struct err *err)
{
	struct db *db = db_of(s);
	int64_t waiting = 0;
	*ret = (struct operator_request){ 0 };
	const int r = db_get_int(db, "SELECT 1 FROM requests WHERE rollout = ?1 AND seen_at IS NULL LIMIT 1",
	                         ARGS(TEXT(rollout)), &waiting, err);
	if (r <= 0)
		return r;
	if (db_begin(db, err) < 0)
		return -1;
	const int done = db_end(db, take(db, rollout, token, ret, err), err);
	if (done < 0)
		operator_request_finish(ret);
	return done;
}
