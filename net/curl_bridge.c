/* curl_bridge.c: libcurl asks for sockets to be watched and for timers; the loop calls it back.
 *
 * libcurl asks for a timeout of 0 when a handle is added. It must not be driven from inside its own callback, so the
 * request leaves in the next turn through a timer of 0; libev then does not sleep, and many starts share one turn. */
#include "net/curl_bridge.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/must.h"

struct cell_socket {
	struct loop_fd watch;
	struct curl_cell *cell;
	curl_socket_t fd;
};

static void drive(struct curl_cell *c, curl_socket_t fd, int what)
{
	int running, left;
	curl_multi_socket_action(c->multi, fd, what, &running);
	for (CURLMsg *m; (m = curl_multi_info_read(c->multi, &left));) {
		const CURLcode code = m->data.result;
		if (m->msg == CURLMSG_DONE)
			c->cells->finished(m->easy_handle, code);
	}
}

static void on_ready(struct loop_fd *w, int what)
{
	struct cell_socket *k = container_of(w, struct cell_socket, watch);
	/* <k> may be gone when drive returns. */
	drive(k->cell, k->fd, (what & LOOP_READ ? CURL_CSELECT_IN : 0) | (what & LOOP_WRITE ? CURL_CSELECT_OUT : 0));
}

static void on_timer(struct loop_timer *t)
{
	drive(container_of(t, struct curl_cell, timer), CURL_SOCKET_TIMEOUT, 0);
}

/* libcurl tells which socket to watch for what. */
static int socket_wanted(CURL *easy, curl_socket_t fd, int what, void *cell, void *socket)
{
	struct curl_cell *c = cell;
	struct cell_socket *k = socket;
	if (what == CURL_POLL_REMOVE) {
		if (k) {
			loop_fd_stop(c->cells->loop, &k->watch);
			free(k);
			curl_multi_assign(c->multi, fd, NULL);
		}
		return 0;
	}
	if (!k) {
		k = xcalloc(1, sizeof(*k));
		k->cell = c;
		k->fd = fd;
		curl_multi_assign(c->multi, fd, k);
	}
	loop_fd_watch(c->cells->loop, &k->watch, fd,
	              (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0), on_ready);
	return 0;
}

static int timer_wanted(CURLM *multi, long timeout_ms, void *cell)
{
	struct curl_cell *c = cell;
	if (timeout_ms < 0)
		loop_timer_stop(c->cells->loop, &c->timer);
	else
		loop_timer_start(c->cells->loop, &c->timer, timeout_ms * MILLISECOND, on_timer);
	return 0;
}

int curl_cells_init(struct curl_cells *c, struct loop *loop, const struct transport_options *options, int members_max,
                    void (*finished)(CURL *, CURLcode), struct err *err)
{
	/* Thread-safe since libcurl 7.84, and counted: never undone, it lives as long as the process. */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(err, ERR_IO, "libcurl cannot start");
	*c = (struct curl_cells){ .loop = loop, .options = options, .members_max = members_max, .finished = finished };
	c->secure_proxy = options->route.proxy && strncasecmp(options->route.proxy, "https:", 6) == 0;
	/* libcurl calls for the context of a proxy's TLS, too, which has authorities of its own. */
	if (!options->insecure && !options->route.insecure && !c->secure_proxy)
		c->authorities = authorities_create(options->route.ca);
	return 0;
}

static struct curl_cell *cell_create(struct curl_cells *cells)
{
	struct curl_cell *c = xcalloc(1, sizeof(*c));
	c->cells = cells;
	c->multi = curl_multi_init();
	if (!c->multi) {
		free(c);
		return NULL;
	}
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	/* libcurl's default is in between: as soon as it knows that one speaks HTTP/2, it prefers that for all. */
	curl_multi_setopt(c->multi, CURLMOPT_PIPELINING,
	                  cells->options->route.shared ? CURLPIPE_MULTIPLEX : CURLPIPE_NOTHING);
	curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)cells->members_max);
	cells->cells = xreallocarray(cells->cells, cells->count + 1, sizeof(struct curl_cell *));
	cells->cells[cells->count++] = c;
	return c;
}

struct curl_cell *curl_cells_join(struct curl_cells *cells)
{
	struct curl_cell *c = NULL;
	for (size_t i = cells->count; i > 0 && !c; i--)
		if (cells->cells[i - 1]->members < cells->members_max)
			c = cells->cells[i - 1];
	if (!c)
		c = cell_create(cells);
	if (c)
		c->members++;
	return c;
}

void curl_cell_leave(struct curl_cell *c)
{
	must(c->members-- > 0);
}

void curl_cells_finish(struct curl_cells *cells)
{
	for (size_t i = 0; i < cells->count; i++) {
		must(cells->cells[i]->members == 0);
		curl_multi_cleanup(cells->cells[i]->multi);
		loop_timer_stop(cells->loop, &cells->cells[i]->timer);
		free(cells->cells[i]);
	}
	free(cells->cells);
	authorities_destroy(cells->authorities);
	cells->cells = NULL;
	cells->authorities = NULL;
	cells->count = 0;
}

static curl_socket_t open_socket(void *socket_errno, curlsocktype purpose, struct curl_sockaddr *a)
{
	const int fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
	if (fd < 0)
		*(int *)socket_errno = errno;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

void curl_bridge_set_up(CURL *easy, const struct curl_cells *cells, void *owner, char *detail, int *socket_errno,
                        struct curl_slist *connect_to)
{
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, socket_errno);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, owner);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, detail);
	curl_bridge_set_route(easy, cells->options, cells->authorities, connect_to);
}

/* For a libcurl that has to read them itself: it keeps what it has read for the next connections of a multi, but only
 * when all of it comes from one file. Otherwise each connection reads it anew: 15 ms of CPU and most of a megabyte. */
static void set_authorities_file(CURL *easy, const char *ca)
{
	const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
	const char *of_system = v->age >= CURLVERSION_SEVENTH ? v->cainfo : NULL;
	if (ca)
		curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
	/* A file that was named stands in place of all of the system's. */
	if (ca || (of_system && access(of_system, R_OK) == 0))
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
}

void curl_bridge_set_route(CURL *easy, const struct transport_options *options, struct authorities *authorities,
                           struct curl_slist *connect_to)
{
	const struct transfer_route *r = &options->route;
	/* "": a proxy in the environment would be measured instead of the target. */
	curl_easy_setopt(easy, CURLOPT_PROXY, r->proxy ? r->proxy : "");
	/* The same of what would lead around the scenario's proxy, and libcurl looks for it in every transfer. */
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	if (r->connect_to) {
		*connect_to = (struct curl_slist){
			.data = (char *)(uintptr_t)r->connect_to
		}; /* libcurl only reads it */
		curl_easy_setopt(easy, CURLOPT_CONNECT_TO, connect_to);
	}
	if (authorities)
		authorities_use(authorities, easy);
	else
		set_authorities_file(easy, r->ca);
	/* Rather wait until the first connection is there than open one for each user that begins at the same time. */
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, r->shared ? 1L : 0L);
	if (r->cert)
		curl_easy_setopt(easy, CURLOPT_SSLCERT, r->cert);
	if (r->key)
		curl_easy_setopt(easy, CURLOPT_SSLKEY, r->key);
	if (options->insecure || r->insecure) {
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

bool curl_bridge_is_alert(const char *detail)
{
	return strstr(detail, "SSL routines") && strstr(detail, " alert ");
}

/* Ports, descriptors, buffers: the target never heard of the connection. */
static bool is_want_of_ours(long os_errno)
{
	return os_errno == EADDRNOTAVAIL || os_errno == EMFILE || os_errno == ENFILE || os_errno == ENOBUFS;
}

enum net_error curl_bridge_error(CURL *easy, CURLcode code, const char *detail, int socket_errno)
{
	long os_errno = 0;
	curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
	/* Not an enum switch over all of libcurl's codes: what is not named here is a protocol error. */
	switch ((int)code) {
	case CURLE_OK:
		return NET_NONE;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return NET_DNS;
	case CURLE_COULDNT_CONNECT:
		return is_want_of_ours(os_errno) || is_want_of_ours(socket_errno) ? NET_LOCAL : NET_CONNECT;
	case CURLE_OPERATION_TIMEDOUT:
		return NET_TIMEOUT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CRL_BADFILE:
	case CURLE_SSL_SHUTDOWN_FAILED:
	case CURLE_SSL_INVALIDCERTSTATUS:
	case CURLE_USE_SSL_FAILED:
		return NET_TLS;
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
		return NET_RESET;
	case CURLE_SEND_ERROR:
		return curl_bridge_is_alert(detail) ? NET_TLS : NET_RESET;
	case CURLE_RECV_ERROR:
		if (curl_bridge_is_alert(detail))
			return NET_TLS;
		/* libcurl says "receive error" to a broken chunk, too; only a failed system call is a reset. The number of
		 * an earlier one stays with the handle, so the text has to tell. */
		return os_errno && !strstr(detail, "chunk") ? NET_RESET : NET_PROTOCOL;
	default:
		return NET_PROTOCOL;
	}
}

static dur_ns curl_time(CURL *easy, CURLINFO info)
{
	curl_off_t us = 0;
	curl_easy_getinfo(easy, info, &us);
	return us * MICROSECOND;
}

/* The host of "HOST:PORT", "USER@HOST", "[::1]:PORT" is an address, so that nobody was asked for it. */
static bool is_address(struct str authority)
{
	char host[64];
	struct in_addr ignored;
	const size_t at = str_find(authority, '@');
	if (at < authority.len)
		authority = str_from_at(authority, at + 1);
	if (str_starts(authority, STR("[")))
		return true;
	const struct str name = str_first(authority, str_find(authority, ':'));
	if (name.len >= sizeof(host)) /* longer than any address */
		return false;
	memcpy(host, name.p, name.len);
	host[name.len] = '\0';
	return inet_aton(host, &ignored) != 0;
}

/* The authority of an URL; a proxy may come without its scheme. */
static struct str authority_of(const char *url)
{
	const char *scheme = strstr(url, "://");
	const struct str rest = str_from(scheme ? scheme + 3 : url);
	return str_first(rest, strcspn(rest.p, "/?#"));
}

/* Who was connected to: the proxy, or whom the scenario put in the target's place ("::HOST:PORT"), or the target. */
static struct str authority_reached(const struct transfer_route *r, const char *url)
{
	if (r->proxy)
		return authority_of(r->proxy);
	if (r->connect_to && strncmp(r->connect_to, "::", 2) == 0)
		return str_from(r->connect_to + 2);
	return authority_of(url);
}

/* What happened took time, also when libcurl's microseconds are too coarse for it. */
static dur_ns time_between(dur_ns from, dur_ns to)
{
	return to > from ? to - from : MICROSECOND;
}

void curl_bridge_set_up_times(CURL *easy, const struct transport_options *options, struct transfer *x)
{
	const dur_ns found = curl_time(easy, CURLINFO_NAMELOOKUP_TIME_T);
	const dur_ns connected = curl_time(easy, CURLINFO_CONNECT_TIME_T);
	const dur_ns secured = curl_time(easy, CURLINFO_APPCONNECT_TIME_T);
	x->new_connection = connected > 0;
	x->dns = x->connect = x->tls = 0;
	if (!x->new_connection)
		return;
	if (!is_address(authority_reached(&options->route, x->url)))
		x->dns = time_between(0, found);
	x->connect = time_between(found, connected);
	/* For plain HTTP some versions of libcurl stamp this, too; a handshake that failed has no end. */
	if (secured > 0 && strncasecmp(x->url, "https:", 6) == 0)
		x->tls = time_between(connected, secured);
}
