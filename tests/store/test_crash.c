/* A writer that is killed at any instant: the store is whole, and everything it had acknowledged is there.
 *
 * The child writes intent, outcome, ticks and event in a loop and tells each number through a pipe after the store has
 * returned. The parent waits for a few of those, kills it in the middle of whatever it does next, and looks. */
#include "tests/store/fixture.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rng.h"

#define KILLS 40

static void write_for_ever(const char *path, int64_t first, int out)
{
	struct err err;
	struct store *s = store_open(path, &err);
	for (int64_t n = first; s; n++) {
		int64_t intent;
		json_t *snapshot = json_pack("{s:I}", "n", (json_int_t)n);
		const struct tick_record tick = sample_tick(n);
		struct event_record event = fixture_event("weight.asked", (int)(n % 1000));
		if (store_journal_intend(s, RUN_1, 1, "set-weight", snapshot, &intent, &err) < 0 ||
		    store_evidence_save(s, RUN_1, 1, &tick, 1, snapshot, n, &err) < 0 ||
		    store_event_append(s, RUN_1, 1, &event, &err) < 0 ||
		    store_journal_outcome(s, RUN_1, 1, intent, true, NULL, &err) < 0)
			break;
		if (write(out, &n, sizeof(n)) != sizeof(n))
			break;
		event_record_finish(&event);
		json_decref(snapshot);
	}
	_exit(1);
}

/* Reads until the pipe ends; the last number that was acknowledged. */
static int64_t rest(int in, int64_t last)
{
	int64_t n;
	while (read(in, &n, sizeof(n)) == sizeof(n))
		last = n;
	return last;
}

static int64_t run_and_kill(struct fixture *f, int64_t first, uint64_t spins, int acknowledged)
{
	int ends[2];
	int64_t last = first - 1;
	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	const pid_t child = fork();
	if (child == 0) {
		close(ends[0]);
		write_for_ever(f->path, first, ends[1]);
	}
	close(ends[1]);
	for (int i = 0; i < acknowledged; i++)
		assert_int_equal(read(ends[0], &last, sizeof(last)), sizeof(last));
	/* A spin of random length puts the kill at a random point of the next round. */
	for (volatile uint64_t i = 0; i < spins; i++)
		;
	kill(child, SIGKILL);
	last = rest(ends[0], last);
	close(ends[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	return last;
}

static void check(struct fixture *f, int64_t last)
{
	struct audit_report report;
	struct journal_intent open;
	json_t *snapshot;
	char *integrity;
	int64_t tick;
	f->s = store_open(f->path, &f->err);
	if (!f->s)
		fail_msg("%s", f->err.text);
	DONE(f, db_get_text(db_of(f->s), "PRAGMA integrity_check", NO_ARGS, &integrity, &f->err));
	assert_string_equal(integrity, "ok");
	free(integrity);
	DONE(f, store_audit_verify(f->s, 0, NULL, &report, &f->err));
	assert_int_equal(report.bad_seq, 0);
	/* All that was acknowledged, and at most the round that was under way. */
	const int64_t ticks = fixture_count(f, "SELECT count(*) FROM ticks");
	assert_in_range(ticks, last, last + 1);
	assert_int_equal(fixture_count(f, "SELECT max(tick) FROM ticks"), ticks);
	assert_in_range(fixture_count(f, "SELECT count(*) FROM events"), last, ticks);
	assert_in_range(fixture_count(f, "SELECT count(*) FROM journal WHERE ok = 1"), last, ticks);
	assert_int_equal(store_evidence_load(f->s, RUN_1, &snapshot, &tick, &f->err), 1);
	assert_int_equal(tick, ticks); /* ticks and snapshot are one */
	assert_int_equal(json_integer_value(json_object_get(snapshot, "n")), ticks);
	json_decref(snapshot);
	/* What was under way is seen, and ended, so that the next round begins clean. */
	if (store_journal_open(f->s, RUN_1, &open, &f->err) == 1) {
		DONE(f, store_journal_outcome(f->s, RUN_1, 1, open.intent, false, NULL, &f->err));
		journal_intent_finish(&open);
	}
	fixture_sql(f, "UPDATE journal SET ok = 1 WHERE ok = 0");
}

static void killed_at_random_moments(void **state)
{
	FIXTURE(f);
	struct rng rng;
	const uint64_t seed = rng_fresh_seed();
	print_message("# seed %llu\n", (unsigned long long)seed);
	rng_init(&rng, seed, 0);
	fixture_begin(f, RUN_1, "web", fixture_lease(f, "web", "host-a", false));
	int64_t last = 0;
	for (int i = 0; i < KILLS; i++) {
		const int64_t first = fixture_count(f, "SELECT coalesce(max(tick), 0) + 1 FROM ticks");
		store_close(f->s);
		last = run_and_kill(f, first, rng_below(&rng, 1000000), 1 + (int)rng_below(&rng, 3));
		/* A round that was cut after its tick leaves no event: make the counts meet again. */
		check(f, last);
		while (fixture_count(f, "SELECT count(*) FROM events") <
		       fixture_count(f, "SELECT count(*) FROM ticks")) {
			struct event_record event = fixture_event("recovered", i);
			DONE(f, store_event_append(f->s, RUN_1, 1, &event, &f->err));
			event_record_finish(&event);
		}
		while (fixture_count(f, "SELECT count(*) FROM journal") >
		       fixture_count(f, "SELECT count(*) FROM ticks"))
			fixture_sql(f, "DELETE FROM journal WHERE intent = (SELECT max(intent) FROM journal)");
	}
	assert_true(last >= KILLS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(killed_at_random_moments, fixture_setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
