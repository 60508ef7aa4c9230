#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/record/samples.h"

static char *dump(json_t *json)
{
	char *text = json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT);
	json_decref(json);
	return text;
}

static void assert_same(json_t *a, json_t *b)
{
	char *first = dump(a), *second = dump(b);
	assert_string_equal(first, second);
	free(first);
	free(second);
}

static struct event_record sample_event(void)
{
	return (struct event_record){ .id = "01EVENT",
		                      .seq = 7,
		                      .at = { INT64_C(1760000000123) * MILLISECOND },
		                      .type = xstrdup("weight.asked"),
		                      .severity = xstrdup("info"),
		                      .actor = xstrdup("weir"),
		                      .before = json_pack("{s:i}", "weight_bp", 500),
		                      .after = json_pack("{s:i}", "weight_bp", 1000) };
}

static void heads_come_back(void **state)
{
	struct rollout_record r, again;
	struct err err;
	for (int s = 0; s < ROLLOUT_STATE_COUNT; s++) {
		sample_rollout(&r, "01ROLLOUT", "web", (enum rollout_state)s);
		json_t *json = rollout_record_encode_head(&r);
		assert_int_equal(rollout_record_decode_head(json, &again, &err), 0);
		assert_int_equal(again.state, s);
		assert_true(isnan(again.decision.ratio_high));
		assert_true(again.decision.phi == 3.1);
		assert_int_equal(again.to_proof, 0);
		assert_null(again.arms[ARM_STABLE].commit);
		assert_same(rollout_record_encode_head(&again), json);
		rollout_record_finish(&r);
		rollout_record_finish(&again);
	}
}

static void how_long_the_old_version_is_kept_came_later(void **state)
{
	struct rollout_record r, again;
	struct err err;
	sample_rollout(&r, "01ROLLOUT", "web", ROLLOUT_PROMOTED);
	r.kept_until = (struct wall){ INT64_C(1760086400000) * MILLISECOND };
	json_t *json = rollout_record_encode_head(&r);
	assert_int_equal(rollout_record_decode_head(json, &again, &err), 0);
	assert_int_equal(again.kept_until.ns, r.kept_until.ns);
	rollout_record_finish(&again);
	json_object_del(json, "kept_until"); /* as older versions stored it */
	assert_int_equal(rollout_record_decode_head(json, &again, &err), 0);
	assert_int_equal(again.kept_until.ns, 0);
	rollout_record_finish(&again);
	json_decref(json);
	rollout_record_finish(&r);
}

/* Versions that did not look for bunches stored no phi. */
static void heads_without_phi_are_read(void **state)
{
	struct rollout_record r, again;
	struct err err;
	sample_rollout(&r, "01ROLLOUT", "web", ROLLOUT_PROMOTED);
	json_t *json = rollout_record_encode_head(&r);
	assert_int_equal(json_object_del(json_object_get(json, "decision"), "phi"), 0);
	assert_int_equal(rollout_record_decode_head(json, &again, &err), 0);
	assert_true(again.decision.phi == 0 && again.decision.ratio == r.decision.ratio);
	assert_same(rollout_record_encode_head(&again), json);
	rollout_record_finish(&r);
	rollout_record_finish(&again);
}

static void ticks_and_events_come_back(void **state)
{
	struct err err;
	const struct tick_record tick = sample_tick(12);
	struct tick_record tick_again;
	json_t *json = tick_record_encode(&tick);
	assert_int_equal(tick_record_decode(json, &tick_again, &err), 0);
	assert_memory_equal(&tick_again.arms, &tick.arms, sizeof(tick.arms));
	assert_same(tick_record_encode(&tick_again), json);

	struct event_record event = sample_event(), event_again;
	json = event_record_encode(&event, NULL);
	assert_int_equal(event_record_decode(json, &event_again, &err), 0);
	assert_same(event_record_encode(&event_again, NULL), json);
	event_record_finish(&event);
	event_record_finish(&event_again);
}

static void the_whole_has_ticks_and_events_with_their_place(void **state)
{
	struct rollout_record r;
	const char *rollout, *environment;
	sample_rollout(&r, "01ROLLOUT", "web", ROLLOUT_ROLLED_BACK);
	for (int i = 0; i < 5; i++) {
		const struct tick_record tick = sample_tick(i);
		rollout_record_add_tick(&r, &tick);
	}
	const struct event_record event = sample_event();
	rollout_record_add_event(&r, &event);
	json_t *json = rollout_record_encode(&r);
	assert_int_equal(json_array_size(json_object_get(json, "ticks")), 5);
	assert_int_equal(
		json_unpack(json, "{s:[{s:s, s:s}]}", "events", "rollout", &rollout, "environment", &environment), 0);
	assert_string_equal(rollout, "01ROLLOUT");
	assert_string_equal(environment, "production");
	json_decref(json);
	rollout_record_finish(&r);
}

static void wrong_members_are_named(void **state)
{
	struct rollout_record r, again;
	struct tick_record tick;
	struct event_record event;
	struct err err = { 0 };
	sample_rollout(&r, "01ROLLOUT", "web", ROLLOUT_WATCHING);
	json_t *json = rollout_record_encode_head(&r);
	json_object_set_new(json_array_get(json_object_get(json, "stages"), 1), "weight_bp", json_integer(10001));
	assert_int_equal(rollout_record_decode_head(json, &again, &err), -1);
	assert_int_equal(err.kind, ERR_SYNTAX);
	assert_string_equal(err.text, "record: stages[1] must be of a weight from 0 to 10000");
	json_object_set_new(json, "state", json_string("lost"));
	assert_int_equal(rollout_record_decode_head(json, &again, &err), -1);
	assert_non_null(strstr(err.text, "record: state must be one of planned,"));
	assert_int_equal(tick_record_decode(json, &tick, &err), -1);
	assert_non_null(strstr(err.text, "record: "));
	assert_int_equal(event_record_decode(json, &event, &err), -1);
	assert_non_null(strstr(err.text, "record: "));
	json_decref(json);
	rollout_record_finish(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_come_back),
		cmocka_unit_test(how_long_the_old_version_is_kept_came_later),
		cmocka_unit_test(heads_without_phi_are_read),
		cmocka_unit_test(ticks_and_events_come_back),
		cmocka_unit_test(the_whole_has_ticks_and_events_with_their_place),
		cmocka_unit_test(wrong_members_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
