#include "demo/routes.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/mem.h"

static const char front_page[] =
	"<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>weir demo application</title>\n"
	"<body style=\"font: 16px/1.5 system-ui, sans-serif; max-width: 40em; margin: 3em auto; padding: 0 1em\">\n"
	"<h1>weir demo application</h1>\n"
	"<p>A small service for weir to measure and to roll out: five flows (auth, groups, messages, dashboard,\n"
	"conversations) with service times and faults that can be set while it runs.</p>\n"
	"<p>Begin with <a href=\"/api/dashboard\">/api/dashboard</a>, <a href=\"/api/groups\">/api/groups</a>,\n"
	"<a href=\"/api/version\">/api/version</a> or <a href=\"/api/health/deep\">/api/health/deep</a>.</p></body></html>\n";

static void front(const struct call *call, struct reply *ret_reply)
{
	(void)call;
	*ret_reply = (struct reply){ .status = 200, .page = front_page };
}

static void health(const struct call *call, struct reply *ret_reply)
{
	(void)call;
	*ret_reply = (struct reply){ .status = 200, .json = json_pack("{s:s}", "status", "ok") };
}

static void version(const struct call *call, struct reply *ret_reply)
{
	json_t *json = json_pack("{s:s, s:s}", "version", call->version, "commit", call->commit);
	*ret_reply = (struct reply){ .status = 200, .json = json };
}

const struct route routes[] = {
	{ "GET", "/", front, ROUTE_AT_ONCE },
	{ "GET", "/api/health", health, ROUTE_AT_ONCE },
	{ "GET", "/api/health/deep", health, ROUTE_EACH },
	{ "GET", "/api/version", version, ROUTE_EACH },
	{ "POST", "/api/login", flow_login, ROUTE_EACH },
	{ "GET", "/api/me", flow_me, ROUTE_EACH },
	{ "GET", "/api/groups", flow_groups, ROUTE_ALIKE },
	{ "POST", "/api/groups", flow_make_group, ROUTE_EACH },
	{ "GET", "/api/groups/*", flow_group, ROUTE_ALIKE },
	{ "GET", "/api/groups/*/messages", flow_messages, ROUTE_ALIKE },
	{ "POST", "/api/groups/*/messages", flow_post_message, ROUTE_EACH },
	{ "GET", "/api/dashboard", flow_dashboard, ROUTE_ALIKE },
	{ "GET", "/api/conversations", flow_conversations, ROUTE_ALIKE },
	{ "GET", "/api/conversations/*", flow_conversation, ROUTE_ALIKE },
	{ "POST", "/api/conversations/*/messages", flow_post_to_conversation, ROUTE_EACH },
	{ NULL, NULL, NULL, ROUTE_EACH },
};

static bool path_matches(const char *pattern, struct str path, uint64_t *ret_id)
{
	struct str wanted = str_from(pattern), want, got;
	uint64_t id = 0;
	if (wanted.len == 1 || path.len == 1)
		return str_eq(wanted, path);
	while (str_cut(&wanted, '/', &want)) {
		if (!str_cut(&path, '/', &got))
			return false;
		if (str_is(want, "*") ? !str_to_u64(got, &id) : !str_eq(want, got))
			return false;
	}
	*ret_id = id;
	return path.len == 0;
}

enum route_found route_find(const char *method, struct str path, const struct route **ret_route, uint64_t *ret_id)
{
	enum route_found found = ROUTE_NO_SUCH_PATH;
	if (strcmp(method, "HEAD") == 0)
		method = "GET";
	if (path.len == 0 || path.p[0] != '/' || (path.len > 1 && path.p[path.len - 1] == '/'))
		return found;
	for (const struct route *r = routes; r->answer; r++) {
		if (!path_matches(r->path, path, ret_id))
			continue;
		*ret_route = r;
		if (strcmp(r->method, method) == 0)
			return ROUTE_FOUND;
		found = ROUTE_NO_SUCH_METHOD;
	}
	return found;
}

void reply_error(struct reply *ret_reply, unsigned status, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = xvasprintf(format, args);
	va_end(args);
	*ret_reply = (struct reply){ .status = status, .json = json_pack("{s:s}", "error", text) };
	free(text);
}
