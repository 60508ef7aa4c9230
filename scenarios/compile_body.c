/* compile_body.c: the body of a request: JSON, text, a form, parts, or a file. */
#include "scenarios/compile.h"

#include <inttypes.h>

#include "base/must.h"

struct part_text {
	const char *name, *filename, *type, *file;
};

#define AT(member) .offset = offsetof(struct part_text, member)
const struct field part_fields[] = {
	{ .key = "name", .type = FIELD_STRING, AT(name), .required = true, .help = "Of the field." },
	{ .key = "value", .type = FIELD_NODE, .help = "The text of the part." },
	{ .key = "file", .type = FIELD_STRING, AT(file), .help = "A file whose bytes are the part." },
	{ .key = "filename",
	  .type = FIELD_STRING,
	  AT(filename),
	  .help = "The file name that is sent; that of \"file\"." },
	{ .key = "type", .type = FIELD_STRING, AT(type), .help = "The Content-Type of the part." },
	{ 0 },
};

static void add_type(struct compiler *c, struct rows *headers, const char *type)
{
	struct weaver w;
	if (has_header(headers, "Content-Type"))
		return;
	weaver_init(&w, c, ESCAPE_HEADER);
	weave_literal(&w, str_from(type), false);
	const struct header_template h = { .name = STR("Content-Type"), .value = weaver_finish(&w) };
	put_header(headers, &h);
}

/* <name>: the member that <value> is, or whose list it is in. */
static void weave_pair(struct weaver *w, const struct node *name, const struct node *value, bool *first)
{
	if (!*first)
		weave_literal(w, STR("&"), false);
	*first = false;
	weave_text(w, name, str_from(name->key), 0, false);
	weave_literal(w, STR("="), false);
	weave_scalar(w, value, secret_name(str_from(name->key)));
}

void weave_pairs(struct weaver *w, const struct node *object)
{
	struct node member;
	bool first = true;
	if (!node_expect(object, JSON_OBJECT, "an object of names and values"))
		return;
	for (void *iter = NULL; node_each(object, &iter, &member);) {
		if (!expect_no_slot(&member))
			continue;
		if (!json_is_array(member.value))
			weave_pair(w, &member, &member, &first);
		for (size_t i = 0; i < node_count(&member); i++) {
			const struct node item = node_item(&member, i);
			weave_pair(w, &member, &item, &first);
		}
	}
}

static struct template compile_form(struct compiler *c, const struct node *n)
{
	struct weaver w;
	weaver_init(&w, c, ESCAPE_FORM);
	weave_pairs(&w, n);
	return weaver_finish(&w);
}

static void weave_file(struct weaver *w, const struct node *n, const char *name)
{
	struct buf bytes;
	buf_init(&bytes, PROGRAM_BODY_BYTES);
	if (read_named_file(w->compiler, n, name, &bytes))
		weave_literal(w, buf_str(&bytes), false);
	buf_finish(&bytes);
}

/* Within the quotes of a Content-Disposition, as browsers write it (WHATWG HTML, multipart/form-data). */
static void weave_quoted(struct weaver *w, const char *s)
{
	for (; *s; s++) {
		/* "$${" is the text "${" here, too. */
		s += strncmp(s, "$${", 3) == 0;
		if (*s == '"' || *s == '\r' || *s == '\n')
			weave_literal(w, str_from(*s == '"' ? "%22" : *s == '\r' ? "%0D" : "%0A"), false);
		else
			weave_literal(w, (struct str){ s, 1 }, false);
	}
}

static const char *last_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static void expect_no_slots(const struct node *part)
{
	static const char *const keys[] = { "name", "filename", "type" };
	struct node member;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (node_get(part, keys[i], &member) && json_is_string(member.value) && has_slot(node_str(&member)))
			node_error(&member, "slots stand in \"value\"; \"$${\" is the two characters themselves",
			           "the \"%s\" of a part cannot hold \"${...}\"", keys[i]);
}

static void weave_part(struct weaver *w, const struct node *n, const char *boundary)
{
	struct part_text text = { 0 };
	struct node value, file;
	if (!read_fields(w->compiler, n, part_fields, &text) || !text.name)
		return;
	expect_no_slots(n);
	const bool has_value = node_get(n, "value", &value), has_file = node_get(n, "file", &file);
	if (has_value == has_file) {
		node_error(n, "\"value\": \"text\", or \"file\": \"NAME\"",
		           "a part has either a \"value\" or a \"file\"");
		return;
	}
	if (text.type && strpbrk(text.type, "\r\n")) {
		node_error(n, NULL, "a \"type\" cannot hold a line break");
		return;
	}
	weave_literal(
		w,
		str_from(arena_printf(w->compiler->arena, "--%s\r\nContent-Disposition: form-data; name=\"", boundary)),
		false);
	weave_quoted(w, text.name);
	const char *filename = text.filename ? text.filename : text.file ? last_name(text.file) : NULL;
	if (filename) {
		weave_literal(w, STR("\"; filename=\""), false);
		weave_quoted(w, filename);
	}
	weave_literal(w, STR("\""), false);
	const char *type = text.type ? text.type : has_file ? "application/octet-stream" : NULL;
	if (type)
		weave_literal(w, str_from(arena_printf(w->compiler->arena, "\r\nContent-Type: %s", type)), false);
	weave_literal(w, STR("\r\n\r\n"), false);
	if (has_file && text.file)
		weave_file(w, &file, text.file);
	else if (has_value)
		weave_scalar(w, &value, secret_name(str_from(text.name)));
	weave_literal(w, STR("\r\n"), false);
}

/* Each multipart body has a boundary of its own, the same in each run: the file's place and number decide. */
static struct template compile_multipart(struct compiler *c, const struct node *n, const char *boundary)
{
	struct weaver w;
	weaver_init(&w, c, ESCAPE_NONE);
	if (node_expect(n, JSON_ARRAY, "a list of parts")) {
		if (node_count(n) == 0)
			node_error(n, NULL, "the list of parts is empty");
		for (size_t i = 0; i < node_count(n); i++) {
			const struct node item = node_item(n, i);
			weave_part(&w, &item, boundary);
		}
	}
	weave_literal(&w, str_from(arena_printf(c->arena, "--%s--\r\n", boundary)), false);
	return weaver_finish(&w);
}

static struct template compile_file(struct compiler *c, const struct node *n)
{
	struct weaver w;
	weaver_init(&w, c, ESCAPE_NONE);
	if (node_expect(n, JSON_STRING, "the name of a file"))
		weave_file(&w, n, keep_str(c, node_str(n)).p);
	return weaver_finish(&w);
}

void compile_body(struct compiler *c, const struct node *n, struct step *step, struct rows *headers)
{
	static const char *const keys[] = { "json", "body", "form", "multipart", "file" };
	struct node body = { 0 }, member;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (!node_get(n, keys[i], &member))
			continue;
		if (step->has_body) {
			node_key_error(&member, "one of \"json\", \"body\", \"form\", \"multipart\", \"file\"",
			               "a step has either \"%s\" or \"%s\"", body.key, member.key);
			continue;
		}
		step->has_body = true;
		body = member;
	}
	if (!step->has_body)
		return;
	step->body_is_text = strcmp(body.key, "json") != 0;
	if (strcmp(body.key, "json") == 0) {
		step->body = compile_json(c, &body);
		add_type(c, headers, "application/json");
	} else if (strcmp(body.key, "form") == 0) {
		step->body = compile_form(c, &body);
		add_type(c, headers, "application/x-www-form-urlencoded");
	} else if (strcmp(body.key, "multipart") == 0) {
		/* 2^64 apart from what people write; a variable that holds it is not to be feared. */
		const uint64_t mixed = (c->steps.count + 1) * 0x9e3779b97f4a7c15u;
		const char *boundary = arena_printf(c->arena, "weir-%016" PRIx64, mixed);
		step->body = compile_multipart(c, &body, boundary);
		add_type(c, headers, arena_printf(c->arena, "multipart/form-data; boundary=%s", boundary));
	} else if (strcmp(body.key, "file") == 0) {
		step->body = compile_file(c, &body);
	} else {
		step->body = compile_text(c, &body, ESCAPE_NONE, false);
	}
}
