#include "demo/settings.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/field.h"
#include "base/mem.h"
#include "base/option.h"
#include "base/units.h"

#define FACTOR_MAX 1000
#define QUEUE_MAX 1000000

#define AT(member) offsetof(struct settings, member)

static const struct option options[] = {
	{ "listen", 'l', OPTION_STRING, AT(listen), "[HOST:]PORT", 0, 0,
	  "Where to serve; port 0: any free one (127.0.0.1:8080)" },
	{ "control", 0, OPTION_STRING, AT(control), "[HOST:]PORT", 0, 0, "Where to serve the control port (none)" },
	{ "port-file", 0, OPTION_STRING, AT(port_file), "FILE", 0, 0, "Write the port there once it is served" },
	{ "control-port-file", 0, OPTION_STRING, AT(control_port_file), "FILE", 0, 0, "The same for the control port" },
	{ "version-name", 0, OPTION_STRING, AT(version), "V", 0, 0, "What /api/version says (1.0.0)" },
	{ "commit", 0, OPTION_STRING, AT(commit), "C", 0, 0, "The commit it says (unknown)" },
	{ "latency", 0, OPTION_DURATION, AT(slots.latency), "D", 0, (double)(10 * MINUTE), "Median service time (0)" },
	{ "latency-factor", 0, OPTION_NUMBER, AT(slots.latency_factor), "X", 0, FACTOR_MAX,
	  "Service times are longer by this factor (1)" },
	{ "error-rate", 0, OPTION_STRING, AT(error_rate_text), "SHARE", 0, 0,
	  "Share of /api requests that fail with 500: 0.02, 2% (0)" },
	{ "freeze", 0, OPTION_DURATION, AT(freeze), "D", 0, (double)HOUR,
	  "Give no answers for that long, from the start (0)" },
	{ "workers", 0, OPTION_INTEGER, AT(slots.workers), "N", 1, SLOTS_WORKERS_MAX,
	  "Requests in service at once (64)" },
	{ "queue", 0, OPTION_INTEGER, AT(queue), "N", 0, QUEUE_MAX,
	  "Requests that may wait for a worker; more get 503 (1024)" },
	{ "seed", 0, OPTION_INTEGER, AT(seed), "N", 0, 9007199254740991.0,
	  "Of all chance, to repeat a run (a fresh one)" },
	{ "quiet", 'q', OPTION_FLAG, AT(quiet), NULL, 0, 0, "Say nothing but errors" },
	{ "help", 'h', OPTION_FLAG, AT(help), NULL, 0, 0, "Show this" },
	{ 0 },
};

int settings_parse(int argc, char **argv, struct settings *ret_settings, struct err *err)
{
	struct settings s = {
		.listen = "127.0.0.1:8080",
		.version = "1.0.0",
		.commit = "unknown",
		.queue = 1024,
		.seed = -1,
		.slots = { .latency_factor = 1, .workers = 64 },
	};
	const char **arguments = xcalloc((size_t)argc + 1, sizeof(*arguments));
	int argument_count = 0;
	size_t at;
	int result = options_parse(options, argc, argv, &s, arguments, &argument_count, err);
	if (result == 0 && argument_count > 0)
		result = err_set(err, ERR_USAGE, "'%s' is not an option", arguments[0]);
	if (result == 0 && s.error_rate_text && !share_parse(str_from(s.error_rate_text), &s.slots.error_rate, &at))
		result = err_set(err, ERR_USAGE, "--error-rate needs a share such as 0.02 or 2%%, not '%s'",
		                 s.error_rate_text);
	if (result == 0)
		*ret_settings = s;
	free(arguments);
	return result;
}

void settings_help(struct buf *out)
{
	buf_printf(out, "usage: weir-demo-app [options]\n\n"
	                "A small service with five flows, and with service times and faults that can be set.\n\n");
	options_help(options, out);
	buf_printf(out,
	           "\nThe control port: GET / shows the settings; POST / with a JSON object changes any of latency,\n"
	           "latency_factor, error_rate, workers, freeze; GET /stats counts requests; POST /reset-stats.\n");
}

/* As duration_parse reads it back, without loss. */
static const char *duration_text(dur_ns d, char text[32])
{
	if (d % MILLISECOND == 0)
		snprintf(text, 32, "%lldms", (long long)(d / MILLISECOND));
	else
		snprintf(text, 32, "%lldns", (long long)d);
	return text;
}

json_t *settings_json(const struct pool_state *state)
{
	char text[32];
	json_t *json = json_object();
	json_object_set_new(json, "latency", json_string(duration_text(state->settings.latency, text)));
	json_object_set_new(json, "latency_factor", json_real(state->settings.latency_factor));
	json_object_set_new(json, "error_rate", json_real(state->settings.error_rate));
	json_object_set_new(json, "workers", json_integer(state->settings.workers));
	json_object_set_new(json, "freeze", json_string(duration_text(state->freeze_left, text)));
	json_object_set_new(json, "queue", json_integer((json_int_t)state->queue_limit));
	json_object_set_new(json, "in_service", json_integer((json_int_t)state->busy));
	json_object_set_new(json, "waiting", json_integer((json_int_t)state->waiting));
	return json;
}

struct change {
	struct slots_settings slots;
	dur_ns freeze; /* -1: not named */
};

static const struct field change_fields[] = {
	{ "latency", FIELD_DURATION, offsetof(struct change, slots.latency), .max = (double)(10 * MINUTE),
	  .help = "Median service time." },
	{ "latency_factor", FIELD_NUMBER, offsetof(struct change, slots.latency_factor), .max = FACTOR_MAX,
	  .help = "Service times are longer by this factor." },
	{ "error_rate", FIELD_SHARE, offsetof(struct change, slots.error_rate),
	  .help = "Share of requests that fail." },
	{ "workers", FIELD_INTEGER, offsetof(struct change, slots.workers), .min = 1, .max = SLOTS_WORKERS_MAX,
	  .help = "Requests in service at once." },
	{ "freeze", FIELD_DURATION, offsetof(struct change, freeze), .max = (double)HOUR,
	  .help = "No answers for that long, from now." },
	{ 0 },
};

bool settings_change(struct str text, struct pool *pool, struct buf *mistakes)
{
	struct doc doc;
	struct arena arena;
	struct pool_state state;
	pool_state(pool, &state);
	struct change change = { .slots = state.settings, .freeze = -1 };
	doc_init(&doc, "settings", text);
	arena_init(&arena);
	if (doc_ok(&doc)) {
		const struct node root = doc_root(&doc);
		fields_read(&root, change_fields, &arena, &change);
	}
	const bool ok = doc_ok(&doc);
	if (ok) {
		pool_change(pool, &change.slots);
		if (change.freeze >= 0)
			pool_freeze(pool, change.freeze);
	} else {
		diags_write(&doc.diags, mistakes);
	}
	arena_finish(&arena);
	doc_finish(&doc);
	return ok;
}
