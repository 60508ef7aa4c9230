#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/units.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/observing.h"
#include "cli/outputs.h"
#include "cli/run_watch.h"
#include "cli/scenario_input.h"
#include "loadgen/run.h"
#include "reports/compare_text.h"
#include "reports/load_text.h"
#include "store/store.h"

struct run_flags {
	struct common_options common;
	struct url_options url;
	double threads, seed;
	bool insecure, no_store;
	const char *hlog, *metrics, *baseline, *http, *observe;
	struct run_outputs outputs;
	struct option_list thresholds;
};

static const struct option options[] = {
	{ "users", 'u', OPTION_NUMBER, offsetof(struct run_flags, url.users), "N", 1, PROGRAM_USERS_MAX,
	  "so many users, each as fast as it is answered (URL only; 1)" },
	{ "rate", 'r', OPTION_NUMBER, offsetof(struct run_flags, url.rate), "N", 0.001, 1e7,
	  "so many requests per second, whatever the answers do (URL only)" },
	{ "duration", 'd', OPTION_DURATION, offsetof(struct run_flags, url.duration), "D", 1e6, 2.592e15,
	  "how long (URL only; 10s)" },
	REQUEST_OPTIONS(struct run_flags),
	{ "time-scale", 0, OPTION_NUMBER, offsetof(struct run_flags, url.time_scale), "X", 0.0001, 1000,
	  "make the load, its ramps and the warm-up X times as long; 0.01 tries a long scenario out" },
	{ "threshold", 0, OPTION_LIST, offsetof(struct run_flags, thresholds), "CLAIM", 0, 0,
	  "what must hold, e.g. 'p95(response_time) < 200ms' (repeat for more)" },
	{ "baseline", 0, OPTION_STRING, offsetof(struct run_flags, baseline), "NAME", 0, 0,
	  "compare with this baseline; a regression is exit status 1" },
	{ "observe", 0, OPTION_STRING, offsetof(struct run_flags, observe), "FILE", 0, 0,
	  "what to look at on the server meanwhile (a JSON array; in place of the scenario's \"observe\")" },
	{ "threads", 't', OPTION_NUMBER, offsetof(struct run_flags, threads), "N", 1, 256,
	  "worker threads (cores - 1)" },
	{ "seed", 0, OPTION_NUMBER, offsetof(struct run_flags, seed), "N", 1, 9e15,
	  "of all random choices, to repeat a run" },
	{ "insecure", 'k', OPTION_FLAG, offsetof(struct run_flags, insecure), NULL, 0, 0,
	  "do not verify TLS certificates" },
	{ "http", 0, OPTION_STRING, offsetof(struct run_flags, http), "KIND", 0, 0,
	  "who carries the requests: auto, replay or curl (auto: replay where it can)" },
	{ "summary", 0, OPTION_STRING, offsetof(struct run_flags, outputs.summary), "FILE", 0, 0,
	  "the figures as JSON (weir.run.v1)" },
	{ "hlog", 0, OPTION_STRING, offsetof(struct run_flags, hlog), "FILE", 0, 0,
	  "the histograms of each second as an HdrHistogram log" },
	OUTPUT_OPTIONS(struct run_flags, outputs),
	{ "metrics", 0, OPTION_STRING, offsetof(struct run_flags, metrics), "HOST:PORT", 0, 0,
	  "serve the figures to Prometheus while it runs" },
	{ "no-store", 0, OPTION_FLAG, offsetof(struct run_flags, no_store), NULL, 0, 0, "keep no record of the run" },
	COMMON_OPTIONS(struct run_flags),
	{ .type = OPTION_END },
};

/* Every claim on a file, on stdout and on a port is checked before any load is sent. */
static int open_watch(const struct invocation *in, const struct run_flags *f, const struct program *p,
                      struct run_watch *ret_watch)
{
	struct err err;
	const struct run_watch_options o = {
		.terminal = in->terminal,
		.name = p->name,
		.target = p->target.url,
		.quiet = f->common.quiet,
		.hlog = f->hlog,
		.metrics = f->metrics,
	};
	if (outputs_check(&f->outputs, f->hlog, f->common.json, &err) < 0 || run_watch_open(ret_watch, &o, &err) < 0)
		return fail(&err);
	return 0;
}

/* Before any load is sent: a store that cannot be opened is an error when it was asked for, else a warning. */
/* Before any load is sent, which would be for nothing. */
static int find_baseline(struct store *store, const char *name)
{
	struct run_record base;
	struct err err;
	if (store_baseline_get(store, name, &base, &err) < 0)
		return fail(&err);
	run_record_finish(&base);
	return 0;
}

static int open_store(const struct run_flags *f, struct store **ret_store)
{
	struct err err;
	*ret_store = NULL;
	if (f->no_store && !f->baseline)
		return 0;
	*ret_store = store_open(f->common.store, &err);
	if (*ret_store)
		return f->baseline ? find_baseline(*ret_store, f->baseline) : 0;
	if (f->common.store || f->baseline)
		return fail(&err);
	fail_with(EXIT_MET, "warning: the run will not be kept: %s", err.text);
	return 0;
}

static int extra_thresholds(const struct run_flags *f, const struct program *p, struct threshold *list,
                            size_t *ret_count)
{
	struct err err;
	*ret_count = 0;
	for (size_t i = 0; i < f->thresholds.count; i++) {
		if (program_resolve_threshold(p, str_from(f->thresholds.items[i]), &list[i], &err) < 0) {
			err_wrap(&err, "--threshold");
			return fail(&err);
		}
		(*ret_count)++;
	}
	return 0;
}

static enum exit_status status_of(const struct run_record *r)
{
	/* Every single request failed to connect: nothing of the target was measured. */
	const uint64_t unreached = r->errors[RUN_ERROR_CONNECT] + r->errors[RUN_ERROR_DNS];
	switch (r->verdict) {
	case RUN_MET:
		return r->requests && unreached == r->requests ? EXIT_ENVIRONMENT : EXIT_MET;
	case RUN_NOT_MET:
		return EXIT_NOT_MET;
	case RUN_INVALID:
		return EXIT_INVALID;
	case RUN_ABORTED:
		break;
	}
	return EXIT_ROLLED_BACK;
}

/* One of the files is "-": it has stdout for itself. */
static bool takes_stdout(const struct run_flags *f)
{
	return outputs_take_stdout(&f->outputs) || (f->hlog && strcmp(f->hlog, "-") == 0);
}

/* Compares with the baseline and prints what differs. Returns the exit status that follows from it. */
static int compare(const struct invocation *in, struct store *store, const struct run_flags *f,
                   const struct run_record *r)
{
	struct run_record base;
	struct run_comparison c;
	struct err err;
	struct buf text;
	const struct report_style style = terminal_style(in->terminal);
	if (store_baseline_get(store, f->baseline, &base, &err) < 0)
		return fail(&err);
	buf_init(&text, REPORT_BYTES_MAX);
	report_compare(&base, r, NULL, &style, &c, &text);
	int status = f->common.json || takes_stdout(f) ? EXIT_MET : print_result(buf_str(&text));
	if (status == EXIT_MET)
		status = c.regression ? EXIT_NOT_MET : c.inconclusive ? EXIT_HELD : EXIT_MET;
	run_comparison_finish(&c);
	buf_finish(&text);
	run_record_finish(&base);
	return status;
}

static int print_record(const struct invocation *in, const struct run_flags *f, const struct run_record *r, bool stored)
{
	const struct report_style style = terminal_style(in->terminal);
	struct buf text;
	if (f->common.json)
		return print_json(run_record_encode(r, RUN_JSON_SUMMARY));
	if (takes_stdout(f))
		return EXIT_MET;
	buf_init(&text, REPORT_BYTES_MAX);
	report_load_summary(r, &style, &text);
	if (stored)
		buf_printf(&text, "\nrun %s  (weir report load %s)\n", r->id, r->id);
	const int status = print_result(buf_str(&text));
	buf_finish(&text);
	return status;
}

static void tell_early_end(const struct run_record *r)
{
	char after[DURATION_TEXT_BYTES];
	for (size_t i = 0; i < r->threshold_count; i++)
		if (r->thresholds[i].ended_run)
			fail_with(EXIT_NOT_MET, "the run was ended after %s of its measured time: %s did not hold",
			          duration_format(r->duration, after), r->thresholds[i].that);
}

/* Everything after the load: files, store, summary, comparison. The worst status wins, in the order of their weight. */
static int finish(const struct invocation *in, const struct run_flags *f, struct store *store, struct run_watch *watch,
                  struct run_record *r)
{
	struct err err;
	int trouble = EXIT_MET;
	if (run_watch_close(watch, r, &err) < 0)
		trouble = fail(&err);
	if (outputs_write(&f->outputs, r, &err) < 0)
		trouble = fail(&err);
	const bool stored = store && !f->no_store && store_run_put(store, r, &err) == 0;
	if (store && !f->no_store && !stored)
		trouble = fail(&err);
	const int printed = print_record(in, f, r, stored);
	int status = status_of(r);
	tell_early_end(r);
	if (status == EXIT_ENVIRONMENT)
		fail_with(EXIT_ENVIRONMENT, "no request reached the target: it went away after the run began");
	if (status == EXIT_MET && f->baseline)
		status = compare(in, store, f, r);
	if (trouble != EXIT_MET && (status == EXIT_MET || status == EXIT_NOT_MET))
		return trouble;
	return status == EXIT_MET ? printed : status;
}

static int run(const struct invocation *in, const struct run_flags *f, const struct scenario_input *input,
               struct store *store)
{
	struct threshold thresholds[OPTION_LIST_MAX];
	struct run_record record;
	struct err err;
	size_t threshold_count;
	enum transport_kind http;
	int wrong = http_kind_read(f->http, &http);
	if (!wrong)
		wrong = extra_thresholds(f, input->program, thresholds, &threshold_count);
	if (wrong)
		return wrong;
	struct run_watch watch;
	struct observing *observing;
	int refused = observing_start(f->observe, input, in->arguments[0], &observing);
	if (!refused)
		refused = open_watch(in, f, input->program, &watch);
	if (refused) {
		observing_destroy(observing);
		return refused;
	}
	watch.observing = observing;
	const struct run_options run_options = {
		.program = input->program,
		.thresholds = thresholds,
		.threshold_count = threshold_count,
		.threads = (uint32_t)f->threads,
		/* A seed that survives JSON's and JavaScript's numbers. */
		.seed = f->seed > 0 ? (uint64_t)f->seed : rng_fresh_seed() >> 12,
		.grace = RUN_GRACE_DEFAULT,
		.insecure = f->insecure,
		.http = http,
		.watch_signals = true,
		.command = in->line,
		.listener = { run_watch_second, &watch },
	};
	const int r = run_execute(&run_options, &record, &err);
	run_watch_end(&watch);
	if (r == 0)
		observing_end(observing, &record);
	observing_destroy(observing);
	if (r < 0) {
		run_watch_close(&watch, NULL, NULL);
		return fail(&err);
	}
	const int status = finish(in, f, store, &watch, &record);
	run_record_finish(&record);
	return status;
}

static int load_run(const struct invocation *in)
{
	const struct run_flags *f = in->options;
	struct scenario_input input;
	struct store *store;
	int status = scenario_input_read(&input, in->arguments[0], &f->url);
	if (status)
		return status;
	status = open_store(f, &store);
	if (status == 0)
		status = run(in, f, &input, store);
	store_close(store);
	scenario_input_finish(&input);
	return status;
}

const struct command cmd_load_run = {
	.noun = "load",
	.verb = "run",
	.arguments = "FILE|URL",
	.least_arguments = 1,
	.most_arguments = 1,
	.summary = "run a scenario, or hammer one URL, and keep the record",
	.details =
		"  weir load run http://127.0.0.1:8080/ --rate 200 --duration 30s --threshold 'p99(response_time) < 50ms'\n"
		"  weir load run scenarios/library/smoke.json --baseline smoke@1.4.1\n"
		"  weir scenario import har shop.har | weir load run -\n"
		"\n"
		"Exit status: 0 thresholds met; 1 not met, or a regression against the baseline; 2 a wrong file or option;\n"
		"3 the target cannot be reached; 4 the generator was the limit, so nothing was measured; 5 interrupted;\n"
		"6 too little data to compare with the baseline.",
	.options = options,
	.options_bytes = sizeof(struct run_flags),
	.main = load_run,
};
