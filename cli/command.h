/* command.h: what a command of weir is: two words, a table of options, and a function.
 *
 * One verb per file: cli/cmd_NOUN_VERB.c holds one const struct command; cli/commands.c lists them. Help, parsing and
 * error messages come from the tables. A command returns its exit status; errors it could not handle it prints with
 * fail() or wrong_usage(), which return the status that product.md gives to their kind.
 *
 * Results go to stdout, progress and errors to stderr. Threads: [main]. */
#ifndef WEIR_CLI_COMMAND_H
#define WEIR_CLI_COMMAND_H

#include "base/doc.h"
#include "base/err.h"
#include "base/option.h"
#include "cli/terminal.h"

/* The same for all commands (product.md). */
enum exit_status {
	EXIT_MET = 0,
	EXIT_NOT_MET = 1,
	EXIT_USAGE = 2,
	EXIT_ENVIRONMENT = 3,
	EXIT_INVALID = 4,
	EXIT_ROLLED_BACK = 5,
	EXIT_HELD = 6,
};

struct invocation {
	const struct command *command;
	const void *options; /* of the type that the command's table fills */
	const char *const *arguments;
	int argument_count;
	struct terminal *terminal;
	const char *line; /* the command line as typed, without secrets: for manifests and events */
};

struct command {
	const char *noun, *verb; /* verb "": the noun alone is the command */
	const char *arguments;   /* as shown in the usage line; "" when there are none */
	int least_arguments, most_arguments;
	const char *summary; /* one line */
	const char *details; /* paragraphs with an example; may be NULL */
	const struct option *options;
	size_t options_bytes;
	int (*main)(const struct invocation *in);
};

/* Every command, ending with NULL. */
extern const struct command *const commands[];

/* Options that every command has stand first in its options struct. */
struct common_options {
	bool help, json, quiet, no_color;
	const char *store;
};
#define COMMON_OPTIONS(type)                                                                                         \
	{                                                                                                            \
		"store",                                                                                             \
		0,                                                                                                   \
		OPTION_STRING,                                                                                       \
		offsetof(type, common.store),                                                                        \
		"PATH",                                                                                              \
		0,                                                                                                   \
		0,                                                                                                   \
		"file of runs, baselines and rollouts"                                                               \
	},                                                                                                           \
		{ "json", 0, OPTION_FLAG, offsetof(type, common.json), NULL, 0, 0, "the result as JSON on stdout" }, \
		{ "quiet", 'q', OPTION_FLAG, offsetof(type, common.quiet), NULL, 0, 0, "no progress on stderr" },    \
		{ "no-color", 0, OPTION_FLAG, offsetof(type, common.no_color),                                       \
		  NULL,       0, 0,           "plain text; NO_COLOR in the environment does the same" },             \
	{                                                                                                            \
		"help", 'h', OPTION_FLAG, offsetof(type, common.help), NULL, 0, 0, "this text"                       \
	}

/* Print one clear sentence (or the diagnostics) on stderr and give the exit status. */
int fail(const struct err *err);
/* For durations that may be 0: <text> into <into>, which stays as it is without one. An exit status. */
int duration_given(const char *option, const char *text, dur_ns *into);

int fail_with(enum exit_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));
int fail_diagnostics(const struct diags *d);

/* Writes to stdout; a full disk or a closed pipe is an error of the environment. Returns 0 or EXIT_ENVIRONMENT. */
int print_result(struct str text);
/* The same for JSON, indented, with a final newline; <json> is taken. */
int print_json(json_t *json);

#endif
