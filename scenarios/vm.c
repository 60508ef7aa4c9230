#include "scenarios/vm.h"

#include <stdlib.h>

#include "base/must.h"
#include "scenarios/pause.h"
#include "scenarios/vm_parts.h"

/* The widest step decides how much room a user needs. */
struct widest {
	uint32_t headers, checks, extracts, pointers;
};

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static struct widest measure(const struct program *p)
{
	struct widest w = { 0 };
	for (uint32_t i = 0; i < p->step_count; i++) {
		w.headers = larger(w.headers, p->steps[i].header_count);
		w.checks = larger(w.checks, p->steps[i].check_count);
		w.extracts = larger(w.extracts, p->steps[i].extract_count);
		w.pointers = larger(w.pointers, p->steps[i].plan.count);
	}
	return w;
}

static uint32_t widest_extracts(const struct vm *vm)
{
	return measure(vm->program).extracts;
}

void vm_init(struct vm *vm, const struct program *program, uint64_t user, uint64_t seed)
{
	const struct widest w = measure(program);
	*vm = (struct vm){ .program = program, .user = user };
	rng_init(&vm->rng, seed, user);
	vm->slots = xcalloc(program->variable_count, sizeof(*vm->slots));
	vm->headers = xcalloc(w.headers, sizeof(*vm->headers));
	vm->needle_at = xcalloc(w.checks, sizeof(*vm->needle_at));
	vm->captured = xcalloc(w.extracts, sizeof(*vm->captured));
	for (uint32_t i = 0; i < program->variable_count; i++)
		buf_init(&vm->slots[i].own, PROGRAM_VALUE_BYTES);
	for (uint32_t i = 0; i < w.extracts; i++)
		buf_init(&vm->captured[i], PROGRAM_VALUE_BYTES);
	buf_init(&vm->url, PROGRAM_URL_BYTES);
	buf_init(&vm->values, PROGRAM_HEADER_BYTES);
	buf_init(&vm->body, PROGRAM_BODY_BYTES);
	jsonscan_init(&vm->scan, xcalloc(w.pointers, sizeof(struct jsonscan_found)));
}

void vm_finish(struct vm *vm)
{
	if (!vm->program)
		return;
	for (uint32_t i = 0; i < vm->program->variable_count; i++)
		buf_finish(&vm->slots[i].own);
	for (uint32_t i = 0; i < widest_extracts(vm); i++)
		buf_finish(&vm->captured[i]);
	buf_finish(&vm->url);
	buf_finish(&vm->values);
	buf_finish(&vm->body);
	free(vm->scan.found);
	jsonscan_finish(&vm->scan);
	free(vm->slots);
	free(vm->headers);
	free(vm->needle_at);
	free(vm->captured);
	*vm = (struct vm){ 0 };
}

void vm_begin(struct vm *vm, uint32_t flow, uint64_t iteration)
{
	const struct program *p = vm->program;
	must(flow < p->flow_count);
	vm->flow = flow;
	vm->iteration = iteration;
	vm->at = p->flows[flow].first_instruction;
	vm->waiting = vm->iteration_failed = vm->begun_badly = false;
	vm->running = true;
	for (uint32_t i = 0; i < p->variable_count; i++) {
		struct vm_slot *slot = &vm->slots[i];
		slot->is_set = false;
		if (!p->variables[i].has_value || vm->begun_badly)
			continue;
		if (!vm_constant(&p->variables[i].value, &slot->value)) {
			buf_clear(&slot->own);
			if (!vm_render(vm, &p->variables[i].value, &slot->own, p->variables[i].name))
				vm->begun_badly = true;
			slot->value = buf_str(&slot->own);
		}
		slot->is_set = true;
	}
}

void vm_reply_restart(struct vm *vm)
{
	must(vm->waiting);
	const struct step *step = &vm->program->steps[vm->request.step];
	jsonscan_begin(&vm->scan, &step->plan);
	vm->scanned = step->plan.count ? JSONSCAN_MORE : JSONSCAN_DONE;
	vm->needles_found = 0;
	vm->captured_found = 0;
	for (uint32_t i = 0; i < step->check_count; i++)
		vm->needle_at[i] = 0;
	for (uint32_t i = 0; i < step->extract_count; i++)
		buf_clear(&vm->captured[i]);
}

static enum vm_stop fail(struct vm *vm)
{
	vm->running = false;
	vm->iteration_failed = true;
	return VM_FAILED;
}

/* Runs from vm->at to the next stop. */
static enum vm_stop run(struct vm *vm)
{
	const struct program *p = vm->program;
	for (;;) {
		const struct instruction i = p->code[vm->at++];
		switch (i.op) {
		case OP_REQUEST:
			if (!vm_build_request(vm, i.operand))
				return fail(vm);
			vm->waiting = true;
			vm_reply_restart(vm);
			return VM_REQUEST;
		case OP_PAUSE:
			vm->pause_ns = pause_draw(&p->pauses[i.operand], &vm->rng);
			if (vm->pause_ns > 0)
				return VM_PAUSE;
			break;
		case OP_END:
			vm->running = false;
			return VM_ITERATION_END;
		}
	}
}

enum vm_stop vm_resume(struct vm *vm, const struct vm_reply *reply)
{
	must(vm->running && vm->waiting == (reply != NULL));
	if (vm->begun_badly)
		return fail(vm);
	if (reply) {
		vm->outcome = (struct vm_outcome){ .step = vm->request.step };
		vm_judge(vm, reply);
		vm->waiting = false;
		vm->iteration_failed = vm->iteration_failed || vm->outcome.failure != VM_PASSED;
		if (vm->outcome.ends_iteration) {
			vm->running = false;
			return VM_ITERATION_END;
		}
	}
	return run(vm);
}

void vm_header(struct vm *vm, struct str name, struct str value)
{
	must(vm->waiting);
	const struct step *step = &vm->program->steps[vm->request.step];
	for (uint32_t i = 0; step->reads_headers && i < step->extract_count; i++) {
		const struct extract *e = &vm->program->extracts[step->first_extract + i];
		if (e->kind != EXTRACT_HEADER || vm->captured_found >> i & 1 || !str_eq_nocase(e->header, name))
			continue;
		buf_clear(&vm->captured[i]);
		if (buf_add(&vm->captured[i], value))
			vm->captured_found |= 1u << i;
	}
}

/* Knuth, Morris, Pratt: the state between two pieces of the body is one number. */
static bool search(const struct check *check, uint32_t *at, struct str bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		while (*at > 0 && check->needle.p[*at] != bytes.p[i])
			*at = check->needle_fail[*at - 1];
		if (check->needle.p[*at] == bytes.p[i])
			++*at;
		if (*at == check->needle.len)
			return true;
	}
	return false;
}

void vm_body(struct vm *vm, struct str bytes)
{
	must(vm->waiting);
	const struct step *step = &vm->program->steps[vm->request.step];
	if (vm->scanned == JSONSCAN_MORE)
		vm->scanned = jsonscan_bytes(&vm->scan, bytes);
	for (uint32_t i = 0; step->reads_body && i < step->check_count; i++) {
		const struct check *check = &vm->program->checks[step->first_check + i];
		if (check->kind != CHECK_BODY_CONTAINS || vm->needles_found >> i & 1)
			continue;
		if (search(check, &vm->needle_at[i], bytes))
			vm->needles_found |= 1ull << i;
	}
}

uint32_t vm_pick_flow(struct vm *vm, const struct executor_plan *plan)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < plan->flow_count; i++)
		sum += plan->flows[i].weight;
	must(sum > 0);
	uint64_t drawn = rng_below(&vm->rng, sum);
	uint32_t i = 0;
	while (drawn >= plan->flows[i].weight)
		drawn -= plan->flows[i++].weight;
	return plan->flows[i].flow;
}
