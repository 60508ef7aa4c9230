#include "canary/drivers/haproxy_driver.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/must.h"

/* Two arms of 256 servers with 100 columns each stay below. */
#define ANSWER_BYTES_MAX (1u << 20)
#define COMMAND_TEXT_BYTES 512
/* 256 servers; below the 16 KiB that HAProxy reads as one line. */
#define CUT_BYTES_MAX (12u << 10)
#define FENCE_FILE "fence"

char *haproxy_path(const struct haproxy_driver *h, const char *name)
{
	return xasprintf("%s/%s", h->folder, name);
}

/* --- a call's beginning and end ---------------------------------------------------------------------------------- */

void haproxy_begin(struct haproxy_driver *h, driver_done *done, void *arg)
{
	must(!h->busy);
	h->busy = true;
	h->done = done;
	h->observed = NULL;
	h->arg = arg;
	h->err = (struct err){ .kind = ERR_NONE };
}

void haproxy_end(struct haproxy_driver *h, const struct err *err_or_null)
{
	must(h->busy);
	h->busy = false;
	h->done(h->arg, err_or_null);
}

static void on_end_later(struct loop_timer *t)
{
	struct haproxy_driver *h = container_of(t, struct haproxy_driver, timer);
	const struct err err = h->err;
	haproxy_end(h, err.kind == ERR_NONE ? NULL : &err);
}

void haproxy_end_later(struct haproxy_driver *h)
{
	loop_timer_start(h->loop, &h->timer, 0, on_end_later);
}

/* --- observe ----------------------------------------------------------------------------------------------------- */

static void observation_of(struct haproxy_driver *h, const struct haproxy_state *s, struct driver_observation *ret)
{
	*ret = (struct driver_observation){ .running = !s->stopping,
		                            .ours = str_is(s->hash, h->hash),
		                            .weight_bp = haproxy_state_weight(s),
		                            .generation = s->pid,
		                            .logs_dropped = s->logs_dropped,
		                            .listen_port = h->port };
	for (int a = 0; a < ARMS; a++) {
		ret->arm_up[a] = s->arm_up[a];
		ret->requests[a] = s->requests[a];
		ret->in_flight[a] = s->in_flight[a];
	}
}

static void on_observed(void *arg, struct str answer, const struct err *err_or_null)
{
	struct haproxy_driver *h = arg;
	struct haproxy_state s;
	struct err err;
	struct driver_observation o;
	h->busy = false;
	if (!err_or_null && !haproxy_state_parse(answer, &s)) {
		err_set(&err, ERR_SYNTAX, "HAProxy's answer at %s is not understood", h->api.path);
		err_or_null = &err;
	}
	if (err_or_null) {
		h->observed(h->arg, NULL, err_or_null);
		return;
	}
	observation_of(h, &s, &o);
	h->observed(h->arg, &o, NULL);
}

static void haproxy_observe(struct driver *d, driver_observed *done, void *arg)
{
	struct haproxy_driver *h = haproxy_of(d);
	haproxy_begin(h, NULL, arg);
	h->observed = done;
	unix_command_start(&h->api, HAPROXY_ASK, HAPROXY_CALL_LIMIT, on_observed, h);
}

/* --- set_weight -------------------------------------------------------------------------------------------------- */

/* The largest fence that any controller used is kept in a file beside the map. The window between reading and acting
 * is a few milliseconds; the store's lease is the lock, this is the second line of defence. */
static int check_fence(struct haproxy_driver *h, int64_t fence, struct err *err)
{
	char *path = haproxy_path(h, FENCE_FILE);
	struct buf text;
	struct err absent;
	uint64_t seen = 0;
	int answer = 0;
	buf_init(&text, 64);
	if (file_read(path, &text, &absent) == 0)
		str_to_u64(str_trim(buf_str(&text)), &seen);
	if ((uint64_t)fence < seen) {
		answer = err_set(err, ERR_STALE, "another controller (lease %" PRIu64 ") drives this HAProxy now",
		                 seen);
	} else if ((uint64_t)fence > seen) {
		buf_clear(&text);
		buf_printf(&text, "%" PRId64 "\n", fence);
		answer = file_replace(path, buf_str(&text), false, err);
	}
	buf_finish(&text);
	free(path);
	return answer;
}

int haproxy_save_map(struct haproxy_driver *h, int32_t weight_bp, bool hold, struct err *err)
{
	char *path = haproxy_path(h, HAPROXY_MAP);
	struct buf text;
	buf_init(&text, 256);
	haproxy_map_write(weight_bp, hold, &text);
	const int answer = file_replace(path, buf_str(&text), false, err);
	buf_finish(&text);
	free(path);
	return answer;
}

/* HAProxy says nothing when a command was done; what it says before the read-back is a complaint. */
static struct str first_complaint(struct str answer)
{
	struct str line;
	while (str_cut(&answer, '\n', &line)) {
		line = str_trim(line);
		if (line.len > 0)
			return str_starts(line, STR("Name:")) ? STR("no reason given") : line;
	}
	return STR("no reason given");
}

/* The weight is in force now; only then does it go to the file, so that a reload or a restart keeps it. Rollback is not
 * held up by a disk this way, and a crash in between leaves the older weight in the file, without a lease: stable. */
static void on_weight_set(void *arg, struct str answer, const struct err *err_or_null)
{
	struct haproxy_driver *h = arg;
	struct haproxy_state s;
	struct err err;
	if (err_or_null) {
		haproxy_end(h, err_or_null);
		return;
	}
	if (!haproxy_state_parse(answer, &s) || s.weight_bp != h->weight_bp ||
	    haproxy_state_weight(&s) != h->weight_bp) {
		const struct str why = first_complaint(answer);
		err_set(&err, ERR_IO, "HAProxy did not take the weight %" PRId32 ": %.*s", h->weight_bp, STR_ARG(why));
		haproxy_end(h, &err);
		return;
	}
	if (haproxy_save_map(h, h->weight_bp, h->hold, &err) != 0) {
		err_wrap(&err, "the weight is in force but would be lost by a reload");
		haproxy_end(h, &err);
		return;
	}
	haproxy_end(h, NULL);
}

/* The order matters for the instants between the commands: a weight that needs a lease gets the lease first and loses
 * its hold last; 0 comes before everything else. */
static void haproxy_set_weight(struct driver *d, int32_t basis_points, int64_t fence, driver_done *done, void *arg)
{
	static const char set_map[] = "set map " HAPROXY_MAP;
	static const char lease[] = HAPROXY_LEASE_TABLE " key " HAPROXY_LEASE_KEY;
	struct haproxy_driver *h = haproxy_of(d);
	char command[COMMAND_TEXT_BYTES];
	must(basis_points >= 0 && basis_points <= WEIGHT_FULL_BP);
	haproxy_begin(h, done, arg);
	if (check_fence(h, fence, &h->err) != 0) {
		haproxy_end_later(h);
		return;
	}
	h->weight_bp = basis_points;
	h->hold = haproxy_weight_holds(h->plan, basis_points);
	if (basis_points == 0)
		snprintf(command, sizeof(command), "%s weight 0;%s hold 0;%s", set_map, set_map, HAPROXY_ASK);
	else if (h->hold)
		snprintf(command, sizeof(command), "%s weight %" PRId32 ";%s hold 1;%s", set_map, basis_points, set_map,
		         HAPROXY_ASK);
	else
		snprintf(command, sizeof(command), "set table %s data.gpt0 1;%s weight %" PRId32 ";%s hold 0;%s", lease,
		         set_map, basis_points, set_map, HAPROXY_ASK);
	unix_command_start(&h->api, command, HAPROXY_CALL_LIMIT, on_weight_set, h);
}

/* --- renew and keep ---------------------------------------------------------------------------------------------- */

/* A weight of 0 reads "obeyed" without any lease. */
static bool lapsed(const struct haproxy_state *s)
{
	return s->weight_bp > 0 && haproxy_state_weight(s) == 0;
}

static void on_done_silently(void *arg, struct str answer, const struct err *err_or_null)
{
	struct haproxy_driver *h = arg;
	struct err err;
	const struct str said = str_trim(answer);
	if (!err_or_null && said.len > 0) {
		err_set(&err, ERR_IO, "HAProxy did not do it: %.*s", STR_ARG(first_complaint(said)));
		err_or_null = &err;
	}
	haproxy_end(h, err_or_null);
}

/* Asks and parses; true: <ret> is set and the call goes on; false: it was ended. */
static bool read_state(struct haproxy_driver *h, struct str answer, const struct err *err_or_null,
                       struct haproxy_state *ret)
{
	struct err err;
	if (err_or_null) {
		haproxy_end(h, err_or_null);
		return false;
	}
	if (!haproxy_state_parse(answer, ret)) {
		err_set(&err, ERR_SYNTAX, "HAProxy's answer at %s is not understood", h->api.path);
		haproxy_end(h, &err);
		return false;
	}
	return true;
}

/* Only a lease that still stands is renewed. Otherwise a controller that was suspended longer than its lease would send
 * the users back to the canary with its first breath, before anybody looked. */
static void on_seen_before_renewal(void *arg, struct str answer, const struct err *err_or_null)
{
	struct haproxy_driver *h = arg;
	struct haproxy_state s;
	struct err err;
	if (!read_state(h, answer, err_or_null, &s))
		return;
	if (lapsed(&s)) {
		err_set(&err, ERR_STALE, "the data plane's lease ran out: all traffic is on stable");
		haproxy_end(h, &err);
		return;
	}
	if (s.hold || !s.leased) {
		haproxy_end(h, NULL);
		return;
	}
	unix_command_start(&h->api, "set table " HAPROXY_LEASE_TABLE " key " HAPROXY_LEASE_KEY " data.gpt0 1",
	                   HAPROXY_CALL_LIMIT, on_done_silently, h);
}

static void haproxy_renew(struct driver *d, driver_done *done, void *arg)
{
	struct haproxy_driver *h = haproxy_of(d);
	haproxy_begin(h, done, arg);
	if (h->plan->traffic.on_controller_death == DEATH_HOLD) {
		haproxy_end_later(h);
		return;
	}
	unix_command_start(&h->api, HAPROXY_ASK, HAPROXY_CALL_LIMIT, on_seen_before_renewal, h);
}

static void on_kept(void *arg, struct str answer, const struct err *err_or_null)
{
	struct haproxy_driver *h = arg;
	struct haproxy_state s;
	struct err err;
	if (!read_state(h, answer, err_or_null, &s))
		return;
	if (haproxy_state_weight(&s) > 0 && !s.hold) {
		err_set(&err, ERR_IO, "HAProxy did not keep its weight: %.*s", STR_ARG(first_complaint(answer)));
		haproxy_end(h, &err);
		return;
	}
	haproxy_end(h, haproxy_save_map(h, s.weight_bp, s.hold, &err) == 0 ? NULL : &err);
}

static void on_seen_before_keep(void *arg, struct str answer, const struct err *err_or_null)
{
	struct haproxy_driver *h = arg;
	struct haproxy_state s;
	struct err err;
	if (!read_state(h, answer, err_or_null, &s))
		return;
	if (lapsed(&s)) {
		err_set(&err, ERR_STALE, "the data plane's lease ran out: all traffic is on stable");
		haproxy_end(h, &err);
		return;
	}
	if (s.weight_bp == 0 || s.hold) {
		haproxy_end(h, NULL);
		return;
	}
	unix_command_start(&h->api, "set map " HAPROXY_MAP " hold 1;" HAPROXY_ASK, HAPROXY_CALL_LIMIT, on_kept, h);
}

static void haproxy_keep(struct driver *d, driver_done *done, void *arg)
{
	struct haproxy_driver *h = haproxy_of(d);
	haproxy_begin(h, done, arg);
	unix_command_start(&h->api, HAPROXY_ASK, HAPROXY_CALL_LIMIT, on_seen_before_keep, h);
}

/* --- cut --------------------------------------------------------------------------------------------------------- */

/* HAProxy answers each with nothing, also where there was no session. */
static void haproxy_cut(struct driver *d, driver_done *done, void *arg)
{
	struct haproxy_driver *h = haproxy_of(d);
	struct buf command;
	haproxy_begin(h, done, arg);
	buf_init(&command, CUT_BYTES_MAX);
	for (size_t i = 0; i < h->plan->arms[ARM_CANARY].server_count; i++)
		buf_printf(&command, "%sshutdown sessions server " HAPROXY_BACKEND_CANARY "/s%zu", i > 0 ? ";" : "",
		           i + 1);
	must(!buf_overflowed(&command));
	unix_command_start(&h->api, buf_cstr(&command), HAPROXY_CALL_LIMIT, on_done_silently, h);
	buf_finish(&command);
}

/* --- birth and death --------------------------------------------------------------------------------------------- */

static void haproxy_destroy(struct driver *d)
{
	struct haproxy_driver *h = haproxy_of(d);
	haproxy_process_finish(h);
	unix_command_finish(&h->api);
	program_finish(&h->program);
	loop_timer_stop(h->loop, &h->timer);
	buf_finish(&h->config);
	free(h->folder);
	free(h);
}

static const struct driver_ops haproxy_ops = {
	.name = "haproxy",
	.prepare = haproxy_prepare,
	.observe = haproxy_observe,
	.set_weight = haproxy_set_weight,
	.renew = haproxy_renew,
	.keep = haproxy_keep,
	.cut = haproxy_cut,
	.stop = haproxy_stop,
	.destroy = haproxy_destroy,
};

struct driver *haproxy_create(struct loop *loop, const struct plan *plan, const char *folder, struct err *err)
{
	if (file_make_folder(folder, err) != 0)
		return NULL;
	struct haproxy_driver *h = xcalloc(1, sizeof(*h));
	h->base.ops = &haproxy_ops;
	h->loop = loop;
	h->plan = plan;
	h->stop_pidfd = -1;
	/* Its processes are started in it and told apart by it: absolute and without links. */
	h->folder = realpath(folder, NULL);
	program_init(&h->program, loop);
	buf_init(&h->config, HAPROXY_CONFIG_BYTES_MAX);
	if (!h->folder) {
		err_set(err, ERR_IO, "the folder %s is not there", folder);
		haproxy_destroy(&h->base);
		return NULL;
	}
	char *socket_path = haproxy_path(h, HAPROXY_API_SOCKET);
	unix_command_init(&h->api, loop, socket_path, ANSWER_BYTES_MAX);
	free(socket_path);
	haproxy_process_recognise(h);
	return &h->base;
}
