#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* What the header tells the analyser about them. */
#undef err_set
#undef err_set_errno
#undef err_wrap

#define X(id, text) text,
static const char *const texts[] = { "none", ERR_KINDS(X) };
#undef X

int err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
	if (!err)
		return -1;
	va_list args;
	va_start(args, format);
	err->kind = kind;
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return -1;
}

int err_set_errno(struct err *err, int number, const char *format, ...)
{
	if (!err)
		return -1;
	va_list args;
	va_start(args, format);
	char *doing = xvasprintf(format, args);
	va_end(args);
	err->kind = ERR_IO;
	snprintf(err->text, sizeof(err->text), "%s: %s", doing, strerror(number));
	free(doing);
	return -1;
}

int err_wrap(struct err *err, const char *format, ...)
{
	if (!err)
		return -1;
	va_list args;
	va_start(args, format);
	char *doing = xvasprintf(format, args);
	va_end(args);
	char *whole = xasprintf("%s: %s", doing, err->text);
	snprintf(err->text, sizeof(err->text), "%s", whole);
	free(whole);
	free(doing);
	return -1;
}

const char *err_kind_text(enum err_kind kind)
{
	return texts[kind];
}
