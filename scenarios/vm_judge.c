/* vm_judge.c: checks and extractions of one answer. */
#include "scenarios/vm_parts.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/must.h"
#include "base/units.h"
#include "scenarios/redact.h"

#define SHOWN_BYTES 40
/* Of a body, between requests. */
#define WINDOW_KEPT_BYTES 4096

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

bool status_fits(const struct status_range *ranges, uint32_t count, int status)
{
	for (uint32_t i = 0; i < count; i++)
		if (status >= ranges[i].low && status <= ranges[i].high)
			return true;
	return false;
}

/* --- values --- */

/* What stands at a source: kind JSONSCAN_ABSENT with a reason when it is nothing that can be looked at. */
struct value {
	enum jsonscan_kind kind;
	struct str text;
	const char *why; /* it cannot be used, though something may be there */
};

static struct value find_json(const struct vm *vm, uint32_t pointer)
{
	const struct jsonscan_found *found = &vm->scan.found[pointer];
	struct value v = { .kind = found->kind, .text = jsonscan_text(&vm->scan, pointer) };
	/* Of a body that is no JSON nothing can be said, not even that a value is absent. */
	if (found->kind == JSONSCAN_ABSENT)
		v.why = vm->scanned == JSONSCAN_BAD ? "the body is not JSON" : "there is no such value";
	else if (found->too_long)
		v.why = "the value is too long";
	return v;
}

static struct value find_captured(const struct vm *vm, uint32_t number, const char *missing)
{
	if (vm->captured_found >> number & 1)
		return (struct value){ JSONSCAN_STRING, buf_str(&vm->captured[number]), NULL };
	const bool too_long = buf_overflowed(&vm->captured[number]);
	return (struct value){ too_long ? JSONSCAN_STRING : JSONSCAN_ABSENT, STR(""),
		               too_long ? "it is too long" : missing };
}

static struct value find_match(struct vm *vm, const struct value_source *s)
{
	struct value v = { JSONSCAN_STRING, STR(""), NULL };
	switch (pattern_match(vm->program->patterns[s->index], vm->shared->matcher, buf_str(&vm->window), s->group,
	                      &v.text)) {
	case MATCH_FOUND:
		break;
	case MATCH_NONE:
		v.kind = JSONSCAN_ABSENT;
		v.why = "the body does not match";
		break;
	case MATCH_GAVE_UP:
		v.kind = JSONSCAN_ABSENT;
		v.why = "matching took too long";
		break;
	}
	return v;
}

static struct value find_value(struct vm *vm, const struct value_source *s)
{
	switch (s->kind) {
	case SOURCE_JSON:
		return find_json(vm, s->index);
	case SOURCE_HEADER:
		return find_captured(vm, s->index, "the answer has no such header");
	case SOURCE_COOKIE:
		return find_captured(vm, s->index, "the answer sets no such cookie");
	case SOURCE_REGEX:
		break;
	}
	return find_match(vm, s);
}

/* --- checks --- */

/* The text that a check compares with; rendered when it has slots. */
static bool wanted_text(struct vm *vm, const struct check *check, struct str *ret_text)
{
	if (vm_constant(&check->value, ret_text))
		return true;
	buf_clear(&vm->shared->scratch);
	if (!vm_render(vm, &check->value, &vm->shared->scratch, "equals"))
		return false;
	*ret_text = buf_str(&vm->shared->scratch);
	return true;
}

static bool value_equals(struct vm *vm, const struct check *check, const struct value *v)
{
	struct str want;
	double a, b;
	const bool has_slots = !vm_constant(&check->value, &want);
	if (v->why || !wanted_text(vm, check, &want))
		return false;
	/* What a variable holds has lost its type. */
	if (check->source.kind == SOURCE_JSON && !has_slots && v->kind != check->equals_kind)
		return false;
	if (str_eq(v->text, want))
		return v->kind != JSONSCAN_OBJECT && v->kind != JSONSCAN_ARRAY;
	return v->kind == JSONSCAN_NUMBER && str_to_double(v->text, &a) && str_to_double(want, &b) && a == b;
}

static bool claim_holds(struct vm *vm, const struct check *check, const struct value *v)
{
	/* Containers are not kept: their text is empty, and a pattern such as ".*" would fit that. */
	const bool has_text = !v->why && v->kind != JSONSCAN_OBJECT && v->kind != JSONSCAN_ARRAY;
	struct str want;
	switch (check->kind) {
	case CHECK_EXISTS:
		return (v->kind != JSONSCAN_ABSENT) == check->exists;
	case CHECK_EQUALS:
		return value_equals(vm, check, v);
	case CHECK_CONTAINS:
		return has_text && wanted_text(vm, check, &want) && memmem(v->text.p, v->text.len, want.p, want.len);
	case CHECK_MATCHES:
		return has_text && pattern_match(vm->program->patterns[check->pattern], vm->shared->matcher, v->text, 0,
		                                 NULL) == MATCH_FOUND;
	case CHECK_STATUS:
	case CHECK_TIME:
	case CHECK_BODY_CONTAINS:
	case CHECK_BODY_EQUALS:
	case CHECK_BODY_SIZE:
		break;
	}
	return false;
}

static bool is_no_json(const struct vm *vm, const struct check *check, const struct value *v)
{
	return check->source.kind == SOURCE_JSON && v->kind == JSONSCAN_ABSENT && vm->scanned == JSONSCAN_BAD;
}

static bool value_holds(struct vm *vm, const struct check *check)
{
	const struct value v = find_value(vm, &check->source);
	return !is_no_json(vm, check, &v) && claim_holds(vm, check, &v);
}

static bool check_holds(struct vm *vm, const struct check *check, uint32_t number, const struct vm_reply *reply)
{
	switch (check->kind) {
	case CHECK_STATUS:
		return status_fits(check->ranges, check->range_count, reply->status);
	case CHECK_EXISTS:
	case CHECK_EQUALS:
	case CHECK_CONTAINS:
	case CHECK_MATCHES:
		return value_holds(vm, check);
	case CHECK_TIME:
		return comparison_holds(check->comparison, (double)reply->response_time, check->limit);
	case CHECK_BODY_CONTAINS:
		return vm->needles_found >> number & 1;
	case CHECK_BODY_EQUALS:
		return vm->needle_at[number] == check->needle.len;
	case CHECK_BODY_SIZE:
		return comparison_holds(check->comparison, (double)vm->body_bytes, check->limit);
	}
	return false;
}

/* The beginning of what was found, in the scratch. */
static struct str show_found(struct vm *vm, const struct check *check, struct str found)
{
	const struct program *p = vm->program;
	struct buf *shown = &vm->shared->scratch;
	buf_clear(shown);
	if (check->source.kind == SOURCE_HEADER)
		redact_header_value(vm, p->captures[p->steps[check->step].first_capture + check->source.index].name,
		                    found, shown);
	else
		redact_value(vm, found, SHOWN_BYTES, shown);
	return str_first(buf_str(shown), SHOWN_BYTES);
}

static void explain_value(struct vm *vm, const struct check *check)
{
	const struct value v = find_value(vm, &check->source);
	if (is_no_json(vm, check, &v) || (v.why && check->source.kind != SOURCE_JSON)) {
		explain(vm, "%s: %s", check->text, v.why);
	} else if (check->secret && v.kind != JSONSCAN_ABSENT && check->kind != CHECK_EXISTS) {
		explain(vm, "%s: found ***", check->text);
	} else if (check->kind == CHECK_EXISTS || v.text.len == 0) {
		explain(vm, "%s: found %s", check->text, kind_text(v.kind));
	} else {
		const struct str shown = show_found(vm, check, v.text);
		explain(vm, "%s: found %.*s", check->text, STR_ARG(shown));
	}
}

static void explain_check(struct vm *vm, const struct check *check, const struct vm_reply *reply)
{
	char took[DURATION_TEXT_BYTES];
	switch (check->kind) {
	case CHECK_STATUS:
		explain(vm, "%s: got %d", check->text, reply->status);
		return;
	case CHECK_EXISTS:
	case CHECK_EQUALS:
	case CHECK_CONTAINS:
	case CHECK_MATCHES:
		explain_value(vm, check);
		return;
	case CHECK_TIME:
		explain(vm, "%s: took %s", check->text, duration_format(reply->response_time, took));
		return;
	case CHECK_BODY_CONTAINS:
		explain(vm, "%s: it does not", check->text);
		return;
	case CHECK_BODY_EQUALS:
		explain(vm, "%s: it is another one of %" PRIu64 " bytes", check->text, vm->body_bytes);
		return;
	case CHECK_BODY_SIZE:
		explain(vm, "%s: it has %" PRIu64 " bytes", check->text, vm->body_bytes);
		return;
	}
}

/* --- extractions --- */

/* NULL, or why the variable has no value. */
static const char *take_value(struct vm *vm, const struct extract *e)
{
	struct vm_slot *slot = &vm->slots[e->variable];
	const struct value v = find_value(vm, &e->source);
	const bool is_text = v.kind == JSONSCAN_STRING || v.kind == JSONSCAN_NUMBER || v.kind == JSONSCAN_BOOLEAN;
	slot->is_set = false;
	if (v.why || !is_text)
		return v.why ? v.why : kind_text(v.kind);
	buf_clear(&slot->own);
	if (!buf_add(&slot->own, v.text))
		return "the value is too long";
	slot->value = buf_str(&slot->own);
	slot->is_set = true;
	return NULL;
}

/* Only here is it said what failed: a value that a check has found may be a secret by what was extracted. */
static void judge_extracts(struct vm *vm, const struct step *step, const struct vm_reply *reply)
{
	const struct extract *failed = NULL;
	const char *why_failed = NULL;
	for (uint32_t i = 0; i < step->extract_count; i++) {
		const struct extract *e = &vm->program->extracts[step->first_extract + i];
		const char *why = take_value(vm, e);
		if (!why || e->optional || failed)
			continue;
		failed = e;
		why_failed = why;
	}
	if (vm->outcome.failed_checks) {
		const uint32_t first = (uint32_t)__builtin_ctzll(vm->outcome.failed_checks);
		explain_check(vm, &vm->program->checks[step->first_check + first], reply);
	}
	if (!failed)
		return;
	explain(vm, "%s: %s", failed->text, why_failed);
	fail_with(vm, VM_CHECK_FAILED);
	vm->outcome.ends_iteration = true;
}

/* A large window would stay with the user for ever. */
static void shrink_window(struct vm *vm)
{
	if (vm->window.room <= WINDOW_KEPT_BYTES)
		return;
	buf_finish(&vm->window);
	buf_init(&vm->window, PROGRAM_WINDOW_BYTES);
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
		if (check_holds(vm, check, i, reply))
			continue;
		o->failed_checks |= 1ull << i;
		fail_with(vm, check->kind == CHECK_STATUS ? VM_STATUS_FAILED : VM_CHECK_FAILED);
	}
	judge_extracts(vm, step, reply);
	if (step->keeps_window)
		shrink_window(vm);
}
