#include "cli/scenario_input.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "cli/command.h"

#define BODY_MAX (1u << 20)

int http_kind_read(const char *word, enum transport_kind *ret_kind)
{
	*ret_kind = TRANSPORT_AUTO;
	if (!word || transport_kind_from(str_from(word), ret_kind))
		return 0;
	return fail_with(EXIT_USAGE, "--http: '%s' is none of auto, replay, curl", word);
}

bool scenario_is_url(const char *file_or_url)
{
	return str_starts(str_from(file_or_url), STR("http://")) || str_starts(str_from(file_or_url), STR("https://"));
}

static const char *get_env(void *arg, const char *name)
{
	return getenv(name);
}

/* Files that a scenario names lie beside it, unless their names are absolute. */
static int read_beside(void *arg, const char *name, struct buf *out, struct err *err)
{
	const char *folder = arg;
	if (name[0] == '/' || !folder)
		return file_read(name, out, err);
	char *path = xasprintf("%s/%s", folder, name);
	const int r = file_read(path, out, err);
	free(path);
	return r;
}

/* NULL: the one where weir runs. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? xstrndup(path, slash == path ? 1 : (size_t)(slash - path)) : NULL;
}

/* A body that begins with @ is read from that file. */
static int read_body(const char *body, struct buf *into, struct err *err)
{
	if (!body)
		return 0;
	if (body[0] == '@')
		return file_read(body + 1, into, err);
	if (!buf_add(into, str_from(body)))
		return err_set(err, ERR_LIMIT, "the body is larger than %u bytes", BODY_MAX);
	return 0;
}

static int text_from_url(const char *url, const struct url_options *o, struct buf *out, struct err *err)
{
	struct buf body;
	buf_init(&body, BODY_MAX);
	int r = read_body(o->body, &body, err);
	if (r == 0) {
		const struct program_url u = {
			.url = url,
			.method = o->method,
			.headers = o->headers.items,
			.header_count = o->headers.count,
			.body = o->body ? buf_cstr(&body) : NULL,
			.body_bytes = body.len,
			.users = (uint32_t)o->users,
			.rate = o->rate,
			.duration = o->duration,
			.timeout = o->timeout,
		};
		r = program_from_url(&u, out, err);
	}
	buf_finish(&body);
	return r;
}

/* A target without its scheme, as some tools take it, or with one that weir does not speak. */
static bool is_meant_as_url(const char *name)
{
	const char *dot = strrchr(name, '.');
	return access(name, F_OK) < 0 && errno == ENOENT && (strchr(name, ':') || (dot && strcmp(dot, ".json") != 0));
}

static int read_text(struct doc *doc, const char *file_or_url, const struct url_options *o, struct err *err)
{
	struct buf text;
	if (!scenario_is_url(file_or_url)) {
		/* What another command wrote: weir scenario import ... | weir load run - */
		const bool piped = strcmp(file_or_url, "-") == 0;
		if (!piped && is_meant_as_url(file_or_url))
			return err_set(err, ERR_NOT_FOUND,
			               "there is no file '%s'; a URL begins with http:// or https://", file_or_url);
		if (o->users || o->rate || o->duration || o->method || o->body || o->headers.count || o->timeout)
			return err_set(
				err, ERR_USAGE,
				"--users, --rate, --duration, --timeout, --method, --header and --body go with a URL; "
				"in '%s' they stand in the file",
				file_or_url);
		return doc_read(doc, piped ? "/dev/stdin" : file_or_url, err);
	}
	buf_init(&text, DOC_BYTES_MAX);
	const int r = text_from_url(file_or_url, o, &text, err);
	if (r == 0)
		doc_init(doc, "command line", buf_str(&text));
	buf_finish(&text);
	return r;
}

/* Scenarios and what is observed are neighbours that do not know each other: the key is taken out here. */
static void read_observe(struct scenario_input *in)
{
	const struct observe_inputs inputs = { .get_env = get_env };
	struct node root, observe;
	if (!in->doc.root)
		return;
	root = doc_root(&in->doc);
	if (node_get(&root, "observe", &observe))
		observe_plan_read(&observe, &inputs, &in->arena, &in->observe);
}

int scenario_input_read(struct scenario_input *in, const char *file_or_url, const struct url_options *options)
{
	struct err err;
	*in = (struct scenario_input){ .inputs = { .get_env = get_env, .time_scale = options->time_scale } };
	if (!scenario_is_url(file_or_url)) {
		in->folder = folder_of(file_or_url);
		in->inputs.read_file = read_beside;
		in->inputs.file_arg = in->folder;
		in->inputs.folder = in->folder;
	}
	if (read_text(&in->doc, file_or_url, options, &err) < 0) {
		free(in->folder);
		return fail(&err);
	}
	arena_init(&in->arena);
	if (program_compile(&in->doc, &in->inputs, &in->program) < 0)
		in->program = NULL;
	read_observe(in); /* also then: all mistakes are told at once */
	if (doc_ok(&in->doc))
		return 0;
	const int status = fail_diagnostics(&in->doc.diags);
	scenario_input_finish(in);
	return status;
}

void scenario_input_finish(struct scenario_input *in)
{
	program_destroy(in->program);
	arena_finish(&in->arena);
	doc_finish(&in->doc);
	free(in->folder);
}
