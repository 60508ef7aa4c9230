#include "base/field.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/units.h"

/* The most keys one object may have; checked by must, since tables are ours. */
#define FIELDS_MAX 64

static const char *what(enum field_type type)
{
	switch (type) {
	case FIELD_STRING:
		return "a string";
	case FIELD_INTEGER:
		return "a whole number";
	case FIELD_NUMBER:
		return "a number";
	case FIELD_DURATION:
		return "a duration such as \"250ms\" or \"2m\"";
	case FIELD_SHARE:
		return "a share such as \"5%\" or 0.05";
	case FIELD_BOOLEAN:
		return "true or false";
	case FIELD_NODE:
	case FIELD_END:
		break;
	}
	return "something else";
}

static bool wrong_type(const struct node *n, const struct field *f)
{
	char hint[256];
	snprintf(hint, sizeof(hint), "%s", f->help ? f->help : "");
	node_error(n, f->help ? hint : NULL, "\"%s\" must be %s, not %s", f->key, what(f->type), node_type_text(n));
	return false;
}

static bool in_range(const struct node *n, const struct field *f, double v)
{
	char least[DURATION_TEXT_BYTES], most[DURATION_TEXT_BYTES];
	if ((f->min == 0 && f->max == 0) || (v >= f->min && v <= f->max))
		return true;
	if (f->type == FIELD_DURATION) {
		duration_format((dur_ns)f->min, least);
		duration_format((dur_ns)f->max, most);
	} else {
		snprintf(least, sizeof(least), "%g", f->min);
		snprintf(most, sizeof(most), "%g", f->max);
	}
	node_error(n, f->help, "\"%s\" must be from %s to %s", f->key, least, most);
	return false;
}

static bool read_string(const struct node *n, const struct field *f, struct arena *arena, const char **into)
{
	if (!json_is_string(n->value))
		return wrong_type(n, f);
	const struct str s = node_str(n);
	if (memchr(s.p, '\0', s.len)) {
		node_error(n, NULL, "\"%s\" must not hold a NUL byte", f->key);
		return false;
	}
	if (f->choices) {
		const char *const *c = f->choices;
		while (*c && !str_is(s, *c))
			c++;
		if (!*c) {
			struct buf all;
			buf_init(&all, 4096);
			for (c = f->choices; *c; c++)
				buf_printf(&all, "%s\"%s\"", c == f->choices ? "one of " : ", ", *c);
			const char *nearest = str_nearest(s, f->choices);
			if (nearest)
				buf_printf(&all, "; did you mean \"%s\"?", nearest);
			node_error(n, buf_cstr(&all), "\"%s\" cannot be \"%.*s\"", f->key, STR_ARG(str_first(s, 60)));
			buf_finish(&all);
			return false;
		}
	}
	*into = arena_strndup(arena, s.p, s.len);
	return true;
}

static bool read_duration(const struct node *n, const struct field *f, dur_ns *into)
{
	dur_ns d;
	size_t at;
	if (!json_is_string(n->value))
		return wrong_type(n, f);
	const struct str s = node_str(n);
	if (!duration_parse(s, &d, &at)) {
		node_part_error(n, at, s.len - (at < s.len ? at : s.len),
		                "a number and a unit: ns, us, ms, s, m, h or d", "\"%s\" is not a duration", f->key);
		return false;
	}
	if (!in_range(n, f, (double)d))
		return false;
	*into = d;
	return true;
}

static bool read_share(const struct node *n, const struct field *f, double *into)
{
	double share;
	size_t at;
	if (json_is_number(n->value)) {
		share = json_number_value(n->value);
	} else if (json_is_string(n->value)) {
		if (!share_parse(node_str(n), &share, &at)) {
			node_error(n, f->help, "\"%s\" must be a share from 0%% to 100%%", f->key);
			return false;
		}
	} else {
		return wrong_type(n, f);
	}
	if (share < 0 || share > 1) {
		node_error(n, "write \"5%\" or 0.05", "\"%s\" must be a share from 0%% to 100%%", f->key);
		return false;
	}
	if (!in_range(n, f, share))
		return false;
	*into = share;
	return true;
}

bool field_read_value(const struct node *n, const struct field *f, struct arena *arena, void *into)
{
	char *member = (char *)into + f->offset;
	switch (f->type) {
	case FIELD_STRING:
		return read_string(n, f, arena, (const char **)(void *)member);
	case FIELD_INTEGER:
		if (!json_is_integer(n->value))
			return wrong_type(n, f);
		if (!in_range(n, f, (double)json_integer_value(n->value)))
			return false;
		*(int64_t *)(void *)member = json_integer_value(n->value);
		return true;
	case FIELD_NUMBER:
		if (!json_is_number(n->value))
			return wrong_type(n, f);
		if (!in_range(n, f, json_number_value(n->value)))
			return false;
		*(double *)(void *)member = json_number_value(n->value);
		return true;
	case FIELD_DURATION:
		return read_duration(n, f, (dur_ns *)(void *)member);
	case FIELD_SHARE:
		return read_share(n, f, (double *)(void *)member);
	case FIELD_BOOLEAN:
		if (!json_is_boolean(n->value))
			return wrong_type(n, f);
		*(bool *)member = json_is_true(n->value);
		return true;
	case FIELD_NODE:
	case FIELD_END:
		break;
	}
	return true;
}

/* Defaults are rows of our own tables: one that cannot be read is a bug. */
static void set_default(const struct field *f, struct arena *arena, void *into)
{
	char *member = (char *)into + f->offset;
	const struct str text = str_from(f->def);
	double number = 0;
	size_t at;
	switch (f->type) {
	case FIELD_STRING:
		*(const char **)(void *)member = arena_strdup(arena, f->def);
		break;
	case FIELD_INTEGER:
		must(str_to_double(text, &number));
		*(int64_t *)(void *)member = (int64_t)number;
		break;
	case FIELD_NUMBER:
		must(str_to_double(text, (double *)(void *)member));
		break;
	case FIELD_DURATION:
		must(duration_parse(text, (dur_ns *)(void *)member, &at));
		break;
	case FIELD_SHARE:
		must(share_parse(text, (double *)(void *)member, &at));
		break;
	case FIELD_BOOLEAN:
		*(bool *)member = str_is(text, "true");
		break;
	case FIELD_NODE:
	case FIELD_END:
		break;
	}
}

bool fields_read(const struct node *n, const struct field *fields, struct arena *arena, void *into)
{
	const char *known[FIELDS_MAX + 1];
	size_t count = 0;
	for (const struct field *f = fields; f->type != FIELD_END; f++) {
		must(count < FIELDS_MAX);
		known[count++] = f->key;
		if (f->def)
			set_default(f, arena, into);
	}
	known[count] = NULL;
	if (!node_expect(n, JSON_OBJECT, "an object"))
		return false;
	node_expect_keys(n, known);
	for (const struct field *f = fields; f->type != FIELD_END; f++) {
		struct node member;
		if (node_get(n, f->key, &member))
			field_read_value(&member, f, arena, into);
		else if (f->required)
			node_error(n, f->help, "\"%s\" is missing", f->key);
	}
	return true;
}
