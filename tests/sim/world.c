#include "tests/sim/world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "canary/source.h"

#define TOTAL_PER_TICK 200.0
#define ERROR_SHARE 0.01
#define TAIL_SHARE 0.01
#define STALL_LATENCY 3e9
#define PROCESSES_MAX 8 /* the canary and stable's servers */
#define TABLE_BITS 14
#define TABLE (1 << TABLE_BITS)

/* Quantiles of the latency in ns, for the usual and for a thicker slow tail: drawing is one look-up. */
struct latency_table {
	double tail;
	double ns[TABLE];
};

static double mixture_cdf(double ns, double tail)
{
	const double usual = log(ns / 51.7e6) / 0.4965, slow = log(ns / 512e6) / 0.643;
	return (1 - tail) * 0.5 * erfc(-usual / M_SQRT2) + tail * 0.5 * erfc(-slow / M_SQRT2);
}

static const struct latency_table *latency_table(double tail)
{
	static struct latency_table tables[4];
	static size_t made;
	for (size_t i = 0; i < made; i++) {
		if (tables[i].tail == tail)
			return &tables[i];
	}
	must(made < ARRAY_LEN(tables));
	struct latency_table *t = &tables[made++];
	for (int i = 0; i < TABLE; i++) {
		double low = log(1e5), high = log(1e11);
		for (int step = 0; step < 50; step++) {
			const double middle = (low + high) / 2;
			if (mixture_cdf(exp(middle), tail) < (i + 0.5) / TABLE)
				low = middle;
			else
				high = middle;
		}
		t->ns[i] = exp(low);
	}
	t->tail = tail;
	return t;
}

/* An answer that the data plane owes. */
struct owed {
	bool active;
	struct machine_event ev;
	struct mono at;
};

struct world {
	const struct plan *plan;
	const struct kind *kind;
	struct rng traffic, chance;
	struct machine machine;
	struct evidence *evidence;
	struct mono now;
	int64_t tick, shared_from;
	int32_t weight_bp;  /* that the data plane obeys */
	int64_t harm_tick;  /* the first harmed one; -1: not yet */
	int64_t stage_tick; /* when the stage to harm had its weight; -1: not yet */
	struct owed prepare, set, verify;
	struct source_sample sample;
	struct outcome *outcome;
	/* What survives the controller. */
	struct evidence_config config;
	json_t *stored_machine, *stored_evidence;
	int32_t intent_bp;
};

/* --- the data plane --- */

static void owe(struct world *w, struct owed *o, enum machine_event_kind kind, int32_t weight, dur_ns least,
                dur_ns most)
{
	const dur_ns delay = least + (dur_ns)rng_below(&w->chance, (uint64_t)(most - least));
	*o = (struct owed){ true, { .kind = kind, .weight_bp = weight, .text = "refused" }, mono_after(w->now, delay) };
}

static void perform(struct world *w, const struct machine_action *a)
{
	const bool refuse = rng_uniform(&w->chance) < 0.02;
	switch (a->kind) {
	case ACTION_PREPARE:
		owe(w, &w->prepare, MACHINE_PREPARED, w->weight_bp, 100 * MILLISECOND, SECOND);
		break;
	case ACTION_SET_WEIGHT:
		w->intent_bp = a->weight_bp;
		owe(w, &w->set, refuse ? MACHINE_REFUSED : MACHINE_ACCEPTED, a->weight_bp, MILLISECOND,
		    300 * MILLISECOND);
		break;
	case ACTION_VERIFY:
		owe(w, &w->verify, refuse ? MACHINE_UNVERIFIED : MACHINE_VERIFIED, a->weight_bp, 10 * MILLISECOND,
		    1200 * MILLISECOND);
		break;
	case ACTION_EVENT:
		w->outcome->held = w->outcome->held || strcmp(a->type, "rollout.held") == 0;
		break;
	case ACTION_ENTER_STAGE:
		if (a->stage == 1)
			w->outcome->promote_first = w->tick;
		break;
	case ACTION_FINISH:
	case ACTION_LEAVE:
		break;
	}
}

static void feed(struct world *w, struct machine_event ev)
{
	struct machine_actions out;
	const bool before = w->machine.state == ROLLOUT_ROLLING_BACK;
	ev.now = w->now;
	machine_step(&w->machine, &ev, &out);
	if (!before && w->machine.state == ROLLOUT_ROLLING_BACK && w->harm_tick >= 0)
		w->outcome->delay = w->tick - w->harm_tick + 1;
	if (w->kind->killed_every > 0) {
		json_decref(w->stored_machine);
		w->stored_machine = machine_export(&w->machine);
	}
	for (size_t i = 0; i < out.count; i++)
		perform(w, &out.list[i]);
}

static void sooner(struct owed *o, struct owed **best)
{
	if (o->active && (!*best || o->at.ns < (*best)->at.ns))
		*best = o;
}

/* Everything that happens before the next tick. */
static void until(struct world *w, struct mono end)
{
	for (;;) {
		struct owed *next = NULL;
		sooner(&w->prepare, &next);
		sooner(&w->set, &next);
		sooner(&w->verify, &next);
		const struct mono deadline = machine_deadline(&w->machine);
		const struct mono at = next && next->at.ns <= deadline.ns ? next->at : deadline;
		if (at.ns >= end.ns)
			break;
		w->now = at.ns > w->now.ns ? at : w->now;
		if (!next || next->at.ns > deadline.ns) {
			feed(w, (struct machine_event){ .kind = MACHINE_TIME });
			continue;
		}
		next->active = false;
		if (next->ev.kind == MACHINE_ACCEPTED)
			w->weight_bp = next->ev.weight_bp;
		feed(w, next->ev);
	}
	w->now = end;
}

/* --- the traffic --- */

static bool harmed(struct world *w)
{
	const struct kind *k = w->kind;
	if (k->canary_errors == 0 && k->canary_latency == 0 && k->canary_tail == 0)
		return false;
	if (w->stage_tick < 0 && w->machine.stage >= k->harm_stage && w->weight_bp > 0 &&
	    w->weight_bp == w->plan->stages[k->harm_stage].weight_bp)
		w->stage_tick = w->tick;
	if (w->stage_tick < 0 || w->tick < w->stage_tick + k->harm_after)
		return false;
	if (w->harm_tick < 0)
		w->harm_tick = w->tick;
	return true;
}

static double shared_errors(const struct world *w)
{
	const struct kind *k = w->kind;
	if (k->shared_errors == 0 || w->tick < w->shared_from)
		return 1;
	if (k->burst_every && (w->tick - w->shared_from) % k->burst_every >= 20)
		return 1;
	return k->shared_errors;
}

static double shared_latency(const struct world *w)
{
	if (w->kind->shared_latency == 0 || w->tick < w->shared_from)
		return 1;
	const double part = fmin((double)(w->tick - w->shared_from) / 200, 1);
	return 1 + (w->kind->shared_latency - 1) * part;
}

struct fate {
	double errors, latency;
	const struct latency_table *table;
};

/* When a process stands still, in parts of the second; nothing: from > 1. */
struct stall {
	double from, to;
};

static void draw_stalls(struct world *w, struct stall stalls[PROCESSES_MAX])
{
	const struct kind *k = w->kind;
	for (int i = 0; i < PROCESSES_MAX; i++) {
		stalls[i] = k->stall_shared && i > 0 ? stalls[0] : (struct stall){ 2, 2 };
		if (k->stall <= 0 || (k->stall_shared && i > 0) || rng_uniform(&w->traffic) >= 1 / k->stall_every)
			continue;
		stalls[i].from = rng_uniform(&w->traffic) * (1 - k->stall);
		stalls[i].to = stalls[i].from + k->stall;
	}
}

/* One request, of the connection and server that <bits> say. */
static void serve_one(struct world *w, int arm, uint64_t bits, bool failed, double ns, const struct stall *stalls)
{
	struct arm_sample *s = &w->sample.arms[arm];
	const int servers = w->kind->servers > 0 ? w->kind->servers : 1;
	const int connection = (int)(bits % SOURCE_GROUPS), server = (int)(bits / SOURCE_GROUPS % (uint64_t)servers);
	if (w->kind->stall > 0) {
		const struct stall *stall = &stalls[arm == ARM_CANARY ? 0 : 1 + server];
		const double at = rng_uniform(&w->traffic);
		ns += at >= stall->from && at < stall->to ? STALL_LATENCY : 0;
	}
	const int bin = logbins_index((int64_t)ns);
	s->requests++;
	s->errors += failed;
	s->bins.counts[bin]++;
	s->bins.total++;
	if (arm == ARM_CANARY)
		return;
	const int groups[GROUPINGS] = {
		[GROUPED_BY_USER] = connection, [GROUPED_BY_CONNECTION] = connection, [GROUPED_BY_SERVER] = server
	};
	for (int by = 0; by < GROUPINGS; by++) {
		w->sample.stable[by].errors[groups[by]] += failed;
		w->sample.stable[by].bins[groups[by]][bin]++;
	}
}

static double draw_latency(struct world *w, const struct latency_table *t)
{
	return t->ns[rng_next(&w->traffic) >> (64 - TABLE_BITS)];
}

/* One request, or a bunch of failed or slow ones of one connection; how many. */
static int64_t serve_bunch(struct world *w, const struct fate *f, int arm, uint64_t bits, const struct stall *stalls)
{
	const double mean = w->kind->bunches,
		     starts = 1 / (mean * (1 - ERROR_SHARE - TAIL_SHARE) + ERROR_SHARE + TAIL_SHARE);
	const double chance = rng_uniform(&w->traffic);
	const bool failed = chance < f->errors * starts;
	const bool slow = !failed && chance < (f->errors + f->table->tail) * starts;
	const struct latency_table *t = latency_table(slow ? 1 : 0);
	int64_t size = 1;
	while ((failed || slow) && rng_uniform(&w->traffic) < 1 - 1 / mean)
		size++;
	for (int64_t i = 0; i < size; i++)
		serve_one(w, arm, bits, failed, draw_latency(w, t) * f->latency, stalls);
	return size;
}

static void serve(struct world *w, const struct fate fates[ARMS])
{
	const double spread = rng_normal(&w->traffic) * sqrt(TOTAL_PER_TICK);
	const int64_t total = llround(fmax(TOTAL_PER_TICK + spread, 0));
	const uint64_t border = (uint64_t)w->weight_bp * ((UINT64_C(1) << 24) / 10000);
	struct stall stalls[PROCESSES_MAX];
	draw_stalls(w, stalls);
	for (int64_t i = 0; i < total;) {
		const uint64_t r = rng_next(&w->traffic);
		const int arm = (r & 0xffffff) < border ? ARM_CANARY : ARM_STABLE;
		const struct fate *f = &fates[arm];
		if (w->kind->bunches > 0) {
			i += serve_bunch(w, f, arm, r >> 48, stalls);
			continue;
		}
		const bool failed = (double)(r >> 24 & 0xffffff) < f->errors * 16777216.0;
		serve_one(w, arm, r >> 48, failed, draw_latency(w, f->table) * f->latency, stalls);
		i++;
	}
	w->sample.lines = w->sample.arms[ARM_STABLE].requests + w->sample.arms[ARM_CANARY].requests;
}

static void one_second(struct world *w)
{
	struct fate fates[ARMS];
	const struct kind *k = w->kind;
	const bool harm = harmed(w);
	for (int a = 0; a < ARMS; a++)
		fates[a] = (struct fate){ ERROR_SHARE * shared_errors(w), shared_latency(w),
			                  latency_table(TAIL_SHARE) };
	if (harm && k->canary_errors > 0)
		fates[ARM_CANARY].errors = k->canary_errors;
	if (harm && k->canary_latency > 0)
		fates[ARM_CANARY].latency *= k->canary_latency;
	if (harm && k->canary_tail > 0)
		fates[ARM_CANARY].table = latency_table(k->canary_tail);
	memset(&w->sample, 0, sizeof(w->sample));
	serve(w, fates);
	until(w, (struct mono){ (w->tick + 1) * SECOND });
}

static void judge_second(struct world *w, int32_t weight)
{
	struct assessment a;
	const struct evidence_tick in = {
		.tick = w->tick,
		.weight_bp = weight,
		.stage = w->machine.stage,
		.last = machine_last_stage(&w->machine),
		.sample = &w->sample,
	};
	evidence_apply(w->evidence, &in, &a);
	feed(w, (struct machine_event){ .kind = MACHINE_TICK, .assessment = &a });
}

/* --- the end of the controller, and its return --- */

static json_t *through_text(const json_t *j)
{
	char *text = json_dumps(j, 0);
	json_t *again = json_loads(text, 0, NULL);
	free(text);
	must(again);
	return again;
}

static void kill_controller(struct world *w)
{
	struct err err;
	w->outcome->kills++;
	w->prepare.active = w->verify.active = w->set.active = false;
	evidence_destroy(w->evidence);
	json_t *evidence = through_text(w->stored_evidence), *machine = through_text(w->stored_machine);
	w->evidence = evidence_import(&w->config, evidence, &err);
	must(w->evidence);
	must(machine_import(&w->machine, w->plan, machine, w->now, &err) == 0);
	json_decref(evidence);
	json_decref(machine);
	/* Traffic goes on unmeasured while nobody drives. */
	w->tick += 2 + (int64_t)rng_below(&w->chance, 6);
	w->now = (struct mono){ (w->tick + 1) * SECOND };
	feed(w, (struct machine_event){ .kind = MACHINE_STARTED, .intent_bp = w->intent_bp });
}

static void store_or_die(struct world *w)
{
	if (w->kind->killed_every == 0)
		return;
	if (!w->stored_evidence || w->tick % 5 == 0) {
		json_decref(w->stored_evidence);
		w->stored_evidence = evidence_export(w->evidence);
	}
	if (machine_running(&w->machine) && rng_uniform(&w->chance) < 1 / w->kind->killed_every)
		kill_controller(w);
}

void world_rollout(const struct plan *plan, const struct kind *kind, uint64_t seed, int64_t ticks_max,
                   struct outcome *ret)
{
	static struct world w; /* large, and one at a time */
	*ret = (struct outcome){ .delay = -1, .promote_first = -1 };
	w = (struct world){
		.plan = plan, .kind = kind, .harm_tick = -1, .stage_tick = -1, .intent_bp = -1, .outcome = ret
	};
	rng_init(&w.traffic, seed, 1);
	rng_init(&w.chance, seed, 2);
	w.shared_from = 60 + (int64_t)rng_below(&w.chance, 240);
	evidence_config_init(&w.config, plan);
	w.config.phi_fixed = kind->phi_fixed;
	w.evidence = evidence_create(&w.config);
	machine_init(&w.machine, plan, w.now);
	feed(&w, (struct machine_event){ .kind = MACHINE_STARTED, .intent_bp = -1 });
	for (w.tick = 0; w.tick < ticks_max && machine_running(&w.machine); w.tick++) {
		const int32_t weight = w.machine.asked_bp;
		one_second(&w);
		judge_second(&w, weight);
		store_or_die(&w);
	}
	evidence_destroy(w.evidence);
	json_decref(w.stored_machine);
	json_decref(w.stored_evidence);
	ret->state = w.machine.state;
	ret->reason = w.machine.reason;
	ret->ticks = w.tick;
	snprintf(ret->why, sizeof(ret->why), "%s", w.machine.why);
}

struct plan *world_plan(const char *text)
{
	struct doc doc;
	doc_init(&doc, "plan.json", str_from(text));
	struct plan *p = plan_read(&doc);
	must(p);
	doc_finish(&doc);
	return p;
}
