#include "demo/world.h"

#include <stdio.h>

#include "base/mem.h"

#define CHECK_MODULUS 1000

static const char *const group_titles[WORLD_SEEDED] = {
	"Rowing", "Choir",        "Gardeners", "Night shift", "Book club",
	"Chess",  "Release crew", "Cyclists",  "Parents",     "Lighthouse",
};

static const char *const greetings[] = { "Good morning", "Who is coming on Thursday?", "The key is under the mat" };

static void copy(char *into, size_t room, struct str text)
{
	snprintf(into, room, "%.*s", STR_ARG(str_first(text, room - 1)));
}

static void settle(struct world *w, struct room *r, uint64_t id, struct str title)
{
	r->id = id;
	r->posted = 0;
	copy(r->title, sizeof(r->title), title);
	for (size_t i = 0; i < sizeof(greetings) / sizeof(greetings[0]); i++)
		world_post(w, r, STR("demo"), str_from(greetings[i]));
}

struct world *world_create(uint64_t first_number)
{
	struct world *w = xcalloc(1, sizeof(*w));
	w->first_number = first_number % 1000000000 + 1;
	for (size_t i = 0; i < WORLD_SEEDED; i++) {
		char title[WORLD_TITLE_BYTES];
		settle(w, &w->groups[i], i + 1, str_from(group_titles[i]));
		snprintf(title, sizeof(title), "About %s", group_titles[i]);
		settle(w, &w->conversations[i], i + 1, str_from(title));
	}
	return w;
}

/* Knuth's multiplicative hash: far from proof against anybody, enough to know our own numbers. */
static uint64_t check_number(uint64_t number)
{
	return (number * 2654435761u >> 7) % CHECK_MODULUS;
}

static bool is_given_out(uint64_t id)
{
	return id >= CHECK_MODULUS && id % CHECK_MODULUS == check_number(id / CHECK_MODULUS);
}

struct room *world_group(struct world *w, uint64_t id)
{
	if (id >= 1 && id <= WORLD_SEEDED)
		return &w->groups[id - 1];
	if (!is_given_out(id))
		return NULL;
	const uint64_t nth = id / CHECK_MODULUS - w->first_number;
	struct room *r = &w->groups[WORLD_SEEDED + nth % WORLD_MADE];
	if (r->id == id)
		return r;
	settle(w, &w->stranger, id, STR("A group of another instance"));
	return &w->stranger;
}

struct room *world_conversation(struct world *w, uint64_t id)
{
	return id >= 1 && id <= WORLD_SEEDED ? &w->conversations[id - 1] : NULL;
}

struct room *world_make_group(struct world *w, struct str title)
{
	const uint64_t number = w->first_number + w->made;
	struct room *r = &w->groups[WORLD_SEEDED + w->made % WORLD_MADE];
	w->made++;
	settle(w, r, number * CHECK_MODULUS + check_number(number), title);
	return r;
}

const struct message *world_post(struct world *w, struct room *r, struct str author, struct str text)
{
	struct message *m = &r->messages[r->posted % WORLD_MESSAGES];
	w->changes++;
	m->id = ++r->posted;
	copy(m->author, sizeof(m->author), author);
	copy(m->text, sizeof(m->text), text);
	return m;
}

const struct message *world_newest(const struct room *r, size_t back)
{
	if (back >= WORLD_MESSAGES || back >= r->posted)
		return NULL;
	return &r->messages[(r->posted - 1 - back) % WORLD_MESSAGES];
}
