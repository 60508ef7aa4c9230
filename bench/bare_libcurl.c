/* bare_libcurl.c: what libcurl's multi interface does by itself, as the ceiling of everything that stands on it.
 *
 *     bench_bare_libcurl URL HANDLES SECONDS
 *
 * Handles are added again as soon as they are done; answers are thrown away, nothing is measured, checked or drawn from a
 * template. libev as in libcurl's own example. Prints requests per second. against_bare_libcurl.py compares. */
#include <curl/curl.h>
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"

struct bare {
	struct ev_loop *loop;
	CURLM *multi;
	ev_timer timer;
	struct mono end;
	unsigned long done;
};

static void drive(struct bare *b, curl_socket_t fd, int what)
{
	int running, left;
	curl_multi_socket_action(b->multi, fd, what, &running);
	for (CURLMsg *m; (m = curl_multi_info_read(b->multi, &left));) {
		CURL *easy = m->easy_handle;
		must(m->data.result == CURLE_OK);
		b->done++;
		curl_multi_remove_handle(b->multi, easy);
		if (mono_now().ns < b->end.ns)
			curl_multi_add_handle(b->multi, easy);
	}
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int what)
{
	drive(container_of(timer, struct bare, timer), CURL_SOCKET_TIMEOUT, 0);
}

static void on_socket(struct ev_loop *loop, ev_io *io, int what)
{
	drive(io->data, io->fd, (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static int socket_wanted(CURL *easy, curl_socket_t fd, int what, void *bare, void *socket)
{
	struct bare *b = bare;
	ev_io *io = socket;
	if (io)
		ev_io_stop(b->loop, io);
	if (what == CURL_POLL_REMOVE) {
		free(io);
		return 0;
	}
	if (!io) {
		io = xcalloc(1, sizeof(*io));
		io->data = b;
		curl_multi_assign(b->multi, fd, io);
	}
	ev_io_init(io, on_socket, fd, (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
	ev_io_start(b->loop, io);
	return 0;
}

static int timer_wanted(CURLM *multi, long ms, void *bare)
{
	struct bare *b = bare;
	ev_timer_stop(b->loop, &b->timer);
	if (ms >= 0) {
		ev_timer_init(&b->timer, on_timer, (double)ms / 1000, 0.);
		ev_timer_start(b->loop, &b->timer);
	}
	return 0;
}

static size_t throw_away(char *bytes, size_t size, size_t count, void *nothing)
{
	return size * count;
}

static void add_handle(struct bare *b, const char *url)
{
	CURL *easy = curl_easy_init();
	must(easy != NULL);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 10000L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "weir/" WEIR_VERSION);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, throw_away);
	curl_multi_add_handle(b->multi, easy);
}

int main(int argc, char **argv)
{
	struct bare b = { .loop = ev_default_loop(EVBACKEND_EPOLL) };
	if (argc != 4) {
		fprintf(stderr, "usage: bench_bare_libcurl URL HANDLES SECONDS\n");
		return 2;
	}
	const struct mono began = mono_now();
	b.end = mono_after(began, (dur_ns)(atof(argv[3]) * (double)SECOND));
	must(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
	b.multi = curl_multi_init();
	curl_multi_setopt(b.multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
	curl_multi_setopt(b.multi, CURLMOPT_SOCKETDATA, &b);
	curl_multi_setopt(b.multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
	curl_multi_setopt(b.multi, CURLMOPT_TIMERDATA, &b);
	curl_multi_setopt(b.multi, CURLMOPT_MAXCONNECTS, atol(argv[2]));
	for (long i = 0; i < atol(argv[2]); i++)
		add_handle(&b, argv[1]);
	while (mono_now().ns < b.end.ns)
		ev_run(b.loop, EVRUN_ONCE);
	printf("%.0f\n", (double)b.done / ((double)mono_since(mono_now(), began) / (double)SECOND));
	return 0; /* the process takes all that is open with it */
}
