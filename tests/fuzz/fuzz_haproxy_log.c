/* The log of HAProxy: whatever comes through the pipe, and however it is cut, every line is counted once, and what is
 * counted adds up. */
#include <stdint.h>

#include "base/must.h"
#include "canary/sources/haproxy_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void feed(struct haproxy_intake *i, struct str in, size_t step)
{
	haproxy_intake_init(i);
	for (size_t at = 0; at < in.len; at += step)
		haproxy_intake_bytes(i, str_first(str_from_at(in, at), step));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct haproxy_intake whole, cut;
	if (size == 0)
		return 0;
	/* The first byte says how the rest is cut. */
	const struct str in = { (const char *)bytes + 1, size - 1 };
	feed(&whole, in, size);
	feed(&cut, in, 1u + bytes[0]);
	uint64_t counted = 0;
	for (int a = 0; a < ARMS; a++) {
		const struct arm_sample *s = &whole.sample.arms[a];
		must(s->errors <= s->requests && (uint64_t)s->bins.total == s->requests);
		must((uint64_t)hist_count(s->latency) == s->requests);
		must(s->requests == cut.sample.arms[a].requests && s->errors == cut.sample.arms[a].errors);
		counted += s->requests + s->client_aborts;
	}
	must(counted + whole.sample.unreadable == whole.sample.lines);
	haproxy_intake_finish(&whole);
	haproxy_intake_finish(&cut);
	return 0;
}
