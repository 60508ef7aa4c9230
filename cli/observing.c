#include "cli/observing.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"
#include "cli/command.h"
#include "observe/plan.h"

struct observed {
	struct observing *owner;
	struct sampler *sampler;
	size_t first; /* of its figures in a row */
	bool busy;
	uint32_t second;     /* of the answer that is waited for */
	struct err why;      /* of the first answer; ERR_NONE: none */
	bool gave_something; /* the first answer, before the run, held a figure or no error */
};

struct observing {
	struct doc doc;
	struct arena arena;
	struct observe_plan plan;
	struct loop loop;
	bool has_loop;
	struct transport *transport;
	struct observed all[OBSERVE_ITEMS_MAX];
	size_t count, busy;
	size_t row_width; /* figures of all samplers */
	double *rows;     /* row_width each */
	struct err
		*whys; /* row_width: why the figure was missing when it was last missing for a reason; ERR_NONE: none */
	uint32_t row_count, row_room;
	pthread_t thread;
	bool has_thread;
	struct loop_wake wake;
	uint32_t seen; /* seconds that the observing thread knows of */
	/* Written by the main thread, read by the observing one. */
	_Atomic uint32_t seconds;
	_Atomic bool ending;
};

static const char *get_env(void *arg, const char *name)
{
	return getenv(name);
}

/* --- asking ------------------------------------------------------------------------------------------------------ */

static void on_answer(void *arg, const double *values, const struct err *err_or_null)
{
	struct observed *x = arg;
	struct observing *o = x->owner;
	const size_t count = x->sampler->series_count;
	bool any = false;
	for (size_t i = 0; i < count; i++) {
		const struct err *why = isnan(values[i]) ? sampler_why(x->sampler, i) : NULL;
		any = any || isfinite(values[i]);
		if (x->second > 0 && why)
			o->whys[x->first + i] = *why;
		if (x->second > 0)
			o->rows[(x->second - 1) * o->row_width + x->first + i] = values[i];
	}
	if (x->second == 0 && err_or_null)
		x->why = *err_or_null;
	if (x->second == 0)
		x->gave_something = any || !err_or_null;
	x->busy = false;
	o->busy--;
}

/* Rows up to that of <second> (from 1), all missing. */
static void make_rows(struct observing *o, uint32_t second)
{
	if (second > o->row_room) {
		o->row_room = second < 128 ? 128 : second * 2;
		o->rows = xreallocarray(o->rows, o->row_room, o->row_width * sizeof(double));
	}
	for (; o->row_count < second; o->row_count++)
		for (size_t i = 0; i < o->row_width; i++)
			o->rows[o->row_count * o->row_width + i] = NAN;
}

/* Second 0 is before the run. */
static void ask_all(struct observing *o, uint32_t second)
{
	make_rows(o, second);
	for (size_t i = 0; i < o->count; i++) {
		struct observed *x = &o->all[i];
		if (x->busy)
			continue;
		x->busy = true;
		x->second = second;
		o->busy++;
		sampler_sample(x->sampler, on_answer, x);
	}
}

static void on_wake(struct loop_wake *w)
{
	/* It only ends the sleep. */
}

static void *observe(void *arg)
{
	struct observing *o = arg;
	bool ending = false;
	while (!ending || o->busy) {
		/* In this order: when it is ending, the last second is known. */
		ending = atomic_load(&o->ending);
		const uint32_t seconds = atomic_load(&o->seconds);
		if (seconds != o->seen)
			ask_all(o, seconds);
		o->seen = seconds;
		if (!ending || o->busy)
			loop_turn(&o->loop, LOOP_WAIT);
	}
	return NULL;
}

/* --- birth ------------------------------------------------------------------------------------------------------- */

static int make_samplers(struct observing *o, struct err *err)
{
	const struct transport_options options = { .kind = TRANSPORT_CURL };
	if (loop_init(&o->loop, err) < 0)
		return -1;
	o->has_loop = true;
	loop_wake_start(&o->loop, &o->wake, on_wake);
	o->transport = transport_create(&o->loop, &options, err);
	if (!o->transport)
		return -1;
	for (size_t i = 0; i < o->plan.item_count; i++) {
		struct sampler *s = sampler_create(&o->loop, o->transport, &o->plan.items[i], err);
		if (!s)
			return -1;
		o->all[o->count++] = (struct observed){ .owner = o, .sampler = s, .first = o->row_width };
		o->row_width += s->series_count;
	}
	o->whys = xcalloc(o->row_width, sizeof(*o->whys));
	return 0;
}

/* The answers before a run: counters begin here. */
static void ask_before(struct observing *o)
{
	ask_all(o, 0);
	while (o->busy)
		loop_turn(&o->loop, LOOP_WAIT);
}

/* The first answers: what gives nothing at all is a mistake that is worth knowing now. */
static int ask_first(struct observing *o, const char *path, struct err *err)
{
	ask_before(o);
	for (size_t i = 0; i < o->count; i++) {
		if (o->all[i].gave_something)
			continue;
		err_set(err, ERR_UNREACHABLE, "%s", o->all[i].why.text);
		return err_wrap(err, "'%s' of %s cannot be observed", o->plan.items[i].name, path);
	}
	return 0;
}

/* Signals are for the run's thread. */
static int start_thread(struct observing *o, struct err *err)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	const int number = pthread_create(&o->thread, NULL, observe, o);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (number != 0)
		return err_set_errno(err, number, "start the observing thread");
	o->has_thread = true;
	return 0;
}

static int read_plan(struct observing *o, const char *path)
{
	const struct observe_inputs inputs = { .get_env = get_env };
	struct err err;
	if (doc_read(&o->doc, path, &err) < 0) {
		err_wrap(&err, "--observe");
		return fail(&err);
	}
	if (doc_ok(&o->doc)) {
		const struct node root = doc_root(&o->doc);
		observe_plan_read(&root, &inputs, &o->arena, &o->plan);
	}
	return doc_ok(&o->doc) ? 0 : fail_diagnostics(&o->doc.diags);
}

int observing_start(const char *path, const struct scenario_input *scenario, const char *name, struct observing **ret)
{
	struct err err;
	int status = 0;
	*ret = NULL;
	if (!path && scenario->observe.item_count == 0)
		return 0;
	struct observing *o = xcalloc(1, sizeof(*o));
	arena_init(&o->arena);
	if (path)
		status = read_plan(o, path);
	else
		o->plan = scenario->observe;
	if (status == 0 &&
	    (make_samplers(o, &err) < 0 || ask_first(o, path ? path : name, &err) < 0 || start_thread(o, &err) < 0))
		status = fail(&err);
	if (status == 0)
		*ret = o;
	else
		observing_destroy(o);
	return status;
}

/* --- life and end ------------------------------------------------------------------------------------------------ */

void observing_second(struct observing *o)
{
	if (!o)
		return;
	atomic_fetch_add(&o->seconds, 1);
	loop_wake_poke(&o->loop, &o->wake);
}

static void join(struct observing *o)
{
	if (!o->has_thread)
		return;
	atomic_store(&o->ending, true);
	loop_wake_poke(&o->loop, &o->wake);
	pthread_join(o->thread, NULL);
	o->has_thread = false;
}

static void fill_series(const struct observing *o, const struct observed *x, size_t number, struct sampled_series *to)
{
	const struct sampler_series *from = &x->sampler->series[number];
	bool missing = false;
	to->name = xstrdup(from->name);
	to->unit = xstrdup(from->unit);
	to->limit = from->limit;
	for (size_t i = 0; i < to->count && i < o->row_count; i++) {
		to->values[i] = o->rows[i * o->row_width + x->first + number];
		missing = missing || isnan(to->values[i]);
	}
	const struct err *why = &o->whys[x->first + number];
	if (missing && why->kind != ERR_NONE)
		to->why_missing = xstrdup(why->text);
}

void observing_end(struct observing *o, struct run_record *record)
{
	if (!o)
		return;
	join(o);
	run_record_make_resources(record, o->row_width);
	for (size_t i = 0; i < o->count; i++)
		for (size_t k = 0; k < o->all[i].sampler->series_count; k++)
			fill_series(o, &o->all[i], k, &record->resources[o->all[i].first + k]);
}

void observing_again(struct observing *o)
{
	struct err err;
	if (!o)
		return;
	must(!o->has_thread);
	o->row_count = o->seen = 0;
	atomic_store(&o->seconds, 0);
	atomic_store(&o->ending, false);
	ask_before(o);
	const bool started = start_thread(o, &err) == 0;
	for (size_t i = 0; i < o->row_width; i++)
		o->whys[i] = started ? (struct err){ .kind = ERR_NONE } : err;
}

void observing_destroy(struct observing *o)
{
	if (!o)
		return;
	join(o);
	for (size_t i = 0; i < o->count; i++)
		sampler_destroy(o->all[i].sampler);
	transport_destroy(o->transport);
	if (o->has_loop) {
		loop_wake_stop(&o->loop, &o->wake);
		loop_finish(&o->loop);
	}
	free(o->rows);
	free(o->whys);
	arena_finish(&o->arena);
	doc_finish(&o->doc);
	free(o);
}
