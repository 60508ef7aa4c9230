/* rollout_input.h: everything a controller needs, from a plan's text. Shared by the commands that may drive a rollout. */
#ifndef WEIR_CLI_ROLLOUT_INPUT_H
#define WEIR_CLI_ROLLOUT_INPUT_H

#include "canary/controller.h"

struct rollout_input {
	struct doc doc;
	struct plan *plan;
	struct loop loop;
	struct driver *driver;
	struct live_source *source;
	struct transport *transport;
	char *folder; /* of this (service, environment): the balancer's configuration, sockets and log */
};

/* The folder of a (service, environment), beside the store's file. Given: free(). NULL: there is no state folder. */
char *rollout_folder(const char *store_path, const struct plan *plan, struct err *err);

/* Reads the plan in <doc>, which must have been initialised. 0, or the exit status after what is wrong was printed.
 * Finish with rollout_input_finish in either case. */
int rollout_input_read(struct rollout_input *in);

/* Then makes driver, source and transport; <store_path> NULL: the default. The same results. */
int rollout_input_open(struct rollout_input *in, const char *store_path);
void rollout_input_finish(struct rollout_input *in);

/* Ends the balancer that serves this plan. 0, or the exit status after the reason was printed. */
int rollout_input_stop(struct rollout_input *in);

#endif
