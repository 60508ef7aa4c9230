#include <stdio.h>

#include "base/rng.h"
#include "base/units.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/scenario_input.h"
#include "loadgen/trial.h"

#define TRY_BYTES_MAX (64u << 20)

struct try_flags {
	struct common_options common;
	struct url_options none;
	double seed;
	bool insecure;
	const char *flow;
};

static const struct option options[] = {
	{ "flow", 0, OPTION_STRING, offsetof(struct try_flags, flow), "NAME", 0, 0, "only this flow (all)" },
	{ "seed", 0, OPTION_NUMBER, offsetof(struct try_flags, seed), "N", 0, 9e15, "of all random choices" },
	{ "insecure", 'k', OPTION_FLAG, offsetof(struct try_flags, insecure), NULL, 0, 0,
	  "do not verify TLS certificates" },
	COMMON_OPTIONS(struct try_flags),
	{ .type = OPTION_END },
};

/* Each line of <text> behind <mark>; what is no text is shown as a dot. */
static void add_lines(struct buf *out, char mark, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		const unsigned char c = (unsigned char)text.p[i];
		if (i == 0 || text.p[i - 1] == '\n')
			buf_printf(out, "  %c ", mark);
		buf_add_char(out, c == '\n' || c == '\t' || (c >= 0x20 && c != 0x7f) ? (char)c : '.');
	}
	if (text.len && text.p[text.len - 1] != '\n')
		buf_add_char(out, '\n');
}

static void add_outcome(struct buf *out, const struct vm_outcome *o)
{
	if (!o->is_final)
		buf_printf(out, "  = %s\n", o->retried ? "tried again" : "redirected");
	else if (o->failure == VM_PASSED)
		buf_add(out, STR("  = passed\n"));
	else
		buf_printf(out, "  = FAILED: %s%s\n", o->text[0] ? o->text : "no whole answer",
		           o->ends_iteration ? "; the iteration ends here" : "");
}

static void on_exchange(void *arg, const struct trial_exchange *e)
{
	struct buf *out = arg;
	const struct transfer *x = e->transfer;
	const struct program *p = e->vm->program;
	char took[DURATION_TEXT_BYTES];
	buf_printf(out, "\n%s\n", p->steps[e->vm->outcome.step].name);
	add_lines(out, '>', e->request);
	if (x->error != NET_NONE)
		buf_printf(out, "  < no answer: %s: %s\n", net_error_text(x->error), x->detail);
	else
		buf_printf(out, "  < %d after %s (%s)\n", x->status, duration_format(mono_since(x->end, x->sent), took),
		           x->carried_by == TRANSPORT_CURL ? "curl" : "replay");
	add_lines(out, '<', e->response);
	if (e->body_bytes > TRIAL_BODY_BYTES)
		buf_printf(out, "  < ... %llu bytes in all\n", (unsigned long long)e->body_bytes);
	add_outcome(out, &e->vm->outcome);
}

/* With --json all flows are one result: they are added to <all>, and nothing is printed. */
static int try_flow(const struct invocation *in, const struct program *p, uint32_t flow, struct buf *all, bool *failed)
{
	const struct try_flags *f = in->options;
	struct trial_result result;
	struct err err;
	struct buf out;
	buf_init(&out, TRY_BYTES_MAX);
	buf_printf(&out, "%sflow \"%s\"\n", flow > 0 ? "\n" : "", p->flows[flow].name);
	const struct trial_options trial = {
		.program = p,
		.flow = flow,
		.seed = f->seed > 0 ? (uint64_t)f->seed : rng_fresh_seed() >> 12,
		.transport = { .insecure = f->insecure, .route = p->route, .kind = TRANSPORT_AUTO },
		.exchanged = on_exchange,
		.arg = &out,
	};
	int status = trial_run(&trial, &result, &err) < 0 ? fail(&err) : EXIT_MET;
	if (status == EXIT_MET) {
		if (result.problem[0])
			buf_printf(&out, "\n  FAILED: %s\n", result.problem);
		*failed = *failed || result.failed;
		if (f->common.json)
			buf_add(all, buf_str(&out));
		else
			status = print_result(buf_str(&out));
	}
	buf_finish(&out);
	return status;
}

static int scenario_try(const struct invocation *in)
{
	const struct try_flags *f = in->options;
	struct scenario_input input;
	struct buf all;
	bool failed = false, found = false;
	int status = scenario_input_read(&input, in->arguments[0], &f->none);
	if (status)
		return status;
	buf_init(&all, TRY_BYTES_MAX);
	for (uint32_t i = 0; i < input.program->flow_count && status == EXIT_MET; i++) {
		if (f->flow && strcmp(f->flow, input.program->flows[i].name) != 0)
			continue;
		found = true;
		status = try_flow(in, input.program, i, &all, &failed);
	}
	if (status == EXIT_MET && found && f->common.json)
		status = print_json(json_pack("{s:b, s:s}", "passed", !failed, "transcript", buf_cstr(&all)));
	buf_finish(&all);
	if (!found)
		status = fail_with(EXIT_USAGE, "--flow: there is no flow '%s'", f->flow);
	scenario_input_finish(&input);
	return status == EXIT_MET && failed ? EXIT_NOT_MET : status;
}

const struct command cmd_scenario_try = {
	.noun = "scenario",
	.verb = "try",
	.arguments = "FILE",
	.least_arguments = 1,
	.most_arguments = 1,
	.summary = "run each flow once with one user and show every request and answer",
	.details = "  weir scenario try scenarios/library/smoke.json --flow auth\n"
		   "\n"
		   "Pauses are not waited. Secrets are shown as ***. Exit status: 0 all passed, 1 something failed.",
	.options = options,
	.options_bytes = sizeof(struct try_flags),
	.main = scenario_try,
};
