/* haproxy_config.h: a plan as an HAProxy configuration. Pure: text out, no I/O.
 *
 * bucket   hash of the rollout's salt and the user, 0..9999; the canary serves the buckets below the weight. So a user
 *          stays where he is, and a growing weight never moves anybody back
 * user     the plan's cookie. A request without it counts as its connection (address and port), so that cookieless
 *          traffic is spread instead of going all one way. A plan without a cookie: the client's address
 * salt     of service, environment and canary version: another version begins with other users, a resumed rollout goes
 *          on with the same ones
 * weight   in the map file, with one line per key, that HAProxy reads at start and that its runtime API changes:
 *              weight 500     basis points
 *              hold 0         1: the weight needs no lease
 * lease    an entry in a stick table that expires unless it is renewed. Without it, and without hold, the weight
 *          counts as 0. hold is set where nobody is to undo the weight: at 100 %, after driver keep(), and where the
 *          plan says that a dead controller leaves things as they are
 * hash     of the configuration; stands in its `description`, so the running process tells which one it obeys
 *
 * Both arms are backends of their own, so a retry stays in its arm. Only while no server of the canary is in service do
 * its users get stable: that is a failed guard, and meanwhile nobody has to see an error page.
 *
 * All paths in it are relative to the driver's folder, which is HAProxy's working folder: they need no quoting and a
 * long folder name does not matter. Threads: [any]. */
#ifndef WEIR_CANARY_DRIVERS_HAPROXY_CONFIG_H
#define WEIR_CANARY_DRIVERS_HAPROXY_CONFIG_H

#include "base/buf.h"
#include "canary/plan.h"

#define HAPROXY_API_SOCKET "api.sock"
#define HAPROXY_CONFIG "haproxy.cfg"
#define HAPROXY_CONFIG_NEW "haproxy.cfg.new"
#define HAPROXY_MAP "rollout.map"
#define HAPROXY_LOG_PIPE "requests.log.pipe"
#define HAPROXY_LOG_FD 9 /* inherited: the writing end of the pipe */
#define HAPROXY_PID_FILE "haproxy.pid"

#define HAPROXY_BACKEND_STABLE "be_stable"
#define HAPROXY_BACKEND_CANARY "be_canary"
#define HAPROXY_LEASE_TABLE "st_lease"
#define HAPROXY_LEASE_KEY "rollout"

#define HAPROXY_CONFIG_BYTES_MAX (256u << 10)
#define HAPROXY_HASH_BYTES 17 /* 16 hexadecimal digits */

/* Writes the configuration for <plan>, listening at <port>, to <out> (empty, limit HAPROXY_CONFIG_BYTES_MAX). */
void haproxy_config_write(const struct plan *plan, int32_t port, struct buf *out, char ret_hash[HAPROXY_HASH_BYTES]);

/* The map file's text. */
void haproxy_map_write(int32_t weight_bp, bool hold, struct buf *out);

/* True when a weight has to stay without renewal under this plan. */
bool haproxy_weight_holds(const struct plan *plan, int32_t weight_bp);

#endif
