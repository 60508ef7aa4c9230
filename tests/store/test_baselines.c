#include "tests/store/fixture.h"

static void a_name_means_the_last_run_it_was_given(void **state)
{
	FIXTURE(f);
	struct run_record run;
	struct baseline_list list;
	fixture_put_run(f, RUN_1, "nightly", RUN_VALID, 1);
	fixture_put_run(f, RUN_2, "nightly", RUN_SUSPECT, 2);
	REFUSED(f, store_baseline_get(f->s, "main", &run, &f->err), ERR_NOT_FOUND, "no baseline 'main' in the store");
	DONE(f, store_baseline_set(f->s, "main", RUN_1, "ana", &f->err));
	DONE(f, store_baseline_set(f->s, "main", "last", "ben", &f->err));
	DONE(f, store_baseline_set(f->s, "before", RUN_1, NULL, &f->err));
	DONE(f, store_baseline_get(f->s, "main", &run, &f->err));
	assert_string_equal(run.id, RUN_2);
	run_record_finish(&run);

	DONE(f, store_baseline_list(f->s, NULL, &list, &f->err));
	assert_int_equal(list.count, 2);
	assert_string_equal(list.rows[0].name, "before");
	assert_string_equal(list.rows[0].actor, "weir");
	assert_string_equal(list.rows[1].run_id, RUN_2);
	baseline_list_finish(&list);
	DONE(f, store_baseline_list(f->s, "main", &list, &f->err)); /* the history */
	assert_int_equal(list.count, 2);
	assert_string_equal(list.rows[0].actor, "ben");
	assert_string_equal(list.rows[1].run_id, RUN_1);
	assert_true(list.rows[0].set_at.ns > 0);
	baseline_list_finish(&list);
}

static void what_cannot_be_a_baseline_is_refused(void **state)
{
	FIXTURE(f);
	struct run_record run;
	char longer[BASELINE_NAME_BYTES_MAX + 2];
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	fixture_put_run(f, RUN_1, "nightly", RUN_NOT_VALID, 1);
	REFUSED(f, store_baseline_set(f->s, "main", RUN_1, "ana", &f->err), ERR_USAGE, "is invalid");
	REFUSED(f, store_baseline_set(f->s, "main", "other", "ana", &f->err), ERR_NOT_FOUND, "no run 'other'");
	REFUSED(f, store_baseline_set(f->s, "", RUN_1, "ana", &f->err), ERR_USAGE, "1 to 200 bytes");
	REFUSED(f, store_baseline_set(f->s, longer, RUN_1, "ana", &f->err), ERR_USAGE, "1 to 200 bytes");
	REFUSED(f, store_baseline_get(f->s, "main", &run, &f->err), ERR_NOT_FOUND, "no baseline");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_name_means_the_last_run_it_was_given, fixture_setup,
		                                fixture_teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_a_baseline_is_refused, fixture_setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
