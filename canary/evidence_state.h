/* evidence_state.h: what the evidence remembers between ticks; shared by evidence.c (takes ticks in), evidence_assess.c (judges)
 * and evidence_json.c (survives restarts). Nobody else includes it.
 *
 * window   The effect of a regression that begins in the middle must not be diluted by the good time before. A window
 *          therefore runs with a score per alternative: ln L adds up while the alternative explains the ticks better than
 *          the null, and when the score falls to 0 the window is emptied (Page's CUSUM; its last zero is the most likely
 *          begin of the change). The effect is measured in the window of the alternative with the most evidence.
 *          Windows decide only how large a proven difference is, never whether it is proven.
 *
 * Threads: one at a time. */
#ifndef WEIR_CANARY_EVIDENCE_STATE_H
#define WEIR_CANARY_EVIDENCE_STATE_H

#include "canary/bunching.h"
#include "canary/evidence.h"
#include "stats/compare.h"
#include "stats/eprocess.h"
#include "stats/logbins.h"

#define THRESHOLDS 7
extern const double threshold_quantiles[THRESHOLDS]; /* .5 .75 .9 .95 .99 .995 .999 */
#define THRESHOLD_P50 0
#define THRESHOLD_P95 3
#define PROMOTE_QUANTILES 2
extern const int promote_thresholds[PROMOTE_QUANTILES]; /* p50 and p95 */

/* Counts of both arms, compared inside each tick: Mantel-Haenszel sums. canary/weight and stable/weight are shares. */
struct error_window {
	double score;
	double canary, stable, weight;
};
struct latency_window {
	double score;
	double requests; /* of the canary; 0: empty */
	struct latency_ratio ratio;
};

/* A share that forgets quickly, to see what both arms do just now. */
struct recent_share {
	double events, requests;
};

struct stage_counts {
	int32_t stage;
	uint64_t requests[ARMS], errors[ARMS];
	struct logbins bins[ARMS];
};

struct evidence {
	struct evidence_config config;

	/* Fixed by the configuration. */
	double weight_errors, weight_gross, weight_latency, weight_slo; /* of the budget; their sum is 1 */
	int harm_shift, promote_shift;
	int slo_bin; /* slower: in a bin above */
	bool slo;

	/* Time. */
	int64_t last_tick;         /* -1: none */
	int64_t first_canary_tick; /* -1: the canary had no request yet */
	int64_t weight_tick;       /* since when weight_bp is asked */
	int32_t weight_bp;
	bool last_stage, warming;
	uint64_t repeated;

	/* Freeze. */
	bool frozen;
	int64_t freeze_since; /* tick of stable's first request; -1: none */
	struct logbins before;
	uint64_t before_errors;
	int thresholds[THRESHOLDS]; /* bins */

	/* Expectations for the coming tick. */
	struct running_rate rate_errors, rate_above[THRESHOLDS];
	struct running_rate usual_errors, usual_slow; /* slow to follow: what a shared failure departs from */

	struct bunching bunching;
	struct temper temper[BUNCHING_METRICS]; /* that the coming tick's evidence is divided by */

	/* Evidence. */
	struct eprocess harm_errors, harm_gross, harm_latency[THRESHOLDS], harm_slo;
	struct eprocess promote_errors, promote_latency[PROMOTE_QUANTILES], promote_slo;
	struct eprocess after_errors, after_slow; /* all traffic on the canary: against stable's last rates */
	bool after;                               /* these run */
	struct ratio_bounds bounds;

	/* Effects. */
	struct eprocess plain_errors, plain_gross,
		plain_latency[THRESHOLDS]; /* without restart: gives ln L of a tick */
	struct error_window error_windows[EPROCESS_EFFECTS_MAX], gross_window;
	struct latency_window latency_windows[THRESHOLDS];
	struct risk_ratio risk;
	struct latency_ratio latency;
	double excess_errors;
	double requests[ARMS]; /* compared, after the warm-up */

	/* The stage, and how far the measurements can be trusted. */
	struct stage_counts stage;
	struct share_test share;
	double share_requests[ARMS];
	int64_t sample_tick, traffic_tick; /* the last with measurements; with requests */
	double silent[ARMS];               /* requests the arm should have had since its last one */
	int64_t silent_ticks[ARMS];
	double lines, lost;                                                              /* decaying */
	struct recent_share recent_errors[ARMS], recent_slow[ARMS], recent_broken[ARMS]; /* broken: the SLO */

	struct assessment last;
};

/* Judges what is known now; fills <e>->last. */
void evidence_judge(struct evidence *e);

/* A new one whose processes are at their start. */
void evidence_begin(struct evidence *e, const struct evidence_config *config);

/* Makes phi for the coming tick of what is known by now. */
void evidence_temper(struct evidence *e);

/* Starts the comparison of all traffic on the canary with stable's last rates; called by the first such tick. */
void evidence_begin_after(struct evidence *e);

#endif
