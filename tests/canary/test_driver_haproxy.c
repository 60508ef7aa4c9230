/* The HAProxy driver against the real HAProxy. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "canary/drivers/haproxy_driver.h"
#include "canary/source.h"
#include "tests/canary/rig.h"

#define USERS 2000

struct world {
	struct rig rig;
	struct driver *d;
	struct err err;
	struct driver_observation seen;
};

static struct driver *new_driver(struct world *w)
{
	struct driver *d = driver_create(&w->rig.loop, &w->rig.plan, w->rig.folder, &w->err);
	assert_non_null(d);
	return d;
}

static void must_prepare(struct world *w)
{
	if (!rig_prepare(&w->rig, w->d, &w->err))
		fail_msg("prepare: %s", w->err.text);
	rig_wait_for_arms(&w->rig, w->d);
}

static void must_set(struct world *w, int32_t weight_bp)
{
	if (!rig_set(&w->rig, w->d, weight_bp, 1, &w->err))
		fail_msg("set %d: %s", weight_bp, w->err.text);
}

static void look(struct world *w)
{
	if (!rig_observe(&w->rig, w->d, &w->seen, &w->err))
		fail_msg("observe: %s", w->err.text);
}

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	rig_init(&w->rig);
	w->d = new_driver(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	rig_stop(&w->rig, w->d, NULL);
	driver_destroy(w->d);
	rig_finish(&w->rig);
	free(w);
	return 0;
}

/* Asks once for each of USERS users over one connection; <ret>: the letter each got. Returns the canary's count. */
static int ask_all(struct world *w, char ret[USERS])
{
	char user[16];
	int canary = 0;
	look(w);
	const int fd = rig_connect(w->seen.listen_port);
	for (int i = 0; i < USERS; i++) {
		snprintf(user, sizeof(user), "u%d", i);
		ret[i] = rig_ask(fd, user);
		assert_true(ret[i] == 'S' || ret[i] == 'C');
		canary += ret[i] == 'C';
	}
	close(fd);
	return canary;
}

/* Users fall into buckets by a hash: binomial; five standard deviations. */
static void assert_share(int canary, double share)
{
	const double mean = USERS * share, deviation = 5 * sqrt(USERS * share * (1 - share)) + 1e-9;
	if (canary < mean - deviation || canary > mean + deviation)
		fail_msg("%d of %d users on the canary, %g were to be", canary, USERS, mean);
}

static void share_is_sticky_and_monotone(void **state)
{
	static const int32_t weights[] = { 0, 500, 1000, 2500, 5000, 7500, 10000 };
	struct world *w = *state;
	static char before[USERS], now[USERS], again[USERS];
	must_prepare(w);
	memset(before, 'S', sizeof(before));
	for (size_t i = 0; i < ARRAY_LEN(weights); i++) {
		must_set(w, weights[i]);
		assert_share(ask_all(w, now), weights[i] / 1e4);
		ask_all(w, again);
		assert_memory_equal(now, again, USERS);
		for (int u = 0; u < USERS; u++)
			assert_true(before[u] == 'S' || now[u] == 'C');
		memcpy(before, now, USERS);
	}
	must_set(w, 0);
	assert_int_equal(ask_all(w, now), 0);
}

static void cookieless_connections_are_spread(void **state)
{
	struct world *w = *state;
	int canary = 0;
	must_prepare(w);
	must_set(w, 5000);
	look(w);
	for (int i = 0; i < 200; i++) {
		const int fd = rig_connect(w->seen.listen_port);
		const char first = rig_ask(fd, NULL);
		assert_int_equal(rig_ask(fd, NULL), first); /* the connection stays */
		canary += first == 'C';
		close(fd);
	}
	assert_in_range(canary, 60, 140);
}

static void plan_without_cookie_goes_by_address(void **state)
{
	struct world *w = *state;
	char first = 0;
	w->rig.plan.traffic.cookie = NULL;
	w->rig.plan.traffic.listen_host = "";
	must_prepare(w);
	must_set(w, 5000);
	look(w);
	for (int i = 0; i < 20; i++) {
		const int fd = rig_connect(w->seen.listen_port);
		const char letter = rig_ask(fd, i % 2 ? "u1" : NULL);
		first = first ? first : letter;
		assert_int_equal(letter, first);
		close(fd);
	}
}

static void balancer_counts_the_requests(void **state)
{
	struct world *w = *state;
	static char letters[USERS];
	must_prepare(w);
	must_set(w, 2500);
	const int canary = ask_all(w, letters);
	look(w);
	assert_int_equal(w->seen.weight_bp, 2500);
	assert_true(w->seen.running && w->seen.ours);
	assert_int_equal(w->seen.requests[ARM_CANARY], canary);
	assert_int_equal(w->seen.requests[ARM_STABLE], USERS - canary);
	assert_int_equal(w->seen.in_flight[ARM_CANARY] + w->seen.in_flight[ARM_STABLE], 0);
}

/* HAProxy writes a request's line after its answer: wait for <lines> of them. */
static void take_lines(struct world *w, struct live_source *s, uint64_t lines, struct source_sample *ret)
{
	const struct mono end = mono_after(mono_now(), 10 * SECOND);
	struct source_sample piece;
	source_sample_init(ret);
	source_sample_init(&piece);
	while (ret->lines < lines && mono_since(mono_now(), end) < 0) {
		look(w); /* turns the loop */
		source_sample_reset(&piece);
		s->ops->take(s, &piece);
		ret->lines += piece.lines;
		ret->unreadable += piece.unreadable;
		for (int a = 0; a < ARMS; a++) {
			ret->arms[a].requests += piece.arms[a].requests;
			ret->arms[a].errors += piece.arms[a].errors;
			logbins_add(&ret->arms[a].bins, &piece.arms[a].bins);
			hist_add(ret->arms[a].latency, piece.arms[a].latency);
		}
		for (int g = 0; g < GROUPINGS * SOURCE_GROUPS; g++)
			for (int bin = 0; bin < LOGBINS; bin++)
				ret->stable[g / SOURCE_GROUPS].bins[g % SOURCE_GROUPS][bin] +=
					piece.stable[g / SOURCE_GROUPS].bins[g % SOURCE_GROUPS][bin];
	}
	source_sample_finish(&piece);
}

/* Every request of stable is in a group of each kind; how many groups have some. */
static int groups_used(const struct source_sample *s, enum grouping by)
{
	uint64_t all = 0;
	int used = 0;
	for (int g = 0; g < SOURCE_GROUPS; g++) {
		uint64_t here = 0;
		for (int bin = 0; bin < LOGBINS; bin++)
			here += s->stable[by].bins[g][bin];
		used += here > 0;
		all += here;
	}
	assert_int_equal(all, s->arms[ARM_STABLE].requests);
	return used;
}

static void source_reports_every_request(void **state)
{
	struct world *w = *state;
	static char letters[USERS];
	struct source_sample sample;
	must_prepare(w);
	struct live_source *s = live_source_create(&w->rig.loop, &w->rig.plan, w->rig.folder, &w->err);
	assert_non_null(s);
	assert_null(live_source_create(&w->rig.loop, &w->rig.plan, w->rig.folder, &w->err));
	assert_int_equal(w->err.kind, ERR_BUSY);
	must_set(w, 5000);
	const int canary = ask_all(w, letters);
	atomic_store(&w->rig.arms[ARM_CANARY].status, 500);
	const int fd = rig_connect(w->seen.listen_port);
	int failed = 0;
	for (int i = 0; i < 100; i++)
		failed += rig_ask(fd, letters[0] == 'C' ? "u0" : "u1") == '5';
	close(fd);
	take_lines(w, s, USERS + 100, &sample);
	look(w);
	assert_int_equal(sample.lines, USERS + 100);
	assert_int_equal(sample.unreadable, 0);
	assert_int_equal(sample.arms[ARM_CANARY].requests, w->seen.requests[ARM_CANARY]);
	assert_int_equal(sample.arms[ARM_STABLE].requests, w->seen.requests[ARM_STABLE]);
	assert_int_equal(sample.arms[ARM_CANARY].errors, failed);
	assert_int_equal(sample.arms[ARM_STABLE].errors, 0);
	assert_int_equal(sample.arms[ARM_CANARY].bins.total, sample.arms[ARM_CANARY].requests);
	assert_true(hist_max(sample.arms[ARM_STABLE].latency) > 0);
	assert_true(canary > 0 && (failed == 100 || failed == 0));
	assert_int_equal(groups_used(&sample, GROUPED_BY_USER), SOURCE_GROUPS);
	assert_true(groups_used(&sample, GROUPED_BY_CONNECTION) >= 1);
	assert_int_equal(groups_used(&sample, GROUPED_BY_SERVER), 1);
	source_sample_finish(&sample);
	live_source_destroy(s);
}

static void weight_is_in_force_quickly(void **state)
{
	struct world *w = *state;
	must_prepare(w);
	dur_ns slowest = 0;
	for (int i = 0; i < 20; i++) {
		const struct mono t = mono_now();
		must_set(w, i % 2 ? 0 : 5000);
		if (mono_since(mono_now(), t) > slowest)
			slowest = mono_since(mono_now(), t);
	}
	print_message("# slowest set_weight of 20: %.1f ms\n", (double)slowest / 1e6);
}

static void lapsed_lease_returns_all_to_stable(void **state)
{
	struct world *w = *state;
	static char letters[USERS];
	must_prepare(w);
	must_set(w, 5000);
	const struct mono set = mono_now();
	assert_true(rig_renew(&w->rig, w->d, &w->err));
	assert_share(ask_all(w, letters), .5);
	/* Nobody renews any more: within the lease and a second everybody is on stable. */
	do {
		look(w);
		assert_true(mono_since(mono_now(), set) < w->rig.plan.traffic.lease + 3 * SECOND);
	} while (w->seen.weight_bp > 0);
	assert_int_equal(ask_all(w, letters), 0);
	/* A late renewal must not bring the canary back, an explicit weight may. */
	assert_false(rig_renew(&w->rig, w->d, &w->err));
	assert_int_equal(w->err.kind, ERR_STALE);
	assert_int_equal(ask_all(w, letters), 0);
	must_set(w, 5000);
	assert_share(ask_all(w, letters), .5);
}

/* Waits until the lease would have lapsed. */
static void wait_out_the_lease(struct world *w)
{
	bool never = false;
	rig_wait(&w->rig, &never, w->rig.plan.traffic.lease + 1500 * MILLISECOND);
}

static void full_weight_and_kept_weight_outlive_the_lease(void **state)
{
	struct world *w = *state;
	must_prepare(w);
	must_set(w, 10000);
	wait_out_the_lease(w);
	look(w);
	assert_int_equal(w->seen.weight_bp, 10000);
	must_set(w, 9500);
	assert_true(rig_keep(&w->rig, w->d, &w->err));
	wait_out_the_lease(w);
	look(w);
	assert_int_equal(w->seen.weight_bp, 9500);
	must_set(w, 0);
	look(w);
	assert_int_equal(w->seen.weight_bp, 0);
}

static void hold_plan_outlives_the_lease(void **state)
{
	struct world *w = *state;
	w->rig.plan.traffic.on_controller_death = DEATH_HOLD;
	must_prepare(w);
	must_set(w, 1000);
	wait_out_the_lease(w);
	look(w);
	assert_int_equal(w->seen.weight_bp, 1000);
}

static void next_controller_adopts(void **state)
{
	struct world *w = *state;
	must_prepare(w);
	must_set(w, 2500);
	look(w);
	const int64_t generation = w->seen.generation;
	driver_destroy(w->d); /* the data plane goes on */
	w->d = new_driver(w);
	must_prepare(w);
	look(w);
	assert_true(w->seen.ours);
	assert_int_equal(w->seen.generation, generation);
	assert_int_equal(w->seen.weight_bp, 2500);
}

static void stale_fence_is_refused(void **state)
{
	struct world *w = *state;
	must_prepare(w);
	assert_true(rig_set(&w->rig, w->d, 1000, 7, &w->err));
	struct driver *other = new_driver(w);
	assert_true(rig_set(&w->rig, other, 0, 8, &w->err));
	assert_false(rig_set(&w->rig, w->d, 1000, 7, &w->err));
	assert_int_equal(w->err.kind, ERR_STALE);
	look(w);
	assert_int_equal(w->seen.weight_bp, 0);
	driver_destroy(other);
}

static void another_version_replaces_seamlessly(void **state)
{
	struct world *w = *state;
	must_prepare(w);
	must_set(w, 10000);
	look(w);
	const int64_t generation = w->seen.generation;
	driver_destroy(w->d);
	w->rig.plan.arms[ARM_CANARY].version = "1.2.0";
	w->d = new_driver(w);
	must_prepare(w);
	look(w);
	assert_int_not_equal(w->seen.generation, generation);
	assert_int_equal(w->seen.weight_bp, 0);
	assert_true(w->seen.ours);
	const int fd = rig_connect(w->seen.listen_port);
	assert_int_equal(rig_ask(fd, "u1"), 'S');
	close(fd);
}

/* A process that was killed and started again from weir's files has the weight, but obeys it only when leased. */
static void restart_keeps_the_map(void **state)
{
	struct world *w = *state;
	char command[256];
	must_prepare(w);
	must_set(w, 10000);
	look(w);
	const pid_t old = (pid_t)w->seen.generation;
	snprintf(command, sizeof(command), "cd %s && haproxy -D -p haproxy.pid -f haproxy.cfg -x api.sock -sf %d 9<>%s",
	         w->rig.folder, old, HAPROXY_LOG_PIPE);
	assert_int_equal(system(command), 0);
	do
		look(w);
	while (w->seen.generation == old);
	assert_int_equal(w->seen.weight_bp, 10000);
	must_set(w, 5000);
	look(w);
	const pid_t second = (pid_t)w->seen.generation;
	snprintf(command, sizeof(command), "cd %s && haproxy -D -p haproxy.pid -f haproxy.cfg -x api.sock -sf %d 9<>%s",
	         w->rig.folder, second, HAPROXY_LOG_PIPE);
	assert_int_equal(system(command), 0);
	do
		look(w);
	while (w->seen.generation == second);
	assert_int_equal(w->seen.weight_bp, 0);
	must_set(w, 5000);
	look(w);
	assert_int_equal(w->seen.weight_bp, 5000);
}

static void dead_canary_gives_its_users_stable(void **state)
{
	struct world *w = *state;
	w->rig.arms[ARM_CANARY].server.text = "127.0.0.1:1";
	if (!rig_prepare(&w->rig, w->d, &w->err))
		fail_msg("prepare: %s", w->err.text);
	const struct mono end = mono_after(mono_now(), 10 * SECOND);
	do {
		look(w);
		assert_true(mono_since(mono_now(), end) < 0);
	} while (w->seen.arm_up[ARM_CANARY]);
	must_set(w, 10000);
	const int fd = rig_connect(w->seen.listen_port);
	assert_int_equal(rig_ask(fd, "u1"), 'S');
	close(fd);
}

static void taken_port_is_said(void **state)
{
	struct world *w = *state;
	w->rig.plan.traffic.listen_port = w->rig.arms[ARM_STABLE].port;
	assert_false(rig_prepare(&w->rig, w->d, &w->err));
	print_message("# %s\n", w->err.text);
	assert_int_equal(w->err.kind, ERR_BUSY);
	assert_non_null(strstr(w->err.text, "is taken by another program"));
}

static void refused_configuration_is_said(void **state)
{
	struct world *w = *state;
	w->rig.arms[ARM_CANARY].server.text = "no-such-host.invalid:80";
	assert_false(rig_prepare(&w->rig, w->d, &w->err));
	print_message("# %s\n", w->err.text);
	assert_non_null(strstr(w->err.text, "refuses its configuration"));
	assert_non_null(strstr(w->err.text, "no-such-host.invalid"));
}

static void silence_is_said(void **state)
{
	struct world *w = *state;
	assert_false(rig_observe(&w->rig, w->d, &w->seen, &w->err));
	assert_int_equal(w->err.kind, ERR_UNREACHABLE);
	assert_false(rig_set(&w->rig, w->d, 100, 1, &w->err));
	assert_int_equal(w->err.kind, ERR_UNREACHABLE);
}

static void hung_process_is_replaced(void **state)
{
	struct world *w = *state;
	must_prepare(w);
	look(w);
	const pid_t old = (pid_t)w->seen.generation;
	assert_int_equal(kill(old, SIGSTOP), 0);
	assert_false(rig_observe(&w->rig, w->d, &w->seen, &w->err));
	assert_int_equal(w->err.kind, ERR_UNREACHABLE);
	assert_int_equal(kill(old, SIGCONT), 0);
	look(w);
	assert_int_equal(w->seen.generation, old);
}

/* Names of unix sockets end at 107 bytes; folders do not. */
static void long_folder_works(void **state)
{
	struct world *w = *state;
	char longer[300];
	snprintf(longer, sizeof(longer), "%s/%0*d", w->rig.folder, 200, 0);
	driver_destroy(w->d);
	w->d = driver_create(&w->rig.loop, &w->rig.plan, longer, &w->err);
	assert_non_null(w->d);
	must_prepare(w);
	must_set(w, 1000);
	look(w);
	assert_int_equal(w->seen.weight_bp, 1000);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(share_is_sticky_and_monotone),
		CASE(cookieless_connections_are_spread),
		CASE(plan_without_cookie_goes_by_address),
		CASE(balancer_counts_the_requests),
		CASE(source_reports_every_request),
		CASE(weight_is_in_force_quickly),
		CASE(lapsed_lease_returns_all_to_stable),
		CASE(full_weight_and_kept_weight_outlive_the_lease),
		CASE(hold_plan_outlives_the_lease),
		CASE(next_controller_adopts),
		CASE(stale_fence_is_refused),
		CASE(another_version_replaces_seamlessly),
		CASE(restart_keeps_the_map),
		CASE(dead_canary_gives_its_users_stable),
		CASE(taken_port_is_said),
		CASE(refused_configuration_is_said),
		CASE(silence_is_said),
		CASE(hung_process_is_replaced),
		CASE(long_folder_works),
	};
	cmocka_set_test_filter(getenv("WEIR_TEST")); /* one of them: WEIR_TEST=taken_port_is_said */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
