/* curl and replay must tell the same story of the same answer: every figure, every header, every error class, and what
 * becomes of the connection. Where they differ on purpose, the case says how and why; see
 * docs/decisions/0010-replay-transport.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tests/support/transport_rig.h"

#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"

/* --- answers --- */

static const struct {
	const char *answer;
	/* Its end, or what is wrong with it, can be seen without the end of the connection, and nothing follows it: such
	 * a connection is kept by libcurl and closed by replay. */
	bool whole;
	enum net_error curl, replay;
	const char *why; /* they differ; NULL: they do not */
} answers[] = {
	{ OK "Content-Length: 5\r\nX-A: b\r\n\r\nhello", true, 0, 0, NULL },
	{ OK "Content-Length: 0\r\n\r\n", true, 0, 0, NULL },
	{ OK "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", true, 0, 0, NULL },
	{ OK "Content-Length: 2\r\nContent-Length: 3\r\n\r\nok", false, NET_RESET, NET_PROTOCOL,
	  "libcurl believes the last length" },
	{ OK "Content-Length: 3\r\nContent-Length: 2\r\n\r\nok", false, NET_NONE, NET_PROTOCOL,
	  "libcurl believes the last length" },
	{ OK "Content-Length: 2, 2\r\n\r\nok", true, 0, 0, NULL },
	{ OK "Content-Length: 2x\r\n\r\nok", false, NET_NONE, NET_PROTOCOL, "libcurl reads numbers as strtol does" },
	{ OK "Content-Length: many\r\n\r\nok", true, 0, 0, NULL },
	{ OK "Content-Length: -1\r\n\r\nok", true, 0, 0, NULL },
	{ OK "Content-Length: +2\r\n\r\nok", false, NET_NONE, NET_PROTOCOL, "libcurl reads numbers as strtol does" },
	{ OK "Content-Length:\r\n\r\nok", true, 0, 0, NULL },
	{ OK "Content-Length: 99999999999999999999\r\n\r\nok", false, NET_NONE, NET_PROTOCOL,
	  "to libcurl this is no length at all" },
	{ OK "Content-Length: 10\r\n\r\nhalf", false, 0, 0, NULL },
	{ OK "Content-Length: 5\r\n\r\nhello and more", true, 0, 0, NULL },
	{ OK "Content-Length: 0\r\n\r\nmore", false, 0, 0, NULL },
	{ CHUNKED "3\r\nabc\r\n0\r\n\r\n", true, 0, 0, NULL },
	{ CHUNKED "3;a=b\r\nabc\r\n00\r\n\r\n", true, 0, 0, NULL },
	{ CHUNKED "3 junk\nabc\n0\n\n", true, 0, 0, NULL },
	{ CHUNKED "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n", true, 0, 0, NULL },
	{ CHUNKED "3\r\nabc\r\n0\r\n\r\nmore", false, 0, 0, NULL },
	{ CHUNKED "3\r\nabc\r\n0\r\n", false, 0, 0, NULL },
	{ CHUNKED "3\r\nabc\r\n", false, 0, 0, NULL },
	{ CHUNKED "3\r\nab", false, 0, 0, NULL },
	{ CHUNKED "3\r\nabcd\r\n0\r\n\r\n", true, 0, 0, NULL },
	{ CHUNKED "zz\r\n", true, 0, 0, NULL },
	{ CHUNKED "fffffffffffffffff\r\n", true, 0, 0, NULL },
	{ CHUNKED "", false, 0, 0, NULL },
	{ OK "Content-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", true, 0, 0, NULL },
	{ OK "Transfer-Encoding: chunked\r\nContent-Length: 99\r\n\r\n1\r\na\r\n0\r\n\r\n", true, 0, 0, NULL },
	{ OK "Transfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", false, NET_NONE, NET_PROTOCOL,
	  "libcurl decodes it, and here it is no gzip" },
	{ OK "Transfer-Encoding: other\r\n\r\nabc", true, 0, 0, NULL },
	{ OK "Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok", false, 0, 0, NULL },
	{ OK "\r\nuntil the end", false, 0, 0, NULL },
	{ OK "Connection: close\r\n\r\nuntil the end", false, 0, 0, NULL },
	{ OK "Connection: close\r\nContent-Length: 2\r\n\r\nok", true, 0, 0, NULL },
	{ OK "Connection: x, Close\r\nContent-Length: 2\r\n\r\nok", true, 0, 0, NULL },
	{ OK "Connection: keep-alive\r\nContent-Length: 2\r\n\r\nok", true, 0, 0, NULL },
	{ "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", true, 0, 0, NULL },
	{ "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", true, 0, 0, NULL },
	{ "HTTP/1.0 200 OK\r\n\r\nuntil the end", false, 0, 0, NULL },
	{ "HTTP/1.1 204 No Content\r\n\r\n", true, 0, 0, NULL },
	{ "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", true, 0, 0, NULL },
	{ "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", true, 0, 0, NULL },
	{ "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", true, 0, 0, NULL },
	{ "HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 2\r\n\r\nok", true, 0, 0, NULL },
	{ "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" OK "Content-Length: 2\r\n\r\nok", true, 0, 0, NULL },
	{ "HTTP/1.1 100 Continue\r\n\r\n", false, 0, 0, NULL },
	{ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Le", false, 0, 0, NULL },
	{ "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nbytes", false, 0, 0, NULL },
	{ "HTTP/1.1 200 OK\nContent-Length: 2\nX-A: b\n\nok", true, 0, 0, NULL },
	{ OK "X-A: one\r\n two\r\nContent-Length: 2\r\n\r\nok", true, 0, 0, NULL },
	{ OK "X-A: one\r\n two: three\r\nContent-Length: 2\r\n\r\nok", true, 0, 0, NULL },
	{ OK "X-A : b\r\nContent-Length: 2\r\n\r\nok", true, 0, 0, NULL },
	{ OK "no colon\r\nContent-Length: 2\r\n\r\nok", true, 0, 0, NULL },
	{ "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", true, 0, 0, NULL },
	{ "HTTP/1.1  404  Not: Found\r\nContent-Length: 2\r\n\r\nok", true, 0, 0, NULL },
	{ "HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nok", true, 0, 0, NULL },
	{ "HTTP/1.1 2000 OK\r\n\r\n", true, 0, 0, NULL },
	{ "HTTP/1.1 20 OK\r\n\r\n", true, 0, 0, NULL },
	{ "HTTP/1.1 099 OK\r\n\r\n", true, 0, 0, NULL },
	{ "HTTP/1.1 OK\r\n\r\n", true, 0, 0, NULL },
	{ "HTTP/1.1\r\n\r\n", true, 0, 0, NULL },
	{ "HTTP/1.2 200 OK\r\n\r\n", true, 0, 0, NULL },
	{ "HTTP/2 200 OK\r\nContent-Length: 2\r\n\r\nok", false, NET_NONE, NET_PROTOCOL,
	  "libcurl takes this for HTTP/2" },
	{ "http/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false, NET_NONE, NET_PROTOCOL,
	  "libcurl takes this for an old server that means 200" },
	{ "SSH-2.0-OpenSSH\r\n", true, 0, 0, NULL },
	{ "\r\n" OK "Content-Length: 2\r\n\r\nok", true, 0, 0, NULL },
	{ "HTTP/1.1 200 O", false, 0, 0, NULL },
	{ "HTT", false, 0, 0, NULL },
	{ OK "X-A: b", false, 0, 0, NULL },
	{ OK "X-A: b\r\n", false, 0, 0, NULL },
	{ "", false, 0, 0, NULL },
};

static void tell(struct buf *story, const struct client *c)
{
	const struct transfer *x = &c->x;
	buf_printf(story, "%s %d sent=%llu%s", net_error_text(x->error), x->status, (unsigned long long)x->bytes_sent,
	           x->new_connection ? " new" : "");
	/* How much of what is no HTTP was looked at before that was seen is nobody's business. */
	if (x->error != NET_PROTOCOL)
		buf_printf(story, " '%s' [%s] received=%llu", buf_cstr(&c->body), buf_cstr(&c->headers),
		           (unsigned long long)x->bytes_received);
	assert_true(x->end.ns >= x->sent.ns);
	assert_true((x->first_byte.ns > 0) == (x->bytes_received > 0) || x->error != NET_NONE);
}

/* Two exchanges with a peer that answers the first with <answer> and closes, or stays; the second is always fine. */
static char *story_of(enum transport_kind kind, const char *method, const char *answer, bool closes)
{
	const struct peer_act stays[] = { PEER_READ_ONE,
		                          { PEER_WRITE, str_from(answer) },
		                          PEER_READ_ONE,
		                          PEER_SEND(OK "Content-Length: 4\r\n\r\nnext"),
		                          { PEER_HANG, { 0 } } };
	const struct peer_act leaves[] = { PEER_READ_ONE, { PEER_WRITE, str_from(answer) }, PEER_CLOSE };
	static const struct peer_act fine[] = { PEER_READ_ONE,
		                                PEER_SEND(OK "Content-Length: 4\r\n\r\nnext"),
		                                { PEER_HANG, { 0 } } };
	const struct peer_act *const scripts[] = { closes ? leaves : stays, fine };
	struct rig r;
	struct client c;
	struct buf story;
	buf_init(&story, 65536);
	rig_set_up(&r, kind, scripts, 2);
	client_init(&r, &c);
	c.x.method = method;
	client_exchange(&r, &c);
	tell(&story, &c);
	c.x.method = "GET";
	client_exchange(&r, &c);
	buf_printf(&story, " then %s '%s' over %u", net_error_text(c.x.error), buf_cstr(&c.body),
	           peer_connections(r.peer));
	client_finish(&r, &c);
	rig_tear_down(&r);
	char *text = xstrdup(buf_cstr(&story));
	buf_finish(&story);
	return text;
}

static bool begins_with(const char *story, enum net_error e)
{
	const struct str word = str_from(net_error_text(e));
	return str_starts(str_from(story), word) && story[word.len] == ' ';
}

/* Whether they tell what they should. */
static unsigned compare_stories(size_t i, const char *method, bool closes)
{
	char *curl = story_of(TRANSPORT_CURL, method, answers[i].answer, closes);
	char *replay = story_of(TRANSPORT_REPLAY, method, answers[i].answer, closes);
	const bool as_expected = answers[i].why
	                                 ? begins_with(curl, answers[i].curl) && begins_with(replay, answers[i].replay)
	                                 : strcmp(curl, replay) == 0;
	if (!as_expected)
		print_error("%s%s %s:\n  curl   %s\n  replay %s\n", method, closes ? ", then the end" : "",
		            answers[i].answer, curl, replay);
	free(curl);
	free(replay);
	return !as_expected;
}

static void both_tell_the_same_of_an_answer_and_the_end(void **state)
{
	unsigned differences = 0;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++)
		differences += compare_stories(i, "GET", true);
	assert_int_equal(differences, 0);
}

static void both_tell_the_same_when_the_connection_stays(void **state)
{
	unsigned differences = 0;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++)
		if (answers[i].whole)
			differences += compare_stories(i, "GET", false);
	assert_int_equal(differences, 0);
}

static void both_tell_the_same_after_head(void **state)
{
	unsigned differences = 0;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++)
		/* To libcurl the end of the connection is a reset when HEAD is answered with an upgrade. */
		if (!answers[i].why && !strstr(answers[i].answer, "101"))
			differences += compare_stories(i, "HEAD", true);
	assert_int_equal(differences, 0);
}

/* --- requests --- */

static const struct {
	const char *method, *path, *body;
	const char *headers; /* a line each */
} requests[] = {
	{ "GET", "/", NULL, NULL },
	{ "GET", "", NULL, NULL },
	{ "GET", "?a=b", NULL, NULL },
	{ "GET", "/a/b.c?d=e&f=%20g#part", NULL, NULL },
	{ "GET", "#part", NULL, NULL },
	{ "GET", "/.well-known/x", NULL, NULL },
	{ "GET", "/a?b=/../c&d=?", NULL, NULL },
	{ "GET", "//double//slash/", NULL, NULL },
	{ "GET", "/odd\"<>[]{}|\\^`'~!$&()*+,;=:@-._", NULL, NULL },
	{ "HEAD", "/a", NULL, NULL },
	{ "DELETE", "/a", NULL, NULL },
	{ "POST", "/a", NULL, NULL },
	{ "POST", "/a", "", NULL },
	{ "POST", "/a", "body", NULL },
	{ "PUT", "/a", "body", NULL },
	{ "GET", "/a", "body", NULL },
	{ "POST", "/a", "{}", "Content-Type:application/json" },
	{ "POST", "/a", "{}", "content-type:" },
	{ "POST", "/a", "body", "Content-Length:4" },
	{ "GET", "/a", NULL, "Host:example.org\nX-A:b" },
	{ "GET", "/a", NULL, "X-A:b\nhost:example.org" },
	{ "GET", "/a", NULL, "accept:text/html\nUser-Agent:me" },
	{ "GET", "/a", NULL, "Accept:\nUser-Agent:" },
	{ "GET", "/a", NULL, "Authorization:Bearer x\nCookie:a=b; c=d" },
	{ "GET", "/a", NULL, "X-A:b\nX-A:c\nX-B:  " },
};

static char *bytes_sent_by(enum transport_kind kind, size_t i)
{
	static const struct peer_act fine[] = { PEER_READ_ONE, PEER_SEND("HTTP/1.1 204 No Content\r\n\r\n"),
		                                PEER_AGAIN };
	static const struct peer_act *const scripts[] = { fine };
	struct rig r;
	struct client c;
	struct str_pair headers[8];
	size_t len;
	char url[256];
	rig_set_up(&r, kind, scripts, 1);
	client_init(&r, &c);
	snprintf(url, sizeof(url), "%s%s", peer_origin(r.peer), requests[i].path);
	c.x.url = url;
	c.x.method = requests[i].method;
	struct str lines = str_from(requests[i].headers);
	for (struct str line; str_cut(&lines, '\n', &line);) {
		const size_t colon = str_find(line, ':');
		headers[c.x.header_count++] = (struct str_pair){ str_first(line, colon), str_from_at(line, colon + 1) };
	}
	c.x.headers = headers;
	c.x.has_body = requests[i].body != NULL;
	c.x.body = str_from(requests[i].body);
	client_exchange(&r, &c);
	client_assert_error(&c, NET_NONE);
	assert_int_equal(c.x.carried_by, kind);
	char *all = peer_received(r.peer, &len);
	assert_int_equal(c.x.bytes_sent, len);
	/* Ports differ from peer to peer. */
	const char *port = strrchr(peer_origin(r.peer), ':');
	for (char *at = all; (at = strstr(at, port)); at++)
		memset(at, '#', strlen(port));
	client_finish(&r, &c);
	rig_tear_down(&r);
	return all;
}

static void both_send_the_same_bytes(void **state)
{
	unsigned differences = 0;
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		char *curl = bytes_sent_by(TRANSPORT_CURL, i), *replay = bytes_sent_by(TRANSPORT_REPLAY, i);
		if (strcmp(curl, replay) != 0) {
			print_error("curl:\n%sreplay:\n%s", curl, replay);
			differences++;
		}
		free(curl);
		free(replay);
	}
	assert_int_equal(differences, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_tell_the_same_of_an_answer_and_the_end),
		cmocka_unit_test(both_tell_the_same_when_the_connection_stays),
		cmocka_unit_test(both_tell_the_same_after_head),
		cmocka_unit_test(both_send_the_same_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
