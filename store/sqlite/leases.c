/* Table leases: one row per (service, environment) for ever, so that its token only grows. A released lease keeps its
 * row, with no holder and an expiry of 0. Each step is one statement that reads the clock itself: two processes that
 * take at the same moment are put in order by the database, and both go by the same clock. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/sqlite/tables.h"

static int64_t ttl_ms(dur_ns ttl)
{
	return ttl / MILLISECOND;
}

/* Why not: fills ERR_BUSY with holder, reason and age. */
static int busy(struct db *db, const struct lease_ask *ask, struct err *err)
{
	struct query *q = db_query(db,
	                           "SELECT holder, reason, (" DB_NOW_MS " - taken_at) / 1000,"
	                           " (expires_at - " DB_NOW_MS ") / 1000"
	                           " FROM leases WHERE service = ?1 AND environment = ?2",
	                           ARGS(TEXT(ask->service), TEXT(ask->environment)), err);
	if (query_next(q, err) > 0)
		err_set(err, ERR_BUSY,
		        "%s/%s has been held by %s (%s) for %" PRId64 " s; its lease ends in %" PRId64 " s",
		        ask->service, ask->environment, query_text(q, 0), query_text(q, 1), query_int(q, 2),
		        query_int(q, 3));
	query_finish(q);
	return -1;
}

static int take(struct db *db, const struct lease_ask *ask, int64_t *ret_token, char **ret_overridden, struct err *err)
{
	if (db_get_text(db,
	                "SELECT holder FROM leases WHERE service = ?1 AND environment = ?2 AND holder <> ''"
	                " AND holder <> ?3 AND expires_at >= " DB_NOW_MS,
	                ARGS(TEXT(ask->service), TEXT(ask->environment), TEXT(ask->holder)), ret_overridden, err) < 0)
		return -1;
	const int r = db_get_int(
		db,
		"INSERT INTO leases (service, environment, holder, token, taken_at, expires_at, reason)"
		" VALUES (?1, ?2, ?3, 1, " DB_NOW_MS ", " DB_NOW_MS " + ?4, ?5)"
		" ON CONFLICT (service, environment) DO UPDATE SET holder = excluded.holder, token = leases.token + 1,"
		" taken_at = excluded.taken_at, expires_at = excluded.expires_at, reason = excluded.reason"
		" WHERE leases.expires_at < " DB_NOW_MS " OR leases.holder = excluded.holder OR ?6 RETURNING token",
		ARGS(TEXT(ask->service), TEXT(ask->environment), TEXT(ask->holder), INT(ttl_ms(ask->ttl)),
	             TEXT(ask->reason ? ask->reason : "no reason given"), INT(ask->override)),
		ret_token, err);
	if (r == 0)
		return busy(db, ask, err);
	return r < 0 ? -1 : 0;
}

int sqlite_lease_take(struct store *s, const struct lease_ask *ask, int64_t *ret_token, char **ret_overridden,
                      struct err *err)
{
	struct db *db = db_of(s);
	if (db_begin(db, err) < 0)
		return -1;
	return db_end(db, take(db, ask, ret_token, ret_overridden, err), err);
}

int lease_check(struct db *db, const char *service, const char *environment, int64_t token, struct err *err)
{
	struct query *q = db_query(db, "SELECT token, holder FROM leases WHERE service = ?1 AND environment = ?2",
	                           ARGS(TEXT(service), TEXT(environment)), err);
	int r = query_next(q, err);
	const int64_t newest = r > 0 ? query_int(q, 0) : 0;
	if (r >= 0 && newest == token)
		r = 0;
	else if (r >= 0)
		r = err_set(err, ERR_STALE,
		            "the lease of %s/%s with token %" PRId64 " is over: %s has it with token %" PRId64, service,
		            environment, token, r > 0 && query_text(q, 1)[0] ? query_text(q, 1) : "nobody", newest);
	query_finish(q);
	return r;
}

int lease_check_rollout(struct db *db, const char *rollout, int64_t token, struct err *err)
{
	struct query *q = db_query(db, "SELECT service, environment FROM rollouts WHERE id = ?1", ARGS(TEXT(rollout)),
	                           err);
	int r = query_next(q, err);
	if (r > 0)
		r = lease_check(db, query_text(q, 0), query_text(q, 1), token, err);
	else if (r == 0)
		r = err_set(err, ERR_NOT_FOUND, "no rollout '%s' in the store", rollout);
	query_finish(q);
	return r;
}

static int change(struct db *db, const char *sql, const char *service, const char *environment, int64_t token,
                  int64_t number, struct err *err)
{
	if (lease_check(db, service, environment, token, err) < 0)
		return -1;
	if (db_run(db, sql, ARGS(TEXT(service), TEXT(environment), INT(number)), err) < 0)
		return -1;
	if (db_changes(db) == 1)
		return 0;
	return err_set(err, ERR_STALE, "the lease of %s/%s with token %" PRId64 " was released", service, environment,
	               token);
}

int sqlite_lease_renew(struct store *s, const char *service, const char *environment, int64_t token, dur_ns ttl,
                       struct err *err)
{
	struct db *db = db_of(s);
	if (db_begin(db, err) < 0)
		return -1;
	return db_end(db,
	              change(db,
	                     "UPDATE leases SET expires_at = " DB_NOW_MS " + ?3"
	                     " WHERE service = ?1 AND environment = ?2 AND holder <> ''",
	                     service, environment, token, ttl_ms(ttl), err),
	              err);
}

int sqlite_lease_release(struct store *s, const char *service, const char *environment, int64_t token, struct err *err)
{
	struct db *db = db_of(s);
	if (db_begin(db, err) < 0)
		return -1;
	return db_end(db,
	              change(db,
	                     "UPDATE leases SET holder = '', expires_at = ?3"
	                     " WHERE service = ?1 AND environment = ?2 AND holder <> ''",
	                     service, environment, token, 0, err),
	              err);
}

int sqlite_lease_list(struct store *s, struct lease_list *ret, struct err *err)
{
	struct query *q = db_query(db_of(s),
	                           "SELECT service, environment, holder, reason, token, taken_at, expires_at,"
	                           " holder <> '' AND expires_at >= " DB_NOW_MS
	                           " FROM leases ORDER BY service, environment",
	                           NO_ARGS, err);
	int r;
	while ((r = query_next(q, err)) > 0) {
		ret->rows = rows_grow(ret->rows, ret->count, sizeof(*ret->rows));
		ret->rows[ret->count++] = (struct lease_row){
			.service = query_copy(q, 0),
			.environment = query_copy(q, 1),
			.holder = query_copy(q, 2),
			.reason = query_copy(q, 3),
			.token = query_int(q, 4),
			.taken_at = wall_from_ms(query_int(q, 5)),
			.expires_at = wall_from_ms(query_int(q, 6)),
			.held = query_int(q, 7) != 0,
		};
	}
	query_finish(q);
	return r;
}
