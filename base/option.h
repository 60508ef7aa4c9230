/* option.h: command lines from tables. Help text, parsing and error messages all come from the same rows.
 *
 *     --users N      -H 'Name: value'      --insecure      --no-color
 *
 * "--name value" and "--name=value" are the same; "--" ends the options; options and arguments may be mixed.
 * A value option may have a one-letter form. Threads: [main]. */
#ifndef WEIR_BASE_OPTION_H
#define WEIR_BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum option_type {
	OPTION_END,
	OPTION_FLAG,     /* bool */
	OPTION_STRING,   /* const char *, borrowed from argv */
	OPTION_LIST,     /* struct option_list: may be given several times */
	OPTION_INTEGER,  /* int64_t within min..max */
	OPTION_NUMBER,   /* double within min..max */
	OPTION_DURATION, /* dur_ns within min..max; 0 and 0: any */
};

#define OPTION_LIST_MAX 64
struct option_list {
	const char *items[OPTION_LIST_MAX]; /* borrowed from argv */
	size_t count;
};

struct option {
	const char *name; /* without the dashes */
	char letter;      /* 0: no one-letter form */
	enum option_type type;
	size_t offset;     /* of the member in the struct that is parsed into */
	const char *value; /* how the value is called in the help: "N", "FILE" */
	double min, max;
	const char *help;
};

/* Parses argv[0..argc) into <into>, which holds the defaults. What is no option goes, in order, to <ret_arguments>
 * (room for argc). ERR_USAGE with a sentence that names the nearest option when one is unknown. */
int options_parse(const struct option *options, int argc, char **argv, void *into, const char **ret_arguments,
                  int *ret_argument_count, struct err *err);

/* One line per option for --help, names aligned. */
void options_help(const struct option *options, struct buf *out);

#endif
