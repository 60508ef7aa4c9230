/* har_entry.c: one entry of a recording: whether it is a step, and which. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/must.h"
#include "scenarios/import/har.h"

/* Cookies from here on are looked for elsewhere in the requests. */
#define COOKIE_BYTES_MIN 16
#define PAUSE_LEAST_MS 50.0

void har_mend(char *text, size_t len)
{
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		memset(text, ' ', 3);
	for (size_t i = 0; i + 1 < len; i++) {
		if (text[i] != '\\')
			continue;
		if (text[i + 1] != 'u' || len - i < 6) {
			i++;
			continue;
		}
		char digits[5] = { text[i + 2], text[i + 3], text[i + 4], text[i + 5], 0 };
		const unsigned long unit = strtoul(digits, NULL, 16);
		const bool high = unit >= 0xd800 && unit < 0xdc00, low = unit >= 0xdc00 && unit < 0xe000;
		bool whole = false;
		if (high && len - i >= 12 && text[i + 6] == '\\' && text[i + 7] == 'u') {
			const char next[5] = { text[i + 8], text[i + 9], text[i + 10], text[i + 11], 0 };
			const unsigned long second = strtoul(next, NULL, 16);
			whole = second >= 0xdc00 && second < 0xe000;
		}
		if (whole)
			i += 11;
		else if (high || low || strcmp(digits, "0000") == 0)
			memcpy(text + i + 2, "fffd", 4), i += 5;
		else
			i += 1;
	}
}

/* --- which entries --- */

static bool is_static_type(struct str mime)
{
	static const char *const starts[] = { "image/",
		                              "font/",
		                              "audio/",
		                              "video/",
		                              "text/css",
		                              "text/javascript",
		                              "application/javascript",
		                              "application/x-javascript",
		                              "application/font",
		                              "application/x-font",
		                              "application/wasm",
		                              "application/manifest",
		                              "application/vnd.ms-fontobject" };
	for (size_t i = 0; i < ARRAY_LEN(starts); i++)
		if (str_eq_nocase(str_first(mime, strlen(starts[i])), str_from(starts[i])))
			return true;
	return false;
}

static bool is_static_path(struct str url)
{
	static const char *const ends[] = { ".css", ".js",   ".mjs", ".map",  ".png",  ".jpg",        ".jpeg", ".gif",
		                            ".svg", ".webp", ".ico", ".avif", ".woff", ".woff2",      ".ttf",  ".otf",
		                            ".eot", ".mp4",  ".mp3", ".webm", ".wasm", ".webmanifest" };
	url = str_first(url, str_find(url, '#'));
	url = str_first(url, str_find(url, '?'));
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		const size_t len = strlen(ends[i]);
		if (url.len > len && str_eq_nocase(str_from_at(url, url.len - len), str_from(ends[i])))
			return true;
	}
	return false;
}

static bool is_static(const struct har_entry *e)
{
	static const char *const types[] = {
		"image", "stylesheet", "script", "font", "media", "manifest", "texttrack"
	};
	const char *kind = json_string_value(json_object_get(e->value, "_resourceType"));
	const char *mime = json_string_value(json_object_get(json_object_get(e->response, "content"), "mimeType"));
	for (size_t i = 0; kind && i < ARRAY_LEN(types); i++)
		if (strcmp(kind, types[i]) == 0)
			return true;
	return strcmp(e->key, "get") == 0 && (is_static_type(str_from(mime)) || is_static_path(e->url));
}

enum har_skip har_judge(const struct har_entry *e, bool all)
{
	if (!e->key)
		return HAR_SKIP_METHOD;
	if (strcmp(e->key, "options") == 0)
		return HAR_SKIP_PREFLIGHT;
	if (e->status == 101 || str_starts(e->url, STR("ws")))
		return HAR_SKIP_UPGRADE;
	if (!str_starts(e->url, STR("http")))
		return HAR_SKIP_URL;
	if (e->status < 200 || e->status > 599)
		return HAR_SKIP_UNANSWERED;
	return !all && is_static(e) ? HAR_SKIP_STATIC : HAR_KEEP;
}

const char *har_skip_text(enum har_skip skip)
{
	switch (skip) {
	case HAR_SKIP_STATIC:
		return "static files (--all keeps them)";
	case HAR_SKIP_PREFLIGHT:
		return "OPTIONS requests, which browsers send by themselves";
	case HAR_SKIP_METHOD:
		return "requests with a method that scenarios do not have";
	case HAR_SKIP_UNANSWERED:
		return "requests that were not answered";
	case HAR_SKIP_UPGRADE:
		return "upgrades to WebSocket";
	case HAR_SKIP_URL:
		return "requests whose URL is not http or https, or not one that weir can ask";
	case HAR_KEEP:
	case HAR_SKIPS:
		break;
	}
	must(!"a reason to leave an entry out");
	return NULL;
}

/* --- time --- */

bool har_time_parse(struct str text, int64_t *ret_ms)
{
	char line[48], rest[24] = "";
	struct tm tm = { 0 };
	int hours, minutes;
	if (text.len < 19 || text.len >= sizeof(line) || memchr(text.p, '\0', text.len))
		return false;
	memcpy(line, text.p, text.len);
	line[text.len] = '\0';
	if (sscanf(line, "%4d-%2d-%2dT%2d:%2d:%2d%23s", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
	           &tm.tm_sec, rest) < 6)
		return false;
	if (tm.tm_year < 1970 || tm.tm_year > 9999)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	int64_t ms = (int64_t)timegm(&tm) * 1000, scale = 100;
	const char *at = rest;
	if (*at == '.')
		for (at++; *at >= '0' && *at <= '9'; at++, scale /= 10)
			ms += (*at - '0') * scale;
	if ((*at == '+' || *at == '-') && sscanf(at + 1, "%2d:%2d", &hours, &minutes) == 2)
		ms -= (*at == '-' ? -1 : 1) * (int64_t)(hours * 60 + minutes) * 60000;
	*ret_ms = ms;
	return true;
}

bool har_pause_text(double ms, char *text, size_t size)
{
	const bool cut = ms > HAR_PAUSE_MAX_S * 1000.0;
	text[0] = '\0';
	if (!(ms >= PAUSE_LEAST_MS))
		return false;
	if (cut)
		snprintf(text, size, "%ds", HAR_PAUSE_MAX_S);
	else if (ms < 950)
		snprintf(text, size, "%d00ms", (int)(ms / 100 + 0.5));
	else
		snprintf(text, size, "%.1fs", (double)(int)(ms / 500 + 0.5) / 2);
	/* "2.0s" is "2s". */
	char *zero = strstr(text, ".0s");
	if (zero)
		memcpy(zero, "s", 2);
	return cut;
}

/* --- the request --- */

static bool is_left_out(struct str name)
{
	static const char *const names[] = {
		"keep-alive",
		"te",
		"trailer",
		"upgrade",
		"upgrade-insecure-requests",
		"accept-encoding",
		"user-agent",
		"referer",
		"origin",
		"dnt",
		"if-none-match",
		"if-modified-since",
		"pragma",
		"priority",
		"cache-control",
		"accept-language",
		"expect",
		"purpose",
	};
	if (name.len == 0 || name.p[0] == ':' || str_eq_nocase(str_first(name, 4), STR("sec-")) ||
	    str_eq_nocase(str_first(name, 6), STR("proxy-")))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq_nocase(name, str_from(names[i])))
			return true;
	return false;
}

static void note_cookie(struct draft *d, json_t *cookies)
{
	size_t i;
	json_t *cookie;
	draft_note(
		d,
		"Left out: cookies. Weir keeps those that answers set; those from before the recording are missing.");
	json_array_foreach(cookies, i, cookie)
	{
		json_t *value = json_object_get(cookie, "value");
		const char *name = json_string_value(json_object_get(cookie, "name"));
		/* Known as a secret, so that it is found where else it was sent. */
		if (!name || json_string_length(value) < COOKIE_BYTES_MIN || json_object_size(d->secrets) > 100)
			continue;
		char *variable = xasprintf("cookie_%.40s", name);
		draft_secret(d, str_from(variable),
		             (struct str){ json_string_value(value), json_string_length(value) });
		free(variable);
	}
}

static json_t *read_headers(struct draft *d, const struct har_entry *e)
{
	json_t *headers = json_object(), *header;
	size_t i;
	json_array_foreach(json_object_get(e->request, "headers"), i, header)
	{
		const char *name = json_string_value(json_object_get(header, "name"));
		json_t *value = json_object_get(header, "value");
		const struct str key = str_from(name);
		if (!name || !json_is_string(value) || is_left_out(key))
			continue;
		if (str_eq_nocase(key, STR("cookie")))
			note_cookie(d, json_object_get(e->request, "cookies"));
		else if (!str_eq_nocase(key, STR("accept")) || strcmp(json_string_value(value), "*/*") != 0)
			json_object_set(headers, name, value);
	}
	return headers;
}

/* Some recorders keep the fields of a form and not its text. */
static void write_form(json_t *params, struct buf *out)
{
	json_t *param;
	size_t i;
	json_array_foreach(params, i, param)
	{
		const char *name = json_string_value(json_object_get(param, "name"));
		const char *value = json_string_value(json_object_get(param, "value"));
		if (out->len)
			buf_add_char(out, '&');
		buf_add_url_escaped(out, str_from(name));
		buf_add_char(out, '=');
		buf_add_url_escaped(out, str_from(value));
	}
}

json_t *har_add_step(struct draft *d, json_t *steps, const struct har_entry *e)
{
	json_t *post = json_object_get(e->request, "postData"), *text = json_object_get(post, "text");
	const struct str mime = str_from(json_string_value(json_object_get(post, "mimeType")));
	const struct str type = str_trim(str_first(mime, str_find(mime, ';')));
	struct buf form;
	buf_init(&form, DRAFT_BODY_BYTES + 1);
	struct draft_request r = { .key = e->key, .path = e->where.path, .type = type };
	if (str_eq_nocase(str_first(type, 10), STR("multipart/")))
		return draft_leave_out(d, e->key, r.path,
		                       "multipart bodies are not imported; a step can have one, see \"multipart\"");
	r.body = (struct str){ json_string_value(text), json_string_length(text) };
	if (r.body.len == 0 && str_eq_nocase(type, STR("application/x-www-form-urlencoded"))) {
		write_form(json_object_get(post, "params"), &form);
		r.body = buf_str(&form);
	}
	r.has_body = r.body.len > 0;
	r.headers = read_headers(d, e);
	/* What was in the browser's cache is sent in full to somebody who has none. */
	r.status = json_integer(e->status == 304 ? 200 : e->status);
	json_t *step = draft_add(d, steps, &r);
	json_decref(r.headers);
	json_decref(r.status);
	buf_finish(&form);
	return step;
}
