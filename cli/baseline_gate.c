#include "cli/baseline_gate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reports/compare.h"
#include "reports/style.h"
#include "scenarios/target.h"

#define OLDEST (24 * HOUR)
#define RUNS_LOOKED_AT 1000

/* The answer; <reason> of one that does not let the canary pass. */
struct answer {
	enum rollout_reason reason;
	char text[MACHINE_TEXT_BYTES];
};

static bool is_against_canary(const struct run_record *run, const struct plan *plan)
{
	const char *url = json_string_value(json_object_get(run->manifest, "target")), *why;
	const struct plan_arm *canary = &plan->arms[ARM_CANARY];
	struct arena arena;
	struct target target;
	size_t at;
	bool is = false;
	arena_init(&arena);
	if (url && target_parse(str_from(url), &arena, &target, &at, &why))
		for (size_t i = 0; i < canary->server_count; i++)
			is = is || (target.port == canary->servers[i].port &&
			            strcmp(target.host, canary->servers[i].host) == 0);
	arena_finish(&arena);
	return is;
}

/* The newest run against the canary that may be compared with <base>. 1 found, 0 none, -1 the store failed. */
static int find_run(struct store *store, const struct plan *plan, const struct run_record *base, struct run_record *ret,
                    struct err *err)
{
	struct run_list list;
	int found = 0;
	const int64_t oldest = wall_now().ns - OLDEST;
	if (store_run_list(store, RUNS_LOOKED_AT, &list, err) < 0)
		return -1;
	for (size_t i = 0; i < list.count && found == 0; i++) {
		const struct run_row *row = &list.rows[i];
		if (row->started_at.ns < oldest)
			break;
		if (strcmp(row->name, base->name) != 0 || strcmp(row->id, base->id) == 0)
			continue;
		if (store_run_get(store, row->id, ret, err) < 0)
			found = -1;
		else if (is_against_canary(ret, plan))
			found = 1;
		else
			run_record_finish(ret);
	}
	run_list_finish(&list);
	return found;
}

static bool is_of(const struct compare_row *row, const struct run_comparison *c)
{
	return row->verdict == (c->regression ? COMPARE_REGRESSION : COMPARE_UNCLEAR);
}

static void say_row(const struct run_comparison *c, const char *id, struct answer *a)
{
	const struct compare_row *worst = NULL;
	char base[NUMBER_TEXT_BYTES], now[NUMBER_TEXT_BYTES];
	for (size_t i = 0; i < c->row_count; i++) {
		const struct compare_row *row = &c->rows[i];
		if (is_of(row, c) && (!worst || row->ratio > worst->ratio))
			worst = row;
	}
	const char *what = c->regression ? "worse than" : "not proven to keep";
	if (!worst) {
		snprintf(a->text, sizeof(a->text), "run %s of the canary is %s the baseline", id, what);
		return;
	}
	const bool share = worst->figure == COMPARE_ERROR_RATE;
	snprintf(a->text, sizeof(a->text), "run %s of the canary is %s the baseline: %s of %s%s%s is %s, it was %s", id,
	         what, compare_figure_text(worst->figure), worst->flow ? worst->flow : "all requests",
	         worst->step ? " / " : "", worst->step ? worst->step : "",
	         share ? text_share(worst->now, now)
	               : text_duration(isfinite(worst->now) ? (dur_ns)worst->now : 0, now),
	         share ? text_share(worst->base, base)
	               : text_duration(isfinite(worst->base) ? (dur_ns)worst->base : 0, base));
}

static void compare(const struct plan *plan, const struct run_record *base, const struct run_record *now,
                    struct answer *a)
{
	struct compare_limits limits = COMPARE_LIMITS_DEFAULT;
	struct run_comparison c;
	limits.ratio = plan->compare.latency_ratio;
	limits.error_floor = fmax(limits.error_floor, plan->compare.errors_slack);
	run_comparison_make(base, now, &limits, &c);
	if (c.regression || (c.inconclusive && !c.refused)) {
		a->reason = c.regression ? REASON_BASELINE : REASON_GATE;
		say_row(&c, now->id, a);
	} else if (c.refused) {
		a->reason = REASON_GATE;
		snprintf(a->text, sizeof(a->text), "run %s cannot be compared with the baseline '%s': %s", now->id,
		         plan->baseline, c.refused);
	} else {
		a->reason = REASON_NONE;
		snprintf(a->text, sizeof(a->text), "run %s of the canary keeps the baseline '%s'", now->id,
		         plan->baseline);
	}
	run_comparison_finish(&c);
}

static int judge(struct store *store, const struct plan *plan, struct answer *a, struct err *err)
{
	struct run_record base, now;
	if (store_baseline_get(store, plan->baseline, &base, err) < 0)
		return -1;
	const int found = find_run(store, plan, &base, &now, err);
	if (found > 0) {
		compare(plan, &base, &now, a);
		run_record_finish(&now);
	} else if (found == 0) {
		a->reason = REASON_GATE;
		snprintf(
			a->text, sizeof(a->text),
			"the canary was not load-tested: no run of '%s' against %s in the last 24 hours to compare with the "
			"baseline",
			base.name, plan->arms[ARM_CANARY].servers[0].text);
	}
	run_record_finish(&base);
	return found < 0 ? -1 : 0;
}

void baseline_gate_ask(struct store *store, const struct plan *plan, struct controller *c)
{
	struct answer a = { .reason = REASON_GATE };
	struct err err;
	if (!plan->baseline || !controller_before_start(c))
		return;
	if (judge(store, plan, &a, &err) < 0)
		snprintf(a.text, sizeof(a.text), "%.300s", err.text);
	controller_gate(c, a.reason, a.text);
}
