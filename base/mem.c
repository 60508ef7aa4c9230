#include "base/mem.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"

/* The environment failed (product.md): no memory is no bug of ours. */
#define EXIT_NO_MEMORY 3

/* Small enough that a forgotten arena costs nothing, large enough that a scenario takes a handful of blocks. */
#define ARENA_BLOCK_BYTES 16384

static void *checked(void *p)
{
	if (!p) {
		static const char text[] = "weir: out of memory\n";
		if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
			_exit(EXIT_NO_MEMORY);
		_exit(EXIT_NO_MEMORY);
	}
	return p;
}

void *xmalloc(size_t size)
{
	return checked(malloc(size ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
	return checked(count && size ? calloc(count, size) : calloc(1, 1));
}

void *xrealloc(void *old, size_t size)
{
	return checked(realloc(old, size ? size : 1));
}

void *xreallocarray(void *old, size_t count, size_t size)
{
	must(size == 0 || count <= SIZE_MAX / size);
	return xrealloc(old, count * size);
}

char *xstrndup(const char *s, size_t len)
{
	char *copy = xmalloc(len + 1);
	if (len)
		memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *xvasprintf(const char *format, va_list args)
{
	char *text = NULL;
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	return checked(text);
}

char *xasprintf(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = xvasprintf(format, args);
	va_end(args);
	return text;
}

struct arena_block {
	struct arena_block *older;
	size_t used, size;
	alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *a)
{
	a->blocks = NULL;
}

void arena_finish(struct arena *a)
{
	for (struct arena_block *b = a->blocks, *older; b; b = older) {
		older = b->older;
		free(b);
	}
	a->blocks = NULL;
}

void arena_reset(struct arena *a)
{
	if (!a->blocks)
		return;
	struct arena_block *keep = a->blocks;
	a->blocks = keep->older;
	arena_finish(a);
	keep->older = NULL;
	keep->used = 0;
	a->blocks = keep;
}

void *arena_alloc(struct arena *a, size_t size)
{
	const size_t unit = alignof(max_align_t);
	must(size <= SIZE_MAX / 2);
	size = (size + unit - 1) / unit * unit;
	struct arena_block *b = a->blocks;
	if (!b || b->size - b->used < size) {
		const size_t room = size > ARENA_BLOCK_BYTES ? size : ARENA_BLOCK_BYTES;
		b = xmalloc(sizeof(*b) + room);
		b->older = a->blocks;
		b->used = 0;
		b->size = room;
		a->blocks = b;
	}
	void *p = b->bytes + b->used;
	b->used += size;
	return memset(p, 0, size);
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *copy = arena_alloc(a, len + 1);
	if (len)
		memcpy(copy, s, len);
	return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = xvasprintf(format, args);
	va_end(args);
	char *copy = arena_strdup(a, text);
	free(text);
	return copy;
}
