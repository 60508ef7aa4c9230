/* outputs.h: the files that a run leaves beside its record.
 *
 * Each output is a row of one table: its flag and the function of reports/ that renders it. A path "-" is stdout, which
 * one output can have; then nothing else is written there. Files are replaced whole, at the end of the run. */
#ifndef WEIR_CLI_OUTPUTS_H
#define WEIR_CLI_OUTPUTS_H

#include "base/option.h"
#include "record/run.h"

struct run_outputs {
	const char *summary, *junit, *csv, *markdown; /* paths, each may be NULL */
};

/* Rows for a command's table of options; <member> is its struct run_outputs. */
#define OUTPUT_OPTIONS(type, member)                                                                         \
	{ "junit",                                                                                           \
	  0,                                                                                                 \
	  OPTION_STRING,                                                                                     \
	  offsetof(type, member.junit),                                                                      \
	  "FILE",                                                                                            \
	  0,                                                                                                 \
	  0,                                                                                                 \
	  "the criteria as JUnit XML; FILE '-' is stdout, for this and the next two" },                      \
		{ "csv", 0, OPTION_STRING, offsetof(type, member.csv), "FILE", 0, 0, "one row per second" }, \
	{                                                                                                    \
		"markdown", 0, OPTION_STRING, offsetof(type, member.markdown), "FILE", 0, 0,                 \
			"the verdict and the figures as Markdown, for a CI page"                             \
	}

/* Whether all can be written, as far as one can know before: folders that are there and writable, no file named twice.
 * <taken> is stdout already in use (--json)? <other> is one more path, or NULL. */
int outputs_check(const struct run_outputs *o, const char *other, bool stdout_taken, struct err *err);

/* Is one of them "-"? */
bool outputs_take_stdout(const struct run_outputs *o);
bool outputs_any(const struct run_outputs *o);

/* Writes all that are asked for. -1: the first that could not be written; the others are. */
int outputs_write(const struct run_outputs *o, const struct run_record *r, struct err *err);

#endif
