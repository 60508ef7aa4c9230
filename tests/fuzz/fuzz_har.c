/* Recordings come from browsers and from strangers: any bytes give a scenario that compiles (import_har sees to that) or
 * diagnostics. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"
#include "scenarios/import/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct import_options o = { .all = size % 2 };
	struct doc doc;
	struct buf out;
	char *text = xstrndup((const char *)data, size);
	har_mend(text, size);
	doc_init(&doc, "fuzz.har", (struct str){ text, size });
	buf_init(&out, IMPORT_OUT_BYTES + 1);
	const int r = import_har(&doc, &o, &out);
	must((r == 0) == doc_ok(&doc) && (r == 0) == (out.len > 0));
	buf_finish(&out);
	doc_finish(&doc);
	free(text);
	return 0;
}
