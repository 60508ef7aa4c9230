#include "reports/style.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/units.h"

static const char *not_there(char ret_text[NUMBER_TEXT_BYTES])
{
	snprintf(ret_text, NUMBER_TEXT_BYTES, "n/a");
	return ret_text;
}

const char *text_duration(dur_ns d, char ret_text[NUMBER_TEXT_BYTES])
{
	char text[DURATION_TEXT_BYTES];
	if (d < 0)
		return not_there(ret_text);
	snprintf(ret_text, NUMBER_TEXT_BYTES, "%s", duration_format(d, text));
	return ret_text;
}

const char *text_count(double count, char ret_text[NUMBER_TEXT_BYTES])
{
	char text[COUNT_TEXT_BYTES];
	if (!isfinite(count) || count < 0)
		return not_there(ret_text);
	count = count < 0.5 ? 0 : round(count);
	if (count >= 1e6)
		snprintf(ret_text, NUMBER_TEXT_BYTES, "%s", count_format(count, text));
	else if (count >= 1000)
		snprintf(ret_text, NUMBER_TEXT_BYTES, "%d,%03d", (int)count / 1000, (int)count % 1000);
	else
		snprintf(ret_text, NUMBER_TEXT_BYTES, "%d", (int)count);
	return ret_text;
}

const char *text_times(uint64_t count, char ret_text[NUMBER_TEXT_BYTES])
{
	char number[NUMBER_TEXT_BYTES];
	ret_text[0] = '\0';
	if (count > 1)
		snprintf(ret_text, NUMBER_TEXT_BYTES, " (%.20s times)", text_count((double)count, number));
	return ret_text;
}

/* Two significant digits below 10, one decimal below 100, none above; trailing zeros are left off. */
static void add_number(double v, char *text, size_t size)
{
	const int decimals = v >= 99.95 ? 0 : v >= 9.995 ? 1 : v >= 0.995 ? 2 : v > 0 ? 1 - (int)floor(log10(v)) : 0;
	snprintf(text, size, "%.*f", decimals > 9 ? 9 : decimals, v);
	size_t len = strlen(text);
	if (!strchr(text, '.'))
		return;
	while (text[len - 1] == '0')
		text[--len] = '\0';
	if (text[len - 1] == '.')
		text[--len] = '\0';
}

const char *text_share(double share, char ret_text[NUMBER_TEXT_BYTES])
{
	char number[NUMBER_TEXT_BYTES - 4];
	if (!isfinite(share))
		return not_there(ret_text);
	const double percent = fabs(share) * 100;
	if (share < 0) {
		add_number(percent, number, sizeof(number));
		snprintf(ret_text, NUMBER_TEXT_BYTES, "%s%s %%", strcmp(number, "0") == 0 ? "" : "-", number);
		return ret_text;
	}
	/* 99.996 % of something is not all of it. */
	if (percent > 99.9 && percent < 100)
		snprintf(number, sizeof(number), "%s", percent >= 99.99 ? ">99.99" : "99.9");
	else if (percent > 99 && percent < 100)
		snprintf(number, sizeof(number), "%.1f", floor(percent * 10) / 10);
	else
		add_number(percent, number, sizeof(number));
	snprintf(ret_text, NUMBER_TEXT_BYTES, "%s %%", number);
	return ret_text;
}

const char *text_rate(double per_second, char ret_text[NUMBER_TEXT_BYTES])
{
	char number[NUMBER_TEXT_BYTES];
	if (!isfinite(per_second) || per_second < 0)
		return not_there(ret_text);
	if (per_second >= 1000)
		text_count(per_second, number);
	else
		add_number(per_second, number, sizeof(number));
	snprintf(ret_text, NUMBER_TEXT_BYTES, "%.40s/s", number);
	return ret_text;
}

const char *text_ratio(double ratio, char ret_text[NUMBER_TEXT_BYTES])
{
	if (!isfinite(ratio) || ratio < 0)
		return not_there(ret_text);
	if (ratio >= 1000)
		snprintf(ret_text, NUMBER_TEXT_BYTES, ">999x");
	else
		snprintf(ret_text, NUMBER_TEXT_BYTES, "%.*fx", ratio >= 99.5 ? 0 : ratio >= 9.995 ? 1 : 2, ratio);
	return ret_text;
}

const char *text_bytes(double bytes, char ret_text[NUMBER_TEXT_BYTES])
{
	char text[COUNT_TEXT_BYTES];
	if (!isfinite(bytes) || bytes < 0)
		return not_there(ret_text);
	snprintf(ret_text, NUMBER_TEXT_BYTES, "%s%sB", count_format(round(bytes), text), bytes < 1e4 ? " " : "");
	return ret_text;
}

const char *text_weight(int32_t basis_points, char ret_text[NUMBER_TEXT_BYTES])
{
	return text_share(basis_points / 10000.0, ret_text);
}

const char *text_wall(struct wall t, char ret_text[NUMBER_TEXT_BYTES])
{
	const time_t seconds = (time_t)(t.ns / SECOND);
	struct tm parts;
	if (t.ns <= 0 || !gmtime_r(&seconds, &parts))
		return not_there(ret_text);
	strftime(ret_text, NUMBER_TEXT_BYTES, "%Y-%m-%d %H:%M:%S UTC", &parts);
	return ret_text;
}

const char *text_since(dur_ns d, char ret_text[NUMBER_TEXT_BYTES])
{
	const char sign = d < 0 ? '-' : '+';
	const long s = (long)((d < 0 ? -d : d) / SECOND);
	if (s >= 3600)
		snprintf(ret_text, NUMBER_TEXT_BYTES, "%c%ld:%02ld:%02ld", sign, s / 3600, s / 60 % 60, s % 60);
	else
		snprintf(ret_text, NUMBER_TEXT_BYTES, "%c%ld:%02ld", sign, s / 60, s % 60);
	return ret_text;
}
