/* Histogram decoders: whatever the bytes are, a decoder answers, and what it accepts survives a round trip. */
#include <stdint.h>
#include <string.h>

#include "base/must.h"
#include "stats/hist_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_round_trip(struct hist *h)
{
	struct hist back;
	struct buf frame;
	struct hist_bucket b = HIST_BEFORE_FIRST;
	int64_t seen = 0;
	while (hist_next(h, &b))
		seen += b.count;
	must(seen == h->total && hist_quantile(h, 1) <= h->max + (h->total == 0));
	buf_init(&frame, HIST_FRAME_BYTES_MAX);
	if (hist_encode(h, &frame)) { /* wild counts may pass the limit of a frame */
		must(hist_decode(&back, buf_str(&frame), NULL) == 0);
		must(hist_same_layout(h, &back) && h->total == back.total);
		must(memcmp(h->counts, back.counts, (size_t)h->counts_len * sizeof(h->counts[0])) == 0);
		hist_finish(&back);
	}
	buf_finish(&frame);
	hist_finish(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const struct str in = { (const char *)bytes, size };
	struct hist h;
	if (hist_decode(&h, in, NULL) == 0)
		check_round_trip(&h);
	if (hist_decode_inner(&h, in, NULL) == 0)
		check_round_trip(&h);
	if (hist_decode_base64(&h, in, NULL) == 0)
		check_round_trip(&h);
	return 0;
}
