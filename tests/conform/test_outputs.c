/* Every output of a run on every kind of record: well-formed, bounded, honest about invalid runs, deaf to what names and
 * errors from outside try. tests/blackbox/test_outputs.py reads what this leaves in WEIR_OUTPUTS_FOLDER with parsers
 * that are not ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/must.h"
#include "reports/csv.h"
#include "reports/junit_xml.h"
#include "reports/markdown.h"
#include "tests/record/samples.h"
#include "tests/reports/golden.h"

struct kind {
	const char *name;
	size_t limit;
	void (*render)(const struct run_record *r, struct buf *out);
};
static const struct kind kinds[] = {
	{ "junit.xml", JUNIT_BYTES_MAX, report_run_junit },
	{ "csv", CSV_BYTES_MAX, report_run_csv },
	{ "md", MARKDOWN_BYTES_MAX, report_run_markdown },
};

/* What somebody could put into a name, a check, a threshold, an error. */
static const char hostile[] =
	"\033[2J</failure><x a=\"b\" c='d'>&amp;]]>|`*_[a](javascript:b)@all\n### \r\n| a |\x01\xff"
	"\xef\xbf\xbf\xef\xbf\xbe\xe2\x80\xaegr\xc3\xb6\xc3\x9f"
	"e,\"q\"\t<!--";

static void replace(char **text, const char *with)
{
	free(*text);
	*text = xstrdup(with);
}

static void make_hostile(struct run_record *r)
{
	replace(&r->name, hostile);
	r->reasons[r->reason_count++] = xstrdup(hostile);
	for (size_t i = 0; i < r->flow_count; i++) {
		replace(&r->flows[i].name, hostile);
		for (size_t k = 0; k < r->flows[i].step_count; k++)
			replace(&r->flows[i].steps[k].name, hostile);
	}
	for (size_t i = 0; i < r->check_count; i++) {
		replace(&r->checks[i].flow, hostile);
		replace(&r->checks[i].check, hostile);
	}
	replace(&r->thresholds[0].that, hostile);
	r->thresholds[0].met = false;
	struct error_sample failed = r->samples[0];
	failed.text = hostile;
	failed.count = 2;
	error_samples_add(r->samples, &r->sample_count, &failed);
}

/* More flows, steps, checks, thresholds and words than any page shows. */
static void make_huge(struct run_record *r)
{
	char *word = xmalloc(20001);
	memset(word, '<', 20000);
	word[20000] = '\0';
	run_record_finish(r);
	run_record_init(r);
	r->name = xstrdup(word);
	r->verdict = RUN_NOT_MET;
	r->requests = 1000000;
	r->failed = 999999;
	r->errors[RUN_ERROR_CHECK] = 999999;
	run_record_make_flows(r, 40);
	for (size_t i = 0; i < r->flow_count; i++) {
		r->flows[i].name = xstrdup(word);
		flow_record_make_steps(&r->flows[i], 4);
		for (size_t k = 0; k < 4; k++)
			r->flows[i].steps[k].name = xstrdup(word);
	}
	r->checks = xcalloc(500, sizeof(*r->checks));
	for (r->check_count = 0; r->check_count < 500; r->check_count++)
		r->checks[r->check_count] = (struct check_record){ xstrdup(word), xstrdup(word), xstrdup(word), 1, 1 };
	r->thresholds = xcalloc(200, sizeof(*r->thresholds));
	for (r->threshold_count = 0; r->threshold_count < 200; r->threshold_count++)
		r->thresholds[r->threshold_count] = (struct threshold_record){ xstrdup(word), true, 1, false, false };
	for (; r->sample_count < RUN_SAMPLES_MAX; r->sample_count++)
		r->samples[r->sample_count] = (struct error_sample){ RUN_ERROR_CHECK, xstrdup(word), xstrdup(word),
			                                             xstrdup(word), UINT64_MAX };
	free(word);
}

static void make_empty(struct run_record *r)
{
	run_record_finish(r);
	run_record_init(r);
}

enum scene { GOOD, FAILING, SUSPECT, INVALID, ABORTED, EMPTY, HOSTILE, HOSTILE_INVALID, HUGE_ONE, SCENES };
static const char *const scene_names[SCENES] = { "good",  "failing", "suspect",         "invalid", "aborted",
	                                         "empty", "hostile", "hostile-invalid", "huge" };

static void make(struct run_record *r, enum scene scene)
{
	const bool invalid = scene == INVALID || scene == HOSTILE_INVALID;
	if (scene == GOOD) {
		golden_run(r, 1);
		golden_threshold(r, "p95(response_time) < 500ms", 1e6, true, true);
		golden_threshold(r, "p95(response_time, flow=auth) < 500ms", 1e6, true, true);
		return;
	}
	sample_run(r, "01SAMPLE", "sample", invalid ? RUN_NOT_VALID : scene == SUSPECT ? RUN_SUSPECT : RUN_VALID, 7);
	if (scene == ABORTED)
		r->verdict = RUN_ABORTED;
	if (scene == EMPTY)
		make_empty(r);
	if (scene == HOSTILE || scene == HOSTILE_INVALID)
		make_hostile(r);
	if (scene == HUGE_ONE)
		make_huge(r);
}

static void check_bytes(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		assert_true(*c == '\n' || (*c >= 0x20 && *c != 0x7f));
	assert_null(strstr(text, "nan"));
	assert_null(strstr(text, "inf"));
	assert_null(strstr(text, "\xe2\x80\xae"));
}

static void leave(const struct kind *kind, enum scene scene, struct str text)
{
	const char *folder = getenv("WEIR_OUTPUTS_FOLDER");
	struct err err;
	if (!folder)
		return;
	char *path = xasprintf("%s/%s.%s", folder, scene_names[scene], kind->name);
	if (file_replace(path, text, false, &err) < 0)
		fail_msg("%s", err.text);
	free(path);
}

static void every_output_takes_every_record(void **state)
{
	for (enum scene scene = 0; scene < SCENES; scene++) {
		struct run_record r;
		make(&r, scene);
		for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
			struct buf out, again;
			buf_init(&out, kinds[i].limit);
			buf_init(&again, kinds[i].limit);
			kinds[i].render(&r, &out);
			kinds[i].render(&r, &again);
			assert_false(buf_overflowed(&out));
			assert_true(buf_str(&out).len > 0);
			assert_true(str_eq(buf_str(&out), buf_str(&again)));
			check_bytes(buf_cstr(&out));
			leave(&kinds[i], scene, buf_str(&out));
			buf_finish(&out);
			buf_finish(&again);
		}
		run_record_finish(&r);
	}
}

/* The word that an output puts in front of the times of an invalid run, or that it has no times at all. */
static void an_invalid_run_has_no_percentile_of_the_target(void **state)
{
	struct run_record r;
	struct buf out;
	make(&r, INVALID);
	buf_init(&out, CSV_BYTES_MAX);
	report_run_junit(&r, &out);
	assert_null(strstr(buf_cstr(&out), "p95 "));
	assert_null(strstr(buf_cstr(&out),
	                   "<testcase classname=\"auth\" name=\"p95(response_time) &#60; 500ms\" time=\"60.000\"/>"));
	assert_non_null(strstr(buf_cstr(&out), "name=\"the generator was sound\" time=\"60.000\">\n      <failure"));
	assert_non_null(strstr(buf_cstr(&out), "failures=\"1\""));
	buf_clear(&out);
	report_run_markdown(&r, &out);
	const char *unverified = strstr(buf_cstr(&out), "<summary>Unverified");
	assert_non_null(unverified);
	assert_true(strstr(buf_cstr(&out), "| p95 |") > unverified);
	assert_null(strstr(buf_cstr(&out), "criterion"));
	buf_clear(&out);
	report_run_csv(&r, &out);
	assert_null(strstr(buf_cstr(&out), ",response_p"));
	buf_finish(&out);
	run_record_finish(&r);
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;
	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

static void junit_counts_what_it_writes(void **state)
{
	static const struct {
		enum scene scene;
		size_t failures, skipped;
	} cases[] = { { GOOD, 0, 0 }, { FAILING, 2, 0 }, { INVALID, 1, 3 }, { ABORTED, 0, 3 }, { EMPTY, 0, 1 } };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct run_record r;
		struct buf out;
		size_t tests = 0, failures = 0, skipped = 0;
		make(&r, cases[i].scene);
		buf_init(&out, JUNIT_BYTES_MAX);
		report_run_junit(&r, &out);
		const char *text = buf_cstr(&out);
		assert_int_equal(sscanf(strstr(text, " tests="),
		                        " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\"", &tests,
		                        &failures, &skipped),
		                 3);
		assert_int_equal(count(text, "<testcase "), tests);
		assert_int_equal(count(text, "<failure "), failures);
		assert_int_equal(count(text, "<skipped "), skipped);
		assert_int_equal(failures, cases[i].failures);
		assert_int_equal(skipped, cases[i].skipped);
		buf_finish(&out);
		run_record_finish(&r);
	}
}

static void markdown_begins_with_the_verdict(void **state)
{
	static const char *const begins[SCENES] = {
		[GOOD] = "### MET: ",        [FAILING] = "### NOT MET: ", [INVALID] = "### INVALID TEST: ",
		[ABORTED] = "### ABORTED: ", [EMPTY] = "### NO DATA: ",
	};
	for (enum scene scene = 0; scene < SCENES; scene++) {
		struct run_record r;
		struct buf out;
		if (!begins[scene])
			continue;
		make(&r, scene);
		buf_init(&out, MARKDOWN_BYTES_MAX);
		report_run_markdown(&r, &out);
		assert_true(str_starts(buf_str(&out), str_from(begins[scene])));
		assert_int_equal(count(buf_cstr(&out), "<details>"), count(buf_cstr(&out), "</details>"));
		buf_finish(&out);
		run_record_finish(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_output_takes_every_record),
		cmocka_unit_test(an_invalid_run_has_no_percentile_of_the_target),
		cmocka_unit_test(junit_counts_what_it_writes),
		cmocka_unit_test(markdown_begins_with_the_verdict),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
