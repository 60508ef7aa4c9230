#include "observe/health.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"

#define LIMIT_LEAST (500 * MILLISECOND)
#define LIMIT_MOST (5 * SECOND)

struct health_guard {
	struct loop *loop;
	struct transport *transport;
	struct transfer transfer;
	struct loop_timer timer;
	char *url;
	dur_ns every;
	int32_t fails;
	int32_t in_a_row; /* failures while content, successes while complaining */
	bool complains;
	struct mono asked;
	health_changed *changed;
	void *arg;
};

static void ask(struct loop_timer *t)
{
	struct health_guard *g = container_of(t, struct health_guard, timer);
	g->asked = mono_now();
	transport_start(g->transport, &g->transfer);
}

static bool is_healthy(const struct transfer *x)
{
	return x->error == NET_NONE && x->status >= 200 && x->status < 400;
}

static void describe(const struct health_guard *g, char *text, size_t size)
{
	const struct transfer *x = &g->transfer;
	if (is_healthy(x))
		snprintf(text, size, "%s is healthy again", g->url);
	else if (x->error == NET_NONE)
		snprintf(text, size, "%s answered with status %d, %d times in a row", g->url, x->status, g->fails);
	else
		snprintf(text, size, "%s did not answer (%s), %d times in a row", g->url,
		         x->detail[0] ? x->detail : net_error_text(x->error), g->fails);
}

static void on_done(struct transfer *x)
{
	struct health_guard *g = container_of(x, struct health_guard, transfer);
	char text[512];
	const dur_ns left = g->every - mono_since(mono_now(), g->asked);
	/* The transport wants the next start in another turn, hence a timer even when it is due. */
	loop_timer_start(g->loop, &g->timer, left > 0 ? left : 0, ask);
	if (is_healthy(x) != g->complains) {
		g->in_a_row = 0;
		return;
	}
	if (++g->in_a_row < g->fails)
		return;
	g->in_a_row = 0;
	g->complains = !g->complains;
	describe(g, text, sizeof(text));
	g->changed(g->arg, g->complains, text);
}

static const struct transfer_ear ear = { .done = on_done };

struct health_guard *health_guard_create(struct loop *loop, struct transport *transport,
                                         const struct health_options *options, health_changed *changed, void *arg,
                                         struct err *err)
{
	must(options->fails >= 1);
	struct health_guard *g = xcalloc(1, sizeof(*g));
	if (transport_attach(transport, &g->transfer, err) != 0) {
		free(g);
		return NULL;
	}
	dur_ns limit = options->every < LIMIT_LEAST ? LIMIT_LEAST : options->every;
	limit = limit > LIMIT_MOST ? LIMIT_MOST : limit;
	g->loop = loop;
	g->transport = transport;
	g->url = xstrdup(options->url);
	g->every = options->every;
	g->fails = options->fails;
	g->changed = changed;
	g->arg = arg;
	g->transfer.method = "GET";
	g->transfer.url = g->url;
	g->transfer.timeout = limit;
	g->transfer.ear = &ear;
	loop_timer_start(loop, &g->timer, 0, ask);
	return g;
}

void health_guard_destroy(struct health_guard *g)
{
	if (!g)
		return;
	loop_timer_stop(g->loop, &g->timer);
	transport_detach(g->transport, &g->transfer);
	free(g->url);
	free(g);
}

bool health_guard_complains(const struct health_guard *g)
{
	return g->complains;
}
