#include "tests/support/transport_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"

static void on_header(struct transfer *x, struct str name, struct str value)
{
	struct client *c = container_of(x, struct client, x);
	must(!*c->calm && c->done == 0);
	buf_add(&c->headers, name);
	buf_add(&c->headers, STR("="));
	buf_add(&c->headers, value);
	buf_add(&c->headers, STR("\n"));
}

static void on_body(struct transfer *x, struct str bytes)
{
	struct client *c = container_of(x, struct client, x);
	must(!*c->calm && c->done == 0);
	must(buf_add(&c->body, bytes));
}

void client_on_done(struct transfer *x)
{
	struct client *c = container_of(x, struct client, x);
	must(!*c->calm);
	c->done++;
}

static const struct transfer_ear ear = { on_header, on_body, client_on_done };

void rig_set_up(struct rig *r, enum transport_kind kind, const struct peer_act *const *scripts, size_t count)
{
	const struct transport_options options = { .kind = kind };
	struct err err;
	*r = (struct rig){ .calm = false };
	assert_int_equal(loop_init(&r->loop, &err), 0);
	r->transport = transport_create(&r->loop, &options, &err);
	assert_non_null(r->transport);
	r->peer = peer_start(scripts, count);
	snprintf(r->url, sizeof(r->url), "%s/path?a=b", peer_origin(r->peer));
}

void rig_tear_down(struct rig *r)
{
	transport_destroy(r->transport);
	loop_finish(&r->loop);
	peer_stop(r->peer);
}

void client_init(struct rig *r, struct client *c)
{
	struct err err;
	*c = (struct client){ .calm = &r->calm };
	buf_init(&c->headers, 65536);
	buf_init(&c->body, BODY_MAX);
	assert_int_equal(transport_attach(r->transport, &c->x, &err), 0);
	c->x.method = "GET";
	c->x.url = r->url;
	c->x.timeout = DEADLINE;
	c->x.ear = &ear;
}

void client_finish(struct rig *r, struct client *c)
{
	transport_detach(r->transport, &c->x);
	buf_finish(&c->headers);
	buf_finish(&c->body);
}

void client_start(struct rig *r, struct client *c)
{
	c->done = 0;
	buf_clear(&c->headers);
	buf_clear(&c->body);
	r->calm = true;
	transport_start(r->transport, &c->x);
	r->calm = false;
}

static void no_alarm(struct loop_alarm *a)
{
}

void rig_turn_until(struct rig *r, const int *count, int wanted)
{
	struct loop_alarm alarm;
	struct err err;
	const struct mono until = mono_after(mono_now(), DEADLINE);
	assert_int_equal(loop_alarm_init(&r->loop, &alarm, no_alarm, &err), 0);
	loop_alarm_set(&alarm, until);
	while (*count < wanted && mono_now().ns < until.ns)
		loop_turn(&r->loop, LOOP_WAIT);
	loop_alarm_finish(&r->loop, &alarm);
	assert_int_equal(*count, wanted);
}

void client_turn_until_body(struct rig *r, struct client *c, size_t len)
{
	/* The transfer has a timeout: the loop always wakes. */
	while (c->body.len < len && c->done == 0)
		loop_turn(&r->loop, LOOP_WAIT);
	assert_int_equal(c->done, 0);
}

void rig_turn_until_requested(struct rig *r)
{
	const struct mono until = mono_after(mono_now(), DEADLINE);
	while (peer_requests(r->peer) == 0 && mono_now().ns < until.ns)
		loop_turn(&r->loop, LOOP_POLL);
	assert_true(peer_requests(r->peer) > 0);
}

void client_exchange(struct rig *r, struct client *c)
{
	client_start(r, c);
	rig_turn_until(r, &c->done, 1);
}

void client_assert_error(const struct client *c, enum net_error error)
{
	if (c->x.error != error)
		print_error("%s instead of %s: %s\n", net_error_text(c->x.error), net_error_text(error), c->x.detail);
	assert_int_equal(c->x.error, error);
	assert_true((c->x.detail[0] != '\0') == (error != NET_NONE));
	assert_true(c->x.end.ns >= c->x.sent.ns && c->x.sent.ns > 0);
}

bool rig_was_sent(struct rig *r, const char *text)
{
	size_t len;
	char *all = peer_received(r->peer, &len);
	const bool there = memmem(all, len, text, strlen(text)) != NULL;
	free(all);
	return there;
}

int rig_run(const struct rig_case *cases, size_t count)
{
	static enum transport_kind kinds[] = { TRANSPORT_CURL, TRANSPORT_REPLAY, TRANSPORT_AUTO };
	static const char *const words[] = { "curl", "replay", "auto" };
	struct CMUnitTest *tests = xcalloc(ARRAY_LEN(kinds) * count, sizeof(*tests));
	for (size_t i = 0; i < ARRAY_LEN(kinds) * count; i++)
		tests[i] = (struct CMUnitTest){ .name = xasprintf("%s: %s", words[i / count], cases[i % count].name),
			                        .test_func = cases[i % count].test,
			                        .initial_state = &kinds[i / count] };
	const int failed = _cmocka_run_group_tests("transports", tests, ARRAY_LEN(kinds) * count, NULL, NULL);
	for (size_t i = 0; i < ARRAY_LEN(kinds) * count; i++)
		free((char *)tests[i].name);
	free(tests);
	return failed;
}
