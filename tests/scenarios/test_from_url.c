#include "scenarios/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/must.h"
#include "scenarios/vm.h"

#define NOW ((struct wall){ 1767225600123 * MILLISECOND }) /* 2026-01-01T00:00:00.123Z */

static struct program *compile_url(const struct program_url *u)
{
	struct buf text, said;
	struct err err;
	struct doc doc;
	struct program *p = NULL;
	const struct program_inputs in = { 0 };
	buf_init(&text, 1u << 20);
	buf_init(&said, 1u << 20);
	if (program_from_url(u, &text, &err) < 0)
		fail_msg("%s", err.text);
	doc_init(&doc, "command line", buf_str(&text));
	if (program_compile(&doc, &in, &p) < 0) {
		diags_write(&doc.diags, &said);
		fail_msg("%s", buf_cstr(&said));
	}
	doc_finish(&doc);
	buf_finish(&text);
	buf_finish(&said);
	return p;
}

static void the_least_is_a_url(void **state)
{
	struct program *p = compile_url(&(struct program_url){ .url = "http://h:81?x=1#there" });
	assert_string_equal(p->steps[0].method, "GET");
	assert_int_equal(p->target.port, 81);
	assert_int_equal(p->executor_count, 1);
	assert_int_equal(p->executors[0].kind, EXECUTOR_USERS);
	assert_int_equal(p->executors[0].users, 1);
	assert_int_equal(p->duration, 10 * SECOND);
	assert_int_equal(p->steps[0].timeout, 10 * SECOND);
	struct vm_shared shared;
	struct vm vm;
	vm_shared_init(&shared, p, 0, 1, 1);
	vm_init(&vm, &shared, 0);
	vm_begin(&vm, 0, 0, NOW);
	assert_int_equal(vm_resume(&vm, NULL, NOW), VM_REQUEST);
	assert_true(str_is(vm.request.url, "http://h:81/?x=1"));
	assert_true(str_is(vm.request.path, "/?x=1"));
	vm_finish(&vm);
	vm_shared_finish(&shared);
	program_destroy(p);
}

static void everything_arrives_as_it_was_given(void **state)
{
	static const char *const headers[] = { "X-A:  b: ${c} ", "Content-Type: text/plain" };
	static const char *const thresholds[] = { "p95(response_time) < 1s" };
	struct program *p = compile_url(&(struct program_url){
		.url = "https://h/a/${b}?q=%20",
		.headers = headers,
		.header_count = 2,
		.body = "say \"${x}\" $${y}\n",
		.body_bytes = 17,
		.rate = 12.5,
		.users = 7,
		.duration = 3 * SECOND,
		.timeout = 250 * MILLISECOND,
		.warmup = SECOND,
		.thresholds = thresholds,
		.threshold_count = 1,
	});
	const struct executor_plan *x = &p->executors[0];
	assert_int_equal(x->kind, EXECUTOR_RATE);
	assert_true(x->segments[0].from == 12.5 && x->segments[0].to == 12.5);
	assert_int_equal(x->users, 7);
	assert_int_equal(p->duration, 3 * SECOND);
	assert_int_equal(p->warmup, SECOND);
	assert_int_equal(p->threshold_count, 1);
	struct vm_shared shared;
	struct vm vm;
	vm_shared_init(&shared, p, 0, 1, 1);
	vm_init(&vm, &shared, 0);
	vm_begin(&vm, 0, 0, NOW);
	assert_int_equal(vm_resume(&vm, NULL, NOW), VM_REQUEST);
	assert_string_equal(vm.request.method, "POST");
	assert_true(str_is(vm.request.url, "https://h/a/${b}?q=%20"));
	assert_true(str_is(vm.request.body, "say \"${x}\" $${y}\n"));
	assert_int_equal(vm.request.timeout, 250 * MILLISECOND);
	assert_int_equal(vm.request.header_count, 2);
	assert_true(str_is(vm.request.headers[0].name, "X-A"));
	assert_true(str_is(vm.request.headers[0].value, "b: ${c}"));
	vm_finish(&vm);
	vm_shared_finish(&shared);
	program_destroy(p);
}

static void what_cannot_be_is_said(void **state)
{
	static const char *const colonless[] = { "hidden-value" };
	static const char *const nameless[] = { ": x" };
	static const char *const latin[] = { "A: \xe9" };
	static const struct {
		struct program_url u;
		const char *problem;
	} cases[] = {
		{ { .url = "h" }, "absolute URL" },
		{ { .url = "http://u:p@h" }, "Authorization" },
		{ { .url = "http://h", .method = "BREW" }, "BREW" },
		{ { .url = "http://h/\xe9" }, "URL is not UTF-8" },
		{ { .url = "http://h", .body = "\xff", .body_bytes = 1 }, "body is not UTF-8" },
		{ { .url = "http://h", .body = "a\0b", .body_bytes = 3 }, "body is not UTF-8" },
		{ { .url = "http://h", .headers = colonless, .header_count = 1 }, "'Name: value'" },
		{ { .url = "http://h", .headers = nameless, .header_count = 1 }, "'Name: value'" },
		{ { .url = "http://h", .headers = latin, .header_count = 1 }, "header 1 is not UTF-8" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf text;
		struct err err = { 0 };
		buf_init(&text, 1u << 20);
		assert_int_equal(program_from_url(&cases[i].u, &text, &err), -1);
		assert_int_equal(err.kind, ERR_USAGE);
		if (!strstr(err.text, cases[i].problem))
			fail_msg("case %zu: %s", i, err.text);
		assert_null(strstr(err.text, "hidden-value"));
		buf_finish(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_is_a_url),
		cmocka_unit_test(everything_arrives_as_it_was_given),
		cmocka_unit_test(what_cannot_be_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
