/* Plans of what to observe: read whole or refused with a place, and every item that is read has what its kind needs. */
#include <stdint.h>

#include "base/must.h"
#include "observe/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char *get_env(void *arg, const char *name)
{
	return name[0] == 'D' ? "postgresql://u:p@h/d" : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const struct observe_inputs inputs = { .get_env = get_env };
	struct observe_plan plan = { 0 };
	struct arena arena;
	struct doc doc;
	doc_init(&doc, "fuzz", (struct str){ (const char *)bytes, size });
	arena_init(&arena);
	if (doc_ok(&doc)) {
		const struct node root = doc_root(&doc);
		const bool sound = observe_plan_read(&root, &inputs, &arena, &plan);
		must(sound == doc_ok(&doc));
		for (size_t i = 0; i < plan.item_count; i++)
			must(plan.items[i].kind && plan.items[i].name[0] &&
			     plan.items[i].value_count <= OBSERVE_VALUES_MAX);
	}
	arena_finish(&arena);
	doc_finish(&doc);
	return 0;
}
