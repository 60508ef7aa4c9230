/* manifest.h: under which circumstances a run was made, so that two runs are compared knowingly. Threads: [any]. */
#ifndef WEIR_LOADGEN_MANIFEST_H
#define WEIR_LOADGEN_MANIFEST_H

#include "loadgen/run.h"

/* Given: json_decref. <threads> is the number that was really used. */
json_t *manifest_make(const struct run_options *o, uint32_t threads);

#endif
