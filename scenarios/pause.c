#include "scenarios/pause.h"

#include <inttypes.h>

#include "base/units.h"

#define LONGEST_PAUSE (24 * HOUR)
/* Beyond 20 means lie 2e-9 of an exponential: cutting there changes no figure but bounds the wait. */
#define EXPONENTIAL_CUT 20

static bool read_duration(struct str whole, size_t from, size_t to, dur_ns *ret, size_t *reterr_at)
{
	size_t at;
	const struct str part = str_first(str_from_at(whole, from), to - from);
	if (duration_parse(part, ret, &at))
		return true;
	*reterr_at = from + at;
	return false;
}

static size_t find_dots(struct str s)
{
	for (size_t i = 0; i + 1 < s.len; i++)
		if (s.p[i] == '.' && s.p[i + 1] == '.')
			return i;
	return s.len;
}

bool pause_parse(struct str text, struct pause *ret_pause, size_t *reterr_at, const char **reterr_why)
{
	const size_t dots = find_dots(text), from = str_starts(text, STR("exp:")) ? 4 : 0;
	struct pause p = { .kind = from ? PAUSE_EXPONENTIAL : PAUSE_FIXED };
	*reterr_why = "this is not a pause";
	if (!read_duration(text, from, from ? text.len : dots, &p.low, reterr_at))
		return false;
	p.high = from ? p.low * EXPONENTIAL_CUT : p.low;
	if (!from && dots < text.len) {
		p.kind = PAUSE_UNIFORM;
		if (!read_duration(text, dots + 2, text.len, &p.high, reterr_at))
			return false;
		*reterr_at = dots + 2;
		*reterr_why = "the end of the range is below its beginning";
		if (p.high < p.low)
			return false;
	}
	*reterr_at = from;
	*reterr_why = "a pause is at most 24 hours";
	if (p.low > LONGEST_PAUSE || (p.kind == PAUSE_UNIFORM && p.high > LONGEST_PAUSE))
		return false;
	*ret_pause = p;
	return true;
}

dur_ns pause_draw(const struct pause *p, struct rng *rng)
{
	switch (p->kind) {
	case PAUSE_FIXED:
		return p->low;
	case PAUSE_UNIFORM:
		return p->low + (dur_ns)rng_below(rng, (uint64_t)(p->high - p->low) + 1);
	case PAUSE_EXPONENTIAL:
		break;
	}
	const double drawn = rng_exponential(rng, (double)p->low);
	return drawn < (double)p->high ? (dur_ns)drawn : p->high;
}

/* The largest unit that loses nothing. */
static void write_duration(dur_ns d, struct buf *out)
{
	static const struct {
		dur_ns ns;
		const char *name;
	} units[] = { { HOUR, "h" },         { MINUTE, "m" },       { SECOND, "s" },
		      { MILLISECOND, "ms" }, { MICROSECOND, "us" }, { 1, "ns" } };
	size_t i = 0;
	while (d % units[i].ns != 0)
		i++;
	if (d == 0)
		buf_add(out, STR("0"));
	else
		buf_printf(out, "%" PRId64 "%s", d / units[i].ns, units[i].name);
}

void pause_write(const struct pause *p, struct buf *out)
{
	if (p->kind == PAUSE_EXPONENTIAL)
		buf_add(out, STR("exp:"));
	write_duration(p->low, out);
	if (p->kind == PAUSE_UNIFORM) {
		buf_add(out, STR(".."));
		write_duration(p->high, out);
	}
}
