#include "cli/help.h"

#define SUMMARY_COLUMN 34

static void add_line(const struct command *c, struct buf *out)
{
	char left[96];
	snprintf(left, sizeof(left), "weir %s%s%s%s%s", c->noun, c->verb[0] ? " " : "", c->verb,
	         c->arguments[0] ? " " : "", c->arguments);
	/* Behind arguments that are too long for the column, the summary takes a line of its own. */
	if (strlen(left) > SUMMARY_COLUMN)
		buf_printf(out, "  %s\n  %*s %s\n", left, SUMMARY_COLUMN, "", c->summary);
	else
		buf_printf(out, "  %-*s %s\n", SUMMARY_COLUMN, left, c->summary);
}

void help_all(struct buf *out)
{
	buf_add(out, STR("weir " WEIR_VERSION ": measures HTTP services and controls their traffic\n\n"));
	for (const struct command *const *c = commands; *c; c++)
		add_line(*c, out);
	buf_add(out,
	        STR("\nweir NOUN VERB --help tells more, with an example. weir --version prints the version.\n"
	            "Exit status of all commands: 0 met; 1 criteria not met; 2 wrong usage or file; 3 environment failed;\n"
	            "4 measurement not valid; 5 rolled back, aborted or interrupted; 6 held or inconclusive; 70 a bug in weir.\n"));
}

bool help_noun(const char *noun, struct buf *out)
{
	bool found = false;
	for (const struct command *const *c = commands; *c; c++)
		if (strcmp((*c)->noun, noun) == 0) {
			add_line(*c, out);
			found = true;
		}
	return found;
}

void help_command(const struct command *c, struct buf *out)
{
	buf_printf(out, "Usage: weir %s%s%s [options]%s%s\n\n%s\n\n", c->noun, c->verb[0] ? " " : "", c->verb,
	           c->arguments[0] ? " " : "", c->arguments, c->summary);
	options_help(c->options, out);
	if (c->details)
		buf_printf(out, "\n%s\n", c->details);
}
