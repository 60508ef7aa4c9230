/* vm_answer.c: an answer as it streams by. */
#include "base/must.h"
#include "scenarios/target.h"
#include "scenarios/vm_parts.h"

void vm_reply_restart(struct vm *vm)
{
	const struct step *step = &vm->program->steps[vm->request.step];
	vm->scanned = JSONSCAN_DONE;
	if (step->plan.count) {
		jsonscan_begin(&vm->scan, &step->plan);
		vm->scanned = JSONSCAN_MORE;
	}
	vm->needles_found = 0;
	vm->captured_found = 0;
	vm->body_bytes = 0;
	if (step->keeps_window)
		buf_clear(&vm->window);
	if (step->redirects)
		buf_clear(&vm->location);
	if (step->searches_body)
		memset(vm->needle_at, 0, step->check_count * sizeof(*vm->needle_at));
	for (uint32_t i = 0; i < step->capture_count; i++)
		buf_clear(&vm->captured[i]);
}

static void take_cookie(struct vm *vm, struct str value)
{
	struct url_parts url;
	url_split(vm->request.url, &url);
	const struct cookie_place from = { url.host, url.path, url.secure };
	cookie_jar_take(&vm->jar, value, &from, vm->now);
}

/* The first header of a name counts, and the last cookie: the one that stays. */
static void capture(struct vm *vm, const struct step *step, bool sets_cookie, struct str name, struct str value)
{
	for (uint32_t i = 0; i < step->capture_count; i++) {
		const struct capture *wanted = &vm->program->captures[step->first_capture + i];
		struct str_pair cookie;
		struct str found = value;
		if (wanted->is_cookie) {
			if (!sets_cookie || !cookie_read_pair(value, &cookie) || !str_eq(cookie.name, wanted->name))
				continue;
			found = cookie.value;
		} else if (vm->captured_found >> i & 1 || !str_eq_nocase(wanted->name, name)) {
			continue;
		}
		buf_clear(&vm->captured[i]);
		if (buf_add(&vm->captured[i], found))
			vm->captured_found |= 1u << i;
	}
}

void vm_header(struct vm *vm, struct str name, struct str value)
{
	must(vm->waiting);
	const struct step *step = &vm->program->steps[vm->request.step];
	if (!step->reads_headers)
		return;
	/* Most headers are neither: their length tells. */
	const bool sets_cookie = name.len == 10 && str_eq_nocase(name, STR("Set-Cookie"));
	if (sets_cookie && step->cookies)
		take_cookie(vm, value);
	if (step->redirects && name.len == 8 && vm->location.len == 0 && str_eq_nocase(name, STR("Location")))
		buf_add(&vm->location, value);
	if (step->capture_count)
		capture(vm, step, sets_cookie, name, value);
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

/* How much of the body was as wanted so far; UINT32_MAX: it is another one. */
static void compare(const struct check *check, uint32_t *at, struct str bytes)
{
	if (*at == UINT32_MAX)
		return;
	const struct str rest = str_from_at(check->needle, *at);
	*at = bytes.len <= rest.len && memcmp(rest.p, bytes.p, bytes.len) == 0 ? *at + (uint32_t)bytes.len : UINT32_MAX;
}

static void search_body(struct vm *vm, const struct step *step, struct str bytes)
{
	for (uint32_t i = 0; i < step->check_count; i++) {
		const struct check *check = &vm->program->checks[step->first_check + i];
		if (check->kind == CHECK_BODY_EQUALS)
			compare(check, &vm->needle_at[i], bytes);
		if (check->kind != CHECK_BODY_CONTAINS || vm->needles_found >> i & 1)
			continue;
		if (search(check, &vm->needle_at[i], bytes))
			vm->needles_found |= 1ull << i;
	}
}

void vm_body(struct vm *vm, struct str bytes)
{
	must(vm->waiting);
	const struct step *step = &vm->program->steps[vm->request.step];
	vm->body_bytes += bytes.len;
	if (vm->scanned == JSONSCAN_MORE)
		vm->scanned = jsonscan_bytes(&vm->scan, bytes);
	if (step->searches_body)
		search_body(vm, step, bytes);
	if (step->keeps_window)
		buf_add(&vm->window, str_first(bytes, PROGRAM_WINDOW_BYTES - vm->window.len));
}
