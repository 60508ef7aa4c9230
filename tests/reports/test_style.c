#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>

#include "base/must.h"
#include "reports/style.h"

static const struct report_style plain = { .width = 40 };
static const struct report_style rich = { .width = 40, .colour = true, .utf8 = true };

static void expect(struct buf *out, const char *wanted)
{
	assert_string_equal(buf_cstr(out), wanted);
	buf_clear(out);
}

static void text_from_outside_is_cleaned(void **state)
{
	static const struct {
		const char *text, *ascii, *utf8;
	} cases[] = {
		{ "plain", "plain", "plain" },
		{ "a\033[2Jb", "a?[2Jb", "a?[2Jb" },
		{ "two\nlines\tand\ra", "two lines and a", "two lines and a" },
		{ "gr\303\274n", "gr?n", "gr\303\274n" },
		{ "cut \303", "cut ?", "cut ?" },               /* half a character */
		{ "over \300\257", "over ??", "over ??" },      /* overlong "/" */
		{ "c1 \302\233 2J", "c1 ? 2J", "c1 ? 2J" },     /* CSI in one character */
		{ "turn \342\200\256x", "turn ?x", "turn ?x" }, /* right-to-left override */
		{ "\355\240\200", "???", "???" },               /* surrogate */
	};
	struct report_style utf8 = plain;
	struct buf out;
	utf8.utf8 = true;
	buf_init(&out, 1000);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		style_add(&plain, &out, TONE_PLAIN, cases[i].text, 0);
		expect(&out, cases[i].ascii);
		style_add(&utf8, &out, TONE_PLAIN, cases[i].text, 0);
		expect(&out, cases[i].utf8);
	}
	buf_finish(&out);
}

static void cut_text_counts_characters(void **state)
{
	struct buf out;
	buf_init(&out, 1000);
	style_add(&rich, &out, TONE_PLAIN, "\303\244\303\266\303\274\303\237x", 5);
	expect(&out, "\303\244\303\266\303\274\303\237x");
	style_add(&rich, &out, TONE_PLAIN, "\303\244\303\266\303\274\303\237x", 4);
	expect(&out, "\303\244\303\266\303\274\342\200\246");
	style_add(&plain, &out, TONE_PLAIN, "abcdef", 4);
	expect(&out, "ab..");
	style_add(&plain, &out, TONE_PLAIN, "abcdef", 1);
	expect(&out, ".");
	style_add(&plain, &out, TONE_BAD, NULL, 4);
	expect(&out, "");
	assert_int_equal(style_columns(STR("\303\244\303\266x")), 3);
	buf_finish(&out);
}

static void colour_is_around_words_only(void **state)
{
	struct buf out;
	buf_init(&out, 1000);
	style_add(&rich, &out, TONE_GOOD, "MET", 0);
	expect(&out, "\033[32mMET\033[0m");
	style_add(&plain, &out, TONE_GOOD, "MET", 0);
	expect(&out, "MET");
	style_add(&rich, &out, TONE_PLAIN, "met", 0);
	expect(&out, "met");
	buf_finish(&out);
}

static void sentences_are_wrapped(void **state)
{
	struct buf out;
	buf_init(&out, 1000);
	style_say(&plain, &out, 2, "one two three four five six seven eight nine ten");
	expect(&out, "  one two three four five six seven\n  eight nine ten\n");
	style_item(&plain, &out, 0, "one two three four five six seven eight nine ten");
	expect(&out, "- one two three four five six seven\n  eight nine ten\n");
	style_verdict(&plain, &out, TONE_BAD, "NOT MET", "one two three four five six seven eight nine");
	expect(&out, "NOT MET  one two three four five six\n         seven eight nine\n");
	style_pair(&plain, &out, 6, "name", "one two three four five six seven eight");
	expect(&out, "  name   one two three four five six\n         seven eight\n");
	style_say(&plain, &out, 0, "%s", "");
	expect(&out, "\n");
	buf_finish(&out);
}

/* At the 40th column: neither "12 | ms" nor "5 | %" nor "6 m | 2 s". */
static void numbers_stay_with_their_units(void **state)
{
	struct buf out;
	buf_init(&out, 1000);
	style_say(&plain, &out, 0, "a sentence that ends at the columns: 12 ms later");
	expect(&out, "a sentence that ends at the columns:\n12 ms later\n");
	style_say(&plain, &out, 0, "a sentence that ends at the col (at 5 %%), you see");
	expect(&out, "a sentence that ends at the col (at\n5 %), you see\n");
	style_say(&plain, &out, 0, "a sentence that ends at the column: 6 m 2 s");
	expect(&out, "a sentence that ends at the column:\n6 m 2 s\n");
	buf_finish(&out);
}

static void sparks(void **state)
{
	static const double values[] = { 0, 1, 4, 8, NAN, -1, INFINITY, 2 };
	static const double zeros[] = { 0, 0 };
	struct buf out;
	buf_init(&out, 1000);
	style_spark(&plain, &out, values, ARRAY_LEN(values), 0);
	expect(&out, "__-#   .");
	style_spark(&plain, &out, values, 4, 4);
	expect(&out, "_.##");
	style_spark(&rich, &out, values, 2, 1);
	expect(&out, "\342\226\201\342\226\210");
	style_spark(&plain, &out, zeros, 2, 0);
	expect(&out, "__");
	buf_finish(&out);
}

static void bars(void **state)
{
	struct buf out;
	buf_init(&out, 1000);
	style_bar(&plain, &out, 0.5, -1, 10);
	expect(&out, "#####.....");
	style_bar(&plain, &out, 0.001, 0.5, 10);
	expect(&out, "#....|....");
	style_bar(&plain, &out, 7, 1, 4);
	expect(&out, "###|");
	style_bar(&plain, &out, NAN, NAN, 3);
	expect(&out, "...");
	buf_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_from_outside_is_cleaned),
		cmocka_unit_test(cut_text_counts_characters),
		cmocka_unit_test(colour_is_around_words_only),
		cmocka_unit_test(sentences_are_wrapped),
		cmocka_unit_test(numbers_stay_with_their_units),
		cmocka_unit_test(sparks),
		cmocka_unit_test(bars),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
