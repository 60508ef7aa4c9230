#include "observe/loopback.h"

#include <stdio.h>
#include <time.h>

#include "base/must.h"
#include "net/transport.h"
#include "observe/tiny_server.h"

#define TRANSFERS 16
/* Each leaves a port in TIME_WAIT behind for a minute. */
#define CONNECTIONS_MOST 4000
#define REQUEST_TIMEOUT (5 * SECOND)

struct volley;
struct shot {
	struct transfer x;
	struct volley *volley;
};

struct volley {
	struct loop loop;
	struct loop_alarm end;
	struct transport *transport;
	struct shot shots[TRANSFERS], *ready[TRANSFERS];
	size_t ready_count;
	uint64_t answered, failed, most;
};

static void on_done(struct transfer *x)
{
	struct shot *s = container_of(x, struct shot, x);
	if (x->status == 200)
		s->volley->answered++;
	else
		s->volley->failed++;
	s->volley->ready[s->volley->ready_count++] = s;
}

static const struct transfer_ear ear = { .done = on_done };

static void on_end(struct loop_alarm *a)
{
	/* It only ends the sleep. */
}

static double cpu_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void start(struct shot *s, const char *url)
{
	s->x.method = "GET";
	s->x.url = url;
	s->x.timeout = REQUEST_TIMEOUT;
	s->x.ear = &ear;
	transport_start(s->volley->transport, &s->x);
}

/* Sends until <until>, then forgets what is under way. */
static void fire(struct volley *v, const char *url, struct mono until)
{
	loop_alarm_set(&v->end, until);
	for (size_t i = 0; i < TRANSFERS; i++)
		start(&v->shots[i], url);
	while (mono_now().ns < until.ns && v->failed == 0 && v->answered < v->most) {
		loop_turn(&v->loop, LOOP_WAIT);
		const size_t count = v->ready_count;
		struct shot *ready[TRANSFERS];
		for (size_t i = 0; i < count; i++)
			ready[i] = v->ready[i];
		v->ready_count = 0;
		for (size_t i = 0; i < count; i++)
			start(ready[i], url);
	}
}

static int open_volley(struct volley *v, struct err *err)
{
	const struct transport_options options = { .insecure = false };
	if (loop_init(&v->loop, err) < 0)
		return -1;
	if (loop_alarm_init(&v->loop, &v->end, on_end, err) < 0) {
		loop_finish(&v->loop);
		return -1;
	}
	v->transport = transport_create(&v->loop, &options, err);
	int result = v->transport ? 0 : -1;
	for (size_t i = 0; i < TRANSFERS && result == 0; i++) {
		v->shots[i].volley = v;
		result = transport_attach(v->transport, &v->shots[i].x, err);
	}
	return result;
}

static void close_volley(struct volley *v)
{
	for (size_t i = 0; i < TRANSFERS && v->transport; i++)
		transport_detach(v->transport, &v->shots[i].x);
	transport_destroy(v->transport);
	loop_alarm_finish(&v->loop, &v->end);
	loop_finish(&v->loop);
}

static int measure(const char *url, dur_ns length, uint64_t most, struct volley *v, double *ret_cpu,
                   double *ret_seconds, struct err *err)
{
	*v = (struct volley){ .most = most };
	if (open_volley(v, err) < 0)
		return -1;
	const struct mono begin = mono_now();
	const double cpu = cpu_seconds();
	fire(v, url, mono_after(begin, length));
	*ret_cpu = cpu_seconds() - cpu;
	*ret_seconds = (double)mono_since(mono_now(), begin) / (double)SECOND;
	close_volley(v);
	return 0;
}

static double rate(uint64_t count, double seconds)
{
	return seconds > 0 ? (double)count / seconds : 0;
}

int loopback_measure(dur_ns each, struct loopback_facts *ret, struct err *err)
{
	static struct volley kept, fresh; /* too large for a stack */
	char url[64], close_url[64];
	double cpu[2] = { 0, 0 }, seconds[2] = { 0, 0 };
	struct tiny_server *server = tiny_server_start(err);
	if (!server)
		return -1;
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", (unsigned)tiny_server_port(server));
	snprintf(close_url, sizeof(close_url), "http://127.0.0.1:%u/close", (unsigned)tiny_server_port(server));
	int result = measure(url, each, UINT64_MAX, &kept, &cpu[0], &seconds[0], err);
	if (result == 0)
		result = measure(close_url, each, CONNECTIONS_MOST, &fresh, &cpu[1], &seconds[1], err);
	tiny_server_stop(server);
	if (result < 0)
		return err_wrap(err, "the self-test on 127.0.0.1");
	*ret = (struct loopback_facts){ .requests = kept.answered,
		                        .connections = fresh.answered,
		                        .requests_per_core_second = rate(kept.answered, cpu[0]),
		                        .connections_per_core_second = rate(fresh.answered, cpu[1]),
		                        .requests_per_second = rate(kept.answered, seconds[0]),
		                        .connections_per_second = rate(fresh.answered, seconds[1]),
		                        .failed = kept.failed + fresh.failed };
	return 0;
}
