#include "reports/threshold_text.h"

#include <math.h>
#include <stdio.h>

#include "scenarios/threshold.h"

const char *threshold_value_text(const struct threshold_record *t, char ret_text[NUMBER_TEXT_BYTES])
{
	struct threshold parsed;
	struct threshold_mistake mistake;
	if (!t->has_value || !isfinite(t->value)) {
		snprintf(ret_text, NUMBER_TEXT_BYTES, "no data");
		return ret_text;
	}
	if (!threshold_parse(str_from(t->that), &parsed, &mistake)) {
		snprintf(ret_text, NUMBER_TEXT_BYTES, "%.6g", t->value);
		return ret_text;
	}
	switch (parsed.figure) {
	case FIGURE_ERROR_RATE:
	case FIGURE_CHECK_RATE:
		return text_share(t->value, ret_text);
	case FIGURE_RATE:
		return text_rate(t->value, ret_text);
	case FIGURE_COUNT:
		return text_count(t->value, ret_text);
	case FIGURE_QUANTILE:
	case FIGURE_MEAN:
	case FIGURE_MAX:
	case FIGURE_MIN:
		break;
	}
	return text_duration((dur_ns)llround(t->value), ret_text);
}

double threshold_used(const struct threshold_record *t)
{
	struct threshold parsed;
	struct threshold_mistake mistake;
	if (!t->has_value || !isfinite(t->value) || !threshold_parse(str_from(t->that), &parsed, &mistake))
		return NAN;
	const bool below = parsed.comparison == COMPARISON_LESS || parsed.comparison == COMPARISON_LESS_EQUAL;
	const double over = below ? t->value : parsed.value, under = below ? parsed.value : t->value;
	return under > 0 ? over / under : NAN;
}

/* Larger is worse. */
static double badness(const struct threshold_record *t)
{
	const double used = threshold_used(t);
	/* All that are not met come before all that are. */
	return (t->met ? 0 : 1e12) + (isnan(used) ? 0 : fmin(used, 1e9));
}

const struct threshold_record *threshold_worst(const struct run_record *r)
{
	const struct threshold_record *worst = NULL;
	for (size_t i = 0; i < r->threshold_count; i++)
		if (!worst || badness(&r->thresholds[i]) > badness(worst))
			worst = &r->thresholds[i];
	return worst;
}
