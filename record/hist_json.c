#include "record/hist_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/must.h"
#include "stats/hist_codec.h"

#define FRAME_TEXT_BYTES_MAX (HIST_FRAME_BYTES_MAX * 4 / 3 + 8)

/* To the nanosecond. A sum past 2^53 has rounded at each addition, so the mean is held between its bounds. */
static int64_t mean_of(const struct hist *h)
{
	const int64_t mean = llround(hist_mean(h)), min = hist_min(h), max = hist_max(h);
	return mean < min ? min : mean > max ? max : mean;
}

void hist_out(json_t *o, const char *key, const struct hist *h, bool frame)
{
	static const double quantiles[] = { 0.5, 0.9, 0.95, 0.99, 0.999 };
	static const char *const keys[ARRAY_LEN(quantiles)] = { "p50", "p90", "p95", "p99", "p999" };
	int64_t values[ARRAY_LEN(quantiles)];
	json_t *figures = out_object(o, key);
	hist_quantiles(h, quantiles, ARRAY_LEN(quantiles), values);
	out_i64(figures, "count", hist_count(h));
	out_us(figures, "mean", mean_of(h));
	out_us(figures, "min", hist_min(h));
	for (size_t i = 0; i < ARRAY_LEN(quantiles); i++)
		out_us(figures, keys[i], values[i]);
	out_us(figures, "max", hist_max(h));
	if (!frame)
		return;
	struct buf text;
	buf_init(&text, FRAME_TEXT_BYTES_MAX);
	must(hist_encode_base64(h, &text));
	out_text(figures, "histogram", buf_cstr(&text));
	out_i64(figures, "clamped", h->clamped);
	buf_finish(&text);
}

/* A claimed minimum or maximum must be in the bucket that the frame says it is in. */
static bool same_bucket(const struct hist *h, int64_t claimed, int64_t seen)
{
	return claimed >= 0 && claimed <= h->highest && hist_index(h, claimed) == hist_index(h, seen);
}

static const char *restore(struct hist *h, int64_t count, int64_t min, int64_t max, int64_t mean, int64_t clamped)
{
	if (!hist_same_layout(h, &(struct hist){ .lowest = HIST_LATENCY_LOWEST,
	                                         .highest = HIST_LATENCY_HIGHEST,
	                                         .digits = HIST_LATENCY_DIGITS }))
		return "a histogram of 1 us to 1 hour with 3 digits";
	if (h->total != count || clamped < 0 || clamped > count)
		return "a histogram that agrees with its count";
	if (count == 0)
		return NULL;
	if (!same_bucket(h, min, h->min) || !same_bucket(h, max, h->max) || min > max || mean < min || mean > max)
		return "a histogram that agrees with its min, mean and max";
	h->min = min;
	h->max = max;
	h->sum = (double)mean * (double)count;
	h->clamped = clamped;
	return NULL;
}

void hist_in(const struct in *o, const char *key, struct hist *ret)
{
	const struct in figures = in_object(o, key);
	const int64_t count = in_i64(&figures, "count"), clamped = in_i64(&figures, "clamped");
	const dur_ns min = in_us(&figures, "min"), max = in_us(&figures, "max"), mean = in_us(&figures, "mean");
	char *frame = in_text(&figures, "histogram");
	struct err why = { 0 };
	if (!frame)
		return;
	if (o->reading->failed || hist_decode_base64(ret, str_from(frame), &why) < 0) {
		in_fail(&figures, why.text[0] ? why.text : "a histogram");
	} else {
		const char *must_be = restore(ret, count, min, max, mean, clamped);
		if (must_be)
			in_fail(&figures, must_be);
		if (must_be)
			hist_finish(ret);
	}
	free(frame);
}
