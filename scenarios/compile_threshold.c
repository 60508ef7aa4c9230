/* compile_threshold.c: thresholds, and which flows and steps they mean. */
#include "scenarios/compile.h"

#include "base/must.h"

static const struct field threshold_fields[] = {
	{ .key = "that", .type = FIELD_NODE, .required = true, .help = "For example \"p95(response_time) < 500ms\"." },
	{ .key = "over", .type = FIELD_NODE, .help = not_yet },
	{ .key = "abort", .type = FIELD_NODE, .help = not_yet },
	{ 0 },
};

/* What a threshold may name; the same for the compiler's rows and for a finished program. */
struct names {
	const struct flow *flows;
	uint32_t flow_count;
	const struct step *steps;
	uint32_t step_count;
};

enum scope_answer { SCOPE_FOUND, SCOPE_NO_FLOW, SCOPE_NO_STEP, SCOPE_AMBIGUOUS };

static enum scope_answer find_scope(const struct names *names, struct threshold *t)
{
	if (t->flow.len) {
		for (uint32_t f = 0; f < names->flow_count; f++)
			if (str_is(t->flow, names->flows[f].name))
				t->flow_index = f;
		if (t->flow_index == THRESHOLD_ANY)
			return SCOPE_NO_FLOW;
	}
	for (uint32_t s = 0; t->step.len && s < names->step_count; s++) {
		const struct step *step = &names->steps[s];
		if (!str_is(t->step, step->name) || (t->flow.len && step->flow != t->flow_index))
			continue;
		if (t->step_index != THRESHOLD_ANY)
			return SCOPE_AMBIGUOUS;
		t->step_index = s;
	}
	if (!t->step.len)
		return SCOPE_FOUND;
	if (t->step_index == THRESHOLD_ANY)
		return SCOPE_NO_STEP;
	t->flow_index = names->steps[t->step_index].flow;
	return SCOPE_FOUND;
}

static void report_scope(struct compiler *c, const struct node *n, const struct threshold *t, enum scope_answer answer)
{
	const struct str name = answer == SCOPE_NO_FLOW ? t->flow : t->step;
	const size_t at = (size_t)(name.p - node_str(n).p);
	const struct str shown = str_first(name, 60);
	if (answer == SCOPE_NO_FLOW)
		node_part_error(n, at, name.len, near_hint(c, name, row_names(c, &c->flows)),
		                "there is no flow \"%.*s\"", STR_ARG(shown));
	else if (answer == SCOPE_AMBIGUOUS)
		node_part_error(n, at, name.len, "say which: flow=NAME, step=NAME",
		                "more than one flow has a step \"%.*s\"", STR_ARG(shown));
	else
		node_part_error(n, at, name.len, near_hint(c, name, row_names(c, &c->steps)),
		                "there is no step \"%.*s\"%s", STR_ARG(shown), t->flow.len ? " in that flow" : "");
}

static void compile_threshold(struct compiler *c, const struct node *n)
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
	const struct names names = { c->flows.items, c->flows.count, c->steps.items, c->steps.count };
	const enum scope_answer answer = find_scope(&names, &t);
	if (answer != SCOPE_FOUND) {
		report_scope(c, n, &t, answer);
		return;
	}
	/* The document goes away; the slices move to a copy. */
	const char *copy = arena_strndup(c->arena, t.that.p, t.that.len);
	if (t.flow.len)
		t.flow.p = copy + (t.flow.p - t.that.p);
	if (t.step.len)
		t.step.p = copy + (t.step.p - t.that.p);
	t.that.p = copy;
	rows_add(&c->thresholds, &t);
}

void compile_thresholds(struct compiler *c, const struct node *thresholds)
{
	if (!node_expect(thresholds, JSON_ARRAY, "a list of thresholds"))
		return;
	for (size_t i = 0; i < node_count(thresholds); i++) {
		const struct node item = node_item(thresholds, i);
		struct node that;
		if (!json_is_object(item.value)) {
			compile_threshold(c, &item);
			continue;
		}
		read_fields(c, &item, threshold_fields, NULL);
		if (node_get(&item, "that", &that))
			compile_threshold(c, &that);
	}
}

int program_resolve_threshold(const struct program *p, struct str text, struct threshold *ret_threshold,
                              struct err *err)
{
	static const char *const why[] = {
		[SCOPE_FOUND] = "",
		[SCOPE_NO_FLOW] = "there is no such flow",
		[SCOPE_NO_STEP] = "there is no such step",
		[SCOPE_AMBIGUOUS] = "more than one flow has this step: say flow=NAME, step=NAME",
	};
	struct threshold t;
	struct threshold_mistake mistake;
	if (!threshold_parse(text, &t, &mistake))
		return err_set(err, ERR_USAGE, "threshold \"%.*s\", at character %zu: %s%s%s%s",
		               STR_ARG(str_first(text, 200)), mistake.at + 1, mistake.text, mistake.hint ? " (" : "",
		               mistake.hint ? mistake.hint : "", mistake.hint ? ")" : "");
	const struct names names = { p->flows, p->flow_count, p->steps, p->step_count };
	const enum scope_answer answer = find_scope(&names, &t);
	if (answer != SCOPE_FOUND)
		return err_set(err, ERR_USAGE, "threshold \"%.*s\": %s", STR_ARG(str_first(text, 200)), why[answer]);
	*ret_threshold = t;
	return 0;
}
