/* curl.c: curl command lines as the steps of one flow.
 *
 * The options that say what is asked are read; those that say how curl itself behaves (progress, output, retries) mean
 * nothing here and are passed over; what would change the request and cannot be done is noted. */
#include <stdlib.h>

#include "base/must.h"
#include "base/units.h"
#include "scenarios/import/curl_options.h"
#include "scenarios/import/curl_words.h"
#include "scenarios/import/draft.h"

#define URLS_MAX 64
#define CURL_REDIRECTS 20  /* curl follows 50; the language has no more */
#define HOST_BYTES_MAX 512 /* with user, password and port */

/* One command, or the part of it between two --next. */
struct request {
	struct str method, urls[URLS_MAX];
	size_t url_at[URLS_MAX], url_len[URLS_MAX];
	size_t url_count;
	json_t *headers;
	struct buf data;
	bool has_data, is_json, get_data, head_only;
	int redirects;          /* how many are followed */
	const char *unsendable; /* why, or NULL */
	int64_t timeout_ms;
};

struct import {
	struct draft draft;
	struct diags *diags;
	json_t *steps;
	char *origin;
	size_t at_word;
	const struct curl_words *words;
};

static void request_init(struct request *r)
{
	*r = (struct request){ .headers = json_object() };
	buf_init(&r->data, DRAFT_BODY_BYTES + 1);
}

static void request_finish(struct request *r)
{
	json_decref(r->headers);
	buf_finish(&r->data);
}

/* --- headers and data --- */

static void set_header(struct request *r, struct str name, struct str value)
{
	char *key = xstrndup(name.p, name.len);
	const char *old;
	json_t *other;
	void *safe;
	json_object_foreach_safe(r->headers, safe, old, other) if (str_eq_nocase(str_from(old), name))
		json_object_del(r->headers, old);
	json_object_set_new(r->headers, key, json_stringn(value.p, value.len));
	free(key);
}

static bool has_header(const struct request *r, struct str name)
{
	const char *key;
	json_t *value;
	json_object_foreach(r->headers, key, value) if (str_eq_nocase(str_from(key), name)) return true;
	return false;
}

/* "Name: value"; "Name;" is an empty one, "Name:" takes curl's own away. */
static void read_header(struct import *c, struct request *r, struct str line)
{
	const size_t colon = str_find(line, ':');
	const struct str name = str_trim(str_first(line, colon)), value = str_trim(str_from_at(line, colon + 1));
	if (line.len && line.p[0] == '@')
		draft_note(&c->draft, "Left out: the headers of a file (-H @...).");
	else if (colon == line.len && line.len > 1 && line.p[line.len - 1] == ';')
		set_header(r, str_first(line, line.len - 1), (struct str){ "", 0 });
	else if (value.len && str_eq_nocase(name, STR("Host")))
		draft_note(&c->draft, "Left out: the header \"Host\" (-H): weir sends that of the target.");
	/* Compressed answers could not be looked into. */
	else if (value.len && name.len && !str_eq_nocase(name, STR("Accept-Encoding")))
		set_header(r, name, value);
}

static void add_data(struct request *r, struct str piece)
{
	if (r->has_data && !r->is_json)
		buf_add_char(&r->data, '&');
	buf_add(&r->data, piece);
	r->has_data = true;
}

/* "content", "=content", "name=content"; "@file" and "name@file" are files. */
static void add_encoded(struct request *r, struct str piece)
{
	const size_t equals = str_find(piece, '='), at = str_find(piece, '@');
	struct buf text;
	if (at < equals) {
		r->unsendable = "its data are in a file";
		return;
	}
	buf_init(&text, CURL_BYTES_MAX * 3);
	if (equals < piece.len && equals > 0)
		buf_add(&text, str_first(piece, equals + 1));
	buf_add_url_escaped(&text, equals < piece.len ? str_from_at(piece, equals + 1) : piece);
	add_data(r, buf_str(&text));
	buf_finish(&text);
}

static void read_cookie(struct import *c, struct request *r, struct str value)
{
	if (str_find(value, '=') == value.len)
		draft_note(&c->draft, "Left out: the cookies of a file (-b).");
	else
		set_header(r, STR("Cookie"), value);
}

static void read_timeout(struct request *r, struct str value)
{
	double seconds;
	if (str_to_double(value, &seconds) && seconds >= 0.001 && seconds <= 3600)
		r->timeout_ms = (int64_t)(seconds * 1000 + 0.5);
}

/* The header has to hold base64 of both, which a slot cannot make of them: the whole is one secret. */
static void read_user(struct import *c, struct request *r, struct str user)
{
	user = str_trim(user);
	const char *variable = draft_secret(&c->draft, STR("Authorization"), user);
	draft_note(&c->draft, "%s is base64 of USER:PASSWORD: printf %%s USER:PASSWORD | base64", variable);
	char *value = xasprintf("Basic %.*s", STR_ARG(user));
	set_header(r, STR("Authorization"), str_from(value));
	free(value);
}

static void read_data(struct request *r, enum curl_meaning meaning, struct str value)
{
	const bool file = value.len && value.p[0] == '@';
	if (file && meaning != CURL_DATA_RAW && meaning != CURL_DATA_ENCODED)
		r->unsendable = "its data are in a file";
	else if (meaning == CURL_DATA_ENCODED)
		add_encoded(r, value);
	else
		add_data(r, value);
}

static void add_url(struct request *r, const struct curl_word *word, struct str url)
{
	if (r->url_count == URLS_MAX)
		return;
	r->url_at[r->url_count] = word->at;
	r->url_len[r->url_count] = word->len;
	r->urls[r->url_count++] = url;
}

static void apply_value(struct import *c, struct request *r, const struct curl_option *o, struct str value,
                        const struct curl_word *word)
{
	char *text;
	switch (o->meaning) {
	case CURL_METHOD:
		r->method = value;
		break;
	case CURL_HEADER:
		read_header(c, r, value);
		break;
	case CURL_JSON_DATA:
		r->is_json = true;
		read_data(r, o->meaning, value);
		break;
	case CURL_DATA:
	case CURL_DATA_RAW:
	case CURL_DATA_ENCODED:
		read_data(r, o->meaning, value);
		break;
	case CURL_FORM:
		r->unsendable = "multipart bodies (-F) are not imported; a step can have one, see \"multipart\"";
		break;
	case CURL_UPLOAD:
		r->unsendable = "its body is in a file (-T)";
		break;
	case CURL_USER:
		read_user(c, r, value);
		break;
	case CURL_BEARER:
		text = xasprintf("Bearer %.*s", STR_ARG(value));
		set_header(r, STR("Authorization"), str_from(text));
		free(text);
		break;
	case CURL_COOKIE:
		read_cookie(c, r, value);
		break;
	case CURL_AGENT:
		set_header(r, STR("User-Agent"), value);
		break;
	case CURL_REFERER:
		set_header(r, STR("Referer"), value);
		break;
	case CURL_RANGE:
		text = xasprintf("bytes=%.*s", STR_ARG(value));
		set_header(r, STR("Range"), str_from(text));
		free(text);
		break;
	case CURL_TIMEOUT:
		read_timeout(r, value);
		break;
	case CURL_URL:
		add_url(r, word, value);
		break;
	case CURL_NOTED_VALUE:
		draft_note(&c->draft, "Left out: --%s.", o->name);
		break;
	case CURL_QUIET:
	case CURL_QUIET_VALUE:
	case CURL_NOTED:
	case CURL_GET_DATA:
	case CURL_HEAD_ONLY:
	case CURL_NEXT:
		break;
	}
}

static void apply_flag(struct import *c, struct request *r, const struct curl_option *o)
{
	if (o->meaning == CURL_GET_DATA)
		r->get_data = true;
	else if (o->meaning == CURL_HEAD_ONLY)
		r->head_only = true;
	else if (o->meaning == CURL_NOTED && strcmp(o->name, "location") == 0)
		r->redirects = CURL_REDIRECTS;
	else if (o->meaning == CURL_NOTED)
		draft_note(&c->draft, "Left out: --%s.", o->name);
}

/* --- the words of a command --- */

/* The word behind an option; NULL and a diagnostic when the command ends. */
static const struct curl_word *next_value(struct import *c, const struct curl_word *option)
{
	const struct curl_word *w = &c->words->list[c->at_word];
	if (w->ends) {
		diags_add(c->diags, option->at, option->len, NULL, "this option needs a value");
		return NULL;
	}
	c->at_word++;
	return w;
}

/* An option that is not known, with what is probably its value: it may be a secret, and is no URL. */
static void skip_unknown(struct import *c, struct str name)
{
	const struct curl_word *w = &c->words->list[c->at_word];
	name = str_first(name, str_find(name, '='));
	draft_note(&c->draft, "Left out: the option --%.*s, which is not known.", STR_ARG(str_first(name, 40)));
	if (!w->ends && w->text.len && w->text.p[0] != '-' && str_find(w->text, '/') == w->text.len)
		c->at_word++;
}

static bool read_long(struct import *c, struct request *r, const struct curl_word *word)
{
	const struct str name = str_from_at(word->text, 2);
	const struct curl_option *o = curl_find_long(name);
	if (!o) {
		if (!str_starts(name, STR("no-")))
			skip_unknown(c, name);
		return true;
	}
	if (!curl_takes_value(o->meaning)) {
		apply_flag(c, r, o);
		return true;
	}
	const struct curl_word *value = next_value(c, word);
	if (value)
		apply_value(c, r, o, value->text, value);
	return value != NULL;
}

/* "-sSXPOST": flags, and perhaps one with a value, which is the rest or the next word. */
static bool read_letters(struct import *c, struct request *r, const struct curl_word *word)
{
	for (size_t i = 1; i < word->text.len; i++) {
		const struct curl_option *o = curl_find_letter(word->text.p[i]);
		if (!o) {
			const unsigned char letter = (unsigned char)word->text.p[i];
			draft_note(&c->draft, "Left out: the option -%c, which is not known.",
			           letter > 0x20 && letter < 0x7f ? letter : '?');
			return true;
		}
		if (!curl_takes_value(o->meaning)) {
			apply_flag(c, r, o);
			continue;
		}
		if (i + 1 < word->text.len) {
			apply_value(c, r, o, str_from_at(word->text, i + 1), word);
			return true;
		}
		const struct curl_word *value = next_value(c, word);
		if (value)
			apply_value(c, r, o, value->text, value);
		return value != NULL;
	}
	return true;
}

/* --- the step --- */

static struct str body_type(const struct request *r)
{
	const char *key;
	json_t *value;
	json_object_foreach(r->headers, key, value)
	{
		if (str_eq_nocase(str_from(key), STR("Content-Type"))) {
			const struct str s = { json_string_value(value), json_string_length(value) };
			return str_trim(str_first(s, str_find(s, ';')));
		}
	}
	return (struct str){ "", 0 };
}

static void finish_headers(struct request *r)
{
	if (!r->has_data || r->get_data)
		return;
	if (r->is_json && !has_header(r, STR("Accept")))
		set_header(r, STR("Accept"), STR("application/json"));
	if (!has_header(r, STR("Content-Type")))
		set_header(r, STR("Content-Type"),
		           r->is_json ? STR("application/json") : STR("application/x-www-form-urlencoded"));
}

static void skip(struct import *c, const struct draft_url *url, const char *why)
{
	/* Never the query: it may hold a secret. */
	const struct str path = str_first(str_first(url->path, str_find(url->path, '?')), 80);
	draft_note(&c->draft, "Left out: %s%.*s: %s.", url->origin, STR_ARG(path), why);
}

static void add_step(struct import *c, struct request *r, const struct draft_url *url)
{
	struct buf path;
	const char *wanted = r->head_only ? "head" : r->has_data && !r->get_data ? "post" : "get";
	struct draft_request step = { .headers = r->headers, .timeout_ms = r->timeout_ms, .redirects = r->redirects };
	step.key = r->method.len ? draft_method_key(r->method) : wanted;
	if (!step.key) {
		skip(c, url, "its method is one that scenarios do not have");
		return;
	}
	buf_init(&path, CURL_BYTES_MAX * 4);
	buf_add(&path, url->path);
	if (r->get_data && r->has_data) {
		buf_add_char(&path, str_find(url->path, '?') < url->path.len ? '&' : '?');
		buf_add(&path, buf_str(&r->data));
	}
	step.path = buf_str(&path);
	step.has_body = r->has_data && !r->get_data;
	step.body = buf_str(&r->data);
	step.type = body_type(r);
	if (step.has_body && buf_overflowed(&r->data))
		skip(c, url, "its body is larger than 256 KiB");
	else
		draft_add(&c->draft, c->steps, &step);
	buf_finish(&path);
}

static bool parse_url(struct str text, struct draft_url *ret_url)
{
	if (str_starts(text, STR("http://")) || str_starts(text, STR("https://")))
		return draft_url_parse(text, ret_url);
	size_t path = 0;
	while (path < text.len && !strchr("/?#", text.p[path]))
		path++;
	/* A scheme that is not ours, or no host. */
	if (path > HOST_BYTES_MAX)
		return false;
	if (path > 0 && path + 1 < text.len && text.p[path - 1] == ':' && text.p[path + 1] == '/')
		return false;
	/* The text of a URL has to outlive this call, as its path does. */
	struct draft_url found;
	char *origin = xasprintf("http://%.*s", STR_ARG(str_first(text, path)));
	const bool good = draft_url_parse(str_from(origin), &found);
	free(origin);
	if (!good)
		return false;
	*ret_url = (struct draft_url){ .origin = found.origin, .path = str_from_at(text, path) };
	ret_url->path = str_first(ret_url->path, str_find(ret_url->path, '#'));
	ret_url->user = str_first(text, found.user.len);
	return true;
}

static void finish_request(struct import *c, struct request *r, const struct curl_word *curl)
{
	if (r->url_count == 0)
		diags_add(c->diags, curl->at, curl->len, NULL, "this command has no URL");
	finish_headers(r);
	for (size_t i = 0; i < r->url_count; i++) {
		struct draft_url url;
		if (!parse_url(r->urls[i], &url)) {
			diags_add(c->diags, r->url_at[i], r->url_len[i], "for example https://example.com/path",
			          "this is not an http or https URL that weir can ask");
			continue;
		}
		if (url.user.len && !has_header(r, STR("Authorization")))
			read_user(c, r, url.user);
		if (!c->origin)
			c->origin = xstrdup(url.origin);
		if (r->unsendable)
			skip(c, &url, r->unsendable);
		else if (strcmp(c->origin, url.origin) != 0)
			skip(c, &url, "a scenario has one target, that of the first command");
		else
			add_step(c, r, &url);
		free(url.origin);
	}
}

static bool is_curl(struct str word)
{
	for (size_t i = word.len; i > 0; i--)
		if (word.p[i - 1] == '/')
			return str_is(str_from_at(word, i), "curl");
	return str_is(word, "curl") || str_is(word, "curl.exe");
}

/* From "curl" to the end of its command. */
static void read_command(struct import *c)
{
	const struct curl_word *words = c->words->list, *curl = &words[c->at_word++];
	struct request r;
	bool good = is_curl(curl->text), only_urls = false;
	if (!good)
		diags_add(c->diags, curl->at, curl->len, "copy it with \"Copy as cURL (bash)\"",
		          "a command begins with curl");
	request_init(&r);
	while (good && !words[c->at_word].ends) {
		const struct curl_word *w = &words[c->at_word++];
		if (only_urls || w->text.len < 2 || w->text.p[0] != '-') {
			add_url(&r, w, w->text);
		} else if (str_is(w->text, "--")) {
			only_urls = true;
		} else if (str_is(w->text, "--next") || str_is(w->text, "-:")) {
			finish_request(c, &r, curl);
			request_finish(&r);
			request_init(&r);
		} else {
			good = w->text.p[1] == '-' ? read_long(c, &r, w) : read_letters(c, &r, w);
		}
	}
	if (good)
		finish_request(c, &r, curl);
	request_finish(&r);
	while (!words[c->at_word].ends)
		c->at_word++;
	c->at_word++;
}

static void write_scenario(struct import *c, struct buf *out)
{
	if (c->words->expands)
		draft_note(
			&c->draft,
			"No shell was asked: $NAME and `command` in the command line stand here as they were written.");
	if (c->draft.step_count == 0) {
		diags_add(c->diags, 0, 1, NULL, "no command here can be a step%s%s",
		          json_array_size(c->draft.notes) ? ": " : "",
		          json_array_size(c->draft.notes) ? json_string_value(json_array_get(c->draft.notes, 0)) : "");
		return;
	}
	char *name = draft_slug(str_from_at(str_from(c->origin), str_find(str_from(c->origin), '/') + 2), "curl");
	char *why = draft_write(&c->draft, c->origin, "curl command lines", name, out);
	if (why)
		diags_add(c->diags, 0, 1, NULL, "%s", why);
	free(why);
	free(name);
}

int import_curl(struct diags *diags, const struct import_options *o, struct buf *out)
{
	struct curl_words words;
	struct import c = { .diags = diags, .words = &words };
	if (curl_words_read(&words, diags)) {
		draft_init(&c.draft, o);
		c.steps = draft_flow(&c.draft, "session");
		while (c.at_word < words.count && diags->count < DIAGS_MAX)
			read_command(&c);
		if (words.count == 0)
			diags_add(diags, 0, 0, "for example curl https://example.com/path", "there is no command here");
		if (diags->count == 0)
			write_scenario(&c, out);
		draft_finish(&c.draft);
		free(c.origin);
	}
	curl_words_finish(&words);
	return diags->count ? -1 : 0;
}
