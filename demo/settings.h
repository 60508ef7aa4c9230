/* settings.h: the command line of the demo application, and the part of it that may be changed at run time, as JSON.
 *
 * Threads: parse [main]; the JSON functions [any]. */
#ifndef WEIR_DEMO_SETTINGS_H
#define WEIR_DEMO_SETTINGS_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "demo/pool.h"

struct settings {
	const char *listen, *control; /* control NULL: no control port */
	const char *port_file, *control_port_file;
	const char *version, *commit;
	const char *error_rate_text;
	struct slots_settings slots;
	dur_ns freeze;
	int64_t queue, seed; /* seed -1: a fresh one */
	bool quiet, help;
};

/* The strings are borrowed from argv. ERR_USAGE. */
int settings_parse(int argc, char **argv, struct settings *ret_settings, struct err *err);

/* The text of --help. */
void settings_help(struct buf *out);

/* What a pool is set to and doing, in the keys and units that settings_change takes. Given: json_decref. */
json_t *settings_json(const struct pool_state *state);

/* A JSON object with any of latency, latency_factor, error_rate, workers, freeze: all of it is applied, or, when
 * something is wrong, nothing, and <mistakes> says all that is wrong. */
bool settings_change(struct str text, struct pool *pool, struct buf *mistakes);

#endif
