#include "base/option.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"

struct settings {
	bool insecure;
	const char *name;
	struct option_list headers;
	int64_t users, seed;
	double rate;
	dur_ns duration, grace;
};

#define AT(member) offsetof(struct settings, member)
static const struct option options[] = {
	{ "insecure", 0, OPTION_FLAG, AT(insecure), NULL, 0, 0, "Do not verify." },
	{ "name", 'n', OPTION_STRING, AT(name), "NAME", 0, 0, "The name." },
	{ "header", 'H', OPTION_LIST, AT(headers), "TEXT", 0, 0, "A header." },
	{ "users", 'u', OPTION_INTEGER, AT(users), "N", 1, 1000, "Users." },
	{ "seed", 0, OPTION_INTEGER, AT(seed), "N", 0, 0, "The seed." },
	{ "rate", 0, OPTION_NUMBER, AT(rate), "R", 0.1, 1e6, "The rate." },
	{ "duration", 'd', OPTION_DURATION, AT(duration), "D", (double)SECOND, (double)HOUR, "How long." },
	{ "grace", 0, OPTION_DURATION, AT(grace), "D", 0, 0, "A name that leaves no room in the column." },
	{ 0 },
};

#define WORDS_MAX 200
struct parsed {
	struct settings s;
	const char *arguments[WORDS_MAX];
	int argument_count, result;
	struct err err;
};

#define PARSE(p, ...)                                                                                           \
	do {                                                                                                    \
		char *words_of_it[] = { __VA_ARGS__ };                                                          \
		*(p) = (struct parsed){ .err = { .kind = ERR_NONE } };                                          \
		(p)->result = options_parse(options, sizeof(words_of_it) / sizeof(words_of_it[0]), words_of_it, \
		                            &(p)->s, (p)->arguments, &(p)->argument_count, &(p)->err);          \
	} while (0)

static void options_and_arguments_may_be_mixed(void **state)
{
	struct parsed p;
	PARSE(&p, "one", "--users", "5", "two", "--rate=2.5", "-d", "30s", "-nfoo", "--insecure", "-", "-H", "A: b",
	      "--header=C: d=e", "--grace", "0", "--", "--users", "-x");
	assert_int_equal(p.result, 0);
	assert_int_equal(p.s.users, 5);
	assert_true(p.s.rate == 2.5);
	assert_int_equal(p.s.duration, 30 * SECOND);
	assert_string_equal(p.s.name, "foo");
	assert_true(p.s.insecure);
	assert_int_equal(p.s.headers.count, 2);
	assert_string_equal(p.s.headers.items[0], "A: b");
	assert_string_equal(p.s.headers.items[1], "C: d=e");
	assert_int_equal(p.argument_count, 5);
	assert_string_equal(p.arguments[0], "one");
	assert_string_equal(p.arguments[1], "two");
	assert_string_equal(p.arguments[2], "-");
	assert_string_equal(p.arguments[3], "--users");
	assert_string_equal(p.arguments[4], "-x");
}

static void nothing_given_changes_nothing(void **state)
{
	struct settings s = { .users = 7, .rate = 1 };
	const char *arguments[1];
	int count = -1;
	assert_int_equal(options_parse(options, 0, NULL, &s, arguments, &count, NULL), 0);
	assert_int_equal(count, 0);
	assert_int_equal(s.users, 7);
}

static void whole_numbers_are_exact(void **state)
{
	struct parsed p;
	PARSE(&p, "--seed", "9007199254740993"); /* 2^53 + 1: no double */
	assert_int_equal(p.result, 0);
	assert_true(p.s.seed == INT64_C(9007199254740993));
	PARSE(&p, "--seed", "9223372036854775807");
	assert_true(p.result == 0 && p.s.seed == INT64_MAX);
	PARSE(&p, "--seed=-5");
	assert_true(p.result == 0 && p.s.seed == -5);
	PARSE(&p, "--seed=1e3");
	assert_true(p.result == 0 && p.s.seed == 1000);
}

static void mistakes_are_told_in_a_sentence(void **state)
{
	static const struct {
		char *words[2];
		const char *text;
	} cases[] = {
		{ { "--user", "1" }, "unknown option --user; did you mean --users?" },
		{ { "--colour", "1" }, "unknown option --colour" },
		{ { "-x", "1" }, "unknown option -x" },
		{ { "a", "--users" }, "--users needs a value: --users N" },
		{ { "a", "--insecure=yes" }, "--insecure takes no value" },
		{ { "--users", "many" }, "--users needs a whole number, not 'many'" },
		{ { "--users", "1.5" }, "--users needs a whole number, not '1.5'" },
		{ { "--users", "0" }, "--users needs a number from 1 to 1000, not '0'" },
		{ { "--users", "1001" }, "--users needs a number from 1 to 1000, not '1001'" },
		{ { "--seed", "1e300" }, "--seed needs a whole number, not '1e300'" },
		{ { "--seed", "9223372036854775808" }, "--seed needs a whole number, not '9223372036854775808'" },
		{ { "--rate", "" }, "--rate needs a number, not ''" },
		{ { "--rate", "0.01" }, "--rate needs a number from 0.1 to 1e+06, not '0.01'" },
		{ { "--duration", "30" }, "--duration needs a duration such as 30s or 250ms, not '30'" },
		{ { "--duration", "2h" }, "--duration needs a duration from 1.00 s to 60 m 0 s, not '2h'" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct parsed p;
		PARSE(&p, cases[i].words[0], cases[i].words[1]);
		assert_int_equal(p.result, -1);
		assert_int_equal(p.err.kind, ERR_USAGE);
		assert_string_equal(p.err.text, cases[i].text);
	}
}

static void a_list_has_an_end(void **state)
{
	char *words[OPTION_LIST_MAX + 1];
	struct settings s = { 0 };
	const char *arguments[OPTION_LIST_MAX + 1];
	int count;
	struct err err;
	for (size_t i = 0; i < OPTION_LIST_MAX + 1; i++)
		words[i] = "-Hx";
	assert_int_equal(options_parse(options, OPTION_LIST_MAX, words, &s, arguments, &count, &err), 0);
	s.headers.count = 0;
	assert_int_equal(options_parse(options, OPTION_LIST_MAX + 1, words, &s, arguments, &count, &err), -1);
}

static void the_help_has_a_line_per_option(void **state)
{
	struct buf out;
	buf_init(&out, 4096);
	options_help(options, &out);
	const char *help = buf_cstr(&out);
	assert_non_null(strstr(help, "      --insecure              Do not verify.\n"));
	assert_non_null(strstr(help, "  -H, --header TEXT           A header.\n"));
	assert_non_null(strstr(help, "  -d, --duration D            How long.\n"));
	buf_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_and_arguments_may_be_mixed),
		cmocka_unit_test(nothing_given_changes_nothing),
		cmocka_unit_test(whole_numbers_are_exact),
		cmocka_unit_test(mistakes_are_told_in_a_sentence),
		cmocka_unit_test(a_list_has_an_end),
		cmocka_unit_test(the_help_has_a_line_per_option),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
