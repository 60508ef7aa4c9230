#include "tests/store/fixture.h"

static void runs_come_back_whole(void **state)
{
	FIXTURE(f);
	struct run_record run, again;
	sample_run(&run, RUN_1, "critical-flows", RUN_VALID, 3);
	DONE(f, store_run_put(f->s, &run, &f->err));
	DONE(f, store_run_get(f->s, RUN_1, &again, &f->err));
	json_t *first = run_record_encode(&run, RUN_JSON_HISTOGRAMS),
	       *second = run_record_encode(&again, RUN_JSON_HISTOGRAMS);
	assert_true(json_equal(first, second));
	json_decref(first);
	json_decref(second);
	run_record_finish(&again);
	REFUSED(f, store_run_put(f->s, &run, &f->err), ERR_STORE, "records are not rewritten");
	run_record_finish(&run);
}

static void keys_find_runs(void **state)
{
	static const struct {
		const char *key, *id;
		enum err_kind kind;
		const char *says;
	} cases[] = {
		{ "last", RUN_3, ERR_NONE, NULL },
		{ RUN_1, RUN_1, ERR_NONE, NULL },
		{ "nightly", RUN_2, ERR_NONE, NULL }, /* the newest of that name */
		{ "01K0", RUN_3, ERR_NONE, NULL },    /* the name "01J0" wins over beginnings */
		{ "01k00", RUN_3, ERR_NONE, NULL },
		{ "01J0", RUN_3, ERR_NONE, NULL },
		{ "01J00", NULL, ERR_USAGE, "'01J00' is the beginning of more than one run: " RUN_1 ", " RUN_2 },
		{ "01K", NULL, ERR_NOT_FOUND, "no run '01K' in the store" },
		{ "", NULL, ERR_NOT_FOUND, "no run ''" },
		{ "%", NULL, ERR_NOT_FOUND, "no run '%'" },
		{ "nothing", NULL, ERR_NOT_FOUND, "no run 'nothing'" },
	};
	FIXTURE(f);
	struct run_record run;
	REFUSED(f, store_run_get(f->s, "last", &run, &f->err), ERR_NOT_FOUND, "no run in the store yet");
	fixture_put_run(f, RUN_1, "nightly", RUN_VALID, 1);
	fixture_put_run(f, RUN_2, "nightly", RUN_VALID, 2);
	fixture_put_run(f, RUN_3, "01J0", RUN_SUSPECT, 3);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const int r = store_run_get(f->s, cases[i].key, &run, &f->err);
		if (!cases[i].id) {
			REFUSED(f, r, cases[i].kind, cases[i].says);
			continue;
		}
		DONE(f, r);
		assert_string_equal(run.id, cases[i].id);
		run_record_finish(&run);
	}
}

static void lists_begin_with_the_newest(void **state)
{
	FIXTURE(f);
	struct run_list list;
	DONE(f, store_run_list(f->s, 10, &list, &f->err));
	assert_int_equal(list.count, 0);
	run_list_finish(&list);
	fixture_put_run(f, RUN_2, "b", RUN_VALID, 2);
	fixture_put_run(f, RUN_1, "a", RUN_NOT_VALID, 9);
	fixture_put_run(f, RUN_3, "c", RUN_SUSPECT, 5);
	DONE(f, store_run_list(f->s, SIZE_MAX, &list, &f->err));
	assert_int_equal(list.count, 3);
	assert_string_equal(list.rows[0].name, "a");
	assert_int_equal(list.rows[0].validity, RUN_NOT_VALID);
	assert_int_equal(list.rows[0].verdict, RUN_INVALID);
	assert_int_equal(list.rows[2].verdict, RUN_NOT_MET);
	assert_true(list.rows[1].started_at.ns == INT64_C(1760000005123) * MILLISECOND);
	run_list_finish(&list);
	DONE(f, store_run_list(f->s, 1, &list, &f->err));
	assert_int_equal(list.count, 1);
	run_list_finish(&list);
}

static void searches_come_back(void **state)
{
	FIXTURE(f);
	struct search_record search, again;
	struct search_list list;
	sample_search(&search, RUN_1, "capacity");
	DONE(f, store_search_put(f->s, &search, &f->err));
	REFUSED(f, store_search_put(f->s, &search, &f->err), ERR_STORE, "not rewritten");
	DONE(f, store_search_get(f->s, "capacity", &again, &f->err));
	json_t *first = search_record_encode(&search), *second = search_record_encode(&again);
	assert_true(json_equal(first, second));
	json_decref(first);
	json_decref(second);
	search_record_finish(&again);
	search_record_finish(&search);
	DONE(f, store_search_list(f->s, 5, &list, &f->err));
	assert_int_equal(list.count, 1);
	assert_float_equal(list.rows[0].verified, 812.5, 0);
	assert_string_equal(list.rows[0].answer, "verified");
	search_list_finish(&list);
	REFUSED(f, store_search_get(f->s, "other", &again, &f->err), ERR_NOT_FOUND, "no search 'other'");
}

static void a_damaged_record_is_an_error(void **state)
{
	FIXTURE(f);
	struct run_record run;
	fixture_put_run(f, RUN_1, "a", RUN_VALID, 1);
	fixture_sql(f, "UPDATE runs SET record = json_remove(record, '$.load')");
	REFUSED(f, store_run_get(f->s, "last", &run, &f->err), ERR_STORE, "record: load must be an object");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(runs_come_back_whole, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(keys_find_runs, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(lists_begin_with_the_newest, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(searches_come_back, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(a_damaged_record_is_an_error, fixture_setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
