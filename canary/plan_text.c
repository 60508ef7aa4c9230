#include "canary/plan.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/must.h"

#define HASHED_BYTES_MAX (1u << 20)

/* One line per thing that decides or acts; strings carry their length so that two plans cannot spell the same text. */
static void add_string(struct buf *b, const char *key, const char *value)
{
	if (value)
		buf_printf(b, "%s %zu %s\n", key, strlen(value), value);
}

static void add_number(struct buf *b, const char *key, double value)
{
	buf_printf(b, "%s %.17g\n", key, value);
}

static void add_duration(struct buf *b, const char *key, dur_ns value)
{
	buf_printf(b, "%s %" PRId64 "\n", key, value);
}

static void add_arms(struct buf *b, const struct plan *p)
{
	for (int a = 0; a < ARMS; a++) {
		const struct plan_arm *arm = &p->arms[a];
		add_string(b, "arm", arm_text((enum arm)a));
		add_string(b, "version", arm->version);
		add_string(b, "commit", arm->commit);
		for (size_t i = 0; i < arm->server_count; i++)
			add_string(b, "server", arm->servers[i].text);
	}
}

static void add_traffic(struct buf *b, const struct plan_traffic *t)
{
	add_string(b, "driver", t->driver);
	add_string(b, "listen", t->listen_host);
	add_number(b, "port", t->listen_port);
	add_string(b, "cookie", t->cookie);
	add_number(b, "death", t->on_controller_death);
	add_duration(b, "lease", t->lease);
}

static void add_compare(struct buf *b, const struct plan_compare *c)
{
	add_number(b, "errors-ratio", c->errors_ratio);
	add_number(b, "errors-slack", c->errors_slack);
	add_number(b, "latency-ratio", c->latency_ratio);
	add_number(b, "latency-margin", c->latency_margin);
	add_number(b, "slo-quantile", c->slo_quantile);
	add_duration(b, "slo-limit", c->slo_limit);
	add_number(b, "alpha", c->alpha);
	add_duration(b, "warmup", c->warmup);
}

/* FNV-1a, 64 bit. */
static uint64_t hash_bytes(struct str s)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
	return h;
}

void plan_text_hash(const struct plan *p, char ret_hash[PLAN_HASH_BYTES])
{
	struct buf b;
	buf_init(&b, HASHED_BYTES_MAX);
	add_string(&b, "service", p->service);
	add_string(&b, "environment", p->environment);
	add_arms(&b, p);
	add_traffic(&b, &p->traffic);
	for (size_t i = 0; i < p->stage_count; i++)
		buf_printf(&b, "stage %d %" PRId64 " %" PRId64 "\n", (int)p->stages[i].weight_bp, p->stages[i].min,
		           p->stages[i].max);
	add_compare(&b, &p->compare);
	add_string(&b, "baseline", p->baseline);
	for (size_t i = 0; i < p->guard_count; i++) {
		add_string(&b, "guard", p->guards[i].url);
		buf_printf(&b, "%" PRId64 " %d\n", p->guards[i].every, (int)p->guards[i].fails);
	}
	add_string(&b, "inconclusive", plan_inconclusive_text(p->on_inconclusive));
	must(!buf_overflowed(&b));
	snprintf(ret_hash, PLAN_HASH_BYTES, "%016" PRIx64, hash_bytes(buf_str(&b)));
	buf_finish(&b);
}

const char *weight_format(int32_t weight_bp, char ret_text[WEIGHT_TEXT_BYTES])
{
	snprintf(ret_text, WEIGHT_TEXT_BYTES, "%g%%", weight_bp / 100.0);
	return ret_text;
}

int64_t plan_ticks_planned(const struct plan *p)
{
	int64_t ticks = 0;
	for (size_t i = 0; i < p->stage_count; i++)
		ticks += p->stages[i].max / SECOND;
	return ticks < 60 ? 60 : ticks;
}
