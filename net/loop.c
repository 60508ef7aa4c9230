#include "net/loop.h"

#include <errno.h>
#include <stddef.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/must.h"

int loop_init(struct loop *l, struct err *err)
{
	/* NOENV: an environment variable must not change how a measurement is made. */
	l->ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (!l->ev)
		return err_set(err, ERR_IO, "the kernel gives no event loop (epoll); are there descriptors left?");
	return 0;
}

void loop_finish(struct loop *l)
{
	if (l->ev)
		ev_loop_destroy(l->ev);
	l->ev = NULL;
}

void loop_turn(struct loop *l, enum loop_mode mode)
{
	ev_run(l->ev, mode == LOOP_POLL ? EVRUN_NOWAIT : EVRUN_ONCE);
}

static void on_fd(struct ev_loop *ev, ev_io *io, int what)
{
	struct loop_fd *w = container_of(io, struct loop_fd, io);
	w->ready(w, what);
}

void loop_fd_watch(struct loop *l, struct loop_fd *w, int fd, int what, void (*ready)(struct loop_fd *, int))
{
	w->ready = ready;
	if (ev_is_active(&w->io) && w->io.fd == fd && (w->io.events & (EV_READ | EV_WRITE)) == what)
		return;
	/* Stopping and starting within one turn costs no system call: libev compares with what the kernel knows. */
	if (ev_is_active(&w->io))
		ev_io_stop(l->ev, &w->io);
	ev_io_init(&w->io, on_fd, fd, what);
	ev_io_start(l->ev, &w->io);
}

void loop_fd_stop(struct loop *l, struct loop_fd *w)
{
	ev_io_stop(l->ev, &w->io);
}

static void on_timer(struct ev_loop *ev, ev_timer *timer, int what)
{
	struct loop_timer *t = container_of(timer, struct loop_timer, timer);
	t->fired(t);
}

void loop_timer_start(struct loop *l, struct loop_timer *t, dur_ns after, void (*fired)(struct loop_timer *))
{
	/* libev counts from its own stale "now"; bring it up to date so that a timeout is never too early. */
	ev_now_update(l->ev);
	t->fired = fired;
	if (ev_is_active(&t->timer))
		ev_timer_stop(l->ev, &t->timer);
	ev_timer_init(&t->timer, on_timer, (double)after / (double)SECOND, 0.);
	ev_timer_start(l->ev, &t->timer);
}

void loop_timer_stop(struct loop *l, struct loop_timer *t)
{
	ev_timer_stop(l->ev, &t->timer);
}

static void on_alarm(struct loop_fd *w, int what)
{
	struct loop_alarm *a = container_of(w, struct loop_alarm, watch);
	uint64_t times;
	/* A cleared alarm reads EAGAIN: nothing fired after all. */
	if (read(a->fd, &times, sizeof(times)) != (ssize_t)sizeof(times))
		return;
	a->at = (struct mono){ 0 };
	a->fired(a);
}

int loop_alarm_init(struct loop *l, struct loop_alarm *a, void (*fired)(struct loop_alarm *), struct err *err)
{
	*a = (struct loop_alarm){ .fired = fired };
	a->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (a->fd < 0)
		return err_set_errno(err, errno, "make a timer");
	loop_fd_watch(l, &a->watch, a->fd, LOOP_READ, on_alarm);
	return 0;
}

void loop_alarm_set(struct loop_alarm *a, struct mono at)
{
	/* Zero would disarm it, and what is past fires at once. */
	const int64_t ns = at.ns > 0 ? at.ns : 1;
	/* Between two arrivals a worker sleeps and wakes many times with the same one ahead. */
	if (a->at.ns == ns)
		return;
	a->at.ns = ns;
	const struct itimerspec when = { .it_value = { .tv_sec = ns / SECOND, .tv_nsec = ns % SECOND } };
	must(timerfd_settime(a->fd, TFD_TIMER_ABSTIME, &when, NULL) == 0);
}

void loop_alarm_clear(struct loop_alarm *a)
{
	const struct itimerspec never = { .it_value = { 0 } };
	a->at = (struct mono){ 0 };
	must(timerfd_settime(a->fd, 0, &never, NULL) == 0);
}

void loop_alarm_finish(struct loop *l, struct loop_alarm *a)
{
	if (a->fd <= 0)
		return;
	loop_fd_stop(l, &a->watch);
	close(a->fd);
	a->fd = -1;
}

static void on_wake(struct ev_loop *ev, ev_async *async, int what)
{
	struct loop_wake *w = container_of(async, struct loop_wake, async);
	w->woken(w);
}

void loop_wake_start(struct loop *l, struct loop_wake *w, void (*woken)(struct loop_wake *))
{
	w->woken = woken;
	ev_async_init(&w->async, on_wake);
	ev_async_start(l->ev, &w->async);
}

void loop_wake_poke(struct loop *l, struct loop_wake *w)
{
	ev_async_send(l->ev, &w->async);
}

void loop_wake_stop(struct loop *l, struct loop_wake *w)
{
	ev_async_stop(l->ev, &w->async);
}

static void on_signal(struct ev_loop *ev, ev_signal *signal, int what)
{
	struct loop_signal *s = container_of(signal, struct loop_signal, signal);
	s->caught(s, signal->signum);
}

void loop_signal_start(struct loop *l, struct loop_signal *s, int number, void (*caught)(struct loop_signal *, int))
{
	s->caught = caught;
	ev_signal_init(&s->signal, on_signal, number);
	ev_signal_start(l->ev, &s->signal);
}

void loop_signal_stop(struct loop *l, struct loop_signal *s)
{
	ev_signal_stop(l->ev, &s->signal);
}
