/* Bodies come from servers: any bytes, cut anywhere, give the same answer and the same values as in one piece.
 * The first byte says how long the pieces are. */
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "scenarios/jsonscan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const pointers[] = { "", "/a", "/a/b", "/0", "/a/1/x", "/~0~1" };
#define POINTERS (sizeof(pointers) / sizeof(pointers[0]))

static enum jsonscan_answer scan(struct jsonscan *s, const struct jsonscan_plan *plan, struct str text, size_t piece)
{
	jsonscan_begin(s, plan);
	for (; text.len; text = str_from_at(text, piece))
		jsonscan_bytes(s, str_first(text, piece));
	return jsonscan_end(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct jsonscan_pointer compiled[POINTERS];
	struct jsonscan_plan plan = { .pointers = &compiled[1], .count = POINTERS - 1, .deepest = 3 };
	struct jsonscan_found found[2][POINTERS];
	struct jsonscan one, many;
	size_t at;
	const char *why;
	if (size < 1)
		return 0;
	const struct str text = { (const char *)data + 1, size - 1 };
	arena_init(&arena);
	for (size_t i = 0; i < POINTERS; i++)
		must(jsonscan_pointer_parse(str_from(pointers[i]), &arena, &compiled[i], &at, &why));
	if (data[0] & 128) { /* with "" every document is done when it begins, but for scalars */
		plan.pointers = compiled;
		plan.count = 1;
	}
	jsonscan_init(&one, found[0]);
	jsonscan_init(&many, found[1]);
	must(scan(&one, &plan, text, size) == scan(&many, &plan, text, 1 + (data[0] & 127)));
	for (uint32_t i = 0; i < plan.count; i++) {
		must(found[0][i].kind == found[1][i].kind && found[0][i].too_long == found[1][i].too_long);
		must(str_eq(jsonscan_text(&one, i), jsonscan_text(&many, i)));
	}
	jsonscan_finish(&one);
	jsonscan_finish(&many);
	(void)jsonscan_pointer_parse(text, &arena, &compiled[0], &at, &why);
	arena_finish(&arena);
	return 0;
}
