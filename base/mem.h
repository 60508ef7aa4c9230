/* mem.h: memory that either exists or ends the program.
 *
 * Every size that comes from outside is bounded by its parser before it gets here, so exhaustion means the machine is
 * out of memory, not that somebody asked for it; then weir says so and exits with status 3.
 *
 * arena   memory of one phase, given back all at once. What a scenario, a program and a plan are made of: they live
 *         and die together, so their parts need no owners. Addresses stay valid until arena_reset or arena_finish.
 *
 * Threads: the x-functions [any]; an arena belongs to one thread at a time. */
#ifndef WEIR_BASE_MEM_H
#define WEIR_BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>

/* All given: free with free(). Zero-sized requests return a valid pointer. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
void *xreallocarray(void *old, size_t count, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t len);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

struct arena_block;
struct arena {
	struct arena_block *blocks; /* newest first */
};

void arena_init(struct arena *a);
void arena_finish(struct arena *a);

/* Forgets everything but keeps the newest block, so that a steady user of an arena stops calling malloc. */
void arena_reset(struct arena *a);

/* Zeroed memory aligned for any type; lives until the arena is reset or finished. */
void *arena_alloc(struct arena *a, size_t size);
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, count) ((type *)arena_alloc((a), (count) * sizeof(type)))

#endif
