/* Whole rollouts with the real HAProxy, two arms, users and a store. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/must.h"
#include "canary/controller.h"
#include "tests/canary/rig.h"

#define USER_THREADS 12
#define USERS 3000
#define USER_EVERY_NS 4500000

struct world {
	struct rig rig;
	struct doc doc;
	struct plan *plan;
	char *plan_text;
	struct store *store;
	struct driver *driver;
	struct live_source *source;
	struct transport *transport;
	struct controller *controller;
	struct rollout_record record;
	bool has_record;

	/* What the listener is to do. */
	int32_t break_at_bp;     /* the canary fails from this obeyed weight on; 0: never */
	int break_to;            /* status it then answers with; 0: none */
	int32_t kill_at_bp;      /* the balancer is killed once this weight is verified */
	int32_t interrupt_at_bp; /* leave once this weight is verified */
	int32_t ask_at_bp;       /* an operator asks <verb> once this weight is verified */
	enum operator_verb verb;
	int64_t ticks, events;
	char types[4096]; /* of all events, one per line */

	pthread_t users[USER_THREADS];
	int32_t port;
	atomic_bool users_stop;
};

static const char plan_form[] =
	"{ \"$schema\": \"weir.rollout.v1\", \"service\": \"web\", \"environment\": \"test\","
	"  \"stable\": { \"version\": \"1.0.0\", \"servers\": [ \"127.0.0.1:%d\" ] },"
	"  \"canary\": { \"version\": \"1.1.0\", \"servers\": [ \"127.0.0.1:%d\" ] },"
	"  \"traffic\": { \"driver\": \"haproxy\", \"listen\": \"127.0.0.1:%d\", \"sticky\": { \"cookie\": \"uid\" } },"
	"  \"stages\": [ { \"weight\": \"20%%\", \"min\": \"1s\", \"max\": \"60s\" },"
	"                { \"weight\": \"50%%\", \"min\": \"1s\", \"max\": \"60s\" },"
	"                { \"weight\": \"100%%\", \"min\": \"1s\", \"max\": \"60s\" } ],"
	"  \"compare\": { \"errors\": { \"ratio\": 3, \"slack\": \"5%%\" }, \"latency\": { \"ratio\": 50, \"margin\": \"100%%\" },"
	"                 \"warmup\": \"1s\" }%s }";

/* --- users ------------------------------------------------------------------------------------------------------- */

static void *user_main(void *arg)
{
	struct world *w = arg;
	char user[16];
	int fd = -1;
	struct timespec next;
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (unsigned i = 0; !atomic_load(&w->users_stop); i++) {
		/* A schedule, not a wait for something: flat out they would only measure how full two cores are. */
		next.tv_nsec += USER_EVERY_NS;
		next.tv_sec += next.tv_nsec / 1000000000;
		next.tv_nsec %= 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
		if (fd < 0)
			fd = rig_try_connect(w->port);
		snprintf(user, sizeof(user), "u%u", i * 7919 % USERS);
		if (fd >= 0 && rig_ask(fd, user) == 0) {
			close(fd);
			fd = -1;
		}
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

static void start_users(struct world *w)
{
	atomic_store(&w->users_stop, false);
	for (int i = 0; i < USER_THREADS; i++)
		assert_int_equal(pthread_create(&w->users[i], NULL, user_main, w), 0);
}

static void stop_users(struct world *w)
{
	atomic_store(&w->users_stop, true);
	for (int i = 0; i < USER_THREADS; i++)
		pthread_join(w->users[i], NULL);
}

/* --- the world --------------------------------------------------------------------------------------------------- */

static void on_event(void *arg, const struct event_record *e, const struct rollout_record *r)
{
	struct world *w = arg;
	const char *text = json_string_value(json_object_get(e->data, "text"));
	char line[512];
	snprintf(line, sizeof(line), "%s\n", e->type);
	strncat(w->types, line, sizeof(w->types) - strlen(w->types) - 1);
	w->events++;
	if (getenv("WEIR_TEST_TALK"))
		fprintf(stderr, "# %-22s %s\n", e->type, text ? text : "");
}

static void on_tick(void *arg, const struct controller_live *live)
{
	struct world *w = arg;
	const int32_t verified = live->machine->verified ? live->machine->asked_bp : 0;
	struct err err;
	w->ticks++;
	if (getenv("WEIR_TEST_TALK"))
		fprintf(stderr, "# tick %lld %s %d share %.3f dropped %llu: %llu/%llu errors %llu/%llu %s\n",
		        (long long)live->tick->tick, rollout_state_text(live->machine->state), live->seen.weight_bp,
		        live->share, (unsigned long long)live->seen.logs_dropped,
		        (unsigned long long)live->tick->arms[0].requests,
		        (unsigned long long)live->tick->arms[1].requests,
		        (unsigned long long)live->tick->arms[0].errors, (unsigned long long)live->tick->arms[1].errors,
		        live->assessment->sentence);
	if (w->break_at_bp && verified >= w->break_at_bp)
		atomic_store(&w->rig.arms[ARM_CANARY].status, w->break_to);
	if (w->kill_at_bp && verified >= w->kill_at_bp) {
		w->kill_at_bp = 0;
		assert_int_equal(kill((pid_t)live->seen.generation, SIGKILL), 0);
	}
	if (w->interrupt_at_bp && verified >= w->interrupt_at_bp)
		controller_interrupt(w->controller);
	if (w->ask_at_bp && verified >= w->ask_at_bp) {
		w->ask_at_bp = 0;
		assert_int_equal(store_request_put(w->store, live->record->id, w->verb, "alice", "because", NULL, &err),
		                 0);
	}
}

static void make_plan(struct world *w, const char *more)
{
	plan_destroy(w->plan);
	if (w->plan_text)
		doc_finish(&w->doc);
	free(w->plan_text);
	w->plan_text = xasprintf(plan_form, w->rig.arms[ARM_STABLE].port, w->rig.arms[ARM_CANARY].port, w->port, more);
	doc_init(&w->doc, "plan.json", str_from(w->plan_text));
	w->plan = doc_ok(&w->doc) ? plan_read(&w->doc) : NULL;
	if (!w->plan) {
		struct buf out;
		buf_init(&out, 65536);
		diags_write(&w->doc.diags, &out);
		fail_msg("%s", buf_cstr(&out));
	}
}

/* A port that is free now: the users have to know it before the rollout begins. */
static int32_t free_port(void)
{
	struct rig_arm probe;
	rig_arm_listen(&probe);
	close(probe.listener);
	return probe.port;
}

static void open_driver(struct world *w)
{
	struct err err;
	w->driver = driver_create(&w->rig.loop, w->plan, w->rig.folder, &err);
	assert_non_null(w->driver);
	w->source = live_source_create(&w->rig.loop, w->plan, w->rig.folder, &err);
	if (!w->source)
		fail_msg("%s", err.text);
}

static void close_driver(struct world *w)
{
	live_source_destroy(w->source);
	driver_destroy(w->driver);
	w->source = NULL;
	w->driver = NULL;
}

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	char path[128];
	struct err err;
	rig_init(&w->rig);
	w->port = free_port();
	make_plan(w, "");
	snprintf(path, sizeof(path), "%s/weir.db", w->rig.folder);
	w->store = store_open(path, &err);
	assert_non_null(w->store);
	open_driver(w);
	if (!rig_prepare(&w->rig, w->driver, &err))
		fail_msg("%s", err.text);
	rig_wait_for_arms(&w->rig, w->driver);
	start_users(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	stop_users(w);
	if (!w->driver)
		open_driver(w);
	rig_stop(&w->rig, w->driver, NULL);
	close_driver(w);
	transport_destroy(w->transport);
	store_close(w->store);
	plan_destroy(w->plan);
	doc_finish(&w->doc);
	free(w->plan_text);
	if (w->has_record)
		rollout_record_finish(&w->record);
	rig_finish(&w->rig);
	free(w);
	return 0;
}

static enum controller_end run_as(struct world *w, const char *abort_reason)
{
	const struct controller_options options = {
		.loop = &w->rig.loop,
		.store = w->store,
		.plan = w->plan,
		.plan_text = w->plan_text,
		.actor = "test",
		.driver = w->driver,
		.source = w->source,
		.transport = w->transport,
		.listener = { on_event, on_tick, w },
		.abort_reason = abort_reason,
	};
	struct err err;
	enum controller_end end;
	w->controller = controller_create(&options, &err);
	if (!w->controller)
		fail_msg("%s", err.text);
	if (w->has_record)
		rollout_record_finish(&w->record);
	w->has_record = true;
	if (controller_run(w->controller, &end, &w->record, &err) != 0)
		fail_msg("%s", err.text);
	controller_destroy(w->controller);
	return end;
}

static enum controller_end run(struct world *w)
{
	return run_as(w, NULL);
}

static int32_t weight_now(struct world *w)
{
	struct driver_observation o;
	struct err err;
	if (!rig_observe(&w->rig, w->driver, &o, &err))
		fail_msg("%s", err.text);
	return o.weight_bp;
}

/* --- rollouts ---------------------------------------------------------------------------------------------------- */

static void healthy_canary_is_promoted(void **state)
{
	struct world *w = *state;
	assert_int_equal(run(w), CONTROLLER_PROMOTED);
	assert_int_equal(weight_now(w), 10000);
	assert_int_equal(w->record.state, ROLLOUT_PROMOTED);
	assert_int_equal(w->record.stage_count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(w->record.stages[i].verdict, "passed");
	assert_true(w->record.tick_count >= 3 && w->record.event_count > 10);
	assert_non_null(strstr(w->types, "rollout.promoted"));
	assert_null(strstr(w->types, "rollback"));
	struct audit_report audit;
	struct err err;
	assert_int_equal(store_audit_verify(w->store, 0, NULL, &audit, &err), 0);
	assert_int_equal(audit.bad_seq, 0);
}

static void failing_canary_is_rolled_back(void **state)
{
	struct world *w = *state;
	w->break_at_bp = 2000;
	w->break_to = 500;
	assert_int_equal(run(w), CONTROLLER_ROLLED_BACK);
	assert_int_equal(weight_now(w), 0);
	assert_int_equal(w->record.reason, REASON_ERRORS);
	assert_string_equal(w->record.decision.metric, "error rate");
	assert_true(w->record.decision.values[ARM_CANARY] > w->record.decision.values[ARM_STABLE]);
	assert_string_equal(w->record.stages[0].verdict, "rolled back");
	assert_string_equal(w->record.stages[1].verdict, "not reached");
	assert_true(w->record.to_zero > 0 && w->record.to_proof >= SECOND);
	print_message("# to decision %.2f s, to zero %.1f ms, to proof %.2f s\n", (double)w->record.to_decision / 1e9,
	              (double)w->record.to_zero / 1e6, (double)w->record.to_proof / 1e9);
	/* Proven means proven: not one more request for the canary. */
	const long served = atomic_load(&w->rig.arms[ARM_CANARY].served);
	bool never = false;
	rig_wait(&w->rig, &never, 300 * MILLISECOND);
	assert_int_equal(atomic_load(&w->rig.arms[ARM_CANARY].served), served);
}

static void interrupted_rollout_resumes_with_its_evidence(void **state)
{
	struct world *w = *state;
	char id[ID_TEXT_BYTES];
	w->interrupt_at_bp = 2000;
	assert_int_equal(run(w), CONTROLLER_INTERRUPTED);
	assert_int_equal(weight_now(w), 2000);
	const size_t ticks = w->record.tick_count;
	snprintf(id, sizeof(id), "%s", w->record.id);
	close_driver(w);
	open_driver(w);
	w->interrupt_at_bp = 0;
	assert_int_equal(run(w), CONTROLLER_PROMOTED);
	assert_string_equal(w->record.id, id);
	assert_true(w->record.tick_count > ticks);
	for (size_t i = 1; i < w->record.tick_count; i++)
		assert_true(w->record.ticks[i].tick > w->record.ticks[i - 1].tick);
	assert_non_null(strstr(w->types, "rollout.resumed"));
}

static void operator_aborts(void **state)
{
	struct world *w = *state;
	w->ask_at_bp = 2000;
	w->verb = OPERATOR_ABORT;
	assert_int_equal(run(w), CONTROLLER_ROLLED_BACK);
	assert_int_equal(w->record.reason, REASON_OPERATOR);
	assert_string_equal(w->record.why, "because");
	assert_int_equal(weight_now(w), 0);
}

static void abort_takes_over_what_was_left(void **state)
{
	struct world *w = *state;
	w->interrupt_at_bp = 2000;
	assert_int_equal(run(w), CONTROLLER_INTERRUPTED);
	w->interrupt_at_bp = 0;
	assert_int_equal(run_as(w, "enough"), CONTROLLER_ROLLED_BACK);
	assert_int_equal(w->record.reason, REASON_OPERATOR);
	assert_int_equal(weight_now(w), 0);
	/* And now there is nothing left to abort. */
	const struct controller_options options = { .loop = &w->rig.loop,
		                                    .store = w->store,
		                                    .plan = w->plan,
		                                    .plan_text = w->plan_text,
		                                    .actor = "test",
		                                    .driver = w->driver,
		                                    .source = w->source,
		                                    .abort_reason = "again" };
	struct err err;
	assert_null(controller_create(&options, &err));
	assert_int_equal(err.kind, ERR_NOT_FOUND);
}

/* One byte at the second tick with a verified canary. */
static void tell_ready(void *arg, const struct controller_live *live)
{
	static int seen;
	const int *fd = arg;
	if (live->machine->verified && live->machine->asked_bp > 0 && ++seen == 2 && write(*fd, "x", 1) != 1)
		_exit(3);
}

/* A process of its own, killed in the middle of a stage; the next one goes on. */
static void killed_controller_is_followed(void **state)
{
	struct world *w = *state;
	int ready[2];
	char byte;
	close_driver(w);
	assert_int_equal(pipe(ready), 0);
	store_close(w->store);
	fflush(NULL);
	char path[128];
	struct err err;
	snprintf(path, sizeof(path), "%s/weir.db", w->rig.folder);
	const pid_t child = fork();
	if (child == 0) {
		/* Threads are not here: the arms and users are the parent's. */
		loop_finish(&w->rig.loop);
		if (loop_init(&w->rig.loop, &err) != 0)
			_exit(1);
		w->store = store_open(path, &err);
		open_driver(w);
		w->controller = controller_create(
			&(struct controller_options){ .loop = &w->rig.loop,
		                                      .store = w->store,
		                                      .plan = w->plan,
		                                      .plan_text = w->plan_text,
		                                      .actor = "child",
		                                      .driver = w->driver,
		                                      .source = w->source,
		                                      .lease = 2 * SECOND,
		                                      .listener = { NULL, tell_ready, &ready[1] } },
			&err);
		enum controller_end end;
		struct rollout_record r;
		controller_run(w->controller, &end, &r, &err);
		_exit(2);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1); /* its canary has traffic and its first tick there is stored */
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(ready[0]);
	close(ready[1]);
	w->store = store_open(path, &err);
	open_driver(w);
	assert_true(weight_now(w) > 0);
	/* Its lease still stands for a moment. */
	const struct mono end = mono_after(mono_now(), 10 * SECOND);
	struct lease_list leases;
	bool held;
	do {
		assert_int_equal(store_lease_list(w->store, &leases, &err), 0);
		held = leases.rows[0].held;
		lease_list_finish(&leases);
	} while (held && mono_since(mono_now(), end) < 0);
	assert_int_equal(run(w), CONTROLLER_PROMOTED);
	assert_non_null(strstr(w->types, "rollout.resumed"));
	assert_string_equal(w->record.actor, "child");
}

/* Killed in the middle of a stage: started again with all on stable, then the weight is asked anew. */
static void dead_balancer_is_brought_back(void **state)
{
	struct world *w = *state;
	w->kill_at_bp = 2000;
	assert_int_equal(run(w), CONTROLLER_PROMOTED);
	assert_int_equal(w->kill_at_bp, 0);
	assert_non_null(strstr(w->types, "config.drift"));
}

static void failing_guard_rolls_back(void **state)
{
	struct world *w = *state;
	char guard[128];
	struct err err;
	close_driver(w);
	snprintf(guard, sizeof(guard),
	         ", \"guards\": [ { \"http\": \"http://127.0.0.1:%d/\", \"every\": \"500ms\", \"fails\": 2 } ]",
	         w->rig.arms[ARM_CANARY].port);
	make_plan(w, guard);
	open_driver(w);
	w->transport = transport_curl_create(&w->rig.loop, &(struct transport_options){ 0 }, &err);
	assert_non_null(w->transport);
	w->break_at_bp = 2000;
	w->break_to = 500;
	w->plan->compare.alpha = 1e-30; /* statistics would need longer than the guard */
	assert_int_equal(run(w), CONTROLLER_ROLLED_BACK);
	assert_non_null(strstr(w->types, w->record.reason == REASON_HEALTH ? "guard.fired" : "rollback.triggered"));
}

/* Requests are logged at their end: without the watch a canary that hangs would look like one without traffic. */
static void hanging_canary_is_rolled_back(void **state)
{
	struct world *w = *state;
	w->break_at_bp = 2000;
	assert_int_equal(run(w), CONTROLLER_ROLLED_BACK);
	assert_int_equal(w->record.reason, REASON_HEALTH);
	assert_non_null(strstr(w->record.why, "have been waiting for the canary"));
	assert_true(w->record.to_proof < 10 * SECOND); /* HAProxy itself would wait for 30 */
	print_message("# to decision %.2f s, to proof %.2f s\n", (double)w->record.to_decision / 1e9,
	              (double)w->record.to_proof / 1e9);
}

static void second_controller_is_kept_out(void **state)
{
	struct world *w = *state;
	struct err err;
	int64_t token;
	const struct lease_ask ask = { "web", "test", "somebody", "rollout", MINUTE, false };
	assert_int_equal(store_lease_take(w->store, &ask, &token, NULL, &err), 0);
	const struct controller_options options = { .loop = &w->rig.loop,
		                                    .store = w->store,
		                                    .plan = w->plan,
		                                    .plan_text = w->plan_text,
		                                    .actor = "test",
		                                    .driver = w->driver,
		                                    .source = w->source };
	assert_null(controller_create(&options, &err));
	assert_int_equal(err.kind, ERR_BUSY);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(healthy_canary_is_promoted),
		CASE(failing_canary_is_rolled_back),
		CASE(interrupted_rollout_resumes_with_its_evidence),
		CASE(operator_aborts),
		CASE(abort_takes_over_what_was_left),
		CASE(killed_controller_is_followed),
		CASE(dead_balancer_is_brought_back),
		CASE(failing_guard_rolls_back),
		CASE(hanging_canary_is_rolled_back),
		CASE(second_controller_is_kept_out),
	};
	cmocka_set_test_filter(getenv("WEIR_TEST"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
