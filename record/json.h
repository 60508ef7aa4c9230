/* json.h: how this folder writes and reads its JSON. Not for other folders.
 *
 * in    a cursor on one value that remembers how it was reached, so that a wrong member can be named
 *       ("flows[2].steps[0].requests"). It lives on the reader's stack; its parents outlive it
 *
 * Reading is sticky: the first mistake fills the error and from then on every reader answers zero, NULL or false, so a
 * decoder reads all members in a row and looks at failed once at the end. Threads: one at a time. */
#ifndef WEIR_RECORD_JSON_H
#define WEIR_RECORD_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"

/* The longest text and the largest array that are read; a record that has more is not one of ours. */
#define RECORD_TEXT_BYTES_MAX ((size_t)1 << 20)
#define RECORD_ROWS_MAX ((size_t)1 << 20)

struct reading {
	struct err *err;
	bool failed;
};

struct in {
	struct reading *reading;
	const json_t *value; /* NULL: absent */
	const struct in *parent;
	const char *key; /* in an object */
	size_t index;    /* in an array */
};

/* The root, which must be an object whose "schema" is <schema>; <schema> NULL: any object. */
struct in in_root(struct reading *reading, const json_t *json, const char *schema, struct err *err);

/* Fills the error with "record: PATH must be WHAT" unless it is filled. */
void in_fail(const struct in *n, const char *what);

/* Members of the object <o>. All but the _optional ones must be there. */
bool in_has(const struct in *o, const char *key); /* there and not null */
struct in in_object(const struct in *o, const char *key);
struct in in_array(const struct in *o, const char *key, size_t most);
size_t in_count(const struct in *array);                    /* 0 after a failure */
struct in in_item(const struct in *array, size_t index);    /* an object */
struct in in_element(const struct in *array, size_t index); /* anything */
uint64_t in_u64(const struct in *o, const char *key);       /* 0 .. INT64_MAX */
uint32_t in_u32(const struct in *o, const char *key);
int64_t in_i64(const struct in *o, const char *key);
double in_number(const struct in *o, const char *key);    /* null is NAN */
dur_ns in_us(const struct in *o, const char *key);        /* from microseconds */
dur_ns in_seconds(const struct in *o, const char *key);   /* from seconds */
struct wall in_wall(const struct in *o, const char *key); /* "2026-01-01T00:00:00.000Z"; null is 0 */
bool in_bool(const struct in *o, const char *key);
char *in_text(const struct in *o, const char *key);          /* given: free() */
char *in_text_optional(const struct in *o, const char *key); /* absent or null: NULL */
void in_id(const struct in *o, const char *key, char ret_id[ID_TEXT_BYTES]);
json_t *in_any_optional(const struct in *o, const char *key); /* given: json_decref(); absent or null: NULL */
/* The index of the word among words[0..count); 0 after a failure. */
int in_word(const struct in *o, const char *key, const char *const *words, int count);
/* The text of an element of an array. Given: free(). */
char *in_element_text(const struct in *array, size_t index);

/* Writers: each sets one member of <o>. Text that is not UTF-8 loses the bytes that are not ASCII. */
void out_text(json_t *o, const char *key, const char *text); /* NULL: null */
void out_u64(json_t *o, const char *key, uint64_t value);
void out_i64(json_t *o, const char *key, int64_t value);
void out_number(json_t *o, const char *key, double value); /* not finite: null */
void out_us(json_t *o, const char *key, dur_ns d);         /* whole microseconds as an integer */
void out_seconds(json_t *o, const char *key, dur_ns d);
void out_wall(json_t *o, const char *key, struct wall t); /* 0: null */
void out_bool(json_t *o, const char *key, bool value);
void out_any(json_t *o, const char *key, const json_t *value); /* NULL: null; copied deeply */
json_t *out_object(json_t *o, const char *key);                /* borrowed; also out_array */
json_t *out_array(json_t *o, const char *key);
json_t *out_item(json_t *array);     /* an object at the end; borrowed */
json_t *json_text(const char *text); /* given; the string itself */

#endif
