/* err.h: the world said no.
 *
 * A function that can be refused by the world (a file, a socket, a database) returns -1 or NULL and fills the
 * struct err that it takes as its last parameter. Each caller on the way up may put what it was doing in front with
 * err_wrap; cli/ prints the text and turns the kind into an exit status. Below cli/ nobody prints and nobody exits.
 *
 * Mistakes in the user's text are not errors of this kind: they are diagnostics (diag.h), many at once, with places.
 * Threads: a struct err belongs to its caller. Never put a secret into a text. */
#ifndef WEIR_BASE_ERR_H
#define WEIR_BASE_ERR_H

#include <stdarg.h>

/* The kinds, and the word each has in messages and JSON. */
#define ERR_KINDS(X)                                                               \
	X(IO, "i/o")                  /* a file, a socket, a process */            \
	X(UNREACHABLE, "unreachable") /* a peer that does not answer */            \
	X(STORE, "store")             /* the database refused */                   \
	X(STALE, "stale")             /* somebody else holds the lease now */      \
	X(BUSY, "busy")               /* somebody else holds what we need */       \
	X(SYNTAX, "syntax")           /* bytes that are not what they should be */ \
	X(LIMIT, "limit")             /* larger than weir takes */                 \
	X(NOT_FOUND, "not found")     /* no such run, baseline, rollout */         \
	X(USAGE, "usage")             /* the command line or a file is wrong */    \
	X(INTERRUPTED, "interrupted") /* the user asked us to stop */

enum err_kind {
	ERR_NONE,
#define X(id, text) ERR_##id,
	ERR_KINDS(X)
#undef X
};

struct err {
	enum err_kind kind;
	char text[768]; /* one sentence without a final full stop; cut when longer */
};

/* Sets kind and text. Returns -1, so that `return err_set(...)` reads as what it is. <err> NULL: forgotten. */
int err_set(struct err *err, enum err_kind kind, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same with ": " and the text of errno value <number> behind it. */
int err_set_errno(struct err *err, int number, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts what the caller was doing in front: "open store 'x'" + "disk full" = "open store 'x': disk full". Returns -1. */
int err_wrap(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

const char *err_kind_text(enum err_kind kind);

#ifdef __clang_analyzer__
/* The analyser looks at one file at a time; without this it follows paths on which a failure is no failure. */
static inline int err_minus_one(int result)
{
	(void)result;
	return -1;
}
#define err_set(...) err_minus_one(err_set(__VA_ARGS__))
#define err_set_errno(...) err_minus_one(err_set_errno(__VA_ARGS__))
#define err_wrap(...) err_minus_one(err_wrap(__VA_ARGS__))
#endif

#endif
