/* compare.h: how much worse, not only whether: effect sizes and what people are shown beside the evidence.
 *
 * risk ratio     Mantel-Haenszel over ticks, RR = sum e_c n_s/n / sum e_s n_c/n: compares inside each tick, so neither
 *                the ramp of the canary's share nor a drift of both arms moves it
 * latency ratio  quantile of the canary over quantile of stable, every tick of the canary re-weighted to stable's share
 *                of that tick (n_s,k/n_c,k), for the same reason
 * ratio bounds   confidence sequence for the error ratio: valid after every tick at once
 * share test     does the data plane send the canary what was asked? An alarm means the comparison is not trustworthy,
 *                never that the canary is bad
 *
 * Abort needs both: evidence and an effect of at least the user's ratio (statistics.md section 4). Sources: Mantel,
 * Haenszel 1959 (risk ratio form: Rothman, "Epidemiology", stratified cohort data); statistics.md sections 4, 7, 10;
 * share test: Lindon, Malek, "Anytime-valid inference for multinomial count data" (NeurIPS 2022). Plain data. Threads:
 * one at a time. */
#ifndef WEIR_STATS_COMPARE_H
#define WEIR_STATS_COMPARE_H

#include "stats/eprocess.h"
#include "stats/logbins.h"

/* All zero: empty. */
struct risk_ratio {
	double canary, stable; /* the two sums */
	struct block total;    /* plain sums, for showing */
};
void risk_ratio_add(struct risk_ratio *r, const struct block *tick);
/* RR; INFINITY when only the canary had events, NAN when neither had. */
double risk_ratio_get(const struct risk_ratio *r);

/* All zero: empty. */
struct latency_ratio {
	double canary[LOGBINS], stable[LOGBINS]; /* weights; canary is already re-weighted */
};
/* Ticks in which either arm is silent say nothing about the ratio and are left out. */
void latency_ratio_add(struct latency_ratio *r, const struct logbins *canary, const struct logbins *stable);
/* Ratio of the <q>-quantiles; <ret_canary_ns>, <ret_stable_ns> may be NULL. NAN when empty. */
double latency_ratio_at(const struct latency_ratio *r, double q, double *ret_canary_ns, double *ret_stable_ns);

/* Nested nulls "ratio <= m" and "ratio >= m" for these m, each against 2/alpha; between nested nulls nothing has to be
 * corrected. What was rejected once stays rejected. */
#define RATIO_BOUNDS_NULLS 7
struct ratio_bounds {
	double ln_threshold;                       /* ln(2/alpha) */
	double low, high;                          /* the bounds so far */
	struct eprocess above[RATIO_BOUNDS_NULLS]; /* evidence that the ratio is above m */
	struct eprocess below[RATIO_BOUNDS_NULLS]; /* ... below m */
};
/* <phi> as in struct eprocess_plan. */
void ratio_bounds_init(struct ratio_bounds *b, double alpha, double phi);
void ratio_bounds_temper(struct ratio_bounds *b, struct temper t); /* as eprocess_temper */
void ratio_bounds_tick(struct ratio_bounds *b, const struct block *tick, double theta_s);
/* The ratio lies between *ret_low (0: no lower bound proven) and *ret_high (INFINITY: no upper). False when low >=
 * high: both were proven, so the ratio was not the same all the time. */
bool ratio_bounds_get(const struct ratio_bounds *b, double *ret_low, double *ret_high);

/* As eprocess_export: low, high (-1 for INFINITY), then above[0..6], below[0..6]. */
#define RATIO_BOUNDS_VALUES (2 + 2 * RATIO_BOUNDS_NULLS * EPROCESS_VALUES)
size_t ratio_bounds_export(const struct ratio_bounds *b, double *ret_values, size_t room);
bool ratio_bounds_import(struct ratio_bounds *b, const double *values, size_t count);

/* ln of the Bayes factor of the counts against the asked share, summed over the steps in which the share was constant:
 * B(k s + N_c, k (1-s) + N_s) / (B(k s, k (1-s)) s^N_c (1-s)^N_s). Valid at any time; alarm at >= ln(1/alpha). */
struct share_test {
	double k;         /* concentration; the larger, the smaller the deviations it looks for */
	double share;     /* asked in this step; at 0 and 1 nothing is tested */
	double n_c, n_s;  /* in this step */
	double ln_before; /* of the earlier steps */
};
#define SHARE_TEST_K 10000.0
void share_test_init(struct share_test *t, double k);
/* A new share was asked for and has arrived. */
void share_test_step(struct share_test *t, double share);
void share_test_add(struct share_test *t, double n_c, double n_s);
double share_test_ln(const struct share_test *t);

/* 100 (1 - clamp(ln E/ln(1/alpha), 0, 1)): 100 no sign of harm, 0 abort. */
double health_score(double ln_e, double alpha);
/* clamp(min ln E'/ln(1/beta), 0, 1) over the required metrics: 1 good enough in all. <count> 0: 0, as nothing is
 * proven. */
double promote_progress(const double *ln_e, size_t count, double beta);

#endif
