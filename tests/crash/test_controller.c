/* The controller dies at its n-th step, for every n of a rollout: before and after each call of the driver, and after each
 * event and tick. Its successor goes on. Whatever n, the rollout ends as it should, no tick counts twice, the story is
 * whole, and the data plane obeys what the record says. The same for the way back after a promotion.
 *
 * The data plane is the skeleton's, the measurements are written here: two arms that are alike. Each n runs in a process of
 * its own, many at once, since a rollout mostly waits for its seconds. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/must.h"
#include "canary/controller.h"
#include "canary/drivers/skeleton.h"

#define POINTS 60
#define POINTS_BACK 15 /* of the way back after a promotion */
#define AT_ONCE 15
#define REQUESTS 20000 /* a tick, of both arms */
#define DIED 99

static const char plan_text[] = "{ \"$schema\": \"weir.rollout.v1\", \"service\": \"web\", \"environment\": \"test\","
				"  \"stable\": { \"version\": \"1.0.0\", \"servers\": [ \"127.0.0.1:1\" ] },"
				"  \"canary\": { \"version\": \"1.1.0\", \"servers\": [ \"127.0.0.1:2\" ] },"
				"  \"traffic\": { \"driver\": \"haproxy\", \"listen\": \"127.0.0.1:8000\" },"
				"  \"stages\": [ { \"weight\": \"50%\", \"min\": \"1s\", \"max\": \"60s\" },"
				"                { \"weight\": \"100%\", \"min\": \"1s\", \"max\": \"60s\" } ],"
				"  \"compare\": { \"warmup\": \"1s\" } }";

/* --- where it dies ----------------------------------------------------------------------------------------------- */

static int countdown; /* 0: never */

static void point(void)
{
	if (countdown > 0 && --countdown == 0)
		_exit(DIED);
}

struct mortal {
	struct driver base;
	struct driver *real;
};

static struct driver *real_of(struct driver *d)
{
	return container_of(d, struct mortal, base)->real;
}

#define FORWARD(name)                                                             \
	static void mortal_##name(struct driver *d, driver_done *done, void *arg) \
	{                                                                         \
		point();                                                          \
		real_of(d)->ops->name(real_of(d), done, arg);                     \
		point();                                                          \
	}
FORWARD(prepare)
FORWARD(renew)
FORWARD(keep)
FORWARD(cut)
FORWARD(stop)

static void mortal_observe(struct driver *d, driver_observed *done, void *arg)
{
	real_of(d)->ops->observe(real_of(d), done, arg);
}

static void mortal_set_weight(struct driver *d, int32_t basis_points, int64_t fence, driver_done *done, void *arg)
{
	point();
	real_of(d)->ops->set_weight(real_of(d), basis_points, fence, done, arg);
	point();
}

static const struct driver_ops mortal_ops = {
	.name = "mortal",
	.prepare = mortal_prepare,
	.observe = mortal_observe,
	.set_weight = mortal_set_weight,
	.renew = mortal_renew,
	.keep = mortal_keep,
	.cut = mortal_cut,
	.stop = mortal_stop,
};

static void on_event(void *arg, const struct event_record *e, const struct rollout_record *r)
{
	point();
}

static void on_tick(void *arg, const struct controller_live *live)
{
	point();
}

/* --- what is measured -------------------------------------------------------------------------------------------- */

struct world {
	char folder[64], state_path[128], store_path[128];
	struct loop loop;
	struct doc doc;
	struct plan *plan;
	struct store *store;
	struct mortal driver;
	struct live_source source;
};

static int64_t obeyed(const struct world *w)
{
	struct buf text;
	struct err err;
	int64_t generation = 0, weight = 0;
	buf_init(&text, 256);
	if (file_read(w->state_path, &text, &err) == 0)
		must(sscanf(buf_cstr(&text), "%" SCNd64 " %" SCNd64, &generation, &weight) == 2);
	buf_finish(&text);
	return weight;
}

static void fill(struct arm_sample *a, uint64_t requests)
{
	enum { KINDS = 20 };
	int64_t latency = MILLISECOND;
	a->requests = requests / KINDS * KINDS;
	a->errors = requests / 1000;
	for (int k = 0; k < KINDS; k++, latency += latency / 10) {
		a->bins.counts[logbins_index(latency)] += (int64_t)(requests / KINDS);
		a->bins.total += (int64_t)(requests / KINDS);
		hist_record_n(a->latency, latency, (int64_t)(requests / KINDS));
	}
}

static void source_take(struct live_source *s, struct source_sample *into)
{
	const struct world *w = container_of(s, struct world, source);
	const uint64_t canary = (uint64_t)(REQUESTS * obeyed(w) / WEIGHT_FULL_BP);
	fill(&into->arms[ARM_CANARY], canary);
	fill(&into->arms[ARM_STABLE], REQUESTS - canary);
	into->lines = into->arms[ARM_CANARY].requests + into->arms[ARM_STABLE].requests;
}

static const struct live_source_ops source_ops = { .name = "written", .take = source_take };

/* --- one controller's life --------------------------------------------------------------------------------------- */

static int open_world(struct world *w)
{
	struct err err;
	snprintf(w->state_path, sizeof(w->state_path), "%s/skeleton.state", w->folder);
	snprintf(w->store_path, sizeof(w->store_path), "%s/weir.db", w->folder);
	doc_init(&w->doc, "plan", str_from(plan_text));
	w->plan = plan_read(&w->doc);
	w->store = store_open(w->store_path, &err);
	w->source.ops = &source_ops;
	if (!w->plan || !w->store || loop_init(&w->loop, &err) != 0)
		return -1;
	w->driver.base.ops = &mortal_ops;
	w->driver.real = skeleton_create(&w->loop, w->plan, w->folder, &err);
	return w->driver.real ? 0 : -1;
}

/* The predecessor's lease has to run out first. */
static struct controller *create(struct world *w, const char *abort_reason, const char *reopen)
{
	const struct mono end = mono_after(mono_now(), 20 * SECOND);
	const struct controller_options options = {
		.loop = &w->loop,
		.store = w->store,
		.plan = w->plan,
		.plan_text = plan_text,
		.actor = "test",
		.driver = &w->driver.base,
		.source = &w->source,
		.listener = { on_event, on_tick, w },
		.lease = 1 * SECOND,
		.abort_reason = abort_reason,
		.reopen = reopen,
	};
	struct controller *c;
	struct err err;
	do
		c = controller_create(&options, &err);
	while (!c && err.kind == ERR_BUSY && mono_since(mono_now(), end) < 0);
	if (!c)
		fprintf(stderr, "# create: %s\n", err.text);
	return c;
}

/* 0: promoted, and everything is as it should be; else a number that says what is not. */
static int live(const char *folder, int die_at)
{
	struct world w = { 0 };
	struct rollout_record record;
	struct rollout_list list;
	struct audit_report audit;
	struct err err;
	enum controller_end end;
	countdown = die_at;
	snprintf(w.folder, sizeof(w.folder), "%s", folder);
	if (open_world(&w) != 0)
		return 1;
	struct controller *c = create(&w, NULL, NULL);
	if (!c)
		return 2;
	if (controller_run(c, &end, &record, &err) != 0 || end != CONTROLLER_PROMOTED) {
		fprintf(stderr, "# ended %s: %s\n", controller_end_text(end), record.why ? record.why : "");
		return 3;
	}
	if (obeyed(&w) != WEIGHT_FULL_BP || record.state != ROLLOUT_PROMOTED || record.stage_count != 2)
		return 4;
	for (size_t i = 1; i < record.tick_count; i++) {
		if (record.ticks[i].tick <= record.ticks[i - 1].tick)
			return 5;
	}
	for (size_t i = 1; i < record.event_count; i++) {
		if (record.events[i].seq <= record.events[i - 1].seq)
			return 6;
	}
	if (record.event_count == 0 || strcmp(record.events[record.event_count - 1].type, "rollout.promoted") != 0)
		return 7;
	if (store_audit_verify(w.store, 0, NULL, &audit, &err) != 0 || audit.bad_seq != 0)
		return 8;
	if (store_rollout_list(w.store, 10, &list, &err) != 0 || list.count != 1)
		return 9;
	return 0;
}

/* Somebody asks the promoted rollout to go back, as `weir canary abort` does. 0: it is back, and everything is as it should
 * be. */
static int go_back(const char *folder, int die_at)
{
	struct world w = { 0 };
	struct rollout_record record;
	struct rollout_list list;
	struct audit_report audit;
	struct err err;
	enum controller_end end;
	countdown = die_at;
	snprintf(w.folder, sizeof(w.folder), "%s", folder);
	if (open_world(&w) != 0)
		return 21;
	if (store_rollout_list(w.store, 10, &list, &err) != 0 || list.count != 1)
		return 22;
	/* The successor finds what the record says: it may say rolled back already. */
	if (list.rows[0].state == ROLLOUT_ROLLED_BACK)
		return obeyed(&w) == 0 ? 0 : 23;
	struct controller *c = create(&w, "tickets", list.rows[0].state == ROLLOUT_PROMOTED ? list.rows[0].id : NULL);
	if (!c)
		return 24;
	if (controller_run(c, &end, &record, &err) != 0 || end != CONTROLLER_ROLLED_BACK) {
		fprintf(stderr, "# ended %s: %s\n", controller_end_text(end), record.why ? record.why : "");
		return 25;
	}
	if (obeyed(&w) != 0 || record.state != ROLLOUT_ROLLED_BACK || record.reason != REASON_OPERATOR ||
	    record.kept_until.ns != 0 || record.finished_at.ns == 0)
		return 26;
	if (strcmp(record.events[record.event_count - 1].type, "rollback.completed") != 0)
		return 27;
	if (store_audit_verify(w.store, 0, NULL, &audit, &err) != 0 || audit.bad_seq != 0)
		return 28;
	/* There is one way back only. */
	controller_destroy(c);
	if (controller_create(&(struct controller_options){ .loop = &w.loop,
	                                                    .store = w.store,
	                                                    .plan = w.plan,
	                                                    .plan_text = plan_text,
	                                                    .actor = "test",
	                                                    .driver = &w.driver.base,
	                                                    .source = &w.source,
	                                                    .abort_reason = "again",
	                                                    .reopen = record.id },
	                      &err) ||
	    err.kind != ERR_NOT_FOUND)
		return 29;
	return 0;
}

static int promote_then_go_back(const char *folder, int n)
{
	const int promoted = live(folder, 0);
	return promoted != 0 ? promoted : go_back(folder, n);
}

typedef int story(const char *folder, int die_at);

/* Dies at <n> of <first>, then <rest> goes on. 0: fine. */
static int try_point(story *first, story *rest, int n)
{
	char folder[64] = "/tmp/weir-crash-XXXXXX", command[96];
	int how = 0;
	if (!mkdtemp(folder))
		return 10;
	const pid_t child = fork();
	if (child == 0)
		_exit(first(folder, n));
	waitpid(child, &how, 0);
	int answer = WIFEXITED(how) ? WEXITSTATUS(how) : 11;
	if (answer == DIED)
		answer = rest(folder, 0);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	if (system(command) != 0)
		return 12;
	return answer;
}

static void try_points(story *story_first, story *story_rest, int points)
{
	for (int first = 1; first <= points; first += AT_ONCE) {
		pid_t children[AT_ONCE];
		fflush(NULL);
		for (int i = 0; i < AT_ONCE; i++) {
			children[i] = fork();
			if (children[i] == 0)
				_exit(try_point(story_first, story_rest, first + i));
		}
		int failed = 0;
		for (int i = 0; i < AT_ONCE; i++) {
			int how = 0;
			assert_int_equal(waitpid(children[i], &how, 0), children[i]);
			if (!WIFEXITED(how) || WEXITSTATUS(how) != 0) {
				print_message("# death at point %d: %d\n", first + i,
				              WIFEXITED(how) ? WEXITSTATUS(how) : -1);
				failed++;
			}
		}
		assert_int_equal(failed, 0);
	}
}

static void every_death_is_survived(void **state)
{
	try_points(live, live, POINTS);
}

static void every_death_on_the_way_back_is_survived(void **state)
{
	try_points(promote_then_go_back, go_back, POINTS_BACK);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_death_is_survived),
		                            cmocka_unit_test(every_death_on_the_way_back_is_survived) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
