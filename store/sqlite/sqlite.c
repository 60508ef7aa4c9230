/* The back-end as a whole: its table of operations, opening and closing. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/tables.h"

static void sqlite_close(struct store *s)
{
	struct sqlite_store *sqlite = container_of(s, struct sqlite_store, base);
	db_close(sqlite->db);
	free(sqlite);
}

static const struct store_ops ops = {
	.close = sqlite_close,
	.run_put = sqlite_run_put,
	.run_get = sqlite_run_get,
	.run_list = sqlite_run_list,
	.search_put = sqlite_search_put,
	.search_get = sqlite_search_get,
	.search_list = sqlite_search_list,
	.baseline_set = sqlite_baseline_set,
	.baseline_get = sqlite_baseline_get,
	.baseline_list = sqlite_baseline_list,
	.lease_take = sqlite_lease_take,
	.lease_renew = sqlite_lease_renew,
	.lease_release = sqlite_lease_release,
	.lease_list = sqlite_lease_list,
	.rollout_begin = sqlite_rollout_begin,
	.rollout_update = sqlite_rollout_update,
	.rollout_find = sqlite_rollout_find,
	.rollout_active = sqlite_rollout_active,
	.rollout_get = sqlite_rollout_get,
	.rollout_list = sqlite_rollout_list,
	.journal_intend = sqlite_journal_intend,
	.journal_outcome = sqlite_journal_outcome,
	.journal_open = sqlite_journal_open,
	.evidence_save = sqlite_evidence_save,
	.evidence_load = sqlite_evidence_load,
	.tick_list = sqlite_tick_list,
	.event_append = sqlite_event_append,
	.event_list = sqlite_event_list,
	.event_walk = sqlite_event_walk,
	.request_put = sqlite_request_put,
	.request_withdraw = sqlite_request_withdraw,
	.request_take = sqlite_request_take,
};

struct db *db_of(struct store *s)
{
	return container_of(s, struct sqlite_store, base)->db;
}

struct store *sqlite_store_open(const char *path, struct err *err)
{
	struct db *db = db_open(path, err);
	if (!db)
		return NULL;
	if (schema_update(db, err) < 0) {
		db_close(db);
		return NULL;
	}
	struct sqlite_store *sqlite = xcalloc(1, sizeof(*sqlite));
	sqlite->base.ops = &ops;
	sqlite->db = db;
	return &sqlite->base;
}

char *query_copy(struct query *q, int column)
{
	const char *text = query_text(q, column);
	return xstrdup(text ? text : "");
}

void *rows_grow(void *rows, size_t count, size_t size)
{
	if ((count & (count - 1)) == 0) /* full at each power of two */
		rows = xreallocarray(rows, count ? 2 * count : 1, size);
	memset((char *)rows + count * size, 0, size);
	return rows;
}

int64_t limit_of(size_t limit)
{
	return limit > INT64_MAX ? INT64_MAX : (int64_t)limit;
}
