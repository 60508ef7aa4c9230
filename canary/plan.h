/* plan.h: what a rollout is to do, read from a person's file (weir.rollout.v1) and checked before anything moves.
 *
 * stage    one weight of the plan with its limits; ascending, the last may be less than 100 % (a hold-back)
 * limit    what the user calls too much: a ratio of canary to stable, a slack on top of it, an absolute limit
 * guard    a deterministic rule that acts at once: so many failed health checks in a row
 * preset   a word in place of the list of stages
 *
 * Weights are basis points (1/10,000), latencies and times nanoseconds, shares of requests 0..1. Every name that later
 * stands in a balancer's configuration is a safe token here: letters, digits, '.', '_', '-', at most
 * PLAN_TOKEN_BYTES_MAX bytes, beginning with a letter or a digit.
 *
 * Ownership: the plan owns its arena; all its strings live in it. It is immutable after plan_read. Threads: [any] when
 * only read. */
#ifndef WEIR_CANARY_PLAN_H
#define WEIR_CANARY_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/doc.h"
#include "base/mem.h"
#include "record/rollout.h"

#define PLAN_SCHEMA "weir.rollout.v1"
#define PLAN_TOKEN_BYTES_MAX 64
#define PLAN_STAGES_MAX 100
#define PLAN_SERVERS_MAX 256 /* per arm */
#define PLAN_GUARDS_MAX 64
#define WEIGHT_FULL_BP 10000

struct plan_server {
	const char *host; /* a name, an IPv4 address, or an IPv6 address without its brackets */
	int32_t port;
	const char *text; /* as written: "10.0.0.1:8080", "[::1]:8080" */
};

struct plan_arm {
	const char *version; /* a safe token */
	const char *commit;  /* a safe token, or NULL */
	struct plan_server *servers;
	size_t server_count; /* at least 1 */
};

enum controller_death {
	DEATH_ROLLBACK, /* the data plane returns to stable by itself when the lease runs out */
	DEATH_HOLD,     /* it keeps the last weight */
};

struct plan_traffic {
	const char *driver;      /* "haproxy" */
	const char *listen_host; /* "" : every address */
	int32_t listen_port;     /* 0: the data plane picks a free one (tests) */
	const char *cookie;      /* users are told apart by this cookie; NULL: by client address. A safe token */
	enum controller_death on_controller_death;
	dur_ns lease; /* how long the data plane obeys without renewal */
};

struct plan_stage {
	int32_t weight_bp;
	dur_ns min, max; /* least time; after max the plan's on_inconclusive decides */
};

struct plan_compare {
	double errors_ratio; /* M: canary errors up to this many times stable's are allowed, 1.5 */
	double errors_slack; /* a: plus this share, 0.001 */
	double latency_ratio;
	double latency_margin; /* differences up to this share are not even looked at, 0.1 */
	double slo_quantile;   /* "p95 < 500ms": 0.95; 0 when there is no absolute limit */
	dur_ns slo_limit;      /* 500 ms */
	double alpha;          /* chance to roll back a healthy canary, for the whole rollout */
	dur_ns warmup;         /* evidence begins this long after the canary's first request */
};

struct plan_guard {
	const char *url; /* http or https */
	dur_ns every;
	int32_t fails; /* in a row */
};

enum plan_inconclusive { INCONCLUSIVE_EXTEND, INCONCLUSIVE_HOLD, INCONCLUSIVE_ABORT };
const char *plan_inconclusive_text(enum plan_inconclusive i); /* "extend", "hold", "abort" */

struct plan {
	struct arena arena;
	const char *service, *environment; /* safe tokens */
	struct plan_arm arms[ARMS];
	struct plan_traffic traffic;
	struct plan_stage *stages;
	size_t stage_count; /* at least 1 */
	const char *preset; /* the word the stages came from, or NULL */
	struct plan_compare compare;
	const char *baseline; /* that the canary has to keep in a load test before the start; NULL: none */
	struct plan_guard *guards;
	size_t guard_count;
	enum plan_inconclusive on_inconclusive;
	dur_ns keep_old;       /* so long after the promotion an abort goes back to stable; 0: never */
	bool accept_low_power; /* power.h */
};

/* Reads the plan in <doc>. NULL: the document's diagnostics tell why, all mistakes at once. Given: plan_destroy. */
struct plan *plan_read(struct doc *doc);
void plan_destroy(struct plan *p);

/* Recognises the same plan at a resume: 16 hexadecimal digits over everything that decides or acts (not comments,
 * blanks, the order of keys, or whether a default was written out). */
#define PLAN_HASH_BYTES 17
void plan_text_hash(const struct plan *p, char ret_hash[PLAN_HASH_BYTES]);

/* "5%", "0.25%", "100%". */
#define WEIGHT_TEXT_BYTES 16
const char *weight_format(int32_t weight_bp, char ret_text[WEIGHT_TEXT_BYTES]);

/* The ticks (seconds) that the plan takes when every stage runs to its max; at least 60. */
int64_t plan_ticks_planned(const struct plan *p);

#endif
