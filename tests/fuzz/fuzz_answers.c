/* What endpoints and Prometheus answer: each figure is finite or missing, and missing has a reason. */
#include <math.h>
#include <stdint.h>

#include "base/must.h"
#include "observe/answers.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char *const pointers[] = { "/queue", "/a~1b/0", "" };
	const struct str s = { (const char *)bytes, size };
	double values[3], value = 0;
	struct err err = { .kind = ERR_NONE };
	const int result = answer_json_values(s, pointers, 3, values, &err);
	bool missing = false;
	for (int i = 0; i < 3; i++) {
		must(isfinite(values[i]) || isnan(values[i]));
		missing = missing || isnan(values[i]);
	}
	must(missing == (result < 0));
	must(!missing || err.text[0]);
	err = (struct err){ .kind = ERR_NONE };
	if (answer_prometheus(s, 1700000000, 30, &value, &err) == 0)
		must(isfinite(value));
	else
		must(isnan(value) && err.text[0]);
	return 0;
}
