#include "base/units.h"

#include <math.h>
#include <stdio.h>

static const struct {
	const char *name;
	dur_ns ns;
} units[] = {
	{ "ns", 1 },     { "us", MICROSECOND }, { "ms", MILLISECOND }, { "s", SECOND },
	{ "m", MINUTE }, { "h", HOUR },         { "d", 24 * HOUR },
};

#define LONGEST_DURATION (HOUR * 24 * 365)

static size_t span(struct str s, const char *set)
{
	size_t n = 0;
	while (n < s.len && s.p[n] != '\0' && strchr(set, s.p[n]))
		n++;
	return n;
}

/* One number and its unit off the front of <s>. Returns the bytes used, 0 when this is none. */
static size_t take_part(struct str s, dur_ns *ret_part)
{
	double number;
	const size_t digits = span(s, "0123456789.");
	if (!str_to_double(str_first(s, digits), &number))
		return 0;
	const struct str rest = str_from_at(s, digits);
	const struct str name = str_first(rest, span(rest, "nusmhd"));
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!str_is(name, units[i].name))
			continue;
		const double ns = number * (double)units[i].ns;
		if (ns > (double)LONGEST_DURATION)
			return 0;
		*ret_part = (dur_ns)llround(ns);
		return digits + name.len;
	}
	return 0;
}

bool duration_parse(struct str s, dur_ns *ret_duration, size_t *reterr_at)
{
	dur_ns sum = 0;
	size_t at = 0;
	if (str_is(s, "0")) {
		*ret_duration = 0;
		return true;
	}
	while (at < s.len) {
		dur_ns part;
		const size_t used = take_part(str_from_at(s, at), &part);
		if (used == 0 || sum + part > LONGEST_DURATION)
			break;
		sum += part;
		at += used;
	}
	if (at < s.len || s.len == 0) {
		*reterr_at = at + span(str_from_at(s, at), "0123456789.");
		return false;
	}
	*ret_duration = sum;
	return true;
}

bool share_parse(struct str s, double *ret_share, size_t *reterr_at)
{
	const bool percent = s.len && s.p[s.len - 1] == '%';
	double number;
	if (!str_to_double(percent ? str_first(s, s.len - 1) : s, &number)) {
		*reterr_at = span(s, "0123456789.");
		return false;
	}
	if (percent)
		number /= 100;
	if (number < 0 || number > 1) {
		*reterr_at = 0;
		return false;
	}
	*ret_share = number;
	return true;
}

/* Three significant digits without an exponent. */
static void three_digits(double v, char *text, size_t size)
{
	const double a = fabs(v);
	snprintf(text, size, "%.*f", a >= 99.95 ? 0 : a >= 9.995 ? 1 : 2, v);
}

const char *duration_format(dur_ns d, char ret_text[DURATION_TEXT_BYTES])
{
	char number[24];
	if (d >= 2 * MINUTE || d <= -2 * MINUTE) {
		const dur_ns s = (d < 0 ? -d : d) / SECOND;
		if (s >= 7200)
			snprintf(ret_text, DURATION_TEXT_BYTES, "%s%d h %d m", d < 0 ? "-" : "", (int)(s / 3600),
			         (int)(s / 60 % 60));
		else
			snprintf(ret_text, DURATION_TEXT_BYTES, "%s%d m %d s", d < 0 ? "-" : "", (int)(s / 60),
			         (int)(s % 60));
		return ret_text;
	}
	const dur_ns a = d < 0 ? -d : d;
	/* What would be rounded to 1000 of a unit is 1 of the next. */
	const dur_ns unit = a >= SECOND - SECOND / 2000             ? SECOND
	                    : a >= MILLISECOND - MILLISECOND / 2000 ? MILLISECOND
	                                                            : MICROSECOND;
	three_digits((double)d / (double)unit, number, sizeof(number));
	snprintf(ret_text, DURATION_TEXT_BYTES, "%s %s", d == 0 ? "0" : number,
	         unit == SECOND        ? "s"
	         : unit == MILLISECOND ? "ms"
	                               : "us");
	return ret_text;
}

const char *count_format(double count, char ret_text[COUNT_TEXT_BYTES])
{
	char number[24];
	const double a = fabs(count);
	const double unit = a >= 1e9 ? 1e9 : a >= 1e6 ? 1e6 : a >= 1e4 ? 1e3 : 1;
	if (unit == 1 && count == floor(count)) {
		snprintf(ret_text, COUNT_TEXT_BYTES, "%.0f", count);
		return ret_text;
	}
	three_digits(count / unit, number, sizeof(number));
	snprintf(ret_text, COUNT_TEXT_BYTES, "%s%s", number,
	         unit == 1e9   ? " G"
	         : unit == 1e6 ? " M"
	         : unit == 1e3 ? " k"
	                       : "");
	return ret_text;
}
