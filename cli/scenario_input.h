/* scenario_input.h: from a command's FILE or URL to a compiled program. Shared by the load commands. */
#ifndef WEIR_CLI_SCENARIO_INPUT_H
#define WEIR_CLI_SCENARIO_INPUT_H

#include "base/option.h"
#include "net/transport.h"
#include "observe/plan.h"
#include "scenarios/program.h"

/* What the flags say when a URL stands in place of a file. */
struct url_options {
	double users, rate;
	dur_ns duration, timeout;
	double time_scale; /* also of a file; 0: 1 */
	const char *method, *body;
	struct option_list headers;
};

/* Users, rate and duration are for commands that choose the load themselves of no use, so they stand apart. */
#define REQUEST_OPTIONS(type)                                                                                     \
	{ "timeout", 0,   OPTION_DURATION, offsetof(type, url.timeout),                                           \
	  "D",       1e6, 3.6e12,          "limit of a whole request (URL only; 10s)" },                          \
		{ "method",                                                                                       \
		  'X',                                                                                            \
		  OPTION_STRING,                                                                                  \
		  offsetof(type, url.method),                                                                     \
		  "WORD",                                                                                         \
		  0,                                                                                              \
		  0,                                                                                              \
		  "HTTP method (URL only; GET, or POST with a body)" },                                           \
		{ "header",        'H', OPTION_LIST, offsetof(type, url.headers),                                 \
		  "'NAME: VALUE'", 0,   0,           "a request header (URL only; repeat for more)" },            \
	{                                                                                                         \
		"body", 0, OPTION_STRING, offsetof(type, url.body), "TEXT|@FILE", 0, 0, "request body (URL only)" \
	}

struct scenario_input {
	struct doc doc; /* the scenario, also when it was made from a URL */
	struct program *program;
	struct program_inputs inputs;
	char *folder;                /* of the file; NULL: the one where weir runs */
	struct observe_plan observe; /* what its "observe" says; often no item. Lives as long as this struct */
	struct arena arena;
};

/* Who carries the requests, by the word after --http; NULL: auto. 0, or the exit status after it was told. */
int http_kind_read(const char *word, enum transport_kind *ret_kind);

bool scenario_is_url(const char *file_or_url);

/* 0, or the exit status after everything that is wrong was printed. Finish with scenario_input_finish when 0. */
int scenario_input_read(struct scenario_input *in, const char *file_or_url, const struct url_options *options);
void scenario_input_finish(struct scenario_input *in);

#endif
