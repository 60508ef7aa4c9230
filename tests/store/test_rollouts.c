#include "tests/store/fixture.h"

static void the_whole_record_comes_back(void **state)
{
	FIXTURE(f);
	struct rollout_record r, again;
	const int64_t token = fixture_lease(f, "web", "host-a", false);
	fixture_begin(f, RUN_1, "web", token);
	const struct tick_record ticks[] = { sample_tick(0), sample_tick(1), sample_tick(3) };
	DONE(f, store_evidence_save(f->s, RUN_1, token, ticks, 3, NULL, 0, &f->err));
	struct event_record event = fixture_event("rollout.started", 1);
	DONE(f, store_event_append(f->s, RUN_1, token, &event, &f->err));
	event_record_finish(&event);

	sample_rollout(&r, RUN_1, "web", ROLLOUT_ROLLED_BACK);
	r.finished_at = wall_from_ms(1760000100000);
	DONE(f, store_rollout_update(f->s, &r, token, &f->err));
	DONE(f, store_rollout_get(f->s, RUN_1, &again, &f->err));
	json_t *head = rollout_record_encode_head(&r), *head_again = rollout_record_encode_head(&again);
	assert_true(json_equal(head, head_again));
	assert_int_equal(again.tick_count, 3);
	assert_int_equal(again.ticks[2].tick, 3);
	assert_int_equal(again.event_count, 1);
	assert_string_equal(again.events[0].type, "rollout.started");
	json_decref(head);
	json_decref(head_again);
	rollout_record_finish(&again);
	rollout_record_finish(&r);

	char *plan;
	DONE(f, store_rollout_get_plan(f->s, RUN_1, &plan, &f->err));
	assert_string_equal(plan, "{\"a\": 1}"); /* as it was given, blanks and all */
	free(plan);
}

static void one_unfinished_rollout_per_place(void **state)
{
	FIXTURE(f);
	char id[ID_TEXT_BYTES];
	struct rollout_record other;
	const int64_t token = fixture_lease(f, "web", "host-a", false);
	sample_rollout(&other, RUN_2, "web", ROLLOUT_PLANNED);
	assert_int_equal(store_rollout_active(f->s, "web", "production", id, &f->err), 0);
	fixture_begin(f, RUN_1, "web", token);
	assert_int_equal(store_rollout_active(f->s, "web", "production", id, &f->err), 1);
	assert_string_equal(id, RUN_1);
	REFUSED(f, store_rollout_begin(f->s, &other, "{}", token, &f->err), ERR_BUSY,
	        "rollout " RUN_1 " of web/production is not finished");
	fixture_begin(f, RUN_3, "api", fixture_lease(f, "api", "host-a", false));

	struct rollout_record first;
	sample_rollout(&first, RUN_1, "web", ROLLOUT_PROMOTED);
	DONE(f, store_rollout_update(f->s, &first, token, &f->err));
	DONE(f, store_rollout_begin(f->s, &other, "{}", token, &f->err));
	first.state = ROLLOUT_ROLLING_BACK; /* too late: the next one has begun */
	REFUSED(f, store_rollout_update(f->s, &first, token, &f->err), ERR_BUSY, RUN_2);
	rollout_record_finish(&first);
	rollout_record_finish(&other);
}

static void a_stale_driver_can_write_nothing(void **state)
{
	FIXTURE(f);
	struct rollout_record r;
	const int64_t old = fixture_lease(f, "web", "host-a", false);
	fixture_begin(f, RUN_1, "web", old);
	int64_t intent;
	DONE(f, store_journal_intend(f->s, RUN_1, old, "set-weight", NULL, &intent, &f->err));
	const int64_t now = fixture_lease(f, "web", "host-b", true);
	sample_rollout(&r, RUN_1, "web", ROLLOUT_PROMOTED);
	struct event_record event = fixture_event("weight.asked", 1);
	struct operator_request request;
	const struct tick_record tick = sample_tick(1);
	int64_t other;
	const char *says = "host-b has it with token 2";
	REFUSED(f, store_rollout_update(f->s, &r, old, &f->err), ERR_STALE, says);
	REFUSED(f, store_journal_intend(f->s, RUN_1, old, "set-weight", NULL, &other, &f->err), ERR_STALE, says);
	REFUSED(f, store_journal_outcome(f->s, RUN_1, old, intent, true, NULL, &f->err), ERR_STALE, says);
	REFUSED(f, store_evidence_save(f->s, RUN_1, old, &tick, 1, NULL, 0, &f->err), ERR_STALE, says);
	REFUSED(f, store_event_append(f->s, RUN_1, old, &event, &f->err), ERR_STALE, says);
	DONE(f, store_request_put(f->s, RUN_1, OPERATOR_ABORT, "ana", NULL, NULL, &f->err));
	REFUSED(f, store_request_take(f->s, RUN_1, old, &request, &f->err), ERR_STALE, says);
	assert_int_equal(fixture_count(f, "SELECT (SELECT count(*) FROM ticks) + (SELECT count(*) FROM events)"), 0);
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM journal WHERE ok IS NULL"), 1);

	DONE(f, store_journal_outcome(f->s, RUN_1, now, intent, true, NULL, &f->err)); /* the heir ends what was open */
	DONE(f, store_event_append(f->s, RUN_1, now, &event, &f->err));
	DONE(f,
	     store_event_append(f->s, RUN_1, 0, &(struct event_record){ .type = event.type, .at = event.at }, &f->err));
	event_record_finish(&event);
	rollout_record_finish(&r);
}

static void keys_and_lists(void **state)
{
	FIXTURE(f);
	char id[ID_TEXT_BYTES];
	struct rollout_list list;
	struct rollout_record r;
	fixture_begin(f, RUN_1, "web", fixture_lease(f, "web", "host-a", false));
	fixture_begin(f, RUN_3, "api", fixture_lease(f, "api", "host-a", false));
	DONE(f, store_rollout_find(f->s, "last", id, &f->err));
	assert_string_equal(id, RUN_3);
	DONE(f, store_rollout_find(f->s, "01J0", id, &f->err));
	assert_string_equal(id, RUN_1);
	DONE(f, store_rollout_find(f->s, "web", id, &f->err));
	assert_string_equal(id, RUN_1);
	REFUSED(f, store_rollout_find(f->s, "db", id, &f->err), ERR_NOT_FOUND, "no rollout 'db' in the store");
	REFUSED(f, store_rollout_get(f->s, RUN_2, &r, &f->err), ERR_NOT_FOUND, "no rollout '" RUN_2 "'");
	DONE(f, store_rollout_list(f->s, 10, &list, &f->err));
	assert_int_equal(list.count, 2);
	assert_string_equal(list.rows[0].service, "api");
	assert_string_equal(list.rows[0].canary_version, "1.4.2");
	assert_int_equal(list.rows[0].state, ROLLOUT_WATCHING);
	assert_int_equal(list.rows[0].reason, REASON_LATENCY);
	assert_int_equal(list.rows[0].finished_at.ns, 0);
	rollout_list_finish(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_whole_record_comes_back, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(one_unfinished_rollout_per_place, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(a_stale_driver_can_write_nothing, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(keys_and_lists, fixture_setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
