/* health.h: asks an HTTP health endpoint again and again and complains after so many failures in a row.
 *
 * failure   no whole answer in time, or a status outside 200..399
 * complain  <fails> failures in a row; the guard is content again after as many successes in a row, so that an endpoint
 *           that flaps stays a complaint
 *
 * The next request begins <every> after the beginning of the last one, or as soon as that one ended when it took longer;
 * one at a time, each limited to <every> but at least 500 ms and at most 5 s. The first is sent at once.
 *
 * It decides nothing: it tells. Threads: the loop's. */
#ifndef WEIR_OBSERVE_HEALTH_H
#define WEIR_OBSERVE_HEALTH_H

#include "base/clock.h"
#include "base/err.h"
#include "net/loop.h"
#include "net/transport.h"

/* <text>: one sentence with the endpoint and what was wrong last; borrowed for the call. Called at each change only,
 * never inside health_guard_create. */
typedef void health_changed(void *arg, bool complains, const char *text);

struct health_guard;

struct health_options {
	const char *url; /* copied */
	dur_ns every;
	int32_t fails; /* at least 1 */
};

/* <loop> and <transport> are kept. Given: health_guard_destroy. */
struct health_guard *health_guard_create(struct loop *loop, struct transport *transport,
                                         const struct health_options *options, health_changed *changed, void *arg,
                                         struct err *err);
void health_guard_destroy(struct health_guard *g); /* NULL is fine */
bool health_guard_complains(const struct health_guard *g);

#endif
