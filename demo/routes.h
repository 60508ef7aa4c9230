/* routes.h: which requests there are, and what each answers. No sockets, no waiting: text in, status and JSON out.
 *
 * route   a method and a path; "*" in the path stands for one number
 * flow    the routes that belong together: auth, groups, messages, dashboard, conversations (flows.c)
 *
 * Threads: one at a time (the application has one). */
#ifndef WEIR_DEMO_ROUTES_H
#define WEIR_DEMO_ROUTES_H

#include <jansson.h>

#include "demo/world.h"

#define ROUTES_MAX 32

struct call {
	struct world *world;
	const char *version, *commit;
	struct str user; /* who the token says is asking; empty: nobody */
	struct str body;
	uint64_t id; /* the number in the path */
};

struct reply {
	unsigned status;
	json_t *json;     /* given; NULL when there is a page */
	const char *page; /* a literal, in HTML */
};

enum route_kind {
	ROUTE_EACH,    /* through the pool; each answer is built anew */
	ROUTE_ALIKE,   /* through the pool; the same answer for everybody as long as the world is the same */
	ROUTE_AT_ONCE, /* not through the pool, and never failed on purpose */
};

struct route {
	const char *method, *path;
	void (*answer)(const struct call *call, struct reply *ret_reply);
	enum route_kind kind;
};

/* Ends with an answer of NULL; at most ROUTES_MAX. */
extern const struct route routes[];

enum route_found { ROUTE_FOUND, ROUTE_NO_SUCH_PATH, ROUTE_NO_SUCH_METHOD };

/* HEAD finds what GET finds. FOUND: sets route and id. NO_SUCH_METHOD: <ret_route> is one with that path. */
enum route_found route_find(const char *method, struct str path, const struct route **ret_route, uint64_t *ret_id);

/* {"error": TEXT} with that status. */
void reply_error(struct reply *ret_reply, unsigned status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* flows.c */
void flow_login(const struct call *call, struct reply *ret_reply);
void flow_me(const struct call *call, struct reply *ret_reply);
void flow_groups(const struct call *call, struct reply *ret_reply);
void flow_make_group(const struct call *call, struct reply *ret_reply);
void flow_group(const struct call *call, struct reply *ret_reply);
void flow_messages(const struct call *call, struct reply *ret_reply);
void flow_post_message(const struct call *call, struct reply *ret_reply);
void flow_dashboard(const struct call *call, struct reply *ret_reply);
void flow_conversations(const struct call *call, struct reply *ret_reply);
void flow_conversation(const struct call *call, struct reply *ret_reply);
void flow_post_to_conversation(const struct call *call, struct reply *ret_reply);

#endif
