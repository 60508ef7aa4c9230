#include "canary/plan.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/must.h"

#define HEAD                                                            \
	"{\"$schema\":\"weir.rollout.v1\",\"service\":\"web\","         \
	"\"stable\":{\"version\":\"1\",\"servers\":[\"10.0.0.1:80\"]}," \
	"\"canary\":{\"version\":\"2\",\"servers\":[\"10.0.0.2:80\"]}," \
	"\"traffic\":{\"driver\":\"haproxy\",\"listen\":\":8000\"},"
#define STAGES "\"stages\":[{\"weight\":\"5%\"},{\"weight\":\"100%\"}]"

static struct plan *read_text(const char *text)
{
	struct doc doc;
	struct buf out;
	doc_init(&doc, "plan.json", str_from(text));
	struct plan *p = plan_read(&doc);
	if (!p) {
		buf_init(&out, 1u << 16);
		diags_write(&doc.diags, &out);
		print_message("# %s", buf_cstr(&out));
		buf_finish(&out);
	}
	doc_finish(&doc);
	assert_non_null(p);
	return p;
}

static void defaults_are_sane(void **state)
{
	struct plan *p = read_text(HEAD STAGES "}");
	assert_string_equal(p->service, "web");
	assert_string_equal(p->environment, "production");
	assert_string_equal(p->traffic.driver, "haproxy");
	assert_string_equal(p->traffic.listen_host, "");
	assert_int_equal(p->traffic.listen_port, 8000);
	assert_null(p->traffic.cookie);
	assert_int_equal(p->traffic.on_controller_death, DEATH_ROLLBACK);
	assert_int_equal(p->traffic.lease, 10 * SECOND);
	assert_int_equal(p->stage_count, 2);
	assert_int_equal(p->stages[0].weight_bp, 500);
	assert_int_equal(p->stages[0].min, MINUTE);
	assert_int_equal(p->stages[0].max, 10 * MINUTE);
	assert_true(p->compare.errors_ratio == 1.5 && p->compare.latency_ratio == 1.5);
	assert_true(p->compare.errors_slack == 0.001 && p->compare.latency_margin == 0.1);
	assert_true(p->compare.alpha == 0.01 && p->compare.slo_quantile == 0);
	assert_int_equal(p->compare.warmup, 20 * SECOND);
	assert_int_equal(p->on_inconclusive, INCONCLUSIVE_EXTEND);
	assert_false(p->accept_low_power);
	assert_int_equal(p->keep_old, 24 * HOUR);
	assert_int_equal(plan_ticks_planned(p), 1200);
	plan_destroy(p);
}

static void everything_is_read(void **state)
{
	struct plan *p = read_text(
		"{\"$schema\":\"weir.rollout.v1\",\"//\":\"a comment\",\"service\":\"web\",\"environment\":\"staging\","
		"\"stable\":{\"version\":\"1.4.1\",\"commit\":\"9f2c\",\"servers\":[\"10.0.0.1:80\",\"[::1]:81\"]},"
		"\"canary\":{\"version\":\"1.4.2\",\"servers\":[\"app-9.internal:8080\"]},"
		"\"traffic\":{\"driver\":\"haproxy\",\"mode\":\"managed\",\"listen\":\"127.0.0.1:0\","
		"\"sticky\":{\"cookie\":\"uid\"},\"on_controller_death\":\"hold\",\"lease\":\"15s\"},"
		"\"stages\":[{\"weight\":\"0.01%\",\"min\":\"15m\"},{\"weight\":0.1,\"max\":\"30s\"},{\"weight\":\"95%\"}],"
		"\"compare\":{\"errors\":{\"ratio\":2,\"slack\":\"0.2%\"},"
		"\"latency\":{\"ratio\":1.8,\"margin\":\"20%\",\"slo\":\"p99.9<1.5s\"},\"alpha\":0.005,\"warmup\":\"0\"},"
		"\"baseline\":\"flows@1.4.1\",\"guards\":[{\"http\":\"http://10.0.0.9/h\",\"every\":\"1s\",\"fails\":5}],"
		"\"on_inconclusive\":\"hold\",\"keep_old\":\"2h\",\"accept_low_power\":true}");
	assert_string_equal(p->arms[ARM_STABLE].commit, "9f2c");
	assert_null(p->arms[ARM_CANARY].commit);
	assert_int_equal(p->arms[ARM_STABLE].server_count, 2);
	assert_string_equal(p->arms[ARM_STABLE].servers[1].host, "::1");
	assert_int_equal(p->arms[ARM_STABLE].servers[1].port, 81);
	assert_string_equal(p->arms[ARM_STABLE].servers[1].text, "[::1]:81");
	assert_string_equal(p->traffic.listen_host, "127.0.0.1");
	assert_int_equal(p->traffic.listen_port, 0);
	assert_string_equal(p->traffic.cookie, "uid");
	assert_int_equal(p->traffic.on_controller_death, DEATH_HOLD);
	assert_int_equal(p->stages[0].weight_bp, 1);
	assert_int_equal(p->stages[0].max, 30 * MINUTE); /* a long min moves the max with it */
	assert_int_equal(p->stages[1].weight_bp, 1000);
	assert_int_equal(p->stages[1].min, 30 * SECOND); /* and a short max the min */
	assert_int_equal(p->stages[2].weight_bp, 9500);
	assert_true(p->compare.slo_quantile > 0.99899 && p->compare.slo_quantile < 0.99901);
	assert_int_equal(p->compare.slo_limit, 1500 * MILLISECOND);
	assert_int_equal(p->compare.warmup, 0);
	assert_string_equal(p->baseline, "flows@1.4.1");
	assert_int_equal(p->guard_count, 1);
	assert_int_equal(p->guards[0].fails, 5);
	assert_int_equal(p->keep_old, 2 * HOUR);
	assert_true(p->accept_low_power);
	plan_destroy(p);
}

static void presets_are_stages(void **state)
{
	static const struct {
		const char *word;
		int32_t weights[12];
	} cases[] = {
		{ "canary", { 500, 1000, 2500, 5000, 7500, 10000 } },
		{ "linear:10%", { 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10000 } },
		{ "linear:30%", { 3000, 6000, 9000, 10000 } },
		{ "blue-green", { 0, 1000, 5000, 10000 } },
	};
	for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
		char text[1024];
		snprintf(text, sizeof(text), HEAD "\"stages\":\"%s\"}", cases[c].word);
		struct plan *p = read_text(text);
		assert_string_equal(p->preset, cases[c].word);
		for (size_t i = 0; i < p->stage_count; i++)
			assert_int_equal(p->stages[i].weight_bp, cases[c].weights[i]);
		assert_int_equal(p->stages[p->stage_count - 1].weight_bp, WEIGHT_FULL_BP);
		plan_destroy(p);
	}
}

static void hash_of(const char *text, char ret_hash[PLAN_HASH_BYTES])
{
	struct plan *p = read_text(text);
	plan_text_hash(p, ret_hash);
	plan_destroy(p);
}

static void hash_follows_the_meaning(void **state)
{
	char first[PLAN_HASH_BYTES], other[PLAN_HASH_BYTES];
	hash_of(HEAD STAGES "}", first);
	assert_int_equal(strlen(first), 16);
	hash_of(HEAD "\n  \"//\": \"why\", \"compare\":{\"alpha\":0.01}, \"keep_old\": \"1h\"," STAGES "}", other);
	assert_string_equal(first, other);
	static const char *const different[] = {
		HEAD "\"compare\":{\"alpha\":0.02}," STAGES "}",
		HEAD "\"environment\":\"x\"," STAGES "}",
		HEAD "\"on_inconclusive\":\"abort\"," STAGES "}",
		HEAD "\"guards\":[{\"http\":\"http://x/\"}]," STAGES "}",
		HEAD "\"stages\":[{\"weight\":\"6%\"},{\"weight\":\"100%\"}]}",
		HEAD "\"stages\":[{\"weight\":\"5%\",\"min\":\"61s\"},{\"weight\":\"100%\"}]}",
	};
	for (size_t i = 0; i < ARRAY_LEN(different); i++) {
		hash_of(different[i], other);
		assert_string_not_equal(first, other);
	}
}

static void weights_are_written_as_people_do(void **state)
{
	char text[WEIGHT_TEXT_BYTES];
	assert_string_equal(weight_format(0, text), "0%");
	assert_string_equal(weight_format(1, text), "0.01%");
	assert_string_equal(weight_format(525, text), "5.25%");
	assert_string_equal(weight_format(10000, text), "100%");
}

/* Reads bad/<name> and compares what is said with bad/<name>.txt. WEIR_WRITE_EXPECTED=1 writes it instead. */
static void check_bad(const char *name)
{
	char path[1024], expected_path[1024 + 8];
	struct doc doc;
	struct buf said, expected;
	struct err err = { 0 };
	snprintf(path, sizeof(path), "%s/%s", CANARY_BAD_PLANS, name);
	snprintf(expected_path, sizeof(expected_path), "%.*s.txt", (int)(strlen(path) - strlen(".json")), path);
	buf_init(&expected, 1u << 16);
	assert_int_equal(file_read(path, &expected, &err), 0);
	doc_init(&doc, name, buf_str(&expected));
	buf_clear(&expected);
	assert_null(plan_read(&doc));
	buf_init(&said, 1u << 16);
	diags_write(&doc.diags, &said);
	if (getenv("WEIR_WRITE_EXPECTED")) {
		FILE *f = fopen(expected_path, "w");
		assert_non_null(f);
		fwrite(buf_cstr(&said), 1, buf_str(&said).len, f);
		fclose(f);
	}
	assert_int_equal(file_read(expected_path, &expected, &err), 0);
	assert_string_equal(buf_cstr(&said), buf_cstr(&expected));
	buf_finish(&said);
	buf_finish(&expected);
	doc_finish(&doc);
}

static void mistakes_are_told_exactly(void **state)
{
	DIR *folder = opendir(CANARY_BAD_PLANS);
	assert_non_null(folder);
	int count = 0;
	for (const struct dirent *e; (e = readdir(folder));) {
		const size_t len = strlen(e->d_name);
		if (len < 5 || strcmp(e->d_name + len - 5, ".json") != 0)
			continue;
		check_bad(e->d_name);
		count++;
	}
	closedir(folder);
	assert_true(count >= 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_sane),
		cmocka_unit_test(everything_is_read),
		cmocka_unit_test(presets_are_stages),
		cmocka_unit_test(hash_follows_the_meaning),
		cmocka_unit_test(weights_are_written_as_people_do),
		cmocka_unit_test(mistakes_are_told_exactly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
