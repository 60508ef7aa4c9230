/* Any text with slots, in every place that has them: it is compiled and rendered, or refused with places in it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/must.h"
#include "scenarios/vm.h"

#define NOW ((struct wall){ 1767225600123 * MILLISECOND })

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_rows(void *arg, const char *name, struct buf *out, struct err *err)
{
	return buf_add(out, STR("user,key\na&b,1\n\"c\"\"\",\"d\ne\"\n")) ? 0 : -1;
}

/* Every place of a request that takes a template holds <text>. */
static char *scenario(const char *text, size_t size)
{
	json_t *root = json_pack(
		"{s:s, s:s, s:{s:{s:s}}, s:{s:s}, s:{s:{s:[{s:s, s:{s:s%}, s:{s:s%}, s:s%}, {s:s, s:{s:s%}}, {s:s, s:{s:s%}, s:[{s:s, s:s%}]}]}},"
		" s:[{s:s, s:i, s:s}]}",
		"name", "t", "target", "http://h", "feeds", "f", "file", "f.csv", "vars", "v", "a \"b\"", "flows", "a",
		"steps", "post", "/", "query", "q", text, size, "headers", "X-Q", text, size, "body", text, size,
		"post", "/form", "form", "a", text, size, "put", "/json", "json", "k", text, size, "check", "header",
		"X", "equals", text, size, "load", "executor", "constant-users", "users", 1, "for", "1s");
	char *dumped = root ? json_dumps(root, 0) : NULL;
	json_decref(root);
	return dumped;
}

static void run(const struct program *p)
{
	const struct vm_reply reply = { .status = 200 };
	struct vm_shared shared;
	struct vm vm;
	vm_shared_init(&shared, p, 0, 1, 1);
	vm_init(&vm, &shared, 0);
	vm_begin(&vm, 0, 1, NOW);
	for (enum vm_stop stop = vm_resume(&vm, NULL, NOW); stop == VM_REQUEST; stop = vm_resume(&vm, &reply, NOW)) {
		for (uint32_t i = 0; i < vm.request.header_count; i++) {
			const struct str value = vm.request.headers[i].value;
			must(value.len == 0 || !memchr(value.p, '\n', value.len));
		}
		for (size_t i = 0; i < vm.request.url.len; i++)
			must((unsigned char)vm.request.url.p[i] > 0x20);
		vm_header(&vm, STR("X"), STR("1"));
		if (vm.request.step == 2) {
			json_t *body = json_loadb(vm.request.body.p, vm.request.body.len, JSON_ALLOW_NUL, NULL);
			must(body);
			json_decref(body);
		}
	}
	vm_finish(&vm);
	vm_shared_finish(&shared);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct program_inputs in = { .read_file = read_rows };
	struct program *p = NULL;
	struct doc doc;
	char *text = size < 4096 ? scenario((const char *)data, size) : NULL;
	if (!text)
		return 0; /* not UTF-8 */
	doc_init(&doc, "fuzz.json", str_from(text));
	if (program_compile(&doc, &in, &p) == 0)
		run(p);
	program_destroy(p);
	doc_finish(&doc);
	free(text);
	return 0;
}
