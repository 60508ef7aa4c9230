/* help.h: help texts, made from the tables of the commands. */
#ifndef WEIR_CLI_HELP_H
#define WEIR_CLI_HELP_H

#include "cli/command.h"

/* All commands, one line each. */
void help_all(struct buf *out);
/* The verbs of <noun>; false when there is no such noun. */
bool help_noun(const char *noun, struct buf *out);
/* One command: usage, options, example. */
void help_command(const struct command *c, struct buf *out);

#endif
