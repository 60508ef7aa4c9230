#include "scenarios/redact.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/must.h"

#define SECRET_BYTES_MIN 4

static const struct str hidden = { "***", 3 };

/* The secret that begins <text>, or 0. */
static size_t begins(struct str text, struct str secret)
{
	return secret.len >= SECRET_BYTES_MIN && str_starts(text, secret) ? secret.len : 0;
}

static size_t begins_template(struct str text, const struct template *t)
{
	size_t longest = 0;
	for (uint32_t i = 0; i < t->count; i++) {
		const struct segment *s = &t->segments[i];
		const size_t len = s->kind == SEGMENT_LITERAL && s->secret ? begins(text, s->text) : 0;
		longest = len > longest ? len : longest;
	}
	return longest;
}

static size_t begins_cell(const struct vm *vm, struct str text)
{
	size_t longest = 0;
	for (uint32_t f = 0; f < vm->program->feed_count; f++) {
		const struct feed *feed = &vm->program->feeds[f];
		for (uint32_t c = 0; c < feed->column_count; c++) {
			const size_t len = secret_name(feed->columns[c]) ? begins(text, feed_cell(feed, vm->rows[f], c))
			                                                 : 0;
			longest = len > longest ? len : longest;
		}
	}
	return longest;
}

static size_t begins_secret(const struct vm *vm, struct str text)
{
	const struct program *p = vm->program;
	const struct step *step = &p->steps[vm->request.step];
	size_t longest = begins_cell(vm, text), len;
	for (uint32_t i = 0; i < p->variable_count; i++) {
		len = p->variables[i].secret && vm->slots[i].is_set ? begins(text, vm->slots[i].value) : 0;
		longest = len > longest ? len : longest;
	}
	len = begins_template(text, &step->body);
	longest = len > longest ? len : longest;
	for (uint32_t i = 0; i < step->header_count; i++) {
		len = begins_template(text, &step->headers[i].value);
		longest = len > longest ? len : longest;
	}
	return longest;
}

void redact_value(const struct vm *vm, struct str text, size_t most, struct buf *out)
{
	const size_t before = out->len;
	for (size_t at = 0; at < text.len && out->len - before < most;) {
		const size_t secret = begins_secret(vm, str_from_at(text, at));
		if (secret)
			buf_add(out, hidden);
		else
			buf_add_char(out, text.p[at]);
		at += secret ? secret : 1;
	}
}

static void hide_values(const struct vm *vm, struct str text, struct buf *out)
{
	redact_value(vm, text, SIZE_MAX, out);
}

/* True when something was hidden. Recursion is bounded by the parser. */
static bool hide_members(json_t *value)
{
	const char *key;
	json_t *member;
	void *next;
	size_t i;
	bool any = false;
	json_array_foreach(value, i, member) any = hide_members(member) || any;
	json_object_foreach_safe(value, next, key, member)
	{
		if (!secret_name(str_from(key))) {
			any = hide_members(member) || any;
			continue;
		}
		json_object_set_new(value, key, json_string("***"));
		any = true;
	}
	return any;
}

/* "a=b&password=c" */
static void hide_fields(const struct vm *vm, struct str form, struct buf *out)
{
	for (bool first = true; form.len; first = false) {
		const size_t end = str_find(form, '&');
		const struct str field = str_first(form, end);
		const size_t equals = str_find(field, '=');
		if (!first)
			buf_add_char(out, '&');
		form = str_from_at(form, end + 1);
		if (equals < field.len && secret_name(str_first(field, equals))) {
			buf_add(out, str_first(field, equals + 1));
			buf_add(out, hidden);
		} else {
			hide_values(vm, field, out);
		}
	}
}

static bool is_form(struct str text)
{
	const size_t equals = str_find(text, '=');
	if (equals == 0 || equals == text.len)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.p[i] <= 0x20 || strchr("<>\"{}", text.p[i]))
			return false;
	return true;
}

void redact_text(const struct vm *vm, struct str text, struct buf *out)
{
	json_t *root = text.len ? json_loadb(text.p, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : NULL;
	char *dumped = root && hide_members(root) ? json_dumps(root, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	if (dumped)
		hide_values(vm, str_from(dumped), out);
	else if (!root && is_form(text))
		hide_fields(vm, text, out);
	else
		hide_values(vm, text, out);
	free(dumped);
	json_decref(root);
}

void redact_url(const struct vm *vm, struct str url, struct buf *out)
{
	const size_t query = str_find(url, '?');
	hide_values(vm, str_first(url, query), out);
	if (query == url.len)
		return;
	buf_add_char(out, '?');
	hide_fields(vm, str_from_at(url, query + 1), out);
}

void redact_header(const struct vm *vm, struct str name, struct str value, struct buf *out)
{
	buf_add(out, name);
	buf_add(out, STR(": "));
	if (secret_name(name))
		buf_add(out, hidden);
	else
		hide_values(vm, value, out);
	buf_add_char(out, '\n');
}
