/* controller_state.h: private to controller*.c.
 *
 *   controller.c        birth, the turn of the loop, events to the machine, its actions
 *   controller_drive.c  the driver: one call at a time, what comes next, answers
 *   controller_tick.c   a tick: counters, sample, evidence, the tick's record, completeness, drift
 *   controller_watch.c  guards of our own over what the data plane says: dead servers, stalled requests, drift
 *   controller_story.c  the rollout's record, events, the snapshot
 *
 * Callbacks of the loop set flags and keep answers; controller_turn() does the work, once per turn. */
#ifndef WEIR_CANARY_CONTROLLER_STATE_H
#define WEIR_CANARY_CONTROLLER_STATE_H

#include "canary/controller.h"
#include "canary/journal.h"
#include "observe/health.h"

#define NEVER_NS INT64_MAX
#define TICKS_UNSAVED_MAX 64 /* when the store fails: older ones are dropped and counted as a glitch */

enum drive_call { DRIVE_NONE, DRIVE_PREPARE, DRIVE_SET, DRIVE_OBSERVE, DRIVE_RENEW, DRIVE_KEEP, DRIVE_CUT };

#define WATCH_WINDOW 3 /* seconds; a request that is older counts as stalled */

/* What the driver is to do and what it does. The wishes are served in this order: weight, prepare, keep, cut,
 * renew, observe; a newer weight replaces an older one that was not begun. */
struct drive {
	enum drive_call call; /* under way */
	bool answered, ok;
	struct err err;
	struct driver_observation got;

	bool want_set, want_prepare, want_renew, want_keep, want_cut, want_observe;
	bool restarting;            /* <want_prepare> is ours: the data plane died; the machine did not ask */
	int32_t set_bp, calling_bp; /* wanted; in the call under way */
	int64_t intent;             /* of the newest weight; 0: none */
	int64_t calling_intent;

	bool announced; /* after prepare: the first observation tells the machine */
	bool verifying;
	int32_t verify_bp;
	struct mono verify_limit, observe_at;
	struct mono cut_at;      /* requests that the canary still holds then are ended; NEVER: they are left alone */
	struct mono keep_at;     /* the weight is to be kept then; NEVER: it is, or need not be */
	struct mono quiet_since; /* proof of 0 %: no new canary request and none in flight since; NEVER: not yet */
	uint64_t quiet_requests;

	bool seen_once;
	struct driver_observation seen; /* the last */
	int unseen;                     /* observations that failed in a row */
};

/* What the data plane's own figures tell without statistics. */
struct watch {
	int canary_down; /* observations in a row without a canary server in service */
	bool down_guard, stall_guard;
	struct mono at[WATCH_WINDOW]; /* of the last observations, a second apart; a ring */
	uint64_t requests[WATCH_WINDOW][ARMS];
	int64_t generation; /* that they are of */
	size_t count;       /* ever taken */
};

/* Are the source's lines complete? Counted since <generation> began to be watched. */
struct completeness {
	int64_t generation;             /* 0: none */
	uint64_t base[ARMS];            /* balancer's finished requests when it began */
	uint64_t lines;                 /* that came since */
	uint64_t told;                  /* missing requests that were told already */
	uint64_t requests_before[ARMS]; /* for the share of the last second */
};

struct guard_watch {
	struct health_guard *guard;
	bool changed, complains;
	char text[320];
};

struct controller {
	struct controller_options o;
	struct journal *journal;
	struct machine machine;
	struct evidence *evidence;
	struct evidence_config evidence_config;
	struct assessment assessment;
	struct power_meter power_meter; /* of stable, before the first shift */
	struct power power;
	struct rollout_record record;
	bool resumed;
	int32_t found_intent_bp;
	char *overridden;
	char *gate_text; /* answer of a gate that was asked before the start; NULL: none was */
	enum rollout_reason gate_reason;
	char *lost_evidence; /* why the stored evidence could not be gone on with; NULL: it could */

	struct drive drive;
	struct watch watch;
	struct completeness complete;
	struct source_sample sample;

	struct loop_alarm alarm;
	struct mono tick_at, poll_at, renew_at, lease_at;
	struct mono lease_ends; /* by our clock: after it nobody is held off by us any more */
	int64_t tick, tick_base;
	struct mono tick_start; /* tick_base began here */
	bool tick_waits;        /* for its observation */
	struct tick_record unsaved[TICKS_UNSAVED_MAX];
	size_t unsaved_count;
	struct tick_record last_tick;
	double share;

	struct guard_watch *guards;
	size_t guard_count;
	int interrupts;        /* not told yet */
	bool store_complained; /* a failure of the store is told once until it works again */
	bool taken_over;

	bool looking_back; /* promoted, asked to go back: can the data plane? */
	char *no_way_back; /* why it cannot; NULL: it can, or was not asked */

	/* For the record's times. */
	struct mono harmful_since, decided_at;

	bool finishing, left, ended;
	struct mono finish_limit;
};

/* controller.c */
void controller_step(struct controller *c, struct machine_event ev);
static inline void controller_tell(struct controller *c, enum machine_event_kind kind, int32_t weight_bp,
                                   const char *text)
{
	controller_step(c, (struct machine_event){ .kind = kind, .weight_bp = weight_bp, .text = text });
}
/* Looks at a failure of the store: ERR_STALE means that somebody else drives. */
void controller_store_failed(struct controller *c, const struct err *err);

bool controller_guards_complain(const struct controller *c);

/* The first look at the data plane of a promoted rollout that is to go back: what was seen is in drive.got. */
void controller_look_back(struct controller *c, bool seen);

/* controller_drive.c */
void drive_answered(struct controller *c); /* takes the answer of the call under way, if it came */
void drive_next(struct controller *c);     /* begins the next call, if none is under way */
void drive_set(struct controller *c, int32_t weight_bp);
void drive_verify(struct controller *c, int32_t weight_bp);
struct mono drive_due(const struct controller *c);
void drive_time(struct controller *c, struct mono now);

/* controller_watch.c */
void watch_observation(struct controller *c); /* drive.got against drive.seen, the one before */
bool watch_complains(const struct controller *c);

/* controller_tick.c */
void tick_take(struct controller *c); /* what the source counted since the last take goes to c->sample */
void tick_begin(struct controller *c);
void tick_end(struct controller *c, const struct driver_observation *seen_or_null);

/* controller_story.c */
void story_action(struct controller *c, const struct machine_action *a);
void story_event(struct controller *c, const char *type, const char *severity, const char *actor, json_t *before,
                 json_t *after, json_t *data); /* the JSON values are taken; may be NULL */
void story_enter_stage(struct controller *c, int32_t stage);
void story_tick(struct controller *c);
void story_moved(struct controller *c, enum rollout_state before);
void story_finish(struct controller *c);
void story_save(struct controller *c);
void story_update(struct controller *c);
/* Reads the snapshot of an earlier controller. -1: it cannot be gone on with. */
int story_restore(struct controller *c, const json_t *snapshot, struct err *err);

#endif
