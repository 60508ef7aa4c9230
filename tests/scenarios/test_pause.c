#include "scenarios/pause.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/must.h"

static void texts_and_back(void **state)
{
	static const struct {
		const char *text;
		enum pause_kind kind;
		dur_ns low, high;
		const char *again;
	} cases[] = {
		{ "1s", PAUSE_FIXED, SECOND, SECOND, "1s" },
		{ "1.5s", PAUSE_FIXED, 1500 * MILLISECOND, 1500 * MILLISECOND, "1500ms" },
		{ "0", PAUSE_FIXED, 0, 0, "0" },
		{ "1s..3s", PAUSE_UNIFORM, SECOND, 3 * SECOND, "1s..3s" },
		{ "0..1m30s", PAUSE_UNIFORM, 0, 90 * SECOND, "0..90s" },
		{ "2s..2s", PAUSE_UNIFORM, 2 * SECOND, 2 * SECOND, "2s..2s" },
		{ "exp:2s", PAUSE_EXPONENTIAL, 2 * SECOND, 40 * SECOND, "exp:2s" },
		{ "24h", PAUSE_FIXED, 24 * HOUR, 24 * HOUR, "24h" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pause p;
		size_t at;
		const char *why;
		struct buf out;
		if (!pause_parse(str_from(cases[i].text), &p, &at, &why))
			fail_msg("%s: at %zu: %s", cases[i].text, at, why);
		assert_int_equal(p.kind, cases[i].kind);
		assert_int_equal(p.low, cases[i].low);
		assert_int_equal(p.high, cases[i].high);
		buf_init(&out, 100);
		pause_write(&p, &out);
		assert_string_equal(buf_cstr(&out), cases[i].again);
		buf_finish(&out);
	}
}

static void bad_ones_say_where(void **state)
{
	static const struct {
		const char *text;
		size_t at;
	} cases[] = {
		{ "", 0 },     { "soon", 0 },       { "1", 1 },   { "3s..1s", 4 },  { "1s..", 4 },    { "..1s", 0 },
		{ "exp:", 4 }, { "exp:1s..2s", 9 }, { "25h", 0 }, { "1s..25h", 0 }, { "1s...2s", 4 }, { "1s 2s", 2 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pause p;
		size_t at = 99;
		const char *why = NULL;
		if (pause_parse(str_from(cases[i].text), &p, &at, &why))
			fail_msg("taken: %s", cases[i].text);
		if (at != cases[i].at)
			fail_msg("%s: at %zu, not %zu", cases[i].text, at, cases[i].at);
		assert_non_null(why);
	}
}

/* The mean of 100,000 draws is within five standard errors. */
static void draws_follow_their_law(void **state)
{
	const struct pause fixed = { PAUSE_FIXED, 5, 5 }, uniform = { PAUSE_UNIFORM, 1000, 3000 },
			   exponential = { PAUSE_EXPONENTIAL, SECOND, 20 * SECOND };
	struct rng rng;
	double sum_uniform = 0, sum_exponential = 0;
	const int n = 100000;
	rng_init(&rng, 1, 2);
	for (int i = 0; i < n; i++) {
		const dur_ns u = pause_draw(&uniform, &rng), e = pause_draw(&exponential, &rng);
		assert_in_range(u, 1000, 3000);
		assert_in_range(e, 0, 20 * SECOND);
		sum_uniform += (double)u;
		sum_exponential += (double)e;
	}
	assert_int_equal(pause_draw(&fixed, &rng), 5);
	assert_true(sum_uniform / n > 1990 && sum_uniform / n < 2010);
	assert_true(sum_exponential / n > 0.984e9 && sum_exponential / n < 1.016e9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_and_back),
		cmocka_unit_test(bad_ones_say_where),
		cmocka_unit_test(draws_follow_their_law),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
