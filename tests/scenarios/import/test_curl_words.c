#include "scenarios/import/curl_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/must.h"

/* The words of <text> as "a|b|;": "|" behind each, ";" for the end of a command. */
static bool read_words(const char *text, struct buf *ret, struct curl_words *w)
{
	const struct source source = { "text", str_from(text) };
	struct diags diags;
	diags_init(&diags, &source);
	const bool good = curl_words_read(w, &diags);
	assert_int_equal(good, diags.count == 0);
	for (size_t i = 0; good && i < w->count; i++) {
		buf_add(ret, w->list[i].ends ? STR(";") : w->list[i].text);
		if (!w->list[i].ends)
			buf_add_char(ret, '|');
	}
	diags_finish(&diags);
	return good;
}

static void words_are_those_of_bash(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "", "" },
		{ " \n;; # nothing\n", "" },
		{ "curl a", "curl|a|;" },
		{ "curl 'a b'\"c d\"e\\ f", "curl|a bc de f|;" },
		{ "curl '' \"\"", "curl|||;" },
		{ "curl 'a\\b' \"a\\b\\\"\\$\\\\\"", "curl|a\\b|a\\b\"$\\|;" },
		{ "curl $'it\\'s\\n\\t\\x41\\101\\u00e9\\\\'", "curl|it's\n\tAA\xc3\xa9\\|;" },
		{ "curl $'\\ud83d\\ude00\\U0001f600'", "curl|\xf0\x9f\x98\x80\xf0\x9f\x98\x80|;" },
		{ "curl $'\\ud83d'", "curl|\xef\xbf\xbd|;" },
		{ "curl a \\\n  -H 'b' \\\r\n c", "curl|a|-H|b|c|;" },
		{ "curl \"a\\\nb\"", "curl|ab|;" },
		{ "curl a; curl b && curl c & curl d || curl e\ncurl f",
		  "curl|a|;curl|b|;curl|c|;curl|d|;curl|e|;curl|f|;" },
		{ "curl a | jq . | less; curl b", "curl|a|;curl|b|;" },
		{ "curl a > file 2>&1 2>/dev/null <in b", "curl|a|b|;" },
		{ "curl a2>x", "curl|a2|;" },
		{ "curl a#b #c d\ncurl e", "curl|a#b|;curl|e|;" },
		{ "curl 'http://h/?a=1&b=2' -d 'x;y|z>w'", "curl|http://h/?a=1&b=2|-d|x;y|z>w|;" },
		{ "curl \\", "curl|;" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct curl_words w;
		struct buf said;
		buf_init(&said, 4096);
		assert_true(read_words(cases[i].text, &said, &w));
		assert_string_equal(buf_cstr(&said), cases[i].words);
		buf_finish(&said);
		curl_words_finish(&w);
	}
}

static void what_a_shell_would_do_is_said(void **state)
{
	static const struct {
		const char *text;
		bool expands, redirects;
	} cases[] = {
		{ "curl '$HOME `x`'", false, false }, { "curl $HOME", true, false },
		{ "curl \"$(id)\"", true, false },    { "curl `id`", true, false },
		{ "curl \"a $ b\"", false, false },   { "curl a > b", false, true },
		{ "curl a | b", false, true },        { "curl 'a|b'", false, false },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct curl_words w;
		struct buf said;
		buf_init(&said, 4096);
		assert_true(read_words(cases[i].text, &said, &w));
		assert_int_equal(w.expands, cases[i].expands);
		assert_int_equal(w.redirects, cases[i].redirects);
		buf_finish(&said);
		curl_words_finish(&w);
	}
}

static void a_quote_has_an_end(void **state)
{
	static const char *const cases[] = { "curl 'a", "curl \"a", "curl $'a", "curl $'a\\", "curl \"a\\\"" };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct curl_words w;
		struct buf said;
		buf_init(&said, 4096);
		assert_false(read_words(cases[i], &said, &w));
		buf_finish(&said);
		curl_words_finish(&w);
	}
}

static void words_know_their_place(void **state)
{
	struct curl_words w;
	struct buf said;
	buf_init(&said, 4096);
	assert_true(read_words("curl  'a b'  c", &said, &w));
	assert_int_equal(w.list[1].at, 6);
	assert_int_equal(w.list[1].len, 5);
	assert_int_equal(w.list[2].at, 13);
	buf_finish(&said);
	curl_words_finish(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_those_of_bash),
		cmocka_unit_test(what_a_shell_would_do_is_said),
		cmocka_unit_test(a_quote_has_an_end),
		cmocka_unit_test(words_know_their_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
