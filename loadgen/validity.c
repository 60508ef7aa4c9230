#include "loadgen/validity.h"

#include <inttypes.h>
#include <stdarg.h>

#include "base/mem.h"
#include "base/units.h"

#define ACHIEVED_LEAST 0.99
#define DROPPED_MOST 0.001
#define WAITED_SUSPECT 0.01
#define LAG_LEAST_LIMIT MILLISECOND
#define LAG_OF_SERVICE 0.05
#define CPU_SUSPECT 0.85
#define CPU_SATURATED 0.95
#define PORTS_SUSPECT 0.85
/* Of the requests; as for arrivals that were dropped. */
#define LOCAL_FAILURES_MOST 0.001
/* A connection that is being closed or made at the moment of the count is not in it. */
#define DESCRIPTORS_SPARE 8
/* Fewer requests than this have no 99th percentile to speak of; their maximum is judged by people. */
#define LAG_REQUESTS_LEAST 100

__attribute__((format(printf, 3, 4))) static void say(struct run_record *r, enum run_validity state, const char *format,
                                                      ...)
{
	if (state > r->validity)
		r->validity = state;
	if (r->reason_count == RUN_REASONS_MAX)
		return;
	va_list args;
	va_start(args, format);
	r->reasons[r->reason_count++] = xvasprintf(format, args);
	va_end(args);
}

/* Not one more connection could be made: what looks like a target that refuses is ours. */
static void judge_descriptors(const struct generator_health *h, struct run_record *r)
{
	if (h->descriptor_limit == 0 || h->descriptors + DESCRIPTORS_SPARE < h->descriptor_limit)
		return;
	say(r, RUN_NOT_VALID,
	    "all %" PRIu64
	    " descriptors that the system allows were taken: connections failed for want of one; allow more "
	    "(ulimit -n), or ask for fewer users",
	    h->descriptor_limit);
}

static void judge_connections(const struct generator_health *h, struct run_record *r)
{
	if ((double)h->local_failures <= LOCAL_FAILURES_MOST * (double)h->requests)
		return;
	say(r, RUN_NOT_VALID,
	    "%" PRIu64
	    " connections failed for want of a local port or descriptor, before the target heard of them: keep "
	    "connections alive, or widen net.ipv4.ip_local_port_range",
	    h->local_failures);
}

static void judge_lag(const struct generator_health *h, struct run_record *r)
{
	char lag[DURATION_TEXT_BYTES], most[DURATION_TEXT_BYTES];
	dur_ns limit = (dur_ns)(LAG_OF_SERVICE * (double)h->service_p50);
	if (limit < LAG_LEAST_LIMIT)
		limit = LAG_LEAST_LIMIT;
	if (h->requests < LAG_REQUESTS_LEAST || h->lag_p99 <= limit)
		return;
	say(r, RUN_NOT_VALID, "the generator was late by itself: p99 of the send lag is %s, more than %s",
	    duration_format(h->lag_p99, lag), duration_format(limit, most));
}

static void judge_arrivals(const struct generator_health *h, struct run_record *r)
{
	if (!h->open || h->planned == 0)
		return;
	const double planned = (double)h->planned, achieved = (double)h->begun / planned;
	const bool saturated = h->cpu_peak >= CPU_SATURATED;
	if (achieved < ACHIEVED_LEAST && saturated)
		say(r, RUN_NOT_VALID,
		    "the generator was the limit: it began %.1f %% of the arrivals with a core at %.0f %%",
		    achieved * 100, h->cpu_peak * 100);
	if ((double)h->dropped / planned > DROPPED_MOST)
		say(r, RUN_NOT_VALID, "%.2f %% of the arrivals were dropped, because no user was free",
		    (double)h->dropped / planned * 100);
	/* From here on only suspect: the worst comes first. */
	const double unserved = 1 - achieved - (double)h->dropped / planned;
	if (unserved > 1 - ACHIEVED_LEAST && !saturated)
		say(r, RUN_SUSPECT,
		    "%.1f %% of the arrivals never began: all users were waiting for the target; they are counted as censored",
		    unserved * 100);
	if ((double)h->waited / planned > WAITED_SUSPECT)
		say(r, RUN_SUSPECT,
		    "%.1f %% of the arrivals waited for a free user (their response times include it); allow more users",
		    (double)h->waited / planned * 100);
}

static void judge_ports(const struct generator_health *h, struct run_record *r)
{
	if (h->port_range == 0 || (double)h->ports <= PORTS_SUSPECT * (double)h->port_range)
		return;
	say(r, RUN_SUSPECT,
	    "up to %" PRIu32 " of %" PRIu32
	    " local ports were taken: new connections may have waited or failed for want of "
	    "one; keep connections alive, or widen net.ipv4.ip_local_port_range",
	    h->ports, h->port_range);
}

void validity_judge(const struct generator_health *h, struct run_record *r)
{
	r->validity = RUN_VALID;
	judge_descriptors(h, r);
	judge_connections(h, r);
	judge_lag(h, r);
	judge_arrivals(h, r);
	if (h->cpu > CPU_SUSPECT)
		say(r, RUN_SUSPECT,
		    "a worker used %.0f %% of its core: the generator itself may have slowed the answers",
		    h->cpu * 100);
	judge_ports(h, r);
}
