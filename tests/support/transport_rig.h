/* transport_rig.h: a loop, a transport of some kind, a scripted peer, and clients that note what they hear.
 *
 * Everything that could hang has a deadline; what is heard at the wrong time ends the test. */
#ifndef WEIR_TESTS_SUPPORT_TRANSPORT_RIG_H
#define WEIR_TESTS_SUPPORT_TRANSPORT_RIG_H

#include "base/buf.h"
#include "base/must.h"
#include "net/transport.h"
#include "tests/support/peer.h"

#define DEADLINE (20 * SECOND)
#define BODY_MAX (16u << 20)

/* One user of the transport, and what it heard. */
struct client {
	struct transfer x;
	struct buf headers, body; /* headers: "Name=value" and a line feed for each */
	int done;
	bool *calm; /* true while the test is inside start or cancel: nothing may be heard then */
};

struct rig {
	struct loop loop;
	struct transport *transport;
	struct peer *peer;
	bool calm;
	char url[128]; /* of the peer, with the path "/path?a=b" */
};

/* <scripts> are kept. */
void rig_set_up(struct rig *r, enum transport_kind kind, const struct peer_act *const *scripts, size_t count);
void rig_tear_down(struct rig *r);

/* For tests whose state is a pointer to the kind. */
#define SET_UP(rig, ...)                                                       \
	static const struct peer_act *const scripts_of_it[] = { __VA_ARGS__ }; \
	rig_set_up((rig), *(const enum transport_kind *)*state, scripts_of_it, ARRAY_LEN(scripts_of_it))

/* A GET of the rig's URL that hears everything, with the deadline as its timeout. */
void client_init(struct rig *r, struct client *c);
void client_finish(struct rig *r, struct client *c);
void client_on_done(struct transfer *x); /* for other ears */

void client_start(struct rig *r, struct client *c);
void client_exchange(struct rig *r, struct client *c); /* from start to done */
/* Turns the loop until so much of the body came. */
void client_turn_until_body(struct rig *r, struct client *c, size_t len);
void client_assert_error(const struct client *c, enum net_error error);

/* Turns the loop until <*count> is <wanted>. */
void rig_turn_until(struct rig *r, const int *count, int wanted);
/* Until the peer has read a request. */
void rig_turn_until_requested(struct rig *r);
/* Whether the requests that came hold <text>. */
bool rig_was_sent(struct rig *r, const char *text);

/* Runs every case for each kind of transport; each finds its kind in its state. What main returns. */
struct rig_case {
	const char *name;
	void (*test)(void **state);
};
#define RIG_CASE(test)      \
	{                   \
#test, test \
	}
int rig_run(const struct rig_case *cases, size_t count);

#endif
