/* sampler.h: figures of a server, asked for once a second while a run goes on. One kind per place where figures come
 * from, in observe/samplers/.
 *
 * sampler  asks one place (a process, a host, an endpoint, a database) and answers with a fixed row of figures
 * series   one figure of that row over time, with its unit
 * missing  NAN. What could not be read is missing, never 0: a server that does not answer is not an idle one
 *
 * A call of sampler_sample is answered exactly once, in a later turn of the loop, within SAMPLER_LIMIT: with values,
 * and with a reason when some of them are missing because something went wrong. Figures that are differences (CPU,
 * rates) are missing in the first answer, without a reason. One call at a time (must). No kind blocks the loop.
 *
 * How a kind is made: samplers/skeleton.c. Reasons and names never hold a secret (conceal.h).
 *
 * Threads: the loop's. */
#ifndef WEIR_OBSERVE_SAMPLER_H
#define WEIR_OBSERVE_SAMPLER_H

#include "base/clock.h"
#include "base/err.h"
#include "net/loop.h"
#include "net/transport.h"
#include "observe/conceal.h"

/* Before the next second. */
#define SAMPLER_LIMIT (900 * MILLISECOND)
#define SAMPLER_SERIES_MAX 32

/* What a figure is. A text of its own may be used, too; these are those that others understand. */
#define UNIT_CORES "cores" /* CPU seconds per second */
#define UNIT_BYTES "B"
#define UNIT_MILLISECONDS "ms"
#define UNIT_PER_SECOND "/s"
#define UNIT_SHARE "share"             /* 0..1 */
#define UNIT_CONNECTIONS "connections" /* in use */

struct sampler_series {
	char *name;   /* "app cpu" */
	char *unit;   /* "" when it has none */
	double limit; /* the most it can be (cores of the host, max_connections); NAN: unknown, or not yet */
};

/* <values>: one per series, NAN where missing. <err_or_null>: why, when something went wrong. Both borrowed. */
typedef void sampler_answered(void *arg, const double *values, const struct err *err_or_null);

struct sampler;
struct sampler_ops {
	/* Begins to ask; calls sampler_end in this turn or later. */
	void (*start)(struct sampler *s);
	/* The limit has passed: drop what is under way; do not call sampler_end. NULL: nothing ever is. */
	void (*give_up)(struct sampler *s);
	void (*destroy)(struct sampler *s); /* ends with sampler_finish and free */
};

/* The first member of each kind. Its fields but values and err are sampler.c's, <secrets> is sampler_create's. */
struct sampler {
	const struct sampler_ops *ops;
	struct loop *loop;
	struct sampler_series series[SAMPLER_SERIES_MAX];
	size_t series_count; /* fixed from creation on */
	double values[SAMPLER_SERIES_MAX];
	struct err err;                      /* why something is missing; ERR_NONE: nothing went wrong */
	struct err whys[SAMPLER_SERIES_MAX]; /* why one of them is (sampler_miss) */
	bool partial;                        /* <err> is the first of <whys>, not the reason of all */
	const struct secret *secrets;        /* kept: hidden in each reason that is told */
	struct loop_timer timer;
	bool busy, ended;
	sampler_answered *done;
	void *arg;
};

/* --- for who asks --- */

void sampler_sample(struct sampler *s, sampler_answered *done, void *arg);
/* Why that series is missing; NULL: there is no reason but that it is a difference. Only within sampler_answered, before
 * it asks again. Borrowed. */
const struct err *sampler_why(const struct sampler *s, size_t number);
/* An answer under way does not come. NULL is fine. */
void sampler_destroy(struct sampler *s);

/* --- for the kinds --- */

/* <loop> is kept. */
void sampler_init(struct sampler *s, const struct sampler_ops *ops, struct loop *loop);
/* Stops timers and frees the series; the rest is the kind's. */
void sampler_finish(struct sampler *s);
/* "NAME SERIES" with its unit; returns its index. */
size_t sampler_add(struct sampler *s, const char *name, const char *series, const char *unit);
/* Says why one series is missing, where s->err would not be true of the others. */
void sampler_miss(struct sampler *s, size_t number, const struct err *why);
/* Answers with s->values and s->err in the next turn. */
void sampler_end(struct sampler *s);

/* A counter that only grows, as a rate. All zero: no value yet. */
struct counter_rate {
	double last;
	struct mono at;
};
/* Per second since the last call; NAN at the first, when <value> is NAN, or when it went back (a restart). */
double counter_rate_take(struct counter_rate *c, double value, struct mono now);

#endif
