/* Ticks, snapshots and events: what grows while a rollout runs. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"
#include "store/sqlite/tables.h"

static int list_texts(struct query *q, struct text_rows *ret, struct err *err)
{
	int r;
	while ((r = query_next(q, err)) > 0)
		text_rows_add(ret, query_int(q, 0), query_text(q, 1));
	query_finish(q);
	return r;
}

/* --- ticks and snapshot ----------------------------------------------------------------------------------------- */

static int save_ticks(struct db *db, const char *rollout, const struct text_rows *ticks, struct err *err)
{
	int64_t newest = -1;
	if (db_get_int(db, "SELECT coalesce(max(tick), -1) FROM ticks WHERE rollout = ?1", ARGS(TEXT(rollout)), &newest,
	               err) < 0)
		return -1;
	for (size_t i = 0; i < ticks->count; i++) {
		const int64_t tick = ticks->numbers[i];
		if (tick <= newest)
			return err_set(err, ERR_STORE,
			               "tick %" PRId64 " of rollout %s comes after tick %" PRId64
			               ": a tick number is never used twice",
			               tick, rollout, newest);
		if (db_run(db, "INSERT INTO ticks (rollout, tick, record) VALUES (?1, ?2, ?3)",
		           ARGS(TEXT(rollout), INT(tick), TEXT(ticks->texts[i])), err) < 0)
			return -1;
		newest = tick;
	}
	return 0;
}

static int save(struct db *db, const char *rollout, int64_t token, const struct text_rows *ticks, const char *snapshot,
                int64_t snapshot_tick, struct err *err)
{
	if (lease_check_rollout(db, rollout, token, err) < 0 || save_ticks(db, rollout, ticks, err) < 0)
		return -1;
	if (!snapshot)
		return 0;
	return db_run(db, "UPDATE rollouts SET snapshot = ?2, snapshot_tick = ?3 WHERE id = ?1",
	              ARGS(TEXT(rollout), TEXT(snapshot), INT(snapshot_tick)), err);
}

int sqlite_evidence_save(struct store *s, const char *rollout, int64_t token, const struct text_rows *ticks,
                         const char *snapshot, int64_t snapshot_tick, struct err *err)
{
	struct db *db = db_of(s);
	if (db_begin(db, err) < 0)
		return -1;
	return db_end(db, save(db, rollout, token, ticks, snapshot, snapshot_tick, err), err);
}

int sqlite_evidence_load(struct store *s, const char *rollout, char **ret_snapshot, int64_t *ret_tick, struct err *err)
{
	struct query *q = db_query(db_of(s), "SELECT snapshot, snapshot_tick FROM rollouts WHERE id = ?1",
	                           ARGS(TEXT(rollout)), err);
	int r = query_next(q, err);
	if (r == 0)
		r = err_set(err, ERR_NOT_FOUND, "no rollout '%s' in the store", rollout);
	else if (r > 0 && !query_text(q, 0))
		r = 0;
	if (r > 0) {
		*ret_snapshot = query_copy(q, 0);
		*ret_tick = query_int(q, 1);
	}
	query_finish(q);
	return r;
}

int sqlite_tick_list(struct store *s, const char *rollout, int64_t after, size_t limit, struct text_rows *ret,
                     struct err *err)
{
	return list_texts(
		db_query(db_of(s),
	                 "SELECT tick, record FROM ticks WHERE rollout = ?1 AND tick > ?2 ORDER BY tick LIMIT ?3",
	                 ARGS(TEXT(rollout), INT(after), INT(limit_of(limit))), err),
		ret, err);
}

/* --- events ----------------------------------------------------------------------------------------------------- */

/* The end of the chain. Inside a transaction. */
static int last_link(struct db *db, int64_t *ret_seq, char ret_hash[AUDIT_HASH_TEXT_BYTES], struct err *err)
{
	struct query *q = db_query(db, "SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1", NO_ARGS, err);
	const int r = query_next(q, err);
	*ret_seq = r > 0 ? query_int(q, 0) : 0;
	snprintf(ret_hash, AUDIT_HASH_TEXT_BYTES, "%s", r > 0 ? query_text(q, 1) : AUDIT_FIRST_PREV);
	query_finish(q);
	return r < 0 ? -1 : 0;
}

static int append(struct db *db, int64_t token, const struct audit_row *row, int64_t *ret_seq, struct err *err)
{
	char prev[AUDIT_HASH_TEXT_BYTES], hash[AUDIT_HASH_TEXT_BYTES];
	int64_t last;
	if (token && lease_check_rollout(db, row->rollout, token, err) < 0)
		return -1;
	if (last_link(db, &last, prev, err) < 0)
		return -1;
	if (!audit_chain(prev, last + 1, row->body, hash))
		return err_set(err, ERR_STORE, "the audit chain is damaged at its end, event %" PRId64, last);
	if (db_run(db,
	           "INSERT INTO events (seq, id, rollout, at, type, body, prev_hash, hash)"
	           " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	           ARGS(INT(last + 1), TEXT(row->id), TEXT(row->rollout), INT(row->at_ms), TEXT(row->type),
	                TEXT(row->body), TEXT(prev), TEXT(hash)),
	           err) < 0)
		return -1;
	*ret_seq = last + 1;
	return 0;
}

int sqlite_event_append(struct store *s, int64_t token, const struct audit_row *row, int64_t *ret_seq, struct err *err)
{
	struct db *db = db_of(s);
	if (db_begin(db, err) < 0)
		return -1;
	return db_end(db, append(db, token, row, ret_seq, err), err);
}

int sqlite_event_list(struct store *s, const char *rollout, int64_t after_seq, size_t limit, struct text_rows *ret,
                      struct err *err)
{
	const char *sql = rollout ? "SELECT seq, body FROM events WHERE rollout = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3"
	                          : "SELECT seq, body FROM events WHERE ?1 IS NULL AND seq > ?2 ORDER BY seq LIMIT ?3";
	return list_texts(db_query(db_of(s), sql, ARGS(TEXT(rollout), INT(after_seq), INT(limit_of(limit))), err), ret,
	                  err);
}

int sqlite_event_walk(struct store *s, bool (*look)(const struct audit_row *row, void *arg), void *arg, struct err *err)
{
	struct query *q = db_query(db_of(s),
	                           "SELECT seq, at, id, rollout, type, body, prev_hash, hash FROM events ORDER BY seq",
	                           NO_ARGS, err);
	int r;
	while ((r = query_next(q, err)) > 0) {
		bool cut = false;
		for (int column = 2; column < 8; column++)
			cut = cut || query_text_is_cut(q, column);
		const struct audit_row row = {
			.cut = cut,
			.seq = query_int(q, 0),
			.at_ms = query_int(q, 1),
			.id = query_text(q, 2),
			.rollout = query_text(q, 3),
			.type = query_text(q, 4),
			.body = query_text(q, 5),
			.prev_hash = query_text(q, 6),
			.hash = query_text(q, 7),
		};
		if (!look(&row, arg))
			break;
	}
	query_finish(q);
	return r < 0 ? -1 : 0;
}
