/* outputs.h: the files that a run leaves beside its record. */
#ifndef WEIR_CLI_OUTPUTS_H
#define WEIR_CLI_OUTPUTS_H

#include "record/run.h"

struct run_outputs {
	const char *summary, *hlog; /* paths, each may be NULL; "-" is stdout */
};

/* Writes all that are asked for. -1: the first that could not be written. */
int outputs_write(const struct run_outputs *o, const struct run_record *r, struct err *err);

#endif
