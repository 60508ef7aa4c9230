#include "scenarios/compile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/must.h"
#include "scenarios/vm.h"

#define NOW ((struct wall){ 1767225600123 * MILLISECOND }) /* 2026-01-01T00:00:00.123Z */

static const char *env(void *arg, const char *name)
{
	return strcmp(name, "SET") == 0 ? "a b\"c" : strcmp(name, "EMPTY") == 0 ? "" : NULL;
}

/* Renders <text> at one place of a step: "get" (a path), "body", "json" or "header". */
static void render(const char *place, const char *text, struct buf *out)
{
	const struct program_inputs in = { .get_env = env };
	struct doc doc;
	struct program *p;
	struct vm_shared shared;
	struct vm vm;
	const bool is_path = strcmp(place, "get") == 0, is_header = strcmp(place, "header") == 0;
	json_t *step = is_path     ? json_pack("{s:s}", "get", text)
	               : is_header ? json_pack("{s:s, s:{s:s}}", "get", "/", "headers", "X-V", text)
	                           : json_pack("{s:s, s:s}", "put", "/", place, text);
	json_t *root = json_pack("{s:s, s:s, s:{s:s, s:i, s:b, s:s, s:s}, s:{s:{s:[o]}}, s:[{s:s, s:i, s:s}]}", "name",
	                         "n", "target", "http://h", "vars", "odd", "x/\"y\" \xc3\xa9", "number", 7, "yes", 1,
	                         "both", "${number}-${odd}", "none", "", "flows", "f", "steps", step, "load",
	                         "executor", "constant-users", "users", 1, "for", "1s");
	char *json = json_dumps(root, 0);
	doc_init(&doc, "text", str_from(json));
	if (program_compile(&doc, &in, &p) < 0) {
		diags_write(&doc.diags, out);
		fail_msg("%s", buf_cstr(out));
	}
	vm_shared_init(&shared, p, 0, 1, 1);
	vm_init(&vm, &shared, 3);
	vm_begin(&vm, 0, 12, NOW);
	assert_int_equal(vm_resume(&vm, NULL, NOW), VM_REQUEST);
	buf_add(out, is_path ? vm.request.path : is_header ? vm.request.headers[0].value : vm.request.body);
	vm_finish(&vm);
	vm_shared_finish(&shared);
	program_destroy(p);
	doc_finish(&doc);
	json_decref(root);
	free(json);
}

static void templates_are_rendered_for_their_place(void **state)
{
	static const struct {
		const char *place, *text, *rendered;
	} cases[] = {
		{ "body", "", "" },
		{ "body", "plain", "plain" },
		{ "body", "$", "$" },
		{ "body", "a$b $1 {x} }", "a$b $1 {x} }" },
		{ "body", "$${odd}", "${odd}" },
		{ "body", "$$${odd}", "$${odd}" },
		{ "body", "${number}", "7" },
		{ "body", "${yes}${none}${number}", "true7" },
		{ "body", "<${odd}>", "<x/\"y\" \xc3\xa9>" },
		{ "body", "${both}", "7-x/\"y\" \xc3\xa9" },
		{ "body", "${iteration} ${user.id}", "12 3" },
		{ "body", "${env.SET}", "a b\"c" },
		{ "body", "${env.UNSET:-dflt:-x}", "dflt:-x" },
		{ "body", "[${env.EMPTY:-dflt}${env.UNSET:-}]", "[]" },
		{ "body", "${random.int(5,5)} ${random.int( -3 , -3 )}", "5 -3" },
		{ "get", "/a%20b/${odd}", "/a%20b/x%2F%22y%22%20%C3%A9" },
		{ "get", "/${env.SET}?n=${number}", "/a%20b%22c?n=7" },
		{ "get", "/${random.int(4, 4)}", "/4" },
		{ "get", "/$${x}", "/${x}" },
		{ "json", "${odd}", "\"x/\\\"y\\\" \xc3\xa9\"" },
		{ "json", "${number}", "\"7\"" },
		{ "json", "a\"b\n${env.SET}", "\"a\\\"b\\u000aa b\\\"c\"" },
		{ "header", "v ${odd}", "v x/\"y\" \xc3\xa9" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf out;
		buf_init(&out, 1u << 16);
		render(cases[i].place, cases[i].text, &out);
		if (!str_is(buf_str(&out), cases[i].rendered))
			fail_msg("%s \"%s\": %s", cases[i].place, cases[i].text, buf_cstr(&out));
		buf_finish(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(templates_are_rendered_for_their_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
