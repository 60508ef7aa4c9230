/* har.c: a recording of a browser (HAR 1.2) as a scenario.
 *
 * Entries that a browser would make again by itself, or that weir cannot send, are left out and counted by reason. The
 * rest is built once with a flow per page; when a value of one page comes back in another, which a flow cannot see, it
 * is built again as one flow. */
#include "scenarios/import/har.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "scenarios/import/values.h"

#define MISTAKES_MAX 20

struct reading {
	const struct node *log;
	const struct import_options *options;
	struct har_entry *entries; /* kept ones, by their start */
	size_t count;
	size_t skipped[HAR_SKIPS];
	json_t *origins; /* how often each was asked */
	char *origin;    /* the one that is kept */
};

/* --- reading --- */

static bool need(const struct node *n, const char *key, json_type type, const char *what, struct node *ret)
{
	if (!node_get(n, key, ret)) {
		node_error(n, NULL, "the %s is missing here: this is no HAR 1.2", key);
		return false;
	}
	return node_expect(ret, type, what);
}

static bool read_entry(const struct node *n, struct har_entry *e)
{
	struct node request, method, url, response, start, member;
	*e = (struct har_entry){ .value = n->value };
	if (!node_expect(n, JSON_OBJECT, "an entry") || !need(n, "request", JSON_OBJECT, "an object", &request) ||
	    !need(&request, "method", JSON_STRING, "a string", &method) ||
	    !need(&request, "url", JSON_STRING, "a string", &url))
		return false;
	e->request = request.value;
	e->response = node_get(n, "response", &response) && json_is_object(response.value) ? response.value : NULL;
	e->method = node_str(&method);
	e->url = node_str(&url);
	e->key = draft_method_key(e->method);
	e->status = json_integer_value(json_object_get(e->response, "status"));
	e->has_start = node_get(n, "startedDateTime", &start) && json_is_string(start.value) &&
	               har_time_parse(node_str(&start), &e->start_ms);
	e->time_ms = node_get(n, "time", &member) && json_is_number(member.value) ? json_number_value(member.value) : 0;
	e->page = node_get(n, "pageref", &member) ? json_string_value(member.value) : NULL;
	return true;
}

static int compare_starts(const void *a, const void *b)
{
	const struct har_entry *x = a, *y = b;
	if (x->has_start && y->has_start && x->start_ms != y->start_ms)
		return x->start_ms < y->start_ms ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* Entries that can be sent at all; their order is that of their starts when all have one. */
static bool read_entries(struct reading *r, const struct node *entries)
{
	bool timed = true;
	r->entries = xcalloc(node_count(entries), sizeof(*r->entries));
	for (size_t i = 0; i < node_count(entries); i++) {
		const struct node item = node_item(entries, i);
		struct har_entry *e = &r->entries[r->count];
		if (!read_entry(&item, e)) {
			if (item.doc->diags.count >= MISTAKES_MAX)
				return false;
			continue;
		}
		e->index = i;
		const enum har_skip skip = har_judge(e, r->options->all);
		if (skip != HAR_KEEP) {
			r->skipped[skip]++;
			continue;
		}
		if (!draft_url_parse(e->url, &e->where)) {
			r->skipped[HAR_SKIP_URL]++;
			continue;
		}
		timed = timed && e->has_start;
		r->count++;
	}
	if (timed && r->count > 1)
		qsort(r->entries, r->count, sizeof(*r->entries), compare_starts);
	return doc_ok(entries->doc);
}

/* The origin that --target names, when it was recorded; else the one that was asked most. */
static void choose_origin(struct reading *r)
{
	struct draft_url wanted = { 0 };
	const char *origin, *best = NULL;
	json_t *count;
	r->origins = json_object();
	for (size_t i = 0; i < r->count; i++) {
		origin = r->entries[i].where.origin;
		const json_int_t so_far = json_integer_value(json_object_get(r->origins, origin));
		json_object_set_new(r->origins, origin, json_integer(so_far + 1));
	}
	json_object_foreach(r->origins, origin,
	                    count) if (!best || json_integer_value(count) >
	                                                json_integer_value(json_object_get(r->origins, best)))
		best = origin;
	if (r->options->target && draft_url_parse(str_from(r->options->target), &wanted) &&
	    json_object_get(r->origins, wanted.origin))
		best = wanted.origin;
	r->origin = xstrdup(best ? best : "");
	free(wanted.origin);
}

/* --- building --- */

static const char *title_of(const struct reading *r, const char *page)
{
	size_t i;
	json_t *one;
	json_array_foreach(json_object_get(r->log->value, "pages"), i, one)
	{
		const char *id = json_string_value(json_object_get(one, "id"));
		if (id && page && strcmp(id, page) == 0)
			return json_string_value(json_object_get(one, "title"));
	}
	return NULL;
}

/* The flow of a page: a short form of its title, or of its path when the title is a URL. Given: free. */
static char *name_flow(const struct reading *r, json_t *names, const char *page)
{
	const char *known = json_string_value(json_object_get(names, page ? page : ""));
	struct draft_url url = { 0 };
	if (known)
		return xstrdup(known);
	struct str title = str_from(title_of(r, page));
	if (title.len && draft_url_parse(title, &url)) {
		title = str_first(url.path, str_find(url.path, '?'));
		free(url.origin);
	}
	char *stem = draft_slug(title, "page"), *name = xstrdup(stem);
	for (unsigned n = 2;; n++) {
		bool taken = false;
		const char *id;
		json_t *other;
		json_object_foreach(names, id, other) taken = taken || strcmp(json_string_value(other), name) == 0;
		if (!taken)
			break;
		free(name);
		name = xasprintf("%s-%u", stem, n);
	}
	free(stem);
	json_object_set_new(names, page ? page : "", json_string(name));
	return name;
}

static void add_pause(struct draft *d, json_t *steps, const struct har_entry *before, const struct har_entry *e)
{
	char text[32];
	if (!before || !before->has_start || !e->has_start || json_array_size(steps) == 0)
		return;
	const double gap = (double)(e->start_ms - before->start_ms) - (before->time_ms > 0 ? before->time_ms : 0);
	if (har_pause_text(gap, text, sizeof(text)))
		draft_note(d, "Pauses longer than %d s were cut to that.", HAR_PAUSE_MAX_S);
	if (text[0])
		draft_pause(steps, text);
}

/* What was answered, for the values in it. */
static void read_answer(struct values *v, const char *flow, json_t *step, const struct har_entry *e)
{
	json_t *content = json_object_get(e->response, "content");
	json_t *text = json_object_get(content, "text");
	const char *encoding = json_string_value(json_object_get(content, "encoding"));
	struct buf decoded;
	if (!json_is_string(text))
		return;
	const struct str body = { json_string_value(text), json_string_length(text) };
	if (!encoding || strcmp(encoding, "base64") != 0) {
		values_add_answer(v, flow, step, body);
		return;
	}
	buf_init(&decoded, IMPORT_BYTES_MAX);
	if (values_base64_decode(body, &decoded))
		values_add_answer(v, flow, step, buf_str(&decoded));
	buf_finish(&decoded);
}

/* Whether a value of one page came back in another. */
static bool build(struct reading *r, struct draft *d, bool one_flow)
{
	const struct har_entry *before = NULL;
	struct values values;
	json_t *names = json_object();
	values_init(&values);
	d->lookup = values_lookup;
	d->lookup_arg = &values;
	for (size_t i = 0; i < r->count; i++) {
		const struct har_entry *e = &r->entries[i];
		if (strcmp(e->where.origin, r->origin) != 0)
			continue;
		char *flow = one_flow ? xstrdup("session") : name_flow(r, names, e->page);
		json_t *steps = draft_flow(d, flow);
		values.flow = flow;
		if (steps) {
			const size_t pauses_at = json_array_size(steps);
			add_pause(d, steps, before, e);
			json_t *step = har_add_step(d, steps, e);
			if (step)
				read_answer(&values, flow, step, e);
			else if (json_array_size(steps) > pauses_at)
				json_array_remove(steps, pauses_at);
			before = e;
		}
		free(flow);
	}
	const bool crossed = values.crossed;
	d->lookup = NULL;
	d->lookup_arg = NULL;
	values_finish(&values);
	json_decref(names);
	return crossed;
}

static void note_skipped(const struct reading *r, struct draft *d)
{
	const char *origin;
	json_t *count;
	for (int skip = HAR_KEEP + 1; skip < HAR_SKIPS; skip++)
		if (r->skipped[skip])
			draft_note(d, "Left out: %s: %zu.", har_skip_text((enum har_skip)skip), r->skipped[skip]);
	json_object_foreach(r->origins, origin, count) if (strcmp(origin, r->origin) != 0)
		draft_note(d, "Left out: requests to %s: %lld. A scenario has one target; --target %s takes these.",
	                   origin, (long long)json_integer_value(count), origin);
}

static int write_scenario(struct reading *r, struct doc *doc, struct buf *out)
{
	struct draft d;
	struct draft_url url;
	char *why = NULL;
	const struct node root = doc_root(doc);
	draft_init(&d, r->options);
	if (build(r, &d, false)) {
		draft_finish(&d);
		draft_init(&d, r->options);
		draft_note(
			&d,
			"All pages are one flow: a value of one comes back in another, and flows see only their own.");
		build(r, &d, true);
	}
	note_skipped(r, &d);
	char *name = r->count && draft_url_parse(str_from(r->origin), &url)
	                     ? draft_slug(str_from_at(str_from(url.origin), str_find(str_from(url.origin), '/') + 2),
	                                  "har")
	                     : NULL;
	if (name)
		free(url.origin);
	if (d.step_count == 0)
		node_error(&root, "static files count with --all", "no request of this recording can be a step");
	else
		why = draft_write(&d, r->origin, "a HAR", name ? name : "har", out);
	if (why)
		node_error(&root, NULL, "%s", why);
	free(why);
	free(name);
	draft_finish(&d);
	return doc_ok(doc) ? 0 : -1;
}

int import_har(struct doc *doc, const struct import_options *o, struct buf *out)
{
	struct node log, entries;
	if (!doc_ok(doc))
		return -1;
	const struct node root = doc_root(doc);
	if (!node_expect(&root, JSON_OBJECT, "an object with a \"log\"") ||
	    !need(&root, "log", JSON_OBJECT, "an object", &log) ||
	    !need(&log, "entries", JSON_ARRAY, "a list of entries", &entries))
		return -1;
	struct reading r = { .log = &log, .options = o };
	int result = -1;
	if (read_entries(&r, &entries)) {
		choose_origin(&r);
		result = write_scenario(&r, doc, out);
	}
	for (size_t i = 0; i < r.count; i++)
		free(r.entries[i].where.origin);
	free(r.entries);
	free(r.origin);
	json_decref(r.origins);
	return result;
}
