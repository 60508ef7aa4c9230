/* Answers of HAProxy's runtime API. */
#include <stdint.h>

#include "base/must.h"
#include "canary/drivers/haproxy_answers.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const struct str in = { (const char *)bytes, size };
	struct haproxy_state s;
	if (haproxy_state_parse(in, &s)) {
		must(s.pid > 0 && s.weight_bp >= 0 && s.weight_bp <= WEIGHT_FULL_BP);
		must(haproxy_state_weight(&s) <= s.weight_bp);
	}
	const struct str alert = haproxy_first_alert(in);
	must(alert.len <= in.len);
	return 0;
}
