/* world.h: what the demo application remembers: rooms with their last messages, in bounded memory.
 *
 * room   a group or a conversation: an id, a title, and a ring of its last WORLD_MESSAGES messages
 *
 * There are WORLD_SEEDED groups and as many conversations from the start, numbered from 1, alike on every instance.
 * Groups that are made later take the place of the oldest made one when WORLD_MADE are there. Their ids carry a check
 * number: an instance can tell an id that another instance gave out from one that nobody did, and answers for it, as
 * if the instances shared a database. Threads: one at a time. */
#ifndef WEIR_DEMO_WORLD_H
#define WEIR_DEMO_WORLD_H

#include "base/str.h"

#define WORLD_SEEDED 10
#define WORLD_MADE 500
#define WORLD_MESSAGES 20
#define WORLD_TITLE_BYTES 81
#define WORLD_TEXT_BYTES 281
#define WORLD_AUTHOR_BYTES 65

struct message {
	uint64_t id;
	char author[WORLD_AUTHOR_BYTES];
	char text[WORLD_TEXT_BYTES];
};

struct room {
	uint64_t id; /* 0: nobody lives here yet */
	char title[WORLD_TITLE_BYTES];
	uint64_t posted;                         /* messages ever */
	struct message messages[WORLD_MESSAGES]; /* number n stands at n % WORLD_MESSAGES */
};

struct world {
	uint64_t changes; /* grows with each post and each group */
	uint64_t made;    /* groups ever made here */
	uint64_t first_number;
	struct room groups[WORLD_SEEDED + WORLD_MADE];
	struct room conversations[WORLD_SEEDED];
	struct room stranger; /* answers for ids of other instances; rewritten at each call */
};

/* <first_number>: where the numbers of made groups begin; differs between instances. Given: free with free(). */
struct world *world_create(uint64_t first_number);

/* NULL: nobody gave out that id. Valid until the next call. */
struct room *world_group(struct world *w, uint64_t id);
struct room *world_conversation(struct world *w, uint64_t id);

/* Longer texts are cut. */
struct room *world_make_group(struct world *w, struct str title);
const struct message *world_post(struct world *w, struct room *r, struct str author, struct str text);

/* The <back>-th newest message, from 0; NULL: there are not so many. */
const struct message *world_newest(const struct room *r, size_t back);

#endif
