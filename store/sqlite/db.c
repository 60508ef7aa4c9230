#include "store/sqlite/db.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"

#define BUSY_TIMEOUT_MS 5000

struct db {
	sqlite3 *handle;
	char *path;
	bool duplicate;
};

struct query {
	struct db *db;
	sqlite3_stmt *statement;
};

/* What a person can do something about gets a sentence of its own; the rest is SQLite's. */
static const char *sentence(int code)
{
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return "another process has been writing for more than 5 s; nothing was written";
	case SQLITE_FULL:
		return "the disk is full; nothing was written";
	case SQLITE_IOERR:
		return "the disk failed (I/O error); nothing was written";
	case SQLITE_READONLY:
		return "it cannot be written";
	case SQLITE_CANTOPEN:
		return "it cannot be opened";
	case SQLITE_NOTADB:
		return "it is not a database";
	case SQLITE_CORRUPT:
		return "the database is damaged";
	default:
		return NULL;
	}
}

static int fail(struct db *db, int code, struct err *err)
{
	const char *text = sentence(code);
	const int extended = sqlite3_extended_errcode(db->handle);
	db->duplicate = extended == SQLITE_CONSTRAINT_UNIQUE || extended == SQLITE_CONSTRAINT_PRIMARYKEY;
	if (text)
		return err_set(err, ERR_STORE, "store '%s': %s", db->path, text);
	return err_set(err, ERR_STORE, "store '%s': %s", db->path, sqlite3_errmsg(db->handle));
}

/* SQLite keeps the number of its last try, which was to open the file for reading only. */
static const char *why_not(const char *path, int number)
{
	struct stat there;
	if (stat(path, &there) == 0 && S_ISDIR(there.st_mode))
		return "it is a folder";
	char *folder = xstrdup(path), *slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
	const bool closed = access(path, F_OK) < 0 && access(slash ? folder : ".", W_OK | X_OK) < 0 && errno == EACCES;
	free(folder);
	return closed ? "its folder may not be written to" : strerror(number);
}

struct db *db_open(const char *path, struct err *err)
{
	struct db *db = xcalloc(1, sizeof(*db));
	db->path = xstrdup(path);
	const int code = sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	must(db->handle);
	if (code != SQLITE_OK) {
		const int number = sqlite3_system_errno(db->handle);
		fail(db, code, err);
		if (number)
			err_set(err, ERR_STORE, "store '%s': it cannot be opened: %s", path, why_not(path, number));
		goto failed;
	}
	sqlite3_extended_result_codes(db->handle, 1);
	sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
	if (sqlite3_db_readonly(db->handle, "main") == 1) {
		fail(db, SQLITE_READONLY, err);
		goto failed;
	}
	if (db_script(db, "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL", err) < 0)
		goto failed;
	return db;
failed:
	db_close(db);
	return NULL;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	/* A statement that is still open would make this fail: that is a bug of ours. */
	must(sqlite3_close(db->handle) == SQLITE_OK);
	free(db->path);
	free(db);
}

/* The switch to WAL needs the file alone for a moment, and SQLite does not wait for that by itself. */
int db_use_wal(struct db *db, struct err *err)
{
	const struct mono start = mono_now();
	for (;;) {
		char *mode = NULL;
		struct err why = { 0 };
		const int r = db_get_text(db, "PRAGMA journal_mode = WAL", NO_ARGS, &mode, &why);
		const bool on = r > 0 && mode && strcmp(mode, "wal") == 0;
		free(mode);
		if (on)
			return 0;
		const int code = sqlite3_errcode(db->handle) & 0xff;
		if ((code != SQLITE_BUSY && code != SQLITE_LOCKED) ||
		    mono_since(mono_now(), start) > BUSY_TIMEOUT_MS * MILLISECOND) {
			if (r < 0)
				return err_set(err, ERR_STORE, "%s", why.text);
			return err_set(err, ERR_STORE, "store '%s': its file system cannot share memory (WAL)",
			               db->path);
		}
		sqlite3_sleep(5);
	}
}

int db_script(struct db *db, const char *sql, struct err *err)
{
	const int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
	return code == SQLITE_OK ? 0 : fail(db, code, err);
}

static int bind(sqlite3_stmt *statement, int position, const struct arg *arg)
{
	if (arg->type == ARG_INT)
		return sqlite3_bind_int64(statement, position, arg->integer);
	if (arg->type == ARG_REAL)
		return sqlite3_bind_double(statement, position, arg->real);
	return sqlite3_bind_text(statement, position, arg->text, -1, SQLITE_TRANSIENT); /* NULL binds NULL */
}

struct query *db_query(struct db *db, const char *sql, const struct arg *args, struct err *err)
{
	struct query *q = xcalloc(1, sizeof(*q));
	q->db = db;
	int code = sqlite3_prepare_v2(db->handle, sql, -1, &q->statement, NULL);
	for (int i = 0; code == SQLITE_OK && args[i].type != ARG_END; i++)
		code = bind(q->statement, i + 1, &args[i]);
	if (code == SQLITE_OK)
		return q;
	fail(db, code, err);
	query_finish(q);
	return NULL;
}

int query_next(struct query *q, struct err *err)
{
	if (!q)
		return -1;
	const int code = sqlite3_step(q->statement);
	if (code == SQLITE_ROW)
		return 1;
	return code == SQLITE_DONE ? 0 : fail(q->db, code, err);
}

const char *query_text(struct query *q, int column)
{
	return (const char *)sqlite3_column_text(q->statement, column);
}

bool query_text_is_cut(struct query *q, int column)
{
	const char *text = query_text(q, column);
	return text && strlen(text) != (size_t)sqlite3_column_bytes(q->statement, column);
}

int64_t query_int(struct query *q, int column)
{
	return sqlite3_column_int64(q->statement, column);
}

double query_real(struct query *q, int column)
{
	return sqlite3_column_double(q->statement, column);
}

void query_finish(struct query *q)
{
	if (!q)
		return;
	sqlite3_finalize(q->statement); /* its code repeats the last step's */
	free(q);
}

int db_run(struct db *db, const char *sql, const struct arg *args, struct err *err)
{
	struct query *q = db_query(db, sql, args, err);
	int r;
	while ((r = query_next(q, err)) > 0)
		;
	query_finish(q);
	return r;
}

const char *db_path(const struct db *db)
{
	return db->path;
}

int64_t db_changes(const struct db *db)
{
	return sqlite3_changes(db->handle);
}

bool db_was_duplicate(const struct db *db)
{
	return db->duplicate;
}

int db_get_int(struct db *db, const char *sql, const struct arg *args, int64_t *ret, struct err *err)
{
	struct query *q = db_query(db, sql, args, err);
	const int r = query_next(q, err);
	if (r > 0)
		*ret = query_int(q, 0);
	query_finish(q);
	return r;
}

int db_get_text(struct db *db, const char *sql, const struct arg *args, char **ret, struct err *err)
{
	struct query *q = db_query(db, sql, args, err);
	const int r = query_next(q, err);
	const char *text = r > 0 ? query_text(q, 0) : NULL;
	if (r > 0)
		*ret = text ? xstrdup(text) : NULL;
	query_finish(q);
	return r;
}

int db_begin(struct db *db, struct err *err)
{
	return db_script(db, "BEGIN IMMEDIATE", err);
}

int db_end(struct db *db, int r, struct err *err)
{
	if (r >= 0 && db_script(db, "COMMIT", err) == 0)
		return r;
	/* Some failures (full disk, I/O) have undone it already; then there is nothing left to undo. */
	if (!sqlite3_get_autocommit(db->handle))
		db_script(db, "ROLLBACK", NULL);
	return -1;
}
