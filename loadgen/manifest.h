/* manifest.h: under which circumstances a run was made, so that two runs are compared knowingly. Threads: [any]. */
#ifndef WEIR_LOADGEN_MANIFEST_H
#define WEIR_LOADGEN_MANIFEST_H

#include "loadgen/run.h"

/* Given: json_decref. <threads> is the number that was really used; <local_ports> how many there are, 0: unknown. */
json_t *manifest_make(const struct run_options *o, uint32_t threads, uint32_t local_ports);

#endif
