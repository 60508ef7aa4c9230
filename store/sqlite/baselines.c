/* Table baselines: a row for each time a name was set; the last one is what it means now. */
#include <stdlib.h>
#include <string.h>

#include "store/sqlite/tables.h"

static int insert(struct db *db, const char *name, const char *run_id, const char *actor, struct err *err)
{
	char *validity = NULL;
	int r = db_get_text(db, "SELECT validity FROM runs WHERE id = ?1", ARGS(TEXT(run_id)), &validity, err);
	if (r > 0 && strcmp(validity, run_validity_text(RUN_NOT_VALID)) == 0)
		r = err_set(err, ERR_USAGE,
		            "run %s is invalid: the generator itself was the limit, so it cannot be a baseline",
		            run_id);
	free(validity);
	if (r <= 0)
		return -1;
	return db_run(db, "INSERT INTO baselines (name, run_id, set_at, actor) VALUES (?1, ?2, " DB_NOW_MS ", ?3)",
	              ARGS(TEXT(name), TEXT(run_id), TEXT(actor)), err);
}

int sqlite_baseline_set(struct store *s, const char *name, const char *run_key, const char *actor, struct err *err)
{
	struct db *db = db_of(s);
	char id[ID_TEXT_BYTES];
	if (find_id(db, "runs", "name", "run", run_key, id, err) < 0 || db_begin(db, err) < 0)
		return -1;
	return db_end(db, insert(db, name, id, actor, err), err);
}

int sqlite_baseline_get(struct store *s, const char *name, char **ret_json, struct err *err)
{
	const int r = db_get_text(db_of(s),
	                          "SELECT r.record FROM baselines b JOIN runs r ON r.id = b.run_id WHERE b.name = ?1"
	                          " ORDER BY b.seq DESC LIMIT 1",
	                          ARGS(TEXT(name)), ret_json, err);
	return r == 0 ? err_set(err, ERR_NOT_FOUND, "no baseline '%s' in the store", name) : r < 0 ? -1 : 0;
}

int sqlite_baseline_list(struct store *s, const char *name, struct baseline_list *ret, struct err *err)
{
	struct query *q = db_query(db_of(s),
	                           "SELECT b.name, b.run_id, b.set_at, b.actor, r.name, r.started_at"
	                           " FROM baselines b JOIN runs r ON r.id = b.run_id WHERE CASE WHEN ?1 IS NULL"
	                           " THEN b.seq = (SELECT max(seq) FROM baselines n WHERE n.name = b.name)"
	                           " ELSE b.name = ?1 END ORDER BY b.name, b.seq DESC",
	                           ARGS(TEXT(name)), err);
	int r;
	while ((r = query_next(q, err)) > 0) {
		ret->rows = rows_grow(ret->rows, ret->count, sizeof(*ret->rows));
		struct baseline_row *row = &ret->rows[ret->count++];
		row->name = query_copy(q, 0);
		snprintf(row->run_id, sizeof(row->run_id), "%s", query_text(q, 1));
		row->set_at = wall_from_ms(query_int(q, 2));
		row->actor = query_copy(q, 3);
		row->run_name = query_copy(q, 4);
		row->run_started_at = wall_from_ms(query_int(q, 5));
	}
	query_finish(q);
	return r;
}
