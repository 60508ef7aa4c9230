#include "demo/routes.h"
#include "demo/token.h"

/* What a list shows; rooms beyond it are reached by their number. */
#define LIST_MAX 20

static struct str author(const struct call *call)
{
	return call->user.len > 0 ? call->user : STR("guest");
}

/* The JSON object of the body; NULL: it is none, and the reply says so. Given: json_decref. */
static json_t *body_object(const struct call *call, struct reply *ret_reply)
{
	json_error_t at;
	json_t *body = json_loadb(call->body.p ? call->body.p : "", call->body.len, 0, &at);
	if (!body) {
		reply_error(ret_reply, 400, "the body is not JSON: %s (line %d, column %d)", at.text, at.line,
		            at.column);
		return NULL;
	}
	if (!json_is_object(body)) {
		reply_error(ret_reply, 400, "the body must be a JSON object");
		json_decref(body);
		return NULL;
	}
	return body;
}

/* A member that must be a text with something in it; empty: the reply says what is missing. */
static struct str body_text(const json_t *body, const char *key, struct reply *ret_reply)
{
	const json_t *value = json_object_get(body, key);
	const struct str text = { json_string_value(value), json_string_length(value) };
	if (text.len == 0)
		reply_error(ret_reply, 400, "\"%s\" must be a string that is not empty", key);
	return text;
}

static void reply_json(struct reply *ret_reply, unsigned status, json_t *json)
{
	*ret_reply = (struct reply){ .status = status, .json = json };
}

/* --- auth --- */

void flow_login(const struct call *call, struct reply *ret_reply)
{
	char token[TOKEN_TEXT_BYTES];
	json_t *body = body_object(call, ret_reply);
	if (!body)
		return;
	const struct str user = body_text(body, "user", ret_reply);
	const char *password = json_string_value(json_object_get(body, "password"));
	if (user.len > 0 && !token_user_valid(user)) {
		reply_error(ret_reply, 400, "\"user\" must be 1 to %d letters, digits or . _ - @ +", TOKEN_USER_MAX);
	} else if (user.len > 0 && (!password || strcmp(password, "demo") != 0)) {
		reply_error(ret_reply, 401, "wrong password; every user's is \"demo\"");
	} else if (user.len > 0) {
		token_make(user, token);
		reply_json(ret_reply, 200, json_pack("{s:s, s:s%}", "token", token, "user", user.p, user.len));
	}
	json_decref(body);
}

void flow_me(const struct call *call, struct reply *ret_reply)
{
	if (call->user.len == 0)
		reply_error(ret_reply, 401, "send the token of POST /api/login as \"Authorization: Bearer TOKEN\"");
	else
		reply_json(ret_reply, 200,
		           json_pack("{s:s%, s:[s]}", "user", call->user.p, call->user.len, "roles", "member"));
}

/* --- rooms: what groups and conversations share --- */

static json_t *message_json(const struct message *m)
{
	return json_pack("{s:I, s:s, s:s}", "id", (json_int_t)m->id, "author", m->author, "text", m->text);
}

static json_t *messages_json(const struct room *r, size_t most)
{
	json_t *list = json_array();
	const struct message *m;
	for (size_t back = 0; back < most && (m = world_newest(r, back)); back++)
		json_array_append_new(list, message_json(m));
	return list;
}

static json_t *room_json(const struct room *r)
{
	return json_pack("{s:I, s:s, s:I}", "id", (json_int_t)r->id, "name", r->title, "messages",
	                 (json_int_t)r->posted);
}

static json_t *room_list(const struct room *rooms, size_t count)
{
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		if (rooms[i].id != 0)
			json_array_append_new(list, room_json(&rooms[i]));
	return list;
}

static void post_to(const struct call *call, struct room *r, struct reply *ret_reply)
{
	json_t *body = body_object(call, ret_reply);
	if (!body)
		return;
	const struct str text = body_text(body, "text", ret_reply);
	if (text.len > 0)
		reply_json(ret_reply, 201, message_json(world_post(call->world, r, author(call), text)));
	json_decref(body);
}

/* NULL: there is no such group, and the reply says so. */
static struct room *the_group(const struct call *call, struct reply *ret_reply)
{
	struct room *r = world_group(call->world, call->id);
	if (!r)
		reply_error(ret_reply, 404, "there is no group %llu", (unsigned long long)call->id);
	return r;
}

static struct room *the_conversation(const struct call *call, struct reply *ret_reply)
{
	struct room *r = world_conversation(call->world, call->id);
	if (!r)
		reply_error(ret_reply, 404, "there is no conversation %llu", (unsigned long long)call->id);
	return r;
}

/* --- groups --- */

void flow_groups(const struct call *call, struct reply *ret_reply)
{
	reply_json(ret_reply, 200, json_pack("{s:o}", "groups", room_list(call->world->groups, LIST_MAX)));
}

void flow_make_group(const struct call *call, struct reply *ret_reply)
{
	json_t *body = body_object(call, ret_reply);
	if (!body)
		return;
	const struct str name = body_text(body, "name", ret_reply);
	if (name.len > 0)
		reply_json(ret_reply, 201, room_json(world_make_group(call->world, name)));
	json_decref(body);
}

void flow_group(const struct call *call, struct reply *ret_reply)
{
	const struct room *r = the_group(call, ret_reply);
	if (r)
		reply_json(ret_reply, 200, room_json(r));
}

/* --- messages --- */

void flow_messages(const struct call *call, struct reply *ret_reply)
{
	const struct room *r = the_group(call, ret_reply);
	if (r)
		reply_json(ret_reply, 200, json_pack("{s:o}", "messages", messages_json(r, WORLD_MESSAGES)));
}

void flow_post_message(const struct call *call, struct reply *ret_reply)
{
	struct room *r = the_group(call, ret_reply);
	if (r)
		post_to(call, r, ret_reply);
}

/* --- dashboard --- */

void flow_dashboard(const struct call *call, struct reply *ret_reply)
{
	const struct world *w = call->world;
	uint64_t posted = 0;
	for (size_t i = 0; i < WORLD_SEEDED; i++)
		posted += w->groups[i].posted + w->conversations[i].posted;
	reply_json(ret_reply, 200,
	           json_pack("{s:I, s:I, s:I, s:o}", "groups", (json_int_t)(WORLD_SEEDED + w->made), "conversations",
	                     (json_int_t)WORLD_SEEDED, "messages", (json_int_t)posted, "latest",
	                     messages_json(&w->groups[0], 5)));
}

/* --- conversations --- */

void flow_conversations(const struct call *call, struct reply *ret_reply)
{
	reply_json(ret_reply, 200,
	           json_pack("{s:o}", "conversations", room_list(call->world->conversations, WORLD_SEEDED)));
}

void flow_conversation(const struct call *call, struct reply *ret_reply)
{
	const struct room *r = the_conversation(call, ret_reply);
	if (r)
		reply_json(ret_reply, 200,
		           json_pack("{s:I, s:s, s:o}", "id", (json_int_t)r->id, "name", r->title, "messages",
		                     messages_json(r, WORLD_MESSAGES)));
}

void flow_post_to_conversation(const struct call *call, struct reply *ret_reply)
{
	struct room *r = the_conversation(call, ret_reply);
	if (r)
		post_to(call, r, ret_reply);
}
