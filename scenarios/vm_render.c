/* vm_render.c: templates into bytes, and steps into requests. */
#include "scenarios/vm_parts.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/must.h"

static bool cannot(struct vm *vm, const char *what, const char *why)
{
	snprintf(vm->problem, sizeof(vm->problem), "%.40s: %s", what, why);
	return false;
}

bool vm_constant(const struct template *t, struct str *ret_text)
{
	if (t->count > 1 || (t->count == 1 && t->segments[0].kind != SEGMENT_LITERAL))
		return false;
	*ret_text = t->count ? t->segments[0].text : (struct str){ "", 0 };
	return true;
}

static size_t write_uuid(struct rng *rng, char text[64])
{
	const uint64_t a = rng_next(rng), b = rng_next(rng);
	/* RFC 9562 section 5.4: version 4, variant 10. */
	return (size_t)snprintf(text, 64, "%08" PRIx32 "-%04x-4%03x-%04x-%012" PRIx64, (uint32_t)(a >> 32),
	                        (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
	                        (unsigned)(0x8000 | (b >> 48 & 0x3fff)), b & 0xffffffffffffu);
}

static bool add_random_string(struct rng *rng, int64_t len, struct buf *out)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	bool fits = true;
	for (int64_t i = 0; i < len && fits; i++)
		fits = buf_add_char(out, letters[rng_below(rng, sizeof(letters) - 1)]);
	return fits;
}

static bool add_variable(struct vm *vm, const struct template *t, uint32_t v, struct buf *out, const char *what)
{
	const struct vm_slot *slot = &vm->slots[v];
	must(slot->is_set); /* the compiler follows the order of the steps; a failed extraction ends the iteration */
	const struct str s = slot->value;
	switch (t->escape) {
	case ESCAPE_URL:
		return buf_add_url_escaped(out, s);
	case ESCAPE_JSON:
		return buf_add_json_escaped(out, s);
	case ESCAPE_HEADER:
		for (size_t i = 0; i < s.len; i++)
			if (s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == '\0')
				return cannot(vm, what, "the value of a variable cannot stand in a header");
		return buf_add(out, s);
	case ESCAPE_NONE:
		break;
	}
	return buf_add(out, s);
}

/* Generated values are letters, digits and "-": no place needs them escaped. */
static bool add_segment(struct vm *vm, const struct template *t, const struct segment *s, struct buf *out,
                        const char *what)
{
	char text[64];
	size_t len = 0;
	switch (s->kind) {
	case SEGMENT_LITERAL:
		return buf_add(out, s->text);
	case SEGMENT_VARIABLE:
		return add_variable(vm, t, s->variable, out, what);
	case SEGMENT_ITERATION:
		len = (size_t)snprintf(text, sizeof(text), "%" PRIu64, vm->iteration);
		break;
	case SEGMENT_USER:
		len = (size_t)snprintf(text, sizeof(text), "%" PRIu64, vm->user);
		break;
	case SEGMENT_UUID:
		len = write_uuid(&vm->rng, text);
		break;
	case SEGMENT_RANDOM_INT:
		len = (size_t)snprintf(text, sizeof(text), "%" PRId64,
		                       s->low + (int64_t)rng_below(&vm->rng, (uint64_t)(s->high - s->low) + 1));
		break;
	case SEGMENT_RANDOM_STRING:
		return add_random_string(&vm->rng, s->low, out);
	}
	return buf_add(out, (struct str){ text, len });
}

bool vm_render(struct vm *vm, const struct template *t, struct buf *out, const char *what)
{
	vm->problem[0] = '\0';
	for (uint32_t i = 0; i < t->count; i++) {
		if (add_segment(vm, t, &t->segments[i], out, what))
			continue;
		return vm->problem[0] ? false : cannot(vm, what, "the rendered text is too long");
	}
	return true;
}

static bool build_headers(struct vm *vm, const struct step *step)
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

bool vm_build_request(struct vm *vm, uint32_t number)
{
	const struct program *p = vm->program;
	const struct step *step = &p->steps[number];
	struct vm_request *r = &vm->request;
	struct str body = { "", 0 };
	*r = (struct vm_request){ .step = number,
		                  .method = step->method,
		                  .timeout = step->timeout,
		                  .headers = vm->headers,
		                  .header_count = step->header_count,
		                  .has_body = step->has_body };
	buf_clear(&vm->url);
	buf_add(&vm->url, p->target.origin);
	if (!vm_render(vm, &step->path, &vm->url, "URL") || !build_headers(vm, step))
		return false;
	r->url = buf_str(&vm->url);
	r->path = str_from_at(r->url, p->target.origin.len);
	if (step->has_body && !vm_constant(&step->body, &body)) {
		buf_clear(&vm->body);
		if (!vm_render(vm, &step->body, &vm->body, "body"))
			return false;
		body = buf_str(&vm->body);
	}
	r->body = body;
	return true;
}
