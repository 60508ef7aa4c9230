#include "observe/plan.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"

#define TEXT_BYTES_MAX 8192
#define NAME_BYTES_MAX 64

/* A text that is put together: as it is, and as it may be told. */
struct put {
	const struct node *n;
	const struct observe_inputs *inputs;
	struct arena *arena;
	struct str all;
	struct buf out, shown;
	bool whole; /* all of it is one value of the environment */
};

static const char *env(const struct observe_inputs *inputs, struct str key)
{
	char name[128];
	snprintf(name, sizeof(name), "%.*s", STR_ARG(key));
	return inputs->get_env ? inputs->get_env(inputs->arg, name) : NULL;
}

static void put_value(struct put *p, const char *value)
{
	buf_add(&p->out, str_from(value));
	buf_add(&p->shown, STR("***"));
	conceal_add(&p->inputs->item->secrets, p->arena, value);
}

/* Puts one ${env.NAME} or ${env.NAME:-DEFAULT}, which starts <rest>. The number of bytes it takes in the text; 0: it is wrong. */
static size_t put_env(struct put *p, struct str rest)
{
	const size_t at = (size_t)(rest.p - p->all.p), end = str_find(rest, '}');
	struct str inside = str_from_at(str_first(rest, end), 6), key = inside;
	const char *otherwise = memmem(inside.p, inside.len, ":-", 2);
	if (otherwise)
		key.len = (size_t)(otherwise - inside.p);
	if (!str_starts(rest, STR("${env.")) || end == rest.len || key.len == 0 || key.len >= 128) {
		node_part_error(p->n, at, 2, "Only ${env.NAME} and ${env.NAME:-DEFAULT} can be used here.",
		                "this is not ${env.NAME}");
		return 0;
	}
	const char *value = env(p->inputs, key);
	if (!value && !otherwise) {
		node_part_error(p->n, at, end + 1, NULL, "the environment has no variable %.*s", STR_ARG(key));
		return 0;
	}
	if (value) {
		put_value(p, value);
		p->whole = at == 0 && end + 1 == p->all.len;
	} else {
		/* What stands in the file is no secret. */
		buf_add(&p->out, str_from_at(inside, key.len + 2));
		buf_add(&p->shown, str_from_at(inside, key.len + 2));
	}
	return end + 1;
}

static bool put_all(struct put *p)
{
	for (size_t at = 0; at < p->all.len;) {
		const struct str rest = str_from_at(p->all, at);
		size_t used = 1;
		if (str_starts(rest, STR("${"))) {
			used = put_env(p, rest);
		} else {
			buf_add_char(&p->out, rest.p[0]);
			buf_add_char(&p->shown, rest.p[0]);
		}
		if (used == 0)
			return false;
		at += used;
	}
	if (buf_overflowed(&p->out))
		node_error(p->n, NULL, "this is longer than %d bytes", TEXT_BYTES_MAX);
	else if (p->out.len == 0)
		node_error(p->n, NULL, "this must not be empty");
	else
		return true;
	return false;
}

/* <ret_shown>: the same as it may be told; of an address that is wholly of the environment only the item's name. */
static const char *read_text(const struct node *n, const struct observe_inputs *inputs, struct arena *arena,
                             const char **ret_shown)
{
	struct put p = { .n = n, .inputs = inputs, .arena = arena };
	const struct observe_item *item = inputs->item;
	const char *result = NULL;
	if (!node_expect(n, JSON_STRING, "a string"))
		return NULL;
	p.all = node_str(n);
	buf_init(&p.out, TEXT_BYTES_MAX);
	/* Three stars for one byte, at the most. */
	buf_init(&p.shown, TEXT_BYTES_MAX * 3);
	if (put_all(&p)) {
		result = arena_strdup(arena, buf_cstr(&p.out));
		const char *name = item->name ? item->name : item->kind->key;
		*ret_shown = arena_strdup(arena, p.whole ? name : buf_cstr(&p.shown));
		conceal_add_password(&inputs->item->secrets, arena, result);
	}
	buf_finish(&p.out);
	buf_finish(&p.shown);
	return result;
}

const char *observe_text(const struct node *n, const struct observe_inputs *inputs, struct arena *arena)
{
	const char *shown;
	return read_text(n, inputs, arena, &shown);
}

const char *observe_url(const struct node *n, const struct observe_inputs *inputs, struct arena *arena)
{
	const char *shown, *url = read_text(n, inputs, arena, &shown);
	if (!url)
		return NULL;
	if (str_starts(str_from(url), STR("http://")) || str_starts(str_from(url), STR("https://"))) {
		char *place = conceal_url(shown);
		inputs->item->place = arena_strdup(arena, place);
		free(place);
		return url;
	}
	/* Not shown: it may be a secret that stands in the wrong place. */
	node_error(n, NULL, "this must be a URL that starts with http:// or https://");
	return NULL;
}

static const struct sampler_kind *kind_of(const struct node *n)
{
	const struct sampler_kind *found = NULL;
	struct node member;
	for (size_t i = 0; sampler_kinds[i]; i++) {
		if (!node_get(n, sampler_kinds[i]->key, &member))
			continue;
		if (found) {
			node_key_error(&member, "Make two items of it.", "an item is either \"%s\" or \"%s\"",
			               found->key, sampler_kinds[i]->key);
			return NULL;
		}
		found = sampler_kinds[i];
	}
	if (!found)
		node_error(n, "One of process, host, json, postgres, prometheus.",
		           "this item does not say what to observe");
	return found;
}

/* The fields that all kinds have, then those of the kind. */
void observe_item_fields(const struct sampler_kind *kind, struct field ret_fields[OBSERVE_FIELDS_MAX])
{
	static const struct field name = { "name", FIELD_STRING, offsetof(struct observe_item, name),
		                           .help = "What its series are called after; the kind when it is not given." };
	size_t count = 0;
	ret_fields[count++] = name;
	for (const struct field *f = kind->fields; f->key; f++) {
		must(count < OBSERVE_FIELDS_MAX - 1);
		ret_fields[count++] = *f;
	}
	ret_fields[count] = (struct field){ 0 };
}

static bool read_fields(const struct node *n, const struct sampler_kind *kind, struct arena *arena,
                        struct observe_item *into)
{
	struct field fields[OBSERVE_FIELDS_MAX];
	observe_item_fields(kind, fields);
	return fields_read(n, fields, arena, into);
}

static bool name_is_good(const char *name)
{
	const size_t len = strlen(name);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
			return false;
	return len > 0 && len <= NAME_BYTES_MAX;
}

/* The names and places of figures that the user wrote: bounded, and fit to be shown. */
static void check_values(const struct node *n, const struct observe_item *item)
{
	for (size_t i = 0; i < item->value_count; i++) {
		const struct observe_value *v = &item->values[i];
		if (!name_is_good(v->name))
			node_error(n, NULL, "the name of a figure has 1 to %d characters", NAME_BYTES_MAX);
		if (v->unit && v->unit[0] && !name_is_good(v->unit))
			node_error(n, NULL, "a unit has at most %d characters", NAME_BYTES_MAX);
		if (v->at && strlen(v->at) > TEXT_BYTES_MAX)
			node_error(n, NULL, "where '%s' is found takes more than %d bytes", v->name, TEXT_BYTES_MAX);
	}
}

static void read_item(const struct node *n, const struct observe_inputs *inputs, struct arena *arena,
                      struct observe_plan *plan)
{
	struct observe_item *item = &plan->items[plan->item_count];
	struct node name;
	if (!node_expect(n, JSON_OBJECT, "an object"))
		return;
	item->kind = kind_of(n);
	if (!item->kind || !read_fields(n, item->kind, arena, item))
		return;
	struct observe_inputs own = *inputs;
	own.item = item;
	item->kind->read(n, &own, arena, item);
	check_values(n, item);
	const bool named = node_get(n, "name", &name);
	if (!item->name)
		item->name = item->kind->key;
	if (!name_is_good(item->name))
		node_error(named ? &name : n, NULL, "a name has 1 to %d characters", NAME_BYTES_MAX);
	for (size_t i = 0; i < plan->item_count; i++)
		if (strcmp(plan->items[i].name, item->name) == 0)
			node_error(named ? &name : n, "Give each item a \"name\" of its own.",
			           "another item is called \"%s\", too", item->name);
	plan->item_count++;
}

bool observe_plan_read(const struct node *n, const struct observe_inputs *inputs, struct arena *arena,
                       struct observe_plan *ret_plan)
{
	const size_t mistakes = n->doc->diags.count + n->doc->diags.dropped;
	struct observe_plan plan = { 0 };
	if (!node_expect(n, JSON_ARRAY, "an array of what to observe"))
		return false;
	const size_t count = node_count(n);
	if (count > OBSERVE_ITEMS_MAX) {
		node_error(n, NULL, "at most %d items can be observed", OBSERVE_ITEMS_MAX);
		return false;
	}
	plan.items = arena_array(arena, struct observe_item, count + 1);
	for (size_t i = 0; i < count; i++) {
		const struct node item = node_item(n, i);
		read_item(&item, inputs, arena, &plan);
	}
	if (n->doc->diags.count + n->doc->diags.dropped != mistakes)
		return false;
	*ret_plan = plan;
	return true;
}

struct sampler *sampler_create(struct loop *loop, struct transport *transport, const struct observe_item *item,
                               struct err *err)
{
	struct sampler *s = item->kind->create(loop, transport, item, err);
	if (s)
		s->secrets = item->secrets;
	else
		conceal_all(item->secrets, err->text, sizeof(err->text));
	return s;
}
