/* transport_auto.c: both kinds; each transfer is carried by replay when that can do what it asks, else by curl.
 *
 * A transfer gets a handle of curl's only when it first needs one: most never do. */
#include "net/transport.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"

struct auto_transport {
	struct transport base;
	struct transport *replay, *curl;
};

static int auto_attach(struct transport *base, struct transfer *x, struct err *err)
{
	struct auto_transport *t = container_of(base, struct auto_transport, base);
	return transport_attach(t->replay, x, err);
}

static void auto_detach(struct transport *base, struct transfer *x)
{
	struct auto_transport *t = container_of(base, struct auto_transport, base);
	transport_detach(t->replay, x);
	transport_detach(t->curl, x);
}

static void auto_start(struct transport *base, struct transfer *x)
{
	struct auto_transport *t = container_of(base, struct auto_transport, base);
	if (transport_replay_try(t->replay, x))
		return;
	/* Without a handle for curl, replay says no to it in its own time. */
	const bool has_curl = x->states[TRANSPORT_CURL] || transport_attach(t->curl, x, NULL) == 0;
	transport_start(has_curl ? t->curl : t->replay, x);
}

static void auto_cancel(struct transport *base, struct transfer *x)
{
	struct auto_transport *t = container_of(base, struct auto_transport, base);
	transport_cancel(x->carried_by == TRANSPORT_CURL ? t->curl : t->replay, x);
}

static void auto_destroy(struct transport *base)
{
	struct auto_transport *t = container_of(base, struct auto_transport, base);
	transport_destroy(t->replay);
	transport_destroy(t->curl);
	free(t);
}

static const struct transport_ops auto_ops = {
	.name = "auto",
	.attach = auto_attach,
	.detach = auto_detach,
	.start = auto_start,
	.cancel = auto_cancel,
	.destroy = auto_destroy,
};

struct transport *transport_auto_create(struct loop *loop, const struct transport_options *options, struct err *err)
{
	struct auto_transport *t = xcalloc(1, sizeof(*t));
	t->base.ops = &auto_ops;
	t->replay = transport_replay_create(loop, options, err);
	t->curl = t->replay ? transport_curl_create(loop, options, err) : NULL;
	if (t->curl)
		return &t->base;
	auto_destroy(&t->base);
	return NULL;
}
