/* conceal.h: texts about places, without what must not be told.
 *
 * Pure. Threads: [any]. */
#ifndef WEIR_OBSERVE_CONCEAL_H
#define WEIR_OBSERVE_CONCEAL_H

#include <stddef.h>

#include "base/mem.h"

/* Shorter ones are not looked for: they stand in any text. */
#define CONCEAL_BYTES_MIN 3

/* One text that must not be told, and the others: longest first, so that none is left in pieces. */
struct secret {
	const char *text;
	const struct secret *next;
};

/* Adds <value> (copied to <arena>) and what lies between the marks of URLs and connection strings in it, as written and
 * percent-decoded: who reads a URL that is not sound tells parts of a password as if they were a host. */
void conceal_add(const struct secret **list, struct arena *arena, const char *value);
/* Adds the password of <url>, or all before the last '@' when there is no ':'. Nothing without '@'. */
void conceal_add_password(const struct secret **list, struct arena *arena, const char *url);
/* Writes "***" over all of them, also over the beginning of one that was cut at the end of the text. */
void conceal_all(const struct secret *list, char *text, size_t size);

/* <url> without user, password, query and fragment: "http://host:9090/path". An '@' behind the host may be the end of a
 * password with odd characters in it: then nothing but the scheme is told. Given: free(). */
char *conceal_url(const char *url);

/* Writes "***" over each place of <text> at which <secret> stands; "" and NULL are no secrets. In place; a secret that
 * is shorter than three bytes makes the text longer than it was only up to <size>. */
void conceal_secret(char *text, size_t size, const char *secret);

#endif
