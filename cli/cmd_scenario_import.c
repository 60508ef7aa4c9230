#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "scenarios/import/import.h"
#include "scenarios/target.h"

struct import_flags {
	struct common_options common;
	const char *output, *name, *target;
	bool all;
};

static const struct option options[] = {
	{ "output", 'o', OPTION_STRING, offsetof(struct import_flags, output), "FILE", 0, 0,
	  "write the scenario there; stdout when absent" },
	{ "name", 0, OPTION_STRING, offsetof(struct import_flags, name), "TEXT", 0, 0, "what the scenario is called" },
	{ "target", 0, OPTION_STRING, offsetof(struct import_flags, target), "URL", 0, 0,
	  "whom to ask, in place of what is recorded" },
	{ "all", 0, OPTION_FLAG, offsetof(struct import_flags, all), NULL, 0, 0,
	  "static files of a HAR, DELETE and deprecated operations of an OpenAPI document too" },
	COMMON_OPTIONS(struct import_flags),
	{ .type = OPTION_END },
};

static int read_stdin(struct buf *out, struct err *err)
{
	char piece[65536];
	size_t n;
	while ((n = fread(piece, 1, sizeof(piece), stdin)) > 0)
		if (!buf_add(out, (struct str){ piece, n }))
			return err_set(err, ERR_LIMIT, "standard input is larger than %zu bytes", out->limit);
	return ferror(stdin) ? err_set(err, ERR_IO, "standard input cannot be read") : 0;
}

static int read_input(const char *path, struct buf *text, struct err *err)
{
	return strcmp(path, "-") == 0 ? read_stdin(text, err) : file_read(path, text, err);
}

typedef int document_import(struct doc *doc, const struct import_options *o, struct buf *out);

/* 0, or the exit status after what is wrong was printed. */
static int import_document(const struct invocation *in, document_import *import, const struct import_options *o,
                           struct buf *out)
{
	const char *path = in->arguments[1];
	struct buf text;
	struct doc doc;
	struct err err;
	int status = 0;
	if (in->argument_count != 2)
		return fail_with(EXIT_USAGE, "weir scenario import %s takes one FILE", in->arguments[0]);
	buf_init(&text, IMPORT_BYTES_MAX);
	if (read_input(path, &text, &err) < 0) {
		status = fail(&err);
	} else {
		if (import == import_har && text.len)
			har_mend(text.bytes, text.len);
		doc_init(&doc, strcmp(path, "-") == 0 ? "standard input" : path, buf_str(&text));
		if (import(&doc, o, out) < 0)
			status = fail_diagnostics(&doc.diags);
		doc_finish(&doc);
	}
	buf_finish(&text);
	return status;
}

/* Each argument is a text with one command or several. */
static int import_commands(const struct invocation *in, const struct import_options *o, struct buf *out)
{
	struct buf text;
	struct diags diags;
	struct err err;
	int status = 0;
	buf_init(&text, IMPORT_BYTES_MAX);
	for (int i = 1; i < in->argument_count && status == 0; i++) {
		if (strcmp(in->arguments[i], "-") == 0)
			status = read_stdin(&text, &err) < 0 ? fail(&err) : 0;
		else
			buf_printf(&text, "%s\n", in->arguments[i]);
	}
	const struct source source = { "command line", buf_str(&text) };
	diags_init(&diags, &source);
	if (status == 0 && import_curl(&diags, o, out) < 0)
		status = fail_diagnostics(&diags);
	diags_finish(&diags);
	buf_finish(&text);
	return status;
}

static int check_options(const struct import_options *o)
{
	struct arena arena;
	struct target target;
	size_t at;
	const char *why;
	json_t *name = o->name ? json_string(o->name) : NULL;
	const bool good_name = !o->name || (name && *o->name);
	json_decref(name);
	if (!good_name)
		return fail_with(EXIT_USAGE, "--name needs a text");
	arena_init(&arena);
	const bool good = !o->target || target_parse(str_from(o->target), &arena, &target, &at, &why);
	arena_finish(&arena);
	return good ? 0 : fail_with(EXIT_USAGE, "--target cannot be used: %s", why);
}

static int write_output(const char *path, struct str text)
{
	struct err err;
	if (!path || strcmp(path, "-") == 0)
		return print_result(text);
	return file_replace(path, text, false, &err) < 0 ? fail(&err) : 0;
}

static int scenario_import(const struct invocation *in)
{
	const struct import_flags *f = in->options;
	const struct import_options o = { .name = f->name, .target = f->target, .all = f->all };
	const char *kind = in->arguments[0];
	struct buf out;
	int status = check_options(&o);
	if (status)
		return status;
	buf_init(&out, IMPORT_OUT_BYTES + 1);
	if (strcmp(kind, "har") == 0)
		status = import_document(in, import_har, &o, &out);
	else if (strcmp(kind, "openapi") == 0)
		status = import_document(in, import_openapi, &o, &out);
	else if (strcmp(kind, "curl") == 0)
		status = import_commands(in, &o, &out);
	else
		status = fail_with(EXIT_USAGE, "weir scenario import takes har, curl or openapi, not '%s'", kind);
	if (status == 0)
		status = write_output(f->output, buf_str(&out));
	buf_finish(&out);
	return status;
}

const struct command cmd_scenario_import = {
	.noun = "scenario",
	.verb = "import",
	.arguments = "har FILE | openapi FILE | curl 'COMMAND LINE'...",
	.least_arguments = 2,
	.most_arguments = 256,
	.summary = "make a scenario from a HAR, an OpenAPI document or curl commands",
	.details =
		"  weir scenario import har session.har --output session.json\n"
		"  weir scenario import openapi api.json --target https://staging.example.com > api-load.json\n"
		"  weir scenario import curl \"$(xclip -o)\"\n"
		"\n"
		"Sends nothing. \"-\" is standard input. What is left out, and why, stands under \"//\" in the scenario.\n"
		"Secrets are never copied: ${env.NAME:-} stands in their place. See docs/import.md.",
	.options = options,
	.options_bytes = sizeof(struct import_flags),
	.main = scenario_import,
};
