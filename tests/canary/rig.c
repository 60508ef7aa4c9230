#include "tests/canary/rig.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define CLIENTS_MAX 256

/* --- an arm ------------------------------------------------------------------------------------------------------ */

/* Answers each whole request head in <bytes>; requests have no bodies. False: the client left. */
static bool serve(struct rig_arm *a, int fd)
{
	char head[4096], reply[128];
	const ssize_t n = recv(fd, head, sizeof(head) - 1, 0);
	if (n <= 0)
		return false;
	head[n] = '\0';
	for (char *p = head; (p = strstr(p, "\r\n\r\n")); p += 4) {
		const int status = atomic_load(&a->status);
		const int len = snprintf(reply, sizeof(reply), "HTTP/1.1 %d X\r\nContent-Length: 1\r\n\r\n%c", status,
		                         a->letter);
		atomic_fetch_add(&a->served, 1);
		if (status == 0)
			continue;
		if (send(fd, reply, (size_t)len, MSG_NOSIGNAL) != len)
			return false;
	}
	return true;
}

static void *arm_main(void *arg)
{
	struct rig_arm *a = arg;
	struct pollfd p[CLIENTS_MAX + 2] = { { a->stop_fd, POLLIN, 0 }, { a->listener, POLLIN, 0 } };
	nfds_t count = 2;
	while (poll(p, count, -1) >= 0 && !(p[0].revents & POLLIN)) {
		for (nfds_t i = count - 1; i >= 2; i--) {
			if (p[i].revents && !serve(a, p[i].fd)) {
				close(p[i].fd);
				p[i] = p[--count];
			}
		}
		if ((p[1].revents & POLLIN) && count < CLIENTS_MAX + 2)
			p[count++] = (struct pollfd){ accept(a->listener, NULL, NULL), POLLIN, 0 };
	}
	for (nfds_t i = 2; i < count; i++)
		close(p[i].fd);
	return NULL;
}

void rig_arm_listen(struct rig_arm *a)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	a->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(a->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(a->listener, 128), 0);
	assert_int_equal(getsockname(a->listener, (struct sockaddr *)&address, &len), 0);
	a->port = ntohs(address.sin_port);
}

static void arm_init(struct rig_arm *a, char letter)
{
	a->letter = letter;
	atomic_init(&a->status, 200);
	atomic_init(&a->served, 0);
	rig_arm_listen(a);
	snprintf(a->host_port, sizeof(a->host_port), "127.0.0.1:%d", a->port);
	a->server = (struct plan_server){ "127.0.0.1", a->port, a->host_port };
	a->stop_fd = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(pthread_create(&a->thread, NULL, arm_main, a), 0);
}

static void arm_finish(struct rig_arm *a)
{
	assert_int_equal(eventfd_write(a->stop_fd, 1), 0);
	pthread_join(a->thread, NULL);
	close(a->listener);
	close(a->stop_fd);
}

/* --- the rig ----------------------------------------------------------------------------------------------------- */

void rig_init(struct rig *r)
{
	struct err err;
	*r = (struct rig){ .folder = "/tmp/weir-rig-XXXXXX" };
	assert_non_null(mkdtemp(r->folder));
	assert_int_equal(loop_init(&r->loop, &err), 0);
	arm_init(&r->arms[ARM_STABLE], 'S');
	arm_init(&r->arms[ARM_CANARY], 'C');
	static const char *const versions[ARMS] = { "1.0.0", "1.1.0" };
	r->plan.service = "web";
	r->plan.environment = "test";
	for (int a = 0; a < ARMS; a++)
		r->plan.arms[a] = (struct plan_arm){ versions[a], NULL, &r->arms[a].server, 1 };
	r->plan.traffic = (struct plan_traffic){
		.driver = "haproxy", .listen_host = "127.0.0.1", .cookie = "uid", .lease = 2 * SECOND
	};
}

void rig_finish(struct rig *r)
{
	char command[96];
	arm_finish(&r->arms[ARM_STABLE]);
	arm_finish(&r->arms[ARM_CANARY]);
	loop_finish(&r->loop);
	snprintf(command, sizeof(command), "rm -rf %s", r->folder);
	assert_int_equal(system(command), 0);
}

static void on_limit(struct loop_timer *t)
{
}

bool rig_wait(struct rig *r, const bool *flag, dur_ns limit)
{
	const struct mono end = mono_after(mono_now(), limit);
	struct loop_timer timer = { 0 };
	loop_timer_start(&r->loop, &timer, limit, on_limit);
	while (!*flag && mono_since(mono_now(), end) < 0)
		loop_turn(&r->loop, LOOP_WAIT);
	loop_timer_stop(&r->loop, &timer);
	return *flag;
}

struct answer {
	bool came, ok;
	struct err err;
	struct driver_observation seen;
};

static void on_done(void *arg, const struct err *err_or_null)
{
	struct answer *a = arg;
	assert_false(a->came); /* exactly once */
	a->came = true;
	a->ok = !err_or_null;
	if (err_or_null)
		a->err = *err_or_null;
}

static void on_observed(void *arg, const struct driver_observation *o_or_null, const struct err *err_or_null)
{
	struct answer *a = arg;
	on_done(a, err_or_null);
	assert_true(!o_or_null == !!err_or_null);
	if (o_or_null)
		a->seen = *o_or_null;
}

static bool finish(struct rig *r, struct answer *a, struct err *ret_err)
{
	assert_true(rig_wait(r, &a->came, 15 * SECOND));
	if (!a->ok && ret_err)
		*ret_err = a->err;
	return a->ok;
}

#define CALL(call)                                        \
	struct answer a = { 0 };                          \
	call;                                             \
	assert_false(a.came); /* never inside the call */ \
	return finish(r, &a, ret_err)

bool rig_prepare(struct rig *r, struct driver *d, struct err *ret_err)
{
	CALL(d->ops->prepare(d, on_done, &a));
}

bool rig_set(struct rig *r, struct driver *d, int32_t basis_points, int64_t fence, struct err *ret_err)
{
	CALL(d->ops->set_weight(d, basis_points, fence, on_done, &a));
}

bool rig_renew(struct rig *r, struct driver *d, struct err *ret_err)
{
	CALL(d->ops->renew(d, on_done, &a));
}

bool rig_keep(struct rig *r, struct driver *d, struct err *ret_err)
{
	CALL(d->ops->keep(d, on_done, &a));
}

bool rig_cut(struct rig *r, struct driver *d, struct err *ret_err)
{
	CALL(d->ops->cut(d, on_done, &a));
}

bool rig_stop(struct rig *r, struct driver *d, struct err *ret_err)
{
	CALL(d->ops->stop(d, on_done, &a));
}

bool rig_observe(struct rig *r, struct driver *d, struct driver_observation *ret, struct err *ret_err)
{
	struct answer a = { 0 };
	d->ops->observe(d, on_observed, &a);
	assert_false(a.came);
	if (!finish(r, &a, ret_err))
		return false;
	*ret = a.seen;
	return true;
}

void rig_wait_for_arms(struct rig *r, struct driver *d)
{
	const struct mono end = mono_after(mono_now(), 15 * SECOND);
	struct driver_observation o = { .running = false };
	do {
		assert_true(mono_since(mono_now(), end) < 0);
		assert_true(rig_observe(r, d, &o, NULL));
	} while (!o.arm_up[ARM_STABLE] || !o.arm_up[ARM_CANARY]);
}

/* --- users ------------------------------------------------------------------------------------------------------- */

int rig_try_connect(int32_t port)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
		                             .sin_port = htons((uint16_t)port),
		                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct timeval limit = { .tv_sec = 5 };
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

int rig_connect(int32_t port)
{
	const int fd = rig_try_connect(port);
	assert_true(fd >= 0);
	return fd;
}

/* All of the tests' answers carry one byte of body; HAProxy's own error pages end with the connection. */
char rig_ask(int fd, const char *user)
{
	char text[1024];
	const int len = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: rig\r\n%s%s%s\r\n",
	                         user ? "Cookie: uid=" : "", user ? user : "", user ? "\r\n" : "");
	if (send(fd, text, (size_t)len, MSG_NOSIGNAL) != len)
		return 0;
	size_t have = 0;
	for (;;) {
		const ssize_t n = recv(fd, text + have, sizeof(text) - 1 - have, 0);
		if (n <= 0)
			return 0;
		have += (size_t)n;
		text[have] = '\0';
		const char *body = strstr(text, "\r\n\r\n");
		if (strncmp(text, "HTTP/1.1 5", 10) == 0 && body)
			return '5';
		if (body && body[4] != '\0')
			return body[4];
	}
}
