#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "canary/journal.h"
#include "cli/actor.h"
#include "cli/baseline_gate.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/live_canary.h"
#include "cli/rollout_input.h"
#include "reports/rollout_text.h"

struct canary_flags {
	struct common_options common;
	const char *events;
	bool stop_data_plane;
};

static const struct option options[] = {
	{ "events", 0, OPTION_STRING, offsetof(struct canary_flags, events), "FILE", 0, 0,
	  "the story as JSON lines, one per event; '-' is stdout" },
	{ "stop-data-plane", 0, OPTION_FLAG, offsetof(struct canary_flags, stop_data_plane), NULL, 0, 0,
	  "end the load balancer when the rollout is over" },
	COMMON_OPTIONS(struct canary_flags),
	{ .type = OPTION_END },
};

/* What the controller's listener writes to. */
struct listening {
	struct live_canary live;
	FILE *events; /* NULL: none */
	struct controller *controller;
	struct loop_signal signals[2];
	bool lost_events;
};

static void write_line(struct listening *l, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	if (!text)
		return;
	if (fprintf(l->events, "%s\n", text) < 0 || fflush(l->events) != 0)
		l->lost_events = true;
	free(text);
}

static void on_event(void *arg, const struct event_record *e, const struct rollout_record *r)
{
	struct listening *l = arg;
	live_canary_event(&l->live, e);
	if (l->events)
		write_line(l, event_record_encode(e, r));
}

static void on_tick(void *arg, const struct controller_live *live)
{
	struct listening *l = arg;
	live_canary_tick(&l->live, live);
	if (!l->events)
		return;
	json_t *line = tick_record_encode(live->tick);
	json_object_set_new(line, "type", json_string("evidence"));
	json_object_set_new(line, "rollout", json_string(live->record->id));
	json_object_set_new(line, "state", json_string(rollout_state_text(live->machine->state)));
	json_object_set_new(line, "verdict", json_string(verdict_text(live->assessment->verdict)));
	json_object_set_new(line, "sentence", json_string(live->assessment->sentence));
	json_object_set_new(line, "phi_errors", json_real(live->assessment->phi_errors));
	json_object_set_new(line, "phi_latency", json_real(live->assessment->phi_latency));
	write_line(l, line);
}

static void on_interrupt(struct loop_signal *s, int number)
{
	struct listening *l = s->signal.data;
	controller_interrupt(l->controller);
}

static int status_of(enum controller_end end)
{
	switch (end) {
	case CONTROLLER_PROMOTED:
		return EXIT_MET;
	case CONTROLLER_REFUSED:
		return EXIT_NOT_MET;
	case CONTROLLER_ROLLED_BACK:
		return EXIT_ROLLED_BACK;
	case CONTROLLER_HELD:
	case CONTROLLER_INCONCLUSIVE:
	case CONTROLLER_INTERRUPTED:
		return EXIT_HELD;
	case CONTROLLER_FAILED:
	case CONTROLLER_TAKEN_OVER:
		break;
	}
	return EXIT_ENVIRONMENT;
}

static int print_record(const struct invocation *in, const struct canary_flags *f, const struct rollout_record *r)
{
	const struct report_style style = terminal_style(in->terminal);
	struct buf text;
	if (f->common.json)
		return print_json(rollout_record_encode(r));
	buf_init(&text, REPORT_BYTES_MAX);
	report_rollout_summary(r, &style, &text);
	buf_printf(&text, "\nrollout %s  (weir report rollout %s)\n", r->id, r->id);
	const int status = print_result(buf_str(&text));
	buf_finish(&text);
	return status;
}

static int drive(const struct invocation *in, const struct canary_flags *f, struct rollout_input *input,
                 struct listening *l)
{
	struct rollout_record record;
	enum controller_end end;
	struct err err;
	static const int numbers[] = { SIGINT, SIGTERM };
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		l->signals[i].signal.data = l;
		loop_signal_start(&input->loop, &l->signals[i], numbers[i], on_interrupt);
	}
	const int r = controller_run(l->controller, &end, &record, &err);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		loop_signal_stop(&input->loop, &l->signals[i]);
	live_canary_end(&l->live);
	if (r < 0)
		fail(&err);
	const int printed = print_record(in, f, &record);
	if (end == CONTROLLER_INTERRUPTED && !f->common.quiet)
		fprintf(stderr,
		        "weir: left; the load balancer goes on serving, and the same command resumes the rollout\n");
	if (end == CONTROLLER_FAILED && r == 0)
		fail_with(EXIT_ENVIRONMENT, "%s", record.why ? record.why : "the rollout failed");
	if (end == CONTROLLER_TAKEN_OVER)
		fail_with(EXIT_ENVIRONMENT, "somebody else drives this rollout now; weir canary status tells who");
	rollout_record_finish(&record);
	if (r < 0)
		return EXIT_ENVIRONMENT;
	return status_of(end) == EXIT_MET ? printed : status_of(end);
}

static int run_with(const struct invocation *in, const struct canary_flags *f, struct rollout_input *input,
                    struct store *store)
{
	struct listening l = { .live = { .terminal = in->terminal, .quiet = f->common.quiet, .began = mono_now() } };
	char actor[ACTOR_BYTES];
	struct err err;
	if (f->events) {
		/* Appended: a rollout that is resumed goes on in the same file. */
		l.events = strcmp(f->events, "-") == 0 ? stdout : fopen(f->events, "a");
		if (!l.events)
			return fail_with(EXIT_ENVIRONMENT, "--events: '%s' cannot be written", f->events);
	}
	actor_name(actor);
	const struct controller_options o = {
		.loop = &input->loop,
		.store = store,
		.plan = input->plan,
		.plan_text = input->doc.text,
		.actor = actor,
		.driver = input->driver,
		.source = input->source,
		.transport = input->transport,
		.listener = { on_event, on_tick, &l },
	};
	int status;
	l.controller = controller_create(&o, &err);
	if (!l.controller) {
		status = fail(&err);
	} else {
		if (controller_resumed(l.controller) && !f->common.quiet)
			fprintf(stderr, "weir: an unfinished rollout of %s/%s was found; going on with it\n",
			        input->plan->service, input->plan->environment);
		baseline_gate_ask(store, input->plan, l.controller);
		status = drive(in, f, input, &l);
	}
	controller_destroy(l.controller);
	if (l.lost_events)
		fail_with(EXIT_ENVIRONMENT, "--events: some lines could not be written; the store has them all");
	if (l.events && l.events != stdout)
		fclose(l.events);
	return status;
}

/* The lease decides who drives; it is looked at first only so that the answer names the holder, not a socket in use. */
static int refuse_second(const struct rollout_input *input, struct store *store)
{
	struct lease_list leases;
	struct err err;
	int status = 0;
	if (store_lease_list(store, &leases, &err) < 0)
		return fail(&err);
	for (size_t i = 0; i < leases.count && status == 0; i++) {
		const struct lease_row *l = &leases.rows[i];
		if (l->held && strcmp(l->service, input->plan->service) == 0 &&
		    strcmp(l->environment, input->plan->environment) == 0 &&
		    !journal_holder_is_dead(store, input->plan))
			status = fail_with(EXIT_ENVIRONMENT,
			                   "%s/%s is driven by %s (%s); weir canary status %s tells more", l->service,
			                   l->environment, l->holder, l->reason, l->service);
	}
	lease_list_finish(&leases);
	return status;
}

static int canary_run(const struct invocation *in)
{
	const struct canary_flags *f = in->options;
	struct rollout_input input = { .plan = NULL };
	struct store *store;
	struct err err;
	if (doc_read(&input.doc, in->arguments[0], &err) < 0)
		return fail(&err);
	store = store_open(f->common.store, &err);
	int status = store ? rollout_input_read(&input) : fail(&err);
	if (status == 0)
		status = refuse_second(&input, store);
	if (status == 0)
		status = rollout_input_open(&input, f->common.store);
	if (status == 0) {
		status = run_with(in, f, &input, store);
		if (f->stop_data_plane) {
			const int stopped = rollout_input_stop(&input);
			status = status == EXIT_MET ? stopped : status;
		}
	}
	rollout_input_finish(&input);
	store_close(store);
	return status;
}

const struct command cmd_canary_run = {
	.noun = "canary",
	.verb = "run",
	.arguments = "PLAN",
	.least_arguments = 1,
	.most_arguments = 1,
	.summary = "drive a rollout, or go on with one that was left",
	.details =
		"  weir canary run rollout.json --events rollout.events\n"
		"\n"
		"weir starts HAProxy on the plan's listen address, with all traffic on stable, and shifts it stage by stage\n"
		"on evidence. HAProxy outlives this command. Ctrl-C leaves; the same command resumes. From another terminal:\n"
		"weir canary status, weir canary abort.\n"
		"Exit status: 0 promoted; 1 worse than the plan's baseline, nothing was moved; 2 a wrong plan; 3 HAProxy or the\n"
		"store failed; 5 rolled back; 6 held, inconclusive, a gate without an answer, too little traffic to see\n"
		"anything, or left before the end.",
	.options = options,
	.options_bytes = sizeof(struct canary_flags),
	.main = canary_run,
};
