/* Opening: places, strangers' files, schemas of other versions, full and unwritable disks, two processes at once. */
#include "tests/store/fixture.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

static void reopen(struct fixture *f)
{
	store_close(f->s);
	f->s = store_open(f->path, &f->err);
}

static void refused_to_open(struct fixture *f, const char *path, const char *says)
{
	struct store *s = store_open(path, &f->err);
	assert_null(s);
	assert_int_equal(f->err.kind, ERR_STORE);
	if (!strstr(f->err.text, path) || !strstr(f->err.text, says))
		fail_msg("%s", f->err.text);
}

static void settings_are_those_that_keep_what_was_acknowledged(void **state)
{
	FIXTURE(f);
	char *mode;
	assert_int_equal(fixture_count(f, "PRAGMA synchronous"), 2);
	assert_int_equal(fixture_count(f, "PRAGMA foreign_keys"), 1);
	assert_int_equal(fixture_count(f, "PRAGMA busy_timeout"), 5000);
	DONE(f, db_get_text(db_of(f->s), "PRAGMA journal_mode", NO_ARGS, &mode, &f->err));
	assert_string_equal(mode, "wal");
	free(mode);
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM schema_migrations"), 1);
	/* Every table of ours is STRICT. */
	assert_int_equal(fixture_count(f,
	                               "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
	                               " AND strict = 0 AND name NOT LIKE 'sqlite_%'"),
	                 0);
}

static void what_was_kept_is_there_after_opening_again(void **state)
{
	FIXTURE(f);
	struct run_record run;
	fixture_put_run(f, RUN_1, "nightly", RUN_VALID, 1);
	reopen(f);
	DONE(f, store_run_get(f->s, "last", &run, &f->err));
	run_record_finish(&run);
}

static void the_default_path_follows_xdg(void **state)
{
	FIXTURE(f);
	setenv("XDG_STATE_HOME", "/some/where", 1);
	char *path = store_default_path(&f->err);
	assert_string_equal(path, "/some/where/weir/weir.db");
	free(path);
	setenv("XDG_STATE_HOME", "relative", 1);
	setenv("HOME", "/home/ana", 1);
	path = store_default_path(&f->err);
	assert_string_equal(path, "/home/ana/.local/state/weir/weir.db");
	free(path);
	unsetenv("XDG_STATE_HOME");
	unsetenv("HOME");
	assert_null(store_open(NULL, &f->err));
	assert_non_null(strstr(f->err.text, "neither XDG_STATE_HOME nor HOME"));
}

static void missing_folders_are_made(void **state)
{
	FIXTURE(f);
	char *folder = xasprintf("%s/a/b", f->folder), *path = xasprintf("%s/weir.db", folder),
	     *a = xasprintf("%s/a", f->folder);
	struct store *s = store_open(path, &f->err);
	assert_non_null(s);
	store_close(s);
	unlink(path);
	rmdir(folder);
	rmdir(a);
	free(folder);
	free(path);
	free(a);
}

static void strangers_files_are_refused_and_left_alone(void **state)
{
	FIXTURE(f);
	struct buf after;
	char *text = xasprintf("%s/notes.txt", f->folder), *other = xasprintf("%s/other.db", f->folder);
	const char *notes = "This is a text, it is long enough to be no empty file, and it is not a database at all.\n"
			    "SQLite reads the first hundred bytes of a file to know whether it is one of its own.\n";
	DONE(f, file_replace(text, str_from(notes), false, &f->err));
	refused_to_open(f, text, "it is not a database");
	buf_init(&after, 1 << 16);
	DONE(f, file_read(text, &after, &f->err));
	assert_string_equal(buf_cstr(&after), notes);

	struct db *db = db_open(other, &f->err);
	DONE(f, db_script(db, "CREATE TABLE songs (title TEXT)", &f->err));
	refused_to_open(f, other, "it is the database of another program");
	int64_t tables;
	DONE(f, db_get_int(db, "SELECT count(*) FROM sqlite_master", NO_ARGS, &tables, &f->err));
	assert_int_equal(tables, 1);
	db_close(db);
	refused_to_open(f, f->folder, "it cannot be opened");
	char *below = xasprintf("%s/weir.db", text);
	char *why = xasprintf("make folder '%s': Not a directory", text);
	refused_to_open(f, below, why);
	free(why);
	free(below);
	free(text);
	free(other);
	buf_finish(&after);
}

static void other_schemas_are_refused(void **state)
{
	FIXTURE(f);
	fixture_sql(f, "INSERT INTO schema_migrations VALUES (2, 'x', 0)");
	store_close(f->s);
	f->s = NULL;
	refused_to_open(f, f->path, "its schema has version 2, this weir knows up to 1: use the newer weir");
	struct db *db = db_open(f->path, &f->err);
	DONE(f,
	     db_script(db,
	               "DELETE FROM schema_migrations WHERE version = 2; UPDATE schema_migrations SET checksum = 'x'",
	               &f->err));
	refused_to_open(f, f->path, "version 1 of its schema is not the one of this weir");
	DONE(f, db_script(db, "DELETE FROM schema_migrations", &f->err));
	db_close(db);
	/* The table is empty but its tables are there: the migration fails and leaves all as it was. */
	refused_to_open(f, f->path, "bring the schema to version 1");
	db = db_open(f->path, &f->err);
	int64_t rows;
	DONE(f, db_get_int(db, "SELECT count(*) FROM schema_migrations", NO_ARGS, &rows, &f->err));
	assert_int_equal(rows, 0);
	db_close(db);
}

static void a_full_disk_loses_nothing(void **state)
{
	FIXTURE(f);
	struct run_record run;
	fixture_put_run(f, RUN_1, "nightly", RUN_VALID, 1);
	const int64_t pages = fixture_count(f, "PRAGMA page_count");
	char *limit = xasprintf("PRAGMA max_page_count = %d", (int)pages + 1);
	fixture_sql(f, limit);
	free(limit);
	sample_run(&run, RUN_2, "nightly", RUN_VALID, 2);
	REFUSED(f, store_run_put(f->s, &run, &f->err), ERR_STORE, "the disk is full; nothing was written");
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM runs"), 1);
	fixture_sql(f, "PRAGMA max_page_count = 100000");
	DONE(f, store_run_put(f->s, &run, &f->err)); /* room again: the same store goes on */
	run_record_finish(&run);
}

static void a_failing_write_loses_nothing(void **state)
{
	FIXTURE(f);
	struct run_record run;
	struct rlimit old, none;
	fixture_put_run(f, RUN_1, "nightly", RUN_VALID, 1);
	sample_run(&run, RUN_2, "nightly", RUN_VALID, 2);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	none = (struct rlimit){ 4096, old.rlim_max };
	setrlimit(RLIMIT_FSIZE, &none);
	const int r = store_run_put(f->s, &run, &f->err);
	setrlimit(RLIMIT_FSIZE, &old);
	REFUSED(f, r, ERR_STORE, "the disk failed (I/O error); nothing was written");
	reopen(f);
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM runs"), 1);
	DONE(f, store_run_put(f->s, &run, &f->err));
	run_record_finish(&run);
}

/* In a child that is nobody, because root may write everything. */
static void what_cannot_be_written_is_refused(void **state)
{
	FIXTURE(f);
	reopen(f);
	chmod(f->folder, 0755);
	chmod(f->path, 0444);
	fflush(NULL);
	const pid_t child = fork();
	if (child == 0) {
		struct err err = { 0 };
		if (geteuid() == 0 && setuid(65534) != 0)
			_exit(2);
		struct store *s = store_open(f->path, &err);
		_exit(s == NULL && err.kind == ERR_STORE && strstr(err.text, "it cannot be written") ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define WRITERS 3
#define EVENTS_EACH 40

static void write_events(const char *path)
{
	struct err err = { 0 };
	struct store *s = store_open(path, &err);
	for (int i = 0; s && i < EVENTS_EACH; i++) {
		struct event_record event = fixture_event("weight.asked", i);
		const int r = store_event_append(s, NULL, 0, &event, &err);
		event_record_finish(&event);
		if (r < 0)
			_exit(1);
	}
	store_close(s);
	_exit(s ? 0 : 1);
}

/* From an empty file: they race for making the tables, too. */
static void processes_write_at_once(void **state)
{
	FIXTURE(f);
	struct audit_report report;
	pid_t children[WRITERS];
	store_close(f->s);
	f->s = NULL;
	unlink(f->path);
	fflush(NULL);
	for (int i = 0; i < WRITERS; i++)
		if ((children[i] = fork()) == 0)
			write_events(f->path);
	for (int i = 0; i < WRITERS; i++) {
		int status;
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	f->s = store_open(f->path, &f->err);
	assert_non_null(f->s);
	DONE(f, store_audit_verify(f->s, 0, NULL, &report, &f->err));
	assert_int_equal(report.bad_seq, 0);
	assert_int_equal(report.count, WRITERS * EVENTS_EACH);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(settings_are_those_that_keep_what_was_acknowledged),
		TEST(what_was_kept_is_there_after_opening_again),
		TEST(the_default_path_follows_xdg),
		TEST(missing_folders_are_made),
		TEST(strangers_files_are_refused_and_left_alone),
		TEST(other_schemas_are_refused),
		TEST(a_full_disk_loses_nothing),
		TEST(a_failing_write_loses_nothing),
		TEST(what_cannot_be_written_is_refused),
		TEST(processes_write_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
