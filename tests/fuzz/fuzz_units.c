/* Durations, shares and numbers: what is accepted is within its range and survives being written, a refusal says where,
 * and nothing is touched on failure. */
#include <math.h>
#include <stdint.h>

#include "base/must.h"
#include "base/units.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_duration(struct str s)
{
	char text[DURATION_TEXT_BYTES];
	dur_ns d = -1;
	size_t at = SIZE_MAX;
	if (duration_parse(s, &d, &at)) {
		must(d >= 0 && d <= 365 * 24 * HOUR);
		must(strlen(duration_format(d, text)) < sizeof(text));
	} else {
		must(d == -1 && at <= s.len);
	}
}

static void check_share(struct str s)
{
	double share = -1;
	size_t at = SIZE_MAX;
	if (share_parse(s, &share, &at))
		must(share >= 0 && share <= 1);
	else
		must(share == -1 && at <= s.len);
}

static void check_numbers(struct str s)
{
	char text[COUNT_TEXT_BYTES];
	double number = -1;
	uint64_t whole = 0;
	if (str_to_double(s, &number)) {
		must(isfinite(number));
		must(strlen(count_format(number, text)) < sizeof(text));
	}
	/* Digits are a decimal number, too, and the same one. */
	if (str_to_u64(s, &whole) && s.len < 64)
		must(str_to_double(s, &number) && fabs(number - (double)whole) <= 1e-15 * number);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const struct str s = { (const char *)bytes, size };
	check_duration(s);
	check_share(s);
	check_numbers(s);
	return 0;
}
