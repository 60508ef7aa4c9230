#include "demo/server.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/must.h"
#include "demo/token.h"

#define CONNECTIONS_MAX 60000
/* Enough for a head of some KiB; the body is kept by us. */
#define CONNECTION_MEMORY_BYTES ((size_t)8 << 10)

/* An answer that everybody gets, as long as the world is the same. A service that builds it anew for each request would be the
 * limit of what a load generator can show. */
struct memo {
	struct MHD_Response *response; /* NULL: not made yet */
	uint64_t changes;              /* of the world, when it was made */
};

struct server {
	struct MHD_Daemon *daemon;
	struct pool *pool;
	struct traffic *traffic;
	struct world *world;
	const char *version, *commit;
	struct memo memos[ROUTES_MAX][WORLD_SEEDED + 1]; /* by the number in the path; 0: none */
};

/* One request, from its head to the end of its answer. */
struct request {
	struct server *server;
	struct MHD_Connection *connection;
	enum route_found found;
	const struct route *route; /* NULL: there is none */
	uint64_t id;
	struct buf body;
	bool was_held;
	struct ticket ticket;
};

static void hold(struct ticket *t)
{
	struct request *r = container_of(t, struct request, ticket);
	r->was_held = true;
	MHD_suspend_connection(r->connection);
}

static void release(struct ticket *t)
{
	MHD_resume_connection(container_of(t, struct request, ticket)->connection);
}

const struct pool_ops server_pool_ops = { .hold = hold, .release = release };

static struct MHD_Response *response_of(const struct reply *reply)
{
	if (reply->page)
		return MHD_create_response_from_buffer(strlen(reply->page), (void *)(uintptr_t)reply->page,
		                                       MHD_RESPMEM_PERSISTENT);
	char *text = json_dumps(reply->json, JSON_COMPACT);
	must(text);
	return MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
}

/* Made of <reply>, whose JSON is given back. To be destroyed. */
static struct MHD_Response *make_response(const struct request *r, const struct reply *reply)
{
	struct MHD_Response *response = response_of(reply);
	MHD_add_response_header(response, "Content-Type",
	                        reply->page ? "text/html; charset=utf-8" : "application/json");
	MHD_add_response_header(response, "X-Demo-Version", r->server->version);
	if (reply->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, "Allow", r->route->method);
	if (reply->status == MHD_HTTP_SERVICE_UNAVAILABLE)
		MHD_add_response_header(response, "Retry-After", "1");
	json_decref(reply->json);
	return response;
}

/* Sends it and counts it. */
static enum MHD_Result send_response(struct request *r, unsigned status, struct MHD_Response *response)
{
	const struct route *route = r->found == ROUTE_FOUND ? r->route : NULL;
	traffic_count(r->server->traffic, route, status);
	return MHD_queue_response(r->connection, status, response);
}

static enum MHD_Result send_reply(struct request *r, struct reply *reply)
{
	struct MHD_Response *response = make_response(r, reply);
	const enum MHD_Result result = send_response(r, reply->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result send_error(struct request *r, unsigned status, const char *text)
{
	struct reply reply;
	reply_error(&reply, status, "%s", text);
	return send_reply(r, &reply);
}

/* NULL: its answer is not the same for everybody. */
static struct memo *memo_of(const struct request *r)
{
	return r->route->kind == ROUTE_ALIKE && r->id <= WORLD_SEEDED ? &r->server->memos[r->route - routes][r->id]
	                                                              : NULL;
}

static void forget(struct memo *memo)
{
	if (memo->response)
		MHD_destroy_response(memo->response);
	memo->response = NULL;
}

static enum MHD_Result answer(struct request *r)
{
	const char *header = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Authorization");
	struct call call = {
		.world = r->server->world,
		.version = r->server->version,
		.commit = r->server->commit,
		.body = buf_str(&r->body),
		.id = r->id,
	};
	struct reply reply = { 0 };
	struct memo *memo = memo_of(r);
	if (memo && memo->response && memo->changes == r->server->world->changes)
		return send_response(r, MHD_HTTP_OK, memo->response);
	if (header)
		token_check_bearer(str_from(header), &call.user);
	r->route->answer(&call, &reply);
	if (!memo || reply.status != MHD_HTTP_OK)
		return send_reply(r, &reply);
	forget(memo);
	*memo = (struct memo){ make_response(r, &reply), r->server->world->changes };
	return send_response(r, MHD_HTTP_OK, memo->response);
}

/* Its service time is over. */
static enum MHD_Result answer_served(struct request *r)
{
	return r->ticket.fails ? send_error(r, 500, "an error on purpose (error_rate)") : answer(r);
}

static enum MHD_Result send_ending(struct request *r)
{
	return send_error(r, 503, "the application is ending");
}

/* The request is complete: answer it, turn it away, or hold it. */
static enum MHD_Result serve(struct request *r)
{
	if (r->was_held)
		return r->ticket.dropped ? send_ending(r) : answer_served(r);
	if (r->found == ROUTE_NO_SUCH_PATH)
		return send_error(r, 404, "there is no such path; GET / names some");
	if (r->found == ROUTE_NO_SUCH_METHOD)
		return send_error(r, 405, "this path does not know that method");
	if (buf_overflowed(&r->body))
		return send_error(r, 413, "the body is larger than 64 KiB");
	if (r->route->kind == ROUTE_AT_ONCE)
		return answer(r);
	switch (pool_submit(r->server->pool, &r->ticket)) {
	case POOL_NOW:
		return answer_served(r);
	case POOL_HELD:
		return MHD_YES; /* called again once released */
	case POOL_FULL:
		return send_error(r, 503, "all workers are busy and the queue is full");
	case POOL_CLOSED:
		break;
	}
	return send_ending(r);
}

/* libmicrohttpd calls this once with the head, once per piece of the body, once when it is complete, and once more
 * after a suspended request was resumed. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *http_version, const char *upload, size_t *upload_size, void **req_cls)
{
	struct request *r = *req_cls;
	(void)http_version;
	if (!r) {
		r = xcalloc(1, sizeof(*r));
		r->server = cls;
		r->connection = connection;
		r->found = route_find(method, str_from(url), &r->route, &r->id);
		buf_init(&r->body, SERVER_BODY_MAX);
		*req_cls = r;
		return MHD_YES;
	}
	if (*upload_size > 0) {
		buf_add(&r->body, (struct str){ upload, *upload_size });
		*upload_size = 0;
		return MHD_YES;
	}
	return serve(r);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **req_cls,
                         enum MHD_RequestTerminationCode code)
{
	struct request *r = *req_cls;
	(void)cls, (void)connection, (void)code;
	if (!r)
		return;
	buf_finish(&r->body);
	free(r);
	*req_cls = NULL;
}

struct server *server_start(int socket, struct pool *pool, struct traffic *traffic, const char *version,
                            const char *commit, uint64_t seed, struct err *err)
{
	const struct MHD_OptionItem items[] = {
		{ MHD_OPTION_LISTEN_SOCKET, socket, NULL },
		{ MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, NULL },
		{ MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY_BYTES, NULL },
		{ MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, NULL },
		{ MHD_OPTION_END, 0, NULL },
	};
	struct server *s = xcalloc(1, sizeof(*s));
	s->pool = pool;
	s->traffic = traffic;
	s->version = version;
	s->commit = commit;
	s->world = world_create(seed);
	s->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO, 0, NULL,
	                             NULL, on_request, s, MHD_OPTION_ARRAY, items, MHD_OPTION_END);
	if (!s->daemon) {
		err_set(err, ERR_IO, "libmicrohttpd does not start the HTTP server");
		close(socket);
		free(s->world);
		free(s);
		return NULL;
	}
	return s;
}

void server_stop(struct server *s)
{
	if (!s)
		return;
	pool_close(s->pool); /* libmicrohttpd does not stop while a connection is suspended */
	MHD_stop_daemon(s->daemon);
	for (size_t row = 0; row < ROUTES_MAX; row++)
		for (size_t id = 0; id <= WORLD_SEEDED; id++)
			forget(&s->memos[row][id]);
	free(s->world);
	free(s);
}
