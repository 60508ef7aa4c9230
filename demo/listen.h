/* listen.h: a listening TCP socket from "[HOST:]PORT". Threads: [main]. */
#ifndef WEIR_DEMO_LISTEN_H
#define WEIR_DEMO_LISTEN_H

#include "base/err.h"

#define LISTEN_ADDRESS_BYTES 128

/* "8080", "0.0.0.0:8080", "localhost:0", "[::1]:8080"; port 0: any free one; without host: 127.0.0.1.
 * Returns the socket, given: close(). -1: <err>. On success sets the port and the address as text. */
int listen_open(const char *address, int *ret_port, char ret_text[LISTEN_ADDRESS_BYTES], struct err *err);

#endif
