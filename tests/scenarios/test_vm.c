#include "scenarios/vm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/must.h"

#define NOW ((struct wall){ 1767225600123 * MILLISECOND }) /* 2026-01-01T00:00:00.123Z */

#define TEXT(steps)                                                                    \
	"{\"name\":\"n\",\"target\":\"http://h:81/base\",\"vars\":{\"plain\":\"p q\"," \
	"\"made\":\"u${user.id}-${iteration}\"},"                                      \
	"\"flows\":{\"a\":{\"weight\":3,\"steps\":[" steps "]},\"b\":{\"weight\":1,"   \
	"\"steps\":[{\"get\":\"/b\"}]}},"                                              \
	"\"load\":[{\"executor\":\"constant-users\",\"users\":1,\"for\":\"1s\"}]}"

/* One user before a scripted world. */
struct fixture {
	struct program *program;
	struct vm_shared shared;
	struct vm vm;
};

static void begin(struct fixture *f, const char *text)
{
	struct doc doc;
	struct buf said;
	const struct program_inputs in = { 0 };
	doc_init(&doc, "text", str_from(text));
	buf_init(&said, 1u << 16);
	f->program = NULL;
	if (program_compile(&doc, &in, &f->program) < 0) {
		diags_write(&doc.diags, &said);
		fail_msg("%s", buf_cstr(&said));
	}
	buf_finish(&said);
	doc_finish(&doc);
	vm_shared_init(&f->shared, f->program, 0, 1, 99);
	vm_init(&f->vm, &f->shared, 4);
	vm_begin(&f->vm, 0, 17, NOW);
}

static void end(struct fixture *f)
{
	vm_finish(&f->vm);
	vm_shared_finish(&f->shared);
	program_destroy(f->program);
}

/* Feeds <body> in pieces of <piece> bytes and resumes. */
static enum vm_stop answer(struct fixture *f, int status, const char *body, size_t piece, dur_ns took)
{
	const struct vm_reply reply = { .status = status, .response_time = took };
	for (struct str rest = str_from(body); rest.len; rest = str_from_at(rest, piece))
		vm_body(&f->vm, str_first(rest, piece));
	return vm_resume(&f->vm, &reply, NOW);
}

static void values_are_escaped_for_their_place(void **state)
{
	struct fixture f;
	begin(&f, TEXT("{\"get\":\"/x\",\"extract\":{\"v\":{\"json\":\"/v\"}}},"
	               "{\"post\":\"/y/${v}?q=${plain}\",\"json\":{\"k\":\"<${v}>\",\"n\":\"${made}\"},"
	               "\"headers\":{\"X-V\":\"${plain}!\",\"X-C\":\"c\",\"X-M\":\"${made}\"}},"
	               "{\"put\":\"/z\",\"body\":\"raw ${v}\"}"));
	assert_int_equal(vm_resume(&f.vm, NULL, NOW), VM_REQUEST);
	assert_true(str_is(f.vm.request.url, "http://h:81/base/x"));
	assert_true(str_is(f.vm.request.path, "/base/x"));
	assert_string_equal(f.vm.request.method, "GET");
	assert_false(f.vm.request.has_body);
	assert_int_equal(answer(&f, 200, "{\"v\":\"a/\\\"b\\\\ \\u00e9\"}", 1, 0), VM_REQUEST);
	assert_int_equal(f.vm.outcome.failure, VM_PASSED);
	assert_true(str_is(f.vm.request.path, "/base/y/a%2F%22b%5C%20%C3%A9?q=p%20q"));
	assert_true(str_is(f.vm.request.body, "{\"k\":\"<a/\\\"b\\\\ \xc3\xa9>\",\"n\":\"u4-17\"}"));
	assert_int_equal(f.vm.request.header_count, 4);
	assert_true(str_is(f.vm.request.headers[0].value, "p q!"));
	assert_true(str_is(f.vm.request.headers[1].value, "c"));
	assert_true(str_is(f.vm.request.headers[2].value, "u4-17"));
	assert_true(str_is(f.vm.request.headers[3].value, "application/json"));
	assert_int_equal(answer(&f, 200, "", 1, 0), VM_REQUEST);
	assert_true(str_is(f.vm.request.body, "raw a/\"b\\ \xc3\xa9"));
	assert_int_equal(answer(&f, 204, "", 1, 0), VM_ITERATION_END);
	assert_false(f.vm.iteration_failed);
	end(&f);
}

#define CHECKED                                                                                        \
	TEXT("{\"get\":\"/\",\"check\":[{\"status\":[200,\"3xx\"]},{\"json\":\"/a\",\"exists\":true}," \
	     "{\"json\":\"/e\",\"exists\":false},"                                                     \
	     "{\"json\":\"/n\",\"equals\":1.5},{\"json\":\"/s\",\"equals\":\"ok\"},{\"json\":\"/t\","  \
	     "\"equals\":true},{\"json\":\"/z\",\"equals\":null},"                                     \
	     "{\"time\":\"< 100ms\"},{\"body\":{\"contains\":\"aabaac\"}}]}")
#define GOOD "{\"a\":[],\"n\":15e-1,\"s\":\"ok\",\"t\":true,\"z\":null,\"x\":\"aabaabaac\"}"

static void checks_pass_and_fail_one_by_one(void **state)
{
	static const struct {
		int status;
		dur_ns took;
		const char *body;
		uint64_t failed;
		enum vm_failure failure;
		const char *text;
	} cases[] = {
		{ 200, 1, GOOD, 0, VM_PASSED, "" },
		{ 302, 99 * MILLISECOND, GOOD, 0, VM_PASSED, "" },
		{ 201, 1, GOOD, 1, VM_STATUS_FAILED, "status 200,3xx: got 201" },
		{ 200, 100 * MILLISECOND, GOOD, 1 << 7, VM_CHECK_FAILED, "time < 100ms: took 100 ms" },
		{ 200, 1, "{\"n\":1.50,\"s\":\"ok\",\"t\":true,\"z\":null,\"x\":\"aabaac\"}", 1 << 1, VM_CHECK_FAILED,
		  "json /a exists: found nothing" },
		{ 200, 1, "{\"e\":0,\"a\":1,\"n\":1.5,\"s\":\"ok\",\"t\":true,\"z\":null,\"x\":\"aabaac\"}", 1 << 2,
		  VM_CHECK_FAILED, "json /e is absent: found a number" },
		{ 200, 1, "{\"a\":1,\"n\":\"1.5\",\"s\":\"o\\nk\",\"t\":false,\"z\":0,\"x\":\"aabaa\"}",
		  1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 8, VM_CHECK_FAILED, "json /n equals 1.5: found 1.5" },
		{ 500, 1, "<html>", 0x17f, VM_STATUS_FAILED, "status 200,3xx: got 500" },
		{ 200, 1, "<html>", 0x17e, VM_CHECK_FAILED, "json /a exists: the body is not JSON" },
		{ 200, 1, "", 0x17e, VM_CHECK_FAILED, "json /a exists: the body is not JSON" },
	};
	struct fixture f;
	begin(&f, CHECKED);
	for (size_t piece = 1; piece < 60; piece += 7) {
		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			vm_begin(&f.vm, 0, i, NOW);
			assert_int_equal(vm_resume(&f.vm, NULL, NOW), VM_REQUEST);
			assert_int_equal(answer(&f, cases[i].status, cases[i].body, piece, cases[i].took),
			                 VM_ITERATION_END);
			if (f.vm.outcome.failed_checks != cases[i].failed)
				fail_msg("case %zu: %llx", i, (unsigned long long)f.vm.outcome.failed_checks);
			assert_int_equal(f.vm.outcome.failure, cases[i].failure);
			assert_string_equal(f.vm.outcome.text, cases[i].text);
			assert_true(f.vm.outcome.checked && !f.vm.outcome.ends_iteration);
			assert_int_equal(f.vm.iteration_failed, cases[i].failure != VM_PASSED);
		}
	}
	end(&f);
}

static void a_step_without_status_check_has_one(void **state)
{
	struct fixture f;
	begin(&f, TEXT("{\"get\":\"/\"},{\"get\":\"/2\"}"));
	assert_int_equal(vm_resume(&f.vm, NULL, NOW), VM_REQUEST);
	assert_int_equal(answer(&f, 404, "", 1, 0), VM_REQUEST); /* a failed check does not end the iteration */
	assert_int_equal(f.vm.outcome.failure, VM_STATUS_FAILED);
	assert_int_equal(f.vm.outcome.step, 0);
	assert_int_equal(f.vm.request.step, 1);
	assert_string_equal(f.vm.outcome.text, "status 200-399: got 404");
	assert_int_equal(answer(&f, 399, "", 1, 0), VM_ITERATION_END);
	assert_int_equal(f.vm.outcome.failure, VM_PASSED);
	assert_true(f.vm.iteration_failed);
	end(&f);
}

static void extractions_end_the_iteration_when_they_find_nothing(void **state)
{
	static const char *const bodies[] = { "{}", "{\"id\":{}}", "{\"id\":null}", "nothing", "{\"id\":\"cut" };
	struct fixture f;
	begin(&f, TEXT("{\"get\":\"/\",\"extract\":{\"id\":{\"json\":\"/id\"},"
	               "\"place\":{\"header\":\"Location\"}}},{\"get\":\"/${id}${place}\"}"));
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		vm_begin(&f.vm, 0, i, NOW);
		assert_int_equal(vm_resume(&f.vm, NULL, NOW), VM_REQUEST);
		vm_header(&f.vm, STR("Location"), STR("/x"));
		assert_int_equal(answer(&f, 200, bodies[i], 2, 0), VM_ITERATION_END);
		assert_int_equal(f.vm.outcome.failure, VM_CHECK_FAILED);
		assert_true(f.vm.outcome.ends_iteration);
		assert_non_null(strstr(f.vm.outcome.text, "id from json /id"));
	}
	vm_begin(&f.vm, 0, 9, NOW);
	assert_int_equal(vm_resume(&f.vm, NULL, NOW), VM_REQUEST);
	assert_int_equal(answer(&f, 200, "{\"id\":1}", 2, 0), VM_ITERATION_END);
	assert_string_equal(f.vm.outcome.text, "place from header Location: the answer has no such header");
	vm_begin(&f.vm, 0, 10, NOW);
	assert_int_equal(vm_resume(&f.vm, NULL, NOW), VM_REQUEST);
	vm_header(&f.vm, STR("location"), STR("first"));
	vm_header(&f.vm, STR("Location"), STR("second"));
	assert_int_equal(answer(&f, 200, "{\"id\":12}", 2, 0), VM_REQUEST);
	assert_true(str_is(f.vm.request.path, "/base/12first"));
	end(&f);
}

static void a_failed_transport_ends_the_iteration(void **state)
{
	const struct vm_reply reply = { .transport_failed = true };
	struct fixture f;
	begin(&f, CHECKED);
	assert_int_equal(vm_resume(&f.vm, NULL, NOW), VM_REQUEST);
	vm_body(&f.vm, STR("{\"a\":"));
	assert_int_equal(vm_resume(&f.vm, &reply, NOW), VM_ITERATION_END);
	assert_int_equal(f.vm.outcome.failure, VM_TRANSPORT_FAILED);
	assert_false(f.vm.outcome.checked);
	assert_true(f.vm.iteration_failed);
	end(&f);
}

static void an_answer_can_start_again(void **state)
{
	struct fixture f;
	begin(&f, CHECKED);
	assert_int_equal(vm_resume(&f.vm, NULL, NOW), VM_REQUEST);
	vm_body(&f.vm, STR("{\"e\":1,\"aabaac\""));
	vm_reply_restart(&f.vm);
	assert_int_equal(answer(&f, 200, GOOD, 5, 0), VM_ITERATION_END);
	assert_int_equal(f.vm.outcome.failure, VM_PASSED);
	end(&f);
}

static void what_cannot_be_rendered_is_said(void **state)
{
	struct fixture f;
	begin(&f, TEXT("{\"get\":\"/\",\"extract\":{\"v\":{\"json\":\"/v\"}}},{\"get\":\"/2\","
	               "\"headers\":{\"X-V\":\"a${v}\"}}"));
	assert_int_equal(vm_resume(&f.vm, NULL, NOW), VM_REQUEST);
	assert_int_equal(answer(&f, 500, "{\"v\":\"x\\r\\nX-Evil: 1\"}", 3, 0), VM_PAUSE);
	assert_int_equal(f.vm.pause_ns, 10 * MILLISECOND);
	assert_false(f.vm.pause_in_step);
	/* The answer before it was judged all the same. */
	assert_int_equal(f.vm.outcome.failure, VM_STATUS_FAILED);
	assert_string_equal(f.vm.outcome.text, "status 200-399: got 500");
	assert_int_equal(vm_resume(&f.vm, NULL, NOW), VM_FAILED);
	assert_string_equal(f.vm.problem, "X-V: the value of a variable cannot stand in a header");
	assert_true(f.vm.iteration_failed);
	end(&f);
	begin(&f, TEXT("{\"get\":\"/\",\"extract\":{\"v\":{\"json\":\"/v\"}}},{\"get\":\"/${v}${v}${v}\"}"));
	char body[4096];
	memset(body, 'x', sizeof(body));
	snprintf(body, 7, "{\"v\":\"");
	body[6] = 'x';
	snprintf(body + sizeof(body) - 3, 3, "\"}");
	assert_int_equal(vm_resume(&f.vm, NULL, NOW), VM_REQUEST);
	assert_int_equal(answer(&f, 200, body, 100, 0), VM_PAUSE);
	assert_int_equal(vm_resume(&f.vm, NULL, NOW), VM_FAILED);
	assert_string_equal(f.vm.problem, "URL: the rendered text is too long");
	vm_begin(&f.vm, 1, 0, NOW);
	assert_int_equal(vm_resume(&f.vm, NULL, NOW), VM_REQUEST);
	end(&f);
}

static void generated_values_have_their_shape(void **state)
{
	struct fixture f;
	begin(&f, TEXT("{\"put\":\"/\",\"body\":\"${uuid} ${random.int(-2,2)} ${random.string(8)}\"}"));
	bool seen[5] = { false };
	for (int i = 0; i < 200; i++) {
		int number;
		char uuid[40], letters[20];
		vm_begin(&f.vm, 0, 0, NOW);
		assert_int_equal(vm_resume(&f.vm, NULL, NOW), VM_REQUEST);
		char text[128];
		snprintf(text, sizeof(text), "%.*s", STR_ARG(f.vm.request.body));
		assert_int_equal(sscanf(text, "%39s %d %19s", uuid, &number, letters), 3);
		assert_int_equal(strlen(uuid), 36);
		assert_true(uuid[8] == '-' && uuid[13] == '-' && uuid[14] == '4' && uuid[18] == '-' &&
		            strchr("89ab", uuid[19]));
		assert_in_range(number + 2, 0, 4);
		seen[number + 2] = true;
		assert_int_equal(strlen(letters), 8);
	}
	for (int i = 0; i < 5; i++)
		assert_true(seen[i]);
	end(&f);
}

static void pauses_and_picks(void **state)
{
	struct fixture f;
	int first = 0;
	begin(&f, TEXT("{\"get\":\"/\"},{\"pause\":\"0\"},{\"pause\":\"1s..3s\"},{\"get\":\"/2\"}"));
	assert_int_equal(vm_resume(&f.vm, NULL, NOW), VM_REQUEST);
	assert_int_equal(answer(&f, 200, "", 1, 0), VM_PAUSE);
	assert_in_range(f.vm.pause_ns, SECOND, 3 * SECOND);
	assert_int_equal(vm_resume(&f.vm, NULL, NOW), VM_REQUEST);
	for (int i = 0; i < 10000; i++)
		first += vm_pick_flow(&f.vm, &f.program->executors[0]) == 0;
	assert_in_range(first, 7300, 7700); /* 3/4, within 4.6 standard deviations */
	end(&f);
}

/* Every way to get memory is wrapped by the linker (see scenarios/meson.build) and counted. */
static uint64_t allocations;
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
int __real_vasprintf(char **ret, const char *format, va_list args);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
int __wrap_vasprintf(char **ret, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

void *__wrap_malloc(size_t size)
{
	allocations++;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	allocations++;
	return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	allocations++;
	return __real_realloc(old, size);
}

int __wrap_vasprintf(char **ret, const char *format, va_list args)
{
	allocations++;
	return __real_vasprintf(ret, format, args);
}

static void nothing_is_allocated_after_the_first_iteration(void **state)
{
	struct fixture f;
	begin(&f,
	      TEXT("{\"post\":\"/\",\"json\":{\"a\":\"${uuid}${made}\"},"
	           "\"headers\":{\"X-A\":\"${made}\"},\"check\":[{\"json\":\"/a\",\"equals\":\"x\"}],"
	           "\"extract\":{\"v\":{\"json\":\"/v\"},\"w\":{\"header\":\"W\"}}},"
	           "{\"get\":\"/${v}${w}\",\"query\":{\"at\":\"${now.iso}\"},\"redirects\":1,\"retry\":{\"attempts\":2},"
	           "\"check\":[{\"regex\":\"a(b+)\",\"equals\":\"bb\"}]},"
	           "{\"repeat\":2,\"if\":{\"var\":\"v\",\"matches\":\"^val\"},\"steps\":[{\"get\":\"/r\",\"check\":["
	           "{\"body\":{\"contains\":\"x\"}}]}]}"));
	uint64_t after_first = 0;
	assert_true(allocations > 0); /* the counting works */
	for (int i = 0; i < 1000; i++) {
		vm_begin(&f.vm, 0, 5, NOW);
		assert_int_equal(vm_resume(&f.vm, NULL, NOW), VM_REQUEST);
		vm_header(&f.vm, STR("W"), STR("some header"));
		vm_header(&f.vm, STR("Set-Cookie"), STR("sid=0123456789abcdef; Path=/"));
		assert_int_equal(answer(&f, 200, "{\"a\":\"x\",\"v\":\"value\"}", 4, 0), VM_REQUEST);
		assert_int_equal(answer(&f, 503, "", 4, 0), VM_REQUEST);
		vm_header(&f.vm, STR("Location"), STR("/elsewhere"));
		assert_int_equal(answer(&f, 302, "", 4, 0), VM_REQUEST);
		assert_int_equal(answer(&f, 200, "a abb", 4, 0), VM_REQUEST);
		assert_string_equal(f.vm.outcome.text, "");
		assert_int_equal(answer(&f, 200, "x", 4, 0), VM_REQUEST);
		assert_int_equal(answer(&f, 200, "x", 4, 0), VM_ITERATION_END);
		if (i == 0)
			after_first = allocations;
	}
	assert_int_equal(allocations, after_first);
	assert_true(sizeof(struct vm) <= 1280); /* an idle user is small */
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_escaped_for_their_place),
		cmocka_unit_test(checks_pass_and_fail_one_by_one),
		cmocka_unit_test(a_step_without_status_check_has_one),
		cmocka_unit_test(extractions_end_the_iteration_when_they_find_nothing),
		cmocka_unit_test(a_failed_transport_ends_the_iteration),
		cmocka_unit_test(an_answer_can_start_again),
		cmocka_unit_test(what_cannot_be_rendered_is_said),
		cmocka_unit_test(generated_values_have_their_shape),
		cmocka_unit_test(pauses_and_picks),
		cmocka_unit_test(nothing_is_allocated_after_the_first_iteration),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
