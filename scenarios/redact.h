/* redact.h: what a user sends and gets, for people to read: without secrets.
 *
 * Hidden are the values of headers, JSON members, form fields and query parameters with secret names (secret_name), and,
 * wherever they stand, the values of secret variables, of secret columns of feeds, and what the file itself marks so, also
 * percent-encoded or escaped as in JSON.
 * Values shorter than four bytes are hidden by name only: they would be found everywhere.
 *
 * Pure. Threads: a vm belongs to one worker. */
#ifndef WEIR_SCENARIOS_REDACT_H
#define WEIR_SCENARIOS_REDACT_H

#include "scenarios/vm.h"

/* Adds a body or a URL. JSON is written compact when something in it was hidden by name. */
void redact_text(const struct vm *vm, struct str text, struct buf *out);

/* Adds a URL: the part behind "?" is that of a form, and that behind "#" too. */
void redact_url(const struct vm *vm, struct str url, struct buf *out);

/* Adds a value that an answer holds, for a text about it: no more than is needed for <most> bytes. A secret that they would
 * cut is hidden all the same. */
void redact_value(const struct vm *vm, struct str value, size_t most, struct buf *out);

/* Adds the value of a header: that of some is a URL. */
void redact_header_value(const struct vm *vm, struct str name, struct str value, struct buf *out);

/* Adds "Name: value\n". */
void redact_header(const struct vm *vm, struct str name, struct str value, struct buf *out);

#endif
