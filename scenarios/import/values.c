#include "scenarios/import/values.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"

/* A candidate is a list of these. */
enum { AT_FLOW, AT_SOURCE, AT_POINTER, AT_VARIABLE };

void values_init(struct values *v)
{
	*v = (struct values){ .found = json_object(), .names = json_object(), .sources = json_array() };
}

void values_finish(struct values *v)
{
	json_decref(v->found);
	json_decref(v->names);
	json_decref(v->sources);
	*v = (struct values){ 0 };
}

static bool is_candidate(struct str value, struct str name)
{
	bool digit = false;
	if (value.len < VALUES_BYTES_MIN || value.len > VALUES_BYTES_MAX)
		return false;
	for (size_t i = 0; i < value.len; i++) {
		const char c = value.p[i];
		if ((unsigned char)c <= 0x20 || (unsigned char)c == 0x7f)
			return false;
		digit = digit || (c >= '0' && c <= '9');
	}
	return digit || value.len >= VALUES_BYTES_SURE || secret_name(name);
}

/* Where the search is: the pointer to here. */
struct search {
	struct values *values;
	const char *flow;
	size_t source;
	struct buf pointer;
	unsigned depth;
};

static void add_candidate(struct search *s, struct str value, struct str name)
{
	char *key = xstrndup(value.p, value.len);
	if (is_candidate(value, name) && json_object_size(s->values->found) < VALUES_CANDIDATES_MAX &&
	    !json_object_get(s->values->found, key)) {
		json_t *c = json_pack("[s, I, s]", s->flow, (json_int_t)s->source, buf_cstr(&s->pointer));
		if (c)
			json_object_set_new(s->values->found, key, c);
	}
	free(key);
}

/* RFC 6901: "~" is "~0", "/" is "~1". */
static void add_token(struct buf *pointer, struct str key)
{
	buf_add_char(pointer, '/');
	for (size_t i = 0; i < key.len; i++) {
		if (key.p[i] == '~')
			buf_add(pointer, STR("~0"));
		else if (key.p[i] == '/')
			buf_add(pointer, STR("~1"));
		else
			buf_add_char(pointer, key.p[i]);
	}
}

static void search(struct search *s, json_t *value, struct str name);

static void search_below(struct search *s, struct str token, json_t *value, struct str name)
{
	const size_t len = s->pointer.len;
	if (token.len > JSONSCAN_TOKEN_BYTES || s->depth == JSONSCAN_TOKENS_MAX)
		return;
	s->depth++;
	add_token(&s->pointer, token);
	if (!buf_overflowed(&s->pointer))
		search(s, value, name);
	s->pointer.overflowed = false;
	s->pointer.len = len;
	s->pointer.bytes[len] = '\0';
	s->depth--;
}

/* Recursion is bounded by JSONSCAN_TOKENS_MAX. */
static void search(struct search *s, json_t *value, struct str name)
{
	char text[32];
	const char *key;
	json_t *item;
	size_t i;
	if (json_is_object(value)) {
		json_object_foreach(value, key, item) search_below(s, str_from(key), item, str_from(key));
	} else if (json_is_array(value)) {
		json_array_foreach(value, i, item)
		{
			snprintf(text, sizeof(text), "%zu", i);
			search_below(s, str_from(text), item, name);
		}
	} else if (s->depth && json_is_string(value)) {
		add_candidate(s, (struct str){ json_string_value(value), json_string_length(value) }, name);
	} else if (s->depth && json_is_integer(value)) {
		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
		add_candidate(s, str_from(text), name);
	}
}

void values_add_answer(struct values *v, const char *flow, json_t *step, struct str body)
{
	body = str_trim(body);
	if (body.len == 0 || (body.p[0] != '{' && body.p[0] != '['))
		return;
	json_t *answer = json_loadb(body.p, body.len, JSON_REJECT_DUPLICATES, NULL);
	if (!answer)
		return;
	struct search s = { .values = v, .flow = flow, .source = json_array_size(v->sources) };
	json_array_append(v->sources, step);
	buf_init(&s.pointer, 1024);
	search(&s, answer, (struct str){ "", 0 });
	buf_finish(&s.pointer);
	json_decref(answer);
}

/* --- using them --- */

/* The last two keys of a pointer that are no indices: "/groups/0/id" has "groups" and "id". */
static void last_keys(struct str pointer, struct str *ret_before, struct str *ret_last)
{
	struct str token;
	uint64_t index;
	*ret_before = *ret_last = (struct str){ "", 0 };
	pointer = str_from_at(pointer, 1);
	while (str_cut(&pointer, '/', &token)) {
		if (token.len == 0 || str_to_u64(token, &index))
			continue;
		*ret_before = *ret_last;
		*ret_last = token;
	}
}

static void add_word(struct buf *b, struct str word)
{
	for (size_t i = 0; i < word.len && b->len < 40; i++) {
		const char c = word.p[i];
		const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		if (letter || (c >= '0' && c <= '9' && b->len))
			buf_add_char(b, c);
		else if (b->len && b->bytes[b->len - 1] != '_')
			buf_add_char(b, '_');
	}
}

/* "/token" is token, "/groups/0/id" is groups_id. */
static char *name_variable(struct str pointer, json_t *taken)
{
	struct str before, last;
	struct buf b;
	buf_init(&b, 128);
	last_keys(pointer, &before, &last);
	if (last.len <= 4 && before.len) {
		add_word(&b, before);
		buf_add_char(&b, '_');
	}
	add_word(&b, last);
	const bool weirs_own = str_is(buf_str(&b), "uuid") || str_is(buf_str(&b), "iteration");
	char *stem = weirs_own || b.len == 0 ? xasprintf("value%s%s", b.len ? "_" : "", buf_cstr(&b))
	                                     : xstrdup(buf_cstr(&b));
	char *name = xstrdup(stem);
	for (unsigned n = 2; json_object_get(taken, name); n++) {
		free(name);
		name = xasprintf("%s_%u", stem, n);
	}
	buf_finish(&b);
	free(stem);
	return name;
}

/* Lets the step of the answer extract the value. Its variable, or NULL when there are too many. */
static const char *use(struct values *v, json_t *candidate)
{
	json_t *step = json_array_get(v->sources, (size_t)json_integer_value(json_array_get(candidate, AT_SOURCE)));
	json_t *taken = json_object_get(v->names, v->flow), *extract = json_object_get(step, "extract");
	const char *pointer = json_string_value(json_array_get(candidate, AT_POINTER));
	if (v->used == VALUES_USED_MAX || json_object_size(extract) >= VALUES_PER_STEP_MAX)
		return NULL;
	if (!taken) {
		taken = json_object();
		json_object_set_new(v->names, v->flow, taken);
	}
	if (!extract) {
		extract = json_object();
		json_object_set_new(step, "extract", extract);
	}
	char *name = name_variable(str_from(pointer), taken);
	json_object_set_new(taken, name, json_true());
	json_object_set_new(extract, name, json_pack("{s:s}", "json", pointer));
	json_array_append_new(candidate, json_string(name));
	free(name);
	v->used++;
	return json_string_value(json_array_get(candidate, AT_VARIABLE));
}

bool values_lookup(void *arg, struct str value, struct buf *slot)
{
	struct values *v = arg;
	if (value.len < VALUES_BYTES_MIN || value.len > VALUES_BYTES_MAX || memchr(value.p, '\0', value.len))
		return false;
	char *key = xstrndup(value.p, value.len);
	json_t *candidate = json_object_get(v->found, key);
	free(key);
	if (!candidate)
		return false;
	if (strcmp(json_string_value(json_array_get(candidate, AT_FLOW)), v->flow) != 0) {
		v->crossed = true;
		return false;
	}
	const char *name = json_string_value(json_array_get(candidate, AT_VARIABLE));
	if (!name)
		name = use(v, candidate);
	return name && buf_printf(slot, "${%s}", name);
}

static int digit64(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool values_base64_decode(struct str text, struct buf *out)
{
	uint32_t bits = 0;
	unsigned count = 0;
	for (size_t i = 0; i < text.len && text.p[i] != '='; i++) {
		if (strchr(" \t\r\n", text.p[i]) && text.p[i])
			continue;
		const int digit = digit64(text.p[i]);
		if (digit < 0)
			return false;
		bits = bits << 6 | (uint32_t)digit;
		count += 6;
		if (count >= 8) {
			count -= 8;
			buf_add_char(out, (char)(bits >> count));
			bits &= (1u << count) - 1;
		}
	}
	return !buf_overflowed(out);
}
