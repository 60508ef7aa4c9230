#include "canary/plan_stages.h"

#include <math.h>

#include "base/field.h"
#include "base/must.h"
#include "base/units.h"

#define STAGE_MIN (60 * SECOND)
#define STAGE_MAX (10 * MINUTE)
#define NOT_GIVEN ((dur_ns)-1)

static const char words[] = "a list of stages, or one of \"canary\", \"linear:10%\", \"blue-green\"";

static const struct plan_stage canary_stages[] = {
	{ 500, STAGE_MIN, STAGE_MAX },  { 1000, STAGE_MIN, STAGE_MAX }, { 2500, STAGE_MIN, STAGE_MAX },
	{ 5000, STAGE_MIN, STAGE_MAX }, { 7500, STAGE_MIN, STAGE_MAX }, { 10000, STAGE_MIN, STAGE_MAX },
};
static const struct plan_stage blue_green_stages[] = {
	{ 0, 30 * SECOND, STAGE_MAX },
	{ 1000, 2 * MINUTE, STAGE_MAX },
	{ 5000, 5 * MINUTE, STAGE_MAX },
	{ 10000, STAGE_MIN, STAGE_MAX },
};

static void use_preset(struct plan *p, const struct plan_stage *stages, size_t count)
{
	p->stages = arena_array(&p->arena, struct plan_stage, count);
	memcpy(p->stages, stages, count * sizeof(*stages));
	p->stage_count = count;
}

/* Whole basis points, or -1. */
static int32_t share_to_bp(double share)
{
	const double bp = share * WEIGHT_FULL_BP;
	return fabs(bp - round(bp)) > 1e-6 ? -1 : (int32_t)round(bp);
}

static void read_linear(const struct node *n, struct str step_text, struct plan *p)
{
	double share;
	size_t at;
	const int32_t step = share_parse(step_text, &share, &at) ? share_to_bp(share) : -1;
	if (step < WEIGHT_FULL_BP / PLAN_STAGES_MAX || step > WEIGHT_FULL_BP / 2) {
		node_error(n, "for example \"linear:10%\"", "the step of \"linear\" must be a share from 1%% to 50%%");
		return;
	}
	p->stages = arena_array(&p->arena, struct plan_stage, PLAN_STAGES_MAX + 1);
	for (int32_t bp = step; p->stage_count == 0 || p->stages[p->stage_count - 1].weight_bp < WEIGHT_FULL_BP;
	     bp += step)
		p->stages[p->stage_count++] = (struct plan_stage){
			.weight_bp = bp < WEIGHT_FULL_BP ? bp : WEIGHT_FULL_BP, .min = STAGE_MIN, .max = STAGE_MAX
		};
}

static void read_preset(const struct node *n, struct plan *p)
{
	const struct str word = node_str(n);
	p->preset = arena_strndup(&p->arena, word.p, word.len);
	if (str_is(word, "canary"))
		use_preset(p, canary_stages, ARRAY_LEN(canary_stages));
	else if (str_is(word, "blue-green"))
		use_preset(p, blue_green_stages, ARRAY_LEN(blue_green_stages));
	else if (str_starts(word, STR("linear:")))
		read_linear(n, str_from_at(word, 7), p);
	else
		node_error(n, words, "\"stages\" cannot be \"%.*s\"", STR_ARG(str_first(word, 60)));
}

/* One limit that was not written follows the one that was, so that "min": "15m" alone is a whole sentence. */
static void fill_limits(const struct node *n, struct plan_stage *s)
{
	if (s->min == NOT_GIVEN)
		s->min = s->max != NOT_GIVEN && s->max < STAGE_MIN ? s->max : STAGE_MIN;
	if (s->max == NOT_GIVEN)
		s->max = 2 * s->min > STAGE_MAX ? 2 * s->min : STAGE_MAX;
	struct node max;
	if (s->max < s->min && node_get(n, "max", &max))
		node_error(&max, NULL, "\"max\" must not be less than \"min\"");
}

static void read_stage(const struct node *n, const struct plan_stage *before, struct plan *p, struct plan_stage *s)
{
	static const struct field weight_field = {
		"weight", FIELD_SHARE, 0, .help = "the canary's share of traffic, such as \"5%\" or \"0.25%\""
	};
	static const struct field fields[] = {
		{ "weight", FIELD_NODE, 0, .required = true,
		  .help = "the canary's share of traffic, such as \"5%\" or \"0.25%\"" },
		{ "min", FIELD_DURATION, offsetof(struct plan_stage, min), .max = 30.0 * 24 * HOUR,
		  .help = "least time in this stage" },
		{ "max", FIELD_DURATION, offsetof(struct plan_stage, max), .min = SECOND, .max = 30.0 * 24 * HOUR,
		  .help = "after this \"on_inconclusive\" decides" },
		{ 0 },
	};
	struct node weight;
	double share;
	*s = (struct plan_stage){ .weight_bp = -1, .min = NOT_GIVEN, .max = NOT_GIVEN };
	if (!fields_read(n, fields, &p->arena, s))
		return;
	fill_limits(n, s);
	if (!node_get(n, "weight", &weight) || !field_read_value(&weight, &weight_field, &p->arena, &share))
		return;
	s->weight_bp = share_to_bp(share);
	if (s->weight_bp < 0)
		node_error(&weight, NULL, "\"weight\" must be a whole multiple of 0.01%%");
	else if (before && before->weight_bp >= 0 && s->weight_bp <= before->weight_bp)
		node_error(&weight, NULL, "\"weight\" must be more than the stage before, %g%%",
		           before->weight_bp / 100.0);
}

static void read_list(const struct node *n, struct plan *p)
{
	const size_t count = node_count(n);
	if (count == 0 || count > PLAN_STAGES_MAX) {
		node_error(n, words, "\"stages\" must have from 1 to %d stages", PLAN_STAGES_MAX);
		return;
	}
	p->stages = arena_array(&p->arena, struct plan_stage, count);
	p->stage_count = count;
	bool compared = false, readable = true;
	for (size_t i = 0; i < count; i++) {
		const struct node item = node_item(n, i);
		struct plan_stage *s = &p->stages[i];
		read_stage(&item, i ? s - 1 : NULL, p, s);
		readable = readable && s->weight_bp >= 0;
		compared = compared || (s->weight_bp > 0 && s->weight_bp < WEIGHT_FULL_BP);
	}
	if (readable && !compared)
		node_error(n, "for example a first stage of \"5%\"",
		           "at least one stage must be between 0%% and 100%%, or nothing can be compared");
}

void plan_stages_read(const struct node *n, struct plan *p)
{
	if (json_is_string(n->value))
		read_preset(n, p);
	else if (json_is_array(n->value))
		read_list(n, p);
	else
		node_error(n, words, "\"stages\" must be a list or a word, not %s", node_type_text(n));
}
