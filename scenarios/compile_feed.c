/* compile_feed.c: "feeds": which file, which rows for whom. */
#include "scenarios/compile.h"

#include "base/must.h"

static const char *const pick_words[] = { "sequential", "random", "unique", "per-user", NULL };
static const char *const end_words[] = { "wrap", "stop", NULL };
static const char *const format_words[] = { "csv", "json", NULL };

struct feed_text {
	const char *file, *pick, *at_end, *format;
};

#define AT(member) .offset = offsetof(struct feed_text, member)
const struct field feed_fields[] = {
	{ .key = "file",
	  .type = FIELD_STRING,
	  AT(file),
	  .required = true,
	  .help = "A CSV or JSON file beside the scenario." },
	{ .key = "pick",
	  .type = FIELD_STRING,
	  AT(pick),
	  .def = "sequential",
	  .choices = pick_words,
	  .help = "Which row an iteration has." },
	{ .key = "at_end",
	  .type = FIELD_STRING,
	  AT(at_end),
	  .choices = end_words,
	  .help = "What happens behind the last row." },
	{ .key = "format",
	  .type = FIELD_STRING,
	  AT(format),
	  .choices = format_words,
	  .help = "When the name of the file does not say it." },
	{ 0 },
};

bool read_named_file(struct compiler *c, const struct node *n, const char *name, struct buf *out)
{
	struct err err;
	if (!c->in->read_file) {
		node_error(n, NULL, "files cannot be read here");
		return false;
	}
	if (c->in->read_file(c->in->file_arg, name, out, &err) == 0)
		return true;
	node_error(n, "names are relative to the folder of the scenario", "%s", err.text);
	return false;
}

static bool ends_with(const char *s, const char *end)
{
	const size_t a = strlen(s), b = strlen(end);
	return a >= b && strcmp(s + a - b, end) == 0;
}

static bool read_rows(struct compiler *c, const struct node *n, const struct feed_text *text, struct feed *feed)
{
	struct feed_mistake mistake = { 0 };
	struct node file;
	struct buf bytes;
	if (!node_get(n, "file", &file))
		return false;
	buf_init(&bytes, FEED_BYTES_MAX);
	bool good = read_named_file(c, &file, text->file, &bytes);
	if (good) {
		const bool json = text->format ? strcmp(text->format, "json") == 0 : ends_with(text->file, ".json");
		good = json ? feed_parse_json(buf_str(&bytes), c->arena, feed, &mistake)
		            : feed_parse_csv(buf_str(&bytes), c->arena, feed, &mistake);
		if (!good && mistake.line)
			node_error(&file, NULL, "%s:%zu: %s", text->file, mistake.line, mistake.text);
		else if (!good)
			node_error(&file, NULL, "%s: %s", text->file, mistake.text);
	}
	buf_finish(&bytes);
	return good;
}

static bool read_end(const struct node *n, const struct feed_text *text, struct feed *feed)
{
	struct node end;
	const bool said = node_get(n, "at_end", &end) && text->at_end;
	feed->stops = said ? strcmp(text->at_end, "stop") == 0 : feed->pick == PICK_UNIQUE;
	if (said && feed->pick == PICK_RANDOM)
		node_key_error(&end, NULL, "rows that are picked at random have no end");
	else if (said && feed->pick == PICK_UNIQUE && !feed->stops)
		node_error(&end, "\"stop\", or \"pick\": \"sequential\"",
		           "unique rows cannot be taken again from the first on");
	else
		return true;
	return false;
}

static void compile_feed(struct compiler *c, const struct node *n)
{
	struct feed_text text = { 0 };
	struct feed feed = { 0 };
	if (!expect_name(n, true) || !read_fields(c, n, feed_fields, &text))
		return;
	for (uint32_t i = 0; text.pick && pick_words[i]; i++)
		if (strcmp(text.pick, pick_words[i]) == 0)
			feed.pick = (enum feed_pick)i;
	/* Also when the rest is wrong: one mistake is one message. */
	feed.name = arena_strdup(c->arena, n->key);
	feed.file = text.file ? text.file : "";
	read_end(n, &text, &feed);
	if (c->feeds.count == PROGRAM_FEEDS_MAX) {
		node_key_error(n, NULL, "more than %d feeds", PROGRAM_FEEDS_MAX);
		return;
	}
	if (text.file)
		read_rows(c, n, &text, &feed);
	rows_add(&c->feeds, &feed);
}

void compile_feeds(struct compiler *c, const struct node *feeds)
{
	struct node member;
	if (!node_expect(feeds, JSON_OBJECT, "an object of feeds"))
		return;
	for (void *iter = NULL; node_each(feeds, &iter, &member);)
		compile_feed(c, &member);
}

void check_feeds(struct compiler *c, const struct node *feeds)
{
	struct node member;
	for (uint32_t i = 0; i < c->feeds.count && doc_ok(c->doc); i++) {
		const struct feed *f = rows_at(&c->feeds, struct feed, i);
		if (f->pick == PICK_PER_USER && f->stops && f->row_count < c->users &&
		    node_get(feeds, f->name, &member))
			node_key_error(&member, "more rows, fewer users, or \"at_end\": \"wrap\"",
			               "%u users, each with a row of its own, and only %u rows", c->users,
			               f->row_count);
	}
}
