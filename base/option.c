#include "base/option.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"
#include "base/units.h"

#define OPTIONS_MAX 64
#define HELP_COLUMN 30

static const struct option *by_name(const struct option *options, struct str name)
{
	for (const struct option *o = options; o->type != OPTION_END; o++)
		if (str_is(name, o->name))
			return o;
	return NULL;
}

static const struct option *by_letter(const struct option *options, char letter)
{
	for (const struct option *o = options; o->type != OPTION_END; o++)
		if (letter && o->letter == letter)
			return o;
	return NULL;
}

static int unknown(const struct option *options, struct str name, struct err *err)
{
	const char *names[OPTIONS_MAX + 1];
	size_t count = 0;
	for (const struct option *o = options; o->type != OPTION_END; o++) {
		must(count < OPTIONS_MAX);
		names[count++] = o->name;
	}
	names[count] = NULL;
	const char *nearest = str_nearest(name, names);
	return nearest ? err_set(err, ERR_USAGE, "unknown option --%.*s; did you mean --%s?", STR_ARG(name), nearest)
	               : err_set(err, ERR_USAGE, "unknown option --%.*s", STR_ARG(name));
}

static int bad_value(const struct option *o, const char *value, const char *wanted, struct err *err)
{
	return err_set(err, ERR_USAGE, "--%s needs %s, not '%s'", o->name, wanted, value);
}

static int check_range(const struct option *o, double v, bool limited, const char *value, struct err *err)
{
	char wanted[96];
	if (!limited || (v >= o->min && v <= o->max))
		return 0;
	snprintf(wanted, sizeof(wanted), "a number from %g to %g", o->min, o->max);
	return bad_value(o, value, wanted, err);
}

static int bad_duration(const struct option *o, const char *value, struct err *err)
{
	char wanted[2 * DURATION_TEXT_BYTES + 32], least[DURATION_TEXT_BYTES], most[DURATION_TEXT_BYTES];
	snprintf(wanted, sizeof(wanted), "a duration from %s to %s", duration_format((dur_ns)o->min, least),
	         duration_format((dur_ns)o->max, most));
	return bad_value(o, value, wanted, err);
}

/* Digits are read exactly; other ways to write a whole number ("1e3") as far as a double has no gaps. */
static bool whole_number(struct str s, int64_t *ret_value)
{
	const bool negative = str_starts(s, STR("-"));
	uint64_t digits;
	double number;
	if (str_to_u64(str_from_at(s, negative), &digits) && digits <= INT64_MAX) {
		*ret_value = negative ? -(int64_t)digits : (int64_t)digits;
		return true;
	}
	if (!str_to_double(s, &number) || number < -0x1p53 || number > 0x1p53 || number != (double)(int64_t)number)
		return false;
	*ret_value = (int64_t)number;
	return true;
}

static int set_value(const struct option *o, const char *value, void *into, struct err *err)
{
	char *member = (char *)into + o->offset;
	const bool limited = o->min != 0 || o->max != 0;
	int64_t whole;
	double number;
	dur_ns d;
	size_t at;
	switch (o->type) {
	case OPTION_STRING:
		*(const char **)(void *)member = value;
		return 0;
	case OPTION_LIST: {
		struct option_list *list = (void *)member;
		if (list->count == OPTION_LIST_MAX)
			return err_set(err, ERR_USAGE, "--%s is given more than %d times", o->name, OPTION_LIST_MAX);
		list->items[list->count++] = value;
		return 0;
	}
	case OPTION_INTEGER:
		if (!whole_number(str_from(value), &whole))
			return bad_value(o, value, "a whole number", err);
		if (check_range(o, (double)whole, limited, value, err) < 0)
			return -1;
		*(int64_t *)(void *)member = whole;
		return 0;
	case OPTION_NUMBER:
		if (!str_to_double(str_from(value), &number))
			return bad_value(o, value, "a number", err);
		if (check_range(o, number, limited, value, err) < 0)
			return -1;
		*(double *)(void *)member = number;
		return 0;
	case OPTION_DURATION:
		if (!duration_parse(str_from(value), &d, &at))
			return bad_value(o, value, "a duration such as 30s or 250ms", err);
		if (limited && ((double)d < o->min || (double)d > o->max))
			return bad_duration(o, value, err);
		*(dur_ns *)(void *)member = d;
		return 0;
	case OPTION_FLAG:
	case OPTION_END:
		break;
	}
	return 0;
}

/* One option that starts at argv[*at]; moves <at> over a value that stands apart. */
static int take_option(const struct option *options, int argc, char **argv, int *at, void *into, struct err *err)
{
	const char *word = argv[*at];
	const bool is_long = word[1] == '-';
	struct str name = str_from(word + (is_long ? 2 : 1));
	const char *value = NULL;
	const struct option *o;
	if (is_long) {
		const size_t equals = str_find(name, '=');
		if (equals < name.len)
			value = name.p + equals + 1;
		name.len = equals;
		o = by_name(options, name);
	} else {
		o = by_letter(options, word[1]);
		if (word[2] != '\0')
			value = word + 2;
	}
	if (!o)
		return is_long ? unknown(options, name, err) : err_set(err, ERR_USAGE, "unknown option -%c", word[1]);
	if (o->type == OPTION_FLAG) {
		if (value)
			return err_set(err, ERR_USAGE, "--%s takes no value", o->name);
		*(bool *)((char *)into + o->offset) = true;
		return 0;
	}
	if (!value) {
		if (*at + 1 >= argc)
			return err_set(err, ERR_USAGE, "--%s needs a value: --%s %s", o->name, o->name, o->value);
		value = argv[++*at];
	}
	return set_value(o, value, into, err);
}

int options_parse(const struct option *options, int argc, char **argv, void *into, const char **ret_arguments,
                  int *ret_argument_count, struct err *err)
{
	int count = 0;
	bool only_arguments = false;
	for (int i = 0; i < argc; i++) {
		if (only_arguments || argv[i][0] != '-' || argv[i][1] == '\0') {
			ret_arguments[count++] = argv[i];
		} else if (strcmp(argv[i], "--") == 0) {
			only_arguments = true;
		} else if (take_option(options, argc, argv, &i, into, err) < 0) {
			return -1;
		}
	}
	*ret_argument_count = count;
	return 0;
}

void options_help(const struct option *options, struct buf *out)
{
	for (const struct option *o = options; o->type != OPTION_END; o++) {
		char left[80];
		snprintf(left, sizeof(left), "%s%c%s--%s%s%s", o->letter ? "-" : " ", o->letter ? o->letter : ' ',
		         o->letter ? ", " : "  ", o->name, o->value ? " " : "", o->value ? o->value : "");
		if (strlen(left) < HELP_COLUMN - 2)
			buf_printf(out, "  %-*s%s\n", HELP_COLUMN - 2, left, o->help);
		else
			buf_printf(out, "  %s\n  %*s%s\n", left, HELP_COLUMN - 2, "", o->help);
	}
}
