/* kinds.h: the rows of table.c, each at the end of its own file; for this folder only. */
#ifndef WEIR_OBSERVE_SAMPLERS_KINDS_H
#define WEIR_OBSERVE_SAMPLERS_KINDS_H

#include "observe/plan.h"

extern const struct sampler_kind procfs_process_kind, procfs_host_kind, json_endpoint_kind, postgres_kind,
	prometheus_kind;

#endif
