#include "tests/store/fixture.h"

/* What an hour without renewal does. */
static void expire(struct fixture *f)
{
	fixture_sql(f, "UPDATE leases SET taken_at = taken_at - 7200000, expires_at = expires_at - 7200000");
}

static void one_holder_at_a_time(void **state)
{
	FIXTURE(f);
	const struct lease_ask other = { "web", "production", "host-b", "deploy 1.5", MINUTE, false };
	int64_t token;
	assert_int_equal(fixture_lease(f, "web", "host-a", false), 1);
	REFUSED(f, store_lease_take(f->s, &other, &token, NULL, &f->err), ERR_BUSY,
	        "web/production has been held by host-a (a test) for ");
	assert_int_equal(fixture_lease(f, "api", "host-b", false), 1); /* another place */
	assert_int_equal(fixture_lease(f, "web", "host-a", false), 2); /* the same holder */
	expire(f);
	DONE(f, store_lease_take(f->s, &other, &token, NULL, &f->err));
	assert_int_equal(token, 3);
}

static void going_back_takes_it_over_and_says_from_whom(void **state)
{
	FIXTURE(f);
	struct lease_ask ask = { "web", "production", "host-b", "rollback", MINUTE, true };
	int64_t token;
	char *overridden = NULL;
	fixture_lease(f, "web", "host-a", false);
	DONE(f, store_lease_take(f->s, &ask, &token, &overridden, &f->err));
	assert_int_equal(token, 2);
	assert_string_equal(overridden, "host-a");
	free(overridden);
	DONE(f, store_lease_take(f->s, &ask, &token, &overridden, &f->err)); /* one's own is not overridden */
	assert_null(overridden);
	REFUSED(f, store_lease_renew(f->s, "web", "production", 1, MINUTE, &f->err), ERR_STALE,
	        "the lease of web/production with token 1 is over: host-b has it with token 3");
	REFUSED(f, store_lease_release(f->s, "web", "production", 1, &f->err), ERR_STALE, "token 3");
}

static void renewed_and_released(void **state)
{
	FIXTURE(f);
	struct lease_list list;
	const int64_t token = fixture_lease(f, "web", "host-a", false);
	expire(f);
	DONE(f, store_lease_list(f->s, &list, &f->err));
	assert_false(list.rows[0].held);
	lease_list_finish(&list);
	DONE(f, store_lease_renew(f->s, "web", "production", token, HOUR, &f->err)); /* nobody took it */
	DONE(f, store_lease_list(f->s, &list, &f->err));
	assert_true(list.rows[0].held);
	assert_true(list.rows[0].expires_at.ns - list.rows[0].taken_at.ns >= 3 * HOUR);
	lease_list_finish(&list);
	DONE(f, store_lease_release(f->s, "web", "production", token, &f->err));
	REFUSED(f, store_lease_renew(f->s, "web", "production", token, HOUR, &f->err), ERR_STALE, "was released");
	REFUSED(f, store_lease_renew(f->s, "web", "test", token, HOUR, &f->err), ERR_STALE,
	        "nobody has it with token 0");
	DONE(f, store_lease_list(f->s, &list, &f->err));
	assert_int_equal(list.count, 1);
	assert_string_equal(list.rows[0].holder, "");
	assert_false(list.rows[0].held);
	lease_list_finish(&list);
	assert_int_equal(fixture_lease(f, "web", "host-b", false), token + 1); /* it grows over a release */
}

/* The expiry is by the clock that the database reads: within the time that this test itself took. */
static void time_is_that_of_now(void **state)
{
	FIXTURE(f);
	struct lease_list list;
	const struct wall before = wall_now();
	fixture_lease(f, "web", "host-a", false);
	const struct wall after = wall_now();
	DONE(f, store_lease_list(f->s, &list, &f->err));
	assert_in_range(list.rows[0].taken_at.ns / MILLISECOND, before.ns / MILLISECOND - 1,
	                after.ns / MILLISECOND + 1);
	assert_int_equal(list.rows[0].expires_at.ns - list.rows[0].taken_at.ns, HOUR);
	lease_list_finish(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_holder_at_a_time, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(going_back_takes_it_over_and_says_from_whom, fixture_setup,
		                                fixture_teardown),
		cmocka_unit_test_setup_teardown(renewed_and_released, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(time_is_that_of_now, fixture_setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
