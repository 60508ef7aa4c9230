/* Tables runs and searches: the record as JSON, and beside it the columns that lists and keys need. */
#include <stdlib.h>
#include <string.h>

#include "store/sqlite/tables.h"

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static int duplicate(struct db *db, const char *what, const char *id, struct err *err)
{
	if (db_was_duplicate(db))
		err_set(err, ERR_STORE, "the %s %s is in the store already; records are not rewritten", what, id);
	return -1;
}

static int get_record(struct db *db, const char *sql, const char *id, char **ret_json, struct err *err)
{
	const int r = db_get_text(db, sql, ARGS(TEXT(id)), ret_json, err);
	return r == 0 ? err_set(err, ERR_NOT_FOUND, "no record '%s' in the store", id) : r < 0 ? -1 : 0;
}

/* --- runs ------------------------------------------------------------------------------------------------------- */

int sqlite_run_put(struct store *s, const struct run_record *run, const char *json, struct err *err)
{
	const int r = db_run(db_of(s),
	                     "INSERT INTO runs (id, name, started_at, verdict, validity, record)"
	                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	                     ARGS(TEXT(run->id), TEXT(or_empty(run->name)), INT(wall_ms(run->started_at)),
	                          TEXT(run_verdict_text(run->verdict)), TEXT(run_validity_text(run->validity)),
	                          TEXT(json)),
	                     err);
	return r < 0 ? duplicate(db_of(s), "run", run->id, err) : 0;
}

int sqlite_run_get(struct store *s, const char *key, char **ret_json, struct err *err)
{
	char id[ID_TEXT_BYTES];
	if (find_id(db_of(s), "runs", "name", "run", key, id, err) < 0)
		return -1;
	return get_record(db_of(s), "SELECT record FROM runs WHERE id = ?1", id, ret_json, err);
}

static enum run_verdict verdict_of(const char *text)
{
	for (enum run_verdict v = RUN_MET; v < RUN_ABORTED; v++)
		if (strcmp(run_verdict_text(v), text) == 0)
			return v;
	return RUN_ABORTED;
}

static enum run_validity validity_of(const char *text)
{
	for (enum run_validity v = RUN_VALID; v < RUN_NOT_VALID; v++)
		if (strcmp(run_validity_text(v), text) == 0)
			return v;
	return RUN_NOT_VALID;
}

int sqlite_run_list(struct store *s, size_t limit, struct run_list *ret, struct err *err)
{
	struct query *q = db_query(db_of(s),
	                           "SELECT id, name, started_at, verdict, validity FROM runs"
	                           " ORDER BY started_at DESC, id DESC LIMIT ?1",
	                           ARGS(INT(limit_of(limit))), err);
	int r;
	while ((r = query_next(q, err)) > 0) {
		ret->rows = rows_grow(ret->rows, ret->count, sizeof(*ret->rows));
		struct run_row *row = &ret->rows[ret->count++];
		snprintf(row->id, sizeof(row->id), "%s", query_text(q, 0));
		row->name = query_copy(q, 1);
		row->started_at = wall_from_ms(query_int(q, 2));
		row->verdict = verdict_of(query_text(q, 3));
		row->validity = validity_of(query_text(q, 4));
	}
	query_finish(q);
	return r;
}

/* --- searches --------------------------------------------------------------------------------------------------- */

int sqlite_search_put(struct store *s, const struct search_record *search, const char *json, struct err *err)
{
	const int r = db_run(db_of(s),
	                     "INSERT INTO searches (id, name, started_at, verified, answer, record)"
	                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	                     ARGS(TEXT(search->id), TEXT(or_empty(search->name)), INT(wall_ms(search->started_at)),
	                          REAL(search->verified), TEXT(or_empty(search->answer)), TEXT(json)),
	                     err);
	return r < 0 ? duplicate(db_of(s), "search", search->id, err) : 0;
}

int sqlite_search_get(struct store *s, const char *key, char **ret_json, struct err *err)
{
	char id[ID_TEXT_BYTES];
	if (find_id(db_of(s), "searches", "name", "search", key, id, err) < 0)
		return -1;
	return get_record(db_of(s), "SELECT record FROM searches WHERE id = ?1", id, ret_json, err);
}

int sqlite_search_list(struct store *s, size_t limit, struct search_list *ret, struct err *err)
{
	struct query *q = db_query(db_of(s),
	                           "SELECT id, name, started_at, verified, answer FROM searches"
	                           " ORDER BY started_at DESC, id DESC LIMIT ?1",
	                           ARGS(INT(limit_of(limit))), err);
	int r;
	while ((r = query_next(q, err)) > 0) {
		ret->rows = rows_grow(ret->rows, ret->count, sizeof(*ret->rows));
		struct search_row *row = &ret->rows[ret->count++];
		snprintf(row->id, sizeof(row->id), "%s", query_text(q, 0));
		row->name = query_copy(q, 1);
		row->started_at = wall_from_ms(query_int(q, 2));
		row->verified = query_real(q, 3);
		row->answer = query_copy(q, 4);
	}
	query_finish(q);
	return r;
}
