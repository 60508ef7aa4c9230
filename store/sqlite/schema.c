/* STRICT knows no BIGINT: INTEGER here, BIGINT in PostgreSQL. All times are epoch milliseconds. */
#include "store/sqlite/schema.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "store/audit.h"

/* "weir" in the file's header, so that file(1) and we know whose it is. */
#define APPLICATION_ID 2003134834

/* Applied migrations are never edited: their checksum is in every database out there. */
static const char *const migrations[] = {
	/* 1: everything that the first version keeps */
	"CREATE TABLE runs (id TEXT PRIMARY KEY, name TEXT NOT NULL, started_at INTEGER NOT NULL,"
	" verdict TEXT NOT NULL, validity TEXT NOT NULL CHECK (validity IN ('valid','suspect','invalid')),"
	" record TEXT NOT NULL CHECK (json_valid(record))) STRICT;"
	"CREATE INDEX runs_by_start ON runs(started_at);"
	"CREATE INDEX runs_by_name ON runs(name, started_at);"

	"CREATE TABLE searches (id TEXT PRIMARY KEY, name TEXT NOT NULL, started_at INTEGER NOT NULL,"
	" verified REAL NOT NULL, answer TEXT NOT NULL, record TEXT NOT NULL CHECK (json_valid(record))) STRICT;"
	"CREATE INDEX searches_by_start ON searches(started_at);"

	"CREATE TABLE baselines (seq INTEGER PRIMARY KEY, name TEXT NOT NULL, run_id TEXT NOT NULL REFERENCES runs(id),"
	" set_at INTEGER NOT NULL, actor TEXT NOT NULL) STRICT;"
	"CREATE INDEX baselines_by_name ON baselines(name, seq);"

	"CREATE TABLE leases (service TEXT NOT NULL, environment TEXT NOT NULL, holder TEXT NOT NULL,"
	" token INTEGER NOT NULL CHECK (token > 0), taken_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,"
	" reason TEXT NOT NULL, PRIMARY KEY (service, environment)) STRICT;"

	"CREATE TABLE rollouts (id TEXT PRIMARY KEY, service TEXT NOT NULL, environment TEXT NOT NULL,"
	" stable_version TEXT NOT NULL, canary_version TEXT NOT NULL, actor TEXT NOT NULL,"
	" state TEXT NOT NULL, reason TEXT NOT NULL, unfinished INTEGER NOT NULL CHECK (unfinished IN (0, 1)),"
	" started_at INTEGER NOT NULL, finished_at INTEGER, token INTEGER NOT NULL,"
	" head TEXT NOT NULL CHECK (json_valid(head)), plan TEXT NOT NULL,"
	" snapshot TEXT CHECK (snapshot IS NULL OR json_valid(snapshot)), snapshot_tick INTEGER) STRICT;"
	"CREATE UNIQUE INDEX one_active_rollout ON rollouts(service, environment) WHERE unfinished = 1;"
	"CREATE INDEX rollouts_by_start ON rollouts(started_at);"

	"CREATE TABLE ticks (rollout TEXT NOT NULL REFERENCES rollouts(id), tick INTEGER NOT NULL,"
	" record TEXT NOT NULL CHECK (json_valid(record)), PRIMARY KEY (rollout, tick)) STRICT, WITHOUT ROWID;"

	"CREATE TABLE journal (intent INTEGER PRIMARY KEY AUTOINCREMENT, rollout TEXT NOT NULL REFERENCES rollouts(id),"
	" token INTEGER NOT NULL, kind TEXT NOT NULL,"
	" payload TEXT CHECK (payload IS NULL OR json_valid(payload)), at INTEGER NOT NULL,"
	" ok INTEGER CHECK (ok IN (0, 1)),"
	" outcome TEXT CHECK (outcome IS NULL OR json_valid(outcome)), outcome_at INTEGER,"
	" outcome_token INTEGER) STRICT;"
	"CREATE INDEX journal_open ON journal(rollout, intent) WHERE ok IS NULL;"

	"CREATE TABLE events (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, rollout TEXT REFERENCES rollouts(id),"
	" at INTEGER NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL CHECK (json_valid(body)),"
	" prev_hash TEXT NOT NULL, hash TEXT NOT NULL) STRICT;"
	"CREATE INDEX events_by_rollout ON events(rollout, seq);"
	"CREATE TRIGGER events_no_update BEFORE UPDATE ON events"
	" BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;"
	"CREATE TRIGGER events_no_delete BEFORE DELETE ON events"
	" BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;"

	"CREATE TABLE requests (number INTEGER PRIMARY KEY AUTOINCREMENT, rollout TEXT NOT NULL REFERENCES rollouts(id),"
	" verb TEXT NOT NULL, actor TEXT NOT NULL, reason TEXT, at INTEGER NOT NULL, seen_at INTEGER) STRICT;"
	"CREATE INDEX requests_unseen ON requests(rollout, number) WHERE seen_at IS NULL;",
};

/* 0: an empty file or one of ours; whose it is must be known before anything is written. */
static int check_owner(struct db *db, struct err *err)
{
	int64_t tables = 0, application = 0;
	if (db_get_int(db, "SELECT count(*) FROM sqlite_master", NO_ARGS, &tables, err) < 0 ||
	    db_get_int(db, "PRAGMA application_id", NO_ARGS, &application, err) < 0)
		return -1;
	if (application == APPLICATION_ID || (tables == 0 && application == 0))
		return 0;
	return err_set(err, ERR_STORE, "store '%s': it is the database of another program", db_path(db));
}

/* Compares what was applied with what we know; <ret_applied> is how many. */
static int check_applied(struct db *db, int64_t *ret_applied, struct err *err)
{
	const int64_t known = (int64_t)ARRAY_LEN(migrations);
	struct query *q = db_query(db, "SELECT version, checksum FROM schema_migrations ORDER BY version", NO_ARGS,
	                           err);
	int r, wrong = 0;
	*ret_applied = 0;
	while (!wrong && (r = query_next(q, err)) > 0) {
		const int64_t version = query_int(q, 0);
		char checksum[AUDIT_HASH_TEXT_BYTES];
		if (version > known) {
			wrong = err_set(err, ERR_STORE,
			                "store '%s': its schema has version %" PRId64 ", this weir knows up to %" PRId64
			                ": use the newer weir that wrote it",
			                db_path(db), version, known);
		} else if (version != *ret_applied + 1) {
			wrong = err_set(err, ERR_STORE, "store '%s': its schema lacks version %" PRId64, db_path(db),
			                *ret_applied + 1);
		} else {
			audit_text_hash(migrations[version - 1], checksum);
			if (strcmp(checksum, query_text(q, 1)) != 0)
				wrong = err_set(err, ERR_STORE,
				                "store '%s': version %" PRId64
				                " of its schema is not the one of this weir",
				                db_path(db), version);
		}
		*ret_applied = version;
	}
	query_finish(q);
	return wrong ? -1 : r;
}

static int apply(struct db *db, int64_t version, struct err *err)
{
	char checksum[AUDIT_HASH_TEXT_BYTES];
	audit_text_hash(migrations[version - 1], checksum);
	if (db_script(db, migrations[version - 1], err) < 0)
		return err_wrap(err, "bring the schema to version %" PRId64, version);
	return db_run(db,
	              "INSERT INTO schema_migrations (version, checksum, applied_at) VALUES (?1, ?2, " DB_NOW_MS ")",
	              ARGS(INT(version), TEXT(checksum)), err);
}

/* Everything is looked at again inside the transaction: another process may have been faster. */
static int apply_missing(struct db *db, struct err *err)
{
	int64_t applied = 0;
	if (check_owner(db, err) < 0 ||
	    db_script(db,
	              "CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY,"
	              " checksum TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT;"
	              "PRAGMA application_id = 2003134834",
	              err) < 0 ||
	    check_applied(db, &applied, err) < 0)
		return -1;
	while (applied < (int64_t)ARRAY_LEN(migrations))
		if (apply(db, ++applied, err) < 0)
			return -1;
	return 0;
}

int schema_update(struct db *db, struct err *err)
{
	int64_t there = 0, applied = 0;
	if (check_owner(db, err) < 0 || db_use_wal(db, err) < 0 ||
	    db_get_int(db, "SELECT count(*) FROM sqlite_master WHERE name = 'schema_migrations'", NO_ARGS, &there,
	               err) < 0)
		return -1;
	if (there && check_applied(db, &applied, err) < 0)
		return -1;
	if (applied == (int64_t)ARRAY_LEN(migrations))
		return 0; /* the usual case takes no write lock */
	if (db_begin(db, err) < 0)
		return -1;
	return db_end(db, apply_missing(db, err), err);
}
