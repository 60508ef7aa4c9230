/* control.h: the control port: look at the settings and change them while the application runs.
 *
 * It has its own socket and thread, so that it answers also when the application is frozen or full.
 *
 *     GET /  settings      POST / {"latency": "80ms"}      GET /stats      POST /reset-stats
 *
 * Threads: control_start and control_stop [main]. */
#ifndef WEIR_DEMO_CONTROL_H
#define WEIR_DEMO_CONTROL_H

#include "base/err.h"
#include "demo/pool.h"
#include "demo/traffic.h"

struct control;

/* <socket> listens and is taken; <pool>, <traffic> and the texts are kept. Given: control_stop. */
struct control *control_start(int socket, struct pool *pool, struct traffic *traffic, const char *version,
                              const char *commit, struct err *err);
void control_stop(struct control *c); /* NULL is fine */

#endif
