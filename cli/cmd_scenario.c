#include "cli/command.h"
#include "cli/commands.h"
#include "cli/scenario_input.h"

#define DUMP_BYTES_MAX (64u << 20)

struct scenario_flags {
	struct common_options common;
};

static const struct option options[] = {
	COMMON_OPTIONS(struct scenario_flags),
	{ .type = OPTION_END },
};

static const struct url_options no_url_options;

static int scenario_check(const struct invocation *in)
{
	const struct scenario_flags *f = in->options;
	struct scenario_input input;
	const int status = scenario_input_read(&input, in->arguments[0], &no_url_options);
	if (status)
		return status;
	const struct program *p = input.program;
	int printed;
	if (f->common.json) {
		printed = print_json(json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:f}", "name", p->name, "target",
		                               p->target.url, "flows", (int)p->flow_count, "steps", (int)p->step_count,
		                               "checks", (int)p->check_count, "thresholds", (int)p->threshold_count,
		                               "observed", (int)input.observe.item_count, "duration_s",
		                               (double)p->duration / (double)SECOND));
	} else {
		struct buf text;
		buf_init(&text, 4096);
		buf_printf(&text, "%s: a good scenario: %u flows, %u steps, %u checks, %u thresholds, %.0f s",
		           in->arguments[0], p->flow_count, p->step_count, p->check_count, p->threshold_count,
		           (double)p->duration / (double)SECOND);
		if (input.observe.item_count > 0)
			buf_printf(&text, "; %zu places observed", input.observe.item_count);
		buf_add_char(&text, '\n');
		printed = print_result(buf_str(&text));
		buf_finish(&text);
	}
	scenario_input_finish(&input);
	return printed;
}

static int scenario_dump(const struct invocation *in)
{
	struct scenario_input input;
	struct buf text;
	const int status = scenario_input_read(&input, in->arguments[0], &no_url_options);
	if (status)
		return status;
	buf_init(&text, DUMP_BYTES_MAX);
	program_dump(input.program, &text);
	for (size_t i = 0; i < input.observe.item_count; i++)
		buf_printf(&text, "  observe %s %s\n", input.observe.items[i].kind->key, input.observe.items[i].name);
	const struct scenario_flags *f = in->options;
	const int printed = f->common.json
	                            ? print_json(json_pack("{s:s, s:s, s:s}", "name", input.program->name, "target",
	                                                   input.program->target.url, "program", buf_cstr(&text)))
	                            : print_result(buf_str(&text));
	buf_finish(&text);
	scenario_input_finish(&input);
	return printed;
}

const struct command cmd_scenario_check = {
	.noun = "scenario",
	.verb = "check",
	.arguments = "FILE",
	.least_arguments = 1,
	.most_arguments = 1,
	.summary = "say everything that is wrong with a scenario",
	.details = "  weir scenario check scenarios/library/smoke.json\n\nSends nothing. Exit status: 0 good, 2 not.",
	.options = options,
	.options_bytes = sizeof(struct scenario_flags),
	.main = scenario_check,
};

const struct command cmd_scenario_dump = {
	.noun = "scenario",
	.verb = "dump",
	.arguments = "FILE",
	.least_arguments = 1,
	.most_arguments = 1,
	.summary = "print what a scenario means, compiled",
	.details = "  weir scenario dump scenarios/library/smoke.json\n\nSends nothing. Secrets are shown as ***.",
	.options = options,
	.options_bytes = sizeof(struct scenario_flags),
	.main = scenario_dump,
};

static int scenario_schema(const struct invocation *in)
{
	struct buf text;
	json_t *observe = json_object();
	buf_init(&text, DUMP_BYTES_MAX);
	observe_plan_schema(observe);
	program_schema(observe, &text);
	json_decref(observe);
	const int printed = print_result(buf_str(&text));
	buf_finish(&text);
	return printed;
}

const struct command cmd_scenario_schema = {
	.noun = "scenario",
	.verb = "schema",
	.arguments = "",
	.summary = "print the JSON Schema of scenario files, for editors",
	.details = "  weir scenario schema > scenario.schema.json\n\nThe same as scenarios/scenario.schema.json.",
	.options = options,
	.options_bytes = sizeof(struct scenario_flags),
	.main = scenario_schema,
};
