#include "scenarios/threshold.h"

#include <math.h>

#include "base/must.h"
#include "base/units.h"

/* A cursor on the text, and the first mistake. */
struct reader {
	struct str text;
	size_t at;
	struct threshold_mistake mistake;
};

static const char *const metric_words[] = {
	[METRIC_NONE] = "",
	[METRIC_RESPONSE_TIME] = "response_time",
	[METRIC_SERVICE_TIME] = "service_time",
	[METRIC_SEND_LAG] = "send_lag",
	[METRIC_ITERATION_TIME] = "iteration_time",
};

static const char *const comparison_words[] = {
	[COMPARISON_LESS] = "<",
	[COMPARISON_LESS_EQUAL] = "<=",
	[COMPARISON_GREATER] = ">",
	[COMPARISON_GREATER_EQUAL] = ">=",
};

/* Quantiles are read from the word itself: "p95", "p99.9". */
static const struct {
	const char *word;
	enum threshold_figure figure;
	bool has_metric;
} figures[] = {
	{ "mean", FIGURE_MEAN, true },
	{ "max", FIGURE_MAX, true },
	{ "min", FIGURE_MIN, true },
	{ "count", FIGURE_COUNT, true },
	{ "error_rate", FIGURE_ERROR_RATE, false },
	{ "rate", FIGURE_RATE, false },
	{ "check_rate", FIGURE_CHECK_RATE, false },
};

const char *threshold_metric_text(enum threshold_metric m)
{
	return metric_words[m];
}

const char *comparison_text(enum comparison c)
{
	return comparison_words[c];
}

bool comparison_holds(enum comparison c, double left, double right)
{
	switch (c) {
	case COMPARISON_LESS:
		return left < right;
	case COMPARISON_LESS_EQUAL:
		return left <= right;
	case COMPARISON_GREATER:
		return left > right;
	case COMPARISON_GREATER_EQUAL:
		return left >= right;
	}
	return false;
}

bool threshold_holds(const struct threshold *t, double value)
{
	return comparison_holds(t->comparison, value, t->value);
}

static bool wrong(struct reader *r, size_t at, size_t len, const char *text, const char *hint)
{
	r->mistake = (struct threshold_mistake){ at, len, text, hint };
	return false;
}

static void skip_blanks(struct reader *r)
{
	while (r->at < r->text.len && strchr(" \t", r->text.p[r->at]) && r->text.p[r->at])
		r->at++;
}

static bool take_char(struct reader *r, char c)
{
	skip_blanks(r);
	if (r->at >= r->text.len || r->text.p[r->at] != c)
		return false;
	r->at++;
	return true;
}

static struct str take_word(struct reader *r)
{
	skip_blanks(r);
	const size_t start = r->at;
	for (; r->at < r->text.len; r->at++) {
		const char c = r->text.p[r->at];
		const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '.')
			break;
	}
	return (struct str){ r->text.p + start, r->at - start };
}

static size_t word_at(const struct reader *r, struct str word)
{
	return (size_t)(word.p - r->text.p);
}

static bool read_figure(struct reader *r, struct threshold *t, bool *ret_has_metric)
{
	static const char known[] =
		"one of p50, p95, p99.9 (any p), mean, max, min, count, error_rate, rate, check_rate";
	const struct str word = take_word(r);
	double percent;
	*ret_has_metric = true;
	for (size_t i = 0; i < ARRAY_LEN(figures); i++) {
		if (!str_is(word, figures[i].word))
			continue;
		t->figure = figures[i].figure;
		*ret_has_metric = figures[i].has_metric;
		return true;
	}
	if (word.len < 2 || word.p[0] != 'p' || !str_to_double(str_from_at(word, 1), &percent))
		return wrong(r, word_at(r, word), word.len, "this is no figure that can be compared", known);
	if (!(percent > 0 && percent <= 100))
		return wrong(r, word_at(r, word), word.len, "a percentile is above 0 and at most 100",
		             "for example p95");
	t->figure = FIGURE_QUANTILE;
	t->quantile = percent / 100;
	return true;
}

static bool read_metric(struct reader *r, struct threshold *t)
{
	const struct str word = take_word(r);
	for (size_t m = METRIC_RESPONSE_TIME; m < ARRAY_LEN(metric_words); m++)
		if (str_is(word, metric_words[m]))
			t->metric = (enum threshold_metric)m;
	if (t->metric == METRIC_NONE)
		return wrong(r, word_at(r, word), word.len, "this is no metric",
		             "one of response_time, service_time, send_lag, iteration_time");
	return true;
}

static bool read_name(struct reader *r, struct str *into)
{
	skip_blanks(r);
	const size_t start = r->at;
	if (take_char(r, '\'')) {
		const size_t end = r->at + str_find(str_from_at(r->text, r->at), '\'');
		if (end == r->text.len)
			return wrong(r, start, end - start, "the name has no closing '", NULL);
		*into = (struct str){ r->text.p + r->at, end - r->at };
		r->at = end + 1;
	} else {
		while (r->at < r->text.len && r->text.p[r->at] != ',' && r->text.p[r->at] != ')')
			r->at++;
		*into = str_trim((struct str){ r->text.p + start, r->at - start });
	}
	return into->len > 0 || wrong(r, start, 0, "the name is missing", "for example flow=auth");
}

static bool read_scope(struct reader *r, struct threshold *t)
{
	const struct {
		const char *word;
		struct str *into;
	} scopes[] = { { "flow", &t->flow }, { "step", &t->step }, { "group", &t->group }, { "check", &t->check } };
	const struct str word = take_word(r);
	struct str *into = NULL;
	for (size_t i = 0; i < ARRAY_LEN(scopes); i++)
		if (str_is(word, scopes[i].word))
			into = scopes[i].into;
	if (!into)
		return wrong(r, word_at(r, word), word.len,
		             "only a flow, a step, a group or a check can be chosen here",
		             "flow=NAME, step=NAME, group=NAME or check='TEXT'");
	if (into == &t->check && t->figure != FIGURE_CHECK_RATE)
		return wrong(r, word_at(r, word), word.len, "a check can be chosen for a check_rate only", NULL);
	if (into != &t->flow && t->metric == METRIC_ITERATION_TIME)
		return wrong(r, word_at(r, word), word.len, "an iteration_time is of a whole flow", "flow=NAME");
	if (into->len)
		return wrong(r, word_at(r, word), word.len, "this was chosen already", NULL);
	if (!take_char(r, '='))
		return wrong(r, r->at, 0, "\"=\" and a name are missing here", "flow=NAME or step=NAME");
	return read_name(r, into);
}

/* "(metric, flow=.., step=..)" or, for figures without a metric, an optional "(flow=.., step=..)". */
static bool read_arguments(struct reader *r, struct threshold *t, bool has_metric)
{
	if (!take_char(r, '(')) {
		if (!has_metric)
			return true;
		return wrong(r, r->at, 0, "the metric is missing", "for example p95(response_time)");
	}
	if (has_metric && !read_metric(r, t))
		return false;
	while (!take_char(r, ')')) {
		const bool first = !has_metric && t->flow.len + t->step.len + t->group.len + t->check.len == 0;
		if (!first && !take_char(r, ','))
			return wrong(r, r->at, 0, "\",\" or \")\" is missing here", NULL);
		if (!read_scope(r, t))
			return false;
	}
	return true;
}

static bool read_comparison(struct reader *r, struct threshold *t)
{
	skip_blanks(r);
	const struct str rest = str_from_at(r->text, r->at);
	/* The longer ones first. */
	static const enum comparison order[] = { COMPARISON_LESS_EQUAL, COMPARISON_GREATER_EQUAL, COMPARISON_LESS,
		                                 COMPARISON_GREATER };
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		const struct str sign = str_from(comparison_words[order[i]]);
		if (!str_starts(rest, sign))
			continue;
		t->comparison = order[i];
		r->at += sign.len;
		return true;
	}
	return wrong(r, r->at, rest.len ? 1 : 0, "a comparison is missing here", "one of <, <=, >, >=");
}

static bool read_rate(struct str s, double *ret)
{
	const size_t slash = str_find(s, '/');
	const struct str unit = str_trim(str_from_at(s, slash + 1));
	const double per = str_is(unit, "s") ? 1 : str_is(unit, "m") ? 60 : str_is(unit, "h") ? 3600 : 0;
	if (per == 0 || slash == s.len || !str_to_double(str_trim(str_first(s, slash)), ret))
		return false;
	*ret /= per;
	return true;
}

static bool read_value(struct reader *r, struct threshold *t)
{
	skip_blanks(r);
	const size_t at = r->at;
	const struct str s = str_from_at(r->text, at);
	size_t bad;
	dur_ns d = 0;
	switch (t->figure) {
	case FIGURE_QUANTILE:
	case FIGURE_MEAN:
	case FIGURE_MAX:
	case FIGURE_MIN:
		if (!duration_parse(s, &d, &bad))
			return wrong(r, at, s.len, "this is not a duration", "for example 500ms or 1.5s");
		t->value = (double)d;
		return true;
	case FIGURE_ERROR_RATE:
	case FIGURE_CHECK_RATE:
		if (!share_parse(s, &t->value, &bad))
			return wrong(r, at, s.len, "this is not a share", "for example 1% or 0.01");
		return true;
	case FIGURE_RATE:
		if (!read_rate(s, &t->value) || t->value < 0)
			return wrong(r, at, s.len, "this is not a rate", "for example 100/s, 5/m or 10/h");
		return true;
	case FIGURE_COUNT:
		if (!str_to_double(s, &t->value) || t->value < 0)
			return wrong(r, at, s.len, "this is not a count", "a number");
		return true;
	}
	return false;
}

bool threshold_parse(struct str text, struct threshold *ret_threshold, struct threshold_mistake *reterr_mistake)
{
	const struct str that = str_trim(text);
	const size_t lead = text.len ? (size_t)(that.p - text.p) : 0;
	struct reader r = { .text = that };
	struct threshold t = {
		.that = that, .flow_index = THRESHOLD_ANY, .step_index = THRESHOLD_ANY, .group_index = THRESHOLD_ANY
	};
	bool has_metric;
	if (read_figure(&r, &t, &has_metric) && read_arguments(&r, &t, has_metric) && read_comparison(&r, &t) &&
	    read_value(&r, &t)) {
		*ret_threshold = t;
		return true;
	}
	*reterr_mistake = r.mistake;
	reterr_mistake->at += lead;
	return false;
}
