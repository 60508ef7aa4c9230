#include "tests/store/fixture.h"

static int setup(void **state)
{
	fixture_setup(state);
	FIXTURE(f);
	fixture_begin(f, RUN_1, "web", fixture_lease(f, "web", "host-a", false));
	return 0;
}

static void ticks_and_snapshot_go_together(void **state)
{
	FIXTURE(f);
	json_t *first = json_pack("{s:f}", "harm", 0.1), *second = json_pack("{s:f}", "harm", 1.0 / 3), *loaded;
	int64_t tick;
	const struct tick_record ticks[] = { sample_tick(1), sample_tick(2), sample_tick(5) }, again = sample_tick(5);
	struct tick_record *list;
	size_t count;
	assert_int_equal(store_evidence_load(f->s, RUN_1, &loaded, &tick, &f->err), 0);
	DONE(f, store_evidence_save(f->s, RUN_1, 1, ticks, 3, first, 5, &f->err));
	/* The second save holds a tick that is there already: neither it nor its snapshot is kept. */
	REFUSED(f, store_evidence_save(f->s, RUN_1, 1, &again, 1, second, 6, &f->err), ERR_STORE,
	        "tick 5 of rollout " RUN_1 " comes after tick 5: a tick number is never used twice");
	assert_int_equal(store_evidence_load(f->s, RUN_1, &loaded, &tick, &f->err), 1);
	assert_int_equal(tick, 5);
	assert_true(json_equal(loaded, first));
	json_decref(loaded);
	const struct tick_record doubled[] = { sample_tick(6), sample_tick(6) };
	REFUSED(f, store_evidence_save(f->s, RUN_1, 1, doubled, 2, NULL, 0, &f->err), ERR_STORE, "tick 6");
	DONE(f, store_evidence_save(f->s, RUN_1, 1, NULL, 0, second, 7, &f->err));
	assert_int_equal(store_evidence_load(f->s, RUN_1, &loaded, &tick, &f->err), 1);
	assert_true(json_equal(loaded, second)); /* every double as it was */
	json_decref(loaded);
	DONE(f, store_tick_list(f->s, RUN_1, 1, 10, &list, &count, &f->err));
	assert_int_equal(count, 2);
	assert_int_equal(list[1].tick, 5);
	assert_true(list[1].harm_latency == 1.0 / 3);
	free(list);
	json_decref(first);
	json_decref(second);
	REFUSED(f, store_evidence_load(f->s, RUN_2, &loaded, &tick, &f->err), ERR_NOT_FOUND, "no rollout");
}

static void events_are_listed_after_a_seq(void **state)
{
	FIXTURE(f);
	struct event_list list;
	for (int i = 1; i <= 5; i++) {
		struct event_record event = fixture_event("weight.asked", i);
		DONE(f, store_event_append(f->s, i % 2 ? RUN_1 : NULL, i % 2 ? 1 : 0, &event, &f->err));
		assert_int_equal(event.seq, i);
		assert_int_equal(strlen(event.id), ID_TEXT_BYTES - 1);
		event_record_finish(&event);
	}
	DONE(f, store_event_list(f->s, RUN_1, 1, 10, &list, &f->err));
	assert_int_equal(list.count, 2);
	assert_int_equal(list.rows[0].seq, 3);
	assert_int_equal(list.rows[0].at.ns, INT64_C(1760000000003) * MILLISECOND);
	assert_string_equal(list.rows[0].severity, "warning");
	assert_string_equal(list.rows[0].actor, "ana");
	assert_null(list.rows[0].before);
	assert_int_equal(json_integer_value(json_object_get(list.rows[0].data, "number")), 3);
	event_list_finish(&list);
	DONE(f, store_event_list(f->s, NULL, 0, 2, &list, &f->err));
	assert_int_equal(list.count, 2);
	event_list_finish(&list);
	struct event_record event = fixture_event("x", 1);
	REFUSED(f, store_event_append(f->s, RUN_2, 0, &event, &f->err), ERR_NOT_FOUND, "no rollout");
	event_record_finish(&event);
}

/* A name from a terminal with another encoding neither stops the driver nor breaks the chain. */
static void actors_that_are_not_utf8_are_kept_readable(void **state)
{
	FIXTURE(f);
	struct audit_report report;
	struct event_list list;
	struct event_record event = { .type = (char[]){ "operator.abort" }, .actor = (char[]){ "Ren\xe9" } };
	DONE(f, store_event_append(f->s, RUN_1, 0, &event, &f->err));
	DONE(f, store_audit_verify(f->s, 0, NULL, &report, &f->err));
	assert_int_equal(report.count, 1);
	DONE(f, store_event_list(f->s, RUN_1, 0, 1, &list, &f->err));
	assert_string_equal(list.rows[0].actor, "Ren?");
	event_list_finish(&list);
}

static void events_cannot_be_changed(void **state)
{
	FIXTURE(f);
	struct event_record event = fixture_event("weight.asked", 1);
	DONE(f, store_event_append(f->s, RUN_1, 1, &event, &f->err));
	event_record_finish(&event);
	REFUSED(f, db_script(db_of(f->s), "UPDATE events SET type = 'x'", &f->err), ERR_STORE,
	        "events are never changed");
	REFUSED(f, db_script(db_of(f->s), "DELETE FROM events", &f->err), ERR_STORE, "events are never deleted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ticks_and_snapshot_go_together, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(events_are_listed_after_a_seq, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(actors_that_are_not_utf8_are_kept_readable, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(events_cannot_be_changed, setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
