#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/units.h"

static enum exit_status status_of(enum err_kind kind)
{
	switch (kind) {
	case ERR_USAGE:
	case ERR_SYNTAX:
	case ERR_NOT_FOUND:
	case ERR_LIMIT:
		return EXIT_USAGE;
	case ERR_INTERRUPTED:
		return EXIT_ROLLED_BACK;
	case ERR_IO:
	case ERR_UNREACHABLE:
	case ERR_STORE:
	case ERR_STALE:
	case ERR_BUSY:
	case ERR_NONE:
		break;
	}
	return EXIT_ENVIRONMENT;
}

int fail(const struct err *err)
{
	fprintf(stderr, "weir: %s\n", err->text);
	return status_of(err->kind);
}

int fail_with(enum exit_status status, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("weir: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	return status;
}

int duration_given(const char *option, const char *text, dur_ns *into)
{
	size_t at;
	if (!text || duration_parse(str_from(text), into, &at))
		return 0;
	return fail_with(EXIT_USAGE, "--%s: '%s' is not a duration such as 30s or 250ms", option, text);
}

int fail_diagnostics(const struct diags *d)
{
	struct buf out;
	buf_init(&out, 4u << 20);
	diags_write(d, &out);
	fputs(buf_cstr(&out), stderr);
	buf_finish(&out);
	return EXIT_USAGE;
}

int print_result(struct str text)
{
	if (fwrite(text.p, 1, text.len, stdout) == text.len && fflush(stdout) == 0)
		return EXIT_MET;
	return fail_with(EXIT_ENVIRONMENT, "the result cannot be written to stdout");
}

int print_json(json_t *json)
{
	char *text = json_dumps(json, JSON_INDENT(2));
	json_decref(json);
	if (!text)
		return fail_with(EXIT_ENVIRONMENT, "the result cannot be written as JSON");
	int status = print_result(str_from(text));
	if (status == EXIT_MET)
		status = print_result(STR("\n"));
	free(text);
	return status;
}
