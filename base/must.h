/* must.h: what to do when weir itself is wrong.
 *
 * must(cond)   a promise this program makes to itself. Always on, also in optimised builds: a broken promise in a
 *              tool that moves production traffic has to stop it, loudly, with exit status 70.
 * glitch(why)  odd but harmless: counted, and shown by whoever prints a summary. Never changes what happens next.
 *
 * Threads: [any]. */
#ifndef WEIR_BASE_MUST_H
#define WEIR_BASE_MUST_H

#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

#define must(cond) ((cond) ? (void)0 : must_failed(#cond, __FILE__, __LINE__, __func__))

/* Prints the broken promise on stderr and exits with status 70 without running atexit handlers. */
noreturn void must_failed(const char *cond, const char *file, int line, const char *function);

/* Is called by must_failed before it prints: whoever has changed the user's terminal puts it back. NULL: nobody. */
void must_set_farewell(void (*farewell)(void));

/* Counts one glitch. <why> is kept: a string literal, the same pointer for the same kind. */
void glitch(const char *why);

/* Number of glitches since the start, and the last reason (NULL when there was none). */
uint64_t glitch_count(const char **ret_last);

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The object of <type> whose <member> is at <ptr>: how an interface's base struct finds its kind. */
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
