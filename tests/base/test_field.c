#include "base/field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"

struct stage {
	const char *name, *mode, *note;
	int64_t users;
	double rate, share;
	dur_ns length;
	bool loud;
};

#define AT(member) offsetof(struct stage, member)
static const char *const modes[] = { "even", "poisson", NULL };
static const struct field fields[] = {
	{ "name", FIELD_STRING, AT(name), .required = true, .help = "Its name." },
	{ "mode", FIELD_STRING, AT(mode), .def = "even", .choices = modes },
	{ .key = "note", .type = FIELD_STRING, .offset = AT(note) },
	{ "users", FIELD_INTEGER, AT(users), .min = 1, .max = 100, .def = "10" },
	{ "rate", FIELD_NUMBER, AT(rate), .min = 0.5, .max = 10, .def = "1.5" },
	{ "share", FIELD_SHARE, AT(share), .def = "5%" },
	{ "length", FIELD_DURATION, AT(length), .min = (double)SECOND, .max = (double)MINUTE, .def = "30s" },
	{ "loud", FIELD_BOOLEAN, AT(loud), .def = "true" },
	{ .key = "steps", .type = FIELD_NODE },
	{ 0 },
};

struct rig {
	struct doc doc;
	struct arena arena;
	struct stage stage;
	bool read;
};

static void read_text(struct rig *r, const char *text)
{
	*r = (struct rig){ .read = false };
	arena_init(&r->arena);
	doc_init(&r->doc, "f", str_from(text));
	assert_true(doc_ok(&r->doc));
	const struct node root = doc_root(&r->doc);
	r->read = fields_read(&root, fields, &r->arena, &r->stage);
}

static void finish(struct rig *r)
{
	doc_finish(&r->doc);
	arena_finish(&r->arena);
}

static void what_is_written_is_read(void **state)
{
	struct rig r;
	read_text(
		&r,
		"{\"name\": \"x\", \"mode\": \"poisson\", \"note\": \"n\", \"users\": 7, \"rate\": 2, \"share\": 0.25,"
		" \"length\": \"1m\", \"loud\": false, \"steps\": [1]}");
	assert_true(r.read);
	assert_int_equal(r.doc.diags.count, 0);
	assert_string_equal(r.stage.name, "x");
	assert_string_equal(r.stage.mode, "poisson");
	assert_string_equal(r.stage.note, "n");
	assert_int_equal(r.stage.users, 7);
	assert_true(r.stage.rate == 2 && r.stage.share == 0.25);
	assert_int_equal(r.stage.length, MINUTE);
	assert_false(r.stage.loud);
	finish(&r);
}

static void what_is_not_written_has_its_default(void **state)
{
	struct rig r;
	read_text(&r, "{\"name\": \"x\", \"//\": \"a comment\"}");
	assert_int_equal(r.doc.diags.count, 0);
	assert_string_equal(r.stage.mode, "even");
	assert_null(r.stage.note);
	assert_int_equal(r.stage.users, 10);
	assert_true(r.stage.rate == 1.5 && r.stage.share == 0.05 && r.stage.loud);
	assert_int_equal(r.stage.length, 30 * SECOND);
	finish(&r);
}

static void every_mistake_is_told(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "{}", "\"name\" is missing" },
		{ "{\"name\": 1}", "\"name\" must be a string, not a number" },
		{ "{\"name\": \"x\", \"mode\": \"poison\"}", "\"mode\" cannot be \"poison\"" },
		{ "{\"name\": \"x\", \"users\": 1.5}", "\"users\" must be a whole number, not a number" },
		{ "{\"name\": \"x\", \"users\": 0}", "\"users\" must be from 1 to 100" },
		{ "{\"name\": \"x\", \"users\": 101}", "\"users\" must be from 1 to 100" },
		{ "{\"name\": \"x\", \"rate\": \"fast\"}", "\"rate\" must be a number, not a string" },
		{ "{\"name\": \"x\", \"rate\": 0.4}", "\"rate\" must be from 0.5 to 10" },
		{ "{\"name\": \"x\", \"share\": 1.1}", "\"share\" must be a share from 0% to 100%" },
		{ "{\"name\": \"x\", \"share\": \"101%\"}", "\"share\" must be a share from 0% to 100%" },
		{ "{\"name\": \"x\", \"share\": null}", "\"share\" must be a share such as \"5%\" or 0.05, not null" },
		{ "{\"name\": \"x\", \"length\": 5}",
		  "\"length\" must be a duration such as \"250ms\" or \"2m\", not a number" },
		{ "{\"name\": \"x\", \"length\": \"5 s\"}", "\"length\" is not a duration" },
		{ "{\"name\": \"x\", \"length\": \"2m\"}", "\"length\" must be from 1.00 s to 60.0 s" },
		{ "{\"name\": \"x\", \"loud\": 1}", "\"loud\" must be true or false, not a number" },
		{ "{\"name\": \"x\", \"nam\": 1}", "unknown key \"nam\"" },
		{ "[]", "this must be an object, not an array" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig r;
		read_text(&r, cases[i].text);
		assert_int_equal(r.doc.diags.count, 1);
		assert_string_equal(r.doc.diags.list[0].message, cases[i].message);
		assert_true(r.read == (cases[i].text[0] == '{'));
		finish(&r);
	}
}

static void mistakes_are_told_all_at_once(void **state)
{
	struct rig r;
	read_text(&r, "{\"users\": \"x\", \"rate\": 99, \"mode\": 1, \"extra\": 0}");
	assert_int_equal(r.doc.diags.count, 5);
	finish(&r);
}

static void hints_name_the_choices_and_the_nearest(void **state)
{
	struct rig r;
	read_text(&r, "{\"name\": \"x\", \"mode\": \"poison\"}");
	assert_string_equal(r.doc.diags.list[0].hint, "one of \"even\", \"poisson\"; did you mean \"poisson\"?");
	finish(&r);
}

static void a_duration_is_marked_where_it_is_wrong(void **state)
{
	struct rig r;
	read_text(&r, "{\"name\": \"x\", \"length\": \"1m30x\"}");
	assert_int_equal(r.doc.diags.count, 1);
	assert_int_equal(r.doc.source.text.p[r.doc.diags.list[0].at], 'x');
	assert_int_equal(r.doc.diags.list[0].len, 1);
	finish(&r);
}

static void a_string_with_a_nul_never_gets_in(void **state)
{
	struct doc d;
	doc_init(&d, "f", STR("{\"name\": \"a\\u0000b\"}"));
	assert_false(doc_ok(&d));
	doc_finish(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(what_is_not_written_has_its_default),
		cmocka_unit_test(every_mistake_is_told),
		cmocka_unit_test(mistakes_are_told_all_at_once),
		cmocka_unit_test(hints_name_the_choices_and_the_nearest),
		cmocka_unit_test(a_duration_is_marked_where_it_is_wrong),
		cmocka_unit_test(a_string_with_a_nul_never_gets_in),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
