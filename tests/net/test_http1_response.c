#include "net/http1_response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/must.h"

#define TEXT_MAX (4u << 20)

/* What a caller hears, in one line: "200 X=v 'body' end keep left=0". Body parts are joined. */
struct hearing {
	struct http1_response r;
	struct buf said, body, rest;
	enum http1_piece piece;
	size_t left;
};

static void hearing_init(struct hearing *h, bool to_head, bool headers_wanted)
{
	*h = (struct hearing){ .piece = HTTP1_MORE };
	http1_response_init(&h->r, to_head, headers_wanted);
	buf_init(&h->said, TEXT_MAX);
	buf_init(&h->body, TEXT_MAX);
	buf_init(&h->rest, TEXT_MAX);
}

static void hearing_finish(struct hearing *h)
{
	buf_finish(&h->said);
	buf_finish(&h->body);
	buf_finish(&h->rest);
}

/* Gives it one piece behind what it left, as the transport does. */
static void hear(struct hearing *h, struct str bytes)
{
	must(buf_add(&h->rest, bytes));
	/* A copy of exactly this size: reading past its end is found by the sanitizer. */
	const size_t len = h->rest.len;
	char *copy = xmalloc(len);
	memcpy(copy, h->rest.bytes, len);
	struct str in = { copy, len };
	while ((h->piece = http1_response_next(&h->r, &in)) == HTTP1_HEADER || h->piece == HTTP1_BODY) {
		if (h->piece == HTTP1_BODY) {
			assert_true(h->r.body.len > 0);
			buf_add(&h->body, h->r.body);
		} else {
			buf_add(&h->said, h->r.name);
			buf_add(&h->said, STR("="));
			buf_add(&h->said, h->r.value);
			buf_add(&h->said, STR(" "));
		}
	}
	assert_true(in.p + in.len == copy + len);
	h->left = in.len;
	buf_clear(&h->rest);
	must(buf_add(&h->rest, in));
	free(copy);
}

/* <size> bytes at a time, until the answer is clear or the text is over. */
static void hear_in_pieces(struct hearing *h, struct str text, size_t size)
{
	while (text.len && h->piece == HTTP1_MORE) {
		hear(h, str_first(text, size));
		text = str_from_at(text, size);
	}
	h->left += text.len;
}

static const char *summary(struct hearing *h)
{
	const char *keep = h->r.keep_alive ? "keep" : "close";
	buf_printf(&h->said, "%d '%s' ", h->r.status, buf_cstr(&h->body));
	switch (h->piece) {
	case HTTP1_END:
		buf_printf(&h->said, "end %s left=%zu", keep, h->left);
		break;
	case HTTP1_INVALID:
		buf_printf(&h->said, "invalid: %s", h->r.why);
		break;
	case HTTP1_MORE:
		buf_printf(&h->said, "%s", http1_response_ends_here(&h->r) ? "ends here" : "more");
		break;
	case HTTP1_HEADER:
	case HTTP1_BODY:
		must(false);
	}
	return buf_cstr(&h->said);
}

#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"
#define TE "Transfer-Encoding=chunked "

static const struct {
	const char *text, *heard;
} cases[] = {
	/* lengths */
	{ OK "Content-Length: 5\r\n\r\nhello", "Content-Length=5 200 'hello' end keep left=0" },
	{ OK "Content-Length: 5\r\n\r\nhelloHTTP", "Content-Length=5 200 'hello' end keep left=4" },
	{ OK "Content-Length: 0\r\n\r\n", "Content-Length=0 200 '' end keep left=0" },
	{ OK "content-LENGTH:5\r\n\r\nhello", "content-LENGTH=5 200 'hello' end keep left=0" },
	{ OK "Content-Length: \t 5 \t\r\n\r\nhello", "Content-Length=5 200 'hello' end keep left=0" },
	{ OK "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok",
	  "Content-Length=2 Content-Length=2 200 'ok' end keep left=0" },
	{ OK "Content-Length: 2, 2\r\n\r\nok", "Content-Length=2, 2 200 'ok' end keep left=0" },
	{ OK "Content-Length: 2\r\nContent-Length: 3\r\n\r\nok",
	  "Content-Length=2 200 '' invalid: Content-Length is given twice, and differs" },
	{ OK "Content-Length: 2, 3\r\n\r\nok", "200 '' invalid: Content-Length is given twice, and differs" },
	{ OK "Content-Length: many\r\n\r\n", "200 '' invalid: Content-Length is no number" },
	{ OK "Content-Length: -1\r\n\r\n", "200 '' invalid: Content-Length is no number" },
	{ OK "Content-Length: +1\r\n\r\n", "200 '' invalid: Content-Length is no number" },
	{ OK "Content-Length: 0x5\r\n\r\n", "200 '' invalid: Content-Length is no number" },
	{ OK "Content-Length: 5 5\r\n\r\n", "200 '' invalid: Content-Length is no number" },
	{ OK "Content-Length:\r\n\r\n", "200 '' invalid: Content-Length is empty" },
	{ OK "Content-Length: 9223372036854775808\r\n\r\n", "200 '' invalid: Content-Length is no number" },
	{ OK "Content-Length: 99999999999999999999999\r\n\r\n", "200 '' invalid: Content-Length is no number" },
	{ OK "Content-Length: 9223372036854775807\r\n\r\nab", "Content-Length=9223372036854775807 200 'ab' more" },
	/* chunks */
	{ CHUNKED "3\r\nabc\r\n0\r\n\r\n", TE "200 'abc' end keep left=0" },
	{ CHUNKED "3\r\nabc\r\nA\r\n0123456789\r\n000\r\n\r\nrest", TE "200 'abc0123456789' end keep left=4" },
	{ CHUNKED "3;name=value;x=\"y\"\r\nabc\r\n0;last\r\n\r\n", TE "200 'abc' end keep left=0" },
	{ CHUNKED "3 \r\nabc\r\n0\r\n\r\n", TE "200 'abc' end keep left=0" },
	{ CHUNKED "3\nabc\n0\n\n", TE "200 'abc' end keep left=0" },
	{ CHUNKED "00000003\r\nabc\r\n0\r\n\r\n", TE "200 'abc' end keep left=0" },
	{ CHUNKED "0\r\nX-Sum: 1\r\nX-Other: 2\r\n\r\n", TE "X-Sum=1 X-Other=2 200 '' end keep left=0" },
	{ CHUNKED "0\r\nContent-Length: 7\r\n\r\n", TE "Content-Length=7 200 '' end keep left=0" },
	{ CHUNKED "0\r\nno colon\r\n\r\n", TE "200 '' invalid: a header without a colon" },
	{ CHUNKED "zz\r\n", TE "200 '' invalid: a chunk without a size" },
	{ CHUNKED "\r\n", TE "200 '' invalid: a chunk without a size" },
	{ CHUNKED "-1\r\n", TE "200 '' invalid: a chunk without a size" },
	{ CHUNKED "3\r\nabcd\r\n", TE "200 'abc' invalid: a chunk longer than its size" },
	{ CHUNKED "fffffffffffffffff\r\n", TE "200 '' invalid: a chunk that is too large" },
	{ CHUNKED "8000000000000000\r\n", TE "200 '' invalid: a chunk that is too large" },
	{ CHUNKED "7fffffffffffffff\r\nab", TE "200 'ab' more" },
	{ CHUNKED "00000000000000001\r\n", TE "200 '' invalid: a chunk that is too large" },
	{ OK "Transfer-Encoding: Chunked\r\nContent-Length: 99\r\n\r\n1\r\na\r\n0\r\n\r\n",
	  "Transfer-Encoding=Chunked Content-Length=99 200 'a' end keep left=0" },
	{ OK "Content-Length: 99\r\nTransfer-Encoding: identity, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
	  "Content-Length=99 Transfer-Encoding=identity, chunked 200 'a' end keep left=0" },
	{ OK "Transfer-Encoding: gzip, chunked\r\n\r\n",
	  "200 '' invalid: a Transfer-Encoding that weir does not read" },
	{ OK "Transfer-Encoding: gzip\r\n\r\n", "200 '' invalid: a Transfer-Encoding that weir does not read" },
	/* ends with the connection */
	{ OK "Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok",
	  "Transfer-Encoding=identity Content-Length=2 200 'ok' ends here" },
	{ OK "\r\nuntil the end", "200 'until the end' ends here" },
	{ OK "\r\n", "200 '' ends here" },
	{ OK "Transfer-Encoding: identity\r\n\r\nabc", "Transfer-Encoding=identity 200 'abc' ends here" },
	{ "HTTP/1.0 200 OK\r\n\r\nabc", "200 'abc' ends here" },
	/* keeping the connection */
	{ OK "Connection: close\r\nContent-Length: 1\r\n\r\na",
	  "Connection=close Content-Length=1 200 'a' end close left=0" },
	{ OK "Connection: Foo, CLOSE\r\nContent-Length: 1\r\n\r\na",
	  "Connection=Foo, CLOSE Content-Length=1 200 'a' end close left=0" },
	{ OK "Connection: closed\r\nContent-Length: 1\r\n\r\na",
	  "Connection=closed Content-Length=1 200 'a' end keep left=0" },
	{ "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", "Content-Length=1 200 'a' end close left=0" },
	{ "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\na",
	  "Connection=Keep-Alive Content-Length=1 200 'a' end keep left=0" },
	/* no body */
	{ "HTTP/1.1 204 No Content\r\n\r\n", "204 '' end keep left=0" },
	{ "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "Content-Length=5 204 '' end keep left=0" },
	{ "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "Content-Length=5 304 '' end keep left=0" },
	{ "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", TE "304 '' end keep left=0" },
	{ "HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 1\r\n\r\na", "Content-Length=1 200 'a' end keep left=0" },
	{ "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" OK "Content-Length: 0\r\n\r\n",
	  "Link=x Content-Length=0 200 '' end keep left=0" },
	{ "HTTP/1.1 100 Continue\r\nContent-Length: 9\r\n\r\n" OK "Content-Length: 1\r\n\r\na",
	  "Content-Length=9 Content-Length=1 200 'a' end keep left=0" },
	{ "HTTP/1.1 100 Continue\r\n\r\n", "100 '' more" },
	{ "HTTP/1.1 101 Switching Protocols\r\n\r\nbytes", "101 'bytes' ends here" },
	/* lines */
	{ "HTTP/1.1 200 OK\nContent-Length: 1\n\na", "Content-Length=1 200 'a' end keep left=0" },
	{ OK "X-A: one\r\n two\r\n\tthree\r\nContent-Length: 0\r\n\r\n",
	  "X-A=one Content-Length=0 200 '' end keep left=0" },
	{ OK " X-A: first\r\nContent-Length: 0\r\n\r\n", "Content-Length=0 200 '' end keep left=0" },
	{ OK "X-Empty:\r\nX-Colon: a:b\r\nContent-Length: 0\r\n\r\n",
	  "X-Empty= X-Colon=a:b Content-Length=0 200 '' end keep left=0" },
	{ OK "no colon\r\n\r\n", "200 '' invalid: a header without a colon" },
	/* status lines */
	{ "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "Content-Length=0 200 '' end keep left=0" },
	{ "HTTP/1.1  404  Not: Found\r\nContent-Length: 0\r\n\r\n", "Content-Length=0 404 '' end keep left=0" },
	{ "HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", "Content-Length=0 999 '' end keep left=0" },
	{ "HTTP/1.1 2000 OK\r\n\r\n", "0 '' invalid: a status that is no number of three digits" },
	{ "HTTP/1.1 20 OK\r\n\r\n", "0 '' invalid: a status that is no number of three digits" },
	{ "HTTP/1.1 099 OK\r\n\r\n", "0 '' invalid: a status that is no number of three digits" },
	{ "HTTP/1.1 -20 OK\r\n\r\n", "0 '' invalid: a status that is no number of three digits" },
	{ "HTTP/1.1 OK\r\n\r\n", "0 '' invalid: a status that is no number of three digits" },
	{ "HTTP/1.1\r\n\r\n", "0 '' invalid: a status line without a status" },
	{ "HTTP/1.2 200 OK\r\n\r\n", "0 '' invalid: an HTTP version other than 1.0 and 1.1" },
	{ "HTTP/2 200 OK\r\n\r\n", "0 '' invalid: an HTTP version other than 1.0 and 1.1" },
	{ "HTTP/11 200 OK\r\n\r\n", "0 '' invalid: an HTTP version other than 1.0 and 1.1" },
	{ "http/1.1 200 OK\r\n\r\n", "0 '' invalid: this is not HTTP" },
	{ "SSH-2.0-x\r\n\r\n", "0 '' invalid: this is not HTTP" },
	{ "\r\n" OK "\r\n", "0 '' invalid: this is not HTTP" },
	{ "HTTP", "0 '' more" },
	{ "HTTX", "0 '' invalid: this is not HTTP" },
};

static void check(const char *text, const char *expected, size_t size)
{
	struct hearing h;
	hearing_init(&h, false, true);
	hear_in_pieces(&h, str_from(text), size);
	const char *heard = summary(&h);
	if (strcmp(heard, expected) != 0)
		print_error("'%s'\nin pieces of %zu\n", text, size);
	assert_string_equal(heard, expected);
	hearing_finish(&h);
}

static void every_case_is_heard_alike_however_it_is_cut(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t size = 1; size <= strlen(cases[i].text); size++)
			check(cases[i].text, cases[i].heard, size);
}

static void a_truncated_response_wants_more(void **state)
{
	static const char *const whole[] = {
		OK "Content-Length: 5\r\nX-A: b\r\n\r\nhello",
		CHUNKED "3;x\r\nabc\r\n5\r\n01234\r\n0\r\nX-Sum: 1\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(whole); i++) {
		for (size_t len = 0; len <= strlen(whole[i]); len++) {
			struct hearing h;
			hearing_init(&h, false, true);
			hear_in_pieces(&h, (struct str){ whole[i], len }, len ? len : 1);
			assert_int_equal(h.piece, len < strlen(whole[i]) ? HTTP1_MORE : HTTP1_END);
			if (h.piece == HTTP1_MORE)
				assert_false(http1_response_ends_here(&h.r));
			hearing_finish(&h);
		}
	}
}

static void an_answer_to_head_has_no_body(void **state)
{
	static const char *const heads[] = { OK "Content-Length: 100\r\n\r\n", CHUNKED, OK "\r\n" };
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		struct hearing h;
		hearing_init(&h, true, false);
		hear(&h, str_from(heads[i]));
		assert_int_equal(h.piece, HTTP1_END);
		assert_true(h.r.keep_alive && h.r.head_complete);
		assert_int_equal(h.r.head_bytes, strlen(heads[i]));
		hearing_finish(&h);
	}
}

static void headers_that_nobody_wants_cost_no_call_but_still_count(void **state)
{
	struct hearing h;
	hearing_init(&h, false, false);
	hear(&h, STR(OK "X-A: b\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"));
	assert_string_equal(summary(&h), "200 'ok' end close left=0");
	hearing_finish(&h);
}

static void bytes_are_counted_without_the_framing_of_chunks(void **state)
{
	struct hearing h;
	static const char head[] = "HTTP/1.1 100 Continue\r\n\r\n" CHUNKED;
	hearing_init(&h, false, true);
	hear(&h, STR("HTTP/1.1 100 Continue\r\n\r\n" CHUNKED "3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n"));
	assert_int_equal(h.piece, HTTP1_END);
	assert_int_equal(h.r.head_bytes, sizeof(head) - 1);
	assert_int_equal(h.r.body_bytes, 5);
	hearing_finish(&h);
}

static void after_the_end_nothing_more_is_taken(void **state)
{
	struct http1_response r;
	struct str in = STR("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 500 No\r\n\r\n");
	http1_response_init(&r, false, true);
	assert_int_equal(http1_response_next(&r, &in), HTTP1_END);
	const size_t left = in.len;
	assert_int_equal(http1_response_next(&r, &in), HTTP1_END);
	assert_int_equal(in.len, left);
	in = STR("nonsense");
	http1_response_init(&r, false, true);
	assert_int_equal(http1_response_next(&r, &in), HTTP1_INVALID);
	in = STR(OK "\r\n");
	assert_int_equal(http1_response_next(&r, &in), HTTP1_INVALID);
}

/* A response whose head is <head> and then <line> <count> times. */
static enum http1_piece piece_after(const char *head, const char *line, size_t count, size_t size, const char **ret_why)
{
	struct hearing h;
	struct buf text;
	buf_init(&text, TEXT_MAX);
	buf_add(&text, str_from(head));
	for (size_t i = 0; i < count; i++)
		buf_add(&text, str_from(line));
	hearing_init(&h, false, false);
	hear_in_pieces(&h, buf_str(&text), size);
	const enum http1_piece piece = h.piece;
	*ret_why = h.r.why;
	hearing_finish(&h);
	buf_finish(&text);
	return piece;
}

static void everything_has_a_limit(void **state)
{
	const char *why;
	const size_t room = HTTP1_LINE_MAX - strlen("X: ") - 1;
	assert_int_equal(piece_after(OK "X: ", "a", room, SIZE_MAX, &why), HTTP1_MORE);
	assert_int_equal(piece_after(OK "X: ", "a", room + 1, SIZE_MAX, &why), HTTP1_INVALID);
	assert_string_equal(why, "a header line is too long");
	assert_int_equal(piece_after("HTTP/1.1 200 ", "a", HTTP1_LINE_MAX, 4096, &why), HTTP1_INVALID);
	assert_int_equal(piece_after(OK, "X: y\r\n", HTTP1_HEADERS_MAX, SIZE_MAX, &why), HTTP1_MORE);
	assert_int_equal(piece_after(OK, "X: y\r\n", HTTP1_HEADERS_MAX + 1, SIZE_MAX, &why), HTTP1_INVALID);
	assert_string_equal(why, "too many headers");
	assert_int_equal(piece_after("", "HTTP/1.1 100 Continue\r\n\r\n", 50000, SIZE_MAX, &why), HTTP1_INVALID);
	assert_string_equal(why, "the headers are too large");
	assert_int_equal(piece_after(CHUNKED "0\r\n", "X: y\r\n", HTTP1_HEADERS_MAX + 1, SIZE_MAX, &why),
	                 HTTP1_INVALID);
	/* What follows a chunk's size is not kept, so it may be long. */
	assert_int_equal(piece_after(CHUNKED "5;", "x", 2 << 20, 4096, &why), HTTP1_MORE);
}

static void a_nul_among_the_headers_is_refused(void **state)
{
	struct http1_response r;
	static const char text[] = OK "X: a\0b\r\n\r\n";
	struct str in = { text, sizeof(text) - 1 };
	http1_response_init(&r, false, false);
	assert_int_equal(http1_response_next(&r, &in), HTTP1_INVALID);
	assert_string_equal(r.why, "a NUL among the headers");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_is_heard_alike_however_it_is_cut),
		cmocka_unit_test(a_truncated_response_wants_more),
		cmocka_unit_test(an_answer_to_head_has_no_body),
		cmocka_unit_test(headers_that_nobody_wants_cost_no_call_but_still_count),
		cmocka_unit_test(bytes_are_counted_without_the_framing_of_chunks),
		cmocka_unit_test(after_the_end_nothing_more_is_taken),
		cmocka_unit_test(everything_has_a_limit),
		cmocka_unit_test(a_nul_among_the_headers_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
