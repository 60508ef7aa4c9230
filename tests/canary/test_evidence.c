#include "canary/evidence.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/must.h"
#include "canary/source.h"

/* Counts are given, not drawn: the same tick again and again. */
struct arm_rate {
	uint64_t requests, errors;
	double latency; /* factor on the spread below */
};

/* A spread of latencies without chance: request i of n has about the quantile i/n around 50 ms, another part of it each time. */
static void fill(struct arm_sample *s, const struct arm_rate *r, int64_t tick)
{
	const double phase = fmod(0.5 + 0.6180339887 * (double)tick, 1);
	*s = (struct arm_sample){ .requests = r->requests, .errors = r->errors };
	for (uint64_t i = 0; i < r->requests; i++) {
		const double q = ((double)i + 0.02 + 0.96 * phase) / (double)r->requests;
		const double logit = log(q / (1 - q)) / 1.7;
		logbins_record(&s->bins, (int64_t)(50e6 * exp(0.5 * logit) * (r->latency > 0 ? r->latency : 1)));
	}
}

struct rig {
	struct evidence_config config;
	struct evidence *e;
	struct assessment a;
	int64_t tick;
	int32_t weight_bp, stage;
	bool last;
};

static void rig_start_slo(struct rig *r, double slo_quantile, dur_ns slo_limit)
{
	*r = (struct rig){ .stage = -1 };
	r->config = (struct evidence_config){
		.compare = { .errors_ratio = 1.5,
		             .errors_slack = 0.001,
		             .latency_ratio = 1.5,
		             .latency_margin = 0.1,
		             .slo_quantile = slo_quantile,
		             .slo_limit = slo_limit,
		             .alpha = 0.01 },
		.planned_ticks = 3600,
		.warmup_ticks = 5,
		.freeze_requests = 500,
		.stage_requests = 50,
		.phi = 1,
	};
	r->e = evidence_create(&r->config);
}

static void rig_start(struct rig *r)
{
	rig_start_slo(r, 0, 0);
}

static void rig_end(struct rig *r)
{
	evidence_destroy(r->e);
}

static void apply(struct rig *r, struct arm_rate canary, struct arm_rate stable)
{
	static struct source_sample s;
	s = (struct source_sample){ .lines = canary.requests + stable.requests };
	fill(&s.arms[ARM_CANARY], &canary, r->tick);
	fill(&s.arms[ARM_STABLE], &stable, r->tick);
	evidence_apply(r->e,
	               &(struct evidence_tick){ .tick = r->tick++,
	                                        .weight_bp = r->weight_bp,
	                                        .stage = r->stage,
	                                        .last = r->last,
	                                        .sample = &s },
	               &r->a);
}

static void nothing(struct rig *r)
{
	evidence_apply(r->e, &(struct evidence_tick){ .tick = r->tick++, .weight_bp = r->weight_bp, .stage = r->stage },
	               &r->a);
}

/* Freezes on 200 stable requests/s with 1 % errors, shifts to 10 %, passes the warm-up. */
static void into_stage(struct rig *r)
{
	for (int i = 0; i < 3; i++)
		apply(r, (struct arm_rate){ 0 }, (struct arm_rate){ 200, 2, 1 });
	assert_true(r->a.ready);
	r->weight_bp = 1000;
	r->stage = 0;
	for (int i = 0; i < 5; i++) {
		apply(r, (struct arm_rate){ 20, 0, 1 }, (struct arm_rate){ 180, 2, 1 });
		assert_true(r->a.warming);
	}
}

static int ticks_until(struct rig *r, enum verdict v, struct arm_rate canary, struct arm_rate stable, int most)
{
	for (int i = 1; i <= most; i++) {
		apply(r, canary, stable);
		if (r->a.verdict == v)
			return i;
	}
	return -1;
}

static void thresholds_freeze_before_the_shift(void **state)
{
	struct rig r;
	rig_start(&r);
	apply(&r, (struct arm_rate){ 0 }, (struct arm_rate){ 200, 2, 1 });
	assert_false(r.a.ready);
	assert_int_equal(r.a.verdict, VERDICT_INCONCLUSIVE);
	assert_int_equal(r.a.lack, LACK_FREEZING);
	apply(&r, (struct arm_rate){ 0 }, (struct arm_rate){ 200, 2, 1 });
	assert_false(r.a.ready);
	apply(&r, (struct arm_rate){ 0 }, (struct arm_rate){ 100, 1, 1 });
	assert_true(r.a.ready);
	assert_int_equal(r.a.verdict, VERDICT_WATCHING);
	rig_end(&r);

	rig_start(&r); /* little traffic: 30 s and 200 requests */
	for (int i = 0; i < 30; i++) {
		apply(&r, (struct arm_rate){ 0 }, (struct arm_rate){ 8, 0, 1 });
		assert_false(r.a.ready);
	}
	apply(&r, (struct arm_rate){ 0 }, (struct arm_rate){ 8, 0, 1 });
	assert_true(r.a.ready);
	rig_end(&r);
}

static void good_canary_is_proven_good(void **state)
{
	struct rig r;
	rig_start(&r);
	into_stage(&r);
	/* 1 error in 100 on both arms. */
	int first = -1;
	for (int i = 0; i < 600 && first < 0; i++) {
		apply(&r, (struct arm_rate){ 20, i % 5 == 0, 1 }, (struct arm_rate){ 180, i % 5 ? 2 : 1, 1 });
		assert_true(r.a.verdict == VERDICT_WATCHING || r.a.verdict == VERDICT_PROMOTE);
		if (r.a.verdict == VERDICT_PROMOTE)
			first = i;
	}
	assert_true(first > 20 && first < 500);
	assert_true(r.a.promote_progress == 1);
	assert_true(r.a.promote_errors >= log(20) && r.a.promote_latency >= log(20));
	/* The last stage needs more, and the evidence carries over. */
	r.last = true;
	apply(&r, (struct arm_rate){ 20, 0, 1 }, (struct arm_rate){ 180, 2, 1 });
	assert_int_equal(r.a.verdict, VERDICT_WATCHING);
	assert_true(r.a.promote_needed > 4.6 && r.a.promote_progress > 0.6);
	assert_true(r.a.health > 0.5);
	assert_true(fabs(r.a.error_ratio - 1) < 0.2);
	assert_true(r.a.error_ratio_low < 1 && r.a.error_ratio_high > 1);
	rig_end(&r);
}

static void a_stage_needs_requests_of_its_own(void **state)
{
	struct rig r;
	rig_start(&r);
	into_stage(&r);
	assert_true(ticks_until(&r, VERDICT_PROMOTE, (struct arm_rate){ 20, 0, 1 }, (struct arm_rate){ 180, 2, 1 },
	                        600) > 0);
	r.stage = 1;
	apply(&r, (struct arm_rate){ 20, 0, 1 }, (struct arm_rate){ 180, 2, 1 });
	assert_int_equal(r.a.verdict, VERDICT_WATCHING);
	assert_int_equal(r.a.stage_requests[ARM_CANARY], 20);
	apply(&r, (struct arm_rate){ 20, 0, 1 }, (struct arm_rate){ 180, 2, 1 });
	apply(&r, (struct arm_rate){ 20, 0, 1 }, (struct arm_rate){ 180, 2, 1 });
	assert_int_equal(r.a.verdict, VERDICT_PROMOTE);
	rig_end(&r);
}

static void bad_canary_is_proven_bad(void **state)
{
	static const struct {
		struct arm_rate canary;
		int most;
		enum rollout_reason reason;
		const char *metric;
	} cases[] = {
		{ { 20, 10, 1 }, 2, REASON_ERRORS, "error rate" }, { { 20, 2, 1 }, 15, REASON_ERRORS, "error rate" },
		{ { 20, 0, 10 }, 1, REASON_LATENCY, "latency" },   { { 20, 0, 2 }, 3, REASON_LATENCY, "latency" },
		{ { 20, 0, 1.6 }, 6, REASON_LATENCY, "latency" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rig r;
		rig_start(&r);
		into_stage(&r);
		const int after = ticks_until(&r, VERDICT_ABORT, cases[i].canary, (struct arm_rate){ 180, 2, 1 }, 100);
		assert_true(after > 0 && after <= cases[i].most);
		assert_int_equal(r.a.reason, cases[i].reason);
		assert_int_equal(strncmp(r.a.metric, cases[i].metric, strlen(cases[i].metric)), 0);
		assert_true(r.a.evidence >= log(100) && r.a.needed == -log(0.01));
		assert_true(r.a.ratio > 1.4);
		assert_true(r.a.values[ARM_CANARY] > r.a.values[ARM_STABLE]);
		assert_non_null(strstr(r.a.sentence, "not chance"));
		rig_end(&r);
	}
}

static void gross_failure_does_not_wait_for_the_warm_up(void **state)
{
	struct rig r;
	rig_start(&r);
	for (int i = 0; i < 3; i++)
		apply(&r, (struct arm_rate){ 0 }, (struct arm_rate){ 200, 2, 1 });
	r.weight_bp = 1000;
	r.stage = 0;
	const int after = ticks_until(&r, VERDICT_ABORT, (struct arm_rate){ 20, 10, 1 }, (struct arm_rate){ 180, 2, 1 },
	                              5);
	assert_true(after > 0 && after <= 3);
	rig_end(&r);

	rig_start(&r); /* a cold cache is no regression */
	for (int i = 0; i < 3; i++)
		apply(&r, (struct arm_rate){ 0 }, (struct arm_rate){ 200, 2, 1 });
	r.weight_bp = 1000;
	r.stage = 0;
	for (int i = 0; i < 5; i++) {
		apply(&r, (struct arm_rate){ 20, 1, 5 }, (struct arm_rate){ 180, 2, 1 });
		assert_int_equal(r.a.verdict, VERDICT_WATCHING);
	}
	apply(&r, (struct arm_rate){ 20, 0, 1 }, (struct arm_rate){ 180, 2, 1 });
	assert_false(r.a.warming);
	assert_int_equal(r.a.requests[ARM_CANARY], 20);
	rig_end(&r);
}

static void less_than_the_limit_is_held(void **state)
{
	struct rig r;
	rig_start(&r);
	into_stage(&r);
	assert_true(ticks_until(&r, VERDICT_HOLD, (struct arm_rate){ 20, 0, 1.3 }, (struct arm_rate){ 180, 2, 1 },
	                        100) > 0);
	assert_int_equal(r.a.reason, REASON_LATENCY);
	assert_true(r.a.ratio > 1.1 && r.a.ratio < 1.5);
	assert_non_null(strstr(r.a.sentence, "a person decides"));
	/* It goes on to be looked at: worse yet is abort. */
	assert_true(ticks_until(&r, VERDICT_ABORT, (struct arm_rate){ 20, 0, 6 }, (struct arm_rate){ 180, 2, 1 }, 60) >
	            0);
	rig_end(&r);
}

static void late_regression_is_not_diluted(void **state)
{
	struct rig r;
	rig_start(&r);
	into_stage(&r);
	for (int i = 0; i < 1000; i++)
		apply(&r, (struct arm_rate){ 20, i % 5 == 0, 1 }, (struct arm_rate){ 180, 2, 1 });
	const int after = ticks_until(&r, VERDICT_ABORT, (struct arm_rate){ 20, 2, 1 }, (struct arm_rate){ 180, 2, 1 },
	                              100);
	assert_true(after > 0 && after < 25);
	assert_true(r.a.ratio > 4); /* since it began; over the whole rollout it is 1.2 */
	assert_true(r.a.error_ratio < 1.5);
	rig_end(&r);
}

static void shared_failure_is_nobodys_fault(void **state)
{
	struct rig r;
	rig_start(&r);
	into_stage(&r);
	for (int i = 0; i < 300; i++) {
		apply(&r, (struct arm_rate){ 20, 10, 3 }, (struct arm_rate){ 180, 90, 3 });
		assert_true(r.a.verdict == VERDICT_WATCHING || r.a.verdict == VERDICT_INCONCLUSIVE);
		if (i > 5 && i < 60)
			assert_int_equal(r.a.lack, LACK_SHARED);
	}
	rig_end(&r);
}

static void missing_data_is_never_success(void **state)
{
	struct rig r;
	rig_start(&r);
	into_stage(&r);
	assert_true(ticks_until(&r, VERDICT_PROMOTE, (struct arm_rate){ 20, 0, 1 }, (struct arm_rate){ 180, 2, 1 },
	                        600) > 0);
	for (int i = 0; i < 5; i++)
		nothing(&r);
	assert_int_equal(r.a.verdict, VERDICT_INCONCLUSIVE);
	assert_int_equal(r.a.lack, LACK_STALE);
	for (int i = 0; i < 10; i++)
		apply(&r, (struct arm_rate){ 0 }, (struct arm_rate){ 0 });
	assert_int_equal(r.a.lack, LACK_NO_TRAFFIC);
	for (int i = 0; i < 5; i++)
		apply(&r, (struct arm_rate){ 0 }, (struct arm_rate){ 180, 2, 1 });
	assert_int_equal(r.a.lack, LACK_NO_CANARY);
	for (int i = 0; i < 5; i++)
		apply(&r, (struct arm_rate){ 20, 0, 1 }, (struct arm_rate){ 0 });
	assert_int_equal(r.a.lack, LACK_NO_STABLE);
	apply(&r, (struct arm_rate){ 20, 0, 1 }, (struct arm_rate){ 180, 2, 1 });
	assert_int_equal(r.a.verdict, VERDICT_PROMOTE);
	rig_end(&r);
}

static void wrong_share_is_told(void **state)
{
	struct rig r;
	rig_start(&r);
	into_stage(&r);
	assert_int_equal(r.a.lack, LACK_NONE);
	/* Asked 10 %, given 50 %. */
	for (int i = 0; i < 10; i++)
		apply(&r, (struct arm_rate){ 100, 1, 1 }, (struct arm_rate){ 100, 1, 1 });
	assert_int_equal(r.a.verdict, VERDICT_INCONCLUSIVE);
	assert_int_equal(r.a.lack, LACK_SHARE);
	assert_non_null(strstr(r.a.sentence, "asked for 10%"));
	/* A new weight is a new question. */
	r.weight_bp = 5000;
	for (int i = 0; i < 10; i++)
		apply(&r, (struct arm_rate){ 100, 1, 1 }, (struct arm_rate){ 100, 1, 1 });
	assert_int_equal(r.a.lack, LACK_NONE);
	rig_end(&r);
}

static void lost_measurements_are_told(void **state)
{
	struct rig r;
	static struct source_sample s;
	rig_start(&r);
	into_stage(&r);
	const struct arm_rate canary = { 20, 0, 1 }, stable = { 180, 2, 1 };
	s = (struct source_sample){ .lines = 200 };
	fill(&s.arms[ARM_CANARY], &canary, r.tick);
	fill(&s.arms[ARM_STABLE], &stable, r.tick);
	for (int i = 0; i < 3; i++)
		evidence_apply(
			r.e,
			&(struct evidence_tick){ .tick = r.tick++, .weight_bp = 1000, .missing = 20, .sample = &s },
			&r.a);
	assert_int_equal(r.a.lack, LACK_LOST);
	rig_end(&r);
}

static void absolute_limit_of_the_canary(void **state)
{
	struct rig r;
	/* p50 is 50 ms: 5 % may be slower than 400 ms. Both arms slow down slowly: nothing to compare, but the limit is absolute. */
	rig_start_slo(&r, .95, 400 * MILLISECOND);
	into_stage(&r);
	assert_true(isfinite(r.a.promote_slo));
	for (int i = 0; i < 100; i++)
		apply(&r, (struct arm_rate){ 20, 0, 1 }, (struct arm_rate){ 180, 2, 1 });
	assert_true(r.a.promote_slo > log(20) && r.a.harm_slo < 0);
	int after = -1;
	for (int i = 0; i < 100 && after < 0; i++) {
		apply(&r, (struct arm_rate){ 20, 3, 1 }, (struct arm_rate){ 180, 27, 1 });
		after = r.a.verdict == VERDICT_ABORT ? i : -1;
	}
	assert_int_equal(after, -1); /* stable fails as well: shared */
	assert_int_equal(r.a.reason, REASON_NONE);
	rig_end(&r);

	rig_start_slo(&r, .95, 400 * MILLISECOND);
	into_stage(&r);
	r.weight_bp = 10000; /* nothing to compare with */
	after = -1;
	for (int i = 0; i < 100 && after < 0; i++) {
		apply(&r, (struct arm_rate){ 200, 0, 6 }, (struct arm_rate){ 0 });
		after = r.a.verdict == VERDICT_ABORT ? i : -1;
	}
	assert_true(after >= 0 && after < 10);
	assert_int_equal(r.a.reason, REASON_SLO);
	rig_end(&r);
}

static void all_traffic_is_compared_with_before(void **state)
{
	struct rig r;
	rig_start(&r);
	into_stage(&r);
	r.weight_bp = 10000;
	for (int i = 0; i < 60; i++) {
		apply(&r, (struct arm_rate){ 200, 2, 1 }, (struct arm_rate){ 0 });
		assert_int_equal(r.a.verdict, VERDICT_WATCHING);
	}
	assert_true(ticks_until(&r, VERDICT_HOLD, (struct arm_rate){ 200, 40, 1 }, (struct arm_rate){ 0 }, 20) > 0);
	assert_int_equal(r.a.reason, REASON_ERRORS);
	rig_end(&r);
}

static void a_tick_counts_once(void **state)
{
	struct rig r;
	rig_start(&r);
	into_stage(&r);
	apply(&r, (struct arm_rate){ 20, 1, 1 }, (struct arm_rate){ 180, 2, 1 });
	const struct assessment once = r.a;
	r.tick--;
	apply(&r, (struct arm_rate){ 20, 20, 1 }, (struct arm_rate){ 180, 2, 1 });
	assert_int_equal(r.a.repeated, 1);
	assert_true(r.a.harm_errors == once.harm_errors && r.a.tick == once.tick);
	evidence_assess(r.e, &r.a);
	assert_int_equal(r.a.repeated, 1);
	rig_end(&r);
}

/* Through text, as the store does it. */
static struct evidence *reborn(const struct rig *r)
{
	struct err err = { 0 };
	json_t *j = evidence_export(r->e);
	char *text = json_dumps(j, 0);
	json_t *again = json_loads(text, 0, NULL);
	struct evidence *e = evidence_import(&r->config, again, &err);
	if (!e)
		print_message("%s\n", err.text);
	assert_non_null(e);
	json_decref(again);
	json_decref(j);
	free(text);
	return e;
}

/* A restarted controller comes to the same decision in the same tick as one that lived on. */
static void evidence_survives(void **state)
{
	static const int32_t weights[] = { 0, 1000, 10000 };
	for (size_t w = 0; w < ARRAY_LEN(weights); w++) {
		struct rig r, copy;
		rig_start_slo(&r, .95, 400 * MILLISECOND);
		apply(&r, (struct arm_rate){ 0 }, (struct arm_rate){ 100, 1, 1 });
		if (weights[w] > 0) {
			into_stage(&r);
			for (int i = 0; i < 40; i++)
				apply(&r, (struct arm_rate){ 20, i % 3 == 0, 1 }, (struct arm_rate){ 180, 2, 1 });
			r.weight_bp = weights[w];
			for (int i = 0; i < 5; i++)
				apply(&r, (struct arm_rate){ 20, 1, 1 },
				      (struct arm_rate){ weights[w] < 10000 ? 180 : 0, 0, 1 });
		}
		copy = r;
		copy.e = reborn(&r);
		evidence_assess(copy.e, &copy.a);
		assert_true(fabs(copy.a.harm_errors - r.a.harm_errors) < 1e-9);
		for (int i = 0; i < 30; i++) {
			const struct arm_rate stable = { weights[w] < 10000 ? 180 : 0, 0, 1 };
			apply(&r, (struct arm_rate){ weights[w] > 0 ? 20 : 0, weights[w] > 0, 1 }, stable);
			apply(&copy, (struct arm_rate){ weights[w] > 0 ? 20 : 0, weights[w] > 0, 1 }, stable);
			assert_true(fabs(copy.a.harm_errors - r.a.harm_errors) < 1e-9);
			assert_true(fabs(copy.a.harm_latency - r.a.harm_latency) < 1e-9);
			assert_true(fabs(copy.a.harm_slo - r.a.harm_slo) < 1e-9);
			assert_true(fabs(copy.a.promote_errors - r.a.promote_errors) < 1e-9);
			assert_true(fabs(copy.a.promote_latency - r.a.promote_latency) < 1e-9);
			assert_int_equal(copy.a.verdict, r.a.verdict);
			assert_int_equal(copy.a.ready, r.a.ready);
			assert_int_equal(copy.a.stage_requests[ARM_CANARY], r.a.stage_requests[ARM_CANARY]);
		}
		rig_end(&copy);
		rig_end(&r);
	}
}

/* Stable's failures come ten in one second and none in the next: the same counts prove less than in an even flow. */
static void bunches_prove_less(void **state)
{
	struct rig r, blind, copy;
	rig_start(&r);
	rig_start(&blind);
	evidence_destroy(blind.e);
	blind.config.phi_fixed = true;
	blind.e = evidence_create(&blind.config);
	struct rig *const both[] = { &r, &blind };
	for (size_t k = 0; k < ARRAY_LEN(both); k++) {
		into_stage(both[k]);
		for (int i = 0; i < 60; i++)
			apply(both[k], (struct arm_rate){ 20, 0, 1 }, (struct arm_rate){ 180, i % 4 ? 0 : 10, 1 });
	}
	assert_true(r.a.phi_errors > 3 && r.a.phi_errors < 12);
	assert_true(r.a.phi_latency == 1 && blind.a.phi_errors == 1);
	const double before = r.a.harm_errors, before_blind = blind.a.harm_errors;
	for (size_t k = 0; k < ARRAY_LEN(both); k++)
		apply(both[k], (struct arm_rate){ 20, 8, 1 }, (struct arm_rate){ 180, 2, 1 });
	assert_true(r.a.harm_errors - before < 0.4 * (blind.a.harm_errors - before_blind));
	/* It is known after a restart, and unknown where an older version stored the evidence. */
	copy = r;
	copy.e = reborn(&r);
	evidence_assess(copy.e, &copy.a);
	assert_true(copy.a.phi_errors == r.a.phi_errors);
	rig_end(&copy);
	struct err err;
	json_t *old = evidence_export(r.e);
	assert_int_equal(json_object_del(old, "bunching"), 0);
	copy.e = evidence_import(&r.config, old, &err);
	assert_non_null(copy.e);
	evidence_assess(copy.e, &copy.a);
	assert_true(copy.a.phi_errors == 1 && fabs(copy.a.harm_errors - r.a.harm_errors) < 1e-9);
	json_decref(old);
	rig_end(&copy);
	rig_end(&blind);
	rig_end(&r);
}

static void damaged_evidence_is_refused(void **state)
{
	static const struct {
		const char *key, *value;
	} damages[] = {
		{ "$schema", "\"x\"" },       { "last_tick", "\"7\"" },
		{ "harm_errors", "[]" },      { "harm_latency_3", "[1,2,3]" },
		{ "bounds", "null" },         { "rate_errors", "[1,-2,0.5]" },
		{ "before", "[1]" },          { "before", "[100000, 1]" },
		{ "threshold_0", "-1" },      { "weight_bp", "20000" },
		{ "sums", "[null,1,2,3,4]" }, { "frozen", "2" },
		{ "latency_canary", "{}" },   { "stage_canary", "[1,2]" },
		{ "window_0", "[1]" },        { "bunching", "[1,2]" },
		{ "bunching", "null" },
	};
	struct rig r;
	struct err err;
	rig_start(&r);
	into_stage(&r);
	json_t *good = evidence_export(r.e);
	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		json_t *bad = json_deep_copy(good);
		json_object_set_new(bad, damages[i].key, json_loads(damages[i].value, JSON_DECODE_ANY, NULL));
		assert_null(evidence_import(&r.config, bad, &err));
		assert_int_equal(err.kind, ERR_SYNTAX);
		json_decref(bad);
	}
	r.config.compare.alpha = 0.05;
	assert_null(evidence_import(&r.config, good, &err));
	assert_int_equal(err.kind, ERR_USAGE);
	json_decref(good);
	rig_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thresholds_freeze_before_the_shift),
		cmocka_unit_test(good_canary_is_proven_good),
		cmocka_unit_test(a_stage_needs_requests_of_its_own),
		cmocka_unit_test(bad_canary_is_proven_bad),
		cmocka_unit_test(gross_failure_does_not_wait_for_the_warm_up),
		cmocka_unit_test(less_than_the_limit_is_held),
		cmocka_unit_test(late_regression_is_not_diluted),
		cmocka_unit_test(shared_failure_is_nobodys_fault),
		cmocka_unit_test(missing_data_is_never_success),
		cmocka_unit_test(wrong_share_is_told),
		cmocka_unit_test(lost_measurements_are_told),
		cmocka_unit_test(absolute_limit_of_the_canary),
		cmocka_unit_test(all_traffic_is_compared_with_before),
		cmocka_unit_test(a_tick_counts_once),
		cmocka_unit_test(evidence_survives),
		cmocka_unit_test(bunches_prove_less),
		cmocka_unit_test(damaged_evidence_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
