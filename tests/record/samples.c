#include "tests/record/samples.h"

#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/rng.h"

static const struct wall start = { INT64_C(1760000000123) * MILLISECOND };

static void fill(struct hist *h, struct rng *rng, int count)
{
	for (int i = 0; i < count; i++)
		hist_record(h, (int64_t)(1e6 * exp(rng_normal(rng))));
}

static void sample_flows(struct run_record *r, struct rng *rng)
{
	run_record_make_flows(r, 2);
	for (size_t i = 0; i < r->flow_count; i++) {
		struct flow_record *f = &r->flows[i];
		f->name = xstrdup(i ? "messages" : "auth");
		f->iterations = 100 + i;
		f->failed = i;
		fill(&f->response, rng, 200);
		fill(&f->iteration, rng, 100);
		flow_record_make_steps(f, 1 + i);
		for (size_t k = 0; k < f->step_count; k++) {
			f->steps[k].name = xasprintf("step %zu", k);
			f->steps[k].requests = 200;
			f->steps[k].failed = k;
			fill(&f->steps[k].response, rng, 200);
			if (k == 0) /* one histogram stays empty */
				fill(&f->steps[k].service, rng, 200);
		}
	}
}

static void sample_rows(struct run_record *r)
{
	r->checks = xcalloc(1, sizeof(*r->checks));
	r->check_count = 1;
	r->checks[0] = (struct check_record){ xstrdup("auth"), xstrdup("step 0"), xstrdup("status 200"), 199, 1 };
	r->thresholds = xcalloc(3, sizeof(*r->thresholds));
	r->threshold_count = 3;
	r->thresholds[0] = (struct threshold_record){ xstrdup("p95(response_time) < 500ms"), true, 1234567, true,
		                                      false };
	r->thresholds[1] = (struct threshold_record){ xstrdup("error_rate < 1%"), true, 0.0025, false, false };
	r->thresholds[2] = (struct threshold_record){ xstrdup("p99(response_time, flow=x) < 1s"), false, 0, false,
		                                      true };
	r->seconds = xcalloc(2, sizeof(*r->seconds));
	r->second_count = 2;
	for (int i = 0; i < 2; i++)
		r->seconds[i] = (struct second_record){ .second = i - 1,
			                                .phase = i ? PHASE_RAMP : PHASE_WARMUP,
			                                .turn_max = 40 * MICROSECOND,
			                                .steal = i ? NAN : 0.01,
			                                .descriptors = 12,
			                                .ports = 345,
			                                .offered = 50.5,
			                                .started = 50,
			                                .completed = 49,
			                                .failed = 1,
			                                .dropped = 2,
			                                .users = 10,
			                                .in_flight = 3,
			                                .response_p50 = 1000001,
			                                .response_p95 = 2000000,
			                                .response_p99 = 3000003,
			                                .service_p50 = 900000,
			                                .service_p99 = 2900001,
			                                .lag_p99 = 12345,
			                                .cpu = 0.25 };
	run_record_make_resources(r, 2);
	r->resources[0].name = xstrdup("app cpu");
	r->resources[0].unit = xstrdup("cores");
	r->resources[0].limit = 2;
	r->resources[0].values[1] = 0.1; /* the first is missing */
	r->resources[1].name = xstrdup("queue");
	r->resources[1].unit = xstrdup("");
	r->resources[1].why_missing = xstrdup("http://127.0.0.1:1/: connect");
	r->sample_count = 1;
	r->samples[0] = (struct error_sample){ RUN_ERROR_TIMEOUT, xstrdup("auth"), xstrdup("step 0"),
		                               xstrdup("10 s \"x\""), 3 };
	r->manifest = json_pack("{s:s, s:i, s:f}", "version", "0.1.0", "seed", 42, "load", 0.1);
}

void sample_run(struct run_record *ret, const char *id, const char *name, enum run_validity validity, uint64_t seed)
{
	struct rng rng;
	rng_init(&rng, seed, 0);
	run_record_init(ret);
	snprintf(ret->id, sizeof(ret->id), "%s", id);
	ret->name = xstrdup(name);
	ret->started_at = (struct wall){ start.ns + (int64_t)seed * SECOND };
	ret->duration = 60 * SECOND;
	ret->verdict = validity == RUN_NOT_VALID ? RUN_INVALID : RUN_NOT_MET;
	ret->validity = validity;
	if (validity != RUN_VALID)
		ret->reasons[ret->reason_count++] = xstrdup("a worker used 93 % of its core");
	ret->offered_rate = 1000.0 / 3;
	ret->achieved_rate = 333.25;
	ret->arrivals = 1000;
	ret->started = 999;
	ret->completed = 990;
	ret->dropped = 1;
	ret->censored = 9;
	ret->users_max = 77;
	ret->requests = 1990;
	ret->failed = 6;
	ret->errors[RUN_ERROR_TIMEOUT] = 4;
	ret->errors[RUN_ERROR_CHECK] = 2;
	ret->by_replay = 1900;
	ret->by_curl = 90;
	ret->bytes_sent = 1 << 20;
	ret->bytes_received = UINT64_C(5) << 33;
	ret->connections = 77;
	ret->retries = 5;
	ret->redirects = 9;
	fill(&ret->lag, &rng, 1000);
	fill(&ret->response, &rng, 1990);
	fill(&ret->service, &rng, 1990);
	hist_record(&ret->response, 2 * HOUR); /* clamped */
	ret->warmup.requests = 300;
	ret->warmup.failed = 3;
	fill(&ret->warmup.response, &rng, 300);
	fill(&ret->warmup.service, &rng, 300);
	fill(&ret->set_up[SET_UP_CONNECT], &rng, 77);
	fill(&ret->set_up[SET_UP_TLS], &rng, 70); /* the DNS stays empty: it is an address */
	sample_flows(ret, &rng);
	sample_rows(ret);
}

void sample_search(struct search_record *ret, const char *id, const char *name)
{
	search_record_init(ret);
	snprintf(ret->id, sizeof(ret->id), "%s", id);
	ret->name = xstrdup(name);
	ret->target = xstrdup("http://127.0.0.1:8080");
	ret->slo = xstrdup("p95(response_time) < 500ms");
	ret->slo_quantile = 0.95;
	ret->slo_limit = 500 * MILLISECOND;
	ret->started_at = start;
	ret->duration = 300 * SECOND;
	ret->verified = 812.5;
	ret->verified_for = 120 * SECOND;
	ret->highest_pass = 812.5;
	ret->lowest_fail = 900;
	ret->answer = xstrdup("verified");
	ret->stopped_because = xstrdup("the bracket is within 10 %");
	ret->manifest = json_pack("{s:i}", "seed", 7);
	for (int i = 0; i < 3; i++) {
		struct trial_record *t = search_record_add_trial(ret);
		*t = (struct trial_record){ .phase = (enum trial_phase)i,
			                    .rate = 100.1 * (i + 1),
			                    .held = 10 * SECOND,
			                    .requests = 1000,
			                    .exceeded = 12,
			                    .share = 0.012,
			                    .share_high = 0.02,
			                    .quantile = 123456789,
			                    .error_rate = 0.001,
			                    .verdict = (enum trial_verdict)i,
			                    .why = i ? xstrdup("too slow") : NULL };
	}
	ret->resources = sampled_series_make(1, 2);
	ret->resource_count = 1;
	ret->resources[0].name = xstrdup("app cpu");
	ret->resources[0].unit = xstrdup("cores");
	ret->resources[0].values[1] = 0.5; /* the first is missing */
	ret->completed = xcalloc(2, sizeof(*ret->completed));
	ret->completed[0] = 100;
	ret->completed[1] = 101.5;
	ret->second_count = 2;
}

struct tick_record sample_tick(int64_t number)
{
	struct tick_record t = { .tick = number,
		                 .at = { start.ns + number * SECOND },
		                 .weight_bp = 500,
		                 .harm_errors = -0.1,
		                 .harm_latency = 1.0 / 3,
		                 .promote_errors = 2.5,
		                 .promote_latency = 1e-9 };
	for (int a = 0; a < ARMS; a++)
		t.arms[a] = (struct arm_tick){ .requests = 190 + (uint64_t)a,
			                       .errors = 2,
			                       .client_aborts = 1,
			                       .p50 = 1000001,
			                       .p95 = 2000002,
			                       .p99 = 3000003 };
	return t;
}

void sample_rollout(struct rollout_record *ret, const char *id, const char *service, enum rollout_state state)
{
	rollout_record_init(ret);
	snprintf(ret->id, sizeof(ret->id), "%s", id);
	ret->service = xstrdup(service);
	ret->environment = xstrdup("production");
	ret->actor = xstrdup("ana");
	ret->arms[ARM_STABLE].version = xstrdup("1.4.1");
	ret->arms[ARM_CANARY].version = xstrdup("1.4.2");
	ret->arms[ARM_CANARY].commit = xstrdup("77ab");
	ret->state = state;
	ret->reason = REASON_LATENCY;
	ret->why = xstrdup("p95 is 2.3 times that of stable");
	ret->started_at = start;
	ret->to_decision = 3 * SECOND;
	ret->to_zero = 42 * MILLISECOND;
	ret->exposed_requests = 3.25;
	ret->decision = (struct decision_record){ .metric = xstrdup("latency p95"),
		                                  .values = { 0.1, 0.23 },
		                                  .ratio = 2.3,
		                                  .ratio_low = 1.9,
		                                  .ratio_high = NAN,
		                                  .evidence = 5.1,
		                                  .needed = 4.6,
		                                  .requests = { 1900, 100 },
		                                  .phi = 3.1 };
	ret->stages = xcalloc(2, sizeof(*ret->stages));
	ret->stage_count = 2;
	for (int i = 0; i < 2; i++)
		ret->stages[i] = (struct stage_record){ .weight_bp = 500 * (i + 1),
			                                .entered = { start.ns + i * MINUTE },
			                                .requests = { 1900, 100 },
			                                .errors = { 1, 2 },
			                                .p50 = { 1001, 1002 },
			                                .p95 = { 2001, 2002 },
			                                .p99 = { 3001, 3002 },
			                                .verdict = xstrdup(i ? "rolled back" : "passed") };
}
