/* vm_judge.c: checks and extractions of one answer. */
#include "scenarios/vm_parts.h"

#include <stdio.h>

#include "base/must.h"
#include "base/units.h"

#define SHOWN_BYTES 40

/* What went wrong first is what people are shown. */
__attribute__((format(printf, 2, 3))) static void explain(struct vm *vm, const char *format, ...)
{
	va_list args;
	if (vm->outcome.text[0])
		return;
	va_start(args, format);
	vsnprintf(vm->outcome.text, sizeof(vm->outcome.text), format, args);
	va_end(args);
	/* Some of it came from the peer. */
	for (char *c = vm->outcome.text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
}

static void fail_with(struct vm *vm, enum vm_failure failure)
{
	/* A wrong status says more than what it brought about. */
	if (vm->outcome.failure == VM_PASSED || failure == VM_STATUS_FAILED)
		vm->outcome.failure = failure;
}

static const char *kind_text(enum jsonscan_kind kind)
{
	static const char *const texts[] = { "nothing",  "null",     "true or false", "a number",
		                             "a string", "an array", "an object" };
	return texts[kind];
}

static bool status_fits(const struct check *check, int status)
{
	for (uint32_t i = 0; i < check->range_count; i++)
		if (status >= check->ranges[i].low && status <= check->ranges[i].high)
			return true;
	return false;
}

static bool value_equals(const struct check *check, const struct jsonscan_found *found, struct str text)
{
	double a, b;
	if (found->kind != check->equals_kind || found->too_long)
		return false;
	if (str_eq(text, check->equals))
		return true;
	return found->kind == JSONSCAN_NUMBER && str_to_double(text, &a) && str_to_double(check->equals, &b) && a == b;
}

static bool judge_json(struct vm *vm, const struct check *check)
{
	const struct jsonscan_found *found = &vm->scan.found[check->pointer];
	const struct str text = jsonscan_text(&vm->scan, check->pointer);
	/* Of a body that is no JSON nothing can be said, not even that a value is absent. */
	if (found->kind == JSONSCAN_ABSENT && vm->scanned == JSONSCAN_BAD) {
		explain(vm, "%s: the body is not JSON", check->text);
		return false;
	}
	if (check->kind == CHECK_JSON_EXISTS) {
		if ((found->kind != JSONSCAN_ABSENT) == check->exists)
			return true;
		explain(vm, "%s: found %s", check->text, kind_text(found->kind));
		return false;
	}
	if (value_equals(check, found, text))
		return true;
	if (check->secret)
		explain(vm, "%s: found ***", check->text);
	else if (text.len == 0)
		explain(vm, "%s: found %s", check->text, kind_text(found->kind));
	else
		explain(vm, "%s: found %.*s", check->text, STR_ARG(str_first(text, SHOWN_BYTES)));
	return false;
}

static bool judge_check(struct vm *vm, const struct check *check, uint32_t number, const struct vm_reply *reply)
{
	char took[DURATION_TEXT_BYTES];
	switch (check->kind) {
	case CHECK_STATUS:
		if (status_fits(check, reply->status))
			return true;
		explain(vm, "%s: got %d", check->text, reply->status);
		return false;
	case CHECK_JSON_EXISTS:
	case CHECK_JSON_EQUALS:
		return judge_json(vm, check);
	case CHECK_TIME:
		if (comparison_holds(check->comparison, (double)reply->response_time, (double)check->time))
			return true;
		explain(vm, "%s: took %s", check->text, duration_format(reply->response_time, took));
		return false;
	case CHECK_BODY_CONTAINS:
		if (vm->needles_found >> number & 1)
			return true;
		explain(vm, "%s: it does not", check->text);
		return false;
	}
	return false;
}

/* The value of one extraction, or why there is none. */
static const char *find_value(struct vm *vm, const struct extract *e, uint32_t number, struct str *ret_value)
{
	if (e->kind == EXTRACT_HEADER) {
		*ret_value = buf_str(&vm->captured[number]);
		if (vm->captured_found >> number & 1)
			return NULL;
		return buf_overflowed(&vm->captured[number]) ? "the header is too long"
		                                             : "the answer has no such header";
	}
	const struct jsonscan_found *found = &vm->scan.found[e->pointer];
	*ret_value = jsonscan_text(&vm->scan, e->pointer);
	if (found->too_long)
		return "the value is too long";
	if (found->kind == JSONSCAN_STRING || found->kind == JSONSCAN_NUMBER || found->kind == JSONSCAN_BOOLEAN)
		return NULL;
	if (found->kind == JSONSCAN_ABSENT)
		return vm->scanned == JSONSCAN_BAD ? "the body is not JSON" : "there is no such value";
	return kind_text(found->kind);
}

static void judge_extract(struct vm *vm, const struct extract *e, uint32_t number)
{
	struct str value;
	const char *why = find_value(vm, e, number, &value);
	struct vm_slot *slot = &vm->slots[e->variable];
	if (!why) {
		buf_clear(&slot->own);
		if (!buf_add(&slot->own, value))
			why = "the value is too long";
	}
	if (why) {
		explain(vm, "%s: %s", e->text, why);
		fail_with(vm, VM_CHECK_FAILED);
		vm->outcome.ends_iteration = true;
		return;
	}
	slot->value = buf_str(&slot->own);
	slot->is_set = true;
}

void vm_judge(struct vm *vm, const struct vm_reply *reply)
{
	const struct program *p = vm->program;
	const struct step *step = &p->steps[vm->request.step];
	struct vm_outcome *o = &vm->outcome;
	if (reply->transport_failed) {
		o->failure = VM_TRANSPORT_FAILED;
		o->ends_iteration = true;
		return;
	}
	o->checked = true;
	if (step->plan.count > 0)
		vm->scanned = jsonscan_end(&vm->scan);
	if (!step->checks_status && (reply->status < 200 || reply->status > 399)) {
		explain(vm, "status 200-399: got %d", reply->status);
		fail_with(vm, VM_STATUS_FAILED);
	}
	for (uint32_t i = 0; i < step->check_count; i++) {
		const struct check *check = &p->checks[step->first_check + i];
		if (judge_check(vm, check, i, reply))
			continue;
		o->failed_checks |= 1ull << i;
		fail_with(vm, check->kind == CHECK_STATUS ? VM_STATUS_FAILED : VM_CHECK_FAILED);
	}
	for (uint32_t i = 0; i < step->extract_count; i++)
		judge_extract(vm, &p->extracts[step->first_extract + i], i);
}
