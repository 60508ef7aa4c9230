/* Thresholds and pauses come from people: any bytes give a value or a place within the text. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "scenarios/pause.h"
#include "scenarios/threshold.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool within(struct str part, struct str whole)
{
	return part.len == 0 || (part.p >= whole.p && part.p + part.len <= whole.p + whole.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str text = { size ? (const char *)data : "", size };
	struct threshold t;
	struct threshold_mistake m;
	struct pause p;
	size_t at;
	const char *why;
	if (threshold_parse(text, &t, &m)) {
		must(isfinite(t.value) && t.value >= 0);
		must(t.figure != FIGURE_QUANTILE || (t.quantile > 0 && t.quantile <= 1));
		must(within(t.flow, text) && within(t.step, text) && within(t.that, text));
	} else {
		must(m.text && m.at <= size && m.len <= size - m.at);
	}
	if (pause_parse(text, &p, &at, &why))
		must(p.low >= 0 && p.high >= p.low);
	else
		must(why && at <= size);
	return 0;
}
