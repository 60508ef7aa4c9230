#include "scenarios/vm.h"

#include <stdlib.h>

#include "base/must.h"
#include "scenarios/pause.h"
#include "scenarios/vm_parts.h"

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

void vm_shared_init(struct vm_shared *s, const struct program *program, uint32_t worker, uint32_t workers,
                    uint64_t seed)
{
	must(worker < workers);
	*s = (struct vm_shared){ .program = program, .worker = worker, .workers = workers, .seed = seed };
	s->taken = xcalloc(program->feed_count, sizeof(*s->taken));
	buf_init(&s->scratch, PROGRAM_URL_BYTES + 4 * PROGRAM_VALUE_BYTES);
	if (program->pattern_count > 0)
		s->matcher = matcher_create();
	for (uint32_t i = 0; i < program->step_count; i++) {
		const struct step *step = &program->steps[i];
		s->headers = larger(s->headers, step->header_count + 1);
		s->checks = larger(s->checks, step->check_count);
		s->captures = larger(s->captures, step->capture_count);
		s->pointers = larger(s->pointers, step->plan.count);
	}
	for (uint32_t i = 0; i < program->repeat_count; i++)
		s->depth = larger(s->depth, program->repeats[i].depth + 1);
}

void vm_shared_finish(struct vm_shared *s)
{
	free(s->taken);
	buf_finish(&s->scratch);
	matcher_destroy(s->matcher);
	*s = (struct vm_shared){ 0 };
}

void vm_init(struct vm *vm, struct vm_shared *shared, uint64_t user)
{
	const struct program *program = shared->program;
	*vm = (struct vm){ .program = program, .shared = shared, .user = user };
	rng_init(&vm->rng, shared->seed, user);
	vm->slots = xcalloc(program->variable_count, sizeof(*vm->slots));
	vm->rows = xcalloc(program->feed_count, sizeof(*vm->rows));
	vm->rounds = xcalloc(shared->depth, sizeof(*vm->rounds));
	vm->headers = xcalloc(shared->headers, sizeof(*vm->headers));
	vm->needle_at = xcalloc(shared->checks, sizeof(*vm->needle_at));
	vm->captured = xcalloc(shared->captures, sizeof(*vm->captured));
	for (uint32_t i = 0; i < program->variable_count; i++)
		buf_init(&vm->slots[i].own, PROGRAM_VALUE_BYTES);
	for (uint32_t i = 0; i < shared->captures; i++)
		buf_init(&vm->captured[i], PROGRAM_VALUE_BYTES);
	buf_init(&vm->url, PROGRAM_URL_BYTES);
	buf_init(&vm->values, PROGRAM_HEADER_BYTES);
	buf_init(&vm->body, PROGRAM_BODY_BYTES);
	buf_init(&vm->cookie, COOKIE_JAR_BYTES);
	buf_init(&vm->location, PROGRAM_URL_BYTES);
	buf_init(&vm->window, PROGRAM_WINDOW_BYTES);
	cookie_jar_init(&vm->jar);
	jsonscan_init(&vm->scan, xcalloc(shared->pointers, sizeof(struct jsonscan_found)));
}

void vm_finish(struct vm *vm)
{
	if (!vm->program)
		return;
	for (uint32_t i = 0; i < vm->program->variable_count; i++)
		buf_finish(&vm->slots[i].own);
	for (uint32_t i = 0; i < vm->shared->captures; i++)
		buf_finish(&vm->captured[i]);
	struct buf *const bufs[] = { &vm->url, &vm->values, &vm->body, &vm->cookie, &vm->location, &vm->window };
	for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
		buf_finish(bufs[i]);
	cookie_jar_finish(&vm->jar);
	free(vm->scan.found);
	jsonscan_finish(&vm->scan);
	free(vm->slots);
	free(vm->rows);
	free(vm->rounds);
	free(vm->headers);
	free(vm->needle_at);
	free(vm->captured);
	*vm = (struct vm){ 0 };
}

/* The row of a feed for this iteration. False when there are no more. */
static bool take_row(struct vm *vm, uint32_t number)
{
	const struct feed *feed = &vm->program->feeds[number];
	struct vm_shared *s = vm->shared;
	uint64_t row = 0;
	switch (feed->pick) {
	case PICK_SEQUENTIAL:
	case PICK_UNIQUE:
		row = s->worker + s->taken[number] * s->workers;
		if (row >= feed->row_count && feed->stops)
			return false;
		s->taken[number]++;
		break;
	case PICK_RANDOM:
		row = rng_below(&vm->rng, feed->row_count);
		break;
	case PICK_PER_USER:
		/* For the users of the file's own load there are enough; a search may have more. */
		if (vm->user >= feed->row_count && feed->stops)
			return false;
		row = vm->user;
		break;
	}
	vm->rows[number] = (uint32_t)(row % feed->row_count);
	return true;
}

static void render_vars(struct vm *vm)
{
	const struct program *p = vm->program;
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

void vm_begin(struct vm *vm, uint32_t flow, uint64_t iteration, struct wall now)
{
	const struct program *p = vm->program;
	must(flow < p->flow_count);
	vm->flow = flow;
	vm->iteration = iteration;
	vm->now = vm->began = now;
	vm->at = p->flows[flow].first_instruction;
	vm->waiting = vm->iteration_failed = vm->begun_badly = vm->out_of_rows = vm->resends = vm->unrendered = false;
	vm->running = true;
	for (uint32_t left = p->flows[flow].feeds; left && !vm->out_of_rows; left &= left - 1)
		vm->out_of_rows = !take_row(vm, (uint32_t)__builtin_ctz(left));
	if (!vm->out_of_rows)
		render_vars(vm);
}

/* What cannot be rendered is over before any time has passed: without a pace, a user would do nothing else, millions of
 * times per second. A hundred times are enough to be seen. */
#define FAILED_WAIT (10 * MILLISECOND)

/* The iteration ends at the pace of its flow, like any other that fails: first a pause, then VM_FAILED. */
static enum vm_stop fail(struct vm *vm)
{
	const struct program *p = vm->program;
	const struct flow *flow = &p->flows[vm->flow];
	const struct instruction tail = p->code[flow->tail];
	const dur_ns rest = tail.op == OP_PACE ? vm->began.ns + p->pauses[tail.operand].low - vm->now.ns : 0;
	vm->iteration_failed = vm->unrendered = true;
	vm->begun_badly = false;
	vm->at = flow->first_instruction + flow->instruction_count - 1; /* OP_END */
	vm->pause_ns = rest > FAILED_WAIT ? rest : FAILED_WAIT;
	vm->pause_in_step = false;
	return VM_PAUSE;
}

static enum vm_stop await(struct vm *vm, bool rendered)
{
	if (!rendered)
		return fail(vm);
	vm->waiting = true;
	return VM_REQUEST;
}

/* Whether the block behind a condition is to be run. Both sides are rendered into the scratch, one behind the other. */
static bool holds(struct vm *vm, const struct condition *c)
{
	struct buf *out = &vm->shared->scratch;
	const bool is_set = c->variable == PROGRAM_NONE || vm->slots[c->variable].is_set;
	bool answer = is_set;
	if (c->kind != CONDITION_EXISTS && is_set) {
		buf_clear(out);
		answer = vm_render(vm, &c->value, out, "if");
		const size_t len = out->len;
		if (answer && c->kind == CONDITION_EQUALS)
			answer = vm_render(vm, &c->equals, out, "if") &&
			         str_eq(str_first(buf_str(out), len), str_from_at(buf_str(out), len));
		else if (answer)
			answer = pattern_match(vm->program->patterns[c->pattern], vm->shared->matcher, buf_str(out), 0,
			                       NULL) == MATCH_FOUND;
	}
	return answer == c->wanted;
}

static bool pauses(struct vm *vm, dur_ns length)
{
	vm->pause_ns = length;
	vm->pause_in_step = false;
	return length > 0;
}

/* Runs from vm->at to the next stop. */
static enum vm_stop run(struct vm *vm)
{
	const struct program *p = vm->program;
	for (;;) {
		const struct instruction i = p->code[vm->at++];
		switch (i.op) {
		case OP_REQUEST:
			return await(vm, vm_send(vm, i.operand));
		case OP_PAUSE:
			if (pauses(vm, pause_draw(&p->pauses[i.operand], &vm->rng)))
				return VM_PAUSE;
			break;
		case OP_PACE:
			if (pauses(vm, vm->began.ns + p->pauses[i.operand].low - vm->now.ns))
				return VM_PAUSE;
			break;
		case OP_UNLESS:
			if (!holds(vm, &p->conditions[i.operand]))
				vm->at = p->conditions[i.operand].target;
			break;
		case OP_REPEAT:
			vm->rounds[p->repeats[i.operand].depth] = 1;
			break;
		case OP_AGAIN: {
			const struct repeat *loop = &p->repeats[i.operand];
			if (vm->rounds[loop->depth] < loop->count) {
				vm->rounds[loop->depth]++;
				vm->at = loop->first;
			}
			break;
		}
		case OP_END:
			vm->running = false;
			return vm->unrendered ? VM_FAILED : VM_ITERATION_END;
		}
	}
}

/* After an answer. Returns true with <ret_stop> when the step goes on. */
static bool continue_step(struct vm *vm, const struct vm_reply *reply, enum vm_stop *ret_stop)
{
	if (vm_retries(vm, reply)) {
		vm->outcome.retried = true;
		vm->pause_in_step = vm->resends = vm->pause_ns > 0;
		*ret_stop = vm->pause_ns > 0 ? VM_PAUSE : await(vm, vm_send_again(vm));
		return true;
	}
	if (!vm_redirects(vm, reply))
		return false;
	*ret_stop = await(vm, true);
	return true;
}

static enum vm_stop take_reply(struct vm *vm, const struct vm_reply *reply)
{
	const struct step *step = &vm->program->steps[vm->request.step];
	enum vm_stop stop;
	vm->outcome = (struct vm_outcome){ .step = vm->request.step };
	vm->waiting = false;
	if ((step->retry.attempts > 1 || step->redirects > 0) && continue_step(vm, reply, &stop))
		return stop;
	vm->outcome.is_final = true;
	vm_judge(vm, reply);
	vm->iteration_failed = vm->iteration_failed || vm->outcome.failure != VM_PASSED;
	if (vm->outcome.ends_iteration)
		vm->at = vm->program->flows[vm->flow].tail;
	return run(vm);
}

enum vm_stop vm_resume(struct vm *vm, const struct vm_reply *reply, struct wall now)
{
	must(vm->running && vm->waiting == (reply != NULL));
	vm->now = now;
	if (vm->out_of_rows) {
		vm->running = false;
		return VM_STOPPED;
	}
	if (vm->begun_badly)
		return fail(vm);
	if (reply)
		return take_reply(vm, reply);
	if (vm->resends) {
		vm->resends = false;
		return await(vm, vm_send_again(vm));
	}
	return run(vm);
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
