#include "scenarios/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/must.h"

#define NOW ((struct wall){ 1767225600123 * MILLISECOND })
#define TEXT                                                                                                                           \
	"{\"name\":\"n\",\"target\":\"http://h\",\"vars\":{\"password\":\"hunter2\",\"pin_secret\":\"123\",\"open\":\"open sesame\","  \
	"\"pw\":\"${env.MY_PASSWORD}\",\"from_cell\":\"<${f.token}>\",\"again\":\"-${pw}-\",\"odd_secret\":\"a/\\\"b c\"},"            \
	"\"feeds\":{\"f\":{\"file\":\"f.csv\"}},"                                                                                      \
	"\"flows\":{\"a\":{\"steps\":[{\"post\":\"/${f.token}/${env.PATH_TOKEN}\",\"json\":{\"api_key\":\"literal-key\",\"k\":1}}]}}," \
	"\"load\":[{\"executor\":\"constant-users\",\"users\":1,\"for\":\"1s\"}]}"

static int read_rows(void *arg, const char *name, struct buf *out, struct err *err)
{
	return buf_add(out, STR("user,token\nann,cell-token\nbob,other-token\n")) ? 0 : -1;
}

static const char *get_env(void *arg, const char *name)
{
	return strcmp(name, "MY_PASSWORD") == 0 ? "env-pass" : strcmp(name, "PATH_TOKEN") == 0 ? "in-path" : NULL;
}

typedef void writer(const struct vm *vm, struct str text, struct buf *out);

static void what_is_secret_is_not_shown(void **state)
{
	static const struct {
		writer *write;
		const char *text, *shown;
	} cases[] = {
		{ redact_text, "a hunter2, hunter22 and open sesame", "a ***, ***2 and open sesame" },
		{ redact_text, "pin 123 is too short to be looked for", "pin 123 is too short to be looked for" },
		{ redact_text, "cell-token other-token", "*** other-token" }, /* the row of this iteration */
		{ redact_text, "x literal-key x", "x *** x" },
		{ redact_text, "{\"a\":[{\"Password\":\"x\"}],\"b\":\"hunter2\"}",
		  "{\"a\":[{\"Password\":\"***\"}],\"b\":\"***\"}" },
		{ redact_text, "{ \"a\" : 1 }", "{ \"a\" : 1 }" },
		{ redact_text, "{\"token\":{\"deep\":1}}", "{\"token\":\"***\"}" },
		{ redact_text, "user=ann&password=abc&x=hunter2", "user=ann&password=***&x=***" },
		{ redact_text, "", "" },
		{ redact_text, "x env-pass <cell-token> -env-pass- in-path", "x *** *** *** ***" },
		{ redact_text, "a/\"b c, a%2f%22b%20c, a%2F\\\"b c, a\\/\\u0022b c, a%2F%22b%2",
		  "***, ***, ***, ***, a%2F%22b%2" },
		{ redact_text, "api%5Fkey=xyz&b=2", "api%5Fkey=***&b=2" },
		{ redact_url, "/in-path?api%5fkey=xyz#a=1&access_token=uvw",
		  "/***?api%5fkey=***#a=1&access_token=***" },
		{ redact_url, "/cb#id_token=uvw", "/cb#id_token=***" },
		{ redact_url, "http://h/cell-token?a=1&access_token=xyz&b=2", "http://h/***?a=1&access_token=***&b=2" },
		{ redact_url, "http://h/x", "http://h/x" },
	};
	const struct program_inputs in = { .read_file = read_rows, .get_env = get_env };
	struct program *p = NULL;
	struct vm_shared shared;
	struct vm vm;
	struct doc doc;
	struct buf out;
	doc_init(&doc, "text", str_from(TEXT));
	assert_int_equal(program_compile(&doc, &in, &p), 0);
	doc_finish(&doc);
	vm_shared_init(&shared, p, 0, 1, 1);
	vm_init(&vm, &shared, 0);
	vm_begin(&vm, 0, 0, NOW);
	assert_int_equal(vm_resume(&vm, NULL, NOW), VM_REQUEST);
	buf_init(&out, 4096);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_clear(&out);
		cases[i].write(&vm, str_from(cases[i].text), &out);
		assert_string_equal(buf_cstr(&out), cases[i].shown);
	}
	buf_clear(&out);
	redact_header(&vm, STR("Set-Cookie"), STR("sid=1"), &out);
	redact_header(&vm, STR("X-Note"), STR("by hunter2"), &out);
	redact_header(&vm, STR("location"), STR("http://h/cb?code=1&token=abc"), &out);
	redact_header(&vm, STR("X-Other"), STR("?token=abc"), &out);
	assert_string_equal(buf_cstr(&out), "Set-Cookie: ***\nX-Note: by ***\n"
	                                    "location: http://h/cb?code=1&token=***\nX-Other: ?token=abc\n");
	buf_finish(&out);
	vm_finish(&vm);
	vm_shared_finish(&shared);
	program_destroy(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_secret_is_not_shown) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
