/* pause, resume, promote: asks whoever drives the rollout, through the store, and waits for the answer, which is an event of
 * the rollout. Unlike a rollback these need a live controller: without one there is nobody to steer. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "cli/actor.h"
#include "cli/commands.h"
#include "cli/rollout_find.h"

/* How long a live controller may take. It looks for requests five times a second. */
#define PATIENCE (5 * SECOND)
#define LOOK_EVERY (100 * MILLISECOND)
#define EVENTS_AT_ONCE 500
/* The machine keeps so much of an actor's name. */
#define ACTOR_KEPT 63

struct ask_flags {
	struct common_options common;
	const char *reason;
};

static const struct option options[] = {
	{ "reason", 0, OPTION_STRING, offsetof(struct ask_flags, reason), "TEXT", 0, 0, "why; it stays in the record" },
	COMMON_OPTIONS(struct ask_flags),
	{ .type = OPTION_END },
};

/* What can be asked, by the command's verb. */
static const struct asking {
	enum operator_verb verb;
	const char *answer; /* the event that says yes */
	const char *done;   /* for people; said of the rollout */
} askings[] = {
	{ OPERATOR_PAUSE, "operator.paused",
	  "is paused; its weight stays until somebody resumes, promotes or aborts it" },
	{ OPERATOR_RESUME, "operator.resumed", "goes on" },
	{ OPERATOR_PROMOTE, "operator.promoted", "leaves out the rest of its stage" },
};

static const struct asking *asking_of(const struct command *c)
{
	size_t i = 0;
	while (strcmp(operator_verb_text(askings[i].verb), c->verb) != 0)
		i++;
	return &askings[i];
}

/* One request and what came of it. */
struct request {
	const struct asking *asking;
	struct store *store;
	const char *id; /* of the rollout */
	char actor[ACTOR_BYTES];
	int64_t number;
	bool withdrawn;             /* nobody took it */
	int64_t seen;               /* seq of the last event that was looked at */
	struct event_record answer; /* type NULL: none yet. Own */
};

static bool is_answer(const struct request *q, const struct event_record *e)
{
	return strncmp(e->actor, q->actor, ACTOR_KEPT) == 0 &&
	       (strcmp(e->type, q->asking->answer) == 0 || strcmp(e->type, "operator.ignored") == 0);
}

/* Looks at the events that came since the last look. <for_answer>: stops at the answer. -1: the store failed. */
static int look(struct request *q, bool for_answer, struct err *err)
{
	size_t count = EVENTS_AT_ONCE;
	while (count == EVENTS_AT_ONCE && !q->answer.type) {
		struct event_list list;
		if (store_event_list(q->store, q->id, q->seen, EVENTS_AT_ONCE, &list, err) < 0)
			return -1;
		count = list.count;
		for (size_t i = 0; i < count && !q->answer.type; i++) {
			q->seen = list.rows[i].seq;
			if (!for_answer || !is_answer(q, &list.rows[i]))
				continue;
			q->answer = list.rows[i];
			list.rows[i] = (struct event_record){ 0 };
		}
		event_list_finish(&list);
	}
	return 0;
}

static int get_over(struct request *q, bool *ret_over, struct err *err)
{
	struct rollout_record r;
	if (store_rollout_get_head(q->store, q->id, &r, err) < 0)
		return -1;
	*ret_over = !store_rollout_unfinished(r.state);
	rollout_record_finish(&r);
	return 0;
}

/* Until it is answered or the rollout is over, but not longer than our patience. */
static int wait_for_answer(struct request *q, bool *ret_over, struct err *err)
{
	const struct mono until = mono_after(mono_now(), PATIENCE);
	*ret_over = false;
	while (!*ret_over && !q->answer.type && mono_now().ns < until.ns) {
		const struct timespec pause = { .tv_nsec = LOOK_EVERY };
		nanosleep(&pause, NULL);
		/* In this order: what was answered before the end is seen. */
		if (get_over(q, ret_over, err) < 0 || look(q, true, err) < 0)
			return -1;
	}
	return 0;
}

/* Asks and waits. A request that nobody heard is taken back, so that it does not surprise anybody later. */
static int ask(struct request *q, const char *reason, bool *ret_over, struct err *err)
{
	if (look(q, false, err) < 0 ||
	    store_request_put(q->store, q->id, q->asking->verb, q->actor, reason, &q->number, err) < 0)
		return -1;
	struct err ignored;
	const int waited = wait_for_answer(q, ret_over, err);
	if (q->answer.type)
		return 0;
	const int gone = store_request_withdraw(q->store, q->number, waited < 0 ? &ignored : err);
	if (waited < 0 || gone < 0)
		return -1;
	q->withdrawn = gone > 0;
	/* It was heard in the last moment: the answer is on its way. */
	return q->withdrawn || *ret_over ? 0 : wait_for_answer(q, ret_over, err);
}

static const char *text_of(const struct event_record *e)
{
	const char *text = json_string_value(json_object_get(e->data, "text"));
	return text ? text : "";
}

static int print_answer(const struct invocation *in, const struct request *q, const struct rollout_record *head)
{
	const struct ask_flags *f = in->options;
	const bool ignored = strcmp(q->answer.type, "operator.ignored") == 0;
	int status = EXIT_MET;
	if (f->common.json) {
		status = print_json(event_record_encode(&q->answer, head));
	} else if (!ignored) {
		struct buf text;
		buf_init(&text, 4096);
		buf_printf(&text, "rollout %s of %s (%s) %s\n", head->id, head->service, head->environment,
		           q->asking->done);
		status = print_result(buf_str(&text));
		buf_finish(&text);
	}
	if (status == EXIT_MET && ignored)
		status = fail_with(EXIT_NOT_MET, "nothing was done: %s", text_of(&q->answer));
	return status;
}

static int say_over(const struct request *q)
{
	struct rollout_record r;
	struct err err;
	if (store_rollout_get_head(q->store, q->id, &r, &err) < 0)
		return fail(&err);
	const int status = fail_with(EXIT_NOT_MET, "the rollout is over: %s", rollout_state_text(r.state));
	rollout_record_finish(&r);
	return status;
}

static int ask_driver(const struct invocation *in, struct request *q, const struct rollout_record *head)
{
	const struct ask_flags *f = in->options;
	struct err err;
	bool over = false;
	if (!store_rollout_unfinished(head->state))
		return say_over(q);
	if (!rollout_is_driven(q->store, head))
		return fail_with(EXIT_ENVIRONMENT,
		                 "nobody drives this rollout now: weir canary run PLAN goes on with it, "
		                 "weir canary abort %s rolls it back",
		                 q->id);
	if (ask(q, f->reason, &over, &err) < 0)
		return fail(&err);
	if (q->answer.type)
		return print_answer(in, q, head);
	if (over)
		return say_over(q);
	return fail_with(EXIT_ENVIRONMENT,
	                 "whoever drives this rollout %s. weir canary abort %s rolls back in any case",
	                 q->withdrawn ? "does not answer; the request was withdrawn"
	                              : "took the request but did not say what came of it",
	                 q->id);
}

static int ask_rollout(const struct invocation *in, struct store *store, const char *id)
{
	struct request q = { .asking = asking_of(in->command), .store = store, .id = id };
	struct rollout_record head;
	struct err err;
	actor_name(q.actor);
	if (store_rollout_get_head(store, id, &head, &err) < 0)
		return fail(&err);
	const int status = ask_driver(in, &q, &head);
	event_record_finish(&q.answer);
	rollout_record_finish(&head);
	return status;
}

static int canary_ask(const struct invocation *in)
{
	return rollout_find(in, ask_rollout);
}

#define STATUSES                                                                                     \
	"\n\nIt asks the rollout's own controller and waits for its answer. Exit status: 0 done; 1 " \
	"there was\nnothing to do, or the rollout is over; 3 its controller is dead or hangs: nothing was done."

const struct command cmd_canary_pause = {
	.noun = "canary",
	.verb = "pause",
	.arguments = "[ID|SERVICE]",
	.most_arguments = 1,
	.summary = "keep the weight where it is, from any terminal",
	.details = "  weir canary pause web --reason 'lunch'\n\n"
		   "No next stage until it is resumed; harm still rolls back at once. After 24 hours a paused rollout\n"
		   "rolls back." STATUSES,
	.options = options,
	.options_bytes = sizeof(struct ask_flags),
	.main = canary_ask,
};

const struct command cmd_canary_resume = {
	.noun = "canary",
	.verb = "resume",
	.arguments = "[ID|SERVICE]",
	.most_arguments = 1,
	.summary = "go on with a rollout that is paused or held",
	.details = "  weir canary resume web\n\n"
		   "The max of its stage counts from now. What held it may hold it again." STATUSES,
	.options = options,
	.options_bytes = sizeof(struct ask_flags),
	.main = canary_ask,
};

const struct command cmd_canary_promote = {
	.noun = "canary",
	.verb = "promote",
	.arguments = "[ID|SERVICE]",
	.most_arguments = 1,
	.summary = "leave out the rest of the present stage",
	.details =
		"  weir canary promote web --reason 'seen enough, the fair begins at ten'\n\n"
		"The next stage begins without the evidence for it; in the last one the rollout is promoted. It is in\n"
		"the record, with you and the reason." STATUSES,
	.options = options,
	.options_bytes = sizeof(struct ask_flags),
	.main = canary_ask,
};
