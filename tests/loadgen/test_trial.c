#include "loadgen/trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/must.h"
#include "tests/support/peer.h"

#define STEPS                                                                                        \
	"{\"name\":\"in\",\"post\":\"/login\",\"json\":{\"password\":\"hunter2\"},\"redirects\":1}," \
	"{\"pause\":\"1h\"},{\"name\":\"bad\",\"get\":\"/me?at=${now.ms}\",\"retry\":{\"attempts\":2,\"on\":[503]}}"

static const struct peer_act acts[] = {
	PEER_READ_ONE,
	PEER_SEND("HTTP/1.1 303 See Other\r\nLocation: /home\r\nSet-Cookie: sid=42secret\r\nContent-Length: 0\r\n\r\n"),
	PEER_READ_ONE,
	PEER_SEND("HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n{\"token\":\"abcd\",\"n\":1}"),
	PEER_READ_ONE,
	PEER_SEND("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"),
	PEER_READ_ONE,
	PEER_SEND("HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno"),
	PEER_CLOSE
};

static void on_exchange(void *arg, const struct trial_exchange *e)
{
	struct buf *seen = arg;
	buf_printf(seen, "[%u %d%s%s]\n%.*s--\n%.*s", e->vm->outcome.step, e->transfer->status,
	           e->vm->outcome.is_final  ? ""
	           : e->vm->outcome.retried ? " again"
	                                    : " redirected",
	           e->vm->outcome.failure ? " failed" : "", STR_ARG(e->request), STR_ARG(e->response));
}

static void every_exchange_is_shown_without_secrets(void **state)
{
	static const struct peer_act *const scripts[] = { acts };
	struct peer *peer = peer_start(scripts, 1);
	char *text = xasprintf("{\"name\":\"n\",\"target\":\"%s\",\"flows\":{\"a\":{\"steps\":[" STEPS "]}},"
	                       "\"load\":[{\"executor\":\"constant-users\",\"users\":1,\"for\":\"1s\"}]}",
	                       peer_origin(peer));
	const struct program_inputs in = { 0 };
	struct program *p = NULL;
	struct trial_result result;
	struct err err;
	struct doc doc;
	struct buf seen;
	doc_init(&doc, "text", str_from(text));
	assert_int_equal(program_compile(&doc, &in, &p), 0);
	doc_finish(&doc);
	buf_init(&seen, 1u << 16);
	const struct trial_options o = { .program = p, .exchanged = on_exchange, .arg = &seen };
	const struct wall before = wall_now();
	assert_int_equal(trial_run(&o, &result, &err), 0);
	assert_int_equal(result.exchanges, 4);
	assert_true(result.failed);
	assert_non_null(strstr(buf_cstr(&seen), "[0 303 redirected]\nPOST http://127.0.0.1:"));
	assert_non_null(strstr(buf_cstr(&seen), "{\"password\":\"***\"}\n--\nLocation: /home\nSet-Cookie: ***\n"));
	assert_non_null(
		strstr(buf_cstr(&seen), "/home\nCookie: ***\n--\nContent-Length: 22\n\n{\"token\":\"***\",\"n\":1}\n"));
	assert_non_null(strstr(buf_cstr(&seen), "[1 503 again]"));
	assert_non_null(strstr(buf_cstr(&seen), "[1 404 failed]"));
	assert_null(strstr(buf_cstr(&seen), "hunter2"));
	assert_null(strstr(buf_cstr(&seen), "42secret"));
	assert_null(strstr(buf_cstr(&seen), "abcd"));
	/* The hour was not waited, but it passed for the scenario. */
	const char *at = strstr(buf_cstr(&seen), "?at=");
	assert_non_null(at);
	assert_true(strtoll(at + 4, NULL, 10) * MILLISECOND >= before.ns + HOUR - SECOND);
	buf_finish(&seen);
	program_destroy(p);
	free(text);
	peer_stop(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_exchange_is_shown_without_secrets) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
