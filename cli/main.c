/* main.c: finds the command, parses its options, runs it.
 *
 *     main()
 *      ├─ weir help, --help, --version            help.c
 *      ├─ weir load run|search                    cmd_load_*.c → scenarios/compile.c → loadgen/run.c → worker.c → user.c
 *      │                                            → net/transport.h; live_load.c shows, reports/ writes
 *      ├─ weir scenario check|dump|import         cmd_scenario.c, cmd_scenario_import.c → scenarios/
 *      ├─ weir baseline set|list|show|compare     cmd_baseline.c → store/, reports/compare.c
 *      ├─ weir canary run|status|abort            cmd_canary_*.c → canary/controller.c → machine.c decides,
 *      │                                            drivers/ act, sources/ measure; live_canary.c shows
 *      ├─ weir canary pause|resume|promote        cmd_canary_ask.c → store/ → the controller of canary run
 *      ├─ weir report load|capacity|rollout       cmd_report.c → store/, reports/
 *      ├─ weir audit verify                       cmd_audit.c → store/
 *      └─ weir doctor                             cmd_doctor.c → observe/
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "scenarios/program.h"

#define HELP_BYTES_MAX 65536

static int print_help(void (*write)(struct buf *))
{
	struct buf text;
	buf_init(&text, HELP_BYTES_MAX);
	write(&text);
	const int status = print_result(buf_str(&text));
	buf_finish(&text);
	return status;
}

static int print_command_help(const struct command *c)
{
	struct buf text;
	buf_init(&text, HELP_BYTES_MAX);
	help_command(c, &text);
	const int status = print_result(buf_str(&text));
	buf_finish(&text);
	return status;
}

static const struct command *find(const char *noun, const char *verb)
{
	for (const struct command *const *c = commands; *c; c++)
		if (strcmp((*c)->noun, noun) == 0 && strcmp((*c)->verb, verb) == 0)
			return *c;
	return NULL;
}

/* No such command: the noun's verbs when the noun is known, else the nearest noun. */
static int unknown_command(const char *noun, const char *verb)
{
	struct buf text;
	const char *nouns[128];
	size_t count = 0;
	for (const struct command *const *c = commands; *c && count < 127; c++)
		nouns[count++] = (*c)->noun;
	nouns[count] = NULL;
	buf_init(&text, HELP_BYTES_MAX);
	if (help_noun(noun, &text)) {
		if (verb)
			fprintf(stderr, "weir: there is no 'weir %s %s'. There is:\n%s", noun, verb, buf_cstr(&text));
		else
			fprintf(stderr, "weir: 'weir %s' needs a verb:\n%s", noun, buf_cstr(&text));
	} else {
		const char *nearest = str_nearest(str_from(noun), nouns);
		fprintf(stderr, "weir: there is no 'weir %s'%s%s%s; weir help lists all commands\n", noun,
		        nearest ? "; did you mean 'weir " : "", nearest ? nearest : "", nearest ? "'?" : "");
	}
	buf_finish(&text);
	return EXIT_USAGE;
}

/* weir help NOUN, weir help NOUN VERB, weir NOUN --help. */
static int help_for(const char *noun, const char *verb)
{
	struct buf text;
	const struct command *c = find(noun, verb ? verb : "");
	if (c)
		return print_command_help(c);
	buf_init(&text, HELP_BYTES_MAX);
	const int status = !verb && help_noun(noun, &text) ? print_result(buf_str(&text)) : unknown_command(noun, verb);
	buf_finish(&text);
	return status;
}

/* The bytes of <word> behind which a value begins that never reaches a record: its length when that is the next word; 0: none does. */
static size_t before_secret(struct str word)
{
	static const struct str names[] = { STR("--header"), STR("--body") };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (str_starts(word, names[i]) && (word.len == names[i].len || word.p[names[i].len] == '='))
			return word.len == names[i].len ? word.len : names[i].len + 1;
	}
	return str_starts(word, STR("-H")) ? 2 : 0;
}

/* "https://host/path?token=***&page=2" */
static void add_url(struct buf *line, struct str url)
{
	const size_t query = str_find(url, '?');
	struct str rest = str_from_at(url, query + 1), part;
	buf_add(line, str_first(url, query + 1));
	for (bool first = true; str_cut(&rest, '&', &part); first = false) {
		const size_t equals = str_find(part, '=');
		const bool hidden = equals < part.len && secret_name(str_first(part, equals));
		if (!first)
			buf_add_char(line, '&');
		buf_add(line, hidden ? str_first(part, equals + 1) : part);
		if (hidden)
			buf_add(line, STR("***"));
	}
}

static char *command_line(int argc, char **argv)
{
	struct buf line;
	bool hidden = false;
	buf_init(&line, 4096);
	buf_add(&line, STR("weir"));
	for (int i = 1; i < argc && !buf_overflowed(&line); i++) {
		const struct str word = str_from(argv[i]);
		const size_t shown = hidden ? 0 : before_secret(word);
		buf_add_char(&line, ' ');
		if (hidden || (shown && shown < word.len)) {
			buf_add(&line, str_first(word, shown));
			buf_add(&line, STR("***"));
		} else {
			add_url(&line, word);
		}
		hidden = shown == word.len && shown > 0;
	}
	char *text = xstrdup(buf_cstr(&line));
	buf_finish(&line);
	return text;
}

static int wrong_arguments(const struct command *c, int count)
{
	const char *blank = c->verb[0] ? " " : "";
	if (count < c->least_arguments)
		return fail_with(EXIT_USAGE, "weir %s%s%s needs %s (see weir %s%s%s --help)", c->noun, blank, c->verb,
		                 c->arguments, c->noun, blank, c->verb);
	return fail_with(EXIT_USAGE, "weir %s%s%s takes %s%s, not %d words (see weir %s%s%s --help)", c->noun, blank,
	                 c->verb, c->arguments[0] ? "only " : "no arguments", c->arguments, count, c->noun, blank,
	                 c->verb);
}

static int run_command(const struct command *c, int argc, char **argv)
{
	struct terminal terminal;
	struct err err;
	int count = 0;
	void *options = xcalloc(1, c->options_bytes);
	const char **arguments = xcalloc((size_t)argc, sizeof(char *));
	const struct common_options *common = options;
	char *line = command_line(argc, argv);
	const int words = c->verb[0] ? 3 : 2; /* of argv, in front of the options */
	int status;
	if (options_parse(c->options, argc - words, argv + words, options, arguments, &count, &err) < 0) {
		fail(&err);
		status = fail_with(EXIT_USAGE, "weir %s%s%s --help lists its options", c->noun, c->verb[0] ? " " : "",
		                   c->verb);
	} else if (common->help) {
		status = print_command_help(c);
	} else if (count < c->least_arguments || count > c->most_arguments) {
		status = wrong_arguments(c, count);
	} else {
		terminal_init(&terminal, common->no_color);
		const struct invocation in = { c, options, arguments, count, &terminal, line };
		status = c->main(&in);
	}
	free(line);
	free(arguments);
	free(options);
	return status;
}

static bool is_help(const char *word)
{
	return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int main(int argc, char **argv)
{
	/* A reader that went away is an error of the write, not the end of the program. */
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		print_help(help_all);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0)
		return print_result(STR("weir " WEIR_VERSION "\n"));
	if (is_help(argv[1])) {
		if (argc == 2)
			return print_help(help_all);
		return help_for(argv[2], argc > 3 ? argv[3] : NULL);
	}
	const struct command *c = find(argv[1], "");
	if (!c && argc > 2)
		c = find(argv[1], argv[2]);
	if (!c && argc > 2 && is_help(argv[2]))
		return help_for(argv[1], NULL);
	if (!c)
		return unknown_command(argv[1], argc > 2 ? argv[2] : NULL);
	return run_command(c, argc, argv);
}
