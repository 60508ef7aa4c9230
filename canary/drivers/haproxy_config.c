#include "canary/drivers/haproxy_config.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/must.h"

/* FNV-1a, 64 bits (Fowler, Noll, Vo): tells configurations apart, protects nothing. */
static uint64_t fnv1a(uint64_t hash, struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		hash = (hash ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
	return hash;
}
#define FNV_START UINT64_C(0xcbf29ce484222325)

static uint64_t salt_of(const struct plan *plan)
{
	const struct plan_arm *canary = &plan->arms[ARM_CANARY];
	const char *const parts[] = { plan->service, plan->environment, canary->version, canary->commit };
	uint64_t hash = FNV_START;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		hash = fnv1a(hash, str_from(parts[i]));
		hash = fnv1a(hash, STR("\n"));
	}
	return hash;
}

static const char global_part[] =
	"    stats socket unix@" HAPROXY_API_SOCKET " mode 600 level admin expose-fd listeners\n"
	"    stats timeout 10s\n"
	/* %d: the inherited descriptor. Each line is one write of less than PIPE_BUF: never torn. */
	"    log fd@%d len 1024 format raw local0\n"
	/* One thread: with more, HAProxy drops a line rather than wait for another thread's write (fd_write_frag_line: 200
	 * attempts), and on a busy machine that is more than 1 % of them. One thread carries some 30,000 requests/s. */
	"    nbthread 1\n"
	/* What a replaced process may still serve. */
	"    hard-stop-after 30s\n"
	"\n"
	"defaults\n"
	"    mode http\n"
	"    log global\n"
	"    option http-keep-alive\n"
	"    option dontlognull\n"
	"    option forwardfor\n"
	"    option redispatch\n"
	"    http-reuse safe\n"
	"    retries 2\n"
	"    timeout connect 2s\n"
	"    timeout client 30s\n"
	"    timeout server 30s\n"
	"    timeout queue 5s\n"
	"    timeout http-request 10s\n"
	"    timeout http-keep-alive 30s\n"
	"    timeout check 2s\n"
	"    timeout tunnel 1h\n"
	"    default-server check inter 1s fall 2 rise 2\n"
	"\n";

static const char rule_part[] =
	"    http-request set-var(txn.t0) date(0,us)\n"
	/* Another seed than the bucket's: the users of stable are in all groups, whatever the weight. */
	"    http-request set-var(txn.users) var(txn.salted),xxh32(1),mod(20)\n"
	"    http-request set-var-fmt(txn.peer) \"%[src]:%[src_port]\"\n"
	"    http-request set-var(txn.connections) var(txn.peer),xxh32(1),mod(20)\n"
	"    http-request set-var(txn.bucket) var(txn.salted),xxh32(0),mod(10000)\n"
	"    http-request set-var(txn.weight) str(weight),map_str_int(" HAPROXY_MAP ",0)\n"
	"    http-request set-var(txn.hold) str(hold),map_str_int(" HAPROXY_MAP ",0)\n"
	"    http-request set-var(txn.lease) str(" HAPROXY_LEASE_KEY "),table_gpt0(" HAPROXY_LEASE_TABLE ")\n"
	"    http-request set-var(txn.weight) int(0) unless { var(txn.hold) -m int gt 0 } || { var(txn.lease) -m int gt 0 }\n"
	"    http-request set-var(txn.over) var(txn.bucket),sub(txn.weight)\n"
	"    use_backend " HAPROXY_BACKEND_CANARY " if { var(txn.over) -m int lt 0 } { nbsrv(" HAPROXY_BACKEND_CANARY
	") gt 0 }\n"
	"    default_backend " HAPROXY_BACKEND_STABLE "\n"
	/* canary/sources/haproxy_line.h reads this. */
	"    http-response set-var(txn.t1) date(0,us)\n"
	"    log-format \"c1 %b %s %ST %TR %Tw %Tc %Tr %Ta %tsc %rc %[var(txn.t1),sub(txn.t0)] "
	"%[var(txn.users)] %[var(txn.connections)]\"\n";

static void write_frontend(const struct plan *plan, int32_t port, struct buf *out)
{
	const struct plan_traffic *t = &plan->traffic;
	const bool v6 = strchr(t->listen_host, ':') != NULL;
	buf_printf(out, "frontend fe_weir\n    bind %s%s%s:%" PRId32 "\n", v6 ? "[" : "", t->listen_host, v6 ? "]" : "",
	           port);
	if (t->cookie) {
		buf_printf(out, "    http-request set-var(txn.user) req.cook(%s)\n", t->cookie);
		buf_printf(out, "    http-request set-var-fmt(txn.user) \"%%[src]:%%[src_port]\" "
		                "unless { var(txn.user) -m found }\n");
	} else {
		buf_printf(out, "    http-request set-var(txn.user) src\n");
	}
	buf_printf(out, "    http-request set-var-fmt(txn.salted) \"%016" PRIx64 ".%%[var(txn.user)]\"\n",
	           salt_of(plan));
	buf_add(out, str_from(rule_part));
	buf_add_char(out, '\n');
}

static void write_backend(const char *name, const struct plan_arm *arm, struct buf *out)
{
	buf_printf(out, "backend %s\n    balance roundrobin\n", name);
	for (size_t i = 0; i < arm->server_count; i++)
		buf_printf(out, "    server s%zu %s\n", i + 1, arm->servers[i].text);
	buf_add_char(out, '\n');
}

static void write_rest(const struct plan *plan, int32_t port, struct buf *out)
{
	buf_printf(out, global_part, HAPROXY_LOG_FD);
	buf_printf(out,
	           "backend " HAPROXY_LEASE_TABLE "\n    stick-table type string len 32 size 16 expire %" PRId64
	           "ms store gpt0\n\n",
	           plan->traffic.lease / MILLISECOND);
	write_frontend(plan, port, out);
	write_backend(HAPROXY_BACKEND_STABLE, &plan->arms[ARM_STABLE], out);
	write_backend(HAPROXY_BACKEND_CANARY, &plan->arms[ARM_CANARY], out);
}

void haproxy_config_write(const struct plan *plan, int32_t port, struct buf *out, char ret_hash[HAPROXY_HASH_BYTES])
{
	struct buf rest;
	buf_init(&rest, HAPROXY_CONFIG_BYTES_MAX);
	write_rest(plan, port, &rest);
	snprintf(ret_hash, HAPROXY_HASH_BYTES, "%016" PRIx64, fnv1a(FNV_START, buf_str(&rest)));
	buf_printf(out, "# Written by weir for %s in %s: %s against %s. Changes are overwritten.\n", plan->service,
	           plan->environment, plan->arms[ARM_CANARY].version, plan->arms[ARM_STABLE].version);
	buf_printf(out, "global\n    description weir %s\n", ret_hash);
	buf_add(out, buf_str(&rest));
	buf_finish(&rest);
	/* The plan's own limits (256 servers per arm, names of 255 bytes) keep it far below. */
	must(!buf_overflowed(out));
}

void haproxy_map_write(int32_t weight_bp, bool hold, struct buf *out)
{
	buf_printf(out, "weight %" PRId32 "\nhold %d\n", weight_bp, hold);
}

bool haproxy_weight_holds(const struct plan *plan, int32_t weight_bp)
{
	return weight_bp == WEIGHT_FULL_BP || (weight_bp > 0 && plan->traffic.on_controller_death == DEATH_HOLD);
}
