/* Whole rollouts in virtual time: how often a healthy canary is rolled back, and how soon a bad one is. The figures that this
 * prints stand in the documentation. WEIR_SIM_ROLLOUTS sets the number of rollouts of a kind (a sanitizer makes fewer):
 * 1000 also of those in bunches. WEIR_SIM_PHI1: bunches are not looked for, to compare with; the assertions do not hold then. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/must.h"
#include "tests/sim/world.h"

#define ROLLOUTS 1000
#define SLOW 100 /* under a sanitizer; a tenth of it of those in bunches */
#define BAD 200
#define BLIND 40
#define BUNCHED 100 /* of each kind with bunches, unless WEIR_SIM_ROLLOUTS asks for more: they take long */

static const char plan_text[] =
	"{\"$schema\":\"weir.rollout.v1\",\"service\":\"web\","
	"\"stable\":{\"version\":\"1\",\"servers\":[\"10.0.0.1:80\"]},"
	"\"canary\":{\"version\":\"2\",\"servers\":[\"10.0.0.2:80\"]},"
	"\"traffic\":{\"driver\":\"haproxy\",\"listen\":\":8000\"},"
	"\"stages\":[{\"weight\":\"5%\",\"min\":\"30s\",\"max\":\"10m\"},{\"weight\":\"25%\",\"min\":\"60s\",\"max\":\"10m\"},"
	"{\"weight\":\"50%\",\"min\":\"60s\",\"max\":\"10m\"},{\"weight\":\"100%\",\"min\":\"20s\",\"max\":\"10m\"}]}";

/* <slow>: under a sanitizer. */
static int rollouts(int usual, int slow, int most)
{
	const char *text = getenv("WEIR_SIM_ROLLOUTS");
	const char *sanitizer = getenv("WEIR_SANITIZER");
	int n = text ? atoi(text) : sanitizer && sanitizer[0] ? slow : usual;
	return n < 1 ? 1 : n > most ? most : n;
}

/* Upper end of the one-sided 95 % Clopper-Pearson interval: the share at which <k> or fewer of <n> have 5 % chance. */
static double upper_bound(int k, int n)
{
	double low = 0, high = 1;
	for (int step = 0; step < 60; step++) {
		const double p = (low + high) / 2;
		double term = pow(1 - p, n), sum = term;
		for (int i = 1; i <= k; i++) {
			term *= (double)(n - i + 1) / i * p / (1 - p);
			sum += term;
		}
		if (sum > 0.05)
			low = p;
		else
			high = p;
	}
	return high;
}

/* How many of <n> were rolled back; a line of the table. */
static int roll_out_healthy(const struct plan *plan, const struct kind *kind, uint64_t seeds, int n)
{
	int back = 0, held = 0, promoted = 0;
	double ticks = 0;
	for (int i = 0; i < n; i++) {
		struct outcome o;
		struct kind k = *kind;
		k.phi_fixed = k.phi_fixed || getenv("WEIR_SIM_PHI1");
		world_rollout(plan, &k, seeds + (uint64_t)i, 1500, &o);
		const bool rolled_back = o.state == ROLLOUT_ROLLED_BACK || o.state == ROLLOUT_ROLLING_BACK;
		back += rolled_back;
		promoted += o.state == ROLLOUT_PROMOTED;
		held += o.held;
		ticks += (double)o.ticks / n;
		if (rolled_back && !kind->phi_fixed)
			print_message("#   seed %llu rolled back: %s\n", (unsigned long long)seeds + (uint64_t)i,
			              o.why);
	}
	print_message("# %-24s %9d %12d %6.2f%% %9d %6d %14.0f\n", kind->name, n, back, upper_bound(back, n) * 100,
	              promoted, held, ticks);
	return back;
}

static void print_healthy_heading(const char *what)
{
	print_message("# %-24s %9s %12s %7s %9s %6s %14s\n", what, "rollouts", "rolled back", "<= 95 %", "promoted",
	              "held", "ticks (mean)");
}

static bool few(int back, int n)
{
	return back <= (n >= 500 ? n / 100 : 3) && (n < ROLLOUTS || upper_bound(back, n) <= 0.015);
}

static void healthy_canaries_are_not_rolled_back(void **state)
{
	static const struct kind kinds[] = {
		{ .name = "constant" },
		{ .name = "shared errors x5", .shared_errors = 5 },
		{ .name = "shared bursts x20", .shared_errors = 20, .burst_every = 120 },
		{ .name = "shared latency x1.3", .shared_latency = 1.3 },
		{ .name = "controller killed", .killed_every = 60 },
	};
	struct plan *plan = world_plan(plan_text);
	const int n = rollouts(ROLLOUTS, SLOW, ROLLOUTS);
	bool good = true;
	print_healthy_heading("healthy canary");
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
		good = few(roll_out_healthy(plan, &kinds[k], 1000000 * (k + 1), n), n) && good;
	plan_destroy(plan);
	assert_true(good);
}

/* Failures and slow requests in bunches, in both arms alike: phi keeps the promise. Without it the same traffic rolls
 * back most of them: the last rows show that these kinds can fail. */
static void bunches_are_no_harm(void **state)
{
	static const struct kind kinds[] = {
		{ .name = "bunches of 2", .bunches = 2 },
		{ .name = "bunches of 4", .bunches = 4 },
		{ .name = "bunches of 4, 4 servers", .bunches = 4, .servers = 4 },
		{ .name = "bunches of 4, killed", .bunches = 4, .servers = 4, .killed_every = 60 },
		{ .name = "machine stalls", .stall = 0.15, .stall_every = 10, .stall_shared = true },
		{ .name = "process stalls", .stall = 0.15, .stall_every = 10 },
		{ .name = "process stalls, 4 servers", .stall = 0.15, .stall_every = 10, .servers = 4 },
		{ .name = "30 ms process stalls", .stall = 0.03, .stall_every = 2 },
	};
	static const struct kind blind[] = {
		{ .name = "bunches of 4, phi 1", .bunches = 4, .phi_fixed = true },
		{ .name = "process stalls, phi 1", .stall = 0.15, .stall_every = 10, .phi_fixed = true },
	};
	struct plan *plan = world_plan(plan_text);
	const int n = rollouts(BUNCHED, SLOW / 10, ROLLOUTS), few_blind = rollouts(BLIND, SLOW / 10, BLIND);
	bool good = true;
	print_healthy_heading("healthy, in bunches");
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
		good = few(roll_out_healthy(plan, &kinds[k], 1000000 * (k + 11), n), n) && good;
	for (size_t k = 0; k < ARRAY_LEN(blind); k++)
		good = roll_out_healthy(plan, &blind[k], 1000000 * (k + 31), few_blind) * 10 > few_blind && good;
	plan_destroy(plan);
	assert_true(good);
}

struct bad {
	struct kind kind;
	const char *where;
	int64_t median_most; /* ticks; 0: no promise */
};

static int by_number(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

/* Delays of the rollouts that were rolled back, in order; the others are counted at the end as "never". */
static bool check_bad(const struct plan *plan, const struct bad *b, size_t row, int n)
{
	static int64_t delays[BAD];
	int back = 0, held = 0, early = 0;
	double mean = 0;
	for (int i = 0; i < n; i++) {
		struct outcome o;
		const uint64_t seed = 100000000 + 1000000 * row + (uint64_t)i;
		struct kind kind = b->kind;
		kind.phi_fixed = getenv("WEIR_SIM_PHI1") != NULL;
		world_rollout(plan, &kind, seed, 2500, &o);
		delays[i] = o.delay >= 0 ? o.delay : INT64_MAX;
		back += o.state == ROLLOUT_ROLLED_BACK;
		held += o.held;
		early += o.state == ROLLOUT_ROLLED_BACK && o.delay < 0;
		mean += o.delay >= 0 ? (double)o.delay / n : 0;
		if (o.state == ROLLOUT_ROLLED_BACK && o.delay < 0)
			print_message("#   seed %llu rolled back before the harm: %s\n", (unsigned long long)seed,
			              o.why);
		if (o.state != ROLLOUT_ROLLED_BACK)
			print_message("#   seed %llu not rolled back: %s\n", (unsigned long long)seed,
			              rollout_state_text(o.state));
	}
	qsort(delays, (size_t)n, sizeof(delays[0]), by_number);
	const int64_t median = delays[n / 2];
	print_message("# %-24s %-22s %4d of %d %5d %7lld %7.1f %7lld\n", b->kind.name, b->where, back, n, held,
	              (long long)median, mean, (long long)delays[n * 9 / 10]);
	/* A rollback before the harm is a false one: the healthy rollouts below count those. */
	return back == n && early * 50 <= n && (b->median_most == 0 || median <= b->median_most);
}

static void bad_canaries_are_rolled_back_soon(void **state)
{
	/* Harm begins at the end of the warm-up, or where the row says. */
	static const struct bad rows[] = {
		{ { .name = "errors 50 %", .canary_errors = .5, .harm_after = 20 }, "5 %", 2 },
		{ { .name = "errors 50 %", .canary_errors = .5 }, "5 %, first request", 4 },
		{ { .name = "latency x10", .canary_latency = 10, .harm_after = 20 }, "5 %", 2 },
		{ { .name = "latency x2", .canary_latency = 2, .harm_after = 20 }, "5 %", 5 },
		{ { .name = "latency x1.5", .canary_latency = 1.5, .harm_after = 20 }, "5 %", 10 },
		{ { .name = "errors 1 -> 5 %", .canary_errors = .05, .harm_after = 20 }, "5 %", 30 },
		{ { .name = "errors 1 -> 5 %", .canary_errors = .05, .harm_stage = 1, .harm_after = 10 }, "25 %", 15 },
		{ { .name = "errors 1 -> 5 %", .canary_errors = .05, .harm_stage = 2, .harm_after = 30 }, "50 %", 0 },
		{ { .name = "latency x1.5", .canary_latency = 1.5, .harm_stage = 1, .harm_after = 30 }, "25 %", 10 },
		{ { .name = "errors 1 -> 5 %", .canary_errors = .05, .harm_after = 20, .killed_every = 30 },
		  "5 %, killed",
		  50 },
		/* Harm that begins after a good time costs the price of the restarts; no promise, but the figures. */
		{ { .name = "latency x2", .canary_latency = 2, .harm_after = 60 }, "5 %, 40 s later", 0 },
		{ { .name = "latency x1.5", .canary_latency = 1.5, .harm_after = 60 }, "5 %, 40 s later", 0 },
		{ { .name = "errors 1 -> 5 %", .canary_errors = .05, .harm_after = 60 }, "5 %, 40 s later", 0 },
		{ { .name = "errors 1 -> 5 %", .canary_errors = .05, .harm_after = 20, .bunches = 2 },
		  "5 %, bunches of 2",
		  0 },
		{ { .name = "errors 1 -> 5 %", .canary_errors = .05, .harm_after = 20, .bunches = 4 },
		  "5 %, bunches of 4",
		  0 },
		{ { .name = "latency x1.5", .canary_latency = 1.5, .harm_after = 20, .bunches = 4 },
		  "5 %, bunches of 4",
		  0 },
		{ { .name = "errors 50 %", .canary_errors = .5, .harm_after = 20, .bunches = 4 },
		  "5 %, bunches of 4",
		  0 },
		{ { .name = "latency x1.5", .canary_latency = 1.5, .harm_after = 20, .stall = .15, .stall_every = 10 },
		  "5 %, processes stall",
		  0 },
		{ { .name = "slow tail 1 -> 3 %", .canary_tail = .03, .harm_after = 20 }, "5 %", 0 },
	};
	struct plan *plan = world_plan(plan_text);
	const int n = rollouts(BAD, SLOW, BAD);
	bool good = true;
	print_message("# %-24s %-22s %11s %5s %7s %7s %7s\n", "bad canary", "at share", "rolled back", "held", "median",
	              "mean", "p90 (s)");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		good = check_bad(plan, &rows[i], i, n) && good;
	plan_destroy(plan);
	assert_true(good);
}

/* A little worse is not a reason to go back: below the limit it is let through or left to a person. */
static void slightly_worse_canaries_are_left_to_people(void **state)
{
	static const struct {
		struct kind kind;
		int back_most; /* of 100 */
	} rows[] = {
		{ { .name = "latency x1.05", .canary_latency = 1.05 }, 0 },
		{ { .name = "latency x1.2", .canary_latency = 1.2 }, 5 },
		{ { .name = "errors 1 -> 1.2 %", .canary_errors = .012 }, 3 },
	};
	struct plan *plan = world_plan(plan_text);
	const int n = rollouts(BAD, SLOW, BAD);
	bool good = true;
	print_message("# %-24s %9s %12s %9s %6s\n", "slightly worse canary", "rollouts", "rolled back", "promoted",
	              "held");
	for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
		int back = 0, promoted = 0, held = 0;
		for (int i = 0; i < n; i++) {
			struct outcome o;
			const uint64_t seed = 200000000 + 1000000 * r + (uint64_t)i;
			world_rollout(plan, &rows[r].kind, seed, 3000, &o);
			back += o.state == ROLLOUT_ROLLED_BACK;
			promoted += o.state == ROLLOUT_PROMOTED;
			held += o.held;
			if (o.state == ROLLOUT_ROLLED_BACK)
				print_message("#   seed %llu rolled back: %s\n", (unsigned long long)seed, o.why);
		}
		print_message("# %-24s %9d %12d %9d %6d\n", rows[r].kind.name, n, back, promoted, held);
		good = good && back * 100 <= rows[r].back_most * (n < 100 ? 100 : n);
	}
	plan_destroy(plan);
	assert_true(good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_canaries_are_rolled_back_soon),
		cmocka_unit_test(slightly_worse_canaries_are_left_to_people),
		cmocka_unit_test(healthy_canaries_are_not_rolled_back),
		cmocka_unit_test(bunches_are_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
