#include "tests/store/fixture.h"

#include "base/must.h"

/* The vectors of store.md, section 2. */
static void the_chain_has_the_known_hashes(void **state)
{
	static const struct {
		const char *json, *canonical, *hash;
	} links[] = {
		{ "{\"env\": \"production\", \"at\": 1760000000000, \"type\": \"deployment.started\"}",
		  "{\"at\":1760000000000,\"env\":\"production\",\"type\":\"deployment.started\"}",
		  "cebc1523ce17401902bc8bf3b3572730ec370c67e74b9d7e716ac6fb32d8355d" },
		{ "{\"type\": \"rollback.triggered\", \"env\": \"production\", \"at\": 1760000060000}",
		  "{\"at\":1760000060000,\"env\":\"production\",\"type\":\"rollback.triggered\"}",
		  "ebc3cc37300d56b1bb8d2f638dc67553b6e0b1cb1efdbcd04d1e256c0acd91a0" },
	};
	char prev[AUDIT_HASH_TEXT_BYTES] = AUDIT_FIRST_PREV, hash[AUDIT_HASH_TEXT_BYTES];
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		json_t *json = json_loads(links[i].json, 0, NULL);
		char *canonical = audit_canonical(json);
		assert_string_equal(canonical, links[i].canonical);
		assert_true(audit_chain(prev, (int64_t)i + 1, canonical, hash));
		assert_string_equal(hash, links[i].hash);
		strcpy(prev, hash);
		free(canonical);
		json_decref(json);
	}
	assert_false(audit_chain("not a hash", 1, "{}", hash));
	prev[63] = 'g';
	assert_false(audit_chain(prev, 1, "{}", hash));
}

static int setup(void **state)
{
	fixture_setup(state);
	FIXTURE(f);
	fixture_begin(f, RUN_1, "web", fixture_lease(f, "web", "host-a", false));
	for (int i = 1; i <= 5; i++) {
		struct event_record event = fixture_event("weight.asked", i);
		DONE(f, store_event_append(f->s, RUN_1, 1, &event, &f->err));
		event_record_finish(&event);
	}
	return 0;
}

static void each_change_is_found(void **state)
{
	static const struct {
		const char *sql;
		int64_t bad_seq;
		const char *why;
	} cases[] = {
		{ "SELECT 1", 0, "" },
		{ "UPDATE events SET body = replace(body, 'ana', 'bob') WHERE seq = 3", 3, "its hash differs" },
		{ "UPDATE events SET at = at + 1 WHERE seq = 4", 4, "columns differ" },
		{ "UPDATE events SET rollout = NULL WHERE seq = 2", 2, "columns differ" },
		{ "UPDATE events SET type = 'x' WHERE seq = 1", 1, "columns differ" },
		{ "UPDATE events SET id = 'x' WHERE seq = 1", 1, "columns differ" },
		{ "UPDATE events SET hash = prev_hash WHERE seq = 5", 5, "its hash differs" },
		{ "UPDATE events SET prev_hash = hash WHERE seq = 2", 2, "does not follow" },
		{ "UPDATE events SET rollout = rollout || char(0) || 'x' WHERE seq = 4", 4, "zero byte" },
		{ "UPDATE events SET body = body || char(0) || 'x' WHERE seq = 1", 1, "zero byte" },
		{ "DELETE FROM events WHERE seq = 2", 2, "is missing" },
		{ "DELETE FROM events WHERE seq = 1", 1, "is missing" },
	};
	FIXTURE(f);
	struct audit_report report;
	fixture_sql(f, "PRAGMA foreign_keys = OFF; DROP TRIGGER events_no_update; DROP TRIGGER events_no_delete");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		fixture_sql(f, "SAVEPOINT before");
		fixture_sql(f, cases[i].sql);
		DONE(f, store_audit_verify(f->s, 0, NULL, &report, &f->err));
		fixture_sql(f, "ROLLBACK TO before; RELEASE before");
		assert_int_equal(report.bad_seq, cases[i].bad_seq);
		assert_int_equal(report.count, cases[i].bad_seq ? cases[i].bad_seq - 1 : 5);
		assert_non_null(strstr(report.why, cases[i].why));
	}
}

static void anchors_find_a_cut_end_and_a_rewritten_chain(void **state)
{
	FIXTURE(f);
	struct audit_report report, later;
	DONE(f, store_audit_verify(f->s, 0, NULL, &report, &f->err));
	assert_int_equal(report.head_seq, 5);
	assert_int_equal(strlen(report.head_hash), 64);
	DONE(f, store_audit_verify(f->s, 5, report.head_hash, &later, &f->err));
	assert_int_equal(later.bad_seq, 0);
	DONE(f, store_audit_verify(f->s, 4, report.head_hash, &later, &f->err));
	assert_int_equal(later.bad_seq, 4);
	assert_non_null(strstr(later.why, "rewritten"));
	fixture_sql(f, "DROP TRIGGER events_no_delete; DELETE FROM events WHERE seq = 5");
	DONE(f, store_audit_verify(f->s, 0, NULL, &later, &f->err));
	assert_int_equal(later.bad_seq, 0); /* alone, the chain cannot know */
	DONE(f, store_audit_verify(f->s, 5, report.head_hash, &later, &f->err));
	assert_int_equal(later.bad_seq, 5);
	assert_non_null(strstr(later.why, "cut off"));
}

static void an_empty_chain_is_sound(void **state)
{
	FIXTURE(f);
	struct audit_report report;
	DONE(f, store_audit_verify(f->s, 0, NULL, &report, &f->err));
	assert_int_equal(report.count, 0);
	assert_int_equal(report.bad_seq, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_chain_has_the_known_hashes),
		cmocka_unit_test_setup_teardown(each_change_is_found, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(anchors_find_a_cut_end_and_a_rewritten_chain, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(an_empty_chain_is_sound, fixture_setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
