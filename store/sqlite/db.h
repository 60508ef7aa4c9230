/* db.h: the only door to SQLite: statements with typed arguments, transactions, and failures as sentences.
 *
 * Every statement is prepared, used and finalized in one go: weir writes a few rows a second, and so none is forgotten.
 *
 *     struct query *q = db_query(db, "SELECT name FROM runs WHERE id = ?1", ARGS(TEXT(id)), err);
 *     while ((r = query_next(q, err)) > 0)
 *         ... query_text(q, 0) ...
 *     query_finish(q);
 *
 * A NULL query is fine everywhere: query_next then answers -1, and the error is that of db_query. Threads: one. */
#ifndef WEIR_STORE_SQLITE_DB_H
#define WEIR_STORE_SQLITE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct db;
struct query;

struct arg {
	enum { ARG_END, ARG_TEXT, ARG_INT, ARG_REAL } type;
	const char *text; /* NULL: SQL NULL */
	int64_t integer;
	double real;
};
#define TEXT(t)                               \
	{                                     \
		.type = ARG_TEXT, .text = (t) \
	}
#define INT(i)                                  \
	{                                       \
		.type = ARG_INT, .integer = (i) \
	}
#define REAL(r)                               \
	{                                     \
		.type = ARG_REAL, .real = (r) \
	}
#define ARGS(...) ((const struct arg[]){ __VA_ARGS__, { .type = ARG_END } })
#define NO_ARGS ((const struct arg[]){ { .type = ARG_END } })

/* Opens or makes the file and sets the connection up; WAL is switched on by db_use_wal, once we know the file is ours.
 * Given: db_close(). */
struct db *db_open(const char *path, struct err *err);
void db_close(struct db *db);
const char *db_path(const struct db *db);
int db_use_wal(struct db *db, struct err *err);

/* Runs one or more statements without arguments. */
int db_script(struct db *db, const char *sql, struct err *err);
/* Runs one statement; its rows are dropped. */
int db_run(struct db *db, const char *sql, const struct arg *args, struct err *err);
int64_t db_changes(const struct db *db); /* rows of the last INSERT, UPDATE or DELETE */
/* The last failure was that of a UNIQUE index or primary key. */
bool db_was_duplicate(const struct db *db);

struct query *db_query(struct db *db, const char *sql, const struct arg *args, struct err *err);
int query_next(struct query *q, struct err *err);    /* 1 a row, 0 the end, -1 */
const char *query_text(struct query *q, int column); /* borrowed until query_next; NULL for SQL NULL */
bool query_text_is_cut(struct query *q, int column); /* it goes on behind a zero byte */
int64_t query_int(struct query *q, int column);
double query_real(struct query *q, int column);
void query_finish(struct query *q);

/* The first column of the first row: 1 found, 0 none, -1. The text is given: free(), and NULL for SQL NULL. */
int db_get_int(struct db *db, const char *sql, const struct arg *args, int64_t *ret, struct err *err);
int db_get_text(struct db *db, const char *sql, const struct arg *args, char **ret, struct err *err);

/* BEGIN IMMEDIATE: waits for other writers here and not in the middle. db_end commits when <r> is not negative, else
 * undoes everything; it returns <r>, or -1 when the commit failed and nothing is there.
 *
 *     if (db_begin(db, err) < 0)
 *         return -1;
 *     return db_end(db, write_all_of_it(db, err), err); */
int db_begin(struct db *db, struct err *err);
int db_end(struct db *db, int r, struct err *err);

/* Now in epoch milliseconds, for use inside a statement: the database's clock is the one all processes share. */
#define DB_NOW_MS "CAST(round((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER)"

#endif
