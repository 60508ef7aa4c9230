/* A scenario comes from a person: any bytes give a program or diagnostics, and a program runs through all its flows. */
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "scenarios/vm.h"

#define NOW ((struct wall){ 1767225600123 * MILLISECOND }) /* 2026-01-01T00:00:00.123Z */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_rows(void *arg, const char *name, struct buf *out, struct err *err)
{
	if (strstr(name, "none"))
		return err_set(err, ERR_NOT_FOUND, "there is none");
	return buf_add(out, strstr(name, ".json") ? STR("[{\"city\":\"Ulm\",\"size\":1}]")
	                                          : STR("user,password\na,b\n\"c\",d\n"))
	               ? 0
	               : -1;
}

static void run_flow(struct vm *vm, uint32_t flow)
{
	const struct vm_reply reply = { .status = 200, .response_time = MILLISECOND };
	enum vm_stop stop;
	vm_begin(vm, flow, 1, NOW);
	int exchanges = 0; /* repeats may be many */
	for (stop = vm_resume(vm, NULL, NOW); (stop == VM_REQUEST || stop == VM_PAUSE) && exchanges++ < 200;) {
		if (stop == VM_PAUSE) {
			must(vm->pause_ns > 0);
			stop = vm_resume(vm, NULL, NOW);
			continue;
		}
		must(vm->request.path.len > 0 && vm->request.path.p[0] == '/');
		vm_header(vm, STR("Location"), STR("/x"));
		vm_body(vm, STR("{\"token\":\"t\",\"id\":1,\"gro"));
		vm_body(vm, STR("ups\":[{\"id\":7}]}"));
		stop = vm_resume(vm, &reply, NOW);
	}
}

static void check_promises(const struct program *p)
{
	struct vm_shared shared;
	struct vm vm;
	must(p->flow_count > 0 && p->step_count > 0 && p->executor_count > 0 && p->warmup < p->duration);
	for (uint32_t i = 0; i < p->executor_count; i++) {
		const struct executor_plan *x = &p->executors[i];
		must(x->segment_count > 0 && x->flow_count > 0 && x->users > 0 && x->duration > 0);
	}
	for (uint32_t i = 0; i < p->step_count; i++)
		must(p->steps[i].flow < p->flow_count && p->steps[i].timeout > 0);
	vm_shared_init(&shared, p, 0, 1, 1);
	vm_init(&vm, &shared, 0);
	for (uint32_t f = 0; f < p->flow_count; f++)
		run_flow(&vm, f);
	vm_finish(&vm);
	vm_shared_finish(&shared);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct program_inputs in = { .read_file = read_rows };
	struct program *p = NULL;
	struct doc doc;
	struct buf out;
	if (size > 1u << 16)
		return 0;
	doc_init(&doc, "fuzz.json", (struct str){ (const char *)data, size });
	const int r = program_compile(&doc, &in, &p);
	must((r == 0) == doc_ok(&doc));
	buf_init(&out, 1u << 22);
	if (r == 0) {
		check_promises(p);
		program_dump(p, &out);
	} else {
		diags_write(&doc.diags, &out);
	}
	buf_finish(&out);
	program_destroy(p);
	doc_finish(&doc);
	return 0;
}
