#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/units.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/live_load.h"
#include "cli/observing.h"
#include "cli/scenario_input.h"
#include "loadgen/search_run.h"
#include "reports/capacity_text.h"
#include "store/store.h"

#define TRIAL_DEFAULT (10 * SECOND)
#define CONFIRM_DEFAULT (30 * SECOND)
#define WARMUP_DEFAULT (2 * SECOND)
#define START_DEFAULT 10
#define MOST_DEFAULT 1e6

struct search_flags {
	struct common_options common;
	struct url_options url;
	const char *slo, *observe, *http;
	double start, most, threads, seed;
	dur_ns trial, confirm;
	const char *warmup; /* a duration; 0 is one, too */
	bool insecure, no_store;
};

static const struct option options[] = {
	{ "slo", 0, OPTION_STRING, offsetof(struct search_flags, slo), "CLAIM", 0, 0,
	  "what must hold, e.g. 'p95(response_time) < 100ms'" },
	{ "start", 0, OPTION_NUMBER, offsetof(struct search_flags, start), "N", 0.2, 1e6,
	  "arrivals per second of the first trial (10)" },
	{ "most", 0, OPTION_NUMBER, offsetof(struct search_flags, most), "N", 0.2, 1e7,
	  "never more arrivals per second than this" },
	{ "trial", 0, OPTION_DURATION, offsetof(struct search_flags, trial), "D", 2e9, 3.6e12,
	  "how long each load is held (10s)" },
	{ "confirm", 0, OPTION_DURATION, offsetof(struct search_flags, confirm), "D", 5e9, 3.6e12,
	  "how long the answer is confirmed (30s)" },
	{ "warmup", 0, OPTION_STRING, offsetof(struct search_flags, warmup), "D", 0, 0,
	  "left out at the start of each trial (2s)" },
	REQUEST_OPTIONS(struct search_flags),
	{ "observe", 0, OPTION_STRING, offsetof(struct search_flags, observe), "FILE", 0, 0,
	  "what to look at on the server meanwhile (a JSON array; in place of the scenario's \"observe\")" },
	{ "threads", 't', OPTION_NUMBER, offsetof(struct search_flags, threads), "N", 1, 256,
	  "worker threads (cores - 1)" },
	{ "seed", 0, OPTION_NUMBER, offsetof(struct search_flags, seed), "N", 1, 9e15,
	  "of all random choices, to repeat a search" },
	{ "insecure", 'k', OPTION_FLAG, offsetof(struct search_flags, insecure), NULL, 0, 0,
	  "do not verify TLS certificates" },
	{ "http", 0, OPTION_STRING, offsetof(struct search_flags, http), "KIND", 0, 0,
	  "who carries the requests: auto, replay or curl (auto: replay where it can)" },
	{ "no-store", 0, OPTION_FLAG, offsetof(struct search_flags, no_store), NULL, 0, 0, "keep no record" },
	COMMON_OPTIONS(struct search_flags),
	{ .type = OPTION_END },
};

/* The view of a whole search: a line per trial that is done, and the live view of the one under way; and who observes. */
struct view {
	struct live_load live;
	char heading[128];
	struct observing *observing; /* NULL: none */
	bool ran;                    /* a trial: the next one is observed anew */
};

static void on_trial_begins(void *arg, double rate, dur_ns time, enum trial_phase phase)
{
	struct view *v = arg;
	char text[DURATION_TEXT_BYTES];
	if (v->ran)
		observing_again(v->observing);
	snprintf(v->heading, sizeof(v->heading), "%s: %.4g arrivals per second for %s", trial_phase_text(phase), rate,
	         duration_format(time, text));
	v->live.heading = v->heading;
	v->live.next_line = 0;
	if (!v->live.quiet && !v->live.terminal->err_is_terminal)
		fprintf(stderr, "%s\n", v->heading);
}

static void on_second(void *arg, const struct run_progress *p)
{
	struct view *v = arg;
	observing_second(v->observing);
	live_load_second(&v->live, p);
}

static void on_trial_ran(void *arg, struct run_record *run)
{
	struct view *v = arg;
	observing_end(v->observing, run);
	v->ran = true;
}

static void on_trial_ended(void *arg, const struct trial_record *t)
{
	struct view *v = arg;
	char text[DURATION_TEXT_BYTES];
	if (v->live.quiet)
		return;
	live_load_end(&v->live);
	const enum hue hue = t->verdict == TRIAL_PASS ? HUE_GOOD : t->verdict == TRIAL_FAIL ? HUE_BAD : HUE_WARN;
	fprintf(stderr, "  %-8s %9.4g/s  %s%-7s%s  %.2f %% exceeded, quantile %s%s%s\n", trial_phase_text(t->phase),
	        t->rate, terminal_hue(v->live.terminal, hue), trial_verdict_text(t->verdict),
	        terminal_hue(v->live.terminal, HUE_NONE), t->share * 100, duration_format(t->quantile, text),
	        t->why ? "; " : "", t->why ? t->why : "");
}

/* An SLO that a search can be about: a quantile of the response time below a limit. */
static int read_slo(const char *text, const struct program *p, struct threshold *ret_slo)
{
	struct err err;
	if (!text)
		return fail_with(EXIT_USAGE,
		                 "weir load search needs --slo, for example --slo 'p95(response_time) < 100ms'");
	if (program_resolve_threshold(p, str_from(text), ret_slo, &err) < 0) {
		err_wrap(&err, "--slo");
		return fail(&err);
	}
	const bool whole = ret_slo->flow_index == THRESHOLD_ANY && ret_slo->step_index == THRESHOLD_ANY;
	const bool below = ret_slo->comparison == COMPARISON_LESS || ret_slo->comparison == COMPARISON_LESS_EQUAL;
	if (ret_slo->figure != FIGURE_QUANTILE || ret_slo->metric != METRIC_RESPONSE_TIME || !below || !whole ||
	    ret_slo->quantile >= 1)
		return fail_with(EXIT_USAGE,
		                 "--slo must be a quantile of the whole response time below a limit, for example "
		                 "'p95(response_time) < 100ms'");
	return 0;
}

static int print_search(const struct invocation *in, const struct search_flags *f, const struct search_record *r,
                        bool stored)
{
	const struct report_style style = terminal_style(in->terminal);
	struct buf text;
	if (f->common.json)
		return print_json(search_record_encode(r));
	buf_init(&text, REPORT_BYTES_MAX);
	report_capacity_summary(r, &style, &text);
	if (stored)
		buf_printf(&text, "\nsearch %s  (weir report capacity %s)\n", r->id, r->id);
	const int status = print_result(buf_str(&text));
	buf_finish(&text);
	return status;
}

static int status_of(const struct search_record *r)
{
	if (r->verified > 0)
		return EXIT_MET;
	if (r->answer && strcmp(r->answer, "generator limited") == 0)
		return EXIT_INVALID;
	if (r->stopped_because && strcmp(r->stopped_because, "it was interrupted") == 0)
		return EXIT_ROLLED_BACK;
	return EXIT_NOT_MET;
}

/* The record is kept and shown, also that of a search that <failed>: a status other than 0. */
static int finish(const struct invocation *in, const struct search_record *r, struct store *store, int failed)
{
	const struct search_flags *f = in->options;
	struct err err;
	const bool stored = store && store_search_put(store, r, &err) == 0;
	const int trouble = store && !stored ? fail(&err) : EXIT_MET;
	const int printed = print_search(in, f, r, stored);
	int status = failed ? failed : status_of(r);
	if (status == 0)
		status = trouble ? trouble : printed;
	return status;
}

static int search(const struct invocation *in, const struct search_flags *f, const struct scenario_input *input,
                  struct store *store)
{
	struct threshold slo = { .flow_index = THRESHOLD_ANY };
	struct search_record record;
	struct observing *observing;
	enum transport_kind http;
	struct err err;
	dur_ns warmup = WARMUP_DEFAULT;
	int wrong = read_slo(f->slo, input->program, &slo);
	if (!wrong)
		wrong = duration_given("warmup", f->warmup, &warmup);
	if (!wrong)
		wrong = http_kind_read(f->http, &http);
	if (!wrong)
		wrong = observing_start(f->observe, input, in->arguments[0], &observing);
	if (wrong)
		return wrong;
	struct view view = {
		.live = { .terminal = in->terminal,
		          .name = input->program->name,
		          .target = input->program->target.url,
		          .quiet = f->common.quiet },
		.observing = observing,
	};
	const struct search_options o = {
		.scenario = input->doc.root,
		.inputs = &input->inputs,
		.limits = { .quantile = slo.quantile,
		            .limit = (dur_ns)slo.value,
		            .start_rate = f->start > 0 ? f->start : START_DEFAULT,
		            .most_rate = f->most > 0 ? f->most : MOST_DEFAULT,
		            .trial = f->trial ? f->trial : TRIAL_DEFAULT,
		            .confirm = f->confirm ? f->confirm : CONFIRM_DEFAULT },
		.warmup = warmup,
		.run = { .threads = (uint32_t)f->threads,
		         .seed = f->seed > 0 ? (uint64_t)f->seed : rng_fresh_seed() >> 12,
		         .insecure = f->insecure,
		         .http = http,
		         .watch_signals = true,
		         .command = in->line },
		.listener = { on_trial_begins, on_second, on_trial_ran, on_trial_ended, &view },
	};
	search_record_init(&record);
	record.name = xstrdup(input->program->name);
	record.target = xstrdup(input->program->target.url);
	record.slo = xstrdup(f->slo);
	record.slo_quantile = slo.quantile;
	record.slo_limit = (dur_ns)slo.value;
	int status = 0;
	if (search_execute(&o, &record, &err) < 0) {
		live_load_end(&view.live);
		status = fail(&err);
	}
	live_load_end(&view.live);
	observing_destroy(observing);
	if (record.trial_count > 0 || status == 0)
		status = finish(in, &record, store, status);
	search_record_finish(&record);
	return status;
}

static int load_search(const struct invocation *in)
{
	const struct search_flags *f = in->options;
	struct scenario_input input;
	struct store *store = NULL;
	struct err err;
	int status = scenario_input_read(&input, in->arguments[0], &f->url);
	if (status)
		return status;
	if (!f->no_store)
		store = store_open(f->common.store, &err);
	if (!store && !f->no_store && f->common.store)
		status = fail(&err);
	else if (!store && !f->no_store)
		fail_with(EXIT_MET, "warning: the search will not be kept: %s", err.text);
	if (status == 0)
		status = search(in, f, &input, store);
	store_close(store);
	scenario_input_finish(&input);
	return status;
}

const struct command cmd_load_search = {
	.noun = "load",
	.verb = "search",
	.arguments = "FILE|URL",
	.least_arguments = 1,
	.most_arguments = 1,
	.summary = "find the highest load that keeps an SLO",
	.details =
		"  weir load search http://127.0.0.1:8080/api/groups --slo 'p95(response_time) < 100ms'\n"
		"  weir load search scenarios/library/smoke.json --slo 'p99(response_time) < 1s' --start 50 --confirm 5m\n"
		"\n"
		"Arrivals are iterations of the scenario's flows. Loads grow until one fails, then the edge is narrowed down,\n"
		"and what is stated is only what a longer confirmation held. Exit status: 0 a load was verified; 1 none was;\n"
		"4 weir itself was the limit.",
	.options = options,
	.options_bytes = sizeof(struct search_flags),
	.main = load_search,
};
