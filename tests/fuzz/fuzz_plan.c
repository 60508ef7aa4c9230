/* A plan file comes from a person: any bytes give a plan or diagnostics, never a crash, and a plan has its promises. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/must.h"
#include "canary/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_promises(const struct plan *p)
{
	char hash[PLAN_HASH_BYTES];
	must(p->stage_count >= 1 && p->stages[p->stage_count - 1].weight_bp <= WEIGHT_FULL_BP);
	for (size_t i = 0; i < p->stage_count; i++) {
		must(p->stages[i].weight_bp >= 0 && p->stages[i].min <= p->stages[i].max);
		must(i == 0 || p->stages[i].weight_bp > p->stages[i - 1].weight_bp);
	}
	for (int a = 0; a < ARMS; a++)
		must(p->arms[a].server_count >= 1 && p->arms[a].version && strlen(p->arms[a].version) > 0);
	must(p->compare.alpha > 0 && p->compare.latency_margin < p->compare.latency_ratio - 1);
	for (size_t i = 0; i < p->guard_count; i++)
		must(p->guards[i].url && p->guards[i].fails >= 1);
	plan_text_hash(p, hash);
	must(strlen(hash) == 16 && plan_ticks_planned(p) >= 60);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct doc doc;
	struct buf out;
	if (size > 1u << 16)
		return 0;
	doc_init(&doc, "fuzz.json", (struct str){ (const char *)data, size });
	struct plan *p = plan_read(&doc);
	must((p != NULL) == doc_ok(&doc));
	if (p)
		check_promises(p);
	buf_init(&out, 1u << 20);
	diags_write(&doc.diags, &out);
	buf_finish(&out);
	plan_destroy(p);
	doc_finish(&doc);
	return 0;
}
