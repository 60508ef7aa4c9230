#include "reports/quantile_text.h"

#include <stdio.h>

#include "stats/batch.h"

#define CONFIDENCE 0.95
#define LEAST_FOR_MEDIAN 5

int64_t quantile_least_n(double q)
{
	if (q <= 0.5)
		return LEAST_FOR_MEDIAN;
	return guarantee_least_n(1 - q, CONFIDENCE, 0);
}

const char *text_quantile(const struct hist *h, double q, char ret_text[NUMBER_TEXT_BYTES])
{
	char count[NUMBER_TEXT_BYTES];
	const int64_t least = quantile_least_n(q);
	if (hist_count(h) == 0)
		snprintf(ret_text, NUMBER_TEXT_BYTES, "n/a");
	else if (hist_count(h) < least)
		snprintf(ret_text, NUMBER_TEXT_BYTES, "n/a (<%.40s)", text_count((double)least, count));
	else
		text_duration(hist_quantile(h, q), ret_text);
	return ret_text;
}

const char *text_quantile_interval(const struct hist *h, double q, char ret_text[NUMBER_TEXT_BYTES])
{
	char low_text[NUMBER_TEXT_BYTES] = "?", high_text[NUMBER_TEXT_BYTES] = "?";
	int64_t low, high;
	const int64_t n = hist_count(h);
	ret_text[0] = '\0';
	if (n == 0 || n < quantile_least_n(q))
		return ret_text;
	quantile_ranks(n, q, CONFIDENCE, &low, &high);
	if (low >= 1)
		text_duration(hist_quantile(h, (double)low / (double)n), low_text);
	if (high <= n)
		text_duration(hist_quantile(h, (double)high / (double)n), high_text);
	snprintf(ret_text, NUMBER_TEXT_BYTES, "%.20s .. %.20s", low_text, high_text);
	return ret_text;
}
