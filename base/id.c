#include "base/id.h"

#include "base/rng.h"

void id_make(struct wall now, char ret_id[ID_TEXT_BYTES])
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint64_t ms = (uint64_t)(now.ns / MILLISECOND);
	for (int i = 9; i >= 0; i--, ms >>= 5)
		ret_id[i] = digits[ms & 31];
	for (int half = 0; half < 2; half++) {
		uint64_t bits = rng_fresh_seed();
		for (int i = 0; i < 8; i++, bits >>= 5)
			ret_id[10 + half * 8 + i] = digits[bits & 31];
	}
	ret_id[26] = '\0';
}
