/* doc.h: a JSON file that a person wrote, read so that every mistake can be shown in its place.
 *
 * jansson parses; it knows positions for syntax errors only. A node therefore remembers how it was reached (its
 * parent and its key or index), and only when a mistake is reported is the text searched for that place.
 *
 * doc    text, tree, and the mistakes found in it
 * node   a cursor on one value; lives on the reader's stack, its parents outlive it
 *
 * The key "//" is a comment anywhere and never seen. Threads: one at a time. */
#ifndef WEIR_BASE_DOC_H
#define WEIR_BASE_DOC_H

#include <jansson.h>

#include "base/diag.h"
#include "base/err.h"

/* The largest file and the deepest nesting that is read. */
#define DOC_BYTES_MAX (8u << 20)
#define DOC_DEPTH_MAX 64

struct doc {
	struct source source;
	char *name, *text; /* own */
	json_t *root;      /* NULL when the text is not JSON */
	struct diags diags;
};

struct node {
	struct doc *doc;
	json_t *value; /* borrowed from doc->root */
	const struct node *parent;
	const char *key; /* in an object, else NULL */
	size_t index;    /* in an array */
};

/* Parses <text> (copied) known to people as <name> (copied). Syntax errors become diagnostics, root stays NULL. */
void doc_init(struct doc *d, const char *name, struct str text);

/* Reads the file at <path>. -1: it cannot be read at all (doc needs no finish); 0 with diagnostics: it is not JSON. */
int doc_read(struct doc *d, const char *path, struct err *err);
void doc_finish(struct doc *d);

static inline bool doc_ok(const struct doc *d)
{
	return d->diags.count == 0;
}

/* The root. Only when doc_ok after doc_init. */
struct node doc_root(struct doc *d);

/* The member <key> of an object. False, silently, when it is absent or <n> is no object. */
bool node_get(const struct node *n, const char *key, struct node *ret_member);

/* Item <index> of an array; the index is below node_count. */
struct node node_item(const struct node *n, size_t index);
size_t node_count(const struct node *n); /* of an array, else 0 */

/* Every member of an object in file order, but for "//": start with <iter> NULL; false at the end. */
bool node_each(const struct node *n, void **iter, struct node *ret_member);

static inline struct str node_str(const struct node *n)
{
	return (struct str){ json_string_value(n->value), json_string_length(n->value) };
}

/* The type in words: "a string", "an object". */
const char *node_type_text(const struct node *n);

/* Reports a mistake at the value, at the key of the value, or inside the string value (<at>, <len>: bytes of the
 * string's content). <hint> may be NULL. */
void node_error(const struct node *n, const char *hint, const char *format, ...) __attribute__((format(printf, 3, 4)));
void node_key_error(const struct node *n, const char *hint, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void node_part_error(const struct node *n, size_t at, size_t len, const char *hint, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* True when <n> is of that jansson type; else reports "KEY must be WHAT, not a string" and is false. */
bool node_expect(const struct node *n, json_type type, const char *what);

/* Reports every member of the object <n> whose key is not in <known> (ends with NULL), naming the nearest. */
void node_expect_keys(const struct node *n, const char *const *known);

#endif
