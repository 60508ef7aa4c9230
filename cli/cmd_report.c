#include "cli/command.h"
#include "cli/commands.h"
#include "cli/outputs.h"
#include "reports/capacity_text.h"
#include "reports/load_text.h"
#include "reports/rollout_text.h"
#include "store/store.h"

struct report_flags {
	struct common_options common;
};

static const struct option options[] = {
	COMMON_OPTIONS(struct report_flags),
	{ .type = OPTION_END },
};

/* One kind of report: how its record is fetched, written as JSON, as text, and freed. */
union any_record {
	struct run_record run;
	struct search_record search;
	struct rollout_record rollout;
};

struct report_kind {
	int (*get)(struct store *s, const char *key, union any_record *ret, struct err *err);
	json_t *(*encode)(const union any_record *r);
	void (*write)(const union any_record *r, const struct report_style *style, struct buf *out);
	void (*finish)(union any_record *r);
};

static int get_run(struct store *s, const char *key, union any_record *ret, struct err *err)
{
	return store_run_get(s, key, &ret->run, err);
}

static json_t *encode_run(const union any_record *r)
{
	return run_record_encode(&r->run, RUN_JSON_SUMMARY);
}

static void write_run(const union any_record *r, const struct report_style *style, struct buf *out)
{
	report_load_text(&r->run, style, out);
}

static void finish_run(union any_record *r)
{
	run_record_finish(&r->run);
}

static int get_search(struct store *s, const char *key, union any_record *ret, struct err *err)
{
	return store_search_get(s, key, &ret->search, err);
}

static json_t *encode_search(const union any_record *r)
{
	return search_record_encode(&r->search);
}

static void write_search(const union any_record *r, const struct report_style *style, struct buf *out)
{
	report_capacity_text(&r->search, style, out);
}

static void finish_search(union any_record *r)
{
	search_record_finish(&r->search);
}

static int get_rollout(struct store *s, const char *key, union any_record *ret, struct err *err)
{
	char id[ID_TEXT_BYTES];
	if (store_rollout_find(s, key, id, err) < 0)
		return -1;
	return store_rollout_get(s, id, &ret->rollout, err);
}

static json_t *encode_rollout(const union any_record *r)
{
	return rollout_record_encode(&r->rollout);
}

static void write_rollout(const union any_record *r, const struct report_style *style, struct buf *out)
{
	report_rollout_text(&r->rollout, style, out);
}

static void finish_rollout(union any_record *r)
{
	rollout_record_finish(&r->rollout);
}

static const struct report_kind run_kind = { get_run, encode_run, write_run, finish_run };
static const struct report_kind search_kind = { get_search, encode_search, write_search, finish_search };
static const struct report_kind rollout_kind = { get_rollout, encode_rollout, write_rollout, finish_rollout };

static int report(const struct invocation *in, const struct report_kind *kind)
{
	const struct common_options *common = in->options;
	const struct report_style style = terminal_style(in->terminal);
	union any_record record;
	struct err err;
	int status;
	struct store *store = store_open(common->store, &err);
	if (!store)
		return fail(&err);
	if (kind->get(store, in->argument_count ? in->arguments[0] : "last", &record, &err) < 0) {
		status = fail(&err);
	} else if (common->json) {
		status = print_json(kind->encode(&record));
		kind->finish(&record);
	} else {
		struct buf text;
		buf_init(&text, REPORT_BYTES_MAX);
		kind->write(&record, &style, &text);
		status = print_result(buf_str(&text));
		buf_finish(&text);
		kind->finish(&record);
	}
	store_close(store);
	return status;
}

struct load_flags {
	struct common_options common;
	struct run_outputs outputs;
};

static const struct option load_options[] = {
	OUTPUT_OPTIONS(struct load_flags, outputs),
	COMMON_OPTIONS(struct load_flags),
	{ .type = OPTION_END },
};

/* The files that `weir load run` would have written; the text only when none of them is asked for. */
static int write_outputs(const struct invocation *in, const struct load_flags *f)
{
	struct run_record record;
	struct err err;
	struct store *store = NULL;
	int status = EXIT_MET;
	if (outputs_check(&f->outputs, NULL, f->common.json, &err) < 0 || !(store = store_open(f->common.store, &err)))
		return fail(&err);
	if (store_run_get(store, in->argument_count ? in->arguments[0] : "last", &record, &err) < 0) {
		status = fail(&err);
	} else {
		if (outputs_write(&f->outputs, &record, &err) < 0)
			status = fail(&err);
		run_record_finish(&record);
	}
	store_close(store);
	return status;
}

static int report_load(const struct invocation *in)
{
	const struct load_flags *f = in->options;
	int status = EXIT_MET;
	if (outputs_any(&f->outputs))
		status = write_outputs(in, f);
	if (status == EXIT_MET && (f->common.json || !outputs_any(&f->outputs)))
		status = report(in, &run_kind);
	return status;
}

static int report_capacity(const struct invocation *in)
{
	return report(in, &search_kind);
}

static int report_rollout(const struct invocation *in)
{
	return report(in, &rollout_kind);
}

const struct command cmd_report_load = {
	.noun = "report",
	.verb = "load",
	.arguments = "[ID]",
	.least_arguments = 0,
	.most_arguments = 1,
	.summary = "the report of a run (default: the last)",
	.details = "  weir report load last\n"
		   "  weir report load 01KAB --json\n"
		   "  weir report load last --markdown - >> $GITHUB_STEP_SUMMARY",
	.options = load_options,
	.options_bytes = sizeof(struct load_flags),
	.main = report_load,
};

const struct command cmd_report_capacity = {
	.noun = "report",
	.verb = "capacity",
	.arguments = "[ID]",
	.least_arguments = 0,
	.most_arguments = 1,
	.summary = "the report of a search (default: the last)",
	.details = "  weir report capacity last",
	.options = options,
	.options_bytes = sizeof(struct report_flags),
	.main = report_capacity,
};

const struct command cmd_report_rollout = {
	.noun = "report",
	.verb = "rollout",
	.arguments = "[ID|SERVICE]",
	.least_arguments = 0,
	.most_arguments = 1,
	.summary = "the report of a rollout (default: the last)",
	.details = "  weir report rollout web",
	.options = options,
	.options_bytes = sizeof(struct report_flags),
	.main = report_rollout,
};
