#include "demo/control.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/must.h"
#include "demo/routes.h"
#include "demo/settings.h"

#define BODY_MAX ((size_t)16 << 10)
#define MISTAKES_MAX ((size_t)16 << 10)

struct control {
	struct MHD_Daemon *daemon;
	struct pool *pool;
	struct traffic *traffic;
	const char *version, *commit;
};

static void show_settings(struct control *c, struct str body, struct reply *ret_reply)
{
	struct pool_state state;
	(void)body;
	pool_state(c->pool, &state);
	json_t *json = settings_json(&state);
	json_object_set_new(json, "version", json_string(c->version));
	json_object_set_new(json, "commit", json_string(c->commit));
	*ret_reply = (struct reply){ .status = MHD_HTTP_OK, .json = json };
}

static void change_settings(struct control *c, struct str body, struct reply *ret_reply)
{
	struct buf mistakes;
	buf_init(&mistakes, MISTAKES_MAX);
	if (settings_change(body, c->pool, &mistakes))
		show_settings(c, body, ret_reply);
	else
		reply_error(ret_reply, MHD_HTTP_BAD_REQUEST, "%s", buf_cstr(&mistakes));
	buf_finish(&mistakes);
}

static void show_stats(struct control *c, struct str body, struct reply *ret_reply)
{
	(void)body;
	*ret_reply = (struct reply){ .status = MHD_HTTP_OK, .json = traffic_json(c->traffic) };
}

static void reset_stats(struct control *c, struct str body, struct reply *ret_reply)
{
	traffic_reset(c->traffic);
	show_stats(c, body, ret_reply);
}

static const struct {
	const char *method, *path;
	void (*answer)(struct control *c, struct str body, struct reply *ret_reply);
} actions[] = {
	{ "GET", "/", show_settings },
	{ "POST", "/", change_settings },
	{ "GET", "/stats", show_stats },
	{ "POST", "/reset-stats", reset_stats },
};

static void act(struct control *c, const char *method, const char *path, const struct buf *body,
                struct reply *ret_reply)
{
	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		if (strcmp(actions[i].path, path) != 0 || strcmp(actions[i].method, method) != 0)
			continue;
		if (buf_overflowed(body))
			reply_error(ret_reply, MHD_HTTP_CONTENT_TOO_LARGE, "the body is larger than 16 KiB");
		else
			actions[i].answer(c, buf_str(body), ret_reply);
		return;
	}
	reply_error(ret_reply, MHD_HTTP_NOT_FOUND,
	            "the control port knows GET /, POST /, GET /stats, POST /reset-stats");
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *http_version, const char *upload, size_t *upload_size, void **req_cls)
{
	struct buf *body = *req_cls;
	struct reply reply = { 0 };
	(void)http_version;
	if (!body) {
		body = xcalloc(1, sizeof(*body));
		buf_init(body, BODY_MAX);
		*req_cls = body;
		return MHD_YES;
	}
	if (*upload_size > 0) {
		buf_add(body, (struct str){ upload, *upload_size });
		*upload_size = 0;
		return MHD_YES;
	}
	act(cls, method, url, body, &reply);
	char *text = json_dumps(reply.json, JSON_INDENT(2));
	json_decref(reply.json);
	must(text);
	struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	MHD_add_response_header(response, "Content-Type", "application/json");
	const enum MHD_Result result = MHD_queue_response(connection, reply.status, response);
	MHD_destroy_response(response);
	return result;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **req_cls,
                         enum MHD_RequestTerminationCode code)
{
	struct buf *body = *req_cls;
	(void)cls, (void)connection, (void)code;
	if (!body)
		return;
	buf_finish(body);
	free(body);
	*req_cls = NULL;
}

struct control *control_start(int socket, struct pool *pool, struct traffic *traffic, const char *version,
                              const char *commit, struct err *err)
{
	struct control *c = xcalloc(1, sizeof(*c));
	c->pool = pool;
	c->traffic = traffic;
	c->version = version;
	c->commit = commit;
	c->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, c,
	                             MHD_OPTION_LISTEN_SOCKET, socket, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
	                             MHD_OPTION_END);
	if (!c->daemon) {
		err_set(err, ERR_IO, "libmicrohttpd does not start the control port");
		close(socket);
		free(c);
		return NULL;
	}
	return c;
}

void control_stop(struct control *c)
{
	if (!c)
		return;
	MHD_stop_daemon(c->daemon);
	free(c);
}
