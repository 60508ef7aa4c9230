/* planner.h: before a rollout begins: what can be seen with this traffic, and how long it takes.
 *
 * klinf  information per request (of both arms together) against a null, in nats: the least divergence between the
 *        truth and any point of the null. Wald: every test with false-alarm probability alpha needs on average at least
 *        ln(1/alpha)/klinf requests
 * slack  how much more than that bound weir's test needs: median 1.35 for errors, 3 for latency (statistics.md section
 *        8, measured)
 *
 * Source: statistics.md section 8. Pure functions. Threads: [any]. */
#ifndef WEIR_STATS_PLANNER_H
#define WEIR_STATS_PLANNER_H

#include "stats/evariable.h"
#include "stats/logbins.h"

#define PLANNER_SLACK_ERRORS 1.35
#define PLANNER_SLACK_LATENCY 3.0

/* For true rates <p_c>, <p_s> and the canary's share <rho> of the traffic, 0 < rho < 1. 0 when the truth is inside the
 * null "p_c <= m p_s + a". */
double planner_klinf(double rho, double p_c, double p_s, struct null null);
/* The same against "p_c >= m p_s + a": for the time to promote. */
double planner_klinf_promote(double rho, double p_c, double p_s, struct null null);

/* For two distributions over <count> bins (each sums to 1) against "they are equal": the weighted Jensen-Shannon
 * divergence. */
double planner_klinf_shares(double rho, const double *canary, const double *stable, size_t count);

/* ln(1/alpha)/klinf; INFINITY when klinf is 0. */
double planner_least_requests(double alpha, double klinf);

/* The smallest ratio p_c/p_s, for the base rate <p_s> and the null m = 1, that <requests> of both arms together show:
 * slack x bound <= requests. INFINITY when not even p_c = 0.98 would show. */
double planner_least_error_ratio(double requests, double rho, double p_s, double alpha, double slack);

/* The smallest factor by which all of the canary's latencies can be multiplied so that <requests> show it, given the
 * latencies of stable (some thousand of them, or the figure flatters). Information is counted at the best of weir's
 * thresholds (p50, p75, p90, p95, p99, p99.5, p99.9), so that empty bins do not count as knowledge. INFINITY when not
 * even 16 times would show. */
double planner_least_latency_factor(const struct logbins *stable, double requests, double rho, double alpha,
                                    double slack);

#endif
