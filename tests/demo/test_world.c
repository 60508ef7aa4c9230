#include "demo/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void every_instance_begins_alike(void **state)
{
	struct world *one = world_create(1), *other = world_create(999);
	for (uint64_t id = 1; id <= WORLD_SEEDED; id++) {
		assert_string_equal(world_group(one, id)->title, world_group(other, id)->title);
		assert_non_null(world_conversation(one, id));
	}
	assert_null(world_group(one, 0));
	assert_null(world_group(one, WORLD_SEEDED + 1));
	assert_null(world_conversation(one, 0));
	assert_null(world_conversation(one, WORLD_SEEDED + 1));
	free(one);
	free(other);
}

static void made_groups_are_found_here_and_elsewhere(void **state)
{
	struct world *one = world_create(5), *other = world_create(7000000);
	const uint64_t id = world_make_group(one, STR("Divers"))->id;
	assert_string_equal(world_group(one, id)->title, "Divers");
	assert_int_equal(world_group(other, id)->id, id);
	assert_string_not_equal(world_group(other, id)->title, "Divers");
	free(one);
	free(other);
}

/* Of a thousand ids that nobody gave out about one is taken for a good one. */
static void invented_ids_are_known_as_such(void **state)
{
	struct world *w = world_create(5);
	int taken = 0;
	for (uint64_t id = 123456000; id < 123457000; id++)
		taken += world_group(w, id) != NULL;
	assert_int_equal(taken, 1);
	assert_null(world_group(w, 999999));
	free(w);
}

static void the_oldest_made_group_gives_way(void **state)
{
	struct world *w = world_create(5);
	const uint64_t first = world_make_group(w, STR("first"))->id;
	for (int i = 1; i < WORLD_MADE; i++)
		world_make_group(w, STR("another"));
	assert_string_equal(world_group(w, first)->title, "first");
	world_make_group(w, STR("one more"));
	assert_string_not_equal(world_group(w, first)->title, "first");
	assert_string_equal(world_group(w, 1)->title, "Rowing");
	free(w);
}

static void the_last_messages_are_kept(void **state)
{
	struct world *w = world_create(5);
	struct room *r = world_group(w, 1);
	char text[16];
	const uint64_t before = r->posted;
	for (int i = 0; i < 3 * WORLD_MESSAGES; i++) {
		snprintf(text, sizeof(text), "number %d", i);
		assert_int_equal(world_post(w, r, STR("ann"), str_from(text))->id, before + (uint64_t)i + 1);
	}
	for (int back = 0; back < WORLD_MESSAGES; back++) {
		snprintf(text, sizeof(text), "number %d", 3 * WORLD_MESSAGES - 1 - back);
		assert_string_equal(world_newest(r, (size_t)back)->text, text);
	}
	assert_null(world_newest(r, WORLD_MESSAGES));
	free(w);
}

static void long_texts_are_cut(void **state)
{
	struct world *w = world_create(5);
	char text[2 * WORLD_TEXT_BYTES];
	memset(text, 'x', sizeof(text));
	const struct str all = { text, sizeof(text) };
	assert_int_equal(strlen(world_post(w, world_group(w, 2), all, all)->text), WORLD_TEXT_BYTES - 1);
	assert_int_equal(strlen(world_newest(world_group(w, 2), 0)->author), WORLD_AUTHOR_BYTES - 1);
	assert_int_equal(strlen(world_make_group(w, all)->title), WORLD_TITLE_BYTES - 1);
	assert_null(world_newest(world_group(w, 2), 4));
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_instance_begins_alike),
		cmocka_unit_test(made_groups_are_found_here_and_elsewhere),
		cmocka_unit_test(invented_ids_are_known_as_such),
		cmocka_unit_test(the_oldest_made_group_gives_way),
		cmocka_unit_test(the_last_messages_are_kept),
		cmocka_unit_test(long_texts_are_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
