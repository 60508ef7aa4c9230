#include "tests/store/fixture.h"

static int setup(void **state)
{
	fixture_setup(state);
	FIXTURE(f);
	fixture_begin(f, RUN_1, "web", fixture_lease(f, "web", "host-a", false));
	fixture_begin(f, RUN_3, "api", fixture_lease(f, "api", "host-a", false));
	return 0;
}

static void the_newest_open_intent_is_found(void **state)
{
	FIXTURE(f);
	struct journal_intent open;
	int64_t first, second;
	json_t *payload = json_pack("{s:i}", "weight_bp", 500);
	assert_int_equal(store_journal_open(f->s, RUN_1, &open, &f->err), 0);
	DONE(f, store_journal_intend(f->s, RUN_1, 1, "set-weight", payload, &first, &f->err));
	DONE(f, store_journal_intend(f->s, RUN_1, 1, "verify", NULL, &second, &f->err));
	assert_true(second > first);
	assert_int_equal(store_journal_open(f->s, RUN_1, &open, &f->err), 1);
	assert_int_equal(open.intent, second);
	assert_string_equal(open.kind, "verify");
	assert_null(open.payload);
	journal_intent_finish(&open);
	DONE(f, store_journal_outcome(f->s, RUN_1, 1, second, false, payload, &f->err));
	assert_int_equal(store_journal_open(f->s, RUN_1, &open, &f->err), 1);
	assert_int_equal(open.intent, first);
	assert_true(json_equal(open.payload, payload));
	journal_intent_finish(&open);
	DONE(f, store_journal_outcome(f->s, RUN_1, 1, first, true, NULL, &f->err));
	assert_int_equal(store_journal_open(f->s, RUN_1, &open, &f->err), 0);
	json_decref(payload);
}

static void an_intent_has_one_outcome(void **state)
{
	FIXTURE(f);
	int64_t intent;
	DONE(f, store_journal_intend(f->s, RUN_1, 1, "set-weight", NULL, &intent, &f->err));
	REFUSED(f, store_journal_outcome(f->s, RUN_3, 1, intent, true, NULL, &f->err), ERR_STORE, "does not wait");
	DONE(f, store_journal_outcome(f->s, RUN_1, 1, intent, true, NULL, &f->err));
	REFUSED(f, store_journal_outcome(f->s, RUN_1, 1, intent, true, NULL, &f->err), ERR_STORE, "does not wait");
	REFUSED(f, store_journal_intend(f->s, RUN_2, 1, "x", NULL, &intent, &f->err), ERR_NOT_FOUND, "no rollout");
}

static void requests_are_taken_once_in_order(void **state)
{
	FIXTURE(f);
	struct operator_request request;
	assert_int_equal(store_request_take(f->s, RUN_1, 1, &request, &f->err), 0);
	DONE(f, store_request_put(f->s, RUN_1, OPERATOR_PAUSE, "ana", "lunch", NULL, &f->err));
	DONE(f, store_request_put(f->s, RUN_3, OPERATOR_PROMOTE, "ben", NULL, NULL, &f->err));
	DONE(f, store_request_put(f->s, RUN_1, OPERATOR_ABORT, "ana", NULL, NULL, &f->err));
	assert_int_equal(store_request_take(f->s, RUN_1, 1, &request, &f->err), 1);
	assert_int_equal(request.verb, OPERATOR_PAUSE);
	assert_string_equal(request.actor, "ana");
	assert_string_equal(request.reason, "lunch");
	assert_true(request.at.ns > 0);
	operator_request_finish(&request);
	assert_int_equal(store_request_take(f->s, RUN_1, 1, &request, &f->err), 1);
	assert_int_equal(request.verb, OPERATOR_ABORT);
	assert_null(request.reason);
	operator_request_finish(&request);
	assert_int_equal(store_request_take(f->s, RUN_1, 1, &request, &f->err), 0);
	REFUSED(f, store_request_put(f->s, RUN_2, OPERATOR_ABORT, "ana", NULL, NULL, &f->err), ERR_NOT_FOUND,
	        "no rollout");
}

static void nobody_takes_what_was_withdrawn(void **state)
{
	struct fixture *f = *state;
	struct operator_request request;
	int64_t first, second;
	DONE(f, store_request_put(f->s, RUN_1, OPERATOR_PROMOTE, "ana", NULL, &first, &f->err));
	DONE(f, store_request_put(f->s, RUN_1, OPERATOR_PAUSE, "ana", NULL, &second, &f->err));
	assert_true(second > first);
	assert_int_equal(store_request_withdraw(f->s, first, &f->err), 1);
	assert_int_equal(store_request_take(f->s, RUN_1, 1, &request, &f->err), 1);
	assert_int_equal(request.number, second);
	operator_request_finish(&request);
	assert_int_equal(store_request_withdraw(f->s, second, &f->err), 0);
	assert_int_equal(store_request_take(f->s, RUN_1, 1, &request, &f->err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_newest_open_intent_is_found, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(an_intent_has_one_outcome, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(requests_are_taken_once_in_order, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(nobody_takes_what_was_withdrawn, setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
