#include "base/must.h"

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

/* EX_SOFTWARE of sysexits.h, the status that product.md gives to a bug in weir. */
#define EXIT_BUG 70

static atomic_uint_fast64_t glitches;
static _Atomic(const char *) last_glitch;

static _Atomic(void (*)(void)) farewell;

void must_set_farewell(void (*f)(void))
{
	atomic_store(&farewell, f);
}

noreturn void must_failed(const char *cond, const char *file, int line, const char *function)
{
	void (*const f)(void) = atomic_exchange(&farewell, NULL);
	if (f)
		f();
	fprintf(stderr, "weir: bug: %s does not hold (%s:%d, %s)\n", cond, file, line, function);
	_exit(EXIT_BUG);
}

void glitch(const char *why)
{
	atomic_store(&last_glitch, why);
	atomic_fetch_add(&glitches, 1);
}

uint64_t glitch_count(const char **ret_last)
{
	if (ret_last)
		*ret_last = atomic_load(&last_glitch);
	return atomic_load(&glitches);
}
