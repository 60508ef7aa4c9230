/* Rolling back always works: when somebody drives the rollout, they are asked; when they do not react, or nobody does,
 * this command takes the lease and does it itself. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "cli/actor.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/rollout_find.h"
#include "cli/rollout_input.h"
#include "reports/rollout_text.h"

/* How long a live controller may take before we do it ourselves. It looks for requests five times a second. */
#define PATIENCE (5 * SECOND)
#define LOOK_EVERY (100 * MILLISECOND)

struct abort_flags {
	struct common_options common;
	const char *reason;
};

static const struct option options[] = {
	{ "reason", 0, OPTION_STRING, offsetof(struct abort_flags, reason), "TEXT", 0, 0,
	  "why; it stays in the record" },
	COMMON_OPTIONS(struct abort_flags),
	{ .type = OPTION_END },
};

/* Asks whoever drives it. True when the rollout came to its end, or is on its way there, in time. */
static bool ask_driver(struct store *store, const char *id, const char *actor, const char *reason, struct err *err)
{
	const struct mono until = mono_after(mono_now(), PATIENCE);
	bool heard = false;
	if (store_request_put(store, id, OPERATOR_ABORT, actor, reason, NULL, err) < 0)
		return false;
	while (!heard && mono_now().ns < until.ns) {
		struct rollout_record r;
		const struct timespec pause = { .tv_nsec = LOOK_EVERY };
		nanosleep(&pause, NULL);
		if (store_rollout_get_head(store, id, &r, err) < 0)
			return false;
		heard = r.state == ROLLOUT_ROLLING_BACK || !store_rollout_unfinished(r.state);
		rollout_record_finish(&r);
	}
	return heard;
}

/* Waits, without a limit of its own, until the driver that reacted is done; it has deadlines. */
static int wait_for_end(struct store *store, const char *id, struct err *err)
{
	for (;;) {
		struct rollout_record r;
		const struct timespec pause = { .tv_nsec = LOOK_EVERY };
		if (store_rollout_get_head(store, id, &r, err) < 0)
			return -1;
		const bool over = !store_rollout_unfinished(r.state), driven = rollout_is_driven(store, &r);
		rollout_record_finish(&r);
		if (over)
			return 0;
		if (!driven)
			return err_set(err, ERR_STALE, "the rollout's controller died while it rolled back");
		nanosleep(&pause, NULL);
	}
}

/* <reopen>: it was promoted. */
static int roll_back_ourselves(struct store *store, const struct abort_flags *f, const char *id, const char *actor,
                               const char *reason, bool reopen)
{
	struct rollout_input input = { .plan = NULL };
	struct rollout_record record;
	enum controller_end end;
	struct err err;
	char *plan;
	if (store_rollout_get_plan(store, id, &plan, &err) < 0)
		return fail(&err);
	doc_init(&input.doc, "the stored plan", str_from(plan));
	free(plan);
	int status = rollout_input_read(&input);
	if (status == 0)
		status = rollout_input_open(&input, f->common.store);
	if (status == 0) {
		const struct controller_options o = {
			.loop = &input.loop,
			.store = store,
			.plan = input.plan,
			.plan_text = input.doc.text,
			.actor = actor,
			.driver = input.driver,
			.source = input.source,
			.transport = input.transport,
			.abort_reason = reason,
			.reopen = reopen ? id : NULL,
		};
		struct controller *c = controller_create(&o, &err);
		if (!c) {
			status = fail(&err);
			/* Too late, or another one came after it: nothing is wrong with what was typed. */
			status = reopen && err.kind == ERR_NOT_FOUND ? EXIT_NOT_MET : status;
		} else {
			if (controller_run(c, &end, &record, &err) < 0)
				status = fail(&err);
			else if (end != CONTROLLER_ROLLED_BACK)
				status = fail_with(EXIT_ENVIRONMENT, "the rollback did not come to its end: %s",
				                   record.why ? record.why : controller_end_text(end));
			rollout_record_finish(&record);
		}
		controller_destroy(c);
	}
	rollout_input_finish(&input);
	return status;
}

static int print_end(const struct invocation *in, struct store *store, const char *id)
{
	const struct abort_flags *f = in->options;
	const struct report_style style = terminal_style(in->terminal);
	struct rollout_record r;
	struct err err;
	struct buf text;
	if (store_rollout_get(store, id, &r, &err) < 0)
		return fail(&err);
	buf_init(&text, REPORT_BYTES_MAX);
	report_rollout_summary(&r, &style, &text);
	int status = f->common.json ? print_json(rollout_record_encode_head(&r)) : print_result(buf_str(&text));
	if (status == EXIT_MET && r.state != ROLLOUT_ROLLED_BACK)
		status = fail_with(EXIT_NOT_MET, "the rollout was over before: %s", rollout_state_text(r.state));
	buf_finish(&text);
	rollout_record_finish(&r);
	return status;
}

static int abort_rollout(const struct invocation *in, struct store *store, const char *id)
{
	const struct abort_flags *f = in->options;
	const char *reason = f->reason ? f->reason : "no reason given";
	struct rollout_record head;
	struct err err;
	char actor[ACTOR_BYTES];
	actor_name(actor);
	if (store_rollout_get_head(store, id, &head, &err) < 0)
		return fail(&err);
	const bool unfinished = store_rollout_unfinished(head.state), driven = rollout_is_driven(store, &head);
	const bool promoted = head.state == ROLLOUT_PROMOTED;
	rollout_record_finish(&head);
	if (!unfinished && !promoted)
		return print_end(in, store, id);
	if (unfinished && driven && ask_driver(store, id, actor, reason, &err)) {
		if (wait_for_end(store, id, &err) == 0)
			return print_end(in, store, id);
		fail_with(EXIT_MET, "warning: %s; taking over", err.text);
	} else if (unfinished && driven && !f->common.quiet) {
		fprintf(stderr, "weir: whoever drives this rollout does not answer; taking over\n");
	}
	const int status = roll_back_ourselves(store, f, id, actor, reason, promoted);
	return status ? status : print_end(in, store, id);
}

static int canary_abort(const struct invocation *in)
{
	return rollout_find(in, abort_rollout);
}

const struct command cmd_canary_abort = {
	.noun = "canary",
	.verb = "abort",
	.arguments = "[ID|SERVICE]",
	.least_arguments = 0,
	.most_arguments = 1,
	.summary = "send all traffic back to stable now, from any terminal",
	.details =
		"  weir canary abort web --reason 'support tickets'\n"
		"\n"
		"Works also when the rollout's own controller is dead or hangs, and after a promotion for as long as the plan\n"
		"says (keep_old), if a server of the old version still is in service.\n"
		"Exit status: 0 all traffic is on stable; 1 the rollout failed before, or its old version is not kept any more; 3\n"
		"the load balancer did not obey, or there is no server to go back to: nothing was switched.",
	.options = options,
	.options_bytes = sizeof(struct abort_flags),
	.main = canary_abort,
};
