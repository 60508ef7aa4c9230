#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "canary/journal.h"

#define PLAN(alpha)                                                                                         \
	"{ \"$schema\": \"weir.rollout.v1\", \"service\": \"web\", \"environment\": \"test\","              \
	"  \"stable\": { \"version\": \"1.0.0\", \"servers\": [ \"127.0.0.1:1\" ] },"                       \
	"  \"canary\": { \"version\": \"1.1.0\", \"commit\": \"77ab\", \"servers\": [ \"127.0.0.1:2\" ] }," \
	"  \"traffic\": { \"driver\": \"haproxy\", \"listen\": \"127.0.0.1:8000\" },"                       \
	"  \"stages\": [ { \"weight\": \"50%\" }, { \"weight\": \"100%\" } ],"                              \
	"  \"compare\": { \"alpha\": " alpha " } }"

struct world {
	char path[64];
	struct store *store;
	struct doc docs[2];
	struct plan *plans[2]; /* two plans of the same service */
	struct err err;
};

static const char *const texts[] = { PLAN("0.01"), PLAN("0.02") };

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	snprintf(w->path, sizeof(w->path), "/tmp/weir-journal-%d.db", (int)getpid());
	w->store = store_open(w->path, &w->err);
	assert_non_null(w->store);
	for (int i = 0; i < 2; i++) {
		doc_init(&w->docs[i], "plan", str_from(texts[i]));
		w->plans[i] = plan_read(&w->docs[i]);
		assert_non_null(w->plans[i]);
	}
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	char command[128];
	store_close(w->store);
	for (int i = 0; i < 2; i++) {
		plan_destroy(w->plans[i]);
		doc_finish(&w->docs[i]);
	}
	snprintf(command, sizeof(command), "rm -f %s*", w->path);
	assert_int_equal(system(command), 0);
	free(w);
	return 0;
}

static struct journal *open_journal(struct world *w, int plan, bool override, struct journal_found *ret)
{
	const struct journal_options o = {
		.store = w->store,
		.plan = w->plans[plan],
		.plan_text = texts[plan],
		.actor = "alice",
		.lease = MINUTE,
		.override = override,
	};
	return journal_create(&o, ret, &w->err);
}

static void new_rollout_begins_with_its_plan(void **state)
{
	struct world *w = *state;
	struct journal_found f;
	struct journal *j = open_journal(w, 0, false, &f);
	assert_non_null(j);
	assert_false(f.resumed);
	assert_int_equal(f.last_tick, -1);
	assert_int_equal(f.intent_bp, -1);
	assert_string_equal(f.record.service, "web");
	assert_string_equal(f.record.arms[ARM_CANARY].commit, "77ab");
	assert_int_equal(f.record.stage_count, 2);
	assert_string_equal(f.record.stages[1].verdict, "not reached");
	journal_found_finish(&f);
	journal_destroy(j);
}

static void unfinished_rollout_is_gone_on_with(void **state)
{
	struct world *w = *state;
	struct journal_found f;
	struct journal *j = open_journal(w, 0, false, &f);
	char id[ID_TEXT_BYTES];
	int64_t first, second;
	strcpy(id, f.record.id);
	const struct tick_record ticks[] = { { .tick = 3 }, { .tick = 4 } };
	json_t *snapshot = json_pack("{s:s}", "it", "is this");
	assert_int_equal(journal_intend(j, 500, &first, &w->err), 0);
	assert_int_equal(journal_outcome(j, first, true, NULL, &w->err), 0);
	assert_int_equal(journal_save(j, ticks, 2, snapshot, 4, &w->err), 0);
	assert_int_equal(journal_intend(j, 0, &second, &w->err), 0);
	json_decref(snapshot);
	journal_found_finish(&f);
	journal_destroy(j);

	j = open_journal(w, 0, false, &f);
	assert_non_null(j);
	assert_true(f.resumed);
	assert_string_equal(f.record.id, id);
	assert_int_equal(f.last_tick, 4);
	assert_int_equal(f.intent_bp, 0); /* the one without an outcome */
	assert_int_equal(f.intent, second);
	assert_string_equal(json_string_value(json_object_get(f.snapshot, "it")), "is this");
	journal_found_finish(&f);
	journal_destroy(j);
}

static void another_plan_is_refused_and_lets_go(void **state)
{
	struct world *w = *state;
	struct journal_found f;
	struct journal *j = open_journal(w, 0, false, &f);
	journal_found_finish(&f);
	journal_destroy(j);
	assert_null(open_journal(w, 1, false, &f));
	assert_int_equal(w->err.kind, ERR_BUSY);
	assert_non_null(strstr(w->err.text, "has another plan"));
	/* The lease was given back. */
	j = open_journal(w, 0, false, &f);
	assert_non_null(j);
	journal_found_finish(&f);
	journal_destroy(j);
}

static void lease_keeps_others_out_but_not_a_rollback(void **state)
{
	struct world *w = *state;
	struct journal_found f, g;
	struct journal *j = open_journal(w, 0, false, &f);
	assert_null(open_journal(w, 0, false, &g));
	assert_int_equal(w->err.kind, ERR_BUSY);
	struct journal *k = open_journal(w, 0, true, &g);
	assert_non_null(k);
	assert_non_null(strstr(g.overridden, "alice on "));
	assert_true(journal_token(k) > journal_token(j));
	/* Whoever was overtaken can write nothing more. */
	int64_t intent;
	struct event_record e = { .type = "weight.asked", .severity = "info", .actor = "weir" };
	assert_int_equal(journal_intend(j, 100, &intent, &w->err), -1);
	assert_int_equal(w->err.kind, ERR_STALE);
	assert_int_equal(journal_renew(j, &w->err), -1);
	assert_int_equal(w->err.kind, ERR_STALE);
	assert_int_equal(journal_save(j, NULL, 0, NULL, 0, &w->err), -1);
	assert_int_equal(journal_event(j, &e, &w->err), -1);
	assert_int_equal(journal_renew(k, &w->err), 0);
	journal_found_finish(&f);
	journal_found_finish(&g);
	journal_destroy(j);
	journal_destroy(k);
}

static void rollback_begins_nothing(void **state)
{
	struct world *w = *state;
	struct journal_found f;
	assert_null(open_journal(w, 0, true, &f));
	assert_int_equal(w->err.kind, ERR_NOT_FOUND);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(new_rollout_begins_with_its_plan),
		CASE(unfinished_rollout_is_gone_on_with),
		CASE(another_plan_is_refused_and_lets_go),
		CASE(lease_keeps_others_out_but_not_a_rollback),
		CASE(rollback_begins_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
