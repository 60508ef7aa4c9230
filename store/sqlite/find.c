/* From what a person types to one id. The order is that of store.h: "last", a whole id, a name, the beginning of an
 * id. A name wins over the beginning of an id, because people give names on purpose. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/sqlite/tables.h"

#define PREFIX_MIN 4

/* 1 found, 0 none. <sql> has one %s for the table and one for the column of the name. */
static int first(struct db *db, const char *sql, const char *key, char ret_id[ID_TEXT_BYTES], struct err *err)
{
	struct query *q = db_query(db, sql, key ? ARGS(TEXT(key)) : NO_ARGS, err);
	const int r = query_next(q, err);
	if (r > 0)
		snprintf(ret_id, ID_TEXT_BYTES, "%s", query_text(q, 0));
	query_finish(q);
	return r;
}

/* Ids are upper case digits and letters; people may type them in lower case. */
static bool id_like(const char *key, char ret_upper[ID_TEXT_BYTES])
{
	const size_t len = strlen(key);
	if (len < PREFIX_MIN || len >= ID_TEXT_BYTES)
		return false;
	for (size_t i = 0; i <= len; i++)
		ret_upper[i] = key[i] >= 'a' && key[i] <= 'z' ? (char)(key[i] - 'a' + 'A') : key[i];
	return strspn(ret_upper, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == len;
}

static int find_prefix(struct db *db, const char *table, const char *what, const char *key, char ret_id[ID_TEXT_BYTES],
                       struct err *err)
{
	char upper[ID_TEXT_BYTES], second[ID_TEXT_BYTES] = "";
	int r = 0;
	if (!id_like(key, upper))
		return 0;
	char *sql = xasprintf("SELECT id FROM %s WHERE substr(id, 1, length(?1)) = ?1 ORDER BY id LIMIT 2", table);
	struct query *q = db_query(db, sql, ARGS(TEXT(upper)), err);
	if ((r = query_next(q, err)) > 0) {
		snprintf(ret_id, ID_TEXT_BYTES, "%s", query_text(q, 0));
		const int more = query_next(q, err);
		if (more > 0)
			snprintf(second, sizeof(second), "%s", query_text(q, 0));
		r = more < 0 ? -1 : 1;
	}
	query_finish(q);
	free(sql);
	if (r > 0 && second[0])
		return err_set(err, ERR_USAGE, "'%s' is the beginning of more than one %s: %s, %s ...", key, what,
		               ret_id, second);
	return r;
}

int find_id(struct db *db, const char *table, const char *name, const char *what, const char *key,
            char ret_id[ID_TEXT_BYTES], struct err *err)
{
	const bool last = strcmp(key, "last") == 0;
	char *newest = xasprintf("SELECT id FROM %s ORDER BY started_at DESC, id DESC LIMIT 1", table);
	char *exact = xasprintf("SELECT id FROM %s WHERE id = ?1", table);
	char *named = xasprintf("SELECT id FROM %s WHERE %s = ?1 ORDER BY started_at DESC, id DESC LIMIT 1", table,
	                        name);
	int r = last ? first(db, newest, NULL, ret_id, err) : first(db, exact, key, ret_id, err);
	if (r == 0 && !last)
		r = first(db, named, key, ret_id, err);
	if (r == 0 && !last)
		r = find_prefix(db, table, what, key, ret_id, err);
	free(newest);
	free(exact);
	free(named);
	if (r > 0)
		return 0;
	if (r == 0 && last)
		return err_set(err, ERR_NOT_FOUND, "there is no %s in the store yet", what);
	return r == 0 ? err_set(err, ERR_NOT_FOUND, "no %s '%s' in the store", what, key) : -1;
}
