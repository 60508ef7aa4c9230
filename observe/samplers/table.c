/* table.c: the kinds of samplers that weir knows. A new one is a file here and a row below; begin with skeleton.c. */
#include "observe/samplers/kinds.h"

const struct sampler_kind *const sampler_kinds[] = {
	&procfs_process_kind, &procfs_host_kind, &json_endpoint_kind, &postgres_kind, &prometheus_kind, NULL,
};
