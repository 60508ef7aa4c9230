/* vm_render.c: templates into bytes. */
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

/* A value as it has to stand in its place. */
static bool add_value(struct vm *vm, const struct template *t, struct str s, struct buf *out, const char *what)
{
	switch (t->escape) {
	case ESCAPE_URL:
	case ESCAPE_FORM:
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

/* A generated value that is short. */
static size_t generate(struct vm *vm, const struct segment *s, char text[64])
{
	switch (s->kind) {
	case SEGMENT_ITERATION:
		return (size_t)snprintf(text, 64, "%" PRIu64, vm->iteration);
	case SEGMENT_USER:
		return (size_t)snprintf(text, 64, "%" PRIu64, vm->user);
	case SEGMENT_UUID:
		return write_uuid(&vm->rng, text);
	case SEGMENT_NOW_ISO:
		wall_format(vm->now, text);
		return strlen(text);
	case SEGMENT_NOW_MS:
		return (size_t)snprintf(text, 64, "%" PRId64, vm->now.ns / MILLISECOND);
	case SEGMENT_RANDOM_INT:
		return (size_t)snprintf(text, 64, "%" PRId64,
		                        s->low + (int64_t)rng_below(&vm->rng, (uint64_t)(s->high - s->low) + 1));
	case SEGMENT_RANDOM_FLOAT:
		return (size_t)snprintf(text, 64, "%.6f", s->least + (s->most - s->least) * rng_uniform(&vm->rng));
	case SEGMENT_LITERAL:
	case SEGMENT_VARIABLE:
	case SEGMENT_FEED:
	case SEGMENT_RANDOM_STRING:
	case SEGMENT_RANDOM_CHOICE:
		break;
	}
	must(!"a generated value");
	return 0;
}

static bool add_segment(struct vm *vm, const struct template *t, const struct segment *s, struct buf *out,
                        const char *what)
{
	char text[64];
	switch (s->kind) {
	case SEGMENT_LITERAL:
		return buf_add(out, s->text);
	case SEGMENT_VARIABLE:
		/* The compiler sees to it that there is one. Whether there is depends on what a peer answered, so a
		 * mistake in that reasoning costs an iteration and not the run. */
		if (!vm->slots[s->variable].is_set)
			return cannot(vm, what, "a variable has no value here");
		return add_value(vm, t, vm->slots[s->variable].value, out, what);
	case SEGMENT_FEED:
		return add_value(vm, t, feed_cell(&vm->program->feeds[s->variable], vm->rows[s->variable], s->column),
		                 out, what);
	case SEGMENT_RANDOM_CHOICE:
		return add_value(vm, t, s->choices[rng_below(&vm->rng, s->variable)], out, what);
	case SEGMENT_RANDOM_STRING:
		return add_random_string(&vm->rng, s->low, out);
	case SEGMENT_NOW_ISO:
		return add_value(vm, t, (struct str){ text, generate(vm, s, text) }, out, what);
	case SEGMENT_ITERATION:
	case SEGMENT_USER:
	case SEGMENT_UUID:
	case SEGMENT_NOW_MS:
	case SEGMENT_RANDOM_INT:
	case SEGMENT_RANDOM_FLOAT:
		break;
	}
	/* Letters, digits, "-" and ".": no place needs them escaped. */
	const size_t len = generate(vm, s, text);
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
