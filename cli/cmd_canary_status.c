#include "cli/command.h"
#include "cli/commands.h"
#include "cli/rollout_find.h"
#include "reports/rollout_text.h"

struct status_flags {
	struct common_options common;
};

static const struct option options[] = {
	COMMON_OPTIONS(struct status_flags),
	{ .type = OPTION_END },
};

/* Who drives it now, from the lease. */
static void add_driver(struct store *store, const struct rollout_record *r, struct buf *out)
{
	struct lease_list leases;
	struct err err;
	if (store_lease_list(store, &leases, &err) < 0)
		return;
	const struct lease_row *l = rollout_lease(&leases, r);
	if (l && l->held)
		buf_printf(out, "driven by %s (token %lld)\n", l->holder, (long long)l->token);
	else if (l && store_rollout_unfinished(r->state))
		buf_printf(out, "nobody drives it now: weir canary run PLAN goes on, weir canary abort %s rolls back\n",
		           r->id);
	lease_list_finish(&leases);
}

static int show(const struct invocation *in, struct store *store, const char *id)
{
	const struct status_flags *f = in->options;
	const struct report_style style = terminal_style(in->terminal);
	struct rollout_record r;
	struct err err;
	struct buf text;
	if (store_rollout_get(store, id, &r, &err) < 0)
		return fail(&err);
	int status;
	if (f->common.json) {
		status = print_json(rollout_record_encode_head(&r));
	} else {
		buf_init(&text, REPORT_BYTES_MAX);
		report_rollout_summary(&r, &style, &text);
		add_driver(store, &r, &text);
		status = print_result(buf_str(&text));
		buf_finish(&text);
	}
	rollout_record_finish(&r);
	return status;
}

static int canary_status(const struct invocation *in)
{
	return rollout_find(in, show);
}

const struct command cmd_canary_status = {
	.noun = "canary",
	.verb = "status",
	.arguments = "[ID|SERVICE]",
	.least_arguments = 0,
	.most_arguments = 1,
	.summary = "where a rollout stands (default: the last)",
	.details = "  weir canary status web\n\nweir report rollout ID tells the whole story.",
	.options = options,
	.options_bytes = sizeof(struct status_flags),
	.main = canary_status,
};
