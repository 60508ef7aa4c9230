#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "reports/compare.h"
#include "tests/reports/golden.h"

static const struct compare_row *row_of(const struct run_comparison *c, const char *flow, const char *step,
                                        enum compare_figure figure)
{
	for (size_t i = 0; i < c->row_count; i++) {
		const struct compare_row *row = &c->rows[i];
		if (row->figure == figure && !row->flow == !flow && !row->step == !step &&
		    (!flow || strcmp(row->flow, flow) == 0) && (!step || strcmp(row->step, step) == 0))
			return row;
	}
	fail_msg("no such row");
	return NULL;
}

struct pair {
	struct run_record base, now;
	struct run_comparison c;
};

static void compare(struct pair *p, const struct compare_limits *limits)
{
	run_comparison_make(&p->base, &p->now, limits, &p->c);
}

static void finish(struct pair *p)
{
	run_comparison_finish(&p->c);
	run_record_finish(&p->base);
	run_record_finish(&p->now);
}

static void the_same_run_is_the_same(void **state)
{
	struct pair p;
	golden_run(&p.base, 1);
	golden_run(&p.now, 1);
	compare(&p, NULL);
	assert_false(p.c.regression || p.c.inconclusive);
	assert_int_equal(p.c.warning_count, 0);
	/* Two flows of two steps and the whole: 7 places. */
	assert_int_equal(p.c.row_count, 7 * COMPARE_FIGURES);
	for (size_t i = 0; i < p.c.row_count; i++)
		assert_int_equal(p.c.rows[i].verdict, COMPARE_SAME);
	assert_true(p.c.design_effect_known);
	finish(&p);
}

/* Twice as slow: the interval holds 2, excludes 1.1, and is as MOVER says for two equally wide ones. */
static void twice_as_slow(void **state)
{
	struct pair p;
	golden_run(&p.base, 1);
	golden_run(&p.now, 2);
	compare(&p, NULL);
	const struct compare_row *row = row_of(&p.c, NULL, NULL, COMPARE_P95);
	assert_true(p.c.regression);
	assert_int_equal(row->verdict, COMPARE_REGRESSION);
	assert_true(fabs(row->ratio - 2) < 0.005);
	assert_true(row->low > 1.9 && row->low < 2 && row->high > 2 && row->high < 2.1);
	finish(&p);
}

static void limits_are_obeyed(void **state)
{
	struct pair p;
	golden_run(&p.base, 1);
	golden_run(&p.now, 2);
	const struct compare_limits lenient = { .ratio = 3, .floor = 5 * MILLISECOND, .error_floor = 0.001 };
	compare(&p, &lenient);
	assert_false(p.c.regression || p.c.inconclusive);
	assert_int_equal(row_of(&p.c, NULL, NULL, COMPARE_P95)->verdict, COMPARE_WORSE);
	run_comparison_finish(&p.c);
	const struct compare_limits high_floor = { .ratio = 1.5, .floor = SECOND, .error_floor = 0.001 };
	compare(&p, &high_floor);
	assert_false(p.c.regression || p.c.inconclusive);
	assert_int_equal(row_of(&p.c, NULL, NULL, COMPARE_P95)->verdict, COMPARE_SMALL);
	finish(&p);
}

static void half_as_slow_is_better(void **state)
{
	struct pair p;
	golden_run(&p.base, 2);
	golden_run(&p.now, 1);
	compare(&p, NULL);
	assert_false(p.c.regression || p.c.inconclusive);
	assert_int_equal(row_of(&p.c, NULL, NULL, COMPARE_P95)->verdict, COMPARE_BETTER);
	finish(&p);
}

/* The same figures, but all of the rise stands in one batch of seconds: nobody knows whether it would come again. */
static void a_rise_of_one_moment_is_no_proof(void **state)
{
	struct pair p;
	golden_run(&p.base, 1);
	golden_run(&p.now, 2);
	for (size_t i = 0; i < p.now.second_count; i++) {
		const int factor = i < 5 + 50 ? 1 : 40;
		p.now.seconds[i] = p.base.seconds[i];
		p.now.seconds[i].response_p95 *= factor;
	}
	compare(&p, NULL);
	assert_true(p.c.design_effect[COMPARE_P95] > 10);
	assert_int_not_equal(row_of(&p.c, NULL, NULL, COMPARE_P95)->verdict, COMPARE_REGRESSION);
	finish(&p);
}

static void errors(struct run_record *r, uint64_t failed)
{
	r->failed = failed;
	for (size_t i = 0; i < r->second_count; i++)
		r->seconds[i].failed = (uint32_t)(failed / 60);
}

static void error_rates(void **state)
{
	struct pair p;
	golden_run(&p.base, 1);
	golden_run(&p.now, 1);
	errors(&p.base, 0);
	errors(&p.now, 240);
	compare(&p, NULL);
	const struct compare_row *row = row_of(&p.c, NULL, NULL, COMPARE_ERROR_RATE);
	assert_int_equal(row->verdict, COMPARE_REGRESSION);
	assert_true(isnan(row->ratio)); /* 1 % where there was none */
	assert_true(row->low > 0.008 && row->low < 0.01 && row->high < 0.012);
	run_comparison_finish(&p.c);
	errors(&p.now, 12); /* 0.05 %: below the floor */
	compare(&p, NULL);
	assert_false(p.c.regression);
	run_comparison_finish(&p.c);
	errors(&p.base, 240);
	errors(&p.now, 0);
	compare(&p, NULL);
	assert_int_equal(row_of(&p.c, NULL, NULL, COMPARE_ERROR_RATE)->verdict, COMPARE_BETTER);
	finish(&p);
}

/* Newcombe 1998, table II, example (a): 56/70 - 48/80 = 0.2, method 10: 0.0524 to 0.3339. */
static void interval_of_newcombe(void **state)
{
	struct pair p;
	golden_run_of(&p.base, 1, 5, 8);
	golden_run_of(&p.now, 1, 5, 8);
	p.base.requests = 80;
	p.base.failed = 48;
	p.now.requests = 70;
	p.now.failed = 56;
	compare(&p, NULL);
	const struct compare_row *row = row_of(&p.c, NULL, NULL, COMPARE_ERROR_RATE);
	assert_true(fabs(row->low - 0.0524) < 5e-5);
	assert_true(fabs(row->high - 0.3339) < 5e-5);
	finish(&p);
}

static void missing_data_is_never_success(void **state)
{
	struct pair p;
	golden_run(&p.base, 1);
	run_record_init(&p.now);
	compare(&p, NULL);
	assert_true(p.c.inconclusive && !p.c.regression && p.c.refused);
	assert_int_equal(p.c.row_count, 0);
	finish(&p);

	golden_run(&p.base, 1);
	golden_run(&p.now, 1);
	free(p.now.flows[1].steps[0].name);
	p.now.flows[1].steps[0].name = xstrdup("another");
	compare(&p, NULL);
	assert_true(p.c.inconclusive);
	assert_int_equal(p.c.unclear, 1);
	finish(&p);
}

static void unlike_runs_are_named(void **state)
{
	struct pair p;
	golden_run(&p.base, 1);
	golden_run_of(&p.now, 1, 60, 300);
	json_object_set_new(p.now.manifest, "scenario_hash", json_string("other"));
	json_object_del(p.now.manifest, "threads");
	p.now.by_curl = p.now.requests;
	p.now.by_replay = 0;
	compare(&p, NULL);
	assert_int_equal(p.c.warning_count, 4);
	assert_non_null(strstr(p.c.warnings[0], "\"9f2c4e1b7a3d5f60\" then, \"other\" now"));
	assert_non_null(strstr(p.c.warnings[1], "1 then, not known now"));
	assert_non_null(strstr(p.c.warnings[2], "replay carried 100 % of the requests then, 0 % now"));
	assert_non_null(strstr(p.c.warnings[3], "loads differ"));
	finish(&p);
}

static void as_json(void **state)
{
	struct pair p;
	golden_run_of(&p.base, 1, 5, 4);
	golden_run_of(&p.now, 1, 5, 4);
	compare(&p, NULL);
	json_t *json = run_comparison_encode(&p.c, &p.base, &p.now);
	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "verdict")), "inconclusive");
	json_t *rows = json_object_get(json, "rows");
	assert_int_equal(json_array_size(rows), p.c.row_count);
	assert_true(json_is_null(json_object_get(json_array_get(rows, COMPARE_P99), "ratio")));
	char *text = json_dumps(json, 0);
	assert_non_null(text);
	free(text);
	json_decref(json);
	finish(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_run_is_the_same),
		cmocka_unit_test(twice_as_slow),
		cmocka_unit_test(limits_are_obeyed),
		cmocka_unit_test(half_as_slow_is_better),
		cmocka_unit_test(a_rise_of_one_moment_is_no_proof),
		cmocka_unit_test(error_rates),
		cmocka_unit_test(interval_of_newcombe),
		cmocka_unit_test(missing_data_is_never_success),
		cmocka_unit_test(unlike_runs_are_named),
		cmocka_unit_test(as_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
