#include <stdlib.h>
#include <unistd.h>

#include "base/must.h"
#include "base/units.h"
#include "cli/actor.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "reports/compare_text.h"
#include "reports/load_text.h"
#include "store/store.h"

struct baseline_flags {
	struct common_options common;
	double ratio;
	const char *floor; /* a duration; 0 is one, too */
};

static const struct option options[] = {
	COMMON_OPTIONS(struct baseline_flags),
	{ .type = OPTION_END },
};

static const struct option compare_options[] = {
	{ "ratio", 0, OPTION_NUMBER, offsetof(struct baseline_flags, ratio), "N", 1.0001, 1000,
	  "a regression is at least so many times the baseline (1.5)" },
	{ "floor", 0, OPTION_STRING, offsetof(struct baseline_flags, floor), "D", 0, 0,
	  "smaller differences of a time are ignored (5ms)" },
	COMMON_OPTIONS(struct baseline_flags),
	{ .type = OPTION_END },
};

static const char *run_key(const struct invocation *in)
{
	return in->argument_count > 1 ? in->arguments[1] : "last";
}

static int baseline_set(const struct invocation *in)
{
	const struct baseline_flags *f = in->options;
	char actor[ACTOR_BYTES];
	struct err err;
	struct run_record run;
	struct store *store = store_open(f->common.store, &err);
	if (!store)
		return fail(&err);
	int status = EXIT_MET;
	actor_name(actor);
	if (store_run_get(store, run_key(in), &run, &err) < 0) {
		status = fail(&err);
	} else {
		if (store_baseline_set(store, in->arguments[0], run.id, actor, &err) < 0)
			status = fail(&err);
		else if (f->common.json)
			status = print_json(json_pack("{s:s, s:s}", "baseline", in->arguments[0], "run", run.id));
		else
			printf("baseline %s is now run %s (%s)\n", in->arguments[0], run.id, run.name);
		run_record_finish(&run);
	}
	store_close(store);
	return status;
}

static json_t *list_as_json(const struct baseline_list *list)
{
	json_t *rows = json_array();
	for (size_t i = 0; i < list->count; i++) {
		char at[WALL_TEXT_BYTES];
		const struct baseline_row *b = &list->rows[i];
		wall_format(b->set_at, at);
		json_array_append_new(rows,
		                      json_pack("{s:s, s:s, s:s, s:s, s:s}", "baseline", b->name, "run", b->run_id,
		                                "run_name", b->run_name, "set_at", at, "actor", b->actor));
	}
	return rows;
}

static void add_rows(const struct baseline_list *list, struct table *t)
{
	for (size_t i = 0; i < list->count; i++) {
		char at[NUMBER_TEXT_BYTES];
		const struct baseline_row *b = &list->rows[i];
		table_cell(t, TONE_STRONG, b->name);
		table_cell(t, TONE_PLAIN, b->run_id);
		table_cell(t, TONE_PLAIN, b->run_name);
		table_cell(t, TONE_PLAIN, text_wall(b->set_at, at));
		table_cell(t, TONE_PLAIN, b->actor);
	}
}

static int baseline_list(const struct invocation *in)
{
	static const struct column columns[] = {
		{ "baseline", false, 0 }, { "run", false, 0 }, { "of", false, 2 },
		{ "set at", false, 1 },   { "by", false, 3 },
	};
	const struct baseline_flags *f = in->options;
	const struct report_style style = terminal_style(in->terminal);
	struct baseline_list list;
	struct err err;
	struct store *store = store_open(f->common.store, &err);
	if (!store)
		return fail(&err);
	int status;
	if (store_baseline_list(store, in->argument_count ? in->arguments[0] : NULL, &list, &err) < 0) {
		status = fail(&err);
	} else {
		if (f->common.json) {
			status = print_json(list_as_json(&list));
		} else if (list.count == 0) {
			status = print_result(
				STR("no baselines yet; weir baseline set NAME makes one of the last run\n"));
		} else {
			struct table table;
			struct buf text;
			buf_init(&text, REPORT_BYTES_MAX);
			table_init(&table, columns, ARRAY_LEN(columns));
			add_rows(&list, &table);
			table_write(&table, &style, 0, &text);
			status = print_result(buf_str(&text));
			table_finish(&table);
			buf_finish(&text);
		}
		baseline_list_finish(&list);
	}
	store_close(store);
	return status;
}

static int baseline_show(const struct invocation *in)
{
	const struct baseline_flags *f = in->options;
	const struct report_style style = terminal_style(in->terminal);
	struct run_record run;
	struct err err;
	struct store *store = store_open(f->common.store, &err);
	if (!store)
		return fail(&err);
	int status;
	if (store_baseline_get(store, in->arguments[0], &run, &err) < 0) {
		status = fail(&err);
	} else {
		struct buf text;
		buf_init(&text, REPORT_BYTES_MAX);
		report_load_text(&run, &style, &text);
		status = f->common.json ? print_json(run_record_encode(&run, RUN_JSON_SUMMARY))
		                        : print_result(buf_str(&text));
		buf_finish(&text);
		run_record_finish(&run);
	}
	store_close(store);
	return status;
}

static int compare_records(const struct invocation *in, const struct run_record *base, const struct run_record *now)
{
	const struct baseline_flags *f = in->options;
	const struct report_style style = terminal_style(in->terminal);
	struct compare_limits limits = COMPARE_LIMITS_DEFAULT;
	struct run_comparison c;
	struct buf text;
	if (f->ratio > 0)
		limits.ratio = f->ratio;
	const int wrong = duration_given("floor", f->floor, &limits.floor);
	if (wrong)
		return wrong;
	buf_init(&text, REPORT_BYTES_MAX);
	report_compare(base, now, &limits, &style, &c, &text);
	int status = f->common.json ? print_json(run_comparison_encode(&c, base, now)) : print_result(buf_str(&text));
	if (status == EXIT_MET)
		status = c.regression ? EXIT_NOT_MET : c.inconclusive ? EXIT_HELD : EXIT_MET;
	run_comparison_finish(&c);
	buf_finish(&text);
	return status;
}

static int baseline_compare(const struct invocation *in)
{
	const struct baseline_flags *f = in->options;
	struct run_record base, now;
	struct err err;
	struct store *store = store_open(f->common.store, &err);
	if (!store)
		return fail(&err);
	int status;
	if (store_baseline_get(store, in->arguments[0], &base, &err) < 0) {
		status = fail(&err);
	} else {
		if (store_run_get(store, run_key(in), &now, &err) < 0) {
			status = fail(&err);
		} else {
			status = compare_records(in, &base, &now);
			run_record_finish(&now);
		}
		run_record_finish(&base);
	}
	store_close(store);
	return status;
}

const struct command cmd_baseline_set = {
	.noun = "baseline",
	.verb = "set",
	.arguments = "NAME [RUN]",
	.least_arguments = 1,
	.most_arguments = 2,
	.summary = "make a stored run (default: the last) the baseline NAME",
	.details =
		"  weir baseline set critical-flows@1.4.1\n\nRUN is an id, the beginning of one, a name, or 'last'. What the\n"
		"name meant before stays in the history (weir baseline list NAME). A run that was not valid is refused.",
	.options = options,
	.options_bytes = sizeof(struct baseline_flags),
	.main = baseline_set,
};

const struct command cmd_baseline_list = {
	.noun = "baseline",
	.verb = "list",
	.arguments = "[NAME]",
	.least_arguments = 0,
	.most_arguments = 1,
	.summary = "list the baselines, or the history of one",
	.details = "  weir baseline list",
	.options = options,
	.options_bytes = sizeof(struct baseline_flags),
	.main = baseline_list,
};

const struct command cmd_baseline_show = {
	.noun = "baseline",
	.verb = "show",
	.arguments = "NAME",
	.least_arguments = 1,
	.most_arguments = 1,
	.summary = "show the run behind a baseline",
	.details = "  weir baseline show critical-flows@1.4.1",
	.options = options,
	.options_bytes = sizeof(struct baseline_flags),
	.main = baseline_show,
};

const struct command cmd_baseline_compare = {
	.noun = "baseline",
	.verb = "compare",
	.arguments = "NAME [RUN]",
	.least_arguments = 1,
	.most_arguments = 2,
	.summary = "compare a stored run (default: the last) with a baseline",
	.details =
		"  weir baseline compare critical-flows@1.4.1 last --ratio 1.3\n\nExit status: 0 no regression; 1 a regression is\n"
		"proven; 6 too little data to tell.",
	.options = compare_options,
	.options_bytes = sizeof(struct baseline_flags),
	.main = baseline_compare,
};
