#include "tests/store/fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"

int fixture_setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	strcpy(f->folder, "/tmp/weir-store-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/weir.db", f->folder);
	f->s = store_open(f->path, &f->err);
	if (!f->s)
		fail_msg("%s", f->err.text);
	*state = f;
	return 0;
}

int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	store_close(f->s);
	DIR *folder = opendir(f->folder);
	for (struct dirent *entry; (entry = readdir(folder));) {
		char *path = xasprintf("%s/%s", f->folder, entry->d_name);
		unlink(path);
		free(path);
	}
	closedir(folder);
	rmdir(f->folder);
	free(f);
	return 0;
}

void fixture_put_run(struct fixture *f, const char *id, const char *name, enum run_validity validity, uint64_t seed)
{
	struct run_record run;
	sample_run(&run, id, name, validity, seed);
	DONE(f, store_run_put(f->s, &run, &f->err));
	run_record_finish(&run);
}

int64_t fixture_lease(struct fixture *f, const char *service, const char *holder, bool override)
{
	const struct lease_ask ask = { service, "production", holder, "a test", HOUR, override };
	int64_t token = 0;
	DONE(f, store_lease_take(f->s, &ask, &token, NULL, &f->err));
	return token;
}

void fixture_begin(struct fixture *f, const char *id, const char *service, int64_t token)
{
	struct rollout_record r;
	sample_rollout(&r, id, service, ROLLOUT_WATCHING);
	DONE(f, store_rollout_begin(f->s, &r, "{\"a\": 1}", token, &f->err));
	rollout_record_finish(&r);
}

void fixture_sql(struct fixture *f, const char *sql)
{
	DONE(f, db_script(db_of(f->s), sql, &f->err));
}

int64_t fixture_count(struct fixture *f, const char *sql)
{
	int64_t count = -1;
	DONE(f, db_get_int(db_of(f->s), sql, NO_ARGS, &count, &f->err));
	return count;
}

struct event_record fixture_event(const char *type, int number)
{
	return (struct event_record){ .at = { (INT64_C(1760000000000) + number) * MILLISECOND },
		                      .type = xstrdup(type),
		                      .severity = xstrdup("warning"),
		                      .actor = xstrdup("ana"),
		                      .data = json_pack("{s:i, s:f}", "number", number, "share", 0.1) };
}
