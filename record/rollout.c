#include "record/rollout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"

static const char *const state_texts[] = {
#define X(id, text) text,
	ROLLOUT_STATES(X)
#undef X
};

const char *arm_text(enum arm a)
{
	must(a == ARM_STABLE || a == ARM_CANARY);
	return a == ARM_STABLE ? "stable" : "canary";
}

const char *rollout_state_text(enum rollout_state s)
{
	must((size_t)s < ARRAY_LEN(state_texts));
	return state_texts[s];
}

bool rollout_state_parse(const char *text, enum rollout_state *ret_state)
{
	for (size_t i = 0; i < ARRAY_LEN(state_texts); i++)
		if (strcmp(state_texts[i], text) == 0) {
			*ret_state = (enum rollout_state)i;
			return true;
		}
	return false;
}

const char *rollout_reason_text(enum rollout_reason r)
{
	static const char *const texts[] = {
#define X(id, text) text,
		ROLLOUT_REASONS(X)
#undef X
	};
	must((size_t)r < ARRAY_LEN(texts));
	return texts[r];
}

void rollout_record_init(struct rollout_record *r)
{
	*r = (struct rollout_record){ .decision = { .ratio = NAN, .ratio_low = NAN, .ratio_high = NAN } };
}

void event_record_finish(struct event_record *e)
{
	free(e->type);
	free(e->severity);
	free(e->actor);
	json_decref(e->before);
	json_decref(e->after);
	json_decref(e->data);
	*e = (struct event_record){ 0 };
}

void rollout_record_finish(struct rollout_record *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->stage_count; i++)
		free(r->stages[i].verdict);
	for (size_t i = 0; i < r->event_count; i++)
		event_record_finish(&r->events[i]);
	for (int a = 0; a < ARMS; a++) {
		free(r->arms[a].version);
		free(r->arms[a].commit);
	}
	free(r->service);
	free(r->environment);
	free(r->actor);
	free(r->why);
	free(r->decision.metric);
	free(r->stages);
	free(r->ticks);
	free(r->events);
	rollout_record_init(r);
}

/* The room is the next power of two: a day of ticks is added one by one. */
static void *room_for_one_more(void *rows, size_t count, size_t size)
{
	return count & (count - 1) ? rows : xreallocarray(rows, count ? 2 * count : 1, size);
}

void rollout_record_add_tick(struct rollout_record *r, const struct tick_record *tick)
{
	r->ticks = room_for_one_more(r->ticks, r->tick_count, sizeof(*r->ticks));
	r->ticks[r->tick_count++] = *tick;
}

void rollout_record_add_event(struct rollout_record *r, const struct event_record *event)
{
	r->events = room_for_one_more(r->events, r->event_count, sizeof(*r->events));
	r->events[r->event_count++] = *event;
}
