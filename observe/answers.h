/* answers.h: takes figures out of what an endpoint or Prometheus answered. Bytes in, figures out: no sockets here.
 *
 * A figure that is not there, or no finite number, is missing (NAN), and the error says why; the others are still good.
 * Pure. Threads: [any]. */
#ifndef WEIR_OBSERVE_ANSWERS_H
#define WEIR_OBSERVE_ANSWERS_H

#include "base/err.h"
#include "base/str.h"

/* The longest answer that is taken. */
#define ANSWER_BYTES_MAX (1u << 20)

/* Whether <pointer> is a JSON Pointer (RFC 6901): "" or "/..." in which each '~' is followed by 0 or 1. */
bool json_pointer_is_sound(const char *pointer);

/* The numbers of the JSON text <body> at <pointers>[0..count) to <ret_values>. -1 with an error when at least one is
 * missing. Only numbers are numbers: a string of digits is missing. */
int answer_json_values(struct str body, const char *const *pointers, size_t count, double *ret_values, struct err *err);

/* The one figure of an instant query's answer (/api/v1/query), a vector of one element or a scalar, to <ret_value>.
 * Missing, with -1: an answer with warnings (parts of the data were not there), no element or several, a value that is
 * NaN or infinite, a native histogram, an element whose stamp lies more than <oldest_s> before <now_s>, an error. */
int answer_prometheus(struct str body, double now_s, double oldest_s, double *ret_value, struct err *err);

#endif
