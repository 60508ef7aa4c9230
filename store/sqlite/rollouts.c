/* Table rollouts: the head as JSON, and the columns that lists, keys and the index one_active_rollout need. */
#include <stdlib.h>
#include <string.h>

#include "store/sqlite/tables.h"

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static int64_t unfinished(const struct rollout_record *r)
{
	return store_rollout_unfinished(r->state);
}

/* A failed write that broke one_active_rollout: says which rollout is in the way. */
static int other_active(struct db *db, const struct rollout_record *r, struct err *err)
{
	char *other = NULL;
	if (!db_was_duplicate(db))
		return -1;
	if (db_get_text(
		    db,
		    "SELECT id FROM rollouts WHERE service = ?1 AND environment = ?2 AND unfinished = 1 AND id <> ?3",
		    ARGS(TEXT(r->service), TEXT(r->environment), TEXT(r->id)), &other, NULL) > 0)
		err_set(err, ERR_BUSY, "rollout %s of %s/%s is not finished", other, r->service, r->environment);
	else
		err_set(err, ERR_STORE, "rollout %s is in the store already", r->id);
	free(other);
	return -1;
}

static int insert(struct db *db, const struct rollout_record *r, const char *head, const char *plan, int64_t token,
                  struct err *err)
{
	if (lease_check(db, r->service, r->environment, token, err) < 0)
		return -1;
	const int done = db_run(
		db,
		"INSERT INTO rollouts (id, service, environment, stable_version, canary_version, actor,"
		" state, reason, unfinished, started_at, token, head, plan)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
		ARGS(TEXT(r->id), TEXT(r->service), TEXT(r->environment), TEXT(or_empty(r->arms[ARM_STABLE].version)),
	             TEXT(or_empty(r->arms[ARM_CANARY].version)), TEXT(or_empty(r->actor)),
	             TEXT(rollout_state_text(r->state)), TEXT(rollout_reason_text(r->reason)), INT(unfinished(r)),
	             INT(wall_ms(r->started_at)), INT(token), TEXT(head), TEXT(plan)),
		err);
	return done < 0 ? other_active(db, r, err) : 0;
}

int sqlite_rollout_begin(struct store *s, const struct rollout_record *r, const char *head, const char *plan,
                         int64_t token, struct err *err)
{
	struct db *db = db_of(s);
	if (db_begin(db, err) < 0)
		return -1;
	return db_end(db, insert(db, r, head, plan, token, err), err);
}

static int update(struct db *db, const struct rollout_record *r, const char *head, int64_t token, struct err *err)
{
	if (lease_check_rollout(db, r->id, token, err) < 0)
		return -1;
	const int done = db_run(
		db,
		"UPDATE rollouts SET state = ?2, reason = ?3, unfinished = ?4, finished_at = ?5, token = ?6,"
		" head = ?7 WHERE id = ?1",
		ARGS(TEXT(r->id), TEXT(rollout_state_text(r->state)), TEXT(rollout_reason_text(r->reason)),
	             INT(unfinished(r)), INT(wall_ms(r->finished_at)), INT(token), TEXT(head)),
		err);
	return done < 0 ? other_active(db, r, err) : 0;
}

int sqlite_rollout_update(struct store *s, const struct rollout_record *r, const char *head, int64_t token,
                          struct err *err)
{
	struct db *db = db_of(s);
	if (db_begin(db, err) < 0)
		return -1;
	return db_end(db, update(db, r, head, token, err), err);
}

int sqlite_rollout_find(struct store *s, const char *key, char ret_id[ID_TEXT_BYTES], struct err *err)
{
	return find_id(db_of(s), "rollouts", "service", "rollout", key, ret_id, err);
}

int sqlite_rollout_active(struct store *s, const char *service, const char *environment, char ret_id[ID_TEXT_BYTES],
                          struct err *err)
{
	struct query *q = db_query(db_of(s),
	                           "SELECT id FROM rollouts WHERE service = ?1 AND environment = ?2 AND unfinished = 1",
	                           ARGS(TEXT(service), TEXT(environment)), err);
	const int r = query_next(q, err);
	if (r > 0)
		snprintf(ret_id, ID_TEXT_BYTES, "%s", query_text(q, 0));
	query_finish(q);
	return r;
}

int sqlite_rollout_get(struct store *s, const char *id, char **ret_head, char **ret_plan, struct err *err)
{
	struct query *q = db_query(db_of(s), "SELECT head, plan FROM rollouts WHERE id = ?1", ARGS(TEXT(id)), err);
	int r = query_next(q, err);
	if (r > 0 && ret_head)
		*ret_head = query_copy(q, 0);
	if (r > 0 && ret_plan)
		*ret_plan = query_copy(q, 1);
	query_finish(q);
	if (r == 0)
		return err_set(err, ERR_NOT_FOUND, "no rollout '%s' in the store", id);
	return r < 0 ? -1 : 0;
}

static enum rollout_reason reason_of(const char *text)
{
	for (int i = 0; i < REASON_COUNT; i++)
		if (strcmp(rollout_reason_text((enum rollout_reason)i), text) == 0)
			return (enum rollout_reason)i;
	return REASON_NONE;
}

int sqlite_rollout_list(struct store *s, size_t limit, struct rollout_list *ret, struct err *err)
{
	struct query *q = db_query(
		db_of(s),
		"SELECT id, service, environment, stable_version, canary_version, actor, state, reason,"
		" started_at, finished_at FROM rollouts ORDER BY started_at DESC, id DESC LIMIT ?1",
		ARGS(INT(limit_of(limit))), err);
	int r;
	while ((r = query_next(q, err)) > 0) {
		ret->rows = rows_grow(ret->rows, ret->count, sizeof(*ret->rows));
		struct rollout_row *row = &ret->rows[ret->count++];
		*row = (struct rollout_row){
			.service = query_copy(q, 1),
			.environment = query_copy(q, 2),
			.stable_version = query_copy(q, 3),
			.canary_version = query_copy(q, 4),
			.actor = query_copy(q, 5),
			.reason = reason_of(query_text(q, 7)),
			.started_at = wall_from_ms(query_int(q, 8)),
			.finished_at = wall_from_ms(query_int(q, 9)),
		};
		snprintf(row->id, sizeof(row->id), "%s", query_text(q, 0));
		if (!rollout_state_parse(query_text(q, 6), &row->state)) {
			r = err_set(err, ERR_STORE, "rollout %s has a state that weir does not know: %s", row->id,
			            query_text(q, 6));
			break;
		}
	}
	query_finish(q);
	return r;
}
