#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "tests/record/samples.h"

static char *text_of(const struct run_record *r, enum run_json form)
{
	json_t *json = run_record_encode(r, form);
	char *text = json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT);
	json_decref(json);
	return text;
}

/* Through text, as the store does it. */
static void decode_text(const char *text, struct run_record *ret)
{
	struct err err = { 0 };
	json_t *json = json_loads(text, 0, NULL);
	assert_non_null(json);
	if (run_record_decode(json, ret, &err) < 0)
		fail_msg("%s", err.text);
	json_decref(json);
}

static void what_was_encoded_comes_back(void **state)
{
	static const enum run_validity validities[] = { RUN_VALID, RUN_SUSPECT, RUN_NOT_VALID };
	for (size_t i = 0; i < ARRAY_LEN(validities); i++) {
		struct run_record run, again;
		sample_run(&run, "01RUN", "critical-flows", validities[i], i);
		char *first = text_of(&run, RUN_JSON_HISTOGRAMS);
		decode_text(first, &again);
		char *second = text_of(&again, RUN_JSON_HISTOGRAMS);
		assert_string_equal(first, second);
		assert_int_equal(hist_max(&again.response), hist_max(&run.response));
		assert_int_equal(hist_quantile(&again.response, 0.95), hist_quantile(&run.response, 0.95));
		assert_int_equal(again.response.clamped, 1);
		assert_int_equal(hist_count(&again.set_up[SET_UP_DNS]), 0);
		assert_int_equal(hist_max(&again.set_up[SET_UP_CONNECT]), hist_max(&run.set_up[SET_UP_CONNECT]));
		assert_int_equal(hist_count(&again.set_up[SET_UP_TLS]), 70);
		assert_int_equal(again.seconds[0].phase, PHASE_WARMUP);
		assert_int_equal(again.seconds[1].phase, PHASE_RAMP);
		assert_int_equal(again.seconds[1].ports, 345);
		assert_int_equal(again.warmup.requests, 300);
		assert_int_equal(again.warmup.failed, 3);
		assert_int_equal(hist_max(&again.warmup.response), hist_max(&run.warmup.response));
		assert_int_equal(hist_max(&again.warmup.service), hist_max(&run.warmup.service));
		assert_int_equal(again.started_at.ns, run.started_at.ns);
		assert_float_equal(again.thresholds[0].value, 1234567, 0);
		assert_false(again.thresholds[2].has_value);
		free(first);
		free(second);
		run_record_finish(&run);
		run_record_finish(&again);
	}
}

static void an_empty_run_comes_back(void **state)
{
	struct run_record run, again;
	run_record_init(&run);
	char *text = text_of(&run, RUN_JSON_HISTOGRAMS);
	decode_text(text, &again);
	assert_null(strstr(text, "warmup"));
	assert_int_equal(hist_count(&again.response), 0);
	hist_record(&again.response, 5); /* it is a whole histogram */
	free(text);
	run_record_finish(&run);
	run_record_finish(&again);
}

static void summaries_have_the_keys_of_the_contract(void **state)
{
	struct run_record run;
	double rate, error_rate, p50, value;
	const char *schema, *started, *verdict, *name;
	sample_run(&run, "01RUN", "critical-flows", RUN_VALID, 1);
	json_t *json = run_record_encode(&run, RUN_JSON_SUMMARY);
	assert_int_equal(json_unpack(json, "{s:s, s:s, s:s, s:{s:F, s:F}, s:{s:F}, s:[{s:s}], s:[{s:F}]}", "schema",
	                             &schema, "started_at", &started, "verdict", &verdict, "requests", "rate", &rate,
	                             "error_rate", &error_rate, "response_time_us", "p50", &p50, "flows", "name", &name,
	                             "thresholds", "value", &value),
	                 0);
	assert_string_equal(schema, "weir.run.v1");
	assert_string_equal(started, "2025-10-09T08:53:21.123Z");
	assert_string_equal(verdict, "not-met");
	assert_string_equal(name, "auth");
	assert_float_equal(rate, 1990.0 / 60, 1e-9);
	assert_float_equal(error_rate, 6.0 / 1990, 1e-9);
	assert_float_equal(p50, (double)hist_quantile(&run.response, 0.5) / 1e3, 1e-9);
	assert_float_equal(value, 1234.567, 1e-9); /* times are in microseconds */
	assert_null(json_object_get(json, "seconds"));
	assert_null(json_object_get(json_object_get(json, "response_time_us"), "histogram"));
	json_decref(json);
	run_record_finish(&run);
}

static void figures_of_invalid_runs_are_not_where_programs_look(void **state)
{
	struct run_record run;
	sample_run(&run, "01RUN", "critical-flows", RUN_NOT_VALID, 1);
	json_t *json = run_record_encode(&run, RUN_JSON_HISTOGRAMS);
	const json_t *flow = json_array_get(json_object_get(json, "flows"), 0);
	const json_t *step = json_array_get(json_object_get(flow, "steps"), 0);
	const json_t *second = json_array_get(json_object_get(json, "seconds"), 0);
	const json_t *threshold = json_array_get(json_object_get(json, "thresholds"), 0);
	const json_t *places[] = { json, flow, step, second, json_object_get(json, "warmup") };
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		assert_null(json_object_get(places[i], "response_time_us"));
		assert_non_null(json_object_get(json_object_get(places[i], "unverified"), "response_time_us"));
	}
	assert_null(json_object_get(threshold, "value"));
	assert_null(json_object_get(json, "set_up"));
	assert_non_null(json_object_get(json_object_get(json_object_get(json, "unverified"), "set_up"), "tls_us"));
	json_decref(json);
	run_record_finish(&run);
}

/* <path>: keys and indices, "flows/0/name". <value> taken; NULL removes the member. */
static void spoil(json_t *json, const char *path, json_t *value)
{
	char copy[128], *rest = copy, *part, *key = NULL;
	json_t *at = json;
	snprintf(copy, sizeof(copy), "%s", path);
	while ((part = strsep(&rest, "/"))) {
		if (key)
			at = json_is_array(at) ? json_array_get(at, (size_t)atoi(key)) : json_object_get(at, key);
		key = part;
	}
	assert_non_null(json_object_get(at, key));
	assert_int_equal(value ? json_object_set_new(at, key, value) : json_object_del(at, key), 0);
}

static json_t *many(size_t count)
{
	json_t *array = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_object());
	return array;
}

static void wrong_members_are_named(void **state)
{
	const struct {
		const char *path;
		json_t *value;
		const char *says;
	} cases[] = {
		{ "schema", json_string("weir.run.v2"), "record: schema must be \"weir.run.v1\"" },
		{ "id", NULL, "record: id must be an id of at most 26 characters, but is missing" },
		{ "id", json_string("0123456789012345678901234567"), "id must be" },
		{ "started_at", json_string("2026-13-01T00:00:00.000Z"), "started_at must be a time" },
		{ "started_at", json_string("2026-01-01T00:00:00.000Z and a long tail"), "started_at must be a time" },
		{ "duration_s", json_real(1e300), "duration_s must be a time in seconds" },
		{ "verdict", json_string("great"), "verdict must be one of met, not-met, invalid, aborted" },
		{ "validity/state", json_integer(1), "validity.state must be one of" },
		{ "validity/reasons", many(RUN_REASONS_MAX + 1),
		  "validity.reasons must be an array of at most 8 items" },
		{ "validity/send_lag_us/histogram", json_string("HISTFAAAA"), "validity.send_lag_us must be" },
		{ "load/arrivals", json_integer(-1), "load.arrivals must be a whole number that is not negative" },
		{ "load/users_max", json_integer(INT64_C(1) << 40), "load.users_max must be below 4294967296" },
		{ "requests/errors/timeout", NULL, "requests.errors.timeout must be" },
		{ "response_time_us/count", json_integer(5),
		  "response_time_us must be a histogram that agrees with its count" },
		{ "response_time_us/max", json_integer(1),
		  "response_time_us must be a histogram that agrees with its min" },
		{ "warmup/failed", NULL, "warmup.failed must be" },
		{ "warmup/response_time_us", NULL, "warmup.response_time_us must be" },
		{ "set_up", json_array(), "set_up must be an object" },
		{ "set_up/tls_us/count", json_integer(5), "set_up.tls_us must be a histogram that agrees" },
		{ "flows", many(257), "flows must be an array of at most 256 items" },
		{ "flows/1/steps", many(1024), "flows[1].steps must be an array of at most 1023 items" },
		{ "flows/1/steps/1/requests", json_string("2"), "flows[1].steps[1].requests must be a whole number" },
		{ "checks", json_object(), "checks must be an array" },
		{ "thresholds/0/met", json_integer(1), "thresholds[0].met must be true or false" },
		{ "samples/0/error", json_string("gremlins"), "samples[0].error must be one of dns" },
		{ "seconds/1/second", json_integer(INT64_C(1) << 40), "seconds[1] must be a second within 68 years" },
		{ "seconds/0/phase", json_string("storm"), "seconds[0].phase must be one of unknown, warm-up, ramp" },
		{ "seconds/0/cpu", json_true(), "seconds[0].cpu must be a number" },
		{ "resources", json_object(), "resources must be an array" },
		{ "resources", many(SERIES_COUNT_MAX + 1), "resources must be an array of at most 512 items" },
		{ "resources/0/unit", NULL, "resources[0].unit must be" },
		{ "resources/1/values", many(3), "resources[1].values must be as many values as there are seconds" },
		{ "resources/0/values", json_pack("[n, s]", "1"), "resources[0].values[1] must be a number or null" },
		{ "manifest", json_array(), "manifest must be an object" },
	};
	struct run_record run, again;
	sample_run(&run, "01RUN", "critical-flows", RUN_VALID, 1);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = { 0 };
		json_t *json = run_record_encode(&run, RUN_JSON_HISTOGRAMS);
		spoil(json, cases[i].path, cases[i].value);
		assert_int_equal(run_record_decode(json, &again, &err), -1);
		assert_int_equal(err.kind, ERR_SYNTAX);
		if (!strstr(err.text, cases[i].says))
			fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].path, err.text, cases[i].says);
		json_decref(json);
	}
	run_record_finish(&run);
}

static void what_was_not_read_is_not_zero(void **state)
{
	struct run_record run, again;
	sample_run(&run, "01RUN", "critical-flows", RUN_VALID, 1);
	char *text = text_of(&run, RUN_JSON_HISTOGRAMS);
	decode_text(text, &again);
	assert_int_equal(again.resource_count, 2);
	assert_string_equal(again.resources[0].name, "app cpu");
	assert_string_equal(again.resources[0].unit, "cores");
	assert_int_equal(again.resources[0].count, 2);
	assert_true(isnan(again.resources[0].values[0]));
	assert_float_equal(again.resources[0].values[1], 0.1, 0);
	assert_float_equal(again.resources[0].limit, 2, 0);
	assert_null(again.resources[0].why_missing);
	assert_true(isnan(again.resources[1].limit));
	assert_string_equal(again.resources[1].why_missing, "http://127.0.0.1:1/: connect");
	free(text);
	run_record_finish(&run);
	run_record_finish(&again);
}

static void summaries_say_what_was_observed(void **state)
{
	struct run_record run;
	sample_run(&run, "01RUN", "critical-flows", RUN_VALID, 1);
	json_t *json = run_record_encode(&run, RUN_JSON_SUMMARY);
	const json_t *cpu = json_array_get(json_object_get(json, "resources"), 0);
	const json_t *queue = json_array_get(json_object_get(json, "resources"), 1);
	assert_float_equal(json_number_value(json_object_get(cpu, "mean")), 0.1, 0);
	assert_float_equal(json_number_value(json_object_get(cpu, "max")), 0.1, 0);
	assert_int_equal(json_integer_value(json_object_get(cpu, "samples")), 1);
	/* The missing one lies in the warm-up, which a summary is not about. */
	assert_int_equal(json_integer_value(json_object_get(cpu, "missing")), 0);
	assert_null(json_object_get(cpu, "values"));
	assert_true(json_is_null(json_object_get(queue, "mean")));
	assert_int_equal(json_integer_value(json_object_get(queue, "missing")), 1);
	json_decref(json);
	run_record_finish(&run);
}

/* As the first version wrote it: without all that came later. */
static void make_old(json_t *json)
{
	static const char *const later[] = { "resources", "retries", "redirects", "set_up", "warmup" };
	static const char *const later_of_seconds[] = { "turn_max_us", "steal", "descriptors", "phase", "local_ports" };
	json_t *second, *unverified = json_object_get(json, "unverified");
	size_t i;
	json_object_del(
		json_array_get(json_object_get(unverified && json_object_get(unverified, "samples") ? unverified : json,
	                                       "samples"),
	                       0),
		"count");
	for (size_t k = 0; k < ARRAY_LEN(later); k++)
		json_object_del(unverified && json_object_get(unverified, later[k]) ? unverified : json, later[k]);
	json_array_foreach(json_object_get(json, "seconds"), i, second) for (size_t k = 0;
	                                                                     k < ARRAY_LEN(later_of_seconds); k++)
		assert_int_equal(json_object_del(second, later_of_seconds[k]), 0);
}

static void records_of_the_first_version_are_read(void **state)
{
	static const enum run_validity validities[] = { RUN_VALID, RUN_NOT_VALID };
	for (size_t i = 0; i < ARRAY_LEN(validities); i++) {
		struct run_record run, again;
		struct err err = { 0 };
		sample_run(&run, "01RUN", "critical-flows", validities[i], 1);
		json_t *json = run_record_encode(&run, RUN_JSON_HISTOGRAMS);
		make_old(json);
		if (run_record_decode(json, &again, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(again.resource_count, 0);
		assert_int_equal(hist_max(&again.response), hist_max(&run.response));
		assert_int_equal(hist_count(&again.set_up[SET_UP_CONNECT]), 0);
		hist_record(&again.set_up[SET_UP_CONNECT], 5); /* it is a whole histogram */
		assert_int_equal(again.warmup.requests, 0);
		hist_record(&again.warmup.response, 5);
		assert_int_equal(again.seconds[1].descriptors, 0);
		assert_int_equal(again.seconds[1].phase, PHASE_UNKNOWN);
		assert_int_equal(again.seconds[1].ports, 0);
		assert_int_equal(again.samples[0].count, 1);
		json_decref(json);
		run_record_finish(&run);
		run_record_finish(&again);
	}
}

/* Files that older versions wrote: the first one, and the one that began to keep phases and the warm-up. */
static void stored_files_are_read(void **state)
{
	static const struct {
		const char *file;
		size_t seconds;
		uint64_t warmup;
		enum second_phase last;
	} stored[] = {
		{ STORED_FOLDER "/run.json", 2, 0, PHASE_UNKNOWN },
		{ STORED_FOLDER "/run-invalid.json", 2, 0, PHASE_UNKNOWN },
		{ STORED_FOLDER "/run-phases.json", 4, 10, PHASE_STEADY },
	};
	for (size_t i = 0; i < ARRAY_LEN(stored); i++) {
		struct run_record run;
		struct err err = { 0 };
		json_t *json = json_load_file(stored[i].file, 0, NULL);
		assert_non_null(json);
		if (run_record_decode(json, &run, &err) < 0)
			fail_msg("%s: %s", stored[i].file, err.text);
		assert_int_equal(run.second_count, stored[i].seconds);
		assert_int_equal(run.warmup.requests, stored[i].warmup);
		assert_int_equal(hist_count(&run.warmup.response), stored[i].warmup);
		assert_int_equal(run.seconds[run.second_count - 1].phase, stored[i].last);
		assert_true(hist_count(&run.response) > 0);
		run_record_finish(&run);
		json_decref(json);
	}
}

static void no_object_is_no_record(void **state)
{
	struct run_record run;
	struct err err = { 0 };
	json_t *json = json_integer(3);
	assert_int_equal(run_record_decode(json, &run, &err), -1);
	assert_string_equal(err.text, "record: the whole must be an object");
	assert_int_equal(run_record_decode(NULL, &run, NULL), -1);
	json_decref(json);
}

static void text_that_is_not_utf8_is_kept_readable(void **state)
{
	struct run_record run, again;
	sample_run(&run, "01RUN", "caf\xe9", RUN_VALID, 1);
	char *text = text_of(&run, RUN_JSON_HISTOGRAMS);
	decode_text(text, &again);
	assert_string_equal(again.name, "caf?");
	free(text);
	run_record_finish(&run);
	run_record_finish(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_encoded_comes_back),
		cmocka_unit_test(an_empty_run_comes_back),
		cmocka_unit_test(summaries_have_the_keys_of_the_contract),
		cmocka_unit_test(figures_of_invalid_runs_are_not_where_programs_look),
		cmocka_unit_test(wrong_members_are_named),
		cmocka_unit_test(what_was_not_read_is_not_zero),
		cmocka_unit_test(summaries_say_what_was_observed),
		cmocka_unit_test(records_of_the_first_version_are_read),
		cmocka_unit_test(stored_files_are_read),
		cmocka_unit_test(no_object_is_no_record),
		cmocka_unit_test(text_that_is_not_utf8_is_kept_readable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
