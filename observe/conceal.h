/* conceal.h: texts about places, without what must not be told.
 *
 * Pure. Threads: [any]. */
#ifndef WEIR_OBSERVE_CONCEAL_H
#define WEIR_OBSERVE_CONCEAL_H

#include <stddef.h>

/* <url> without user, password, query and fragment: "http://host:9090/path". Given: free(). */
char *conceal_url(const char *url);

/* Writes "***" over each place of <text> at which <secret> stands; "" and NULL are no secrets. In place; a secret that
 * is shorter than three bytes makes the text longer than it was only up to <size>. */
void conceal_secret(char *text, size_t size, const char *secret);

#endif
