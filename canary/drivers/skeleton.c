/* skeleton.c: a driver that moves nothing, to begin a new one with.
 *
 * It keeps all the promises of canary/driver.h over a data plane that is only a file in its folder, passes
 * tests/conform/driver_suite.c, and is what tests take when no balancer is wanted. To write a driver: copy this file, add
 * a row to table.c and a line to canary/meson.build, replace the bodies, and let the suite tell what is missing.
 *
 * What each hook has to keep in mind:
 *
 *   prepare     Serve with all traffic on stable, or adopt what serves this plan already, without touching its weight:
 *               a controller that was killed comes back this way. Whatever you start has to outlive the process.
 *   observe     What the data plane itself says. Never what you asked for last: it may have been restarted.
 *   set_weight  Absolute and repeatable. Refuse a smaller fence than any controller has used. Say yes only after reading
 *               the new weight back. Make it durable, so that a restart of the data plane keeps it.
 *   renew       The dead-man lease: when it is not renewed the data plane goes back to stable by itself. Renew only what
 *               still stands: a renewal must never bring a canary back. A data plane that cannot do this needs a watchdog
 *               beside it; without one, say so in the plan's checks and accept on_controller_death "hold" only.
 *   keep        The weight stays without renewal from now on.
 *   cut         Ends the requests that hang at the canary after the weight is 0.
 *   stop        Ends what prepare started.
 *
 * Every hook answers exactly once, later, never inside the call: here by a timer of no length. */
#include "canary/drivers/skeleton.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/must.h"

#define STATE_FILE "skeleton.state"

struct skeleton_driver {
	struct driver base;
	struct loop *loop;
	const struct plan *plan;
	char *path;
	struct loop_timer timer;
	bool busy;
	driver_done *done;
	driver_observed *observed;
	void *arg;
	struct err err;
	struct driver_observation seen;
};

/* The pretended data plane: what a balancer would hold in its memory. */
struct plane {
	int64_t generation; /* 0: does not run */
	int64_t weight_bp, fence, hold;
	int64_t lease_ends; /* on the steady clock, ns */
};

static struct skeleton_driver *skeleton_of(struct driver *d)
{
	return container_of(d, struct skeleton_driver, base);
}

/* --- the pretended data plane ------------------------------------------------------------------------------------ */

static void plane_read(const struct skeleton_driver *s, struct plane *ret)
{
	struct buf text;
	struct err absent;
	*ret = (struct plane){ 0 };
	buf_init(&text, 256);
	if (file_read(s->path, &text, &absent) == 0 &&
	    sscanf(buf_cstr(&text), "%" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64, &ret->generation,
	           &ret->weight_bp, &ret->fence, &ret->hold, &ret->lease_ends) != 5)
		*ret = (struct plane){ 0 };
	buf_finish(&text);
}

static int plane_write(struct skeleton_driver *s, const struct plane *p)
{
	struct buf text;
	buf_init(&text, 256);
	buf_printf(&text, "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n", p->generation, p->weight_bp,
	           p->fence, p->hold, p->lease_ends);
	const int answer = file_replace(s->path, buf_str(&text), false, &s->err);
	buf_finish(&text);
	return answer;
}

static bool leased(const struct plane *p)
{
	return p->hold != 0 || mono_now().ns < p->lease_ends;
}

/* --- answers ----------------------------------------------------------------------------------------------------- */

static void on_answer(struct loop_timer *t)
{
	struct skeleton_driver *s = container_of(t, struct skeleton_driver, timer);
	/* A copy: the answer may begin the next call. */
	const struct err err = s->err;
	const struct driver_observation seen = s->seen;
	const struct err *err_or_null = err.kind == ERR_NONE ? NULL : &err;
	s->busy = false;
	if (s->observed)
		s->observed(s->arg, err_or_null ? NULL : &seen, err_or_null);
	else
		s->done(s->arg, err_or_null);
}

static void begin(struct skeleton_driver *s, driver_done *done, driver_observed *observed, void *arg)
{
	must(!s->busy); /* one call at a time */
	s->busy = true;
	s->done = done;
	s->observed = observed;
	s->arg = arg;
	s->err = (struct err){ .kind = ERR_NONE };
	loop_timer_start(s->loop, &s->timer, 0, on_answer);
}

static bool is_running(struct skeleton_driver *s, struct plane *ret)
{
	plane_read(s, ret);
	if (ret->generation == 0)
		err_set(&s->err, ERR_UNREACHABLE, "the pretended data plane %s does not run", s->path);
	return ret->generation != 0;
}

static bool has_lapsed(struct skeleton_driver *s, const struct plane *p)
{
	if (p->weight_bp == 0 || leased(p))
		return false;
	err_set(&s->err, ERR_STALE, "the data plane's lease ran out: all traffic is on stable");
	return true;
}

/* --- hooks ------------------------------------------------------------------------------------------------------- */

static void skeleton_prepare(struct driver *d, driver_done *done, void *arg)
{
	struct skeleton_driver *s = skeleton_of(d);
	struct plane p;
	begin(s, done, NULL, arg);
	plane_read(s, &p);
	if (p.generation != 0)
		return; /* adopted as it is */
	p = (struct plane){ .generation = mono_now().ns, .fence = p.fence };
	plane_write(s, &p);
}

static void skeleton_observe(struct driver *d, driver_observed *done, void *arg)
{
	struct skeleton_driver *s = skeleton_of(d);
	struct plane p;
	begin(s, NULL, done, arg);
	if (!is_running(s, &p))
		return;
	s->seen = (struct driver_observation){ .running = true,
		                               .ours = true,
		                               .weight_bp = leased(&p) ? (int32_t)p.weight_bp : 0,
		                               .generation = p.generation,
		                               .arm_up = { true, true },
		                               .listen_port = s->plan->traffic.listen_port };
}

static void skeleton_set_weight(struct driver *d, int32_t basis_points, int64_t fence, driver_done *done, void *arg)
{
	struct skeleton_driver *s = skeleton_of(d);
	struct plane p;
	must(basis_points >= 0 && basis_points <= WEIGHT_FULL_BP);
	begin(s, done, NULL, arg);
	if (!is_running(s, &p))
		return;
	if (fence < p.fence) {
		err_set(&s->err, ERR_STALE, "another controller drives this data plane now");
		return;
	}
	p.fence = fence;
	p.weight_bp = basis_points;
	p.hold = basis_points == WEIGHT_FULL_BP || s->plan->traffic.on_controller_death == DEATH_HOLD;
	p.lease_ends = mono_now().ns + s->plan->traffic.lease;
	plane_write(s, &p);
}

static void skeleton_renew(struct driver *d, driver_done *done, void *arg)
{
	struct skeleton_driver *s = skeleton_of(d);
	struct plane p;
	begin(s, done, NULL, arg);
	if (!is_running(s, &p) || has_lapsed(s, &p))
		return;
	p.lease_ends = mono_now().ns + s->plan->traffic.lease;
	plane_write(s, &p);
}

static void skeleton_keep(struct driver *d, driver_done *done, void *arg)
{
	struct skeleton_driver *s = skeleton_of(d);
	struct plane p;
	begin(s, done, NULL, arg);
	if (!is_running(s, &p) || has_lapsed(s, &p))
		return;
	p.hold = 1;
	plane_write(s, &p);
}

static void skeleton_cut(struct driver *d, driver_done *done, void *arg)
{
	struct skeleton_driver *s = skeleton_of(d);
	struct plane p;
	begin(s, done, NULL, arg);
	is_running(s, &p); /* it has no requests */
}

static void skeleton_stop(struct driver *d, driver_done *done, void *arg)
{
	struct skeleton_driver *s = skeleton_of(d);
	struct plane p;
	begin(s, done, NULL, arg);
	plane_read(s, &p);
	p = (struct plane){ .fence = p.fence };
	plane_write(s, &p);
}

static void skeleton_destroy(struct driver *d)
{
	struct skeleton_driver *s = skeleton_of(d);
	loop_timer_stop(s->loop, &s->timer);
	free(s->path);
	free(s);
}

static const struct driver_ops skeleton_ops = {
	.name = "skeleton",
	.prepare = skeleton_prepare,
	.observe = skeleton_observe,
	.set_weight = skeleton_set_weight,
	.renew = skeleton_renew,
	.keep = skeleton_keep,
	.cut = skeleton_cut,
	.stop = skeleton_stop,
	.destroy = skeleton_destroy,
};

struct driver *skeleton_create(struct loop *loop, const struct plan *plan, const char *folder, struct err *err)
{
	if (file_make_folder(folder, err) != 0)
		return NULL;
	struct skeleton_driver *s = xcalloc(1, sizeof(*s));
	s->base.ops = &skeleton_ops;
	s->loop = loop;
	s->plan = plan;
	s->path = xasprintf("%s/" STATE_FILE, folder);
	return &s->base;
}
