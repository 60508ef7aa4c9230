/* vm_send.c: steps into requests: the first, those after a redirect, and new attempts. */
#include "base/must.h"
#include "scenarios/pause.h"
#include "scenarios/target.h"
#include "scenarios/vm_parts.h"

static bool render_headers(struct vm *vm, const struct step *step)
{
	struct str constant;
	buf_clear(&vm->values);
	for (uint32_t i = 0; i < step->header_count; i++) {
		const struct header_template *h = &step->headers[i];
		const size_t before = vm->values.len;
		vm->headers[i] = (struct str_pair){ .name = h->name };
		if (vm_constant(&h->value, &constant)) {
			vm->headers[i].value = constant;
			continue;
		}
		if (!vm_render(vm, &h->value, &vm->values, h->name.p))
			return false;
		vm->headers[i].value.len = vm->values.len - before;
	}
	/* Only now does the buffer stay where it is: the rendered values stand in it one behind the other. */
	size_t at = 0;
	for (uint32_t i = 0; i < step->header_count; i++) {
		if (vm->headers[i].value.p)
			continue;
		vm->headers[i].value.p = buf_cstr(&vm->values) + at;
		at += vm->headers[i].value.len;
	}
	return true;
}

static int find_header(const struct vm *vm, const char *name)
{
	for (uint32_t i = 0; i < vm->request.header_count; i++)
		if (str_eq_nocase(vm->headers[i].name, str_from(name)))
			return (int)i;
	return -1;
}

static void drop_header(struct vm *vm, const char *name)
{
	const int at = find_header(vm, name);
	if (at < 0)
		return;
	const uint32_t left = --vm->request.header_count - (uint32_t)at;
	memmove(&vm->headers[at], &vm->headers[at + 1], left * sizeof(*vm->headers));
}

/* Adds what the jar has for the request's URL. A Cookie header of the file's own is sent instead. */
static void add_cookies(struct vm *vm, const struct step *step)
{
	struct url_parts url;
	if (!step->cookies || vm->jar.count == 0 || find_header(vm, "Cookie") >= 0)
		return;
	url_split(vm->request.url, &url);
	const struct cookie_place to = { url.host, url.path, url.secure };
	buf_clear(&vm->cookie);
	if (cookie_jar_write(&vm->jar, &to, vm->now, &vm->cookie))
		vm->headers[vm->request.header_count++] = (struct str_pair){ STR("Cookie"), buf_str(&vm->cookie) };
}

static bool build(struct vm *vm, uint32_t number)
{
	const struct program *p = vm->program;
	const struct step *step = &p->steps[number];
	struct vm_request *r = &vm->request;
	struct str body = { "", 0 };
	*r = (struct vm_request){ .step = number,
		                  .method = step->method,
		                  .timeout = step->timeout,
		                  .needs = step->needs,
		                  .headers = vm->headers,
		                  .header_count = step->header_count,
		                  .has_body = step->has_body };
	buf_clear(&vm->url);
	buf_add(&vm->url, step->target->origin);
	if (!vm_render(vm, &step->path, &vm->url, "URL") || !render_headers(vm, step))
		return false;
	r->url = buf_str(&vm->url);
	r->path = str_from_at(r->url, step->target->origin.len);
	add_cookies(vm, step);
	if (step->has_body && !vm_constant(&step->body, &body)) {
		buf_clear(&vm->body);
		if (!vm_render(vm, &step->body, &vm->body, "body"))
			return false;
		body = buf_str(&vm->body);
	}
	r->body = body;
	vm_reply_restart(vm);
	return true;
}

bool vm_send(struct vm *vm, uint32_t step)
{
	vm->attempt = vm->hops = 0;
	return build(vm, step);
}

bool vm_send_again(struct vm *vm)
{
	if (vm->hops > 0) {
		vm->hops = 0;
		if (!build(vm, vm->request.step))
			return false;
	}
	vm->request.continues = true;
	vm_reply_restart(vm);
	return true;
}

bool vm_retries(struct vm *vm, const struct vm_reply *reply)
{
	const struct retry *retry = &vm->program->steps[vm->request.step].retry;
	const bool wanted = reply->transport_failed ? retry->on_transport
	                                            : status_fits(retry->ranges, retry->range_count, reply->status);
	if (!wanted || vm->attempt + 1 >= retry->attempts)
		return false;
	vm->attempt++;
	vm->pause_ns = retry->pause == PROGRAM_NONE ? 0 : pause_draw(&vm->program->pauses[retry->pause], &vm->rng);
	return true;
}

/* RFC 9110 section 15.4: what browsers do with the method. */
static void change_method(struct vm *vm, int status)
{
	struct vm_request *r = &vm->request;
	const bool to_get = status == 303 ? strcmp(r->method, "HEAD") != 0
	                                  : status <= 302 && strcmp(r->method, "POST") == 0;
	if (!to_get)
		return;
	r->method = "GET";
	r->has_body = false;
	r->body = STR("");
	drop_header(vm, "Content-Type");
}

/* Secrets stay with the host that they were meant for. */
static void leave_secrets(struct vm *vm, const struct step *step)
{
	drop_header(vm, "Authorization");
	drop_header(vm, "Cookie");
	vm->request.needs = step->needs_abroad;
}

/* What the jar had for the last URL; the file's own Cookie is for this one, too. */
static void drop_jar_cookies(struct vm *vm)
{
	const int at = find_header(vm, "Cookie");
	if (at >= 0 && vm->headers[at].value.p == vm->cookie.bytes)
		drop_header(vm, "Cookie");
}

bool vm_redirects(struct vm *vm, const struct vm_reply *reply)
{
	const struct step *step = &vm->program->steps[vm->request.step];
	struct vm_request *r = &vm->request;
	struct url_parts from, to;
	struct buf *out = &vm->shared->scratch;
	const bool is_redirect = reply->status == 301 || reply->status == 302 || reply->status == 303 ||
	                         reply->status == 307 || reply->status == 308;
	if (reply->transport_failed || !is_redirect || vm->hops == step->redirects || vm->location.len == 0)
		return false;
	buf_clear(out);
	if (!url_resolve(r->url, buf_str(&vm->location), out) || out->len > PROGRAM_URL_BYTES)
		return false;
	vm->hops++;
	change_method(vm, reply->status);
	url_split(r->url, &from);
	url_split(buf_str(out), &to);
	if (!str_eq_nocase(from.origin, to.origin))
		leave_secrets(vm, step);
	drop_jar_cookies(vm);
	buf_clear(&vm->url);
	buf_add(&vm->url, buf_str(out));
	r->url = buf_str(&vm->url);
	r->path = str_from_at(r->url, to.origin.len);
	r->continues = true;
	add_cookies(vm, step);
	vm_reply_restart(vm);
	return true;
}
