/* schema.h: the tables, as a row of migrations that are only ever added to. Threads: one. */
#ifndef WEIR_STORE_SQLITE_SCHEMA_H
#define WEIR_STORE_SQLITE_SCHEMA_H

#include "store/sqlite/db.h"

/* Refuses a file that is somebody else's database and a schema newer than this program knows; else applies what is
 * missing, each migration in a transaction with its row in schema_migrations. Two processes may do it at once. */
int schema_update(struct db *db, struct err *err);

#endif
