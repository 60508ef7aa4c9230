/* The machine among faults: a data plane that refuses, forgets and lies about nothing; a controller that dies at any step; people
 * and guards at any time. Promises are checked after every step; the seed of a broken one is printed. WEIR_SIM_ROLLOUTS
 * lowers the number of runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/must.h"
#include "tests/sim/world.h"

#define RUNS 3000
#define TIMES_MAX 5000

static const char plan_text[] =
	"{\"$schema\":\"weir.rollout.v1\",\"service\":\"web\","
	"\"stable\":{\"version\":\"1\",\"servers\":[\"10.0.0.1:80\"]},"
	"\"canary\":{\"version\":\"2\",\"servers\":[\"10.0.0.2:80\"]},"
	"\"traffic\":{\"driver\":\"haproxy\",\"listen\":\":8000\"},\"on_inconclusive\":\"%s\","
	"\"stages\":[{\"weight\":\"%s\",\"min\":\"5s\",\"max\":\"20s\"},{\"weight\":\"50%%\",\"min\":\"5s\",\"max\":\"20s\"},"
	"{\"weight\":\"%s\",\"min\":\"5s\",\"max\":\"20s\"}]}";

struct faults {
	const struct plan *plan;
	struct machine m;
	struct rng rng;
	struct mono now;
	uint64_t seed;
	double refuse; /* chance of a refusal; below 1 */
	/* The data plane. */
	int32_t weight_bp;
	bool serving;
	/* What the controller has to do, in order; lost when it dies. */
	struct machine_action todo[64];
	size_t todo_count;
	/* What survives it. */
	json_t *state;
	int32_t intent_bp;
	/* For the promises. */
	bool went_back; /* a rollback was decided */
	int finishes;
	int crashes;
	int reverts;
};

static void broken(const struct faults *f, const char *promise)
{
	print_message("# seed %llu at %lld ms, state %s, weight %d: %s\n", (unsigned long long)f->seed,
	              (long long)(f->now.ns / MILLISECOND), rollout_state_text(f->m.state), (int)f->weight_bp, promise);
	fail_msg("%s", promise);
}

static bool chance(struct faults *f, double p)
{
	return rng_uniform(&f->rng) < p;
}

static int32_t stage_weight(const struct faults *f)
{
	return f->m.stage < 0 ? 0 : f->plan->stages[f->m.stage].weight_bp;
}

static void check(struct faults *f)
{
	const bool back = f->m.state == ROLLOUT_ROLLING_BACK || f->m.state == ROLLOUT_ROLLED_BACK;
	if (f->weight_bp > stage_weight(f))
		broken(f, "the data plane never has more than the stage's weight");
	if (f->went_back && !back && f->m.state != ROLLOUT_FAILED)
		broken(f, "a rollback is never undone");
	if (back && f->m.asked_bp != 0)
		broken(f, "a rollback asks for 0");
	if (f->m.state == ROLLOUT_ROLLED_BACK && f->weight_bp != 0)
		broken(f, "rolled back means 0 %");
	if (f->finishes > 1 + f->reverts + f->crashes)
		broken(f, "a rollout ends once in a process");
	f->went_back = f->went_back || back;
}

static void persist(struct faults *f)
{
	json_decref(f->state);
	f->state = machine_export(&f->m);
}

static void step(struct faults *f, struct machine_event ev)
{
	struct machine_actions out;
	const bool over = rollout_state_final(f->m.state);
	const enum rollout_state before = f->m.state;
	ev.now = f->now;
	machine_step(&f->m, &ev, &out);
	const size_t expected = ev.kind == MACHINE_STARTED ? 1 : 0; /* FINISH once more */
	const bool reverted = ev.kind == MACHINE_REVERT && before == ROLLOUT_PROMOTED;
	if (over && !reverted && (out.count != expected || f->m.state != before))
		broken(f, "the end is the end");
	if (reverted && f->m.state != ROLLOUT_ROLLING_BACK)
		broken(f, "a promoted rollout goes back when a person asks");
	persist(f);
	for (size_t i = 0; i < out.count; i++) {
		if (out.list[i].kind == ACTION_EVENT)
			continue;
		must(f->todo_count < ARRAY_LEN(f->todo));
		f->todo[f->todo_count++] = out.list[i];
	}
	if (f->m.state == ROLLOUT_PROMOTED && before != ROLLOUT_PROMOTED && f->weight_bp > stage_weight(f))
		broken(f, "promoted with another weight");
	check(f);
}

static void perform_one(struct faults *f)
{
	const struct machine_action a = f->todo[0];
	memmove(f->todo, f->todo + 1, --f->todo_count * sizeof(a));
	const bool refused = chance(f, f->refuse);
	switch (a.kind) {
	case ACTION_PREPARE:
		f->serving = f->serving || !refused;
		step(f, (struct machine_event){ .kind = refused ? MACHINE_PREPARE_FAILED : MACHINE_PREPARED,
		                                .weight_bp = f->weight_bp,
		                                .text = "refused" });
		break;
	case ACTION_SET_WEIGHT:
		f->intent_bp = a.weight_bp;
		/* A refusal may come after the weight was taken: an answer that was lost. */
		if (!refused || chance(f, .5))
			f->weight_bp = a.weight_bp;
		step(f, (struct machine_event){ .kind = refused ? MACHINE_REFUSED : MACHINE_ACCEPTED,
		                                .weight_bp = a.weight_bp,
		                                .text = "refused" });
		break;
	case ACTION_VERIFY:
		step(f, (struct machine_event){ .kind = refused || f->weight_bp != a.weight_bp ? MACHINE_UNVERIFIED
		                                                                               : MACHINE_VERIFIED,
		                                .weight_bp = a.weight_bp });
		break;
	case ACTION_FINISH:
		f->finishes++;
		break;
	case ACTION_LEAVE:
	case ACTION_EVENT:
	case ACTION_ENTER_STAGE:
		break;
	}
}

/* The process dies: what it had to do is lost, and with luck the lease in the data plane ran out meanwhile. */
static void die_and_come_back(struct faults *f)
{
	struct err err;
	f->crashes++;
	f->todo_count = 0;
	if (chance(f, .3))
		f->weight_bp = 0;
	f->now = mono_after(f->now, (dur_ns)rng_below(&f->rng, 60) * SECOND);
	/* Through text, as the store does it. */
	char *text = json_dumps(f->state, 0);
	json_t *again = json_loads(text, 0, NULL);
	if (machine_import(&f->m, f->plan, again, f->now, &err) != 0)
		broken(f, err.text);
	json_decref(again);
	free(text);
	step(f, (struct machine_event){ .kind = MACHINE_STARTED, .intent_bp = f->intent_bp });
}

static void something_happens(struct faults *f)
{
	static const enum machine_event_kind odd[] = {
		MACHINE_GUARD_FIRED, MACHINE_GUARD_CLEARED, MACHINE_ABORT,      MACHINE_PAUSE,
		MACHINE_RESUME,      MACHINE_PROMOTE,       MACHINE_LEASE_LOST, MACHINE_ACCEPTED,
		MACHINE_VERIFIED,    MACHINE_REFUSED,       MACHINE_UNVERIFIED, MACHINE_REVERT,
	};
	if (chance(f, .02)) {
		f->weight_bp = 0;
		step(f, (struct machine_event){ .kind = MACHINE_DATA_PLANE_RESTARTED });
	} else if (chance(f, .02)) {
		die_and_come_back(f);
	} else if (chance(f, .05)) {
		enum machine_event_kind kind = odd[rng_below(&f->rng, ARRAY_LEN(odd))];
		/* Answers only about weights that were never right, as from calls that were overtaken. */
		const bool rare = kind == MACHINE_GUARD_FIRED || kind == MACHINE_ABORT || kind == MACHINE_LEASE_LOST;
		/* Whoever goes back from a promotion is another process: go_back(). */
		const bool early = kind != MACHINE_REVERT || f->m.state != ROLLOUT_PROMOTED;
		if (early && (!rare || chance(f, .2)))
			step(f,
			     (struct machine_event){ .kind = kind, .weight_bp = 7777, .actor = "kim", .text = "why" });
	}
}

static void tick(struct faults *f)
{
	const struct assessment a = {
		.verdict = (enum verdict)(chance(f, .01)   ? VERDICT_ABORT
		                          : chance(f, .05) ? VERDICT_HOLD
		                          : chance(f, .3)  ? VERDICT_INCONCLUSIVE
		                          : chance(f, .5)  ? VERDICT_WATCHING
		                                           : VERDICT_PROMOTE),
		.reason = REASON_LATENCY,
		.lack = LACK_SHARE,
		.ready = chance(f, .5),
		.sentence = "by chance",
	};
	f->now = mono_after(f->now, SECOND);
	step(f, (struct machine_event){ .kind = MACHINE_TICK, .assessment = &a });
}

struct totals {
	int crashes, reverts;
};

static void drive_to_end(struct faults *f)
{
	for (int times = 0; times < TIMES_MAX && machine_running(&f->m); times++) {
		while (f->todo_count > 0 && chance(f, .7))
			perform_one(f);
		const struct mono next = machine_deadline(&f->m);
		if (machine_running(&f->m) && next.ns <= f->now.ns + SECOND && chance(f, .8)) {
			f->now = next.ns > f->now.ns ? next : f->now;
			step(f, (struct machine_event){ .kind = MACHINE_TIME });
		} else {
			tick(f);
		}
		something_happens(f);
	}
	while (f->todo_count > 0)
		perform_one(f);
	if (!rollout_state_final(f->m.state))
		broken(f, "every rollout comes to an end");
	if (f->finishes < 1 + f->reverts)
		broken(f, "the end of a rollout is given");
}

/* Another process, hours later: it reads what was kept of the promoted rollout, and is asked to go back. */
static void go_back(struct faults *f)
{
	struct err err;
	f->now = mono_after(f->now, 5 * HOUR);
	if (machine_import(&f->m, f->plan, f->state, f->now, &err) != 0)
		broken(f, err.text);
	f->reverts++;
	step(f, (struct machine_event){ .kind = MACHINE_REVERT, .actor = "kim", .text = "tickets" });
	drive_to_end(f);
}

/* One rollout to its end. Returns its last state. */
static enum rollout_state run(const struct plan *plan, uint64_t seed, struct totals *totals)
{
	struct faults f = { .plan = plan, .seed = seed, .now = { 1000 * SECOND }, .intent_bp = -1 };
	rng_init(&f.rng, seed, 3);
	f.refuse = rng_uniform(&f.rng) * .8;
	machine_init(&f.m, plan, f.now);
	persist(&f);
	step(&f, (struct machine_event){ .kind = MACHINE_STARTED, .intent_bp = -1 });
	drive_to_end(&f);
	const enum rollout_state end = f.m.state;
	if (end == ROLLOUT_PROMOTED && chance(&f, .5))
		go_back(&f);
	if (f.went_back && f.m.state != ROLLOUT_FAILED && f.weight_bp != 0)
		broken(&f, "after a rollback the canary has nothing");
	totals->crashes += f.crashes;
	totals->reverts += f.reverts;
	/* A controller that comes back to a finished rollout only ends it again. */
	f.todo_count = 0;
	die_and_come_back(&f);
	assert_int_equal(f.todo_count, 1);
	assert_int_equal(f.todo[0].kind, ACTION_FINISH);
	json_decref(f.state);
	return end;
}

static void promises_hold_among_faults(void **state)
{
	static const struct {
		const char *choice, *first, *last;
	} plans[] = { { "extend", "5%", "100%" }, { "hold", "0%", "100%" }, { "abort", "5%", "95%" } };
	const char *text = getenv("WEIR_SIM_ROLLOUTS");
	const int runs = text && atoi(text) > 0 && atoi(text) < RUNS ? atoi(text) : RUNS;
	int ends[ROLLOUT_STATE_COUNT] = { 0 };
	struct totals totals = { 0 };
	for (size_t p = 0; p < ARRAY_LEN(plans); p++) {
		char json[2048];
		snprintf(json, sizeof(json), plan_text, plans[p].choice, plans[p].first, plans[p].last);
		struct plan *plan = world_plan(json);
		for (int i = 0; i < runs / 3; i++)
			ends[run(plan, 1000000 * (p + 1) + (uint64_t)i, &totals)]++;
		plan_destroy(plan);
	}
	print_message("# %d promoted (%d of them went back), %d rolled back, %d failed; the controller died %d times\n",
	              ends[ROLLOUT_PROMOTED], totals.reverts, ends[ROLLOUT_ROLLED_BACK], ends[ROLLOUT_FAILED],
	              totals.crashes);
	if (runs == RUNS)
		assert_true(ends[ROLLOUT_PROMOTED] > 50 && ends[ROLLOUT_ROLLED_BACK] > 50 && ends[ROLLOUT_FAILED] > 5 &&
		            totals.reverts > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(promises_hold_among_faults) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
