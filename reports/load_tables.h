/* load_tables.h: the sections of load_text.h, one function each; for this folder only. Each writes its heading and
 * leaves out what the run does not have. Threads: [any]. */
#ifndef WEIR_REPORTS_LOAD_TABLES_H
#define WEIR_REPORTS_LOAD_TABLES_H

#include "record/run.h"
#include "reports/style.h"

/* Offered against achieved, send lag, late and dropped starts, the generator's CPU, censored requests. */
void load_soundness(const struct run_record *r, const struct report_style *s, struct buf *out);
void load_requests(const struct run_record *r, const struct report_style *s, struct buf *out);

/* Quantiles of response and service time; <brief>: p50, p95, p99, max only. */
void load_times(const struct run_record *r, const struct report_style *s, bool brief, struct buf *out);

/* How long new connections took, in one line; nothing, and false, when none was opened. */
bool load_set_up_text(const struct run_record *r, struct buf *out);
void load_set_up(const struct run_record *r, const struct report_style *s, struct buf *out);

/* The warm-up in one line, its times only where <times>; nothing, and false, when there was none. */
bool load_warmup_text(const struct run_record *r, bool times, struct buf *out);
void load_warmup(const struct run_record *r, const struct report_style *s, struct buf *out);

/* Flows, with their steps when <steps>; at most <most> flows (0: all). */
void load_flows(const struct run_record *r, const struct report_style *s, bool steps, size_t most, struct buf *out);
void load_checks(const struct run_record *r, const struct report_style *s, struct buf *out);
void load_thresholds(const struct run_record *r, const struct report_style *s, size_t most, struct buf *out);
void load_timeline(const struct run_record *r, const struct report_style *s, struct buf *out);
/* What the server used second by second, whatever made the load. */
struct server_use {
	const struct sampled_series *series;
	size_t count;
	size_t from, to;         /* the seconds that count: [from, to) */
	const double *completed; /* requests that ended in each second; NULL: no scale to measure a server with */
};
/* A table of it, what is missing, and what a request costs. Nothing when nothing was observed. */
void load_server_use(const struct server_use *u, const struct report_style *s, struct buf *out);
/* The same of a run. */
void load_resources(const struct run_record *r, const struct report_style *s, struct buf *out);
void load_samples(const struct run_record *r, const struct report_style *s, struct buf *out);
void load_manifest(const struct run_record *r, const struct report_style *s, struct buf *out);

/* Failed / requests; NAN without requests. */
double load_error_rate(uint64_t failed, uint64_t requests);

#endif
