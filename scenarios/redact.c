#include "scenarios/redact.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/must.h"

#define SECRET_BYTES_MIN 4
#define NAME_BYTES_MAX 256

static const struct str hidden = { "***", 3 };

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	                              : -1;
}

static size_t read_hex(struct str digits, size_t count, unsigned *ret)
{
	unsigned value = 0;
	for (size_t i = 0; i < count; i++) {
		if (i >= digits.len || hex(digits.p[i]) < 0)
			return 0;
		value = value << 4 | (unsigned)hex(digits.p[i]);
	}
	*ret = value;
	return count;
}

/* One byte that is percent-encoded or escaped as in JSON: how long that is. 0: it is not. */
static size_t read_escaped(struct str text, char *ret)
{
	static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	unsigned code;
	if (text.len >= 3 && text.p[0] == '%' && read_hex(str_from_at(text, 1), 2, &code)) {
		*ret = (char)code;
		return 3;
	}
	if (text.len < 2 || text.p[0] != '\\')
		return 0;
	if (text.p[1] == 'u' && read_hex(str_from_at(text, 2), 4, &code) && code < 0x80) {
		*ret = (char)code;
		return 6;
	}
	const char *letter = memchr(letters, text.p[1], sizeof(letters) - 1);
	if (letter)
		*ret = meant[letter - letters];
	return letter ? 2 : 0;
}

/* How much of <text> is the secret with bytes escaped, or 0. */
static size_t begins_escaped(struct str text, struct str secret)
{
	size_t at = 0;
	for (size_t i = 0; i < secret.len; i++) {
		char c;
		if (at == text.len)
			return 0;
		const size_t escaped = read_escaped(str_from_at(text, at), &c);
		if (!escaped)
			c = text.p[at];
		if (c != secret.p[i])
			return 0;
		at += escaped ? escaped : 1;
	}
	return at;
}

/* How much of <text> is the secret, or 0. */
static size_t begins(struct str text, struct str secret)
{
	if (secret.len < SECRET_BYTES_MIN)
		return 0;
	return str_starts(text, secret) ? secret.len : begins_escaped(text, secret);
}

static size_t longer(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t begins_template(struct str text, const struct template *t)
{
	size_t longest = 0;
	for (uint32_t i = 0; i < t->count; i++) {
		const struct segment *s = &t->segments[i];
		if (s->kind == SEGMENT_LITERAL && s->secret)
			longest = longer(longest, begins(text, s->text));
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
			longest = longer(longest, len);
		}
	}
	return longest;
}

static size_t begins_secret(const struct vm *vm, struct str text)
{
	const struct program *p = vm->program;
	const struct step *step = &p->steps[vm->request.step];
	size_t longest = begins_cell(vm, text);
	for (uint32_t i = 0; i < p->variable_count; i++) {
		if (p->variables[i].secret && vm->slots[i].is_set)
			longest = longer(longest, begins(text, vm->slots[i].value));
		longest = longer(longest, begins_template(text, &p->variables[i].value));
	}
	longest = longer(longest, begins_template(text, &step->path));
	longest = longer(longest, begins_template(text, &step->body));
	for (uint32_t i = 0; i < step->header_count; i++)
		longest = longer(longest, begins_template(text, &step->headers[i].value));
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

/* A name that is percent-encoded means what it says. Longer ones are no names of anything. */
static bool secret_field(struct str name)
{
	char plain[NAME_BYTES_MAX];
	size_t len = 0;
	while (name.len && len < sizeof(plain)) {
		const size_t escaped = name.p[0] == '%' ? read_escaped(name, &plain[len]) : 0;
		if (!escaped)
			plain[len] = name.p[0];
		name = str_from_at(name, escaped ? escaped : 1);
		len++;
	}
	return secret_name((struct str){ plain, len });
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
		if (equals < field.len && secret_field(str_first(field, equals))) {
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
	const size_t hash = str_find(url, '#');
	const struct str before = str_first(url, hash);
	const size_t query = str_find(before, '?');
	hide_values(vm, str_first(before, query), out);
	if (query < before.len) {
		buf_add_char(out, '?');
		hide_fields(vm, str_from_at(before, query + 1), out);
	}
	if (hash == url.len)
		return;
	/* Where a login hands its token over without the server seeing it. */
	buf_add_char(out, '#');
	hide_fields(vm, str_from_at(url, hash + 1), out);
}

static bool holds_url(struct str name)
{
	return str_eq_nocase(name, STR("Location")) || str_eq_nocase(name, STR("Content-Location")) ||
	       str_eq_nocase(name, STR("Referer"));
}

void redact_header_value(const struct vm *vm, struct str name, struct str value, struct buf *out)
{
	if (secret_name(name))
		buf_add(out, hidden);
	else if (holds_url(name))
		redact_url(vm, value, out);
	else
		hide_values(vm, value, out);
}

void redact_header(const struct vm *vm, struct str name, struct str value, struct buf *out)
{
	buf_add(out, name);
	buf_add(out, STR(": "));
	redact_header_value(vm, name, value, out);
	buf_add_char(out, '\n');
}
