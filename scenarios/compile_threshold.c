/* compile_threshold.c: thresholds, and which flows and steps they mean. */
#include "scenarios/compile.h"

#include "base/must.h"

struct threshold_text {
	dur_ns over, grace;
	bool aborts;
};

#define AT(member) .offset = offsetof(struct threshold_text, member)
const struct field threshold_fields[] = {
	{ .key = "that", .type = FIELD_NODE, .required = true, .help = "For example \"p95(response_time) < 500ms\"." },
	{ .key = "over",
	  .type = FIELD_DURATION,
	  AT(over),
	  .min = SECOND,
	  .max = (double)(24 * HOUR),
	  .help = "It must hold in each window of this length." },
	{ .key = "abort", .type = FIELD_BOOLEAN, AT(aborts), .help = "The run ends as soon as it does not hold." },
	{ .key = "grace",
	  .type = FIELD_DURATION,
	  AT(grace),
	  .max = (double)(24 * HOUR),
	  .help = "With \"abort\": not before this long after the start of the measured phase." },
	{ 0 },
};

/* What a threshold may name; the same for the compiler's rows and for a finished program. */
struct names {
	const struct flow *flows;
	uint32_t flow_count;
	const struct step *steps;
	uint32_t step_count;
	const struct group *groups;
	uint32_t group_count;
	const struct check *checks;
	uint32_t check_count;
};

enum scope_answer {
	FOUND,
	NO_FLOW,
	NO_STEP,
	AMBIGUOUS_STEP,
	NO_GROUP,
	AMBIGUOUS_GROUP,
	NO_CHECK,
};

static enum scope_answer find_group(const struct names *names, struct threshold *t)
{
	for (uint32_t g = 0; g < names->group_count; g++) {
		const struct group *group = &names->groups[g];
		if (!str_is(t->group, group->name) || (t->flow.len && group->flow != t->flow_index))
			continue;
		if (t->group_index != THRESHOLD_ANY)
			return AMBIGUOUS_GROUP;
		t->group_index = g;
	}
	return t->group_index == THRESHOLD_ANY ? NO_GROUP : FOUND;
}

static bool has_check(const struct names *names, const struct threshold *t)
{
	for (uint32_t i = 0; i < names->check_count; i++) {
		const struct check *check = &names->checks[i];
		const bool step = t->step_index == THRESHOLD_ANY || t->step_index == check->step;
		const bool flow = t->flow_index == THRESHOLD_ANY || t->flow_index == names->steps[check->step].flow;
		if (step && flow && (!t->check.len || str_is(t->check, check->text)))
			return true;
	}
	return false;
}

static enum scope_answer find_scope(const struct names *names, struct threshold *t)
{
	if (t->flow.len) {
		for (uint32_t f = 0; f < names->flow_count; f++)
			if (str_is(t->flow, names->flows[f].name))
				t->flow_index = f;
		if (t->flow_index == THRESHOLD_ANY)
			return NO_FLOW;
	}
	for (uint32_t s = 0; t->step.len && s < names->step_count; s++) {
		const struct step *step = &names->steps[s];
		if (!str_is(t->step, step->name) || (t->flow.len && step->flow != t->flow_index))
			continue;
		if (t->step_index != THRESHOLD_ANY)
			return AMBIGUOUS_STEP;
		t->step_index = s;
	}
	if (t->step.len && t->step_index == THRESHOLD_ANY)
		return NO_STEP;
	if (t->step.len)
		t->flow_index = names->steps[t->step_index].flow;
	if (t->group.len) {
		const enum scope_answer group = find_group(names, t);
		if (group != FOUND)
			return group;
	}
	return t->figure == FIGURE_CHECK_RATE && !has_check(names, t) ? NO_CHECK : FOUND;
}

static void report_scope(struct compiler *c, const struct node *n, const struct threshold *t, enum scope_answer answer)
{
	const bool of_group = answer == NO_GROUP || answer == AMBIGUOUS_GROUP;
	const struct str name = answer == NO_FLOW    ? t->flow
	                        : of_group           ? t->group
	                        : answer == NO_CHECK ? (t->check.len ? t->check : t->that)
	                                             : t->step;
	const size_t at = (size_t)(name.p - node_str(n).p);
	const struct str shown = str_first(name, 60);
	if (answer == NO_FLOW)
		node_part_error(n, at, name.len, near_hint(c, name, row_names(c, &c->flows)),
		                "there is no flow \"%.*s\"", STR_ARG(shown));
	else if (answer == AMBIGUOUS_STEP)
		node_part_error(n, at, name.len, "say which: flow=NAME, step=NAME",
		                "more than one flow has a step \"%.*s\"", STR_ARG(shown));
	else if (answer == NO_GROUP)
		node_part_error(n, at, name.len, near_hint(c, name, row_names(c, &c->groups)),
		                "there is no group \"%.*s\"%s", STR_ARG(shown), t->flow.len ? " in that flow" : "");
	else if (answer == AMBIGUOUS_GROUP)
		node_part_error(n, at, name.len, "say which: flow=NAME, group=NAME",
		                "more than one flow has a group \"%.*s\"", STR_ARG(shown));
	else if (answer == NO_CHECK)
		node_part_error(n, at, name.len,
		                "a check is called as `weir scenario dump` shows it, for example 'status 200'",
		                t->check.len ? "there is no check \"%.*s\" there" : "there is no check to count",
		                STR_ARG(shown));
	else
		node_part_error(n, at, name.len, near_hint(c, name, row_names(c, &c->steps)),
		                "there is no step \"%.*s\"%s", STR_ARG(shown), t->flow.len ? " in that flow" : "");
}

static void compile_threshold(struct compiler *c, const struct node *n, const struct threshold_text *more)
{
	struct threshold t;
	struct threshold_mistake mistake;
	if (!node_expect(n, JSON_STRING, "a threshold such as \"p95(response_time) < 500ms\""))
		return;
	const struct str text = node_str(n);
	if (!threshold_parse(text, &t, &mistake)) {
		node_part_error(n, mistake.at, mistake.len, mistake.hint, "%s", mistake.text);
		return;
	}
	const struct names names = { c->flows.items,  c->flows.count,  c->steps.items,  c->steps.count,
		                     c->groups.items, c->groups.count, c->checks.items, c->checks.count };
	const enum scope_answer answer = find_scope(&names, &t);
	if (answer != FOUND) {
		report_scope(c, n, &t, answer);
		return;
	}
	/* The document goes away; the slices move to a copy. */
	const char *copy = arena_strndup(c->arena, t.that.p, t.that.len);
	struct str *const parts[] = { &t.flow, &t.step, &t.group, &t.check };
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (parts[i]->len)
			parts[i]->p = copy + (parts[i]->p - t.that.p);
	t.that.p = copy;
	t.over = more->over;
	t.aborts = more->aborts;
	t.grace = scaled(c, more->grace);
	rows_add(&c->thresholds, &t);
}

void compile_thresholds(struct compiler *c, const struct node *thresholds)
{
	if (!node_expect(thresholds, JSON_ARRAY, "a list of thresholds"))
		return;
	for (size_t i = 0; i < node_count(thresholds); i++) {
		const struct node item = node_item(thresholds, i);
		struct threshold_text text = { 0 };
		struct node that, grace;
		if (!json_is_object(item.value)) {
			compile_threshold(c, &item, &text);
			continue;
		}
		read_fields(c, &item, threshold_fields, &text);
		if (!text.aborts && node_get(&item, "grace", &grace))
			node_key_error(&grace, NULL, "\"grace\" goes with \"abort\": true");
		if (node_get(&item, "that", &that))
			compile_threshold(c, &that, &text);
	}
}

int program_resolve_threshold(const struct program *p, struct str text, struct threshold *ret_threshold,
                              struct err *err)
{
	static const char *const why[] = {
		[FOUND] = "",
		[NO_FLOW] = "there is no such flow",
		[NO_STEP] = "there is no such step",
		[AMBIGUOUS_STEP] = "more than one flow has this step: say flow=NAME, step=NAME",
		[NO_GROUP] = "there is no such group",
		[AMBIGUOUS_GROUP] = "more than one flow has this group: say flow=NAME, group=NAME",
		[NO_CHECK] = "there is no such check",
	};
	struct threshold t;
	struct threshold_mistake mistake;
	if (!threshold_parse(text, &t, &mistake))
		return err_set(err, ERR_USAGE, "threshold \"%.*s\", at character %zu: %s%s%s%s",
		               STR_ARG(str_first(text, 200)), mistake.at + 1, mistake.text, mistake.hint ? " (" : "",
		               mistake.hint ? mistake.hint : "", mistake.hint ? ")" : "");
	const struct names names = { p->flows,  p->flow_count,  p->steps,  p->step_count,
		                     p->groups, p->group_count, p->checks, p->check_count };
	const enum scope_answer answer = find_scope(&names, &t);
	if (answer != FOUND)
		return err_set(err, ERR_USAGE, "threshold \"%.*s\": %s", STR_ARG(str_first(text, 200)), why[answer]);
	*ret_threshold = t;
	return 0;
}
